//! What happens to bytes after an upgrade, and around it.

mod common;

use std::thread;

use common::close::expect_closes;
use common::{CHAT, GET, House, OK, SWITCH, Says, UPGRADE, wait_until};

/// `length` bytes in which any loss or swap shows.
fn pattern(length: usize) -> Vec<u8> {
    (0..251).cycle().take(length).collect()
}

#[test]
fn bytes_that_come_with_the_handshake_are_not_lost_on_either_side() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(format!("{UPGRADE}first frame"));
    let mut server = worker.accept();
    assert!(server.head().starts_with("GET /chat HTTP/1.1\r\n"));
    server.send(format!("{SWITCH}first answer"));
    assert!(client.head().starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
    client.expect("first answer");
    server.expect("first frame");
    client.send("second");
    server.expect("second");
    server.send("third");
    client.expect("third");
    assert_eq!((house.proxy.counts().tunnels, house.active()), (1, vec![1]));
    drop(client);
    server.expect_end();
    drop(server);
    house.wait_for_peace();
}

#[test]
fn nothing_of_the_client_reaches_the_worker_before_its_101() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(format!("{UPGRADE}early"));
    let mut server = worker.accept();
    server.head();
    client.send(" bytes");
    // Another client's whole request goes through meanwhile: the proxy is not just slow.
    let mut other = house.client();
    other.send(GET);
    let (_kept, _) = worker.answer(OK);
    assert_eq!(other.answer().1, "ok");
    assert!(server.is_silent());
    server.send(SWITCH);
    server.expect("early bytes");
}

#[test]
fn the_handshake_and_its_answer_pass_as_they_were_written() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(
        "GET /chat?x=1 HTTP/1.1\r\nhost: here\r\nConnection: keep-alive, Upgrade\r\n\
         upgrade: WebSocket\r\nSec-WebSocket-Key: k==\r\nsec-websocket-VERSION: 13\r\n\r\n",
    );
    let mut server = worker.accept();
    let head = server.head();
    assert!(head.contains("\r\nConnection: keep-alive, Upgrade\r\n"), "{head}");
    assert!(head.contains("\r\nUpgrade: WebSocket\r\n") || head.contains("upgrade: WebSocket"));
    assert!(head.contains("\r\nsec-websocket-VERSION: 13\r\n"), "{head}");
    server.send(
        "HTTP/1.1 101 Web Socket Protocol\r\nupgrade: WebSocket\r\nConnection: upgrade\r\n\
         sec-WebSocket-accept: a=\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
    );
    let head = client.head();
    assert!(head.contains("\r\nsec-WebSocket-accept: a=\r\n"), "{head}");
    assert!(head.contains("\r\nSec-WebSocket-Protocol: chat\r\n"), "{head}");
    assert!(head.to_lowercase().contains("\r\nupgrade: websocket\r\n"), "{head}");
    assert!(!head.to_lowercase().contains("content-length"), "{head}");
    assert!(!head.to_lowercase().contains("transfer-encoding"), "{head}");
}

#[test]
fn when_the_client_has_finished_the_worker_may_still_answer() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    client.send("last words");
    client.finish();
    assert_eq!(server.rest_text(), "last words");
    server.send(pattern(500_000));
    drop(server);
    assert!(client.rest() == pattern(500_000));
    drop(client);
    house.wait_for_peace();
}

#[test]
fn when_the_worker_has_finished_the_client_may_still_answer() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    server.send("goodbye");
    server.finish();
    assert_eq!(client.rest_text(), "goodbye");
    let sender = thread::spawn(move || client.send(pattern(500_000)));
    assert!(server.rest() == pattern(500_000));
    sender.join().unwrap();
    drop(server);
    house.wait_for_peace();
}

#[test]
fn a_slow_reader_stops_the_sender_and_gets_every_byte() {
    const ALL: usize = 50_000_000;
    let house = House::new();
    let worker = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    // While nobody reads, what lies between the two is bounded by the sockets' buffers.
    let taken = server.fill(ALL);
    assert!(taken < 20_000_000, "{taken} bytes were taken for a client that does not read");
    let sender = thread::spawn(move || {
        let rest: Vec<u8> = (0..=255).cycle().skip(taken % 256).take(ALL - taken).collect();
        server.send(rest);
        server
    });
    let mut whole = client.exactly(ALL).into_iter().enumerate();
    assert!(whole.all(|(at, byte)| at % 256 == usize::from(byte)));
    let mut server = sender.join().unwrap();
    client.send("and back");
    server.expect("and back");
}

#[test]
fn both_directions_flow_at_once() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    let echo = {
        let mut reader = server.try_clone();
        thread::spawn(move || {
            for _ in 0..80 {
                let part = reader.exactly(100_000);
                server.send(part);
            }
        })
    };
    let mut writer = client.try_clone();
    let sent = thread::spawn(move || writer.send(pattern(8_000_000)));
    assert!(client.exactly(8_000_000) == pattern(8_000_000));
    sent.join().unwrap();
    echo.join().unwrap();
}

#[test]
fn a_reset_of_either_side_ends_the_other_and_is_counted_out() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let (client, mut server) = house.tunnel(&worker);
    client.reset();
    server.expect_end();
    house.wait_for_peace();
    let (mut client, mut server) = house.tunnel(&worker);
    // Closing with bytes unread is how a Unix socket resets.
    client.send("unread");
    wait_until("the worker has them", || !server.is_silent());
    client.send("more");
    drop(server);
    client.expect_close_and_end(1012, false);
    drop(client);
    house.wait_for_peace();
}

#[test]
fn an_idle_tunnel_ends_at_proxy_read_timeout() {
    let house = House::saying(Says { location: "proxy_read_timeout 300ms;", ..Says::default() });
    let worker = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    expect_closes((&mut client, &mut server), 1001);
    house.wait_for_error("upstream timed out (110: Connection timed out) while proxying upgraded");
    house.wait_for_peace();
}

#[test]
fn traffic_in_one_direction_keeps_the_tunnel() {
    let house = House::saying(Says { location: "proxy_read_timeout 1s;", ..Says::default() });
    let worker = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    let begin = std::time::Instant::now();
    // Well past the timeout, with the worker silent all the time.
    wait_until("two and a half seconds", || {
        client.send("x");
        server.expect("x");
        begin.elapsed().as_millis() > 2500
    });
    server.send("still here");
    client.expect("still here");
}

#[test]
fn a_reader_that_stopped_ends_the_tunnel_at_proxy_send_timeout() {
    let house = House::saying(Says { location: "proxy_send_timeout 300ms;", ..Says::default() });
    let worker = house.worker("a.sock");
    let (mut client, server) = house.tunnel(&worker);
    client.fill(50_000_000);
    house.wait_for_peace();
    house.wait_for_error("upstream timed out (110: Connection timed out) while proxying upgraded");
    drop((client, server));
}

#[test]
fn a_101_that_nobody_asked_for_is_a_502() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(GET);
    let (mut server, _) = worker.answer(SWITCH);
    assert!(client.answer().0.starts_with("HTTP/1.1 502 "));
    server.expect_end();
    house.wait_for_error("101");
    drop(client);
    // HTTP/1.0 has no upgrades, whatever its fields say.
    let mut client = house.client();
    client.send(UPGRADE.replace("HTTP/1.1", "HTTP/1.0"));
    let (mut server, _) = worker.answer(SWITCH);
    assert!(client.rest_text().contains(" 502 "));
    server.expect_end();
    house.wait_for_peace();
}

#[test]
fn an_upgrade_that_the_configuration_does_not_pass_on_was_not_asked_for() {
    let house =
        House::saying(Says { location: "proxy_set_header X-Only this;", ..Says::default() });
    let worker = house.worker("a.sock");
    // The line in the location replaces nothing: it stands beside the other two.
    let (_client, _server) = house.tunnel(&worker);

    let house = House::saying(Says {
        http: "map $http_upgrade $none { default ''; }",
        location: "location /chat { proxy_pass http://workers; proxy_set_header Upgrade $none; }",
        ..Says::default()
    });
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(UPGRADE);
    let (mut server, head) = worker.answer(SWITCH);
    assert!(!head.to_lowercase().contains("upgrade"), "{head}");
    assert!(client.answer().0.starts_with("HTTP/1.1 502 "));
    server.expect_end();
}

#[test]
fn another_protocol_is_passed_on_by_its_name_alone() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(UPGRADE.replace("websocket", "h2c"));
    let (mut server, head) = worker.answer(SWITCH);
    assert!(!head.contains("h2c"), "{head}");
    assert!(client.answer().0.starts_with("HTTP/1.1 502 "));
    server.expect_end();
    house.wait_for_error("\"$http_upgrade\" does not pass \"h2c\" to upstream");

    let mut client = house.client();
    client.send(CHAT);
    let (_server, head) = worker.answer(SWITCH);
    assert!(head.contains("\r\nUpgrade: chat\r\n"), "{head}");
    assert!(client.head().starts_with("HTTP/1.1 101 "));
}

#[test]
fn a_200_instead_of_the_101_stays_http() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(UPGRADE);
    let (mut server, _) = worker.answer(OK);
    let (head, body) = client.answer();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert_eq!(body, "ok");
    assert_eq!(house.proxy.counts().tunnels, 0);
    client.send(UPGRADE);
    server.head();
    server.send(SWITCH);
    client.head();
    client.send("now it is one");
    server.expect("now it is one");
}

#[test]
fn a_request_behind_the_handshake_belongs_to_the_tunnel() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(format!("{UPGRADE}{GET}"));
    let (mut server, _) = worker.answer(SWITCH);
    client.head();
    server.expect(GET);
    assert_eq!(house.proxy.counts().requests, 1);
}

#[test]
fn a_client_that_leaves_in_mid_handshake_frees_the_worker() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(UPGRADE);
    let mut server = worker.accept();
    server.head();
    assert_eq!(house.active(), [1]);
    drop(client);
    server.expect_end();
    house.wait_for_peace();
}

#[test]
fn a_client_that_leaves_after_sending_too_early_frees_the_worker() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(format!("{UPGRADE}frames that nobody will read"));
    let mut server = worker.accept();
    server.head();
    drop(client);
    server.expect_end();
    house.wait_for_peace();
}

#[test]
fn an_upgrade_behind_a_long_answer_loses_nothing_of_it() {
    const LONG: usize = 20_000_000;
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(format!("{GET}{UPGRADE}"));
    let mut server = worker.accept();
    let sender = thread::spawn(move || {
        server.head();
        server.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LONG}\r\n\r\n"));
        server.send(pattern(LONG));
        server.head();
        server.send(format!("{SWITCH}tunnel"));
        server
    });
    client.head();
    // The client is so slow that the 101 waits in the proxy behind the end of the answer.
    let mut body = Vec::new();
    wait_until("the worker has switched", || {
        body.extend(client.exactly(100_000));
        sender.is_finished()
    });
    let rest = LONG - body.len();
    body.extend(client.exactly(rest));
    assert!(body == pattern(LONG));
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    client.expect("tunnel");
    drop(sender.join().unwrap());
}
