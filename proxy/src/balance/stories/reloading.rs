//! What a reload keeps.

use super::*;

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
fn another_process_goes_on_with_the_counts() {
    let zone = Zone::new();
    let list = || vec![peer("a"), peer("a"), peer("b")];
    let old = Upstream::new(&zone, "websocket", LEAST_CONN, list());
    let tunnels: Vec<_> = (0..8).map(|_| pick(&old, Instant::now()).unwrap().into_held()).collect();
    let listings: Vec<_> = tunnels.iter().map(|it| zone.listing(it.server()).unwrap()).collect();

    let next = Zone::new();
    let new = Upstream::new(&next, "websocket", LEAST_CONN, list());
    let held: Vec<_> = listings.into_iter().map(|listing| next.hold(listing)).collect();
    assert_eq!(active(&new), [3, 3, 2]);
    assert_eq!(active(&new), active(&old));
    drop(held);
    assert_eq!(active(&new), [0, 0, 0]);
    assert_eq!(next.listing(tunnels[0].server()), None, "it is the other process's");
}

#[test]
fn a_connection_that_is_held_counts_though_nobody_lists_its_server() {
    let zone = Zone::new();
    let gone = Listing { upstream: "websocket".into(), address: "a", nth: 0 };
    let tunnel = zone.hold(gone.clone());
    assert_eq!(zone.listing(tunnel.server()), Some(gone));
    let new = Upstream::new(&zone, "websocket", LEAST_CONN, vec![peer("a"), peer("b")]);
    assert_eq!(active(&new), [1, 0]);
    drop(tunnel);
    assert_eq!(active(&new), [0, 0]);
}
