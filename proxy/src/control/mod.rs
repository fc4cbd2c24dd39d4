//! Above all: the running proxy, its threads, its reloads and its end.

mod proxy;
mod worker;

pub use proxy::{Error, Prepared, Proxy, ServerCounts, UpstreamCounts};
