//! What the blocks say while they are read, and how a block takes over what it does not say
//! itself: http's value, unless server's, unless location's; lists are taken over whole.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::model::{
    AccessLog, ErrorLog, EventMethod, Expires, Geo, Http, HttpVersion, Keepalive, LimitZone,
    Listen, Map, Method, NextUpstream, Queue, Rebalance, Server, ServerName, SetHeader, Settings,
    SplitClients, Types, Upstream, UpstreamServer, User,
};
use super::source::{Span, Spanned};

mod answers;
mod clients;
mod limits;
mod place;
mod proxying;
mod websocket;

pub(super) use answers::Answers;
pub(super) use clients::Clients;
pub(super) use limits::{Limited, Limits};
pub(super) use place::{Place, StepDraft, Within};
pub(super) use proxying::ProxyingDraft;
pub(super) use websocket::WebSocketDraft;

/// The main context, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct MainDraft {
    pub(super) daemon: Option<bool>,
    pub(super) master_process: Option<bool>,
    pub(super) pid: Option<Spanned<PathBuf>>,
    pub(super) user: Option<Spanned<User>>,
    pub(super) error_log: Vec<ErrorLog>,
    pub(super) worker_processes: Option<Option<usize>>,
    pub(super) worker_rlimit_nofile: Option<u64>,
    pub(super) worker_shutdown_timeout: Option<Duration>,
    pub(super) events: Option<EventsDraft>,
    pub(super) http: Option<Http>,
}

/// The `events` block.
#[derive(Debug, Default)]
pub(super) struct EventsDraft {
    pub(super) worker_connections: Option<usize>,
    pub(super) method: Option<EventMethod>,
}

/// The `http` block.
#[derive(Debug, Default)]
pub(super) struct HttpDraft {
    pub(super) level: Level,
    pub(super) servers: Vec<ServerDraft>,
    pub(super) upstreams: Vec<Upstream>,
    pub(super) maps: Vec<Map>,
    pub(super) geos: Vec<Geo>,
    pub(super) splits: Vec<SplitClients>,
    pub(super) limit_zones: Vec<LimitZone>,
}

/// A `server` block.
#[derive(Debug)]
pub(super) struct ServerDraft {
    pub(super) span: Span,
    pub(super) listen: Vec<Listen>,
    pub(super) names: Vec<Spanned<ServerName>>,
    /// What the server says outside its locations, and the locations.
    pub(super) root: Place,
}

/// An `upstream` block.
#[derive(Debug, Default)]
pub(super) struct UpstreamDraft {
    pub(super) method: Option<Method>,
    pub(super) servers: Vec<UpstreamServer>,
    pub(super) keepalive: Option<usize>,
    pub(super) keepalive_requests: Option<u64>,
    pub(super) keepalive_time: Option<Duration>,
    pub(super) keepalive_timeout: Option<Duration>,
    pub(super) queue: Option<Queue>,
    pub(super) drain_timeout: Option<Duration>,
    pub(super) orphan_release: Option<Duration>,
    pub(super) rebalance: Option<Spanned<Rebalance>>,
}

impl UpstreamDraft {
    pub(super) fn finish(self, name: Spanned<String>) -> Upstream {
        let keepalive = Keepalive {
            connections: self.keepalive.unwrap_or(32),
            requests: self.keepalive_requests.unwrap_or(1000),
            time: self.keepalive_time.unwrap_or(Duration::from_secs(3600)),
            timeout: self.keepalive_timeout.unwrap_or(MINUTE),
        };
        Upstream {
            name,
            method: self.method.unwrap_or_default(),
            servers: self.servers,
            keepalive,
            queue: self.queue,
            drain_timeout: self.drain_timeout,
            orphan_release: self.orphan_release.unwrap_or(Duration::from_secs(5)),
            rebalance: self.rebalance.map(|rebalance| rebalance.value),
        }
    }
}

/// What http, server and location may say alike; `None` and empty lists are not said.
#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) proxy_http_version: Option<HttpVersion>,
    pub(super) proxy_set_header: Vec<SetHeader>,
    pub(super) proxy_connect_timeout: Option<Duration>,
    pub(super) proxy_send_timeout: Option<Duration>,
    pub(super) proxy_read_timeout: Option<Duration>,
    pub(super) proxy_next_upstream: Option<NextUpstream>,
    pub(super) proxy_next_upstream_tries: Option<u32>,
    pub(super) proxy_next_upstream_timeout: Option<Duration>,
    /// `Some(None)` is `0`: no limit.
    pub(super) client_max_body_size: Option<Option<u64>>,
    pub(super) client_header_timeout: Option<Duration>,
    pub(super) client_body_timeout: Option<Duration>,
    pub(super) send_timeout: Option<Duration>,
    /// The timeout, and what the `Keep-Alive` header says.
    pub(super) keepalive_timeout: Option<(Duration, Option<Duration>)>,
    pub(super) keepalive_time: Option<Duration>,
    pub(super) keepalive_requests: Option<u64>,
    pub(super) types: Option<Arc<Types>>,
    pub(super) default_type: Option<String>,
    pub(super) server_tokens: Option<bool>,
    pub(super) tcp_nodelay: Option<bool>,
    pub(super) reset_timedout: Option<bool>,
    /// `Some` of an empty list is `off`.
    pub(super) access_log: Option<Vec<AccessLog>>,
    /// `off` was said here, perhaps beside other logs: then it counts.
    pub(super) access_log_off: bool,
    pub(super) error_log: Vec<ErrorLog>,
    pub(super) answers: Answers,
    pub(super) proxying: ProxyingDraft,
    pub(super) limits: Limits,
    pub(super) clients: Clients,
    pub(super) websocket: WebSocketDraft,
}

const MINUTE: Duration = Duration::from_secs(60);

impl Level {
    /// Takes over from the level around this one what this one does not say.
    fn inherit(&mut self, outer: &Self) {
        or(&mut self.proxy_http_version, &outer.proxy_http_version);
        or_list(&mut self.proxy_set_header, &outer.proxy_set_header);
        or(&mut self.proxy_connect_timeout, &outer.proxy_connect_timeout);
        or(&mut self.proxy_send_timeout, &outer.proxy_send_timeout);
        or(&mut self.proxy_read_timeout, &outer.proxy_read_timeout);
        or(&mut self.proxy_next_upstream, &outer.proxy_next_upstream);
        or(&mut self.proxy_next_upstream_tries, &outer.proxy_next_upstream_tries);
        or(&mut self.proxy_next_upstream_timeout, &outer.proxy_next_upstream_timeout);
        or(&mut self.client_max_body_size, &outer.client_max_body_size);
        or(&mut self.client_header_timeout, &outer.client_header_timeout);
        or(&mut self.client_body_timeout, &outer.client_body_timeout);
        or(&mut self.send_timeout, &outer.send_timeout);
        or(&mut self.keepalive_timeout, &outer.keepalive_timeout);
        or(&mut self.keepalive_time, &outer.keepalive_time);
        or(&mut self.keepalive_requests, &outer.keepalive_requests);
        or(&mut self.types, &outer.types);
        or(&mut self.default_type, &outer.default_type);
        or(&mut self.server_tokens, &outer.server_tokens);
        or(&mut self.tcp_nodelay, &outer.tcp_nodelay);
        if self.access_log.is_none() {
            self.access_log_off = outer.access_log_off;
        }
        or(&mut self.reset_timedout, &outer.reset_timedout);
        or(&mut self.access_log, &outer.access_log);
        or_list(&mut self.error_log, &outer.error_log);
        self.answers.inherit(&outer.answers);
        self.proxying.inherit(&outer.proxying);
        self.limits.inherit(&outer.limits);
        self.clients.inherit(&outer.clients);
        self.websocket.inherit(&outer.websocket);
    }

    /// Fills nginx's defaults into what no level said.
    fn settle(&self, prefix: &Path) -> Settings {
        let answers = self.answers.clone();
        let (keepalive_timeout, keepalive_header) =
            self.keepalive_timeout.unwrap_or((Duration::from_secs(75), None));
        Settings {
            proxy_pass: None,
            status: None,
            steps: Vec::new(),
            internal: false,
            limit_except: None,
            try_files: None,
            limits: self.limits.settle(),
            clients: self.clients.settle(),
            websocket: self.websocket.settle(),
            rewrite_log: answers.rewrite_log.unwrap_or(false),
            uninitialized_variable_warn: answers.uninitialized_variable_warn.unwrap_or(true),
            merge_slashes: answers.merge_slashes.unwrap_or(true),
            satisfy_any: answers.satisfy_any.unwrap_or(false),
            files: answers.files(prefix),
            real_ip: answers.real_ip(),
            redirects: answers.redirects(),
            access: answers.access,
            error_page: answers.error_page,
            recursive_error_pages: answers.recursive_error_pages.unwrap_or(false),
            expires: answers.expires.unwrap_or(Expires::Off),
            add_header: answers.add_header,
            add_trailer: answers.add_trailer,
            proxy_http_version: self.proxy_http_version.unwrap_or(HttpVersion::Http11),
            proxy_set_header: self.proxy_set_header.clone(),
            proxy_connect_timeout: self.proxy_connect_timeout.unwrap_or(MINUTE),
            proxy_send_timeout: self.proxy_send_timeout.unwrap_or(MINUTE),
            proxy_read_timeout: self.proxy_read_timeout.unwrap_or(MINUTE),
            proxy_next_upstream: NextUpstream {
                tries: self.proxy_next_upstream_tries.unwrap_or(0),
                timeout_after: self.proxy_next_upstream_timeout.unwrap_or(Duration::ZERO),
                ..self.proxy_next_upstream.unwrap_or(NextUpstream::ERROR_AND_TIMEOUT)
            },
            proxying: self.proxying.settle(),
            client_max_body_size: self.client_max_body_size.unwrap_or(Some(1 << 20)),
            client_header_timeout: self.client_header_timeout.unwrap_or(MINUTE),
            client_body_timeout: self.client_body_timeout.unwrap_or(MINUTE),
            send_timeout: self.send_timeout.unwrap_or(MINUTE),
            keepalive_timeout,
            keepalive_header,
            keepalive_time: self.keepalive_time.unwrap_or(Duration::from_secs(3600)),
            keepalive_requests: self.keepalive_requests.unwrap_or(1000),
            types: self.types.clone().unwrap_or_else(built_in_types),
            default_type: self.default_type.clone().unwrap_or_else(|| "text/plain".to_owned()),
            server_tokens: self.server_tokens.unwrap_or(true),
            tcp_nodelay: self.tcp_nodelay.unwrap_or(true),
            reset_timedout: self.reset_timedout.unwrap_or(false),
            access_log: match &self.access_log {
                Some(logs) if !self.access_log_off => logs.clone(),
                _ => Vec::new(),
            },
            error_log: self.error_log.clone(),
        }
    }
}

/// What nginx knows where no `types` stand.
fn built_in_types() -> Arc<Types> {
    let types = [("html", "text/html"), ("gif", "image/gif"), ("jpg", "image/jpeg")];
    Arc::new(types.map(|(suffix, media)| (suffix.to_owned(), media.to_owned())).into())
}

fn or<T: Clone>(inner: &mut Option<T>, outer: &Option<T>) {
    if inner.is_none() {
        inner.clone_from(outer);
    }
}

fn or_list<T: Clone>(inner: &mut Vec<T>, outer: &[T]) {
    if inner.is_empty() {
        *inner = outer.to_vec();
    }
}

impl HttpDraft {
    /// The block is read: every level takes over from the one around it. What is known of logs comes
    /// from elsewhere.
    pub(super) fn finish(self, prefix: &Path) -> Http {
        let level = self.level;
        let server = |draft: ServerDraft| {
            let mut root = draft.root;
            root.level.inherit(&level);
            let (settings, locations) = root.finish(prefix);
            Server {
                span: draft.span,
                listen: draft.listen,
                names: draft.names,
                settings,
                locations,
            }
        };
        Http {
            servers: self.servers.into_iter().map(server).collect(),
            upstreams: self.upstreams,
            maps: self.maps,
            geos: self.geos,
            splits: self.splits,
            limit_zones: self.limit_zones,
            ..Http::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Loader};

    fn http(text: &str) -> Http {
        let text = format!("events {{}} http {{ {text} }}");
        let config: Config = Loader::new().load_text("nginx.conf", text).unwrap();
        config.http.unwrap()
    }

    fn headers(settings: &Settings) -> Vec<&str> {
        settings.proxy_set_header.iter().map(|header| header.name.value.as_str()).collect()
    }

    #[test]
    fn the_innermost_level_that_says_so_counts() {
        let http = http(
            "server { location /a { proxy_read_timeout 3s; location /a/b { } } location /c { } \
             proxy_read_timeout 2s; } server { location / { } } proxy_read_timeout 1s;",
        );
        let seconds = |settings: &Settings| settings.proxy_read_timeout.as_secs();
        let [first, second] = http.servers.as_slice() else { panic!("two servers") };
        assert_eq!(seconds(&first.settings), 2);
        assert_eq!(seconds(&first.locations[0].settings), 3);
        assert_eq!(seconds(&first.locations[0].locations[0].settings), 3);
        assert_eq!(seconds(&first.locations[1].settings), 2);
        assert_eq!(seconds(&second.locations[0].settings), 1);
    }

    #[test]
    fn lists_are_taken_over_or_replaced_whole() {
        let http = http(
            "proxy_set_header A 1; proxy_set_header B 2; \
             server { location /a { } location /b { proxy_set_header C 3; location /b/c { } } }",
        );
        let locations = &http.servers[0].locations;
        assert_eq!(headers(&locations[0].settings), ["A", "B"]);
        assert_eq!(headers(&locations[1].settings), ["C"]);
        assert_eq!(headers(&locations[1].locations[0].settings), ["C"]);
    }

    #[test]
    fn logs_are_lists_too_and_off_is_a_list() {
        let http = http(
            "log_format f x; access_log a; access_log b f; error_log e; \
             server { location /a { } location /b { access_log off; error_log c; error_log d; } }",
        );
        let locations = &http.servers[0].locations;
        let formats = |settings: &Settings| {
            settings.access_log.iter().map(|log| log.format).collect::<Vec<_>>()
        };
        assert_eq!(formats(&locations[0].settings), [0, 1]);
        assert_eq!(formats(&locations[1].settings), [0; 0]);
        assert_eq!(locations[0].settings.error_log.len(), 1);
        assert_eq!(locations[1].settings.error_log.len(), 2);
    }

    #[test]
    fn what_answers_is_not_inherited() {
        let http = http(
            "server { return 404; location /a { proxy_pass http://u; location /a/b { } } } \
             upstream u { server 127.0.0.1; }",
        );
        let server = &http.servers[0];
        assert!(!server.settings.steps.is_empty());
        assert!(server.locations[0].settings.steps.is_empty());
        assert!(server.locations[0].settings.proxy_pass.is_some());
        assert!(server.locations[0].locations[0].settings.proxy_pass.is_none());
    }

    #[test]
    fn what_nobody_says_is_nginx_s_default() {
        let http = http("server { } upstream u { server 127.0.0.1; }");
        let settings = &http.servers[0].settings;
        assert_eq!(settings.proxy_http_version, HttpVersion::Http11);
        assert_eq!(settings.client_max_body_size, Some(1 << 20));
        assert_eq!(settings.keepalive_timeout, Duration::from_secs(75));
        assert_eq!(settings.proxy_next_upstream, NextUpstream::ERROR_AND_TIMEOUT);
        assert_eq!((settings.server_tokens, settings.tcp_nodelay), (true, true));
        assert_eq!(settings.default_type, "text/plain");
        assert!(settings.access_log.is_empty() && settings.error_log.is_empty());
        let upstream = &http.upstreams[0];
        assert_eq!(upstream.method, Method::RoundRobin);
        assert_eq!(upstream.keepalive.connections, 32);
        let server = &upstream.servers[0];
        assert_eq!((server.weight, server.max_fails, server.max_conns), (1, 1, 0));
        assert_eq!(server.fail_timeout, Duration::from_secs(10));
    }
}
