//! Which server takes the next connection: counts, eligibility and the ways of choosing.
//!
//! [`Upstream::pick`] chooses a peer and counts the connection under one short lock; the [`Lease`]
//! that it returns takes the count back when it is dropped. Nobody else counts. The counts live in
//! a [`Zone`], keyed by the upstream's name and the peer's address, so they outlive a reload.
//!
//! Nothing here opens a socket, knows a file or reads a clock: `now` is an argument.

mod choose;
mod evening;
mod hash;
mod lease;
mod leaving;
mod line;
mod listing;
mod peer;
mod random;
mod report;
mod tried;
mod upstream;
mod zone;

#[cfg(test)]
mod stories;

pub use evening::Rebalance;
pub use lease::{Held, Lease, ServerId};
pub use leaving::Occupied;
pub use line::Turn;
pub use listing::Listing;
pub use peer::{PeerSettings, PeerSnapshot, PeerState};
pub(crate) use report::{Report, State};
pub use tried::Tried;
pub use upstream::{Method, Policy, Upstream};
pub use zone::Zone;
