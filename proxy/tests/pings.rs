//! `websocket_ping`: who is silent is asked whether it is there, and nobody else notices.

mod common;

use common::close::expect_closes;
use common::{House, Says, Wire, wait_until};

fn tunnel(location: &str) -> (House, Wire, Wire) {
    let house = House::saying(Says { location, ..Says::default() });
    let worker = house.worker("a.sock");
    let (client, server) = house.tunnel(&worker);
    (house, client, server)
}

/// The next frame is a ping; what it says, and the key that masked it.
fn expect_ping(side: &mut Wire, masked: bool) -> Vec<u8> {
    side.expect(if masked { b"\x89\x88" } else { b"\x89\x08" });
    let key = if masked { side.exactly(4) } else { vec![0; 4] };
    let payload = side.exactly(8);
    payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect()
}

/// A pong that says this; a client's is masked.
fn pong(payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let mask = |key: [u8; 4]| {
        let masked = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
        [&[0x8a, 0x88], &key[..], &masked.collect::<Vec<_>>()].concat()
    };
    key.map_or_else(|| [&[0x8a, 8], payload].concat(), mask)
}

const KEY: Option<[u8; 4]> = Some([7, 5, 3, 1]);

#[test]
fn a_client_that_answers_may_be_silent() {
    let (house, mut client, mut server) =
        tunnel("proxy_read_timeout 200ms; websocket_ping 100ms timeout=8h;");
    let start = std::time::Instant::now();
    let mut last = Vec::new();
    while start.elapsed().as_millis() < 1000 {
        let payload = expect_ping(&mut client, false);
        assert_ne!(payload, last, "each ping is one of its own");
        client.send(pong(&payload, KEY));
        last = payload;
    }
    client.send(b"\x81\x82\0\0\0\0hi");
    server.expect(b"\x81\x82\0\0\0\0hi");
    assert_eq!(house.proxy.counts().tunnels, 1);
}

#[test]
fn a_client_that_does_not_answer_is_gone() {
    let (house, mut client, mut server) = tunnel("websocket_ping 100ms timeout=200ms;");
    expect_ping(&mut client, false);
    expect_closes((&mut client, &mut server), 1001);
    house.wait_for_error("client timed out (110: Connection timed out) while proxying upgraded");
    house.wait_for_peace();
}

#[test]
fn a_server_is_asked_as_well_where_both_are() {
    let (house, mut client, mut server) = tunnel("websocket_ping 100ms timeout=500ms both;");
    for _ in 0..3 {
        let payload = expect_ping(&mut client, false);
        client.send(pong(&payload, KEY));
        let payload = expect_ping(&mut server, true);
        server.send(pong(&payload, None));
    }
    // From now on the client alone answers.
    let mut reads = client.try_clone();
    let answers = std::thread::spawn(move || {
        loop {
            match reads.exactly(2)[..] {
                [0x89, 8] => {
                    let payload = reads.exactly(8);
                    reads.send(pong(&payload, KEY));
                }
                [0x88, length] => return reads.exactly(length.into())[..2].to_vec(),
                ref other => panic!("{}", other.escape_ascii()),
            }
        }
    });
    assert_eq!(answers.join().unwrap(), 1001_u16.to_be_bytes());
    house.wait_for_error("upstream timed out (110: Connection timed out) while proxying upgraded");
}

#[test]
fn only_the_pong_that_answers_is_kept_from_the_server() {
    let (_house, mut client, mut server) = tunnel("websocket_ping 100ms timeout=8h;");
    let payload = expect_ping(&mut client, false);
    let own = pong(b"12345678", KEY);
    let ours = pong(&payload, KEY);
    let text = b"\x81\x82\0\0\0\0hi";
    // In the middle of a message of the client's, in single bytes.
    let begin = b"\x01\x81\0\0\0\0a";
    let end = b"\x80\x81\0\0\0\0b";
    for byte in [&own, &begin[..], &ours, end, text, &own].concat() {
        client.send([byte]);
    }
    server.expect([&own, &begin[..], end, text, &own].concat());
    assert!(server.is_silent());
}

#[test]
fn a_ping_waits_for_the_end_of_a_frame() {
    let (_house, mut client, mut server) = tunnel("websocket_ping 100ms timeout=8h;");
    server.send(b"\x81\x04ab");
    client.expect(b"\x81\x04ab");
    let start = std::time::Instant::now();
    wait_until("a ping is due for long", || start.elapsed().as_millis() > 400);
    assert!(client.is_silent());
    server.send(b"cd\x81\x02hi");
    client.expect(b"cd");
    expect_ping(&mut client, false);
    client.expect(b"\x81\x02hi");
}

#[test]
fn nobody_is_asked_who_does_not_speak_websocket() {
    let (_house, mut client, mut server) =
        tunnel("proxy_read_timeout 300ms; websocket_ping 50ms; websocket_close off;");
    client.expect_end();
    server.expect_end();
}
