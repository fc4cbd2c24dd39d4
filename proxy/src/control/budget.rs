//! How many connections each thread may have: what the configuration says, and what the system
//! gives.

use std::sync::Arc;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

use crate::config::Config;
use crate::listen::{Limits, Shortage};

/// What a thread's runtime and its ring have open beside its connections, and what the logs may want.
const OF_A_THREAD: usize = 6;

/// What is shared out, for the whole life of a proxy.
#[derive(Debug)]
pub(super) struct Budget {
    threads: usize,
    /// Descriptors that were open before the first connection was.
    taken: usize,
    shortage: Arc<Shortage>,
}

impl Budget {
    /// The budget of a proxy that is about to start so many threads, and goes on with connections
    /// that have so many descriptors.
    pub(super) fn new(threads: usize, inherited: usize) -> Self {
        let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        let taken = open.saturating_sub(inherited);
        Self { threads, taken, shortage: Arc::default() }
    }

    /// What each thread may have, with so many listeners. Those of two generations may be open at
    /// once.
    pub(super) fn limits(&self, config: &Config, listeners: usize) -> Limits {
        let own = self.taken + listeners + self.threads * (OF_A_THREAD + 2 * listeners);
        let all = match getrlimit(Resource::RLIMIT_NOFILE) {
            Ok((soft, _)) if soft != RLIM_INFINITY => usize::try_from(soft).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        Limits {
            connections: config.worker_connections.map(|most| most.max(1)),
            // One client and its server fit in always: better an error in the log than silence.
            descriptors: (all.saturating_sub(own) / self.threads.max(1)).max(2),
            shortage: self.shortage.clone(),
        }
    }
}
