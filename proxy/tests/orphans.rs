//! Clients of a server that has gone away without a word.

mod common;

use std::time::{Duration, Instant};

use common::{CHAT, House, SWITCH, Says, Wire, wait_until};

const HI: &[u8] = b"\x81\x02hi";

/// A tunnel whose client is released within this time when its server is gone.
fn tunnel(time: &str) -> (House, Wire, Wire) {
    let upstream = format!("orphan_release {time}; server unix:{{dir}}/a.sock;");
    let house = House::saying(Says { upstream: &upstream, ..Says::default() });
    let worker = house.worker("a.sock");
    let (client, server) = house.tunnel(&worker);
    (house, client, server)
}

#[test]
fn a_client_whose_server_is_gone_is_held() {
    let ends: [fn(&mut Wire, &mut Wire); 4] = [
        |_, _| {},
        |client, server| {
            server.send(HI);
            client.expect(HI);
        },
        // Within a frame.
        |client, server| {
            server.send(&HI[..3]);
            client.expect(&HI[..3]);
        },
        // What it has not read makes its end a reset.
        |client, server| {
            client.send("hello");
            wait_until("it has come", || !server.is_silent());
            client.send("again");
        },
    ];
    for end in ends {
        let (house, mut client, mut server) = tunnel("8h");
        end(&mut client, &mut server);
        drop(server);
        wait_until("it does not count", || house.active() == [0]);
        client.send("is anybody there?");
        assert!(client.is_silent());
        assert_eq!(house.proxy.counts().tunnels, 1);
        drop(client);
        house.wait_for_peace();
    }
}

#[test]
fn a_client_that_is_held_is_released_in_time() {
    for (time, code) in [("100ms", 1012), ("0", 1014)] {
        let (house, mut client, server) = tunnel(time);
        drop(server);
        client.expect_close_and_end(code, false);
        let end = format!("the server has gone away ({code}) while proxying upgraded connection");
        house.wait_for_error(&end);
        house.wait_for_peace();
    }
}

#[test]
fn clients_are_released_one_after_another() {
    let upstream = "orphan_release 1s; server unix:{dir}/a.sock;";
    let house = House::saying(Says { upstream, ..Says::default() });
    let worker = house.worker("a.sock");
    let tunnels: Vec<_> = (0..32).map(|_| house.tunnel(&worker)).collect();
    let (mut clients, servers): (Vec<_>, Vec<_>) = tunnels.into_iter().unzip();
    let start = Instant::now();
    drop(servers);
    clients.iter_mut().for_each(|client| client.expect_close_and_end(1012, false));
    // That all of 32 fall into its first half happens once in 4,000,000,000 times.
    assert!(start.elapsed() >= Duration::from_millis(500), "{:?}", start.elapsed());
}

#[test]
fn a_server_that_says_farewell_ends_the_tunnel_at_once() {
    for before in [&b""[..], HI] {
        let (house, mut client, mut server) = tunnel("8h");
        let last = [before, b"\x88\x02\x03\xe8"].concat();
        server.send(&last);
        drop(server);
        assert_eq!(client.rest(), last);
        drop(client);
        house.wait_for_peace();
    }
}

#[test]
fn a_server_whose_frames_nobody_understands_ends_the_tunnel_at_once() {
    let (house, mut client, mut server) = tunnel("8h");
    server.send("hello");
    drop(server);
    assert_eq!(client.rest(), b"hello");
    drop(client);
    house.wait_for_peace();
}

#[test]
fn a_server_of_another_protocol_ends_the_tunnel_at_once() {
    let upstream = "orphan_release 8h; server unix:{dir}/a.sock;";
    let house = House::saying(Says { upstream, ..Says::default() });
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(CHAT);
    drop(worker.answer(SWITCH));
    client.head();
    client.expect_end();
}

#[test]
fn a_long_message_before_the_end_is_followed() {
    let (house, mut client, mut server) = tunnel("8h");
    let length = 4_000_000_u64;
    let head = [&b"\x82\x7f"[..], &length.to_be_bytes()].concat();
    let mut reads = client.try_clone();
    let reader = std::thread::spawn(move || reads.exactly(4_000_010).len());
    server.send(head);
    server.send(vec![0x88; 4_000_000]);
    assert_eq!(reader.join().unwrap(), 4_000_010);
    drop(server);
    wait_until("it does not count", || house.active() == [0]);
    // By a pipe its bytes come uncounted: where they end is known all the same.
    assert!(client.is_silent());
}

#[test]
fn the_proxy_does_not_wait_for_whom_it_holds() {
    let (house, mut client, server) = tunnel("8h");
    drop(server);
    wait_until("it is held", || house.active() == [0]);
    house.proxy.stop();
    client.expect_close_and_end(1001, false);
    house.wait_for_end();
}
