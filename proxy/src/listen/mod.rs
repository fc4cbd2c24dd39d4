//! The accept loop, and the life of one client connection.

mod accept;
mod connection;
mod socket;

pub(crate) use accept::{Door, accept};
