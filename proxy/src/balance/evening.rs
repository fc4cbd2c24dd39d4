//! Evening out: how many connections each server should lose so that all have their share.
//!
//! A server that comes back is empty, and connections that last for days stay where they are. So
//! some of those on the fullest servers are released; their clients come back, and are given to
//! whoever has the fewest. Nobody here knows when they come back, or whether they do: what may be
//! released is settled once, at the start, and afterwards there is a rest in which it shows what
//! came of it.

use std::time::{Duration, Instant};

use super::choose::primaries;
use super::lease::{Seat, ServerId};
use super::peer::PeerState;
use super::upstream::Upstream;
use super::zone::lock;

/// How long the counts are apart before that is taken to stay so.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long whoever was released has time to come back.
const REST: Duration = Duration::from_secs(10);

/// How long nobody may be found who can be released.
const STUCK: Duration = Duration::from_secs(30);

/// How often a rest doubles at most while releasing changes nothing.
const DOUBLINGS: u32 = 8;

/// A minute, in the unit of time in which rates are counted.
const MINUTE: u64 = 60_000;

/// When an upstream evens out, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebalance {
    /// How far from its share a server may be, in percent of the share.
    pub threshold: u32,
    /// How many connections are released in a minute at most.
    pub per_minute: u32,
}

/// What one server has.
#[derive(Debug, Clone, Copy)]
struct Load {
    place: usize,
    active: u32,
    weight: u64,
    /// `max_conns`
    most: Option<u32>,
}

/// How far an upstream is with evening out.
#[derive(Debug, Default)]
pub(super) struct Evening {
    phase: Phase,
    /// How often in a row releasing changed little.
    futile: u32,
}

#[derive(Debug, Default)]
enum Phase {
    /// All have about their share.
    #[default]
    Even,
    /// They have not, since then.
    Apart(Instant),
    /// Connections are being released.
    Moving(Moving),
    /// Those may come back that were; so many were missing elsewhere before. None when nobody was
    /// found who could be released.
    Resting { until: Instant, missing: Option<u64> },
}

#[derive(Debug)]
struct Moving {
    servers: Vec<Mover>,
    missing: u64,
    /// What may be released by now, in the unit of which a connection is one [`MINUTE`].
    credit: u64,
    last: Instant,
    /// When something was released last, and whether anything was.
    progress: Instant,
    released: bool,
}

/// A server that has too many.
#[derive(Debug)]
struct Mover {
    place: usize,
    /// How many it may still lose.
    left: u32,
    /// How many of them it may lose now.
    allowed: u32,
}

impl<A> Upstream<A> {
    /// Looks at the counts and settles how many connections each server may lose until the next
    /// look, which is to come within a second or so. Those that are down or full, or have failed
    /// and not answered since, neither give nor take; nor do backups. Says how many are too many when
    /// it begins to release them.
    pub fn rebalance(&self, settings: Rebalance, now: Instant) -> Option<u32> {
        let inner = &self.inner;
        let mut evening = lock(&inner.group.evening);
        let mut counts = inner.group.lock();
        let loads = primaries(&inner.peers).filter_map(|(_, peer)| {
            let counts = counts.get_mut(peer.place)?;
            counts.recover(now);
            let state = counts.state(&peer.settings, inner.alone(), now);
            let takes = matches!(state, PeerState::Up | PeerState::Full) && counts.is_sound();
            let share = counts.share(&peer.settings, now).unsigned_abs();
            takes.then_some(Load {
                place: peer.place,
                active: counts.active,
                weight: u64::from(peer.settings.weight()) * share,
                most: (peer.settings.max_conns > 0).then_some(peer.settings.max_conns),
            })
        });
        let loads: Vec<_> = loads.collect();
        let unclaimed = |place: usize| counts.get(place).map_or(0, |counts| counts.allowance);
        let moving = evening.is_moving();
        evening.decide(settings, &loads, unclaimed, now);
        for (place, counts) in counts.iter_mut().enumerate() {
            counts.allowance = evening.allowance(place);
        }
        if moving { None } else { evening.too_many() }
    }

    /// The servers that are to lose connections now, and how many.
    #[must_use]
    pub fn allowances(&self) -> Vec<(ServerId, u32)> {
        let group = &self.inner.group;
        let counts = group.lock();
        let some = counts.iter().enumerate().filter(|(_, counts)| counts.allowance > 0);
        let id = |place, counts| ServerId::new(group, Seat::new(place, counts));
        some.map(|(place, counts)| (id(place, counts), counts.allowance)).collect()
    }

    /// Takes so many of a server's allowance, or what is left of it: whoever does so releases as
    /// many of its connections.
    #[must_use]
    pub fn claim(&self, server: ServerId, wanted: u32) -> u32 {
        let group = &self.inner.group;
        let Some(place) = server.place_in(group) else { return 0 };
        let mut counts = group.lock();
        let Some(counts) = counts.get_mut(place) else { return 0 };
        let taken = wanted.min(counts.allowance);
        counts.allowance -= taken;
        taken
    }
}

impl Evening {
    fn is_moving(&self) -> bool {
        matches!(self.phase, Phase::Moving(_))
    }

    /// How many are still to be released.
    fn too_many(&self) -> Option<u32> {
        let Phase::Moving(moving) = &self.phase else { return None };
        Some(moving.servers.iter().map(|mover| mover.left).sum())
    }

    fn allowance(&self, place: usize) -> u32 {
        let Phase::Moving(moving) = &self.phase else { return 0 };
        let mover = moving.servers.iter().find(|mover| mover.place == place);
        mover.map_or(0, |mover| mover.allowed)
    }

    fn decide(
        &mut self,
        settings: Rebalance,
        loads: &[Load],
        unclaimed: impl Fn(usize) -> u32,
        now: Instant,
    ) {
        let shares = shares(loads);
        let missing = missing(loads, &shares);
        let apart = are_apart(loads, &shares, settings.threshold);
        let phase = std::mem::take(&mut self.phase);
        self.phase = match phase {
            Phase::Moving(mut moving) => {
                moving.note(unclaimed, now);
                moving.allow(settings, loads, &shares, now);
                if moving.goes_on(now) {
                    Phase::Moving(moving)
                } else {
                    let until = now + REST * (1 << self.futile.min(DOUBLINGS));
                    let missing = moving.released.then_some(moving.missing);
                    Phase::Resting { until, missing }
                }
            }
            Phase::Resting { until, missing } if now < until => Phase::Resting { until, missing },
            _ if !apart => {
                self.futile = 0;
                Phase::Even
            }
            Phase::Resting { missing: before, .. } => {
                let helped = before.is_none_or(|before| missing * 2 <= before);
                self.futile = if helped { 0 } else { self.futile.saturating_add(1) };
                Phase::Apart(now)
            }
            Phase::Even => Phase::Apart(now),
            Phase::Apart(since) if now.saturating_duration_since(since) < PATIENCE => {
                Phase::Apart(since)
            }
            Phase::Apart(_) => Phase::Moving(Moving::new(loads, &shares, missing, now)),
        };
    }
}

impl Moving {
    fn new(loads: &[Load], shares: &[u64], missing: u64, now: Instant) -> Self {
        let movers = loads.iter().zip(shares).map(|(load, share)| Mover {
            place: load.place,
            left: excess(load, *share),
            allowed: 0,
        });
        let servers = movers.filter(|mover| mover.left > 0).collect();
        Self { servers, missing, credit: 0, last: now, progress: now, released: false }
    }

    /// Counts what was released since the last look.
    fn note(&mut self, unclaimed: impl Fn(usize) -> u32, now: Instant) {
        for mover in &mut self.servers {
            let released = mover.allowed.saturating_sub(unclaimed(mover.place));
            mover.left = mover.left.saturating_sub(released);
            mover.allowed = 0;
            self.credit = self.credit.saturating_sub(u64::from(released) * MINUTE);
            if released > 0 {
                (self.progress, self.released) = (now, true);
            }
        }
    }

    /// Says what may be released until the next look: from those first that have the most to lose.
    fn allow(&mut self, settings: Rebalance, loads: &[Load], shares: &[u64], now: Instant) {
        let rate = u64::from(settings.per_minute);
        let elapsed = now.saturating_duration_since(self.last).as_millis();
        self.last = now;
        // A second's worth at most, or one.
        let most = (rate * 1000).max(MINUTE);
        let gained = rate.saturating_mul(u64::try_from(elapsed).unwrap_or(u64::MAX));
        self.credit = self.credit.saturating_add(gained).min(most);
        for mover in &mut self.servers {
            let mut now_there = loads.iter().zip(shares);
            let its = now_there.find(|(load, _)| load.place == mover.place);
            // One that can take none may lose none either: it is about to lose them all.
            let excess = its.map_or(0, |(load, share)| excess(load, *share));
            mover.left = mover.left.min(excess);
        }
        for _ in 0..self.credit / MINUTE {
            let fullest = self.servers.iter_mut().max_by_key(|mover| mover.left - mover.allowed);
            match fullest.filter(|mover| mover.allowed < mover.left) {
                Some(mover) => mover.allowed += 1,
                None => break,
            }
        }
    }

    fn goes_on(&self, now: Instant) -> bool {
        self.servers.iter().any(|mover| mover.left > 0)
            && now.saturating_duration_since(self.progress) < STUCK
    }
}

/// How many each of them should have, by weight and within `max_conns`; as they are where all
/// together may not have as many as there are.
fn shares(loads: &[Load]) -> Vec<u64> {
    let total: u64 = loads.iter().map(|load| u64::from(load.active)).sum();
    // What is settled: who would have more than it may has what it may.
    let mut settled: Vec<Option<u64>> = vec![None; loads.len()];
    let (rest, weights) = loop {
        let rest = total.saturating_sub(settled.iter().flatten().sum::<u64>());
        let open = loads.iter().zip(&settled).filter(|(_, settled)| settled.is_none());
        let weights: u64 = open.map(|(load, _)| load.weight).sum();
        if weights == 0 {
            return loads.iter().map(|load| u64::from(load.active)).collect();
        }
        let mut changed = false;
        for (load, settled) in loads.iter().zip(&mut settled) {
            let most = load.most.map(u64::from).filter(|most| {
                u128::from(rest) * u128::from(load.weight) > u128::from(*most) * u128::from(weights)
            });
            if settled.is_none() && most.is_some() {
                (*settled, changed) = (most, true);
            }
        }
        if !changed {
            break (rest, weights);
        }
    };
    let whole = |load: &Load| {
        let share = u128::from(rest) * u128::from(load.weight) / u128::from(weights);
        u64::try_from(share).unwrap_or(u64::MAX)
    };
    let mut shares: Vec<u64> =
        loads.iter().zip(&settled).map(|(load, settled)| settled.unwrap_or(whole(load))).collect();
    // What dividing left over stays with those that have the most.
    let mut over = total.saturating_sub(shares.iter().sum::<u64>());
    let mut order: Vec<_> = loads.iter().zip(&mut shares).zip(&settled).collect();
    order.sort_by_key(|((load, share), _)| {
        std::cmp::Reverse(i128::from(load.active) - i128::from(**share))
    });
    for ((load, share), settled) in order {
        let may = load.most.is_none_or(|most| *share < u64::from(most));
        if over > 0 && may && settled.is_none() {
            *share += 1;
            over -= 1;
        }
    }
    shares
}

/// How many a server has above its share.
fn excess(load: &Load, share: u64) -> u32 {
    u32::try_from(u64::from(load.active).saturating_sub(share)).unwrap_or(u32::MAX)
}

/// How many are missing where there are too few.
fn missing(loads: &[Load], shares: &[u64]) -> u64 {
    let pairs = loads.iter().zip(shares);
    pairs.map(|(load, share)| share.saturating_sub(u64::from(load.active))).sum()
}

/// Whether a server is further from its share than it may be: by two connections at least.
fn are_apart(loads: &[Load], shares: &[u64], threshold: u32) -> bool {
    loads.iter().zip(shares).any(|(load, share)| {
        let distance = u64::from(load.active).abs_diff(*share);
        distance >= 2 && u128::from(distance) * 100 > u128::from(*share) * u128::from(threshold)
    })
}
