//! Whom connections should leave: servers that have some, but are given no new ones.

use std::sync::Arc;

use super::lease::{Seat, ServerId};
use super::upstream::Upstream;

/// A server that has connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupied<A> {
    /// Which one.
    pub server: ServerId,
    /// Where it listens, if it is listed.
    pub address: Option<A>,
    /// Whether it is listed, and not `down`.
    pub stays: bool,
}

impl<A> Upstream<A> {
    /// Whether both count the same servers: they have the same name, maybe in two generations.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner.group, &other.inner.group)
    }

    /// Every server under this name that has connections, those that only earlier generations list
    /// included.
    #[must_use]
    pub fn occupied(&self) -> Vec<Occupied<A>>
    where
        A: Clone,
    {
        let group = &self.inner.group;
        let counts = group.lock();
        let occupied = counts.iter().enumerate().filter(|(_, counts)| counts.active > 0);
        let occupied = occupied.map(|(place, counts)| {
            let settings = self.inner.peers.iter().find(|peer| peer.place == place);
            let settings = settings.map(|peer| &peer.settings);
            Occupied {
                server: ServerId::new(group, Seat::new(place, counts)),
                address: settings.map(|settings| settings.address.clone()),
                stays: settings.is_some_and(|settings| !settings.down),
            }
        });
        occupied.collect()
    }

    /// Whether connections may be given to this address.
    #[must_use]
    pub fn gives_to(&self, address: &A) -> bool
    where
        A: PartialEq,
    {
        let mut peers = self.inner.peers.iter().map(|peer| &peer.settings);
        peers.any(|settings| !settings.down && settings.address == *address)
    }
}
