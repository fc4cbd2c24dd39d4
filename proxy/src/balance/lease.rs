//! Counting is owning: what a pick returns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::peer::Counts;
use super::upstream::Inner;
use super::zone::Group;

/// One connection that a peer was given. It counts until it is dropped.
///
/// It holds its upstream's settings for [`Lease::failed`] and [`Lease::address`]; what only has to
/// go on counting becomes a [`Held`] by [`Lease::into_held`].
#[derive(Debug)]
#[must_use = "a lease that is dropped no longer counts"]
pub struct Lease<A> {
    held: Held,
    upstream: Arc<Inner<A>>,
    peer: usize,
    benched: bool,
}

impl<A> Lease<A> {
    pub(super) fn new(held: Held, upstream: Arc<Inner<A>>, peer: usize, benched: bool) -> Self {
        Self { held, upstream, peer, benched }
    }

    /// Where to connect.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "the pick that made this lease found the peer")]
    pub fn address(&self) -> &A {
        &self.upstream.peers[self.peer].settings.address
    }

    /// The peer's position in its upstream, as [`Tried`](super::Tried) counts.
    #[must_use]
    pub fn peer(&self) -> usize {
        self.peer
    }

    /// Whether the peer was benched when it was picked: where nginx would have given up.
    #[must_use]
    pub fn was_benched(&self) -> bool {
        self.benched
    }

    /// The connection or the request failed by the peer's fault (`proxy_next_upstream` says what
    /// that is). True when the peer is benched by it: nginx then logs "upstream server temporarily
    /// disabled".
    pub fn failed(&self, now: Instant) -> bool {
        let Some(peer) = self.upstream.peers.get(self.peer) else { return false };
        let mut counts = self.held.group.lock();
        let Some(counts) = counts.get_mut(peer.place) else { return false };
        counts.failed(&peer.settings, now) && !self.upstream.alone()
    }

    /// Why it failed, for who asks why it is benched.
    pub fn blame(&self, why: impl Into<Box<str>>) {
        self.counts(|counts| counts.why = Some(why.into()));
    }

    /// Its answer has opened a tunnel, so long after it was picked.
    pub fn opened(&self, after: Duration) {
        self.counts(|counts| counts.handshakes.add_time(after));
    }

    fn counts(&self, with: impl FnOnce(&mut Counts)) {
        if let Some(counts) = self.held.group.lock().get_mut(self.held.seat.place()) {
            with(counts);
        }
    }

    /// The peer answered. A benched one that was picked as the last resort, or after its
    /// `fail_timeout`, is back at once.
    pub fn succeeded(&self) {
        let Some(peer) = self.upstream.peers.get(self.peer) else { return };
        if let Some(counts) = self.held.group.lock().get_mut(peer.place) {
            counts.succeeded(&peer.settings);
        }
    }

    /// Goes on counting and forgets the rest: for a tunnel, which lasts for days and should keep
    /// nothing else of its generation alive.
    pub fn into_held(self) -> Held {
        self.held
    }
}

/// One counted connection and nothing else, in two words. It counts until it is dropped.
#[derive(Debug)]
#[must_use = "a connection that is dropped no longer counts"]
pub struct Held {
    group: Arc<Group>,
    seat: Seat,
}

impl Held {
    /// Takes over a connection that the pick has counted.
    pub(super) fn new(group: Arc<Group>, seat: Seat) -> Self {
        Self { group, seat }
    }

    /// Whom it is counted for.
    #[must_use]
    pub fn server(&self) -> ServerId {
        ServerId::new(&self.group, self.seat)
    }
}

/// Where in its group a server is counted, and the number that tells it from whoever is counted
/// there before and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Seat {
    place: u32,
    number: u32,
}

impl Seat {
    /// Nobody is counted there.
    pub(super) const NOWHERE: Self = Self { place: u32::MAX, number: 0 };

    pub(super) fn new(place: usize, counts: &Counts) -> Self {
        Self { place: u32::try_from(place).unwrap_or(u32::MAX), number: counts.number() }
    }

    fn place(self) -> usize {
        usize::try_from(self.place).unwrap_or(usize::MAX)
    }
}

/// A server of an upstream, across generations: what [`Held`] counts for. No other server is called
/// the same, before or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServerId {
    group: usize,
    seat: Seat,
}

impl ServerId {
    /// None of all servers: for connections that nobody moves.
    pub const NONE: Self = Self { group: 0, seat: Seat::NOWHERE };

    pub(super) fn new(group: &Arc<Group>, seat: Seat) -> Self {
        Self { group: Arc::as_ptr(group).addr(), seat }
    }

    /// Where it is counted, if it is there.
    pub(super) fn place_in(self, group: &Arc<Group>) -> Option<usize> {
        (self.group == Arc::as_ptr(group).addr()).then_some(self.seat.place())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(counts) = self.group.lock().get_mut(self.seat.place()) {
            counts.active = counts.active.saturating_sub(1);
        }
        self.group.line.advance();
    }
}
