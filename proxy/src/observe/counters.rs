//! The counters of one proxy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What is counted while running; shared by all threads.
#[derive(Debug, Default)]
pub struct Counters {
    pub(crate) accepted: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) tunnels: AtomicU64,
    pub(crate) malformed: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Client connections accepted since the start.
    pub accepted: u64,
    /// Client connections that are open now, tunnels included.
    pub connections: u64,
    /// Requests taken since the start.
    pub requests: u64,
    /// Tunnels that are open now.
    pub tunnels: u64,
    /// Directions of WebSocket tunnels that have ended in which something came that is no frame.
    pub malformed: u64,
}

impl Counters {
    /// Reads them all.
    pub fn read(&self) -> Counts {
        Counts {
            accepted: self.accepted.load(Relaxed),
            connections: self.connections.load(Relaxed),
            requests: self.requests.load(Relaxed),
            tunnels: self.tunnels.load(Relaxed),
            malformed: self.malformed.load(Relaxed),
        }
    }

    /// What is counted since the start, rather than open: connections and requests.
    pub(crate) fn total(&self) -> (u64, u64) {
        (self.accepted.load(Relaxed), self.requests.load(Relaxed))
    }

    /// Goes on where another program image has left off.
    pub(crate) fn go_on(&self, (accepted, requests): (u64, u64)) {
        self.accepted.store(accepted, Relaxed);
        self.requests.store(requests, Relaxed);
    }

    /// One more open connection, for as long as the guard lives.
    pub(crate) fn connection(self: &Arc<Self>) -> Open {
        Open::new(self, |counters| &counters.connections)
    }

    /// One more open tunnel, for as long as the guard lives.
    pub(crate) fn tunnel(self: &Arc<Self>) -> Open {
        Open::new(self, |counters| &counters.tunnels)
    }

    /// The number that names a new connection in the logs, from 1 (nginx: `$connection`).
    pub(crate) fn accept(&self) -> u64 {
        self.accepted.fetch_add(1, Relaxed) + 1
    }
}

/// Counts one thing that is open, for as long as the guard lives.
#[derive(Debug)]
pub(crate) struct Open(Arc<Counters>, fn(&Counters) -> &AtomicU64);

impl Open {
    /// In so many directions of the tunnel that this counts came what is no frame.
    pub(crate) fn count_malformed(&self, directions: u64) {
        self.0.malformed.fetch_add(directions, Relaxed);
    }

    fn new(counters: &Arc<Counters>, which: fn(&Counters) -> &AtomicU64) -> Self {
        which(counters).fetch_add(1, Relaxed);
        Self(counters.clone(), which)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        (self.1)(&self.0).fetch_sub(1, Relaxed);
    }
}
