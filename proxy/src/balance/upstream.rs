//! One upstream of one generation: the door through which connections are given out.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Instant;

use super::choose::{least_conn, longest_untouched, round_robin};
use super::lease::{Held, Lease};
use super::peer::{Counts, PeerSettings, PeerSnapshot, PeerState};
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
}

/// One upstream of one generation. Cloning it makes another handle.
#[derive(Debug)]
pub struct Upstream<A> {
    inner: Arc<Inner<A>>,
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
}

#[derive(Debug)]
pub(super) struct Inner<A> {
    name: Box<str>,
    policy: Policy,
    pub(super) group: Arc<Group>,
    pub(super) peers: Vec<Peer<A>>,
}

impl<A: Clone + Eq + Hash> Upstream<A> {
    /// Enters an upstream's peers into the zone. The zone's counts of the same addresses under the
    /// same name go on; nothing else changes until somebody picks.
    #[must_use]
    pub fn new(zone: &Zone<A>, name: &str, policy: Policy, peers: Vec<PeerSettings<A>>) -> Self {
        let (group, places) = zone.enter(name, peers.iter().map(|peer| &peer.address));
        let peers = peers
            .into_iter()
            .zip(places)
            .map(|(settings, place)| Peer { settings, place })
            .collect();
        Self { inner: Arc::new(Inner { name: name.into(), policy, group, peers }) }
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
        let (index, place, benched) = {
            let mut counts = inner.group.lock();
            let index = inner.choose(&mut counts, tried, now)?;
            let peer = inner.peers.get(index)?;
            let counts = counts.get_mut(peer.place)?;
            let benched = counts.state(&peer.settings, inner.alone(), now) == PeerState::Benched;
            counts.picked(&peer.settings, now);
            (index, peer.place, benched)
        };
        tried.insert(index);
        let held = Held::new(Arc::clone(&inner.group), place);
        Some(Lease::new(held, Arc::clone(inner), index, benched))
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

    fn choose(&self, counts: &mut [Counts], tried: &Tried, now: Instant) -> Option<usize> {
        let alone = self.alone();
        let admits = |backup: bool, wanted: PeerState| {
            move |index: usize, settings: &PeerSettings<A>, counts: &Counts| {
                settings.backup == backup
                    && !tried.contains(index)
                    && counts.state(settings, alone, now) == wanted
            }
        };
        for backup in [false, true] {
            let eligible = admits(backup, PeerState::Up);
            let chosen = match self.policy.method {
                Method::RoundRobin => round_robin(&self.peers, counts, eligible),
                Method::LeastConn => least_conn(&self.peers, counts, eligible),
            };
            if chosen.is_some() {
                return chosen;
            }
        }
        [false, true].into_iter().find_map(|backup| {
            longest_untouched(&self.peers, counts, admits(backup, PeerState::Benched))
        })
    }
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
