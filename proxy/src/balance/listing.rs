//! A server by its names, for who has to find it again in another process.

use std::hash::Hash;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::lease::{Held, Seat, ServerId};
use super::zone::{Zone, lock};

/// A server of an upstream, as a configuration lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing<A> {
    /// The upstream's name.
    pub upstream: Box<str>,
    /// The server's address.
    pub address: A,
    /// Which of the upstream's listings of this address it is, from 0.
    pub nth: u32,
}

impl<A: Clone + Eq + Hash> Zone<A> {
    /// How the server is listed that a connection is held for.
    #[must_use]
    pub fn listing(&self, server: ServerId) -> Option<Listing<A>> {
        lock(&self.groups).iter().find_map(|(upstream, directory)| {
            let place = server.place_in(&directory.group)?;
            let (key, _) = directory.places.iter().find(|(_, its)| **its == place)?;
            let (address, nth) = key.clone();
            Some(Listing { upstream: upstream.clone(), address, nth })
        })
    }

    /// The server that is listed like this, if it is counted.
    #[must_use]
    pub fn find(&self, listing: &Listing<A>) -> Option<ServerId> {
        let groups = lock(&self.groups);
        let directory = groups.get(&listing.upstream)?;
        let place = *directory.places.get(&(listing.address.clone(), listing.nth))?;
        let seat = Seat::new(place, directory.group.lock().get(place)?);
        Some(ServerId::new(&directory.group, seat))
    }

    /// Counts a connection that there is already, whether or not any configuration lists its server.
    pub fn hold(&self, listing: Listing<A>) -> Held {
        let Listing { upstream, address, nth } = listing;
        let mut groups = lock(&self.groups);
        let directory = groups.entry(upstream).or_default();
        let place = directory.place(address, nth);
        let mut counts = directory.group.lock();
        let seat = counts.get_mut(place).map(|counts| {
            counts.active += 1;
            Seat::new(place, counts)
        });
        drop(counts);
        Held::new(Arc::clone(&directory.group), seat.unwrap_or(Seat::NOWHERE))
    }
}
