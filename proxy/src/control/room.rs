//! Descriptors that nobody else gets while the threads finish their requests: a socket that is packed
//! for another image has a second one for a moment.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

/// How many a tunnel has besides its own while it is packed: one for each of its sockets. A thread
/// packs one after another.
const OF_A_TUNNEL: usize = 2;

/// What the threads have to pack with.
#[derive(Debug)]
pub(super) struct Room(Mutex<Vec<OwnedFd>>);

impl Room {
    /// Enough for so many threads.
    ///
    /// # Errors
    /// The process is out of descriptors.
    pub(super) fn for_threads(threads: usize) -> io::Result<Self> {
        let taken = (0..threads * OF_A_TUNNEL).map(|_| Ok(eventfd(0, EventfdFlags::CLOEXEC)?));
        Ok(Self(Mutex::new(taken.collect::<io::Result<_>>()?)))
    }

    /// Sets one thread's share free, which packs its tunnels now.
    pub(super) fn set_free(&self) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = taken.len().saturating_sub(OF_A_TUNNEL);
        taken.truncate(left);
    }
}
