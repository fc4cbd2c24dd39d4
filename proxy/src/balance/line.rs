//! The line of requests that wait until a peer may be picked: nginx's `queue`.
//!
//! Whoever gives a connection back wakes the first of the line, and whoever leaves the line wakes
//! the next: so one free place serves one request, in the order of coming.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Instant;

use super::lease::Lease;
use super::tried::Tried;
use super::upstream::Upstream;
use super::zone::{Group, lock};

/// The line of one upstream.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// How many wait; read without the lock by everybody who gives a connection back.
    length: AtomicUsize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    places: VecDeque<(u64, Option<Waker>)>,
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.length.load(SeqCst) == 0
    }

    /// A ticket for the place at the end; none when `limit` wait already.
    pub(super) fn join(&self, limit: usize) -> Option<u64> {
        let mut waiting = lock(&self.waiting);
        if waiting.places.len() >= limit {
            return None;
        }
        let ticket = waiting.next;
        waiting.next += 1;
        waiting.places.push_back((ticket, None));
        self.length.store(waiting.places.len(), SeqCst);
        Some(ticket)
    }

    /// A peer may be free: the first of the line looks.
    pub(super) fn advance(&self) {
        if self.is_empty() {
            return;
        }
        let first = lock(&self.waiting).places.front_mut().and_then(|(_, waker)| waker.take());
        // Woken when the lock is free: a waker may run anything.
        if let Some(waker) = first {
            waker.wake();
        }
    }

    /// Everything may be different: all look, in the order of their places.
    pub(super) fn wake(&self) {
        let mut waiting = lock(&self.waiting);
        let wakers = waiting.places.iter_mut().filter_map(|(_, waker)| waker.take());
        let wakers: Vec<_> = wakers.collect();
        drop(waiting);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Whether this ticket is the first. Its holder is woken when it is worth while to ask again.
    fn is_first(&self, ticket: u64, waker: &Waker) -> bool {
        let mut waiting = lock(&self.waiting);
        let position = waiting.places.iter().position(|(other, _)| *other == ticket);
        if let Some((_, place)) = position.and_then(|at| waiting.places.get_mut(at)) {
            *place = Some(waker.clone());
        }
        position == Some(0)
    }

    fn leave(&self, ticket: u64) {
        let mut waiting = lock(&self.waiting);
        waiting.places.retain(|(other, _)| *other != ticket);
        self.length.store(waiting.places.len(), SeqCst);
        drop(waiting);
        self.advance();
    }
}

/// A place in the line of an upstream, given up when it is dropped.
#[derive(Debug)]
#[must_use = "a place that is dropped is given up"]
pub struct Turn<A> {
    upstream: Upstream<A>,
    group: Arc<Group>,
    ticket: u64,
}

impl<A> Turn<A> {
    pub(super) fn new(upstream: Upstream<A>, group: Arc<Group>, ticket: u64) -> Self {
        Self { upstream, group, ticket }
    }

    /// Picks as [`Upstream::pick`] does, but only for the first of the line. The waker is woken when
    /// another try makes sense.
    pub fn poll(&mut self, tried: &mut Tried, now: Instant, waker: &Waker) -> Poll<Lease<A>> {
        // The waker is in its place before the pick looks, so that nothing is missed between.
        if !self.group.line.is_first(self.ticket, waker) {
            return Poll::Pending;
        }
        self.upstream.pick(tried, now).map_or(Poll::Pending, Poll::Ready)
    }

    /// Waits from now on for a peer of this upstream, which has the same name, and so the same line.
    pub fn follow(&mut self, upstream: &Upstream<A>) {
        self.upstream = upstream.clone();
    }
}

impl<A> Drop for Turn<A> {
    fn drop(&mut self) {
        self.group.line.leave(self.ticket);
    }
}
