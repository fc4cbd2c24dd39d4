//! Idle connections kept open to servers: one pool per thread, as nginx has one per worker process.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;

/// How long a connection is kept for the last clients of a retired configuration.
const RETIRED: Duration = Duration::from_secs(2);

/// What is kept open to the servers of one upstream.
#[derive(Debug)]
pub(crate) struct Keepalive {
    /// Tells the upstreams of all generations apart.
    id: u64,
    /// Idle connections kept per thread; 0 keeps none (nginx: `keepalive`).
    connections: usize,
    /// Requests that one connection carries (`keepalive_requests`).
    requests: u64,
    /// How long one connection is used in all (`keepalive_time`).
    time: Duration,
    /// How long one may stay idle (`keepalive_timeout`).
    timeout: Duration,
}

impl Keepalive {
    /// Its number: later ones have higher ones.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The settings of a new upstream.
    pub(crate) fn new(
        connections: usize,
        requests: u64,
        time: Duration,
        timeout: Duration,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { id: NEXT.fetch_add(1, Relaxed), connections, requests, time, timeout }
    }
}

/// The idle connections of one thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool(Rc<RefCell<BTreeMap<u64, VecDeque<Idle>>>>);

#[derive(Debug)]
struct Idle {
    peer: usize,
    until: Instant,
    connection: Connection,
}

/// A place in the pool for one connection, taken when it carries a request.
#[derive(Debug)]
pub(crate) struct Shelf {
    pool: Pool,
    upstream: u64,
    peer: usize,
    room: usize,
    requests: u64,
    time: Duration,
    timeout: Duration,
}

impl Pool {
    /// Where a connection to this server goes when its answer is complete.
    pub(crate) fn shelf(&self, keepalive: &Keepalive, peer: usize) -> Shelf {
        Shelf {
            pool: self.clone(),
            upstream: keepalive.id,
            peer,
            room: keepalive.connections,
            requests: keepalive.requests,
            time: keepalive.time,
            timeout: keepalive.timeout,
        }
    }

    /// An idle connection to this server, the one that was used last.
    pub(crate) fn take(&self, keepalive: &Keepalive, peer: usize) -> Option<Connection> {
        let mut pool = self.0.borrow_mut();
        let idle = pool.get_mut(&keepalive.id)?;
        loop {
            let at = idle.iter().rposition(|idle| idle.peer == peer)?;
            let mut connection = idle.remove(at)?.connection;
            if connection.is_reusable() {
                return Some(connection);
            }
        }
    }

    /// Drops what is too old or was closed by its server. Upstreams before `oldest` are those of
    /// retired configurations: what is kept for them is kept for a moment only.
    pub(crate) fn sweep(&self, now: Instant, oldest: u64) {
        let mut pool = self.0.borrow_mut();
        pool.retain(|id, idle| {
            if *id < oldest {
                idle.iter_mut().for_each(|idle| idle.until = idle.until.min(now + RETIRED));
            }
            idle.retain_mut(|idle| now < idle.until && idle.connection.is_reusable());
            !idle.is_empty()
        });
    }
}

impl Shelf {
    /// Keeps a connection for the next request, unless it has served long enough.
    /// Whether its server has closed it is looked at when it is taken.
    pub(super) fn keep(self, connection: Connection) {
        let now = Instant::now();
        if self.room == 0 || connection.is_spent(self.requests, self.time, now) {
            return;
        }
        let mut pool = self.pool.0.borrow_mut();
        let idle = pool.entry(self.upstream).or_default();
        if idle.len() >= self.room {
            idle.pop_front();
        }
        idle.push_back(Idle { peer: self.peer, until: now + self.timeout, connection });
    }
}
