//! The time within one turn of a task, read once however many want to know it.

use std::cell::Cell;
use std::time::Instant;

thread_local! {
    static NOW: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A turn of a task of this thread: while it lasts, [`now`] says when it began.
#[derive(Debug)]
pub(crate) struct Turn(());

impl Turn {
    /// Begins a turn.
    pub(crate) fn begin() -> Self {
        NOW.set(Some(Instant::now()));
        Self(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        NOW.set(None);
    }
}

/// When this turn began; outside of one, the time.
pub(crate) fn now() -> Instant {
    NOW.get().unwrap_or_else(Instant::now)
}
