//! `websocket_max_message` and its like: what a client may do, who may ask, what a server may answer,
//! and what the access log tells of a tunnel.

mod common;

use common::close::expect_closes;
use common::{House, OK, Says, Wire, wait_until};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn house(location: &str) -> House {
    House::saying(Says { location, ..Says::default() })
}

fn tunnel(location: &str) -> (House, Wire, Wire) {
    let house = house(location);
    let worker = house.worker("a.sock");
    let (client, server) = house.tunnel(&worker);
    (house, client, server)
}

/// A frame of the client's; its payload is zeros.
fn frame(first: u8, length: u8) -> Vec<u8> {
    [&[first, 0x80 | length, 0, 0, 0, 0][..], &vec![0; length.into()]].concat()
}

#[test]
fn a_message_that_is_too_long_ends_its_tunnel_before_the_server_sees_it() {
    let (house, mut client, mut server) = tunnel("websocket_max_message 100;");
    let fits = [frame(0x81, 100), frame(0x01, 60), frame(0x80, 40), frame(0x89, 125)].concat();
    client.send(&fits);
    server.expect(&fits);
    // As long as that, and a half of the next one, whose header says that it is too long.
    client.send([frame(0x82, 50), frame(0x82, 101)[..60].to_vec()].concat());
    server.expect(frame(0x82, 50));
    expect_closes((&mut client, &mut server), 1009);
    house.wait_for_error("message too big (1009) while proxying upgraded connection");
    house.wait_for_peace();
}

#[test]
fn fragments_are_one_message() {
    let (_house, mut client, mut server) = tunnel("websocket_max_message 100;");
    client.send(frame(0x01, 60));
    server.expect(frame(0x01, 60));
    client.send(frame(0x80, 41));
    expect_closes((&mut client, &mut server), 1009);
}

#[test]
fn a_server_may_send_what_it_likes() {
    let (_house, mut client, mut server) = tunnel("websocket_max_message 10;");
    server.send([&[0x82, 100][..], &[0; 100]].concat());
    client.exactly(102);
    client.send(frame(0x81, 10));
    server.expect(frame(0x81, 10));
}

#[test]
fn who_sends_too_many_messages_is_let_go() {
    let (_house, mut client, mut server) = tunnel("websocket_message_rate 1/s burst=3;");
    let three = [frame(0x81, 1), frame(0x81, 2), frame(0x89, 0), frame(0x81, 3)].concat();
    client.send(&three);
    server.expect(&three);
    client.send([frame(0x81, 4), frame(0x81, 5)].concat());
    expect_closes((&mut client, &mut server), 1008);
}

#[test]
fn a_tunnel_has_its_time() {
    let (house, mut client, mut server) = tunnel("websocket_max_lifetime 200ms jitter=10%;");
    client.send(frame(0x81, 1));
    server.expect(frame(0x81, 1));
    expect_closes((&mut client, &mut server), 1012);
    house.wait_for_error("the connection has lasted for long enough (1012)");
}

/// The status of the answer to a handshake with these fields.
fn status(house: &House, fields: &str) -> String {
    let mut client = house.client();
    client.send(format!(
        "GET / HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{fields}\r\n"
    ));
    client.head()[9..12].to_owned()
}

#[test]
fn only_pages_from_where_it_is_said_may_ask() {
    let house = house("websocket_origin self https://a.example *.example.org;");
    let worker = house.worker("a.sock");
    let answering = std::thread::spawn(move || {
        for _ in 0..5 {
            drop(worker.answer(OK));
        }
    });
    for fields in [
        "",
        "Origin: http://here\r\n",
        "Origin: https://a.example\r\n",
        "Origin: https://b.example.org:8443\r\n",
    ] {
        assert_eq!(status(&house, fields), "200", "{fields}");
    }
    for fields in [
        "Origin: http://a.example\r\n",
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: https://example.org\r\n",
    ] {
        assert_eq!(status(&house, fields), "403", "{fields}");
    }
    house.wait_for_error("WebSocket forbidden to this origin, client: 127.0.0.1");
    // A plain request is not asked.
    let mut client = house.client();
    client.send("GET / HTTP/1.1\r\nHost: here\r\nOrigin: https://evil.example\r\n\r\n");
    assert_eq!(client.answer().1, "ok");
    answering.join().unwrap();
}

#[test]
fn an_answer_must_fit_the_handshake() {
    let house = house("websocket_verify on;");
    let worker = house.worker("a.sock");
    let answer = |fields: &str| {
        format!("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n{fields}\r\n")
    };
    let right = format!("Upgrade: websocket\r\nSec-WebSocket-Accept: {ACCEPT}\r\n");
    let cases = [
        (right.clone(), "101", ""),
        ("Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n".into(), "502", "Accept"),
        (format!("{right}Sec-WebSocket-Protocol: b\r\n"), "502", "Protocol"),
        (format!("{right}Sec-WebSocket-Protocol: a\r\n"), "101", ""),
        (format!("{right}Sec-WebSocket-Extensions: x\r\n"), "502", "Extensions"),
    ];
    for (fields, expected, told) in cases {
        std::thread::scope(|scope| {
            let server = scope.spawn(|| worker.answer(&answer(&fields)));
            assert_eq!(status(&house, "Sec-WebSocket-Protocol: a, c\r\n"), expected, "{fields}");
            drop(server.join().unwrap());
        });
        house.wait_for_error(told);
    }
}

const FORMAT: &str = "log_format t '$websocket_event $status $websocket_messages_received \
                      $websocket_messages_sent $websocket_bytes_received $websocket_bytes_sent \
                      $websocket_close_code $websocket_closed_by $websocket_ping_time'; ";

/// The lines that a tunnel leaves which `story` ends.
fn lines(location: &str, expected: usize, story: impl FnOnce(&House, Wire, Wire)) -> Vec<String> {
    let http = format!("{FORMAT} access_log {{dir}}/told.log t;");
    let house = House::saying(Says { http: &http, location, ..Says::default() });
    let worker = house.worker("a.sock");
    let (client, server) = house.tunnel(&worker);
    story(&house, client, server);
    let log = || std::fs::read_to_string(house.path("told.log")).unwrap_or_default();
    wait_until("the lines are written", || log().lines().count() == expected);
    log().lines().map(str::to_owned).collect()
}

#[test]
fn the_access_log_tells_how_a_tunnel_was() {
    let said = lines("websocket_log open close;", 2, |_, mut client, mut server| {
        client.send([frame(0x01, 2), frame(0x89, 0), frame(0x80, 2), frame(0x81, 0)].concat());
        server.exactly(28);
        server.send(b"\x81\x02hi\x88\x02\x0f\xa1");
        client.expect(b"\x81\x02hi\x88\x02\x0f\xa1");
        client.send(b"\x88\x82\0\0\0\0\x0f\xa1");
        server.expect(b"\x88\x82\0\0\0\0\x0f\xa1");
    });
    assert_eq!(said, ["open 101 - - - - - - -", "close 101 2 1 36 8 4001 server -"]);
}

#[test]
fn the_access_log_tells_who_has_ended_it() {
    let ended = |location: &str, story: fn(&House, Wire, Wire)| {
        let line = lines(location, 1, story).remove(0);
        line.split(' ').skip(6).take(2).collect::<Vec<_>>().join(" ")
    };
    let client_leaves = |_: &House, client: Wire, mut server: Wire| {
        drop(client);
        server.expect_end();
    };
    assert_eq!(ended("", client_leaves), "1006 client");
    let client_says_farewell = |_: &House, mut client: Wire, mut server: Wire| {
        client.send(b"\x88\x80\0\0\0\0");
        server.expect(b"\x88\x80\0\0\0\0");
        server.send(b"\x88\0");
    };
    assert_eq!(ended("", client_says_farewell), "1005 client");
    let proxy_ends = |_: &House, mut client: Wire, mut server: Wire| {
        expect_closes((&mut client, &mut server), 1001);
    };
    assert_eq!(ended("proxy_read_timeout 100ms;", proxy_ends), "1001 proxy");
}

#[test]
fn a_ping_tells_how_far_the_client_is() {
    let said = lines("websocket_ping 50ms timeout=8h;", 1, |_, mut client, mut server| {
        client.expect(b"\x89\x08");
        let payload = client.exactly(8);
        client.send([&b"\x8a\x88\0\0\0\0"[..], &payload].concat());
        client.send(frame(0x81, 1));
        server.expect(frame(0x81, 1));
    });
    let took = said[0].rsplit(' ').next().unwrap();
    assert!(took.parse::<f64>().is_ok(), "{took}");
}

#[test]
fn what_is_no_frame_is_counted_and_flows_on() {
    let (house, mut client, mut server) = tunnel("");
    client.send(b"this is no frame");
    server.expect(b"this is no frame");
    server.send(b"nor is this");
    client.expect(b"nor is this");
    drop(client);
    server.expect_end();
    drop(server);
    house.wait_for_peace();
    assert_eq!(house.proxy.counts().malformed, 2);
}
