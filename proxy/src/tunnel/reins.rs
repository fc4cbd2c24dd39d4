//! How a tunnel that runs is reached from outside of its task.

use std::cell::Cell;
use std::fmt;
use std::sync::LazyLock;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::ending::{Ending, Order};

/// What the rest of its thread holds of a tunnel: 48 bytes, for an idle tunnel has one, too.
#[derive(Default)]
pub(crate) struct Reins {
    order: Cell<Option<Order>>,
    task: Cell<Option<Waker>>,
    /// In microseconds since [`START`].
    moved: Cell<u64>,
}

/// The beginning of time, as half of an `Instant` is enough to count from: before this process, for
/// a tunnel may have begun in another program image.
static START: LazyLock<Instant> = LazyLock::new(|| {
    let now = Instant::now();
    now.checked_sub(AGE).unwrap_or(now)
});

/// The longest idleness that is known when a tunnel goes on in another image.
const AGE: Duration = Duration::from_secs(24 * 3600);

impl Reins {
    /// Tells the tunnel to end. Of two orders the earlier holds.
    pub(crate) fn end(&self, order: Order) {
        if self.order.get().is_none_or(|earlier| order.due < earlier.due) {
            self.order.set(Some(order));
        }
        if let Some(task) = self.task.take() {
            task.wake_by_ref();
            self.task.set(Some(task));
        }
    }

    /// Takes an order back that was given for this reason, unless it is being carried out.
    pub(crate) fn keep(&self, ending: Ending) {
        if self.order.get().is_some_and(|order| order.ending == ending) {
            self.order.set(None);
        }
    }

    /// Whom to wake when there is an order: the tunnel's task, at its first turn.
    pub(super) fn hold(&self, task: &Waker) {
        self.task.set(Some(task.clone()));
    }

    /// When something moved last, its beginning included.
    pub(crate) fn moved(&self) -> Instant {
        *START + Duration::from_micros(self.moved.get())
    }

    /// For how long nothing has moved by now; one that has not begun is about to.
    pub(crate) fn idles(&self, now: Instant) -> Duration {
        match self.moved.get() {
            0 => Duration::ZERO,
            _ => now.saturating_duration_since(self.moved()),
        }
    }

    /// Whether nothing has been noted yet.
    pub(super) fn is_new(&self) -> bool {
        self.moved.get() == 0
    }

    /// Something has moved.
    pub(super) fn note(&self, moved: Instant) {
        let since = moved.saturating_duration_since(*START).as_micros();
        // Never before it did.
        self.moved.set(u64::try_from(since).unwrap_or(u64::MAX).saturating_add(1));
    }

    /// The order that has been given.
    pub(crate) fn order(&self) -> Option<Order> {
        self.order.get()
    }
}

impl fmt::Debug for Reins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reins").field("order", &self.order).finish_non_exhaustive()
    }
}
