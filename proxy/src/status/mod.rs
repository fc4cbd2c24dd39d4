//! What the proxy looks like at one moment, and how that is written: as JSON, as metrics for
//! Prometheus, as nginx's `stub_status`, as a page.
//!
//! It asks nobody; who can, is a `Source`.

mod exposition;
mod page;
mod prometheus;
mod snapshot;
mod source;
mod stub;

pub(crate) use exposition::Dialect;
pub(crate) use page::{PAGE, POLICY};
pub use snapshot::{
    Answers, Connections, End, Generation, Listener, Process, Reload, Server, Snapshot, Traffic,
    Tunnel, Tunnels, Upstream,
};
pub(crate) use source::{Format, Source};
pub(crate) use stub::stub;
