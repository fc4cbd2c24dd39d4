//! The ways of choosing among eligible peers.

use super::peer::{Counts, PeerSettings};
use super::upstream::Peer;

/// nginx's smooth weighted round robin among the peers that `eligible` admits: each gains its
/// weight, the highest wins and pays the sum. 5:1:1 gives a a b a c a a.
pub(super) fn round_robin<A>(
    peers: &[Peer<A>],
    counts: &mut [Counts],
    eligible: impl Fn(usize, &PeerSettings<A>, &Counts) -> bool,
) -> Option<usize> {
    let mut total = 0;
    let mut best: Option<(usize, i64)> = None;
    for (index, peer) in peers.iter().enumerate() {
        let Some(counts) = counts.get_mut(peer.place) else { continue };
        if !eligible(index, &peer.settings, counts) {
            continue;
        }
        let effective = i64::from(peer.settings.weight().saturating_sub(counts.penalty));
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
) -> Option<usize> {
    let mut best: Option<(usize, Load)> = None;
    let mut tie = false;
    for (index, peer) in peers.iter().enumerate() {
        let Some(counts) = counts.get(peer.place) else { continue };
        if !eligible(index, &peer.settings, counts) {
            continue;
        }
        let load = Load { active: counts.active, weight: peer.settings.weight() };
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
    round_robin(peers, counts, |index, settings, counts| {
        let load = Load { active: counts.active, weight: settings.weight() };
        !least.less_than(load) && eligible(index, settings, counts)
    })
}

/// Connections relative to the weight, compared without dividing.
#[derive(Clone, Copy)]
struct Load {
    active: u32,
    weight: u32,
}

impl Load {
    fn less_than(self, other: Self) -> bool {
        u64::from(self.active) * u64::from(other.weight)
            < u64::from(other.active) * u64::from(self.weight)
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
