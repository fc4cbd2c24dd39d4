//! Connections to the servers of an upstream: opening them, asking over them, keeping them, and
//! deciding when another server is tried.

mod answer;
mod body;
mod connection;
mod directory;
mod failure;
mod group;
mod invalid;
mod next;
mod pool;
mod queue;
mod request_body;
mod sending;
mod throttle;
mod trailers;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub(crate) use answer::{Head, LARGEST_HEAD, is_usual};
pub(crate) use body::ResponseBody;
pub(crate) use connection::{Answer, Connection, Hints, Reply, Times};
pub(crate) use directory::{Destination, Directory, Entry, NoDestination};
pub(crate) use failure::Failure;
pub(crate) use group::{Current, Group, Watched};
pub(crate) use next::{Budget, NextUpstream};
pub(crate) use pool::{Keepalive, Pool};
pub(crate) use queue::Queue;
pub(crate) use request_body::{Broken, Pending, RequestBody, Sent, Uncollected};
pub(crate) use sending::Outgoing;

use crate::balance;
use crate::net::Addr;
use crate::route::Template;

/// One upstream made live: who its servers are and how many idle connections are kept to them.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// The name in `proxy_pass http://NAME`, or the address where no `upstream` block has it.
    pub(crate) name: Box<str>,
    /// Its servers and their counts.
    pub(crate) balance: balance::Upstream<Addr>,
    /// Each server's address as the configuration writes it, for log lines.
    pub(crate) written: Box<[Box<str>]>,
    /// What is kept open to them.
    pub(crate) keepalive: Keepalive,
    /// What its method goes by.
    pub(crate) key: Key,
    /// Whether requests wait while all of them are full.
    pub(crate) queue: Option<Queue>,
    /// Which of its tunnels it lets go.
    pub(crate) release: Release,
    /// Whether other servers are in its place by now.
    pub(crate) replaced: AtomicBool,
}

/// Which tunnels an upstream lets go, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Release {
    /// In which time they leave a server that takes no new ones; none is never.
    pub(crate) drain: Option<Duration>,
    /// In which time clients of a server that died are told.
    pub(crate) orphan: Duration,
    /// How they leave the fullest servers, if they do.
    pub(crate) rebalance: Option<Rebalance>,
}

/// How tunnels leave the fullest servers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rebalance {
    /// When, and how many.
    pub(crate) settings: balance::Rebalance,
    /// How long nothing may have moved in them.
    pub(crate) idle: Duration,
}

/// What an upstream's method goes by.
#[derive(Debug, Clone)]
pub(crate) enum Key {
    /// Nothing of the request.
    Nothing,
    /// The client's network (`ip_hash`).
    Client,
    /// What this text is worth (`hash`).
    Text(Arc<Template>),
}

/// The guard of one connection to a server: its count goes down when this is dropped.
pub(crate) type Lease = balance::Lease<Addr>;

/// A shared upstream.
pub(crate) type SharedUpstream = Arc<Upstream>;
