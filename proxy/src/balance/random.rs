//! Choosing at random by weight: `random`, and `random two`, the less busy of two.

use super::choose::{at_weight, primaries, total_weight};
use super::peer::{Counts, PeerSettings};
use super::tried::Course;
use super::upstream::Peer;

/// A peer at random; with `two`, the one of two different ones that has fewer connections relative
/// to its weight. After 20 draws in vain round robin decides.
pub(super) fn random<A>(
    peers: &[Peer<A>],
    counts: &[Counts],
    two: bool,
    course: &mut Course,
    eligible: impl Fn(usize, &PeerSettings<A>, &Counts) -> bool,
) -> Option<usize> {
    // One alone gets everything.
    primaries(peers).nth(1)?;
    let total = total_weight(peers);
    let mut first: Option<usize> = None;
    while course.may_go_on() {
        let drawn = at_weight(peers, rand::random_range(0..total))?;
        let peer = peers.get(drawn)?;
        if first == Some(drawn) || !eligible(drawn, &peer.settings, counts.get(peer.place)?) {
            course.misses += 1;
            continue;
        }
        match first {
            Some(first) => return less_busy(peers, counts, first, drawn),
            None if two => first = Some(drawn),
            None => return Some(drawn),
        }
    }
    None
}

/// The second unless the first is less busy.
fn less_busy<A>(
    peers: &[Peer<A>],
    counts: &[Counts],
    first: usize,
    second: usize,
) -> Option<usize> {
    let load = |index: usize| {
        let peer = peers.get(index)?;
        let active = counts.get(peer.place)?.active;
        Some((u64::from(active), u64::from(peer.settings.weight())))
    };
    let ((one, its_weight), (other, other_weight)) = (load(first)?, load(second)?);
    Some(if other * its_weight > one * other_weight { first } else { second })
}
