//! One upstream of one generation: the door through which connections are given out.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Instant;

use super::choose::{least_conn, longest_untouched, primaries, round_robin};
use super::hash::{self, Ring};
use super::lease::{Held, Lease, Seat};
use super::line::Turn;
use super::peer::{Counts, PeerSettings, PeerSnapshot, PeerState, WHOLE};
use super::random::random;
use super::tried::Tried;
use super::zone::{Group, Zone};

/// How an upstream chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// The method among eligible peers.
    pub method: Method,
}

/// How a peer is chosen among eligible ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// nginx's default: smooth weighted round robin.
    #[default]
    RoundRobin,
    /// `least_conn`: the fewest connections relative to the weight, ties by round robin.
    LeastConn,
    /// `ip_hash`: by [`Tried::keyed`], the client's network.
    IpHash,
    /// `hash`: by [`Tried::keyed`]. Most keys move when a peer comes or goes.
    Hash,
    /// `hash ... consistent`: by [`Tried::keyed`]. Only the keys of a peer that goes move, and only
    /// to a peer that comes.
    ConsistentHash,
    /// `random`: by weight.
    Random,
    /// `random two`: the less busy of two.
    RandomTwo,
}

/// One upstream of one generation. Cloning it makes another handle.
#[derive(Debug)]
pub struct Upstream<A> {
    pub(super) inner: Arc<Inner<A>>,
}

impl<A> Clone for Upstream<A> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

/// A peer's settings in this generation, and where it is counted.
#[derive(Debug)]
pub(super) struct Peer<A> {
    pub(super) settings: PeerSettings<A>,
    pub(super) place: usize,
    /// The first peer of the same server.
    pub(super) server: usize,
}

#[derive(Debug)]
pub(super) struct Inner<A> {
    name: Box<str>,
    policy: Policy,
    pub(super) group: Arc<Group>,
    pub(super) peers: Vec<Peer<A>>,
    /// What a consistent hash goes by; empty for other methods.
    ring: Ring,
    /// Whether a peer has a `slow_start`.
    recovers: bool,
}

impl<A: Clone + Eq + Hash> Upstream<A> {
    /// Enters an upstream's peers into the zone. The zone's counts of the same addresses under the
    /// same name go on; nothing else changes until somebody picks.
    #[must_use]
    pub fn new(zone: &Zone<A>, name: &str, policy: Policy, peers: Vec<PeerSettings<A>>) -> Self {
        let (group, places) = zone.enter(name, peers.iter().map(|peer| &peer.address));
        let recovers = peers.iter().any(|peer| !peer.slow_start.is_zero());
        let firsts = servers(&peers);
        let places = places.into_iter().zip(firsts);
        let peers: Vec<_> = peers
            .into_iter()
            .zip(places)
            .map(|(settings, (place, server))| Peer { settings, place, server })
            .collect();
        let on_ring = primaries(&peers)
            .filter(|_| policy.method == Method::ConsistentHash)
            .map(|(_, peer)| (peer.server, &*peer.settings.server, peer.settings.weight()));
        let ring = Ring::new(on_ring);
        Self { inner: Arc::new(Inner { name: name.into(), policy, group, peers, ring, recovers }) }
    }
}

impl<A> Upstream<A> {
    /// The name that it was entered under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Chooses a peer that is not in `tried`, counts one connection for it and notes it in `tried`.
    ///
    /// In this order: the eligible peers, by the policy's method; the eligible `backup` peers; and,
    /// where nginx would give up, the benched peers, those first that were longest left alone, so
    /// that a peer that is back is found at once. `down` and `max_conns` always hold.
    ///
    /// `None` is nginx's "no live upstreams".
    #[must_use]
    pub fn pick(&self, tried: &mut Tried, now: Instant) -> Option<Lease<A>> {
        let inner = &self.inner;
        let (index, seat, benched) = {
            let mut counts = inner.group.lock();
            if inner.recovers {
                counts.iter_mut().for_each(|counts| counts.recover(now));
            }
            let index = inner.choose(&mut counts, tried, now)?;
            let peer = inner.peers.get(index)?;
            let counts = counts.get_mut(peer.place)?;
            let benched = counts.state(&peer.settings, inner.alone(), now) == PeerState::Benched;
            counts.picked(&peer.settings, now);
            (index, Seat::new(peer.place, counts), benched)
        };
        tried.insert(index);
        let held = Held::new(Arc::clone(&inner.group), seat);
        Some(Lease::new(held, Arc::clone(inner), index, benched))
    }

    /// Whether there is a peer that was not tried and is not `down`: when a pick found none, waiting
    /// for it makes sense.
    #[must_use]
    pub fn has_untried(&self, tried: &Tried) -> bool {
        let peers = self.inner.peers.iter().enumerate();
        peers.into_iter().any(|(index, peer)| !peer.settings.down && !tried.contains(index))
    }

    /// Whether there is no peer at all: none has come yet, or all have gone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.peers.is_empty()
    }

    /// Where the peers listen, in the order written.
    #[must_use]
    pub fn addresses(&self) -> Vec<A>
    where
        A: Clone,
    {
        self.inner.peers.iter().map(|peer| peer.settings.address.clone()).collect()
    }

    /// Whether a peer has failed and not answered since.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let counts = self.inner.group.lock();
        let mut peers = self.inner.peers.iter();
        peers.any(|peer| counts.get(peer.place).is_some_and(|counts| !counts.is_sound()))
    }

    /// Takes those back that have failed and were started anew since, as `is_back` says of an
    /// address. A benched one leaves the bench at once. Says who they are.
    pub fn welcome(&self, is_back: impl Fn(&A) -> bool) -> Vec<A>
    where
        A: Clone,
    {
        let mut counts = self.inner.group.lock();
        let welcomed = self.inner.peers.iter().filter_map(|Peer { settings, place, .. }| {
            let counts = counts.get_mut(*place).filter(|counts| !counts.is_sound())?;
            is_back(&settings.address).then(|| {
                counts.welcome(settings);
                settings.address.clone()
            })
        });
        welcomed.collect()
    }

    /// Whether requests wait for a peer; a new one should go behind them.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        !self.inner.group.line.is_empty()
    }

    /// Has all that wait look again, for there are other peers now ([`Turn::follow`]).
    pub fn wake(&self) {
        self.inner.group.line.wake();
    }

    /// Takes a place at the end of the line of those that wait for a peer; none when `limit` wait
    /// already. The line is the zone's: requests of all generations stand in it.
    #[must_use]
    pub fn queue(&self, limit: usize) -> Option<Turn<A>> {
        let ticket = self.inner.group.line.join(limit)?;
        Some(Turn::new(self.clone(), Arc::clone(&self.inner.group), ticket))
    }

    /// Every peer at this moment, in the order written.
    #[must_use]
    pub fn snapshot(&self, now: Instant) -> Vec<PeerSnapshot<A>>
    where
        A: Clone,
    {
        let alone = self.inner.alone();
        let counts = self.inner.group.lock();
        let peers = self.inner.peers.iter();
        peers
            .filter_map(|peer| Some(counts.get(peer.place)?.snapshot(&peer.settings, alone, now)))
            .collect()
    }
}

impl<A> Inner<A> {
    /// nginx never benches the only peer of an upstream: there is nobody else.
    pub(super) fn alone(&self) -> bool {
        self.peers.len() == 1
    }

    fn choose(&self, counts: &mut [Counts], tried: &mut Tried, now: Instant) -> Option<usize> {
        if self.recovers {
            self.choose_by(counts, tried, now, |settings, counts| counts.share(settings, now))
        } else {
            // Most have no `slow_start`, and pay nothing for it.
            self.choose_by(counts, tried, now, |_, _| WHOLE)
        }
    }

    fn choose_by(
        &self,
        counts: &mut [Counts],
        tried: &mut Tried,
        now: Instant,
        share: impl Fn(&PeerSettings<A>, &Counts) -> i64 + Copy,
    ) -> Option<usize> {
        let alone = self.alone();
        let Tried { peers: tried, course } = tried;
        let tried = &*tried;
        let admits = |backup: bool, wanted: PeerState| {
            move |index: usize, settings: &PeerSettings<A>, counts: &Counts| {
                settings.backup == backup
                    && !tried.contains(index)
                    && counts.state(settings, alone, now) == wanted
            }
        };
        let peers = &self.peers;
        let up = admits(false, PeerState::Up);
        // Each of these leaves it to round robin when it finds nobody.
        let by_method = match self.policy.method {
            Method::RoundRobin | Method::LeastConn => None,
            Method::IpHash => hash::address(peers, counts, course, up),
            Method::Hash => hash::plain(peers, counts, course, up),
            Method::ConsistentHash => {
                hash::consistent(peers, counts, &self.ring, course, up, share)
            }
            Method::Random => random(peers, counts, false, course, up),
            Method::RandomTwo => random(peers, counts, true, course, up),
        };
        if by_method.is_some() {
            return by_method;
        }
        for backup in [false, true] {
            let eligible = admits(backup, PeerState::Up);
            let chosen = match self.policy.method {
                Method::LeastConn => least_conn(peers, counts, eligible, share),
                _ => round_robin(peers, counts, eligible, share),
            };
            if chosen.is_some() {
                return chosen;
            }
        }
        [false, true]
            .into_iter()
            .find_map(|backup| longest_untouched(peers, counts, admits(backup, PeerState::Benched)))
    }
}

/// For each peer the first one that has the same server's name.
fn servers<A>(peers: &[PeerSettings<A>]) -> Vec<usize> {
    let mut firsts = HashMap::new();
    let peers = peers.iter().enumerate();
    peers.map(|(index, peer)| *firsts.entry(peer.server.clone()).or_insert(index)).collect()
}

impl<A> Drop for Inner<A> {
    fn drop(&mut self) {
        let mut counts = self.group.lock();
        for peer in &self.peers {
            if let Some(counts) = counts.get_mut(peer.place) {
                counts.users = counts.users.saturating_sub(1);
            }
        }
    }
}
