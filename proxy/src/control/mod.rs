//! Above all: the running proxy, its threads, its reloads and its end; and the service manager that
//! may have started it.

mod account;
mod activation;
mod budget;
mod current;
mod handover;
mod listeners;
mod pid_file;
mod prepared;
mod process;
mod proxy;
mod room;
mod service;
mod signals;
mod start_log;
mod successor;
mod survey;
mod vitals;
mod worker;

pub(crate) use handover::{FORMAT, Handover};
pub(crate) use pid_file::{Order, send};
pub use prepared::Prepared;
pub(crate) use process::{check, run};
pub use proxy::{Error, Proxy, ServerCounts, UpstreamCounts};
pub(crate) use start_log::StartLog;
