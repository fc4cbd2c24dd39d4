//! What a generation wants done again and again while it serves.

use std::time::{Duration, Instant};

use super::logs::LogFiles;
use super::returns::Returns;
use super::watch::Watch;
use crate::observe::{ErrorLog, Level};
use crate::upstream::Group;

/// How often chores are done: a socket that appears is to have joined within a second.
const REST: Duration = Duration::from_millis(500);

/// How often while a server has failed that may come back any moment.
const SHORT_REST: Duration = Duration::from_millis(100);

/// Looking for servers that come and go or are back, evening out their connections, and writing log lines that
/// were kept for long enough.
#[derive(Debug)]
pub(crate) struct Chores {
    watches: Vec<Watch>,
    returns: Returns,
    uneven: Vec<Group>,
    files: LogFiles,
    log: ErrorLog,
}

impl Chores {
    pub(super) fn new(
        watches: Vec<Watch>,
        upstreams: &[Group],
        files: LogFiles,
        log: &ErrorLog,
    ) -> Self {
        let evens = |group: &&Group| group.current().release.rebalance.is_some();
        let uneven = upstreams.iter().filter(evens).cloned().collect();
        let returns = Returns::new(upstreams, log.clone());
        Self { watches, returns, uneven, files, log: log.clone() }
    }

    /// Whether there is nothing to do, now and later.
    pub(crate) fn is_idle(&self) -> bool {
        self.watches.is_empty()
            && self.returns.is_idle()
            && self.uneven.is_empty()
            && !self.files.has_buffers()
    }

    /// How long nothing is to be done from now on.
    pub(crate) fn rest(&self) -> Duration {
        if self.returns.waits() { SHORT_REST } else { REST }
    }

    /// Does what is to be done now.
    pub(crate) fn run(&self, now: Instant) {
        self.watches.iter().for_each(Watch::look);
        self.returns.look();
        for upstream in self.uneven.iter().map(Group::shared) {
            let Some(rebalance) = upstream.release.rebalance else { continue };
            if let Some(many) = upstream.balance.rebalance(rebalance.settings, now) {
                let name = &upstream.name;
                let what = format_args!("{many} connections of upstream \"{name}\" are to move");
                self.log.log(Level::Notice, what);
            }
        }
        self.files.write_old(now);
    }
}
