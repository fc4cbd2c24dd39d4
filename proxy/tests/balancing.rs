//! Servers that come and go, and requests that wait for one.

mod common;

use common::{House, OK, Says, UPGRADE, Wire, wait_until};

const ANY: &str = "least_conn; server unix:{dir}/run-*.sock;";

fn sockets(house: &House) -> Vec<String> {
    let upstream = house.proxy.servers().remove(0);
    let servers = upstream.servers.iter();
    let names = servers.map(|server| server.settings.address.to_string());
    names.map(|name| name.rsplit('/').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_socket_that_appears_joins_and_one_that_vanishes_leaves() {
    let house = House::saying(Says { upstream: ANY, ..Says::default() });
    assert!(asking(&house).answer().0.starts_with("HTTP/1.1 502 "), "nobody is there yet");

    let first = house.worker("run-1.sock");
    wait_until("the first joins", || sockets(&house) == ["run-1.sock"]);
    let (mut client, mut server) = house.tunnel(&first);

    let second = house.worker("run-2.sock");
    wait_until("the second joins", || sockets(&house) == ["run-1.sock", "run-2.sock"]);
    assert_eq!(house.active(), [1, 0], "the tunnel counts as before");
    let other = house.tunnel(&second);
    assert_eq!(house.active(), [1, 1]);

    std::fs::remove_file(house.path("run-1.sock")).unwrap();
    wait_until("the first leaves", || sockets(&house) == ["run-2.sock"]);
    client.send("still");
    server.expect("still");
    let another = house.tunnel(&second);
    assert_eq!(house.active(), [2]);
    assert!(first.is_left_alone());
    house.wait_for_error("run-1.sock leaves upstream \"");
    drop((client, server, other, another));
    house.wait_for_peace();
}

#[test]
fn what_is_no_socket_does_not_join() {
    let house = House::saying(Says { upstream: ANY, ..Says::default() });
    std::fs::write(house.path("run-0.sock"), "a file").unwrap();
    let worker = house.worker("run-1.sock");
    wait_until("the socket joins", || sockets(&house) == ["run-1.sock"]);
    drop(house.tunnel(&worker));
}

#[test]
fn patterns_and_names_stand_side_by_side_and_count_once() {
    let upstream =
        "server unix:{dir}/a.sock; server unix:{dir}/?.sock; server unix:{dir}/b.sock down;";
    let house = House::saying(Says { upstream, ..Says::default() });
    let _worker = (house.worker("a.sock"), house.worker("c.sock"));
    wait_until("the third joins", || sockets(&house) == ["a.sock", "c.sock", "b.sock"]);
}

#[test]
fn a_pattern_is_watched_after_a_reload_too() {
    let house = House::new();
    house.reload(Says { upstream: ANY, ..Says::default() });
    let worker = house.worker("run-7.sock");
    wait_until("it joins", || sockets(&house) == ["run-7.sock"]);
    drop(house.tunnel(&worker));
    house.reload(Says::default());
    assert_eq!(sockets(&house), ["a.sock"]);
}

/// A client that has asked to upgrade.
fn asking(house: &House) -> Wire {
    let mut client = house.client();
    client.send(UPGRADE);
    client
}

const ONE: &str = "server unix:{dir}/a.sock max_conns=1; queue 1 timeout=60s;";

#[test]
fn a_request_waits_in_the_queue_until_a_tunnel_ends() {
    let house = House::saying(Says { upstream: ONE, ..Says::default() });
    let worker = house.worker("a.sock");
    let tunnel = house.tunnel(&worker);
    let mut waiting = asking(&house);
    wait_until("it waits", || house.proxy.counts().requests == 2);
    // The queue has one place.
    assert!(asking(&house).answer().0.starts_with("HTTP/1.1 502 "));
    house.wait_for_error("upstream queue is full while connecting to upstream");
    assert!(worker.is_left_alone());
    drop(tunnel);
    let mut server = worker.accept();
    server.head();
    server.send(OK);
    assert_eq!(waiting.answer().1, "ok");
}

#[test]
fn a_socket_that_joins_serves_who_waits() {
    let upstream = "server unix:{dir}/run-*.sock max_conns=1; queue 9 timeout=60s;";
    let house = House::saying(Says { upstream, ..Says::default() });
    let first = house.worker("run-1.sock");
    wait_until("the first joins", || sockets(&house) == ["run-1.sock"]);
    let tunnel = house.tunnel(&first);
    let mut waiting = asking(&house);
    wait_until("it waits", || house.proxy.counts().requests == 2);
    let second = house.worker("run-2.sock");
    let mut server = second.accept();
    server.head();
    server.send(OK);
    assert_eq!(waiting.answer().1, "ok");
    drop(tunnel);
}

#[test]
fn waiting_has_an_end() {
    let upstream = "server unix:{dir}/a.sock max_conns=1; queue 9 timeout=50ms;";
    let house = House::saying(Says { upstream, ..Says::default() });
    let worker = house.worker("a.sock");
    let tunnel = house.tunnel(&worker);
    assert!(asking(&house).answer().0.starts_with("HTTP/1.1 502 "));
    house.wait_for_error("upstream queue timed out while connecting to upstream");
    drop(tunnel);
}

#[test]
fn a_client_that_goes_away_leaves_the_queue() {
    let house = House::saying(Says { upstream: ONE, ..Says::default() });
    let worker = house.worker("a.sock");
    let tunnel = house.tunnel(&worker);
    let gone = asking(&house);
    wait_until("it waits", || house.proxy.counts().requests == 2);
    drop(gone);
    wait_until("it is gone", || house.proxy.counts().connections == 1);
    let mut waiting = asking(&house);
    wait_until("the next one waits", || house.proxy.counts().requests == 3);
    drop(tunnel);
    let mut server = worker.accept();
    server.head();
    server.send(OK);
    assert_eq!(waiting.answer().1, "ok");
}

#[test]
fn without_a_queue_nobody_waits() {
    let upstream = "server unix:{dir}/a.sock max_conns=1;";
    let house = House::saying(Says { upstream, ..Says::default() });
    let worker = house.worker("a.sock");
    let tunnel = house.tunnel(&worker);
    assert!(asking(&house).answer().0.starts_with("HTTP/1.1 502 "));
    house.wait_for_error("no live upstreams while connecting to upstream");
    drop(tunnel);
}

#[test]
fn lines_are_kept_in_a_buffer_until_their_time_has_come() {
    let http = "access_log {dir}/kept.log combined buffer=32k;
                access_log {dir}/soon.log combined buffer=32k flush=10ms;
                access_log {dir}/some.log combined if=$arg_log;";
    let house = House::saying(Says { http, location: "return 200 x;", ..Says::default() });
    let ask = |target: &str| {
        house.ask(&format!("GET {target} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"));
    };
    ["/?log=1", "/?log=0", "/"].into_iter().for_each(ask);
    let lines = |name: &str| house.log(name).lines().count();
    wait_until("the time has come", || lines("soon.log") == 3);
    assert_eq!((lines("kept.log"), lines("some.log")), (0, 1));
    house.proxy.reopen_logs();
    assert_eq!(lines("kept.log"), 3, "what was kept belongs into the old file");
    ask("/");
    house.proxy.quit();
    house.wait_for_end();
    assert_eq!(lines("kept.log"), 4, "nothing is lost at the end");
}
