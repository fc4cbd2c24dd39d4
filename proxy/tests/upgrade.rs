//! `-s upgrade` and USR2: another binary takes the running one's place, and every connection goes on.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which stop at what is unexpected")]

mod common;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::program::{PROXY, Place, Running, ask, limit_descriptors, signal};
use common::{GET, OK, SWITCH, UPGRADE, Wire, Worker, wait_until};
use socket2::{Domain, Socket, Type};

const LOGS: &str = "log_format end '$status $body_bytes_sent $request_length $upstream_addr \
                    $upstream_bytes_sent $request_completion \"$request\" $connection';
                    access_log access.log end;";

fn copy(to: &Path) {
    fs::copy(PROXY, to).unwrap();
}

/// A program that may be replaced, and what it listens at.
struct House<'a> {
    place: &'a Place,
    running: Running<'a>,
    door: SocketAddr,
}

fn conf(http: &str, location: &str) -> String {
    balancing("server unix:a.sock; server unix:b.sock;", http, location)
}

fn balancing(servers: &str, http: &str, location: &str) -> String {
    format!(
        "pid x.pid; daemon off; worker_processes 2; error_log x.log info;
         events {{}}
         http {{
             {http}
             upstream workers {{ least_conn; {servers} }}
             server {{
                 listen 127.0.0.1:0;
                 location / {{
                     proxy_pass http://workers;
                     proxy_set_header Connection $http_connection;
                     proxy_set_header Upgrade $http_upgrade;
                     {location}
                 }}
             }}
         }}"
    )
}

impl<'a> House<'a> {
    fn new(place: &'a Place) -> Self {
        fs::copy(PROXY, place.path("proxy")).unwrap();
        let program = place.path("proxy");
        let running = place.start_as(program.to_str().unwrap(), ["-c", "x.conf", "-p", "."]);
        let door = place.door("x.log");
        place.pid("x.pid");
        Self { place, running, door }
    }

    /// Puts this in the binary's place.
    fn replace(&self, with: impl FnOnce(PathBuf)) {
        with(self.place.path("next"));
        fs::rename(self.place.path("next"), self.place.path("proxy")).unwrap();
    }

    /// Has a new binary take over, and waits until it has.
    fn upgrade(&self) {
        let before = self.starts();
        self.replace(|next| copy(&next));
        self.place.order("upgrade");
        wait_until("the new binary listens", || self.starts() > before);
        assert_eq!(self.place.pid("x.pid"), self.running.pid());
    }

    fn starts(&self) -> usize {
        self.place.text("x.log").matches("listening on ").count()
    }

    fn wait_for(&self, words: &str) {
        wait_until(words, || self.place.text("x.log").contains(words));
    }

    fn worker(&self, name: &str) -> Worker {
        Worker::bind(self.place.path(name))
    }

    fn client(&self) -> Wire {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.connect(&self.door.into()).unwrap();
        Wire::new(socket)
    }

    fn tunnel(&self, worker: &Worker) -> (Wire, Wire) {
        let mut client = self.client();
        client.send(UPGRADE);
        let (server, _) = worker.answer(SWITCH);
        client.head();
        (client, server)
    }
}

#[test]
fn tunnels_and_clients_that_rest_go_on_in_the_new_binary() {
    let place = Place::with(&conf("", ""));
    let house = House::new(&place);
    let a = house.worker("a.sock");
    let b = house.worker("b.sock");
    let (mut one, mut at_a) = house.tunnel(&a);
    let (mut two, mut at_b) = house.tunnel(&b);
    let (_three, _also_at_b) = house.tunnel(&b);
    // One that was never asked anything, and one between two requests.
    let mut silent = house.client();
    let mut rests = house.client();
    rests.send(GET);
    drop(a.answer(OK));
    assert_eq!(rests.answer().1, "ok");
    // In the middle of a frame's header, and of a frame's payload.
    one.send(b"\x81\xfe\x00");
    at_a.expect(b"\x81\xfe\x00");
    two.send(b"\x82\x85\0\0\0\0ab");
    at_b.expect(b"\x82\x85\0\0\0\0ab");
    for round in 1..=3 {
        house.upgrade();
        one.send([&[if round == 1 { 200 } else { b'x' }][..], b"y"].concat());
        at_a.exactly(2);
        at_b.send(b"\x81\x02hi");
        two.expect(b"\x81\x02hi");
    }
    two.send(b"cde");
    at_b.expect(b"cde");
    rests.send(GET);
    drop(a.answer(OK));
    assert_eq!(rests.answer().1, "ok");
    silent.send(GET);
    drop(a.answer(OK));
    assert_eq!(silent.answer().1, "ok");
    // The counts are those of before: one at a, two at b.
    let (_fourth, _also_at_a) = house.tunnel(&a);
    // A frame is still known where it ends: the proxy's own Close comes behind it.
    signal("TERM", &house.running.pid());
    one.send(vec![b'z'; 200]);
    at_a.exactly(200 - 2);
    assert!(two.rest().starts_with(b"\x88"));
    assert!(house.running.end().err.is_empty());
}

#[test]
fn requests_under_way_finish_first() {
    let place = Place::with(&conf("", ""));
    let house = House::new(&place);
    let a = house.worker("a.sock");
    let mut busy = house.client();
    busy.send(GET);
    let mut asked = a.accept();
    asked.head();
    let before = house.starts();
    place.order("upgrade");
    house.wait_for("(SIGUSR2) received, changing binary");
    // It is under way, too, or waits in the queue.
    let mut late = house.client();
    late.send(GET);
    // Kept open, this connection might carry the late one's request.
    asked.send(OK.replacen("\r\n", "\r\nConnection: close\r\n", 1));
    assert_eq!(busy.answer().1, "ok");
    drop(a.answer(OK));
    assert_eq!(late.answer().1, "ok");
    wait_until("the new binary listens", || house.starts() > before);
}

#[test]
fn what_a_slow_client_has_not_taken_goes_on_with_it() {
    let place = Place::with(&conf("", ""));
    let house = House::new(&place);
    let a = house.worker("a.sock");
    for header in [&b"\x82\x7f\0\0\0\0\x10\0\0\0"[..], b""] {
        let (mut client, mut server) = house.tunnel(&a);
        // With a frame around them many bytes go through a pipe; without, through memory.
        server.send(header);
        let sent = server.fill(64 << 20);
        house.upgrade();
        let mut took = client.exactly(header.len() + sent / 2);
        house.upgrade();
        took.extend(client.exactly(sent - sent / 2));
        assert_eq!(took[..header.len()], *header);
        let wrong = took[header.len()..].iter().enumerate().find(|(at, byte)| {
            let expected = u8::try_from(at % 256).unwrap();
            **byte != expected
        });
        assert_eq!(wrong, None, "of {sent} bytes");
    }
}

#[test]
fn the_line_of_a_tunnel_is_the_same_as_without() {
    let place = Place::with(&balancing("server unix:a.sock;", LOGS, ""));
    let house = House::new(&place);
    let a = house.worker("a.sock");
    let lines = || place.text("access.log").lines().map(str::to_owned).collect::<Vec<_>>();
    for upgrades in 0..3 {
        let (mut client, mut server) = house.tunnel(&a);
        client.send(b"\x81\x82\0\0\0\0hi");
        server.expect(b"\x81\x82\0\0\0\0hi");
        (0..upgrades).for_each(|_| house.upgrade());
        assert_eq!(lines().len(), upgrades);
        server.send(b"\x81\x05hello\x88\0");
        client.expect(b"\x81\x05hello\x88\0");
        client.send(b"\x88\x80\0\0\0\0");
        wait_until("the tunnel's end is told", || lines().len() > upgrades);
    }
    let lines = lines();
    let (first, connection) = lines[0].rsplit_once(' ').unwrap();
    assert!(first.starts_with("101 9 ") && first.contains(" unix:a.sock "), "{first}");
    assert!(first.contains(" OK \"GET /chat HTTP/1.1\""), "{first}");
    assert_eq!(connection, "1");
    assert_eq!(lines, [1, 2, 3].map(|connection| format!("{first} {connection}")));
    house.wait_for("tunnel finished while proxying upgraded connection, client: 127.0.0.1");
}

#[test]
fn limits_count_on() {
    let http = "limit_conn_zone $binary_remote_addr zone=all:1m; limit_conn all 2;";
    let place = Place::with(&conf(http, ""));
    let house = House::new(&place);
    let a = house.worker("a.sock");
    let _b = house.worker("b.sock");
    let (one, _at_a) = house.tunnel(&a);
    house.upgrade();
    let mut second = house.client();
    second.send(UPGRADE);
    let (_server, _) = _b.answer(SWITCH);
    second.head();
    assert!(ask(house.door).starts_with("HTTP/1.1 503 "));
    house.upgrade();
    assert!(ask(house.door).starts_with("HTTP/1.1 503 "));
    drop(one);
    wait_until("one less is counted", || {
        let mut again = house.client();
        again.send(UPGRADE);
        again.head().starts_with("HTTP/1.1 503 ") || {
            drop(a.answer(SWITCH));
            true
        }
    });
}

#[test]
fn pings_go_on_where_they_were() {
    let place = Place::with(&conf("", "websocket_ping 300ms timeout=8h;"));
    let house = House::new(&place);
    let a = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&a);
    client.expect(b"\x89\x08");
    let said = client.exactly(8);
    house.upgrade();
    // It is the answer to the ping that the binary before has sent: nobody else sees it.
    client.send([&b"\x8a\x88\0\0\0\0"[..], &said, b"\x81\x80\0\0\0\0"].concat());
    server.expect(b"\x81\x80\0\0\0\0");
    client.expect(b"\x89\x08");
    assert_ne!(client.exactly(8), said);
}

#[test]
fn who_is_held_because_its_server_is_gone_is_told_that_and_nothing_else() {
    let place = Place::with(&balancing("orphan_release 8h; server unix:a.sock;", "", ""));
    let house = House::new(&place);
    let worker = house.worker("a.sock");
    let (mut client, server) = house.tunnel(&worker);
    drop(server);
    house.upgrade();
    client.expect_close_and_end(1012, false);
}

#[test]
fn tunnels_go_on_however_few_descriptors_there_are() {
    let place = Place::with(&conf("", ""));
    let house = House::new(&place);
    let worker = house.worker("a.sock");
    let mut tunnels: Vec<_> = (0..6).map(|_| house.tunnel(&worker)).collect();
    let pid = house.running.pid();
    let told = |words: &str| place.text("x.log").matches(words).count();
    for more in 0..24 {
        limit_descriptors(&pid, more);
        let before = [told("binary changed: 6 tunnels"), told("the binary is not changed: ")];
        place.order("upgrade");
        wait_until("it has tried", || {
            before != [told("binary changed: 6 tunnels"), told("the binary is not changed: ")]
        });
        for (client, server) in &mut tunnels {
            client.send(b"\x81\x82\0\0\0\0hi");
            server.expect(b"\x81\x82\0\0\0\0hi");
        }
    }
    assert!(told("binary changed: 6 tunnels") > 0 && told("the binary is not changed: ") > 0);
}

#[test]
fn an_unfit_binary_changes_nothing() {
    let place = Place::with(&conf("", ""));
    let house = House::new(&place);
    let a = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&a);
    let mut still = || {
        client.send(b"\x81\x82\0\0\0\0hi");
        server.expect(b"\x81\x82\0\0\0\0hi");
        assert_eq!(house.starts(), 1);
    };
    let script = |text: &str| {
        house.replace(|next| {
            fs::write(&next, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(next, fs::Permissions::from_mode(0o755)).unwrap();
        });
        signal("USR2", &house.running.pid());
    };
    script("exit 0");
    house.wait_for(": the binary is not changed: \"");
    house.wait_for("cannot go on with connections of this one: it knows of no handover");
    still();
    script("echo 'handover format: 999' >&2");
    house.wait_for("its handover format is 999, ours 1");
    still();
    house.replace(|next| fs::write(next, "no program").unwrap());
    signal("USR2", &house.running.pid());
    house.wait_for("cannot be run (13: Permission denied)");
    still();
    // One that says that it is fit, and then is none.
    script(&format!("case $1 in -t) chmod 644 \"$0\";; esac\nexec {PROXY} \"$@\""));
    house.wait_for("execve() failed (13: Permission denied)");
    wait_until("it serves again", || ask_quietly(&house, &a));
    still();
    // A configuration that is not accepted.
    house.replace(|next| copy(&next));
    fs::write(place.path("x.conf"), format!("pid x.pid; foo; {}", conf("", ""))).unwrap();
    signal("USR2", &house.running.pid());
    house.wait_for("does not accept the configuration: proxy: [emerg] unknown directive \"foo\"");
    still();
    fs::write(place.path("x.conf"), conf("", "")).unwrap();
    house.upgrade();
    client.send(b"\x81\x82\0\0\0\0hi");
    server.expect(b"\x81\x82\0\0\0\0hi");
}

fn ask_quietly(house: &House<'_>, worker: &Worker) -> bool {
    let mut client = house.client();
    client.send(GET);
    drop(worker.answer(OK));
    client.answer().1 == "ok"
}
