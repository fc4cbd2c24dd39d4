//! What a generation wants done again and again while it serves.

use std::time::Instant;

use super::logs::LogFiles;
use super::watch::Watch;
use crate::upstream::Group;

/// Looking for servers that come and go, evening out their connections, and writing log lines that
/// were kept for long enough.
#[derive(Debug)]
pub(crate) struct Chores {
    watches: Vec<Watch>,
    uneven: Vec<Group>,
    files: LogFiles,
}

impl Chores {
    pub(super) fn new(watches: Vec<Watch>, upstreams: &[Group], files: LogFiles) -> Self {
        let evens = |group: &&Group| group.current().release.rebalance.is_some();
        let uneven = upstreams.iter().filter(evens).cloned().collect();
        Self { watches, uneven, files }
    }

    /// Whether there is nothing to do, now and later.
    pub(crate) fn is_idle(&self) -> bool {
        self.watches.is_empty() && self.uneven.is_empty() && !self.files.has_buffers()
    }

    /// Does what is to be done now.
    pub(crate) fn run(&self, now: Instant) {
        self.watches.iter().for_each(Watch::look);
        for upstream in self.uneven.iter().map(Group::shared) {
            if let Some(rebalance) = upstream.release.rebalance {
                upstream.balance.rebalance(rebalance.settings, now);
            }
        }
        self.files.write_old(now);
    }
}
