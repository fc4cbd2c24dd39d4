//! Upstreams whose servers are sockets that a pattern matches: which these are is asked again and
//! again, and when they change, the upstream is made anew beside the old one.

use std::os::unix::fs::FileTypeExt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use crate::balance::{self, Method, PeerSettings, Policy, Zone};
use crate::config::model;
use crate::net::Addr;
use crate::observe::{ErrorLog, Level};
use crate::upstream::{Keepalive, Key, Queue, Release, Upstream, Watched};

/// What an upstream is made of, as often as its servers change.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) name: Box<str>,
    pub(super) method: Method,
    pub(super) key: Key,
    pub(super) keepalive: model::Keepalive,
    pub(super) queue: Option<Queue>,
    pub(super) release: Release,
    pub(super) members: Vec<Member>,
}

/// One server of the configuration.
#[derive(Debug)]
pub(super) enum Member {
    /// One address of it.
    Fixed(PeerSettings<Addr>),
    /// Every socket that the pattern matches.
    Pattern(Box<str>, PeerSettings<()>),
}

impl Plan {
    pub(super) fn is_watched(&self) -> bool {
        self.members.iter().any(|member| matches!(member, Member::Pattern(..)))
    }

    /// The servers that there are now. A socket is one server, however many patterns match it.
    pub(super) fn peers(&self) -> Vec<PeerSettings<Addr>> {
        let mut peers: Vec<PeerSettings<Addr>> = Vec::new();
        for member in &self.members {
            match member {
                Member::Fixed(settings) => peers.push(settings.clone()),
                Member::Pattern(pattern, settings) => {
                    for address in sockets(pattern) {
                        if peers.iter().all(|peer| peer.address != address) {
                            peers.push(matched(settings, address));
                        }
                    }
                }
            }
        }
        peers
    }

    /// The upstream over these servers.
    pub(super) fn upstream(&self, zone: &Zone<Addr>, peers: Vec<PeerSettings<Addr>>) -> Upstream {
        let written = peers.iter().map(|peer| peer.address.to_string().into()).collect();
        let model::Keepalive { connections, requests, time, timeout } = self.keepalive;
        let policy = Policy { method: self.method };
        Upstream {
            name: self.name.clone(),
            balance: balance::Upstream::new(zone, &self.name, policy, peers),
            written,
            keepalive: Keepalive::new(connections, requests, time, timeout),
            key: self.key.clone(),
            queue: self.queue,
            release: self.release,
            replaced: AtomicBool::new(false),
        }
    }
}

/// The sockets that match, in the order of their names.
fn sockets(pattern: &str) -> Vec<Addr> {
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let Ok(found) = glob::glob_with(pattern, options) else { return Vec::new() };
    let is_socket = |path: &std::path::PathBuf| {
        path.metadata().is_ok_and(|metadata| metadata.file_type().is_socket())
    };
    let paths = found.filter_map(Result::ok).filter(is_socket);
    paths.map(|path| Addr::Unix(path.as_path().into())).collect()
}

fn matched(settings: &PeerSettings<()>, address: Addr) -> PeerSettings<Addr> {
    PeerSettings {
        server: address.to_string().into(),
        address,
        weight: settings.weight,
        max_conns: settings.max_conns,
        max_fails: settings.max_fails,
        fail_timeout: settings.fail_timeout,
        backup: settings.backup,
        down: settings.down,
        slow_start: settings.slow_start,
    }
}

/// One upstream that is watched.
#[derive(Debug)]
pub(super) struct Watch {
    plan: Plan,
    zone: Zone<Addr>,
    watched: Arc<Watched>,
    known: Mutex<Vec<PeerSettings<Addr>>>,
    log: ErrorLog,
}

impl Watch {
    pub(super) fn new(
        plan: Plan,
        known: Vec<PeerSettings<Addr>>,
        zone: Zone<Addr>,
        watched: Arc<Watched>,
        log: ErrorLog,
    ) -> Self {
        Self { plan, zone, watched, known: Mutex::new(known), log }
    }

    /// Looks which sockets there are. When others than before, new requests go to these; what is
    /// under way goes on. Reading a directory takes some microseconds: nobody is kept waiting.
    pub(super) fn look(&self) {
        let peers = self.plan.peers();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == peers {
            return;
        }
        self.watched.replace(Arc::new(self.plan.upstream(&self.zone, peers.clone())));
        let name = &self.plan.name;
        for (here, there, what) in [(&peers, &*known, "joins"), (&*known, &peers, "leaves")] {
            for peer in here.iter().filter(|peer| !there.contains(peer)) {
                let address = &peer.address;
                self.log.log(Level::Notice, format_args!("{address} {what} upstream \"{name}\""));
            }
        }
        *known = peers;
    }
}
