//! What the proxy looks like at one moment, and how that is written: as JSON, as metrics for
//! Prometheus, as nginx's `stub_status`.
//!
//! It asks nobody; who can, is a [`Source`].

mod exposition;
mod prometheus;
mod snapshot;
mod source;
mod stub;

pub(crate) use exposition::Dialect;
pub use snapshot::{
    Answers, Connections, End, Generation, Listener, Process, Reload, Server, Snapshot, Traffic,
    Tunnel, Tunnels, Upstream,
};
pub(crate) use source::{Format, Source};
pub(crate) use stub::stub;
