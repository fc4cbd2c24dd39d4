//! `status` and `stub_status`: what the proxy counts is what a story did, over threads, reloads and
//! ends of every kind.
#![allow(clippy::unwrap_used, reason = "helpers of tests are test code too")]

mod common;

use common::close::expect_closes;
use common::{GET, House, OK, Says, UPGRADE, Wire, header, wait_until};
use serde_json::Value;

/// What this file's houses say in `location /`, beside what a story adds.
const LOCATIONS: &str = "
    location = /status.json { status json; }
    location = /metrics { status prometheus; }
    location = /page { status page; }
    location = /stub { stub_status; }
    location = /closed { deny all; status json; }
    location = /names { return 200 \"$connections_active $connections_reading \
$connections_writing $connections_waiting\"; }";

fn house(says: Says<'_>) -> House {
    let location = format!("{LOCATIONS}\n{}", says.location);
    House::saying(Says { location: &location, ..says })
}

fn get(house: &House, path: &str) -> (String, String) {
    let mut client = house.client();
    client.send(format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n"));
    client.answer()
}

/// The snapshot, as a client gets it.
fn status(house: &House) -> Value {
    let (head, body) = get(house, "/status.json");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    serde_json::from_str(&body).unwrap()
}

/// Waits until the snapshot says this.
fn wait_for_status(house: &House, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    wait_until(what, || {
        last = status(house);
        holds(&last)
    });
    last
}

/// A client's message of so many zeros.
fn message(length: u8) -> Vec<u8> {
    [&[0x81, 0x80 | length, 0, 0, 0, 0][..], &vec![0; length.into()]].concat()
}

/// A server's message.
fn reply(length: u8) -> Vec<u8> {
    [&[0x81, length][..], &vec![0; length.into()]].concat()
}

/// Sends messages of these lengths through a tunnel, and back.
fn talk((client, server): (&mut Wire, &mut Wire), lengths: &[u8]) {
    for &length in lengths {
        client.send(message(length));
        server.expect(message(length));
        server.send(reply(length));
        client.expect(reply(length));
    }
}

/// Ends a tunnel as its client wants it.
fn close((mut client, mut server): (Wire, Wire), code: u16) {
    let [high, low] = code.to_be_bytes();
    let frame = [0x88, 0x82, 0, 0, 0, 0, high, low];
    client.send(frame);
    server.expect(frame);
    server.send([0x88, 2, high, low]);
    client.expect([0x88, 2, high, low]);
    client.expect_end();
    server.expect_end();
}

#[test]
fn a_script_is_counted_to_the_last_byte() {
    let house = house(Says { threads: 2, ..Says::default() });
    let worker = house.worker("a.sock");
    let mut tunnels: Vec<_> = (0..6).map(|_| house.tunnel(&worker)).collect();
    for (client, server) in &mut tunnels {
        talk((client, server), &[0, 10, 100, 100]);
    }
    // Four frames of 6 bytes and what is in them; the answers have no keys.
    let (up, down) = (4 * 6 + 210, 4 * 2 + 210);
    let open = status(&house);
    let all = &open["tunnels"];
    assert_eq!(
        (&all["tunnels"], &all["opened"], &all["closed"]),
        (&6.into(), &6.into(), &0.into())
    );
    assert_eq!(all["messages_received"], 24);
    assert_eq!(all["messages_sent"], 24);
    assert_eq!(all["bytes_received"], 6 * up);
    assert_eq!(all["bytes_sent"], 6 * down);
    assert_eq!(all["message_size"]["count"], 48);
    assert_eq!(all["message_size"]["sum"], 6.0 * 2.0 * 210.0);
    let server = &open["upstreams"][0]["servers"][0];
    for name in ["tunnels", "messages_received", "messages_sent", "bytes_received", "bytes_sent"] {
        assert_eq!(server[name], all[name], "{name}");
    }
    assert_eq!((&server["state"], &server["selected"]), (&"up".into(), &6.into()));
    assert_eq!((&server["active"], &server["handshake_time"]["count"]), (&6.into(), &6.into()));
    let listener = &open["listeners"][0];
    assert_eq!(listener["address"], house.door().to_string());
    assert_eq!((&listener["accepted"], &listener["requests"]), (&7.into(), &7.into()));
    assert_eq!((&listener["tunnels"], &listener["answers"]["1xx"]), (&6.into(), &6.into()));

    close(tunnels.pop().unwrap(), 1000);
    close(tunnels.pop().unwrap(), 4321);
    let (client, mut server) = tunnels.pop().unwrap();
    client.reset();
    server.expect_end();
    drop(tunnels.pop());
    let ended = |status: &Value| status["tunnels"]["closed"] == 4;
    let mut closed = wait_for_status(&house, "four have ended", ended);
    let all = closed["tunnels"].take();
    assert_eq!((&all["tunnels"], &all["opened"]), (&2.into(), &6.into()));
    assert_eq!(all["messages_received"], 24);
    // The two that were closed have said so.
    assert_eq!(all["bytes_received"], 6 * up + 2 * 8);
    assert_eq!(all["bytes_sent"], 6 * down + 2 * 4);
    assert_eq!(all["lifetime"]["count"], 4);
    let ends: Vec<_> = all["ends"].as_array().unwrap().iter().map(Value::to_string).collect();
    assert!(ends.contains(&r#"{"by":"client","code":1000,"count":1}"#.to_owned()), "{ends:?}");
    assert!(ends.contains(&r#"{"by":"client","code":4321,"count":1}"#.to_owned()), "{ends:?}");
    let server = &closed["upstreams"][0]["servers"][0];
    assert_eq!(server["ends"], all["ends"]);
    assert_eq!((&server["active"], &server["tunnels"]), (&2.into(), &2.into()));
}

#[test]
fn a_reload_loses_nothing() {
    let house = house(Says { threads: 2, ..Says::default() });
    let worker = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    talk((&mut client, &mut server), &[1, 2]);
    let other = house.tunnel(&worker);
    close(other, 1000);
    let before = wait_for_status(&house, "one has ended", |it| it["tunnels"]["closed"] == 1);
    assert_eq!(before["generation"]["number"], 1);
    assert_eq!(before["generation"]["reload"], Value::Null);

    house.reload(Says { threads: 2, location: LOCATIONS, ..Says::default() });
    talk((&mut client, &mut server), &[3]);
    let after = status(&house);
    assert_eq!(after["generation"]["number"], 2);
    assert_eq!(after["generation"]["reload"]["error"], Value::Null);
    let carried = |all: &Value| (all["opened"].clone(), all["messages_received"].clone());
    assert_eq!(carried(&after["tunnels"]), (2.into(), 3.into()));
    let server = &after["upstreams"][0]["servers"][0];
    assert_eq!(carried(server), (2.into(), 3.into()));
    assert_eq!((&server["selected"], &server["ends"][0]["count"]), (&2.into(), &1.into()));

    let http = "server { location ~ ( { } }";
    let failed = house.try_reload(Says { http, location: LOCATIONS, ..Says::default() });
    let failed = failed.unwrap_err().to_string();
    let after = status(&house);
    assert_eq!(after["generation"]["number"], 2);
    assert_eq!(after["generation"]["reload"]["error"], *failed);
}

#[test]
fn a_server_that_is_listed_no_more_drains_and_is_forgotten() {
    let house = house(Says { upstream: "server unix:{dir}/a.sock;", ..Says::default() });
    let (worker, _b) = (house.worker("a.sock"), house.worker("b.sock"));
    let (mut client, mut server) = house.tunnel(&worker);
    let upstream = "server unix:{dir}/b.sock weight=3;";
    house.reload(Says { upstream, location: LOCATIONS, ..Says::default() });
    talk((&mut client, &mut server), &[5]);
    let draining = status(&house);
    let servers = &draining["upstreams"][0]["servers"];
    assert_eq!((&servers[0]["weight"], &servers[0]["state"]), (&3.into(), &"up".into()));
    let (a, is) = (house.path("a.sock"), &servers[1]);
    assert_eq!(is["address"], format!("unix:{}", a.display()));
    assert_eq!((&is["state"], &is["messages_sent"]), (&"draining".into(), &1.into()));
    assert_eq!(draining["tunnels"]["oldest"][0]["server"], is["address"]);
    close((client, server), 1000);
    house.wait_for_peace();
    house.reload(Says { upstream, location: LOCATIONS, ..Says::default() });
    let left = status(&house);
    assert_eq!(left["upstreams"][0]["servers"].as_array().unwrap().len(), 1);
    assert_eq!(left["tunnels"]["messages_sent"], 1, "in whole it has happened");
}

#[test]
fn a_bench_says_why_and_for_how_long() {
    let upstream = "server unix:{dir}/a.sock; server unix:{dir}/nobody.sock; \
                    server unix:{dir}/b.sock down;";
    let house = house(Says { upstream, ..Says::default() });
    let worker = house.worker("a.sock");
    for _ in 0..2 {
        let mut client = house.client();
        client.send(GET);
        worker.answer(OK);
        client.answer();
    }
    let seen = status(&house);
    let [a, nobody, down] = [0, 1, 2].map(|place| &seen["upstreams"][0]["servers"][place]);
    assert_eq!((&a["state"], &a["requests"]), (&"up".into(), &2.into()));
    assert_eq!((&nobody["state"], &nobody["failures"]), (&"benched".into(), &1.into()));
    let reason = nobody["reason"].as_str().unwrap();
    assert!(reason.contains("(2: No such file or directory)"), "{reason}");
    let left = nobody["benched_for"].as_f64().unwrap();
    assert!((0.0..=10.0).contains(&left), "{left}");
    assert_eq!(down["state"], "down");
}

#[test]
fn the_oldest_and_the_busiest_have_names() {
    let house = house(Says { threads: 2, ..Says::default() });
    let worker = house.worker("a.sock");
    let mut tunnels: Vec<_> = (0..12).map(|_| house.tunnel(&worker)).collect();
    let last = tunnels.last_mut().unwrap();
    talk((&mut last.0, &mut last.1), &[125, 125]);
    let seen = status(&house);
    let [oldest, busiest] =
        ["oldest", "busiest"].map(|name| seen["tunnels"][name].as_array().unwrap());
    assert_eq!((oldest.len(), busiest.len()), (10, 10));
    let ages: Vec<_> = oldest.iter().map(|it| it["age"].as_f64().unwrap()).collect();
    assert!(ages.is_sorted_by(|one, next| one >= next), "{ages:?}");
    let first = &busiest[0];
    assert_eq!((&first["messages_received"], &first["bytes_sent"]), (&2.into(), &254.into()));
    assert_eq!(first["upstream"], "workers");
    assert!(first["client"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(first["ping"], Value::Null);
}

#[test]
fn connections_are_told_apart_as_nginx_does() {
    let house = house(Says::default());
    let worker = house.worker("a.sock");
    let _tunnel = house.tunnel(&worker);
    let _fresh = house.client();
    let mut begun = house.client();
    begun.send("GET / HT");
    let mut kept = house.client();
    kept.send("GET /names HTTP/1.1\r\nHost: here\r\n\r\n");
    kept.answer();
    let mut asking = house.client();
    asking.send(GET);
    let _unanswered = worker.accept();
    let stub = |text: &str| {
        let (head, body) = get(&house, "/stub");
        assert_eq!(header(&head, "content-type"), Some("text/plain"));
        assert_eq!(header(&head, "cache-control"), None);
        body.ends_with(text)
    };
    // The tunnel, who waits for an answer, and who asks this.
    wait_until("they are told apart", || stub("Reading: 1 Writing: 3 Waiting: 2 \n"));
    wait_until("by name, too", || get(&house, "/names").1 == "6 1 3 2");
    let seen = status(&house);
    let connections = &seen["connections"];
    assert_eq!((&connections["active"], &connections["waiting"]), (&6.into(), &2.into()));
    assert_eq!(connections["accepted"], connections["handled"]);
    drop((begun, asking));
    wait_until("two have gone", || stub("Reading: 0 Writing: 2 Waiting: 2 \n"));
}

#[test]
fn only_what_reads_is_answered_and_only_where_it_may() {
    let house = house(Says::default());
    for path in ["/status.json", "/metrics"] {
        let (head, body) = get(&house, path);
        assert_eq!(header(&head, "cache-control"), Some("no-store"), "{head}");
        assert!(!body.is_empty());
        let mut client = house.client();
        client.send(format!("HEAD {path} HTTP/1.1\r\nHost: here\r\n\r\n"));
        let head = client.head();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(header(&head, "content-length").unwrap().parse::<usize>().unwrap() > 100);
        let mut client = house.client();
        client.send(format!("POST {path} HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n"));
        let (head, _) = client.answer();
        assert!(head.starts_with("HTTP/1.1 405 "), "{head}");
        assert_eq!(header(&head, "allow"), Some("GET, HEAD"));
    }
    assert!(get(&house, "/closed").0.starts_with("HTTP/1.1 403 "));
}

#[test]
fn a_page_is_one_text_and_the_same_place_answers_its_script() {
    let house = house(Says::default());
    let (head, page) = get(&house, "/page");
    assert_eq!(header(&head, "content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(header(&head, "cache-control"), Some("no-store"));
    assert!(header(&head, "content-security-policy").unwrap().starts_with("default-src 'none';"));
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{page}");
    let (head, body) = get(&house, "/page?json");
    assert_eq!(header(&head, "content-type"), Some("application/json"));
    let seen: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(seen["connections"]["requests"], 2);
    let mut client = house.client();
    client.send("GET /page HTTP/1.1\r\nHost: here\r\nAccept: application/json\r\n\r\n");
    assert_eq!(header(&client.answer().0, "content-type"), Some("application/json"));
    let mut client = house.client();
    client.send("POST /page HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n");
    assert!(client.answer().0.starts_with("HTTP/1.1 405 "));
}

#[test]
fn a_proxy_tells_the_program_that_embeds_it() {
    let house = house(Says { threads: 2, ..Says::default() });
    let worker = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    talk((&mut client, &mut server), &[7]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let snapshot = runtime.block_on(house.proxy.status()).unwrap();
    assert_eq!(snapshot.tunnels.traffic.messages_sent, 1);
    assert_eq!(snapshot.process.pid, std::process::id());
    assert_eq!(snapshot.version, env!("CARGO_PKG_VERSION"));
    house.proxy.quit();
    expect_closes_at_stop(&house, client, server);
}

/// What is told at the end is told to both.
fn expect_closes_at_stop(house: &House, mut client: Wire, mut server: Wire) {
    house.proxy.stop();
    expect_closes((&mut client, &mut server), 1001);
}

#[test]
fn handshakes_that_fail_are_no_tunnels() {
    let house = house(Says::default());
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(UPGRADE);
    worker.answer(OK);
    client.answer();
    let seen = status(&house);
    let server = &seen["upstreams"][0]["servers"][0];
    assert_eq!((&server["requests"], &server["opened"]), (&1.into(), &0.into()));
    assert_eq!(server["handshake_time"]["count"], 0);
    assert_eq!(seen["listeners"][0]["answers"]["2xx"], 1);
}
