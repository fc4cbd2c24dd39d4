//! The counts are the leases, whatever happens.

use proptest::prelude::*;

use super::*;

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
