//! Choosing by a key: `hash`, `hash ... consistent` and `ip_hash`, each the same choice as nginx's.
//!
//! A key that leads to peers that may not be picked is hashed again, 20 times at most; then round
//! robin decides.

use crc32fast::Hasher;

use super::choose::{at_weight, primaries, round_robin, total_weight};
use super::peer::{Counts, PeerSettings};
use super::tried::Course;
use super::upstream::Peer;

/// `hash KEY`: as Cache::Memcached spreads its keys. Each round adds 15 bits of the CRC of its
/// number and the key.
pub(super) fn plain<A>(
    peers: &[Peer<A>],
    counts: &[Counts],
    course: &mut Course,
    eligible: impl Fn(usize, &PeerSettings<A>, &Counts) -> bool,
) -> Option<usize> {
    if course.key.is_empty() || primaries(peers).nth(1).is_none() {
        return None;
    }
    let total = total_weight(peers);
    while course.may_go_on() {
        let mut crc = Hasher::new();
        if course.round > 0 {
            crc.update(course.round.to_string().as_bytes());
        }
        crc.update(&course.key);
        course.hash = course.hash.wrapping_add((crc.finalize() >> 16) & 0x7fff);
        course.round += 1;
        let chosen = at_weight(peers, u64::from(course.hash) % total)?;
        if may(peers, counts, chosen, &eligible) {
            return Some(chosen);
        }
        course.misses += 1;
    }
    None
}

/// `ip_hash`: a polynomial over the octets of the client's network, carried on from round to round.
pub(super) fn address<A>(
    peers: &[Peer<A>],
    counts: &[Counts],
    course: &mut Course,
    eligible: impl Fn(usize, &PeerSettings<A>, &Counts) -> bool,
) -> Option<usize> {
    /// Where nginx's polynomial begins.
    const START: u32 = 89;
    // One alone gets everything.
    primaries(peers).nth(1)?;
    let total = total_weight(peers);
    while course.may_go_on() {
        let before = if course.round == 0 { START } else { course.hash };
        let step = |hash: u32, octet: &u8| (hash * 113 + u32::from(*octet)) % 6271;
        course.hash = course.key.iter().fold(before, step);
        course.round += 1;
        let chosen = at_weight(peers, u64::from(course.hash) % total)?;
        if may(peers, counts, chosen, &eligible) {
            return Some(chosen);
        }
        course.misses += 1;
    }
    None
}

/// `hash KEY consistent`: the next point of the ring has the server. Its addresses, where it has
/// several, take turns.
pub(super) fn consistent<A>(
    peers: &[Peer<A>],
    counts: &mut [Counts],
    ring: &Ring,
    course: &mut Course,
    turn: impl Fn(usize, &PeerSettings<A>, &Counts) -> bool,
    share: impl Fn(&PeerSettings<A>, &Counts) -> i64,
) -> Option<usize> {
    if course.key.is_empty() || primaries(peers).nth(1).is_none() {
        return None;
    }
    if course.round == 0 {
        course.hash = ring.position(crc32fast::hash(&course.key));
        course.round = 1;
    }
    while course.may_go_on() {
        let server = ring.server(course.hash)?;
        let eligible = |index: usize, settings: &PeerSettings<A>, counts: &Counts| {
            peers.get(index).is_some_and(|peer| peer.server == server)
                && turn(index, settings, counts)
        };
        let chosen = round_robin(peers, counts, eligible, &share);
        if chosen.is_some() {
            return chosen;
        }
        course.hash = course.hash.wrapping_add(1);
        course.misses += 1;
    }
    None
}

fn may<A>(
    peers: &[Peer<A>],
    counts: &[Counts],
    index: usize,
    eligible: &impl Fn(usize, &PeerSettings<A>, &Counts) -> bool,
) -> bool {
    peers.get(index).is_some_and(|peer| {
        counts.get(peer.place).is_some_and(|counts| eligible(index, &peer.settings, counts))
    })
}

/// The points of a consistent hash, sorted: ketama's, spelt as Cache::Memcached::Fast spells them.
#[derive(Debug)]
pub(super) struct Ring {
    /// The point, and the number of the server that has it.
    points: Box<[(u32, usize)]>,
}

/// Points for each unit of weight.
const POINTS: u32 = 160;

impl Ring {
    /// The ring of these servers: number, name and weight of each.
    pub(super) fn new<'a>(servers: impl Iterator<Item = (usize, &'a str, u32)>) -> Self {
        let mut points = Vec::new();
        for (server, name, weight) in servers {
            let (host, port) = host_and_port(name);
            let mut base = Hasher::new();
            base.update(host.as_bytes());
            base.update(&[0]);
            base.update(port.as_bytes());
            let mut point = 0u32;
            for _ in 0..weight.saturating_mul(POINTS) {
                let mut crc = base.clone();
                crc.update(&point.to_le_bytes());
                point = crc.finalize();
                points.push((point, server));
            }
        }
        points.sort_by_key(|(point, _)| *point);
        points.dedup_by_key(|(point, _)| *point);
        Self { points: points.into() }
    }

    /// The position of the first point that is not before this hash.
    fn position(&self, hash: u32) -> u32 {
        let position = self.points.partition_point(|(point, _)| *point < hash);
        u32::try_from(position).unwrap_or(u32::MAX)
    }

    /// The server at a position, counted round and round.
    fn server(&self, position: u32) -> Option<usize> {
        let position = usize::try_from(position).ok()?.checked_rem(self.points.len())?;
        self.points.get(position).map(|(_, server)| *server)
    }
}

/// A server's name taken apart where nginx does: a path has no port, and neither has a name
/// without one.
fn host_and_port(name: &str) -> (&str, &str) {
    if let Some(path) = name.get(..5).filter(|start| start.eq_ignore_ascii_case("unix:")) {
        return (name.get(path.len()..).unwrap_or_default(), "");
    }
    match name.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (name, ""),
    }
}
