//! Upstream blocks, and addresses that a `proxy_pass` names itself, become upstreams.

use std::sync::Arc;
use std::time::Duration;

use super::addresses;
use super::templates::{at, compile};
use super::watch::{Member, Plan, Watch};
use crate::balance::{self, Method, PeerSettings, Zone};
use crate::config::model::{self, Http, ProxyPass, ProxyTarget};
use crate::config::{Config, Problem, Spanned};
use crate::net::Addr;
use crate::observe::ErrorLog;
use crate::route::Names;
use crate::upstream::{Directory, Entry, Group, Key, Queue, Rebalance, Release, Watched};

/// The upstreams of one generation.
#[derive(Debug)]
pub(super) struct Upstreams<'a> {
    config: &'a Config,
    zone: &'a Zone<Addr>,
    log: &'a ErrorLog,
    all: Vec<(Box<str>, Group)>,
    /// The names of the blocks.
    blocks: Vec<Box<str>>,
    watches: Vec<Watch>,
    /// For what is known only with a request.
    directory: Arc<Directory>,
}

impl<'a> Upstreams<'a> {
    pub(super) fn build(
        config: &'a Config,
        http: &Http,
        names: &Names,
        zone: &'a Zone<Addr>,
        log: &'a ErrorLog,
    ) -> Result<Self, Problem> {
        let (all, blocks, watches) = (Vec::new(), Vec::new(), Vec::new());
        let known = zone.clone();
        let directory = Arc::new(Directory::new(move |address| {
            let plan = implicit(address.to_string().into());
            Arc::new(plan.upstream(&known, vec![PeerSettings::new(address)]))
        }));
        let mut upstreams = Self { config, zone, log, all, blocks, watches, directory };
        for upstream in &http.upstreams {
            upstreams.block(upstream, names)?;
            upstreams.blocks.push(upstream.name.value.as_str().into());
        }
        Ok(upstreams)
    }

    /// What finds them by what a request names.
    pub(super) fn directory(&self) -> Arc<Directory> {
        self.directory.clone()
    }

    /// All of them, and what has to be looked at again and again.
    pub(super) fn into_all(self) -> (Vec<Group>, Vec<Watch>) {
        let entry = |(name, group): &(Box<str>, Group)| {
            let block = self.blocks.iter().any(|block| block == name);
            let (name, port) = if block { (&**name, None) } else { host_and_port(name) };
            Entry { name: name.into(), port, group: group.clone() }
        };
        self.directory.fill(self.all.iter().map(entry).collect());
        (self.all.into_iter().map(|(_, group)| group).collect(), self.watches)
    }

    /// The upstream that a `proxy_pass` names; what no block is called by is an address itself.
    pub(super) fn find(&mut self, pass: &ProxyPass) -> Result<Group, Problem> {
        let name = match &pass.target.value {
            ProxyTarget::Unix(path) => format!("unix:{}", path.display()),
            ProxyTarget::Host { name, port: None } => name.clone(),
            ProxyTarget::Host { name, port: Some(port) } => format!("{name}:{port}"),
            ProxyTarget::Text(text) => text.clone(),
        };
        if let Some((_, known)) =
            self.all.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name))
        {
            return Ok(known.clone());
        }
        if let ProxyTarget::Host { name, port: Some(port) } = &pass.target.value
            && self.blocks.iter().any(|block| block.eq_ignore_ascii_case(name))
        {
            let message = format!("upstream \"{name}\" may not have port {port}");
            return Err(Problem::new(message, pass.target.span, &self.config.sources));
        }
        let written = Spanned { value: name.clone(), span: pass.target.span };
        let addresses = addresses::upstream(self.config, &written)?.into_iter();
        let peers = addresses.map(PeerSettings::new).map(Member::Fixed).collect();
        Ok(self.add(Plan { members: peers, ..implicit(name.into()) }))
    }

    fn block(&mut self, upstream: &model::Upstream, names: &Names) -> Result<(), Problem> {
        let (method, key) = self.method(upstream, names)?;
        let mut members = Vec::new();
        for server in &upstream.servers {
            if let Some(pattern) = pattern(&server.address.value) {
                members.push(Member::Pattern(pattern.into(), settings(server, ())));
                continue;
            }
            let addresses = addresses::upstream(self.config, &server.address)?.into_iter();
            members.extend(addresses.map(|address| Member::Fixed(settings(server, address))));
        }
        let queue =
            upstream.queue.map(|model::Queue { requests, timeout }| Queue { requests, timeout });
        self.add(Plan {
            name: upstream.name.value.as_str().into(),
            method,
            key,
            keepalive: upstream.keepalive,
            queue,
            release: release(upstream),
            members,
        });
        Ok(())
    }

    fn method(&self, upstream: &model::Upstream, names: &Names) -> Result<(Method, Key), Problem> {
        Ok(match &upstream.method {
            model::Method::RoundRobin => (Method::RoundRobin, Key::Nothing),
            model::Method::LeastConn => (Method::LeastConn, Key::Nothing),
            model::Method::IpHash => (Method::IpHash, Key::Client),
            model::Method::Random { two: false } => (Method::Random, Key::Nothing),
            model::Method::Random { two: true } => (Method::RandomTwo, Key::Nothing),
            model::Method::Hash { key: text, consistent } => {
                let key = Key::Text(Arc::new(compile(self.config, text, names)?));
                let weight = upstream.servers.iter().map(|server| u64::from(server.weight)).sum();
                if *consistent && HEAVIEST < weight {
                    let message = format!("weights of more than {HEAVIEST} make too many points");
                    return Err(at(self.config, message, text.span));
                }
                let method = if *consistent { Method::ConsistentHash } else { Method::Hash };
                (method, key)
            }
        })
    }

    /// Makes an upstream live.
    fn add(&mut self, plan: Plan) -> Group {
        let name = plan.name.clone();
        let peers = plan.peers();
        let upstream = Arc::new(plan.upstream(self.zone, peers.clone()));
        let group = if plan.is_watched() {
            let watched = Arc::new(Watched::new(upstream));
            let (zone, log) = (self.zone.clone(), self.log.clone());
            self.watches.push(Watch::new(plan, peers, zone, watched.clone(), log));
            Group::Watched(watched)
        } else {
            Group::Fixed(upstream)
        };
        self.all.push((name, group.clone()));
        group
    }
}

/// In which time clients of a dead server are told, where no block says it.
const ORPHAN_RELEASE: Duration = Duration::from_secs(5);

/// Weights that a consistent hash has points for: 160 for each unit, 12 bytes for each point.
const HEAVIEST: u64 = 100_000;

/// The path when a server's address is a pattern of paths.
fn pattern(address: &str) -> Option<&str> {
    address.strip_prefix("unix:").filter(|path| path.contains(['*', '?', '[']))
}

/// A server's parameters, for one of its addresses.
fn settings<A>(server: &model::UpstreamServer, address: A) -> PeerSettings<A> {
    PeerSettings {
        address,
        server: server.address.value.as_str().into(),
        weight: server.weight,
        max_conns: server.max_conns,
        max_fails: server.max_fails,
        fail_timeout: server.fail_timeout,
        backup: server.backup,
        down: server.down,
        slow_start: server.slow_start,
    }
}

/// Which tunnels it lets go.
fn release(upstream: &model::Upstream) -> Release {
    let rebalance = |it: model::Rebalance| Rebalance {
        settings: balance::Rebalance { threshold: it.threshold, per_minute: it.per_minute },
        idle: it.idle,
    };
    Release {
        drain: upstream.drain_timeout,
        orphan: upstream.orphan_release,
        rebalance: upstream.rebalance.map(rebalance),
    }
}

/// An upstream without a block.
fn implicit(name: Box<str>) -> Plan {
    Plan {
        name,
        method: Method::RoundRobin,
        key: Key::Nothing,
        keepalive: IMPLICIT,
        queue: None,
        release: Release { drain: None, orphan: ORPHAN_RELEASE, rebalance: None },
        members: Vec::new(),
    }
}

/// The parts of an address that a `proxy_pass` names: port 80 where it names none.
fn host_and_port(name: &str) -> (&str, Option<u16>) {
    if name.starts_with("unix:") {
        return (name, None);
    }
    let port = |digits: &str| digits.parse::<u16>().ok();
    match name.rsplit_once(':').and_then(|(host, digits)| Some((host, port(digits)?))) {
        Some((host, port)) => (host, Some(port)),
        None => (name, Some(80)),
    }
}

/// What an address without a block keeps open: nginx keeps nothing there.
const IMPLICIT: model::Keepalive = model::Keepalive {
    connections: 0,
    requests: 1000,
    time: Duration::from_secs(3600),
    timeout: Duration::from_secs(60),
};
