//! A snapshot as metrics for Prometheus. Labels name listeners, upstreams, servers and codes:
//! nothing that clients could make more of.

use std::collections::HashMap;

use super::exposition::{Dialect, Exposition, Kind, Labels};
use super::snapshot::{Connections, End, Server, Snapshot, Traffic};
use crate::observe::Distribution;

/// The states that a server may be in.
const STATES: [&str; 6] = ["up", "recovering", "full", "benched", "down", "draining"];

impl Snapshot {
    /// All of it, as metrics.
    pub(crate) fn metrics(&self, dialect: Dialect) -> String {
        let mut all = Exposition::new(dialect);
        self.process(&mut all);
        self.generation(&mut all);
        self.connections(&mut all);
        self.listeners(&mut all);
        self.servers(&mut all);
        self.tunnels(&mut all);
        all.finish()
    }

    fn process(&self, all: &mut Exposition) {
        let process = &self.process;
        all.family("build", Kind::Info, "The program.");
        all.sample(&[("version", &self.version)], 1);
        let mut one = |name, kind, help, value: &dyn std::fmt::Display| {
            all.family(name, kind, help);
            all.sample(&[], value);
        };
        let help = "When the process was started, in seconds since 1970.";
        one("process_start_time_seconds", Kind::Gauge, help, &process.started);
        let help = "The time of processors that the process has used.";
        one("process_cpu_seconds", Kind::Counter, help, &process.cpu);
        let help = "The memory that the process has in use.";
        one("process_resident_memory_bytes", Kind::Gauge, help, &process.memory);
        one("process_threads", Kind::Gauge, "The threads of the process.", &process.threads);
        one("process_open_fds", Kind::Gauge, "Its open descriptors.", &process.descriptors);
        if let Some(limit) = process.descriptor_limit {
            one("process_max_fds", Kind::Gauge, "How many descriptors it may have.", &limit);
        }
    }

    fn generation(&self, all: &mut Exposition) {
        let generation = &self.generation;
        let mut one = |name, help, value: &dyn std::fmt::Display| {
            all.family(name, Kind::Gauge, help);
            all.sample(&[], value);
        };
        let help = "The number of the configuration that is served: 1, and 1 for each reload.";
        one("config_generation", help, &generation.number);
        let help = "When it was loaded, in seconds since 1970.";
        one("config_loaded_timestamp_seconds", help, &generation.loaded);
        let reload = generation.reload.as_ref();
        let failed = reload.is_some_and(|reload| reload.error.is_some());
        let help = "Whether the last reload succeeded, or there was none.";
        one("config_last_reload_successful", help, &u8::from(!failed));
    }

    fn connections(&self, all: &mut Exposition) {
        let Connections { accepted, active, reading, writing, waiting, requests, .. } =
            self.connections;
        let mut one = |name, kind, help, value| {
            all.family(name, kind, help);
            all.sample(&[], value);
        };
        one("connections_accepted", Kind::Counter, "Client connections accepted.", accepted);
        one("connections_active", Kind::Gauge, "Client connections that are open.", active);
        let help = "Connections on which the head of a request has begun to come.";
        one("connections_reading", Kind::Gauge, help, reading);
        let help = "Connections that are answered, are tunnels, or are being closed.";
        one("connections_writing", Kind::Gauge, help, writing);
        let help = "Connections on which nothing is asked.";
        one("connections_waiting", Kind::Gauge, help, waiting);
        one("http_requests", Kind::Counter, "Requests.", requests);
    }

    fn listeners(&self, all: &mut Exposition) {
        let mut each = |name, kind, help, value: fn(&Connections) -> u64| {
            all.family(name, kind, help);
            for listener in &self.listeners {
                all.sample(&[("listener", &listener.address)], value(&listener.connections));
            }
        };
        let help = "Client connections accepted by each listener.";
        each("listener_connections_accepted", Kind::Counter, help, |it| it.accepted);
        let help = "Client connections of each listener that are open.";
        each("listener_connections_active", Kind::Gauge, help, |it| it.active);
        each("listener_http_requests", Kind::Counter, "Requests by listener.", |it| it.requests);
        all.family("listener_http_responses", Kind::Counter, "Answers by listener and class.");
        for listener in &self.listeners {
            let answers = listener.answers;
            for (code, count) in [
                ("1xx", answers.informational),
                ("2xx", answers.successful),
                ("3xx", answers.redirected),
                ("4xx", answers.refused),
                ("5xx", answers.failed),
            ] {
                all.sample(&[("listener", &listener.address), ("code", code)], count);
            }
        }
        let help = "How long requests took that became no tunnel.";
        all.family("listener_http_request_duration_seconds", Kind::Histogram, help);
        for listener in &self.listeners {
            all.distribution(&[("listener", &listener.address)], &listener.request_time);
        }
    }

    fn servers(&self, all: &mut Exposition) {
        let servers = self.labelled();
        all.family("upstream_server_state", Kind::Gauge, "1 for the state that a server is in.");
        for (labels, server) in &servers {
            for state in STATES {
                let [upstream, address] = labels.pairs();
                let value = u8::from(server.state == state);
                all.sample(&[upstream, address, ("state", state)], value);
            }
        }
        let mut each = |name, kind, help, value: fn(&Server) -> u64| {
            all.family(name, kind, help);
            for (labels, server) in &servers {
                all.sample(&labels.pairs(), value(server));
            }
        };
        let help = "The weight of a server.";
        each("upstream_server_weight", Kind::Gauge, help, |it| it.weight.into());
        let help = "Connections that a server has: requests under way, and tunnels.";
        each("upstream_server_connections", Kind::Gauge, help, |it| it.active);
        let help = "Tunnels to a server that are open.";
        each("upstream_server_tunnels", Kind::Gauge, help, |it| it.traffic.tunnels);
        let help = "How often a server was picked.";
        each("upstream_server_selected", Kind::Counter, help, |it| it.selected);
        let help = "Requests that a server has answered.";
        each("upstream_server_http_requests", Kind::Counter, help, |it| it.requests);
        let help = "How often a server has failed.";
        each("upstream_server_failures", Kind::Counter, help, |it| it.failures);
        let help = "How long a server took to open a tunnel.";
        all.family("upstream_server_handshake_duration_seconds", Kind::Histogram, help);
        for (labels, server) in &servers {
            all.distribution(&labels.pairs(), &server.handshake_time);
        }
        let traffic: Vec<_> =
            servers.iter().map(|(labels, server)| (labels.pairs(), &server.traffic)).collect();
        let each: Vec<_> = traffic.iter().map(|(labels, it)| (labels.as_slice(), *it)).collect();
        carried(all, "upstream_server_", &each);
    }

    fn tunnels(&self, all: &mut Exposition) {
        let tunnels = &self.tunnels;
        all.family("tunnels", Kind::Gauge, "Tunnels that are open.");
        all.sample(&[], tunnels.traffic.tunnels);
        carried(all, "", &[(&[], &tunnels.traffic)]);
        let mut one = |name, help, value: &Distribution| {
            all.family(name, Kind::Histogram, help);
            all.distribution(&[], value);
        };
        one("tunnel_lifetime_seconds", "How long tunnels lasted.", &tunnels.lifetime);
        one("tunnel_message_size_bytes", "How long messages were.", &tunnels.message_size);
    }

    /// Each server with labels that no other has: an upstream may list an address twice.
    fn labelled(&self) -> Vec<(Place<'_>, &Server)> {
        let mut seen = HashMap::new();
        let servers = self.upstreams.iter().flat_map(|upstream| {
            upstream.servers.iter().map(move |server| (upstream.name.as_str(), server))
        });
        let labelled = servers.map(|(upstream, server)| {
            let times = seen.entry((upstream, server.address.as_str())).or_insert(0);
            *times += 1;
            let address = match *times {
                1 => server.address.clone(),
                times => format!("{}#{times}", server.address),
            };
            (Place { upstream, address }, server)
        });
        labelled.collect()
    }
}

/// The labels of a server.
struct Place<'a> {
    upstream: &'a str,
    address: String,
}

impl Place<'_> {
    fn pairs(&self) -> [(&'static str, &str); 2] {
        [("upstream", self.upstream), ("server", &self.address)]
    }
}

/// What tunnels have carried, for each of these labels.
fn carried(all: &mut Exposition, prefix: &str, each: &[(Labels<'_>, &Traffic)]) {
    let name = |name: &str| format!("{prefix}{name}");
    all.family(&name("tunnels_opened"), Kind::Counter, "Tunnels that have been opened.");
    for (labels, traffic) in each {
        all.sample(labels, traffic.opened);
    }
    all.family(&name("tunnels_closed"), Kind::Counter, "Tunnels that have ended.");
    for (labels, traffic) in each {
        all.sample(labels, traffic.closed);
    }
    let help = "How WebSocket tunnels ended: the code of the first Close, and who ended it.";
    all.family(&name("tunnel_closes"), Kind::Counter, help);
    for (labels, traffic) in each {
        for End { code, by, count } in &traffic.ends {
            let code = code.to_string();
            let labels = [*labels, &[("code", code.as_str()), ("by", by.as_str())]].concat();
            all.sample(&labels, count);
        }
    }
    let mut ways = |what: &str, help: &str, value: fn(&Traffic) -> [u64; 2]| {
        all.family(&name(what), Kind::Counter, help);
        for (labels, traffic) in each {
            for (way, value) in ["received", "sent"].into_iter().zip(value(traffic)) {
                all.sample(&[*labels, &[("direction", way)]].concat(), value);
            }
        }
    };
    let help = "WebSocket messages from clients (received) and to them (sent).";
    ways("tunnel_messages", help, |it| [it.messages_received, it.messages_sent]);
    let help = "Bytes in tunnels from clients (received) and to them (sent).";
    ways("tunnel_bytes", help, |it| [it.bytes_received, it.bytes_sent]);
}
