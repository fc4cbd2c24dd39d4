//! What a generation wants done again and again while it serves.

use std::time::Instant;

use super::logs::LogFiles;
use super::watch::Watch;

/// Looking for servers that come and go, and writing log lines that were kept for long enough.
#[derive(Debug)]
pub(crate) struct Chores {
    watches: Vec<Watch>,
    files: LogFiles,
}

impl Chores {
    pub(super) fn new(watches: Vec<Watch>, files: LogFiles) -> Self {
        Self { watches, files }
    }

    /// Whether there is nothing to do, now and later.
    pub(crate) fn is_idle(&self) -> bool {
        self.watches.is_empty() && !self.files.has_buffers()
    }

    /// Does what is to be done now.
    pub(crate) fn run(&self, now: Instant) {
        self.watches.iter().for_each(Watch::look);
        self.files.write_old(now);
    }
}
