//! The accept loop, and the life of one client connection.

mod accept;
mod connection;
mod crowd;
mod head;
mod line;
mod mend;
mod parcel;
mod release;
mod roster;
mod share;
mod socket;
mod tally;
mod tunnel;
mod wire;
mod writing;

pub(crate) use accept::{Door, Place, accept};
pub(crate) use crowd::{Crowd, Limits, Shortage};
#[cfg(fuzzing)]
pub(crate) use head::Head;
pub(crate) use parcel::{Carried, Parcel, Parcels, Resting, unpack};
pub(crate) use release::{LOOK, Releases};
pub(crate) use roster::Roster;
pub(crate) use share::{Ask, Past, Seen, Share};
pub(crate) use tally::Tally;
