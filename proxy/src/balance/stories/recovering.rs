//! `slow_start`: a peer that was benched gets its weight back bit by bit.

use super::*;

fn slow(address: Address) -> PeerSettings<Address> {
    PeerSettings { slow_start: seconds(100), ..peer(address) }
}

/// An upstream in which `a` was benched and has just answered again, and when that was.
fn recovering(policy: Policy) -> (Upstream<Address>, Instant) {
    let upstream = upstream(policy, vec![slow("a"), slow("b")]);
    let start = Instant::now();
    let mut tried = Tried::default();
    while let Some(lease) = upstream.pick(&mut tried, start) {
        if *lease.address() == "a" {
            lease.failed(start);
            break;
        }
    }
    let later = start + seconds(11);
    loop {
        let lease = pick(&upstream, later).unwrap();
        if *lease.address() == "a" {
            lease.succeeded();
            return (upstream, later);
        }
    }
}

/// How many of so many picks at this time go to `a`.
fn to_a(upstream: &Upstream<Address>, picks: usize, now: Instant) -> usize {
    let picked = (0..picks).map(|_| *pick(upstream, now).unwrap().address());
    picked.filter(|address| *address == "a").count()
}

#[test]
fn the_weight_comes_back_bit_by_bit() {
    let (upstream, back) = recovering(ROUND_ROBIN);
    let first = to_a(&upstream, 100, back);
    assert!(first <= 1, "{first} of 100 at once");
    let quarter = to_a(&upstream, 100, back + seconds(25));
    assert!((19..=21).contains(&quarter), "{quarter} of 100 with a weight of 1/4 beside 1");
    let whole = to_a(&upstream, 100, back + seconds(100));
    assert!((49..=51).contains(&whole), "{whole} of 100 in the end");
}

#[test]
fn held_connections_follow_the_weight_that_is_back() {
    let (upstream, back) = recovering(LEAST_CONN);
    // The recovery begins with the first pick.
    drop(pick(&upstream, back));
    let half = back + seconds(50);
    let _held: Vec<_> = (0..30).map(|_| pick(&upstream, half).unwrap()).collect();
    assert_eq!(active(&upstream), [10, 20]);
}

#[test]
fn a_failure_meanwhile_benches_it_again() {
    let (upstream, back) = recovering(ROUND_ROBIN);
    let half = back + seconds(50);
    drop(pick(&upstream, back));
    loop {
        let lease = pick(&upstream, half).unwrap();
        if *lease.address() == "a" {
            assert!(lease.failed(half));
            break;
        }
    }
    assert_eq!(states(&upstream, half)[0], PeerState::Benched);
    assert_eq!(to_a(&upstream, 20, half), 0);
}

#[test]
fn without_a_slow_start_it_is_whole_at_once() {
    let upstream = upstream(ROUND_ROBIN, vec![peer("a"), peer("b")]);
    let start = Instant::now();
    let lease = pick(&upstream, start).unwrap();
    lease.failed(start);
    drop(lease);
    let later = start + seconds(11);
    let _: Vec<_> = (0..4).map(|_| pick(&upstream, later).unwrap().succeeded()).collect();
    let whole = to_a(&upstream, 20, later);
    assert!((9..=11).contains(&whole), "{whole} of 20");
}

#[test]
fn one_that_is_started_anew_leaves_its_bench_and_recovers() {
    let upstream = upstream(ROUND_ROBIN, vec![slow("a"), slow("b")]);
    let start = Instant::now();
    let mut tried = Tried::default();
    let lease = upstream.pick(&mut tried, start).unwrap();
    let failed = *lease.address();
    lease.failed(start);
    assert!(upstream.has_failed());
    assert!(upstream.welcome(|address| *address != failed).is_empty());
    assert!(states(&upstream, start).contains(&PeerState::Benched));

    assert_eq!(upstream.welcome(|address| *address == failed), [failed]);
    assert_eq!(states(&upstream, start), [PeerState::Up, PeerState::Up]);
    assert!(!upstream.has_failed());
    let to_it = |picks, now| {
        let picked = (0..picks).map(|_| *pick(&upstream, now).unwrap().address());
        picked.filter(|address| *address == failed).count()
    };
    assert!(to_it(100, start) <= 1, "its weight comes back bit by bit");
    let quarter = to_it(100, start + seconds(25));
    assert!((18..=22).contains(&quarter), "{quarter} of 100 with a weight of 1/4 beside 1");
}
