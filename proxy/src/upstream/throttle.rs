//! How fast a body may be read.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// A rate, and what was read at it: each second allows as many bytes more, the first one included
/// (nginx: `limit_rate`).
#[derive(Debug)]
pub(super) struct Throttle {
    /// Bytes per second; never 0.
    rate: u64,
    since: Instant,
    read: u64,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Throttle {
    /// From now on.
    pub(super) fn new(rate: u64) -> Self {
        Self { rate: rate.max(1), since: Instant::now(), read: 0, timer: None }
    }

    /// How many bytes may be read now; ready when it is one or more.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        loop {
            if let Some(timer) = &mut self.timer {
                ready!(timer.as_mut().poll(cx));
                self.timer = None;
            }
            let seconds = self.since.elapsed().as_secs() + 1;
            let allowed = self.rate.saturating_mul(seconds);
            if let Some(left) = allowed.checked_sub(self.read).filter(|left| *left > 0) {
                return Poll::Ready(usize::try_from(left).unwrap_or(usize::MAX));
            }
            let next = Duration::from_secs(self.read / self.rate);
            let wait = next.saturating_sub(self.since.elapsed());
            self.timer = Some(Box::pin(sleep(wait.max(Duration::from_millis(1)))));
        }
    }

    /// So many were.
    pub(super) fn take(&mut self, bytes: usize) {
        self.read = self.read.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}
