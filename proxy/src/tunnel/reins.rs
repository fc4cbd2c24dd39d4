//! How a tunnel that runs is reached from outside of its task.

use std::cell::{Cell, RefCell};
use std::task::Waker;
use std::time::Instant;

use super::ending::{Ending, Order};

/// What the rest of its thread holds of a tunnel. An idle tunnel has one, so it is small.
#[derive(Debug, Default)]
pub(crate) struct Reins {
    order: Cell<Option<Order>>,
    task: RefCell<Option<Waker>>,
    moved: Cell<Option<Instant>>,
}

impl Reins {
    /// Tells the tunnel to end. Of two orders the earlier holds.
    pub(crate) fn end(&self, order: Order) {
        if self.order.get().is_none_or(|earlier| order.due < earlier.due) {
            self.order.set(Some(order));
        }
        if let Some(task) = &*self.task.borrow() {
            task.wake_by_ref();
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
        *self.task.borrow_mut() = Some(task.clone());
    }

    /// When something moved last; its beginning counts. None when it has not begun.
    pub(crate) fn moved(&self) -> Option<Instant> {
        self.moved.get()
    }

    /// Something has moved.
    pub(super) fn note(&self, moved: Instant) {
        self.moved.set(Some(moved));
    }

    /// The order that has been given.
    pub(crate) fn order(&self) -> Option<Order> {
        self.order.get()
    }
}
