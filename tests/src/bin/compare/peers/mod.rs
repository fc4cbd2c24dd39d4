//! The programs that are compared, each with a configuration of ours that is as good as we can make
//! it: kept connections to the workers' sockets, the fewest connections first, tunnels that may
//! be idle.
//!
//! [`peer`] finds, starts and knows them; a file each says what it wants to be told. [`front`] is
//! one that runs.

mod caddy;
mod envoy;
mod find;
mod front;
mod haproxy;
mod nginx;
mod peer;
mod traefik;

pub(crate) use front::Front;
pub(crate) use peer::{Peer, Peers, SOCKETS};
