//! Letting tunnels go, those of one thread: whom the configuration wants to be empty is left, in the
//! time that it gives, and whoever has too many loses some.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::roster::Roster;
use crate::balance::ServerId;
use crate::net::Addr;
use crate::tunnel::{Ending, Order, Reins};
use crate::upstream::{Group, SharedUpstream, Upstream};

/// How often one looks.
pub(crate) const LOOK: Duration = Duration::from_millis(500);

/// The tunnels of a thread, and what is served.
#[derive(Debug)]
pub(crate) struct Releases {
    roster: Roster,
    /// Where between two of its tunnels' times this thread's are, from 0 to 1: threads take turns.
    phase: f64,
    served: Vec<Group>,
    /// Upstreams that are served no more, as long as they have connections.
    gone: Vec<SharedUpstream>,
    /// Whom tunnels leave.
    left: HashMap<ServerId, Leaving>,
}

/// A server that tunnels leave: since when, and in which time.
#[derive(Debug, Clone, Copy)]
struct Leaving {
    since: Instant,
    over: Duration,
}

impl Releases {
    /// For the thread of this number.
    pub(crate) fn new(number: usize, roster: Roster) -> Self {
        // Multiples of the golden section lie apart from one another, however many there are.
        let number = f64::from(u32::try_from(number).unwrap_or_default());
        let phase = (0.5 + number * 0.618_033_988_75).fract();
        let (served, gone) = (Vec::new(), Vec::new());
        Self { roster, phase, served, gone, left: HashMap::new() }
    }

    /// Something else is served from now on.
    pub(crate) fn serve(&mut self, upstreams: Vec<Group>) {
        let old = std::mem::replace(&mut self.served, upstreams);
        self.gone.extend(old.iter().map(Group::shared).filter(|old| old.release.drain.is_some()));
        let served: Vec<_> = self.served.iter().map(Group::shared).collect();
        let is_gone = |old: &SharedUpstream| {
            served.iter().all(|upstream| !upstream.balance.is_same(&old.balance))
        };
        self.gone.retain(is_gone);
    }

    /// Whether there is nothing to look at again and again.
    pub(crate) fn is_idle(&self) -> bool {
        let mut served = self.served.iter().map(|group| group.current().release);
        self.gone.is_empty() && served.all(|it| it.drain.is_none() && it.rebalance.is_none())
    }

    /// Looks which tunnels should end now.
    pub(crate) fn look(&mut self, now: Instant) {
        self.drain(now);
        for upstream in self.served.iter().map(Group::shared) {
            if let Some(rebalance) = upstream.release.rebalance {
                self.even(&upstream, rebalance.idle, now);
            }
        }
    }

    /// Looks whom tunnels should leave now. Those that are there are told once; who comes later, by
    /// a request that was under way, is told then.
    fn drain(&mut self, now: Instant) {
        self.gone.retain(|upstream| !upstream.balance.occupied().is_empty());
        let leaving = self.leaving();
        let roster = &self.roster;
        self.left.retain(|server, left| {
            // Back, or to be left in another time than they were told.
            let holds = leaving.get(server) == Some(&left.over);
            if !holds {
                let told = roster.select(|its, _| its == *server);
                told.iter().for_each(|reins| reins.keep(Ending::Drained));
            }
            holds
        });
        for (server, over) in leaving {
            let Leaving { since, .. } =
                *self.left.entry(server).or_insert(Leaving { since: now, over });
            let due = roster.select(|its, reins| its == server && reins.order().is_none());
            let rest = (since + over).saturating_duration_since(now);
            spread(&due, Ending::Drained, now, rest, self.phase);
        }
    }

    /// Releases as many tunnels as their upstream wants to lose, those that have been idle for longest.
    fn even(&self, upstream: &Upstream, idle: Duration, now: Instant) {
        for (server, allowance) in upstream.balance.allowances() {
            let is_idle = |reins: &Reins| reins.order().is_none() && reins.idles(now) >= idle;
            let mut tunnels = self.roster.select(|its, reins| its == server && is_idle(reins));
            let found = u32::try_from(tunnels.len()).unwrap_or(u32::MAX);
            let claimed = upstream.balance.claim(server, allowance.min(found));
            tunnels.sort_by_key(|reins| reins.moved());
            tunnels.truncate(usize::try_from(claimed).unwrap_or_default());
            spread(&tunnels, Ending::Rebalanced, now, LOOK, self.phase);
        }
    }

    /// The servers that have connections but should have none, and in which time they lose them. Of
    /// an upstream that is served no more, those stay whom another one lists: it may have been renamed.
    fn leaving(&self) -> HashMap<ServerId, Duration> {
        let served: Vec<_> = self.served.iter().map(Group::shared).collect();
        let mut leaving = HashMap::new();
        for upstream in &served {
            let Some(over) = upstream.release.drain else { continue };
            let left = upstream.balance.occupied().into_iter().filter(|it| !it.stays);
            leaving.extend(left.map(|it| (it.server, over)));
        }
        let is_listed = |addr: &Addr| served.iter().any(|upstream| upstream.balance.gives_to(addr));
        for upstream in &self.gone {
            let Some(over) = upstream.release.drain else { continue };
            let left = upstream.balance.occupied().into_iter();
            let left = left.filter(|it| !it.address.as_ref().is_some_and(is_listed));
            leaving.extend(left.map(|it| (it.server, over)));
        }
        leaving
    }
}

/// Has tunnels end one after another, evenly within this time.
fn spread(tunnels: &[Rc<Reins>], ending: Ending, now: Instant, over: Duration, phase: f64) {
    let number = |n| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let all = number(tunnels.len());
    for (position, tunnel) in tunnels.iter().enumerate() {
        let due = now + over.mul_f64((number(position) + phase) / all);
        tunnel.end(Order { ending, due });
    }
}
