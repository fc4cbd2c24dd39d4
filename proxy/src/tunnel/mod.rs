//! Bytes both ways after an upgrade, with nothing held while they rest.
//!
//! A tunnel owns its two sockets, its [`Limits`] by value and a guard that its caller gives it. It
//! knows no request, no configuration and no generation, so a reload cannot touch it.

mod closing;
mod direction;
mod ending;
mod frames;
mod frozen;
mod guard;
mod orphan;
mod outcome;
mod pings;
mod reins;
mod relay;
mod summary;

pub(crate) use ending::{Ending, Order};
#[cfg(fuzzing)]
pub(crate) use frames::Tracker;
pub(crate) use frozen::Frozen;
pub(crate) use guard::{Bounds, Rate};
pub(crate) use outcome::{Outcome, Side};
pub(crate) use pings::Pings;
pub(crate) use reins::{Passed, Reins};
pub(crate) use relay::{Limits, Relay};
pub(crate) use summary::{By, Summary};
