//! Workers that are started anew: who asks meanwhile is held, and who comes back is used at once.

mod common;

use std::time::{Duration, Instant};

use common::{GET, House, OK, SWITCH, Says, UPGRADE, Wire, wait_until};
use socket2::{Domain, SockAddr, Socket, Type};

const TWO: &str = "least_conn; server unix:{dir}/a.sock; server unix:{dir}/b.sock;";

/// A front with two servers, on which the next one may be tried for so long.
fn house(within: &str) -> House {
    let location = format!("proxy_next_upstream_timeout {within};");
    House::saying(Says { upstream: TWO, location: &location, ..Says::default() })
}

/// A handshake that is being held.
fn held(house: &House) -> Wire {
    let mut client = house.client();
    client.send(UPGRADE);
    house.wait_for_error("no live upstreams, waiting for one while connecting to upstream");
    client
}

#[test]
fn a_handshake_waits_for_a_socket_that_is_missing() {
    let house = house("20s");
    let mut client = held(&house);
    assert!(client.is_silent());
    let worker = house.worker("b.sock");
    let mut server = worker.accept();
    assert!(server.head().starts_with("GET /chat HTTP/1.1\r\n"));
    server.send(SWITCH);
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    server.send("hello");
    client.expect("hello");
    assert_eq!(house.active(), [0, 1]);
    drop((client, server));
    house.wait_for_peace();
}

#[test]
fn a_handshake_waits_for_a_socket_that_matches() {
    let upstream = "server unix:{dir}/run-*.sock;";
    let location = "proxy_next_upstream_timeout 20s;";
    let house = House::saying(Says { upstream, location, ..Says::default() });
    let mut client = held(&house);
    let (_server, _) = house.worker("run-1.sock").answer(SWITCH);
    assert!(client.head().starts_with("HTTP/1.1 101 "));
}

#[test]
fn a_request_waits_in_the_queue_for_a_socket_that_matches() {
    let upstream = "server unix:{dir}/run-*.sock; queue 1 timeout=60s;";
    let house = House::saying(Says { upstream, ..Says::default() });
    let mut client = house.client();
    client.send(GET);
    // The queue has one place: whoever finds it taken is told so.
    let mut other = house.client();
    other.send(GET);
    house.wait_for_error("upstream queue is full while connecting to upstream");
    assert!(client.is_silent() != other.is_silent());
    let _answered = house.worker("run-1.sock").answer(OK);
    wait_until("both are answered", || !client.is_silent() && !other.is_silent());
}

#[test]
fn a_handshake_waits_for_somebody_who_listens() {
    let house = house("20s");
    drop((house.worker("a.sock"), house.worker("b.sock")));
    let mut client = held(&house);
    let (_server, _) = house.worker("a.sock").answer(SWITCH);
    assert!(client.head().starts_with("HTTP/1.1 101 "));
}

#[test]
fn a_handshake_waits_for_room_in_a_queue() {
    let house = house("20s");
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    let address = SockAddr::unix(house.path("a.sock")).unwrap();
    listener.bind(&address).unwrap();
    listener.listen(1).unwrap();
    let knock = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).unwrap();
        socket.connect(&address).map(|()| socket)
    };
    let mut others: Vec<_> = std::iter::from_fn(|| knock().ok()).collect();
    let mut client = held(&house);
    house.wait_for_error("(11: Resource temporarily unavailable)");
    let accepted: Vec<_> = others.drain(..).map(|_| listener.accept().unwrap().0).collect();
    drop(accepted);
    let mut server = Wire::new(listener.accept().unwrap().0);
    server.head();
    server.send(SWITCH);
    assert!(client.head().starts_with("HTTP/1.1 101 "));
}

#[test]
fn waiting_for_somebody_has_an_end() {
    let house = house("300ms");
    let start = Instant::now();
    let mut client = held(&house);
    assert!(client.answer().0.starts_with("HTTP/1.1 502 Bad Gateway\r\n"));
    assert!(start.elapsed() >= Duration::from_millis(300));
    // The next one finds both on the bench, and waits all the same.
    let start = Instant::now();
    assert!(held(&house).answer().0.starts_with("HTTP/1.1 502 Bad Gateway\r\n"));
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[test]
fn who_asks_for_a_page_does_not_wait() {
    let house = house("8h");
    let mut client = house.client();
    client.send(GET);
    assert!(client.answer().0.starts_with("HTTP/1.1 502 Bad Gateway\r\n"));
}

#[test]
fn while_another_lives_nobody_waits() {
    let house = house("8h");
    let worker = house.worker("b.sock");
    drop(house.tunnel(&worker));
    assert!(!house.log("error.log").contains("waiting for one"));
}

#[test]
fn a_client_that_leaves_is_waited_for_no_longer() {
    let house = house("8h");
    drop(held(&house));
    house.wait_for_peace();
}

#[test]
fn a_socket_that_is_back_ends_its_bench_at_once() {
    let upstream = "least_conn; server unix:{dir}/a.sock fail_timeout=1h;
                    server unix:{dir}/b.sock fail_timeout=1h;";
    let house = House::saying(Says { upstream, ..Says::default() });
    let first = house.worker("a.sock");
    // Missing at first, then left over by somebody who was killed.
    for times in 1..=2 {
        let kept: Vec<_> = (0..2).map(|_| house.tunnel(&first)).collect();
        assert_eq!(house.active(), [2, 0]);
        let second = house.worker("b.sock");
        wait_until("it is back", || {
            house.log("error.log").matches("b.sock is back in upstream \"workers\"").count()
                == times
        });
        let tunnel = house.tunnel(&second);
        assert_eq!(house.active(), [2, 1]);
        drop((kept, tunnel, second));
        house.wait_for_peace();
    }
}
