//! All that is known of the servers of an upstream, for who wants to see it.

use std::collections::HashSet;
use std::hash::Hash;
use std::time::{Duration, Instant};

use super::lease::{Seat, ServerId};
use super::peer::{Counts, PeerSettings, PeerState, WHOLE};
use super::upstream::Upstream;
use super::zone::{Zone, lock};
use crate::observe::Distribution;

/// One server at one moment.
#[derive(Debug)]
pub(crate) struct Report<A> {
    /// Which one.
    pub(crate) server: ServerId,
    /// What the configuration says of it; where it says nothing any more, what it is by default.
    pub(crate) settings: PeerSettings<A>,
    /// What it is good for.
    pub(crate) state: State,
    /// Connections that it holds now.
    pub(crate) active: u32,
    /// Connections that it was given.
    pub(crate) selected: u64,
    /// Answers that were had of it.
    pub(crate) answers: u64,
    /// How often it failed.
    pub(crate) failures: u64,
    /// How long handshakes took.
    pub(crate) handshakes: Distribution,
}

/// What a server is good for, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// It may be picked.
    Up,
    /// It may, by so many thousandths of its weight (`slow_start`).
    Recovering(u16),
    /// It holds as many connections as it may.
    Full,
    /// It failed, for this reason, and is picked only when nobody else is left, for so long.
    Benched(Option<Box<str>>, Duration),
    /// The configuration says that it is not to be picked.
    Down,
    /// It is not to be picked, or not listed any more, and has connections.
    Draining,
}

impl<A: Clone + Eq + Hash> Upstream<A> {
    /// Every server at this moment: those that are listed, in the order written, and those that are
    /// not, but have connections.
    pub(crate) fn report(&self, zone: &Zone<A>, now: Instant) -> Vec<Report<A>> {
        let groups = lock(&zone.groups);
        let counts = self.inner.group.lock();
        let peers = self.inner.peers.iter();
        let listed = peers.filter_map(|peer| {
            let counts = counts.get(peer.place)?;
            let state = self.state(counts, &peer.settings, now);
            Some(self.one(peer.place, counts, peer.settings.clone(), state))
        });
        let mut reports: Vec<_> = listed.collect();
        let known = |place| self.inner.peers.iter().any(|peer| peer.place == place);
        let places = groups.get(self.name()).into_iter().flat_map(|group| &group.places);
        let mut others: Vec<_> = places
            .filter(|(_, place)| !known(**place))
            .filter_map(|((address, _), place)| {
                let counts = counts.get(*place).filter(|counts| counts.active > 0)?;
                let settings = PeerSettings::new(address.clone());
                Some((*place, self.one(*place, counts, settings, State::Draining)))
            })
            .collect();
        others.sort_by_key(|(place, _)| *place);
        reports.extend(others.into_iter().map(|(_, report)| report));
        reports
    }

    fn one(
        &self,
        place: usize,
        counts: &Counts,
        settings: PeerSettings<A>,
        state: State,
    ) -> Report<A> {
        Report {
            server: ServerId::new(&self.inner.group, Seat::new(place, counts)),
            settings,
            state,
            active: counts.active,
            selected: counts.picks,
            answers: counts.answers,
            failures: counts.failures(),
            handshakes: counts.handshakes.read(),
        }
    }

    fn state(&self, counts: &Counts, settings: &PeerSettings<A>, now: Instant) -> State {
        match counts.state(settings, self.inner.alone(), now) {
            PeerState::Down if counts.active > 0 => State::Draining,
            PeerState::Down => State::Down,
            PeerState::Full => State::Full,
            PeerState::Benched => {
                State::Benched(counts.why.clone(), counts.benched_for(settings, now))
            }
            PeerState::Up => match counts.share(settings, now) {
                WHOLE => State::Up,
                parts => State::Recovering(u16::try_from(parts).unwrap_or_default()),
            },
        }
    }
}

impl<A: Clone + Eq + Hash> Zone<A> {
    /// Every server that is counted: what is known elsewhere of others may be forgotten.
    pub(crate) fn servers(&self) -> HashSet<ServerId> {
        let groups = lock(&self.groups);
        let servers = groups.values().flat_map(|directory| {
            let counts = directory.group.lock();
            let id = |place: &usize| {
                let counts = counts.get(*place)?;
                Some(ServerId::new(&directory.group, Seat::new(*place, counts)))
            };
            directory.places.values().filter_map(id).collect::<Vec<_>>()
        });
        servers.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Policy, Tried};
    use super::*;

    fn upstream(
        zone: &Zone<&'static str>,
        peers: Vec<PeerSettings<&'static str>>,
    ) -> Upstream<&'static str> {
        Upstream::new(zone, "u", Policy::default(), peers)
    }

    fn states(
        upstream: &Upstream<&'static str>,
        zone: &Zone<&'static str>,
        now: Instant,
    ) -> Vec<State> {
        upstream.report(zone, now).into_iter().map(|report| report.state).collect()
    }

    #[test]
    fn a_bench_has_a_reason_and_an_end() {
        let (zone, start) = (Zone::new(), Instant::now());
        let [a, b] = ["a", "b"].map(PeerSettings::new);
        let slow = PeerSettings { slow_start: Duration::from_secs(10), ..a };
        let upstream = upstream(&zone, vec![slow, b]);
        let lease = upstream.pick(&mut Tried::default(), start).unwrap();
        lease.failed(start);
        lease.blame("Connection refused");
        drop(lease);
        let later = start + Duration::from_secs(4);
        let benched = State::Benched(Some("Connection refused".into()), Duration::from_secs(6));
        assert_eq!(states(&upstream, &zone, later), [benched, State::Up]);
        let mut tried = Tried::default();
        tried.insert(1);
        let lease = upstream.pick(&mut tried, later).unwrap();
        lease.succeeded();
        lease.opened(Duration::from_millis(3));
        drop((lease, upstream.pick(&mut Tried::default(), later)));
        let half = later + Duration::from_secs(5);
        assert_eq!(states(&upstream, &zone, half), [State::Recovering(500), State::Up]);
        let reports = upstream.report(&zone, half);
        assert_eq!((reports[0].selected, reports[0].answers, reports[0].failures), (2, 1, 1));
        assert_eq!((reports[0].handshakes.count, reports[0].handshakes.sum), (1, 0.003));
    }

    #[test]
    fn whoever_is_listed_no_more_drains() {
        let (zone, now) = (Zone::new(), Instant::now());
        let old = upstream(&zone, vec![PeerSettings::new("a")]);
        let held = old.pick(&mut Tried::default(), now).unwrap().into_held();
        let new = upstream(&zone, vec![PeerSettings::new("b")]);
        drop(old);
        let reports = new.report(&zone, now);
        assert_eq!((reports[1].settings.address, &reports[1].state), ("a", &State::Draining));
        assert_eq!(reports[1].server, held.server());
        let server = held.server();
        assert!(zone.servers().contains(&server));
        drop(held);
        let next = upstream(&zone, vec![PeerSettings::new("c")]);
        assert_eq!(states(&next, &zone, now), [State::Up]);
        assert!(!zone.servers().contains(&server), "whoever has its place is another");
    }
}
