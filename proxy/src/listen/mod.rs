//! The accept loop, and the life of one client connection.

mod accept;
mod connection;
mod framing;
mod head;
mod line;
mod socket;
mod wire;

pub(crate) use accept::{Door, accept};
