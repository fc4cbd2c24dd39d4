//! One peer: what the configuration says of it, what is counted of it, and when it may be picked.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::observe::{Histogram, Scale};

/// What one generation says of one peer: nginx's `server` inside `upstream`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSettings<A> {
    /// Where it listens.
    pub address: A,
    /// The server that the configuration names, of which this may be one address among several: a
    /// consistent hash goes by it.
    pub server: Box<str>,
    /// `weight=`: its share; 0 counts as 1.
    pub weight: u32,
    /// `max_conns=`: how many connections it takes at most; 0 is no limit.
    pub max_conns: u32,
    /// `max_fails=`: after how many failures it is benched; 0 is never.
    pub max_fails: u32,
    /// `fail_timeout=`: for how long, and the time in which the failures must fall.
    pub fail_timeout: Duration,
    /// `backup`: only when no other peer is eligible.
    pub backup: bool,
    /// `down`: never.
    pub down: bool,
    /// `slow_start=`: how long its weight takes to come back after it was benched; zero is at once.
    pub slow_start: Duration,
}

impl<A> PeerSettings<A> {
    /// A peer with nginx's defaults: weight 1, no limit, benched for 10 s after one failure.
    #[must_use]
    pub fn new(address: A) -> Self {
        Self {
            address,
            server: Box::default(),
            weight: 1,
            max_conns: 0,
            max_fails: 1,
            fail_timeout: Duration::from_secs(10),
            backup: false,
            down: false,
            slow_start: Duration::ZERO,
        }
    }

    pub(super) fn weight(&self) -> u32 {
        self.weight.max(1)
    }
}

/// What a peer is good for at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerState {
    /// It may be picked.
    Up,
    /// It holds `max_conns` connections.
    Full,
    /// It failed `max_fails` times: picked only when no other peer is left, until `fail_timeout`
    /// has passed.
    Benched,
    /// The configuration says `down`.
    Down,
}

/// One peer at one moment, for a status page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSnapshot<A> {
    /// What the configuration says of it.
    pub settings: PeerSettings<A>,
    /// What it is good for.
    pub state: PeerState,
    /// Connections that it holds now, those of earlier generations included.
    pub active: u32,
    /// Failures that count towards `max_fails`.
    pub fails: u32,
    /// Connections that it was given since it was first listed.
    pub picks: u64,
    /// Failures since it was first listed.
    pub failures: u64,
}

/// What is counted of one peer. It outlives the generation that listed it first.
#[derive(Debug)]
pub(super) struct Counts {
    /// Which server it is: no other has the same number.
    number: u32,
    /// Upstreams (one per generation) that list this peer.
    pub(super) users: u32,
    /// Connections held.
    pub(super) active: u32,
    /// Where it stands in smooth weighted round robin.
    pub(super) current_weight: i64,
    /// What failures took off its weight; every pick in which it takes part gives 1 back.
    pub(super) penalty: u32,
    /// Failures that count towards `max_fails`.
    fails: u32,
    /// When the present `fail_timeout` began: at a failure, or at the first pick after the last.
    checked: Option<Instant>,
    /// A pick was made after the last failure whose success proves the peer alive.
    probing: bool,
    /// Whether its weight is coming back since it was benched (`slow_start`).
    recovery: Recovery,
    /// The last failure or the last pick from the bench: the bench is worked through by age.
    pub(super) touched: Option<Instant>,
    /// How many connections it is to lose, so that all have their share.
    pub(super) allowance: u32,
    /// Connections ever given.
    pub(super) picks: u64,
    /// Failures ever seen.
    failures: u64,
    /// Why it failed last.
    pub(super) why: Option<Box<str>>,
    /// Answers ever had of it.
    pub(super) answers: u64,
    /// How long it took from the pick to the answer that opened a tunnel.
    pub(super) handshakes: Histogram,
}

/// The number of the server that was listed last.
static LAST: AtomicU32 = AtomicU32::new(0);

/// How far a peer has come back.
#[derive(Debug, Clone, Copy, Default)]
enum Recovery {
    /// It has all of its weight.
    #[default]
    Whole,
    /// It answered after it was benched; the next pick begins the recovery.
    Due,
    /// Its weight grows since then.
    Since(Instant),
}

/// All of a weight, in the parts that `slow_start` gives back one after another.
pub(super) const WHOLE: i64 = 1000;

impl Counts {
    /// Those of a server of which nothing is counted yet.
    pub(super) fn new() -> Self {
        Self {
            number: LAST.fetch_add(1, Relaxed).wrapping_add(1),
            users: 0,
            active: 0,
            current_weight: 0,
            penalty: 0,
            fails: 0,
            checked: None,
            probing: false,
            recovery: Recovery::default(),
            touched: None,
            allowance: 0,
            picks: 0,
            failures: 0,
            why: None,
            answers: 0,
            handshakes: Histogram::new(&Scale::MOMENTS),
        }
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Whether anybody still needs these counts.
    pub(super) fn in_use(&self) -> bool {
        self.users > 0 || self.active > 0
    }

    /// What the peer is good for. `alone` is for the only peer of an upstream, which nginx never
    /// benches.
    pub(super) fn state<A>(
        &self,
        settings: &PeerSettings<A>,
        alone: bool,
        now: Instant,
    ) -> PeerState {
        if settings.down {
            PeerState::Down
        } else if settings.max_conns > 0 && self.active >= settings.max_conns {
            PeerState::Full
        } else if !alone && self.benched(settings, now) {
            PeerState::Benched
        } else {
            PeerState::Up
        }
    }

    fn benched<A>(&self, settings: &PeerSettings<A>, now: Instant) -> bool {
        settings.max_fails > 0
            && self.fails >= settings.max_fails
            && !self.window_over(settings, now)
    }

    /// How long it is still on the bench.
    pub(super) fn benched_for<A>(&self, settings: &PeerSettings<A>, now: Instant) -> Duration {
        let since = self.checked.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        settings.fail_timeout.saturating_sub(since)
    }

    fn window_over<A>(&self, settings: &PeerSettings<A>, now: Instant) -> bool {
        self.checked
            .is_none_or(|checked| now.saturating_duration_since(checked) > settings.fail_timeout)
    }

    /// Counts a connection that the peer is given now.
    pub(super) fn picked<A>(&mut self, settings: &PeerSettings<A>, now: Instant) {
        if self.benched(settings, now) {
            self.probing = true;
            self.touched = Some(now);
        } else if self.window_over(settings, now) {
            // One live probe: a peer that had failed is benched again until this pick succeeds.
            self.probing = true;
            self.checked = Some(now);
        }
        self.active = self.active.saturating_add(1);
        self.picks += 1;
    }

    /// Counts a failure; true when the peer is benched by it.
    pub(super) fn failed<A>(&mut self, settings: &PeerSettings<A>, now: Instant) -> bool {
        self.fails = self.fails.saturating_add(1);
        self.failures += 1;
        self.checked = Some(now);
        self.touched = Some(now);
        self.probing = false;
        self.recovery = Recovery::Whole;
        if settings.max_fails == 0 {
            return false;
        }
        let weight = settings.weight();
        self.penalty = self.penalty.saturating_add(weight / settings.max_fails).min(weight);
        self.fails >= settings.max_fails
    }

    /// The peer answered. As in nginx that clears its failures when the pick was a probe, so that
    /// one slow answer among many quick ones still counts.
    pub(super) fn succeeded<A>(&mut self, settings: &PeerSettings<A>) {
        self.answers += 1;
        if self.probing {
            self.probing = false;
            if settings.max_fails > 0 && self.fails >= settings.max_fails {
                self.recovery = Recovery::Due;
            }
            self.fails = 0;
        }
    }

    /// It was started anew: what it failed at is forgiven.
    pub(super) fn welcome<A>(&mut self, settings: &PeerSettings<A>) {
        if settings.max_fails > 0 && self.fails >= settings.max_fails {
            self.recovery = Recovery::Due;
        }
        self.fails = 0;
        self.probing = false;
    }

    /// Whether it has not failed, or has answered since.
    pub(super) fn is_sound(&self) -> bool {
        self.fails == 0
    }

    /// The clock of a recovery that is due starts: where there is a `slow_start`, each pick asks.
    pub(super) fn recover(&mut self, now: Instant) {
        if matches!(self.recovery, Recovery::Due) {
            self.recovery = Recovery::Since(now);
        }
    }

    /// How many parts of its weight the peer has.
    pub(super) fn share<A>(&self, settings: &PeerSettings<A>, now: Instant) -> i64 {
        let Recovery::Since(start) = self.recovery else { return WHOLE };
        if settings.slow_start.is_zero() {
            return WHOLE;
        }
        let elapsed = now.saturating_duration_since(start).as_millis();
        let parts =
            elapsed * u128::from(WHOLE.unsigned_abs()) / settings.slow_start.as_millis().max(1);
        i64::try_from(parts).unwrap_or(WHOLE).clamp(1, WHOLE)
    }

    pub(super) fn snapshot<A: Clone>(
        &self,
        settings: &PeerSettings<A>,
        alone: bool,
        now: Instant,
    ) -> PeerSnapshot<A> {
        PeerSnapshot {
            settings: settings.clone(),
            state: self.state(settings, alone, now),
            active: self.active,
            fails: self.fails,
            picks: self.picks,
            failures: self.failures,
        }
    }
}
