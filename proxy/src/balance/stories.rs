//! The room's stories: what an operator would see.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

type Address = &'static str;

const LEAST_CONN: Policy = Policy { method: Method::LeastConn };
const ROUND_ROBIN: Policy = Policy { method: Method::RoundRobin };

fn peer(address: Address) -> PeerSettings<Address> {
    PeerSettings::new(address)
}

fn weighted(address: Address, weight: u32) -> PeerSettings<Address> {
    PeerSettings { weight, ..peer(address) }
}

fn backup(address: Address) -> PeerSettings<Address> {
    PeerSettings { backup: true, ..peer(address) }
}

fn upstream(policy: Policy, peers: Vec<PeerSettings<Address>>) -> Upstream<Address> {
    Upstream::new(&Zone::new(), "websocket", policy, peers)
}

fn pick(upstream: &Upstream<Address>, now: Instant) -> Option<Lease<Address>> {
    upstream.pick(&mut Tried::default(), now)
}

/// The addresses of so many picks that are given back at once.
fn sequence(upstream: &Upstream<Address>, picks: usize) -> Vec<Address> {
    let now = Instant::now();
    (0..picks).map(|_| *pick(upstream, now).unwrap().address()).collect()
}

fn active(upstream: &Upstream<Address>) -> Vec<u32> {
    upstream.snapshot(Instant::now()).iter().map(|peer| peer.active).collect()
}

fn states(upstream: &Upstream<Address>, now: Instant) -> Vec<PeerState> {
    upstream.snapshot(now).iter().map(|peer| peer.state).collect()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

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
fn a_lease_counts_until_it_is_dropped_and_a_tunnel_goes_on_counting() {
    let upstream = upstream(LEAST_CONN, vec![peer("a"), peer("b")]);
    let now = Instant::now();
    let first = pick(&upstream, now).unwrap();
    let tunnel = pick(&upstream, now).unwrap().into_held();
    assert_eq!(active(&upstream), [1, 1]);
    drop(first);
    assert_eq!(active(&upstream), [0, 1]);
    drop(tunnel);
    assert_eq!(active(&upstream), [0, 0]);
    assert_eq!(size_of::<Held>(), 16);
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

#[test]
fn a_reload_keeps_the_counts_of_the_addresses_that_stay() {
    let zone = Zone::new();
    let now = Instant::now();
    let old = Upstream::new(&zone, "websocket", LEAST_CONN, vec![peer("a"), peer("b")]);
    let mut tunnels: Vec<_> = (0..6).map(|_| pick(&old, now).unwrap().into_held()).collect();
    let new = Upstream::new(&zone, "websocket", LEAST_CONN, vec![peer("c"), peer("b"), peer("a")]);
    drop(old);
    assert_eq!(active(&new), [0, 3, 3]);
    tunnels.extend((0..3).map(|_| pick(&new, now).unwrap().into_held()));
    assert_eq!(active(&new), [3, 3, 3]);
    drop(tunnels);
    assert_eq!(active(&new), [0, 0, 0]);
}

#[test]
fn another_upstream_with_the_same_address_counts_for_itself() {
    let zone = Zone::new();
    let one = Upstream::new(&zone, "one", LEAST_CONN, vec![peer("a")]);
    let other = Upstream::new(&zone, "other", LEAST_CONN, vec![peer("a")]);
    let _held = pick(&one, Instant::now()).unwrap();
    assert_eq!((active(&one), active(&other)), (vec![1], vec![0]));
}

#[test]
fn an_address_listed_twice_is_two_peers() {
    let zone = Zone::new();
    let list = || vec![peer("a"), peer("a")];
    let old = Upstream::new(&zone, "websocket", LEAST_CONN, list());
    let now = Instant::now();
    let _held: Vec<_> = (0..4).map(|_| pick(&old, now).unwrap()).collect();
    assert_eq!(active(&old), [2, 2]);
    let new = Upstream::new(&zone, "websocket", LEAST_CONN, list());
    assert_eq!(active(&new), [2, 2]);
}

#[test]
fn a_lease_outlives_the_generations_that_listed_its_address() {
    let zone = Zone::new();
    let now = Instant::now();
    let old = Upstream::new(&zone, "websocket", LEAST_CONN, vec![peer("a")]);
    let tunnel = pick(&old, now).unwrap().into_held();
    drop(old);
    drop(Upstream::new(&zone, "websocket", LEAST_CONN, vec![peer("b")]));
    let back = Upstream::new(&zone, "websocket", LEAST_CONN, vec![peer("a"), peer("c")]);
    assert_eq!(active(&back), [1, 0]);
    drop(tunnel);
    assert_eq!(active(&back), [0, 0]);
}

#[test]
fn counts_that_nobody_needs_are_forgotten() {
    let zone = Zone::new();
    let old = Upstream::new(&zone, "websocket", ROUND_ROBIN, vec![peer("a"), peer("b")]);
    sequence(&old, 3);
    drop(old);
    let new = Upstream::new(&zone, "websocket", ROUND_ROBIN, vec![peer("b"), peer("a")]);
    let picks: Vec<_> = new.snapshot(Instant::now()).iter().map(|peer| peer.picks).collect();
    assert_eq!(picks, [0, 0]);
}

#[test]
fn an_upstream_without_peers_gives_nothing() {
    assert!(pick(&upstream(LEAST_CONN, vec![]), Instant::now()).is_none());
}

#[test]
fn threads_that_pick_at_once_stay_exact() {
    let upstream = upstream(LEAST_CONN, vec![peer("a"), peer("b"), peer("c"), peer("d")]);
    let now = Instant::now();
    let held: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        drop(pick(&upstream, now).unwrap());
                    }
                    (0..500).map(|_| pick(&upstream, now).unwrap()).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(active(&upstream).iter().sum::<u32>(), 1000);
    for (index, active) in active(&upstream).into_iter().enumerate() {
        let leases = held.iter().filter(|lease| lease.peer() == index).count();
        assert_eq!(usize::try_from(active).unwrap(), leases);
    }
    drop(held);
    assert_eq!(active(&upstream), [0, 0, 0, 0]);
}

/// What can happen to an upstream.
#[derive(Debug, Clone)]
enum Step {
    Pick,
    Drop(usize),
    Tunnel(usize),
    Fail(usize),
    Succeed(usize),
    Wait(u64),
    Reload(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Pick),
        2 => any::<usize>().prop_map(Step::Drop),
        1 => any::<usize>().prop_map(Step::Tunnel),
        1 => any::<usize>().prop_map(Step::Fail),
        1 => any::<usize>().prop_map(Step::Succeed),
        1 => (0..15u64).prop_map(Step::Wait),
        1 => any::<usize>().prop_map(Step::Reload),
    ]
}

/// Lists of peers that share addresses, limits and backups in different ways.
fn generation(number: usize) -> Vec<PeerSettings<Address>> {
    match number % 3 {
        0 => vec![peer("a"), weighted("b", 3), PeerSettings { max_conns: 2, ..peer("c") }],
        1 => vec![peer("b"), backup("d"), peer("a")],
        _ => vec![PeerSettings { max_fails: 2, ..peer("c") }, peer("d")],
    }
}

proptest! {
    #[test]
    fn the_counts_are_the_leases_whatever_happens(
        steps in proptest::collection::vec(step(), 0..200),
        least_conn in any::<bool>(),
    ) {
        let policy = if least_conn { LEAST_CONN } else { ROUND_ROBIN };
        let zone = Zone::new();
        let mut now = Instant::now();
        let mut upstream = Upstream::new(&zone, "u", policy, generation(0));
        let mut leases: Vec<Lease<Address>> = Vec::new();
        let mut tunnels: Vec<(Address, Held)> = Vec::new();
        for step in steps {
            let some = |index: usize| index.checked_rem(leases.len());
            match step {
                Step::Pick => {
                    let full = states(&upstream, now).iter().all(|state| *state == PeerState::Full);
                    let lease = pick(&upstream, now);
                    prop_assert_eq!(lease.is_none(), full);
                    leases.extend(lease);
                }
                Step::Drop(index) => drop(some(index).map(|index| leases.swap_remove(index))),
                Step::Tunnel(index) => if let Some(index) = some(index) {
                    let lease = leases.swap_remove(index);
                    tunnels.push((lease.address(), lease.into_held()));
                },
                Step::Fail(index) => if let Some(index) = some(index) {
                    leases[index].failed(now);
                },
                Step::Succeed(index) => if let Some(index) = some(index) {
                    leases[index].succeeded();
                },
                Step::Wait(time) => now += seconds(time),
                Step::Reload(number) => {
                    upstream = Upstream::new(&zone, "u", policy, generation(number));
                }
            }
            for address in ["a", "b", "c", "d"] {
                let listed: Vec<_> = upstream
                    .snapshot(now)
                    .into_iter()
                    .filter(|peer| peer.settings.address == address)
                    .collect();
                let counted: u32 = listed.iter().map(|peer| peer.active).sum();
                let held = leases.iter().filter(|lease| *lease.address() == address).count()
                    + tunnels.iter().filter(|(held, _)| *held == address).count();
                if !listed.is_empty() {
                    prop_assert_eq!(usize::try_from(counted).unwrap(), held);
                }
            }
        }
    }
}
