//! Servers that fail, and who is asked instead.

mod common;

use common::{GET, House, OK, PATIENCE, SWITCH, Says, UPGRADE, wait_until};

const FOUR: &str = "least_conn; server unix:{dir}/a.sock; server unix:{dir}/b.sock;
                    server unix:{dir}/c.sock; server unix:{dir}/d.sock;";
const TWO: &str = "server unix:{dir}/a.sock; server unix:{dir}/b.sock;";

#[test]
fn all_down_is_a_502_at_once_and_one_that_comes_back_serves_at_once() {
    let house = House::saying(Says { upstream: FOUR, ..Says::default() });
    let begin = std::time::Instant::now();
    // The second request finds all of them benched.
    for _ in 0..2 {
        let mut client = house.client();
        client.send(UPGRADE);
        assert!(client.answer().0.starts_with("HTTP/1.1 502 Bad Gateway\r\n"));
    }
    assert!(begin.elapsed() < PATIENCE);
    house.wait_for_error("no live upstreams while connecting to upstream");
    house.wait_for_error("connect() to unix:");
    let worker = house.worker("c.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    client.send("back");
    server.expect("back");
    assert_eq!(house.active(), [0, 0, 1, 0]);
    drop((client, server));
    house.wait_for_peace();
}

#[test]
fn a_missing_socket_and_a_stale_one_cost_no_client_anything() {
    let house = House::saying(Says { upstream: FOUR, ..Says::default() });
    drop(house.worker("a.sock"));
    let worker = house.worker("d.sock");
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(house.tunnel(&worker));
    }
    assert_eq!(house.active(), [0, 0, 0, 8]);
    drop(open);
    house.wait_for_peace();
}

#[test]
fn a_request_with_a_body_goes_on_when_connecting_failed() {
    let house = House::saying(Says { upstream: TWO, ..Says::default() });
    let worker = house.worker("b.sock");
    let mut client = house.client();
    client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nbody");
    let mut server = worker.accept();
    server.head();
    server.expect("body");
    server.send(OK);
    assert_eq!(client.answer().1, "ok");
}

#[test]
fn a_get_goes_on_after_it_was_sent_and_a_post_does_not() {
    let house = House::saying(Says { upstream: TWO, ..Says::default() });
    let (first, second) = (house.worker("a.sock"), house.worker("b.sock"));
    let mut client = house.client();
    client.send(GET);
    drop(first.answer(""));
    let (_kept, _) = second.answer(OK);
    assert_eq!(client.answer().1, "ok");
    let house = House::saying(Says { upstream: TWO, ..Says::default() });
    let (first, second) = (house.worker("a.sock"), house.worker("b.sock"));
    let mut client = house.client();
    client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nbody");
    let mut server = first.accept();
    server.head();
    server.expect("body");
    drop(server);
    assert!(client.answer().0.starts_with("HTTP/1.1 502 "));
    assert!(second.is_left_alone());
}

#[test]
fn a_backup_serves_when_nobody_else_does_and_a_server_that_is_down_never() {
    let house = House::saying(Says {
        upstream: "server unix:{dir}/a.sock; server unix:{dir}/b.sock backup;
                   server unix:{dir}/c.sock down;",
        ..Says::default()
    });
    let (backup, down) = (house.worker("b.sock"), house.worker("c.sock"));
    let first = house.tunnel(&backup);
    assert_eq!(house.active(), [0, 1, 0]);
    drop(backup);
    let mut client = house.client();
    client.send(GET);
    assert!(client.answer().0.starts_with("HTTP/1.1 502 "));
    assert!(down.is_left_alone());
    drop((first, client));
    house.wait_for_peace();
}

#[test]
fn max_conns_holds_and_a_place_that_is_free_again_is_given_again() {
    let house = House::saying(Says {
        upstream: "server unix:{dir}/a.sock max_conns=1;",
        ..Says::default()
    });
    let worker = house.worker("a.sock");
    let first = house.tunnel(&worker);
    let mut client = house.client();
    client.send(UPGRADE);
    assert!(client.answer().0.starts_with("HTTP/1.1 502 "));
    drop(first);
    wait_until("the place is free", || house.active() == [0]);
    client.send(UPGRADE);
    let (_server, _) = worker.answer(SWITCH);
    assert!(client.head().starts_with("HTTP/1.1 101 "));
}

#[test]
fn max_fails_0_benches_nobody() {
    let house = House::saying(Says {
        upstream: "server unix:{dir}/a.sock max_fails=0; server unix:{dir}/b.sock max_fails=0;",
        ..Says::default()
    });
    let worker = house.worker("b.sock");
    for _ in 0..4 {
        let mut client = house.client();
        client.send(GET);
        worker.answer(OK);
        assert_eq!(client.answer().1, "ok");
    }
    let failures = house.proxy.servers()[0].servers[0].failures;
    assert!(failures >= 2, "the first server was asked {failures} times");
    assert!(!house.log("error.log").contains("temporarily disabled"));
}

#[test]
fn proxy_next_upstream_off_and_tries_stop_the_search() {
    for location in ["proxy_next_upstream off;", "proxy_next_upstream_tries 1;"] {
        let house = House::saying(Says { upstream: TWO, location, ..Says::default() });
        let second = house.worker("b.sock");
        let mut client = house.client();
        client.send(GET);
        assert!(client.answer().0.starts_with("HTTP/1.1 502 "));
        assert!(second.is_left_alone());
    }
}

#[test]
fn a_server_that_is_silent_is_given_up_within_the_time_and_the_next_one_asked() {
    let house = House::saying(Says {
        upstream: TWO,
        location: "proxy_read_timeout 200ms;",
        ..Says::default()
    });
    let (first, second) = (house.worker("a.sock"), house.worker("b.sock"));
    let mut client = house.client();
    client.send(UPGRADE);
    let mut silent = first.accept();
    silent.head();
    let (_server, _) = second.answer(SWITCH);
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    silent.expect_end();
    // With no time left for another one, it is a 504.
    let house = House::saying(Says {
        upstream: TWO,
        location: "proxy_read_timeout 200ms; proxy_next_upstream_timeout 100ms;",
        ..Says::default()
    });
    let (first, second) = (house.worker("a.sock"), house.worker("b.sock"));
    let mut client = house.client();
    client.send(GET);
    let _silent = first.accept();
    assert!(client.answer().0.starts_with("HTTP/1.1 504 "));
    assert!(second.is_left_alone());
}

#[test]
fn a_status_that_counts_as_a_failure_goes_on_and_the_last_one_is_passed_on() {
    let house = House::saying(Says {
        upstream: TWO,
        location: "proxy_next_upstream error http_503;",
        ..Says::default()
    });
    let (first, second) = (house.worker("a.sock"), house.worker("b.sock"));
    let busy = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy";
    let mut client = house.client();
    client.send("PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nbody");
    let (mut one, _) = first.answer(busy);
    one.expect("body");
    let (mut two, _) = second.answer(busy);
    two.expect("body");
    let (head, body) = client.answer();
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert_eq!(body, "busy");
}
