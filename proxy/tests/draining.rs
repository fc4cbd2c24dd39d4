//! Servers that are to be empty: which tunnels leave them, and in which time.

mod common;

use std::time::{Duration, Instant};

use common::close::expect_closes;
use common::{House, Says, Wire, Worker, wait_until};

const BOTH: &str = "drain_timeout 1s; server unix:{dir}/a.sock; server unix:{dir}/b.sock;";

fn says(upstream: &str) -> Says<'_> {
    Says { upstream, ..Says::default() }
}

/// A proxy before two workers, on each of which there are so many tunnels.
struct Scene {
    house: House,
    workers: [Worker; 2],
    kept: Vec<(Wire, Wire)>,
    left: Vec<(Wire, Wire)>,
}

fn scene(upstream: &str, each: usize) -> Scene {
    let house = House::saying(says(upstream));
    let (a, b) = (house.worker("a.sock"), house.worker("b.sock"));
    let (mut kept, mut left) = (Vec::new(), Vec::new());
    for _ in 0..each {
        kept.push(house.tunnel(&a));
        left.push(house.tunnel(&b));
    }
    Scene { house, workers: [a, b], kept, left }
}

fn expect_release((client, server): &mut (Wire, Wire)) {
    expect_closes((client, server), 1012);
}

fn expect_life((client, server): &mut (Wire, Wire)) {
    let (still, here) = (b"\x81\x85\0\0\0\0still", b"\x81\x04here");
    client.send(still);
    server.expect(still);
    server.send(here);
    client.expect(here);
}

#[test]
fn tunnels_leave_a_server_one_after_another() {
    let only_a = "drain_timeout 1s; server unix:{dir}/a.sock;";
    let down = "drain_timeout 1s; server unix:{dir}/a.sock; server unix:{dir}/b.sock down;";
    let drain = "drain_timeout 1s; server unix:{dir}/a.sock; server unix:{dir}/b.sock drain;";
    for upstream in [only_a, down, drain] {
        let mut scene = scene(BOTH, 4);
        let start = Instant::now();
        scene.house.reload(says(upstream));
        for (position, tunnel) in scene.left.iter_mut().enumerate() {
            expect_release(tunnel);
            let due = Duration::from_millis(125 + 250 * u64::try_from(position).unwrap());
            assert!(start.elapsed() >= due, "{position} left after {:?}", start.elapsed());
        }
        wait_until("they do not count", || scene.house.active().get(1).copied().unwrap_or(0) == 0);
        scene.kept.iter_mut().for_each(expect_life);
        assert_eq!(scene.house.active()[0], 4);
        scene.house.wait_for_error("the server is being drained");
    }
}

#[test]
fn without_a_time_they_stay() {
    let both = "server unix:{dir}/a.sock; server unix:{dir}/b.sock;";
    let mut scene = scene(both, 1);
    scene.house.reload(says("server unix:{dir}/a.sock; server unix:{dir}/b.sock down;"));
    scene.house.reload(says("server unix:{dir}/a.sock;"));
    let third = scene.house.tunnel(&scene.workers[0]);
    scene.left.iter_mut().for_each(expect_life);
    // It is not too late to say so.
    scene.house.reload(says("drain_timeout 0; server unix:{dir}/a.sock;"));
    scene.left.iter_mut().for_each(expect_release);
    scene.kept.iter_mut().for_each(expect_life);
    drop(third);
}

#[test]
fn a_server_that_is_back_keeps_those_that_are_left() {
    let mut scene = scene(BOTH, 2);
    scene.house.reload(says("drain_timeout 1s; server unix:{dir}/a.sock;"));
    expect_release(&mut scene.left[0]);
    // The other's time would come before that of the last one of the other server.
    scene.house.reload(says("drain_timeout 1s; server unix:{dir}/b.sock;"));
    scene.kept.iter_mut().for_each(expect_release);
    expect_life(&mut scene.left[1]);
}

#[test]
fn who_is_to_hurry_hurries() {
    let mut scene = scene(BOTH, 2);
    scene.house.reload(says("drain_timeout 8h; server unix:{dir}/a.sock;"));
    // Who has come by the new doors has been told, too.
    drop(scene.house.tunnel(&scene.workers[0]));
    scene.house.reload(says("drain_timeout 0; server unix:{dir}/a.sock;"));
    scene.left.iter_mut().for_each(expect_release);
    scene.kept.iter_mut().for_each(expect_life);
}

#[test]
fn an_upstream_that_is_gone_lets_go_in_the_time_that_it_had() {
    let mut scene =
        scene("drain_timeout 100ms; server unix:{dir}/a.sock; server unix:{dir}/b.sock;", 2);
    let text = "worker_processes 1; events {} http { server { listen 127.0.0.1:0; return 204; } }";
    scene.house.proxy.reload(&proxy::Config::from_text(text).unwrap()).unwrap();
    scene.kept.iter_mut().chain(&mut scene.left).for_each(expect_release);
}

#[test]
fn an_upstream_may_be_renamed() {
    let mut scene = scene(BOTH, 2);
    let dir = scene.house.path("");
    let text = "events {} http {
        upstream others { drain_timeout 0; server unix:{dir}/b.sock; server unix:{dir}/a.sock down; }
        server { listen 127.0.0.1:0; location / { proxy_pass http://others; } } }";
    let text = text.replace("{dir}/", dir.to_str().unwrap());
    scene.house.proxy.reload(&proxy::Config::from_text(text).unwrap()).unwrap();
    scene.kept.iter_mut().for_each(expect_release);
    scene.left.iter_mut().for_each(expect_life);
}

#[test]
fn a_socket_that_vanishes_is_left_too() {
    let house = House::saying(says("drain_timeout 100ms; server unix:{dir}/run-*.sock;"));
    let first = house.worker("run-1.sock");
    wait_until("it joins", || house.proxy.servers()[0].servers.len() == 1);
    let mut tunnel = house.tunnel(&first);
    std::fs::remove_file(house.path("run-1.sock")).unwrap();
    expect_release(&mut tunnel);
    house.wait_for_peace();
}

#[test]
fn tunnels_of_another_protocol_stay() {
    let mut scene = scene(BOTH, 1);
    let b = &scene.workers[1];
    let mut client = scene.house.client();
    // The other server has as many connections.
    let more = scene.house.tunnel(&scene.workers[0]);
    client.send(common::CHAT);
    let mut server = b.accept();
    server.head();
    server.send(common::SWITCH);
    client.head();
    scene
        .house
        .reload(says("drain_timeout 0; server unix:{dir}/a.sock; server unix:{dir}/b.sock down;"));
    scene.left.iter_mut().for_each(expect_release);
    expect_life(&mut (client, server));
    assert_eq!(scene.house.active(), [2, 1]);
    drop(more);
}

#[test]
fn whoever_was_on_the_way_there_leaves_too() {
    let house = House::saying(says(BOTH));
    let (a, b) = (house.worker("a.sock"), house.worker("b.sock"));
    let kept = house.tunnel(&a);
    let mut client = house.client();
    client.send(common::UPGRADE);
    let mut server = b.accept();
    server.head();
    house.reload(says("drain_timeout 1s; server unix:{dir}/a.sock;"));
    server.send(common::SWITCH);
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    expect_release(&mut (client, server));
    drop(kept);
    house.wait_for_peace();
}
