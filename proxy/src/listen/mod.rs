//! The accept loop, and the life of one client connection.

mod accept;
mod connection;
mod crowd;
mod head;
mod line;
mod mend;
mod release;
mod roster;
mod socket;
mod wire;

pub(crate) use accept::{Door, accept};
pub(crate) use crowd::{Crowd, Limits, Shortage};
pub(crate) use release::{LOOK, Releases};
pub(crate) use roster::Roster;
