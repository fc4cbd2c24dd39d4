//! The counts that outlive a reload.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::evening::Evening;
use super::line::Line;
use super::peer::Counts;

/// All counts of a process, keyed by the upstream's name and the peer's address. Cloning it makes
/// another handle to the same counts.
///
/// A generation that lists an address again goes on with its counts; connections of the old
/// generation that end take them down. Counts that no generation lists and no connection holds are
/// forgotten at the next reload. An address that one upstream lists twice is two peers, as in
/// nginx: the first listing of one generation and the first of the next share their counts, and so
/// do the second ones.
#[derive(Debug)]
pub struct Zone<A> {
    pub(super) groups: Arc<Mutex<HashMap<Box<str>, Directory<A>>>>,
}

impl<A> Clone for Zone<A> {
    fn clone(&self) -> Self {
        Self { groups: Arc::clone(&self.groups) }
    }
}

impl<A> Default for Zone<A> {
    fn default() -> Self {
        Self { groups: Arc::default() }
    }
}

impl<A: Clone + Eq + Hash> Zone<A> {
    /// A zone in which nothing is counted yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters the peers of an upstream and returns where each is counted.
    pub(super) fn enter<'a>(
        &self,
        upstream: &str,
        addresses: impl Iterator<Item = &'a A>,
    ) -> (Arc<Group>, Vec<usize>)
    where
        A: 'a,
    {
        let mut groups = lock(&self.groups);
        groups.retain(|_, directory| directory.prune());
        let directory = groups.entry(upstream.into()).or_default();
        let places = directory.enter(addresses);
        (Arc::clone(&directory.group), places)
    }
}

/// Where the peers of one upstream are counted.
#[derive(Debug)]
pub(super) struct Directory<A> {
    pub(super) group: Arc<Group>,
    /// The address and its how-manieth listing, and the place of its counts in the group.
    pub(super) places: HashMap<(A, u32), usize>,
    free: Vec<usize>,
}

impl<A> Default for Directory<A> {
    fn default() -> Self {
        Self { group: Arc::default(), places: HashMap::new(), free: Vec::new() }
    }
}

impl<A: Clone + Eq + Hash> Directory<A> {
    /// Forgets the counts that nobody needs; false when none is left and no upstream either.
    fn prune(&mut self) -> bool {
        let mut counts = self.group.lock();
        self.places.retain(|_, place| match counts.get_mut(*place) {
            Some(counts) if counts.in_use() => true,
            Some(counts) => {
                *counts = Counts::new();
                self.free.push(*place);
                false
            }
            None => false,
        });
        // An upstream without peers is one all the same: somebody may stand in its line.
        !self.places.is_empty() || Arc::strong_count(&self.group) > 1
    }

    fn enter<'a>(&mut self, addresses: impl Iterator<Item = &'a A>) -> Vec<usize>
    where
        A: 'a,
    {
        let mut listed: HashMap<&A, u32> = HashMap::new();
        addresses
            .map(|address| {
                let nth = listed.entry(address).and_modify(|nth| *nth += 1).or_default();
                let place = self.place(address.clone(), *nth);
                if let Some(counts) = self.group.lock().get_mut(place) {
                    counts.users += 1;
                }
                place
            })
            .collect()
    }

    /// Where this listing is counted, from now on if it was not yet.
    pub(super) fn place(&mut self, address: A, nth: u32) -> usize {
        *self.places.entry((address, nth)).or_insert_with(|| {
            self.free.pop().unwrap_or_else(|| {
                let mut counts = self.group.lock();
                counts.push(Counts::new());
                counts.len() - 1
            })
        })
    }
}

/// The counts of one upstream's peers, under the one lock that a pick takes.
#[derive(Debug, Default)]
pub(super) struct Group {
    counts: Mutex<Vec<Counts>>,
    /// Who waits for one of them.
    pub(super) line: Line,
    /// How far evening them out is.
    pub(super) evening: Mutex<Evening>,
}

impl Group {
    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<Counts>> {
        lock(&self.counts)
    }
}

/// Locks; a panic elsewhere while it was held does not stop the balancing, for every change made
/// under these locks is complete by itself.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
