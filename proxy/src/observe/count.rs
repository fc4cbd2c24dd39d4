//! A number that one thread counts up and any thread may read.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number of one thread. Only that thread changes it, so changing costs no more than it would
/// in a `Cell`; whoever reads it sees what it was a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    /// Nothing counted yet.
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// So many more.
    pub(crate) fn add(&self, more: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(more), Relaxed);
    }

    /// So many less.
    pub(crate) fn sub(&self, less: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_sub(less), Relaxed);
    }

    /// What it is.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
