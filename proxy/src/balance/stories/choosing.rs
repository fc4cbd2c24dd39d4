//! Who is chosen while all are well.

use super::*;

#[test]
fn forty_held_connections_spread_evenly_over_four_peers() {
    let upstream = upstream(LEAST_CONN, vec![peer("a"), peer("b"), peer("c"), peer("d")]);
    let now = Instant::now();
    let _held: Vec<_> = (0..40).map(|_| pick(&upstream, now).unwrap()).collect();
    assert_eq!(active(&upstream), [10, 10, 10, 10]);
}

#[test]
fn held_connections_follow_the_weights() {
    let upstream = upstream(LEAST_CONN, vec![weighted("a", 3), weighted("b", 1)]);
    let now = Instant::now();
    let _held: Vec<_> = (0..40).map(|_| pick(&upstream, now).unwrap()).collect();
    assert_eq!(active(&upstream), [30, 10]);
}

#[test]
fn least_conn_fills_the_emptier_peer_first() {
    let upstream = upstream(LEAST_CONN, vec![peer("a"), peer("b")]);
    let now = Instant::now();
    let mut held: Vec<_> = (0..10).map(|_| pick(&upstream, now).unwrap()).collect();
    held.retain(|lease| *lease.address() == "a");
    assert_eq!(active(&upstream), [5, 0]);
    held.extend((0..5).map(|_| pick(&upstream, now).unwrap()));
    assert_eq!(active(&upstream), [5, 5]);
}

#[test]
fn peers_that_are_equally_idle_take_turns() {
    let upstream = upstream(LEAST_CONN, vec![peer("a"), peer("b"), peer("c")]);
    assert_eq!(sequence(&upstream, 7), ["a", "b", "c", "a", "b", "c", "a"]);
}

#[test]
fn round_robin_is_as_smooth_as_nginx() {
    let peers = vec![weighted("a", 5), weighted("b", 1), weighted("c", 1)];
    let upstream = upstream(ROUND_ROBIN, peers);
    let expected = ["a", "a", "b", "a", "c", "a", "a", "a", "a", "b", "a", "c", "a", "a"];
    assert_eq!(sequence(&upstream, 14), expected);
}

#[test]
fn ties_between_weighted_peers_follow_the_weights_too() {
    let peers = vec![weighted("a", 5), weighted("b", 1), weighted("c", 1)];
    let upstream = upstream(LEAST_CONN, peers);
    assert_eq!(sequence(&upstream, 7), ["a", "a", "b", "a", "c", "a", "a"]);
}

#[test]
fn a_full_peer_takes_no_more_until_one_leaves() {
    let peers = vec![PeerSettings { max_conns: 1, ..peer("a") }, peer("b")];
    let upstream = upstream(ROUND_ROBIN, peers);
    let now = Instant::now();
    let full = pick(&upstream, now).unwrap();
    assert_eq!(*full.address(), "a");
    assert_eq!(states(&upstream, now), [PeerState::Full, PeerState::Up]);
    assert_eq!(sequence(&upstream, 3), ["b", "b", "b"]);
    drop(full);
    assert!(sequence(&upstream, 2).contains(&"a"));
}

#[test]
fn a_peer_that_is_down_is_never_picked() {
    let upstream = upstream(LEAST_CONN, vec![PeerSettings { down: true, ..peer("a") }, peer("b")]);
    let now = Instant::now();
    let mut tried = Tried::default();
    assert_eq!(*upstream.pick(&mut tried, now).unwrap().address(), "b");
    assert!(upstream.pick(&mut tried, now).is_none());
}

#[test]
fn backups_wait_until_no_other_peer_is_eligible() {
    let upstream = upstream(ROUND_ROBIN, vec![backup("spare"), peer("a"), peer("b")]);
    assert_eq!(sequence(&upstream, 4), ["a", "b", "a", "b"]);
    let now = Instant::now();
    let mut tried = Tried::default();
    let order: Vec<_> =
        (0..3).map(|_| *upstream.pick(&mut tried, now).unwrap().address()).collect();
    assert_eq!(order, ["a", "b", "spare"]);
}

#[test]
fn a_retry_goes_to_another_peer_until_none_is_left() {
    let upstream = upstream(LEAST_CONN, vec![peer("a"), peer("b")]);
    let now = Instant::now();
    let mut tried = Tried::default();
    assert_eq!(*upstream.pick(&mut tried, now).unwrap().address(), "a");
    assert_eq!(*upstream.pick(&mut tried, now).unwrap().address(), "b");
    assert!(upstream.pick(&mut tried, now).is_none());
    assert_eq!(active(&upstream), [0, 0]);
}

#[test]
fn an_upstream_without_peers_gives_nothing() {
    assert!(pick(&upstream(LEAST_CONN, vec![]), Instant::now()).is_none());
}
