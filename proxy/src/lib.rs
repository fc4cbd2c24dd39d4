//! A WebSocket load balancer that reads nginx.conf.
//!
//! The modules stand in layer order; a module names only those that ARCHITECTURE.md allows it.

pub mod observe;

mod tasks;

mod framing;

mod net;

pub mod config;

pub mod balance;

pub mod limit;

pub mod route;

mod tunnel;

pub mod status;

mod upstream;

mod http;

mod generation;

mod listen;

mod control;

pub mod cli;

#[cfg(fuzzing)]
pub mod fuzzing;

pub use config::{Config, Problem};
pub use control::{Error, Prepared, Proxy, ServerCounts, UpstreamCounts};
pub use net::Addr;
