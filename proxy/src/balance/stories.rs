//! The room's stories: what an operator would see.

use std::time::{Duration, Instant};

use super::*;

mod chance;
mod choosing;
mod counting;
mod evening;
mod failing;
mod hashing;
mod leaving;
mod recovering;
mod reloading;
mod waiting;

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
