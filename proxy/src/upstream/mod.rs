//! Connections to the servers of an upstream: opening them, asking over them, keeping them, and
//! deciding when another server is tried.

mod answer;
mod body;
mod connection;
mod failure;
mod next;
mod pool;
mod request_body;
mod sending;

use std::sync::Arc;

pub(crate) use answer::Head;
pub(crate) use body::ResponseBody;
pub(crate) use connection::{Answer, Connection, Reply, Times};
pub(crate) use failure::Failure;
pub(crate) use next::{Budget, NextUpstream};
pub(crate) use pool::{Keepalive, Pool};
pub(crate) use request_body::{Broken, Pending, RequestBody, Sent, Uncollected};
pub(crate) use sending::Outgoing;

use crate::balance;
use crate::net::Addr;

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
}

/// The guard of one connection to a server: its count goes down when this is dropped.
pub(crate) type Lease = balance::Lease<Addr>;

/// A shared upstream.
pub(crate) type SharedUpstream = Arc<Upstream>;
