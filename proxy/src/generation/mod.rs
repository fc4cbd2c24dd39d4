//! The sole translator: a typed configuration becomes live parts.
//!
//! [`build()`] has no effect on the world but opening log files: nothing is bound, nobody is asked
//! anything but the resolver. What is wrong with the configuration shows here at the latest.

mod addresses;
mod answers;
mod build;
mod chores;
mod clients;
mod limits;
mod logs;
mod proxying;
mod returns;
mod rewrites;
mod site;
mod templates;
mod upstreams;
mod watch;
mod websocket;

pub(crate) use build::{Generation, Listening, build};
pub(crate) use chores::Chores;
pub(crate) use logs::LogFiles;
