//! Reloads, moves, log rotation and the end, while clients ask and tunnels talk.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which stop at what is unexpected")]

mod common;

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::Ordering::Relaxed;

use common::load::{Load, worker};
use common::{House, Says, wait_until};

const CLIENTS: usize = 64;
const TUNNELS: usize = 200;

/// What changes from one generation to the next: the order of two workers, the way one is chosen,
/// and a field that they are sent.
fn with_generation<T>(number: usize, then: impl FnOnce(Says<'_>) -> T) -> T {
    let [a, b] = ["server unix:{dir}/a.sock;", "server unix:{dir}/b.sock;"];
    let even = number.is_multiple_of(2);
    let upstream = if even { format!("{a} {b}") } else { format!("least_conn; {b} {a}") };
    let location = format!("proxy_set_header X-Generation {number};");
    then(Says { threads: 2, upstream: &upstream, location: &location, ..Says::default() })
}

fn house() -> House {
    let house = with_generation(0, House::saying);
    for name in ["a.sock", "b.sock"] {
        worker(house.path(name));
    }
    house
}

/// Waits until a good part of the clients and tunnels has done something once more.
fn wait_for_progress(load: &Load) {
    let (requests, echoes) = (load.requests(), load.echoes());
    wait_until("clients and tunnels go on", || {
        load.expect_no_failure();
        load.requests() >= requests + 16 && load.echoes() >= echoes + 50
    });
}

#[test]
fn two_hundred_reloads_lose_nothing() {
    let house = house();
    let mut load = Load::start(house.door(), CLIENTS, TUNNELS);
    for number in 1..=200 {
        with_generation(number, |says| house.reload(says));
        let counts = (house.proxy.counts().tunnels, house.active().iter().sum::<u32>());
        assert_eq!(counts.0, 200, "reload {number}");
        assert!((200..=264).contains(&counts.1), "reload {number}: {counts:?}");
        wait_for_progress(&load);
    }
    println!(
        "{} requests, {} asked again, {} echoes",
        load.requests(),
        load.done.stale.load(Relaxed),
        load.echoes()
    );
    load.stop();
    house.wait_for_peace();
}

#[test]
fn a_listener_moves() {
    let [old, new] = free_doors();
    let moved = |door: SocketAddr| {
        format!(
            "server {{ listen {door}; location / {{ proxy_pass http://workers;
             proxy_set_header Connection $http_connection;
             proxy_set_header Upgrade $http_upgrade; }} }}"
        )
    };
    let house = with_generation(0, |says| House::saying(Says { http: &moved(old), ..says }));
    for name in ["a.sock", "b.sock"] {
        worker(house.path(name));
    }
    let mut load = Load::start(old, 0, 8);
    let mut beside = Load::start(house.door(), 16, 8);
    wait_until("tunnels talk", || load.echoes() >= 8 && beside.echoes() >= 8);
    assert!(TcpStream::connect(new).is_err());
    with_generation(1, |says| house.reload(Says { http: &moved(new), ..says }));
    wait_until("the old door is closed", || TcpStream::connect(old).is_err());
    let mut through_new = Load::start(new, 16, 8);
    let before = load.echoes();
    wait_until("all go on", || {
        [&load, &beside, &through_new].iter().for_each(|load| load.expect_no_failure());
        load.echoes() > before + 16 && through_new.echoes() > 8 && through_new.requests() > 16
    });
    assert_eq!(house.proxy.counts().tunnels, 24);
    [&mut load, &mut beside, &mut through_new].into_iter().for_each(Load::stop);
    house.wait_for_peace();
}

/// Two doors that were free a moment ago, at an address of this process's own: nobody's connection comes
/// from there, so nobody takes their ports meanwhile.
fn free_doors() -> [SocketAddr; 2] {
    let [.., high, low] = std::process::id().to_be_bytes();
    let bind = || TcpListener::bind(SocketAddr::from(([127, 77, high, low], 0))).unwrap();
    [bind(), bind()].map(|listener| listener.local_addr().unwrap())
}

#[test]
fn a_wrong_configuration_is_not_noticed() {
    let house = house();
    let mut load = Load::start(house.door(), CLIENTS, TUNNELS);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let busy = format!("server {{ listen 127.0.0.1:0; listen 127.0.0.1:{port}; }}");
    for _ in 0..10 {
        let refused = with_generation(1, |says| house.try_reload(Says { http: &busy, ..says }));
        assert!(refused.unwrap_err().to_string().contains("(98: Address already in use)"));
        assert_eq!(house.proxy.counts().tunnels, 200);
        wait_for_progress(&load);
    }
    load.stop();
    assert_eq!(load.done.stale.load(Relaxed), 0, "nobody's generation was retired");
    house.wait_for_peace();
}

#[test]
fn logs_are_rotated_and_no_line_is_lost() {
    let house = house();
    let mut load = Load::start(house.door(), CLIENTS, 8);
    let mut logs = vec!["access.log".to_owned()];
    for number in 0..20 {
        let name = format!("access.{number}");
        fs::rename(house.path("access.log"), house.path(&name)).unwrap();
        house.proxy.reopen_logs();
        assert!(house.path("access.log").exists());
        logs.push(name);
        let requests = load.requests();
        wait_until("requests go on", || load.requests() > requests + 64);
    }
    load.stop();
    house.wait_for_peace();
    let all: String = logs.iter().map(|name| house.log(name)).collect();
    let whole = |line: &&str| line.starts_with("127.0.0.1 - - [") && line.ends_with("\"-\" \"-\"");
    let lines = all.lines().filter(whole).count();
    assert_eq!(
        (lines, lines),
        (all.lines().count(), usize::try_from(load.requests()).unwrap() + 8)
    );
}

#[test]
fn a_quit_ends_requests_and_leaves_tunnels() {
    let house = house();
    let mut load = Load::start(house.door(), CLIENTS, TUNNELS);
    wait_for_progress(&load);
    load.expect_the_end();
    house.proxy.quit();
    wait_until("the clients have found nobody", || {
        load.expect_no_failure();
        load.ended() == 64
    });
    assert_eq!(load.done.refused.load(Relaxed), 64);
    let echoes = load.echoes();
    wait_until("tunnels go on", || load.echoes() > echoes + 400);
    assert_eq!(house.proxy.counts().tunnels, 200);
    load.stop();
    house.wait_for_end();
    house.wait_for_peace();
}
