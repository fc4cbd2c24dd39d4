//! What real clients are told when the proxy ends their connections.
#![allow(clippy::unwrap_used, reason = "helpers of tests are test code too")]

use std::process::Command;

use rustix::process::{Signal, kill_process};
use tests::front::Front;
use tests::guide::{Guide, Setup, Worker};
use tests::place;
use tests::process::{PATIENCE, Running, wait_until};

/// Sixteen clients of Python's `websockets`, four on each worker, with permessage-deflate: silent ones,
/// and such as talk all the time in short, in long and in fragmented messages.
fn crowd(guide: &Guide) -> Running {
    let script = place::repository().join("tests/tests/endings.py");
    let mut command = Command::new(place::python());
    command.arg(script).arg(guide.uri()).arg("16");
    let clients = Running::start("clients", command);
    clients.wait_for_output("connected");
    guide.wait_for_connections([4; 4]);
    clients
}

/// How connections have ended so far: the code, and of what kind the client was.
fn ends(clients: &Running) -> Vec<(u16, String)> {
    let said = clients.stdout();
    let ends = said.lines().filter_map(|line| line.split_once(' '));
    ends.filter_map(|(code, kind)| Some((code.parse().ok()?, kind.to_owned()))).collect()
}

#[test]
fn clients_are_told_that_the_proxy_stops() {
    for worker in [Worker::Echo, Worker::Python] {
        let guide = Setup::new(Front::Proxy, worker).start();
        let clients = crowd(&guide);
        guide.supervisorctl(&["signal", "TERM", "proxy"]);
        clients.wait_for_output("all ended");
        let ends = ends(&clients);
        assert!(ends.iter().all(|(code, _)| *code == 1001), "{ends:?}");
        assert_eq!(ends.len(), 16);
    }
}

#[test]
fn clients_of_a_killed_worker_are_told_and_the_others_notice_nothing() {
    let guide = Setup::new(Front::Proxy, Worker::Echo).start();
    let clients = crowd(&guide);
    let victim = guide.wait_for_worker(0);
    kill_process(victim, Signal::KILL).unwrap();
    wait_until("its clients are told", PATIENCE, || ends(&clients).len() == 4);
    for (code, kind) in ends(&clients) {
        // A frame that was half sent has no end; before any other one there is room for a Close.
        assert!(code == 1012 || (code == 1006 && kind == "large"), "{code} {kind}");
    }
}
