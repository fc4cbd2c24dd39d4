//! The ways of choosing among eligible peers.

use super::peer::{Counts, PeerSettings};
use super::upstream::Peer;

/// nginx's smooth weighted round robin among the peers that `eligible` admits: each gains its
/// weight, the highest wins and pays the sum. 5:1:1 gives a a b a c a a. `share` is what a peer has
/// of its weight at present.
pub(super) fn round_robin<A>(
    peers: &[Peer<A>],
    counts: &mut [Counts],
    eligible: impl Fn(usize, &PeerSettings<A>, &Counts) -> bool,
    share: impl Fn(&PeerSettings<A>, &Counts) -> i64,
) -> Option<usize> {
    let mut total = 0;
    let mut best: Option<(usize, i64)> = None;
    for (index, peer) in peers.iter().enumerate() {
        let Some(counts) = counts.get_mut(peer.place) else { continue };
        if !eligible(index, &peer.settings, counts) {
            continue;
        }
        let weight = i64::from(peer.settings.weight().saturating_sub(counts.penalty));
        let effective = weight * share(&peer.settings, counts);
        counts.penalty = counts.penalty.saturating_sub(1);
        counts.current_weight += effective;
        total += effective;
        if best.is_none_or(|(_, weight)| counts.current_weight > weight) {
            best = Some((index, counts.current_weight));
        }
    }
    let (winner, _) = best?;
    if let Some(counts) = counts.get_mut(peers.get(winner)?.place) {
        counts.current_weight -= total;
    }
    Some(winner)
}

/// nginx's `least_conn`: the fewest connections relative to the weight; several with equally few
/// take turns by [`round_robin`].
pub(super) fn least_conn<A>(
    peers: &[Peer<A>],
    counts: &mut [Counts],
    eligible: impl Fn(usize, &PeerSettings<A>, &Counts) -> bool,
    share: impl Fn(&PeerSettings<A>, &Counts) -> i64,
) -> Option<usize> {
    let load = |settings: &PeerSettings<A>, counts: &Counts| Load {
        active: counts.active,
        weight: i64::from(settings.weight()) * share(settings, counts),
    };
    let mut best: Option<(usize, Load)> = None;
    let mut tie = false;
    for (index, peer) in peers.iter().enumerate() {
        let Some(counts) = counts.get(peer.place) else { continue };
        if !eligible(index, &peer.settings, counts) {
            continue;
        }
        let load = load(&peer.settings, counts);
        match best {
            Some((_, least)) if least.less_than(load) => {}
            Some((_, least)) if !load.less_than(least) => tie = true,
            _ => {
                best = Some((index, load));
                tie = false;
            }
        }
    }
    let (winner, least) = best?;
    if !tie {
        return Some(winner);
    }
    let tied = |index: usize, settings: &PeerSettings<A>, counts: &Counts| {
        !least.less_than(load(settings, counts)) && eligible(index, settings, counts)
    };
    round_robin(peers, counts, tied, &share)
}

/// Connections relative to the weight, compared without dividing.
#[derive(Clone, Copy)]
struct Load {
    active: u32,
    weight: i64,
}

impl Load {
    fn less_than(self, other: Self) -> bool {
        i128::from(self.active) * i128::from(other.weight)
            < i128::from(other.active) * i128::from(self.weight)
    }
}

/// The admitted peer that was longest left alone; in the order written when none ever was tried.
pub(super) fn longest_untouched<A>(
    peers: &[Peer<A>],
    counts: &[Counts],
    eligible: impl Fn(usize, &PeerSettings<A>, &Counts) -> bool,
) -> Option<usize> {
    peers
        .iter()
        .enumerate()
        .filter_map(|(index, peer)| {
            let counts = counts.get(peer.place)?;
            eligible(index, &peer.settings, counts).then_some((counts.touched, index))
        })
        .min()
        .map(|(_, index)| index)
}

/// The peers that are no backups, each with its position.
pub(super) fn primaries<A>(peers: &[Peer<A>]) -> impl Iterator<Item = (usize, &Peer<A>)> {
    peers.iter().enumerate().filter(|(_, peer)| !peer.settings.backup)
}

/// The weights of all of them, those that are down included: so a key stays with its peer.
pub(super) fn total_weight<A>(peers: &[Peer<A>]) -> u64 {
    primaries(peers).map(|(_, peer)| u64::from(peer.settings.weight())).sum::<u64>().max(1)
}

/// The peer at this place when the weights are laid end to end.
pub(super) fn at_weight<A>(peers: &[Peer<A>], mut place: u64) -> Option<usize> {
    for (index, peer) in primaries(peers) {
        match place.checked_sub(u64::from(peer.settings.weight())) {
            Some(rest) => place = rest,
            None => return Some(index),
        }
    }
    None
}
