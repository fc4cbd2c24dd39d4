//! Whom connections should leave: servers that have some, but are given no new ones.

use std::sync::Arc;

use super::lease::ServerId;
use super::upstream::Upstream;

/// A server that has connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occupied {
    /// Which one.
    pub server: ServerId,
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
    pub fn occupied(&self) -> Vec<Occupied> {
        let group = &self.inner.group;
        let stays = |place| {
            let mut peers = self.inner.peers.iter();
            peers.any(|peer| peer.place == place && !peer.settings.down)
        };
        let counts = group.lock();
        let occupied = counts.iter().enumerate().filter(|(_, counts)| counts.active > 0);
        occupied
            .map(|(place, _)| Occupied { server: ServerId::new(group, place), stays: stays(place) })
            .collect()
    }
}
