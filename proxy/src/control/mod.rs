//! Above all: the running proxy, its threads, its reloads and its end.

mod process;
mod proxy;
mod worker;

pub(crate) use process::run;
pub use proxy::{Error, Prepared, Proxy, ServerCounts, UpstreamCounts};
