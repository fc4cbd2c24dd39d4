//! Above all: the running proxy, its threads, its reloads and its end.

mod account;
mod budget;
mod listeners;
mod pid_file;
mod process;
mod proxy;
mod signals;
mod start_log;
mod worker;

pub(crate) use pid_file::{Order, send};
pub(crate) use process::{check, run};
pub use proxy::{Error, Prepared, Proxy, ServerCounts, UpstreamCounts};
pub(crate) use start_log::StartLog;
