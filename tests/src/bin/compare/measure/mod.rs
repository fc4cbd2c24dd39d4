//! One round of one scene: a reading of every peer for each of its rows.
//!
//! [`mod@bench`] is what is the same for all of them; a file each for the scenes: [`work`], [`tunnels`],
//! [`latency`], [`reload`], [`start`]. [`generator`] runs `client bench`, where times are measured.

mod bench;
mod generator;
mod latency;
mod reload;
mod start;
mod tunnels;
mod work;

pub(crate) use bench::{Bench, Found};
