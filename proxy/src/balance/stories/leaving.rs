//! Servers that are to have no connections any more, and those that still have some.

use super::*;

/// Which of the servers that have connections stay.
fn staying(upstream: &Upstream<Address>) -> Vec<bool> {
    upstream.occupied().iter().map(|occupied| occupied.stays).collect()
}

#[test]
fn who_is_down_or_listed_no_more_is_left_while_it_has_connections() {
    let zone = Zone::new();
    let now = Instant::now();
    let generation = |peers| Upstream::new(&zone, "websocket", LEAST_CONN, peers);
    let old = generation(vec![peer("a"), peer("b"), peer("c")]);
    assert!(staying(&old).is_empty(), "nobody has connections");
    let [a, b, c] = [(); 3].map(|()| pick(&old, now).unwrap().into_held());
    assert_eq!(staying(&old), [true, true, true]);

    let new = generation(vec![PeerSettings { down: true, ..peer("b") }, peer("a")]);
    assert!(new.is_same(&old));
    let servers = new.occupied();
    assert_eq!(
        servers.iter().map(|it| it.server).collect::<Vec<_>>(),
        [&a, &b, &c].map(Held::server)
    );
    assert_eq!(staying(&new), [true, false, false]);
    drop((b, c));
    assert_eq!(staying(&new), [true]);
    assert!(!new.is_same(&Upstream::new(&zone, "other", LEAST_CONN, vec![peer("a")])));
}
