//! A WebSocket load balancer that reads nginx.conf.
//!
//! The modules stand in layer order; a module names only those that ARCHITECTURE.md allows it.

pub mod balance;
pub mod config;
mod control;
mod generation;
mod http;
mod listen;
mod net;
pub mod observe;
pub mod route;
mod tasks;
mod tunnel;
mod upstream;
