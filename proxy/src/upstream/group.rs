//! An upstream as a location names it: the same servers for a generation's life, or those that a
//! pattern matches at the moment.

use std::ops::Deref;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, PoisonError, RwLock};

use super::{SharedUpstream, Upstream};

/// What a location passes its requests to.
#[derive(Debug, Clone)]
pub(crate) enum Group {
    /// Its servers stay.
    Fixed(SharedUpstream),
    /// Its servers come and go.
    Watched(Arc<Watched>),
}

/// An upstream whose servers come and go. Who watches puts another one in its place.
#[derive(Debug)]
pub(crate) struct Watched(RwLock<SharedUpstream>);

/// An upstream as it is at one moment, for one request.
#[derive(Debug)]
pub(crate) enum Current<'a> {
    /// It stays.
    Fixed(&'a Upstream),
    /// It was so when it was asked for.
    Watched(SharedUpstream),
}

impl Group {
    /// The upstream as it is now.
    pub(crate) fn current(&self) -> Current<'_> {
        match self {
            Self::Fixed(upstream) => Current::Fixed(upstream),
            Self::Watched(watched) => Current::Watched(watched.current()),
        }
    }

    /// [`Group::current`] to keep.
    pub(crate) fn shared(&self) -> SharedUpstream {
        match self {
            Self::Fixed(upstream) => upstream.clone(),
            Self::Watched(watched) => watched.current(),
        }
    }
}

impl Watched {
    /// With the servers that are there at first.
    pub(crate) fn new(upstream: SharedUpstream) -> Self {
        Self(RwLock::new(upstream))
    }

    /// Its servers now.
    pub(crate) fn current(&self) -> SharedUpstream {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Other servers: requests under way keep those that they know, those that wait look again.
    pub(crate) fn replace(&self, upstream: SharedUpstream) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *current, upstream);
        drop(current);
        old.replaced.store(true, SeqCst);
        old.balance.wake();
    }
}

impl Current<'_> {
    /// Whether there are other servers by now.
    pub(super) fn is_replaced(&self) -> bool {
        self.replaced.load(SeqCst)
    }
}

impl Deref for Current<'_> {
    type Target = Upstream;

    fn deref(&self) -> &Upstream {
        match self {
            Self::Fixed(upstream) => upstream,
            Self::Watched(upstream) => upstream,
        }
    }
}
