//! Peers that fail, and the bench.

use super::*;

#[test]
fn a_peer_that_fails_is_benched_and_probed_once_after_its_timeout() {
    let upstream = upstream(ROUND_ROBIN, vec![peer("a"), peer("b")]);
    let start = Instant::now();
    let lease = pick(&upstream, start).unwrap();
    assert_eq!(*lease.address(), "a");
    assert!(lease.failed(start), "max_fails=1 benches at the first failure");
    assert_eq!(states(&upstream, start), [PeerState::Benched, PeerState::Up]);
    assert_eq!(sequence(&upstream, 3), ["b", "b", "b"]);

    let later = start + seconds(11);
    let picks: Vec<_> = (0..6).map(|_| pick(&upstream, later).unwrap()).collect();
    let probes: Vec<_> = picks.iter().filter(|lease| *lease.address() == "a").collect();
    assert_eq!(probes.len(), 1, "one live probe while it has not answered");
    probes[0].succeeded();
    assert_eq!(states(&upstream, later), [PeerState::Up, PeerState::Up]);
}

#[test]
fn a_probe_that_fails_benches_for_another_timeout() {
    let upstream = upstream(ROUND_ROBIN, vec![peer("a"), peer("b")]);
    let start = Instant::now();
    pick(&upstream, start).unwrap().failed(start);
    let later = start + seconds(11);
    let mut picks = (0..4).map(|_| pick(&upstream, later).unwrap());
    picks.find(|lease| *lease.address() == "a").unwrap().failed(later);
    let benched = [PeerState::Benched, PeerState::Up];
    assert_eq!(states(&upstream, later + seconds(10)), benched);
}

#[test]
fn a_peer_may_fail_less_often_than_max_fails() {
    let peers = vec![PeerSettings { max_fails: 3, ..peer("a") }, peer("b")];
    let upstream = upstream(ROUND_ROBIN, peers);
    let now = Instant::now();
    let lease = pick(&upstream, now).unwrap();
    assert_eq!(*lease.address(), "a");
    assert!(!lease.failed(now));
    assert!(!lease.failed(now));
    assert_eq!(states(&upstream, now), [PeerState::Up, PeerState::Up]);
    assert!(lease.failed(now));
    assert_eq!(states(&upstream, now), [PeerState::Benched, PeerState::Up]);
}

#[test]
fn failures_of_long_ago_are_forgiven_by_a_success() {
    let peers = vec![PeerSettings { max_fails: 2, ..peer("a") }, peer("b")];
    let upstream = upstream(ROUND_ROBIN, peers);
    let start = Instant::now();
    let lease = pick(&upstream, start).unwrap();
    lease.failed(start);
    lease.succeeded();
    assert_eq!(upstream.snapshot(start)[0].fails, 1, "within fail_timeout it still counts");
    let later = start + seconds(11);
    let _b = pick(&upstream, later).unwrap();
    let lease = pick(&upstream, later).unwrap();
    assert_eq!(*lease.address(), "a");
    lease.succeeded();
    assert_eq!(upstream.snapshot(later)[0].fails, 0);
}

#[test]
fn max_fails_zero_never_benches() {
    let peers = vec![PeerSettings { max_fails: 0, ..peer("a") }, peer("b")];
    let upstream = upstream(ROUND_ROBIN, peers);
    let now = Instant::now();
    let lease = pick(&upstream, now).unwrap();
    for _ in 0..9 {
        assert!(!lease.failed(now));
    }
    assert_eq!(states(&upstream, now), [PeerState::Up, PeerState::Up]);
}

#[test]
fn the_only_peer_is_never_benched() {
    let upstream = upstream(LEAST_CONN, vec![peer("a")]);
    let now = Instant::now();
    assert!(!pick(&upstream, now).unwrap().failed(now));
    assert_eq!(states(&upstream, now), [PeerState::Up]);
    assert_eq!(sequence(&upstream, 2), ["a", "a"]);
}

#[test]
fn a_failure_lowers_the_weight_and_picks_bring_it_back() {
    let peers = vec![PeerSettings { weight: 4, max_fails: 2, ..peer("a") }, peer("b")];
    let upstream = upstream(ROUND_ROBIN, peers);
    let now = Instant::now();
    let lease = pick(&upstream, now).unwrap();
    lease.failed(now);
    drop(lease);
    let after: Vec<_> = sequence(&upstream, 5);
    assert_eq!(after.iter().filter(|address| **address == "a").count(), 3, "{after:?}");
    let recovered: Vec<_> = sequence(&upstream, 10);
    assert_eq!(recovered.iter().filter(|address| **address == "a").count(), 8);
}

#[test]
fn when_all_are_benched_one_that_is_back_is_found_within_the_request() {
    let upstream = upstream(LEAST_CONN, vec![peer("a"), peer("b"), peer("c"), peer("d")]);
    let start = Instant::now();
    // A rolling restart: every worker refuses once, a second apart.
    for second in 0..4 {
        let now = start + seconds(second);
        pick(&upstream, now).unwrap().failed(now);
    }
    let now = start + seconds(4);
    assert_eq!(states(&upstream, now), [PeerState::Benched; 4]);

    // Only c is back. One request goes through the bench, the oldest failure first.
    let mut tried = Tried::default();
    for expected in ["a", "b"] {
        let lease = upstream.pick(&mut tried, now).unwrap();
        assert_eq!(*lease.address(), expected);
        lease.failed(now);
    }
    let lease = upstream.pick(&mut tried, now).unwrap();
    assert_eq!(*lease.address(), "c");
    lease.succeeded();

    let (up, benched) = (PeerState::Up, PeerState::Benched);
    assert_eq!(states(&upstream, now), [benched, benched, up, benched]);
    assert_eq!(sequence(&upstream, 3), ["c", "c", "c"], "who answers is back at once");
}

#[test]
fn requests_share_the_bench_out() {
    let upstream = upstream(LEAST_CONN, vec![peer("a"), peer("b"), peer("c")]);
    let start = Instant::now();
    for _ in 0..3 {
        pick(&upstream, start).unwrap().failed(start);
    }
    let waiting: Vec<_> =
        (1..=6).map(|second| pick(&upstream, start + seconds(second)).unwrap()).collect();
    let order: Vec<_> = waiting.iter().map(|lease| *lease.address()).collect();
    assert_eq!(order, ["a", "b", "c", "a", "b", "c"], "nobody queues behind one that hangs");
}

#[test]
fn backups_come_before_the_bench_and_the_bench_before_giving_up() {
    let upstream = upstream(LEAST_CONN, vec![peer("a"), peer("b"), backup("spare")]);
    let now = Instant::now();
    for _ in 0..2 {
        pick(&upstream, now).unwrap().failed(now);
    }
    let mut tried = Tried::default();
    let order: Vec<_> = std::iter::from_fn(|| upstream.pick(&mut tried, now))
        .map(|lease| *lease.address())
        .collect();
    assert_eq!(order, ["spare", "a", "b"]);
}

#[test]
fn the_bench_respects_max_conns() {
    let peers = vec![PeerSettings { max_conns: 1, ..peer("a") }, backup("spare")];
    let upstream = upstream(LEAST_CONN, peers);
    let now = Instant::now();
    let lease = pick(&upstream, now).unwrap();
    lease.failed(now);
    let spare = pick(&upstream, now).unwrap();
    spare.failed(now);
    assert_eq!(*pick(&upstream, now).unwrap().address(), "spare", "a is full");
    drop(lease);
    assert_eq!(*pick(&upstream, now).unwrap().address(), "a");
}
