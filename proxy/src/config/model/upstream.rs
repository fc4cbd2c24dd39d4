//! `upstream` blocks: servers, how one is chosen, what is kept open to them.

use std::time::Duration;

use super::super::source::Spanned;

/// `upstream NAME { ... }`
#[derive(Debug, Clone)]
pub struct Upstream {
    /// The name that `proxy_pass http://NAME` uses.
    pub name: Spanned<String>,
    /// How a server is chosen.
    pub method: Method,
    /// `server` directives, in the order written; never empty.
    pub servers: Vec<UpstreamServer>,
    /// `keepalive` and its companions.
    pub keepalive: Keepalive,
    /// `queue`
    pub queue: Option<Queue>,
    /// `drain_timeout` (default: never): in which time tunnels leave a server that takes no new ones.
    pub drain_timeout: Option<Duration>,
    /// `orphan_release` (default 5 s): in which time clients of a server that died are told.
    pub orphan_release: Duration,
    /// `rebalance` (default: never): how tunnels leave the fullest servers.
    pub rebalance: Option<Rebalance>,
}

/// `rebalance [threshold=N%] [rate=N/s] [idle=TIME];`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebalance {
    /// How far a server may be from its share of the connections, in percent of it (default 20).
    pub threshold: u32,
    /// How many tunnels are released in a minute at most (default 600: `10/s`).
    pub per_minute: u32,
    /// How long nothing may have moved in a tunnel that is released (default 5 s).
    pub idle: Duration,
}

/// How an upstream chooses its server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Method {
    /// nginx's default: smooth weighted round robin.
    #[default]
    RoundRobin,
    /// `least_conn`
    LeastConn,
    /// `ip_hash`
    IpHash,
    /// `hash KEY [consistent]`
    Hash {
        /// The key, variables not yet compiled.
        key: Spanned<String>,
        /// Whether only few keys move when servers come and go.
        consistent: bool,
    },
    /// `random [two [least_conn]]`
    Random {
        /// Whether it is the less busy of two.
        two: bool,
    },
}

/// `queue N [timeout=TIME];`: requests that wait while all servers are at `max_conns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// How many wait at most.
    pub requests: usize,
    /// How long each waits (default 60 s).
    pub timeout: Duration,
}

/// `server ADDRESS [parameters];` inside `upstream`.
#[derive(Debug, Clone)]
pub struct UpstreamServer {
    /// As written: `unix:PATH`, `HOST:PORT` or `HOST` (port 80). A path with `*`, `?` or `[` in it
    /// stands for all sockets that it matches, at any time.
    pub address: Spanned<String>,
    /// `weight=` (default 1).
    pub weight: u32,
    /// `max_conns=` (default 0: no limit).
    pub max_conns: u32,
    /// `max_fails=` (default 1; 0 never benches).
    pub max_fails: u32,
    /// `fail_timeout=` (default 10 s).
    pub fail_timeout: Duration,
    /// `backup`
    pub backup: bool,
    /// `down`, or `drain`: connections that it has go on, but it gets no new one.
    pub down: bool,
    /// `slow_start=` (default 0: at once): how long its weight takes to come back.
    pub slow_start: Duration,
}

/// Idle connections kept open to an upstream's servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// `keepalive N` (nginx 1.31's default: 32): idle connections kept per thread; 0 keeps none.
    pub connections: usize,
    /// `keepalive_requests` (default 1000).
    pub requests: u64,
    /// `keepalive_time` (default 1 h): how long one connection may be used in all.
    pub time: Duration,
    /// `keepalive_timeout` (default 60 s): how long one may stay idle.
    pub timeout: Duration,
}
