//! `rebalance`: connections leave the fullest servers, no more of them than must, and then it is
//! quiet.

use proptest::prelude::*;

use super::*;

const USUAL: Rebalance = Rebalance { threshold: 20, per_minute: 600 };

/// How often the counts are looked at.
const TICK: Duration = Duration::from_millis(500);

/// Servers, the connections that they hold, and clients that are on their way back.
struct World {
    upstream: Upstream<Address>,
    held: Vec<Held>,
    now: Instant,
    /// How many ticks a client stays away; none that is released comes back where this is none.
    away: Option<u64>,
    ticks: u64,
    back: Vec<u64>,
}

impl World {
    fn new(upstream: Upstream<Address>, loads: &[u32], away: Option<u64>) -> Self {
        let now = Instant::now();
        let mut world = Self { upstream, held: Vec::new(), now, away, ticks: 0, back: Vec::new() };
        for (index, load) in loads.iter().enumerate() {
            world.connect(index, *load);
        }
        world
    }

    /// Gives so many connections to the server at this position.
    fn connect(&mut self, index: usize, connections: u32) {
        for _ in 0..connections {
            let mut tried = Tried::default();
            let all = self.upstream.snapshot(self.now).len();
            (0..all).filter(|other| *other != index).for_each(|other| tried.insert(other));
            let lease = self.upstream.pick(&mut tried, self.now).unwrap();
            self.held.push(lease.into_held());
        }
    }

    /// Half a second passes. Says how many connections were released in it.
    fn tick(&mut self, settings: Rebalance) -> u32 {
        self.now += TICK;
        self.ticks += 1;
        let due = self.back.extract_if(.., |due| *due <= self.ticks).count();
        for _ in 0..due {
            let lease = pick(&self.upstream, self.now).unwrap();
            lease.succeeded();
            self.held.push(lease.into_held());
        }
        let _ = self.upstream.rebalance(settings, self.now);
        let mut released = 0;
        for (server, allowance) in self.upstream.allowances() {
            for _ in 0..self.upstream.claim(server, allowance) {
                let its = self.held.iter().position(|held| held.server() == server).unwrap();
                drop(self.held.swap_remove(its));
                self.back.extend(self.away.map(|away| self.ticks + away));
                released += 1;
            }
        }
        released
    }

    /// How many are released in so many ticks.
    fn run(&mut self, settings: Rebalance, ticks: u32) -> u32 {
        (0..ticks).map(|_| self.tick(settings)).sum()
    }

    fn active(&self) -> Vec<u32> {
        active(&self.upstream)
    }
}

fn four() -> Upstream<Address> {
    upstream(LEAST_CONN, ["a", "b", "c", "d"].map(peer).to_vec())
}

#[test]
fn a_server_that_is_back_gets_its_share_and_no_more_is_moved() {
    let mut world = World::new(four(), &[133, 133, 134, 0], Some(2));
    assert_eq!(world.run(USUAL, 4), 0, "it is apart for two seconds first");
    // Ten in a second.
    let mut seconds = 0;
    while world.active() != [100; 4] {
        let released = world.run(USUAL, 2);
        assert!(released <= 10, "{released} in a second");
        seconds += 1;
        assert!(seconds < 15, "{:?}", world.active());
    }
    assert_eq!(world.run(USUAL, 100_000), 0);
}

#[test]
fn what_is_within_the_threshold_stays() {
    for loads in [[100, 110, 90, 100], [120, 120, 80, 80], [0, 1, 0, 1], [3, 1, 2, 2], [0; 4]] {
        let mut world = World::new(four(), &loads, Some(2));
        assert_eq!((world.run(USUAL, 100), world.active()), (0, loads.to_vec()));
    }
}

#[test]
fn it_goes_on_until_all_have_their_share() {
    let mut world = World::new(four(), &[130, 100, 90, 80], Some(2));
    assert_eq!(world.run(USUAL, 100), 30);
    assert_eq!(world.active(), [100; 4]);
}

#[test]
fn weights_are_shares() {
    let peers = vec![weighted("a", 3), weighted("b", 1)];
    let mut world = World::new(upstream(LEAST_CONN, peers), &[20, 20], Some(1));
    assert_eq!(world.run(USUAL, 100), 10);
    assert_eq!(world.active(), [30, 10]);
}

#[test]
fn who_may_not_have_more_gets_no_more() {
    let peers = vec![PeerSettings { max_conns: 10, ..peer("a") }, peer("b"), peer("c")];
    let mut world = World::new(upstream(LEAST_CONN, peers), &[0, 60, 30], Some(1));
    assert_eq!(world.run(USUAL, 200), 20);
    assert_eq!(world.active(), [10, 40, 40]);
}

#[test]
fn one_that_failed_gets_nothing_until_it_has_answered() {
    let mut world = World::new(four(), &[20, 20, 20, 0], Some(1));
    let mut tried = Tried::default();
    world.upstream.pick(&mut tried, world.now).unwrap().failed(world.now);
    assert_eq!(world.run(USUAL, 1000), 0, "nobody knows whether it lives");
    // Its bench is over: the next one who comes goes there, and it answers.
    world.back.push(0);
    assert_eq!(world.run(USUAL, 100), 14);
    let mut active = world.active();
    active.sort_unstable();
    assert_eq!(active, [15, 15, 15, 16]);
}

#[test]
fn one_that_recovers_gets_as_much_as_it_has_of_its_weight() {
    let slow = |address| PeerSettings { slow_start: seconds(400), ..peer(address) };
    let mut world =
        World::new(upstream(LEAST_CONN, vec![slow("a"), slow("b")]), &[100, 0], Some(1));
    let mut tried = Tried::default();
    world.upstream.pick(&mut tried, world.now).unwrap().failed(world.now);
    assert_eq!(world.upstream.welcome(|_| true), ["b"]);
    // After half of the time it has half of its weight, and so a third of the connections.
    world.run(USUAL, 400);
    assert!((26..=33).contains(&world.active()[1]), "{:?}", world.active());
    world.run(USUAL, 1000);
    assert!((40..=50).contains(&world.active()[1]), "{:?}", world.active());
    let moved = world.run(USUAL, 10_000);
    assert!(moved <= 10, "{moved} of 100");
}

#[test]
fn who_is_down_or_a_backup_has_no_part_in_it() {
    let peers = vec![PeerSettings { down: true, ..peer("a") }, backup("b"), peer("c"), peer("d")];
    let mut world = World::new(upstream(LEAST_CONN, peers), &[0, 0, 20, 20], Some(1));
    assert_eq!(world.run(USUAL, 100), 0);
}

#[test]
fn where_nobody_comes_back_it_tries_less_and_less_often() {
    let mut world = World::new(four(), &[400, 400, 400, 0], None);
    let fast = Rebalance { threshold: 20, per_minute: 600_000 };
    let mut at = Vec::new();
    for tick in 0..100_000_u32 {
        if world.tick(fast) > 0 {
            at.push(tick);
        }
    }
    let rests: Vec<_> = at.array_windows().map(|[one, next]| next - one).collect();
    assert!(rests.is_sorted() && rests.len() < 40, "{rests:?}");
    assert!(rests.last() > Some(&2000), "{rests:?}");
}

#[test]
fn whom_nobody_can_release_stays() {
    let mut world = World::new(four(), &[10, 0, 0, 0], Some(1));
    for _ in 0..1000 {
        world.now += TICK;
        let _ = world.upstream.rebalance(USUAL, world.now);
        let allowed: u32 = world.upstream.allowances().iter().map(|(_, allowed)| allowed).sum();
        assert!(allowed <= 10, "what nobody takes does not pile up");
    }
    assert_eq!(world.run(USUAL, 200), 7);
}

/// What the fullest have above their shares, to the next whole connection.
fn excess(loads: &[u32], weights: &[u32]) -> u32 {
    let (total, sum): (u32, u32) = (loads.iter().sum(), weights.iter().sum());
    let pairs = loads.iter().zip(weights);
    pairs.map(|(load, weight)| load.saturating_sub(total * weight / sum)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn it_moves_no_more_than_the_excess_and_is_quiet_then(
        servers in proptest::collection::vec((0_u32..60, 1_u32..5), 2..8),
        away in 0_u64..20,
        per_minute in 60_u32..100_000,
        threshold in 1_u32..60,
    ) {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let (loads, weights): (Vec<_>, Vec<_>) = servers.into_iter().unzip();
        let peers = names.iter().zip(&weights).map(|(name, weight)| weighted(name, *weight));
        let mut world = World::new(upstream(LEAST_CONN, peers.collect()), &loads, Some(away));
        let settings = Rebalance { threshold, per_minute };
        let moved = world.run(settings, 2000);
        prop_assert!(moved <= excess(&loads, &weights), "{moved} moved");
        let total: u32 = world.active().iter().sum();
        prop_assert_eq!(total, loads.iter().sum::<u32>());
        let sum: u32 = weights.iter().sum();
        for (load, weight) in world.active().iter().zip(&weights) {
            let share = total * weight / sum;
            // Of what is left over when shares are made whole, it may have one.
            let most = ((share + 1) * threshold / 100).max(2) + 1;
            prop_assert!(load.abs_diff(share) <= most, "{:?} by {weights:?}", world.active());
        }
        prop_assert_eq!(world.run(settings, 2000), 0);
    }
}
