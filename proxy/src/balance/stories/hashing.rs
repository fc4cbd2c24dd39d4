//! The same key, the same peer: and what moves when peers come and go.

use proptest::prelude::*;

use super::*;

const IP_HASH: Policy = Policy { method: Method::IpHash };
const HASH: Policy = Policy { method: Method::Hash };
const CONSISTENT: Policy = Policy { method: Method::ConsistentHash };

/// A peer that is its own server.
fn server(address: Address, weight: u32) -> PeerSettings<Address> {
    PeerSettings { server: address.into(), ..weighted(address, weight) }
}

fn by(upstream: &Upstream<Address>, key: &[u8]) -> Option<Address> {
    let lease = upstream.pick(&mut Tried::keyed(key.to_vec()), Instant::now())?;
    Some(*lease.address())
}

#[test]
fn a_key_stays_with_its_peer() {
    for policy in [IP_HASH, HASH, CONSISTENT] {
        let peers = vec![server("a", 1), server("b", 2), server("c", 3)];
        let upstream = upstream(policy, peers);
        for key in 0..100u32 {
            let key = key.to_string();
            let first = by(&upstream, key.as_bytes());
            assert!((0..5).all(|_| by(&upstream, key.as_bytes()) == first), "{key}");
        }
    }
}

#[test]
fn keys_follow_the_weights() {
    for policy in [HASH, CONSISTENT] {
        let upstream = upstream(policy, vec![server("a", 3), server("b", 1)]);
        let keys = (0..4000u32).map(|key| by(&upstream, format!("key {key}").as_bytes()));
        let to_a = keys.filter(|peer| *peer == Some("a")).count();
        assert!((2600..=3400).contains(&to_a), "{policy:?}: {to_a} of 4000");
    }
}

#[test]
fn a_key_whose_peer_fails_goes_on_to_another_and_comes_back() {
    for policy in [IP_HASH, HASH, CONSISTENT] {
        let upstream = upstream(policy, vec![server("a", 1), server("b", 1), server("c", 1)]);
        let now = Instant::now();
        let mut tried = Tried::keyed(b"key".to_vec());
        let mut order = Vec::new();
        while let Some(lease) = upstream.pick(&mut tried, now) {
            order.push(*lease.address());
            lease.failed(now);
        }
        let home = order[0];
        order.sort_unstable();
        assert_eq!(order, ["a", "b", "c"], "{policy:?}: each was asked once");
        let back = now + seconds(11);
        let again = upstream.pick(&mut Tried::keyed(b"key".to_vec()), back).unwrap();
        assert_eq!(*again.address(), home, "{policy:?}");
    }
}

#[test]
fn a_full_peer_s_keys_go_elsewhere_meanwhile() {
    for policy in [IP_HASH, HASH, CONSISTENT] {
        let one = |address| PeerSettings { max_conns: 1, ..server(address, 1) };
        let upstream = upstream(policy, vec![one("a"), one("b")]);
        let now = Instant::now();
        let key = || Tried::keyed(b"key".to_vec());
        let home = upstream.pick(&mut key(), now).unwrap();
        let other = upstream.pick(&mut key(), now).unwrap();
        assert_ne!(home.address(), other.address());
        assert!(upstream.pick(&mut key(), now).is_none());
    }
}

#[test]
fn the_addresses_of_one_server_share_its_keys() {
    let address = |address| PeerSettings { server: "name".into(), ..peer(address) };
    let peers = vec![address("a1"), address("a2"), server("b", 1)];
    let upstream = upstream(CONSISTENT, peers);
    let key =
        (0..).map(|n: u32| n.to_string()).find(|key| by(&upstream, key.as_bytes()) != Some("b"));
    let key = key.unwrap();
    let (first, second) = (by(&upstream, key.as_bytes()), by(&upstream, key.as_bytes()));
    assert_ne!(first, second);
    assert!(![first, second].contains(&Some("b")));
}

/// What nginx 1.22 answered for the keys `k0`, `k1`, ..., by the last digit of the port.
#[test]
fn ports_are_hashed_as_nginx_hashes_them() {
    const NGINX: &str = "213123133222311112221222232132332311233122132312112121213122";
    let peers = vec![
        server("127.0.0.1:18471", 1),
        server("127.0.0.1:18472", 2),
        server("127.0.0.1:18473", 1),
    ];
    let upstream = upstream(CONSISTENT, peers);
    let keys = (0..60).map(|key| by(&upstream, format!("k{key}").as_bytes()).unwrap());
    let last: String = keys.filter_map(|address| address.chars().last()).collect();
    assert_eq!(last, NGINX);
}

const NAMES: [Address; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

proptest! {
    #[test]
    fn a_consistent_hash_moves_only_what_it_must(
        weights in prop::collection::vec(1u32..5, 2..8),
        gone in 0usize..8,
        keys in prop::collection::vec(".{1,12}", 50),
    ) {
        let gone = gone % weights.len();
        let peers = |without: Option<usize>| {
            let all = weights.iter().zip(NAMES).enumerate();
            let kept = all.filter(|(index, _)| Some(*index) != without);
            kept.map(|(_, (weight, name))| server(name, *weight)).collect::<Vec<_>>()
        };
        let (before, after) =
            (upstream(CONSISTENT, peers(None)), upstream(CONSISTENT, peers(Some(gone))));
        // With one peer left nothing is hashed any more: it gets everything.
        for key in keys {
            let (was, is) = (by(&before, key.as_bytes()), by(&after, key.as_bytes()));
            prop_assert!(was == is || was == Some(NAMES[gone]), "{key}: {was:?} became {is:?}");
        }
    }

    #[test]
    fn any_key_finds_a_peer(key in prop::collection::vec(any::<u8>(), 0..64)) {
        for policy in [IP_HASH, HASH, CONSISTENT] {
            let down = PeerSettings { down: true, ..server("a", 6) };
            let upstream = upstream(policy, vec![down, server("b", 1), server("c", 1)]);
            prop_assert!(matches!(by(&upstream, &key), Some("b" | "c")));
        }
    }
}
