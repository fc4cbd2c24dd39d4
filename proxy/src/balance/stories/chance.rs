//! `random`: bounds that chance keeps.

use super::*;

const RANDOM: Policy = Policy { method: Method::Random };
const TWO: Policy = Policy { method: Method::RandomTwo };

#[test]
fn chance_follows_the_weights() {
    let upstream = upstream(RANDOM, vec![weighted("a", 3), weighted("b", 1)]);
    let to_a = sequence(&upstream, 10_000).iter().filter(|address| **address == "a").count();
    // More than ten standard deviations on both sides.
    assert!((7000..=8000).contains(&to_a), "{to_a} of 10000");
}

#[test]
fn the_less_busy_of_two_keeps_held_connections_even() {
    let peers = vec![peer("a"), peer("b"), peer("c"), peer("d")];
    let upstream = upstream(TWO, peers);
    let now = Instant::now();
    let _held: Vec<_> = (0..400).map(|_| pick(&upstream, now).unwrap()).collect();
    assert!(active(&upstream).iter().all(|held| (90..=110).contains(held)), "{upstream:?}");
}

#[test]
fn of_two_peers_two_is_least_conn() {
    let upstream = upstream(TWO, vec![weighted("a", 3), weighted("b", 1)]);
    let now = Instant::now();
    let _held: Vec<_> = (0..40).map(|_| pick(&upstream, now).unwrap()).collect();
    let held = active(&upstream);
    assert!((29..=31).contains(&held[0]), "{held:?}");
}

#[test]
fn who_is_down_full_or_tried_is_not_drawn() {
    for policy in [RANDOM, TWO] {
        let peers = vec![
            PeerSettings { down: true, ..weighted("down", 50) },
            PeerSettings { max_conns: 1, ..peer("one") },
            peer("a"),
            peer("b"),
        ];
        let upstream = upstream(policy, peers);
        let now = Instant::now();
        let mut tried = Tried::default();
        let mut order: Vec<_> =
            (0..3).map(|_| *upstream.pick(&mut tried, now).unwrap().address()).collect();
        order.sort_unstable();
        assert_eq!(order, ["a", "b", "one"]);
        assert!(upstream.pick(&mut tried, now).is_none());
    }
}
