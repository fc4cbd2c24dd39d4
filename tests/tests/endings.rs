//! What real clients are told when the proxy ends their connections: Python's `websockets`, the npm
//! package `ws`, and a browser.
#![allow(clippy::unwrap_used, reason = "helpers of tests are test code too")]

use std::process::Command;

use rustix::process::{Signal, kill_process};
use tests::front::Front;
use tests::guide::{Guide, Setup, Worker};
use tests::place::{self, Place};
use tests::process::{PATIENCE, Running, wait_until};

/// Who connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    /// Python's `websockets`.
    Python,
    /// `ws` on Node.
    Node,
    /// Headless Chromium.
    Browser,
}

/// Sixteen clients, four on each worker: silent ones, and such as talk all the time in short, in long
/// and in fragmented messages, with permessage-deflate where the worker has it.
struct Crowd {
    clients: Running,
    /// The browser's own files.
    _place: Place,
}

/// How a connection has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    code: u16,
    kind: String,
    clean: bool,
}

impl Crowd {
    fn connect(client: Client, guide: &Guide) -> Self {
        let place = Place::new();
        let script = |name: &str| place::repository().join("tests/tests").join(name);
        let mut command = match client {
            Client::Python => {
                let mut command = Command::new(place::python());
                command.arg(script("endings.py")).args([&guide.uri(), "16"]);
                command
            }
            Client::Node => {
                let mut command = Command::new(place::on_path("node"));
                command.arg(script("endings.js")).args([&guide.uri(), "16"]);
                // Where Debian's packages are.
                command.env("NODE_PATH", "/usr/share/nodejs");
                command
            }
            Client::Browser => {
                let mut command = Command::new(place::on_path("chromium"));
                command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]);
                command.args(["--no-first-run", "--disable-background-networking"]);
                command.args([
                    "--disable-component-update",
                    "--disable-sync",
                    "--disable-dev-shm-usage",
                ]);
                command.args(["--allow-file-access-from-files", "--enable-logging=stderr"]);
                command.arg(format!("--user-data-dir={}", place.path().display()));
                let page = script("endings.html");
                command.arg(format!("file://{}#{}%2016", page.display(), guide.uri()));
                command
            }
        };
        command.current_dir(place.path());
        let clients = Running::start("clients", command);
        let crowd = Self { clients, _place: place };
        crowd.wait_for("connected");
        guide.wait_for_connections([4; 4]);
        crowd
    }

    /// What they have said; a page's words are in the browser's log.
    fn said(&self) -> String {
        format!("{}{}", self.clients.stdout(), self.clients.stderr())
    }

    fn wait_for(&self, words: &str) {
        wait_until(words, 2 * PATIENCE, || self.said().contains(words));
    }

    /// How connections have ended so far.
    fn ends(&self) -> Vec<End> {
        let said = self.said();
        assert!(!said.contains("wrong "), "{said}");
        let ends = said.lines().filter_map(|line| line.split_once("end "));
        let end = |(_, words): (&str, &str)| {
            let mut words = words.split([' ', '"']);
            let code = words.next()?.parse().ok()?;
            Some(End { code, kind: words.next()?.into(), clean: words.next()? == "true" })
        };
        ends.filter_map(end).collect()
    }

    /// A frame that was half sent to a client has no end; before any other one there is room for a Close.
    /// Whoever is in the middle of a frame of its own may have no time to answer it.
    fn assert_ended(&self, number: usize, code: u16) {
        wait_until("they are told", 2 * PATIENCE, || self.ends().len() >= number);
        let ends = self.ends();
        assert_eq!(ends.len(), number, "{ends:?}");
        for end in &ends {
            let in_time = end.clean || end.kind == "large";
            let told = end.code == code && in_time;
            assert!(told || (end.code == 1006 && end.kind == "large"), "{ends:?}");
        }
    }
}

/// Each story once for every client.
macro_rules! with_every_client {
    ($($story:ident)*) => { $(mod $story {
        use super::Client;

        #[test]
        fn python() {
            super::$story(Client::Python);
        }

        #[test]
        fn node() {
            super::$story(Client::Node);
        }

        #[test]
        fn browser() {
            super::$story(Client::Browser);
        }
    })* };
}

with_every_client! {
    they_are_told_that_the_proxy_stops
    those_of_a_killed_worker_are_told_and_the_others_notice_nothing
    those_of_a_killed_worker_may_be_told_at_once
    nobody_notices_that_the_binary_changes
}

fn they_are_told_that_the_proxy_stops(client: Client) {
    for worker in [Worker::Echo, Worker::Python] {
        let guide = Setup::new(Front::Proxy, worker).start();
        let crowd = Crowd::connect(client, &guide);
        guide.supervisorctl(&["signal", "TERM", "proxy"]);
        crowd.assert_ended(16, 1001);
        assert!(crowd.ends().iter().all(|end| end.code == 1001), "{:?}", crowd.ends());
    }
}

fn those_of_a_killed_worker_are_told_and_the_others_notice_nothing(client: Client) {
    let guide = Setup::new(Front::Proxy, Worker::Echo).start();
    let crowd = Crowd::connect(client, &guide);
    kill_process(guide.wait_for_worker(0), Signal::KILL).unwrap();
    crowd.assert_ended(4, 1012);
}

fn those_of_a_killed_worker_may_be_told_at_once(client: Client) {
    let setup = Setup::new(Front::Proxy, Worker::Python).upstream("orphan_release 0;");
    let guide = setup.start();
    let crowd = Crowd::connect(client, &guide);
    kill_process(guide.wait_for_worker(0), Signal::KILL).unwrap();
    crowd.assert_ended(4, 1014);
}

fn nobody_notices_that_the_binary_changes(client: Client) {
    let guide = Setup::new(Front::Proxy, Worker::Python).start();
    let crowd = Crowd::connect(client, &guide);
    for upgrade in 1..=2 {
        guide.supervisorctl(&["signal", "USR2", "proxy"]);
        let changes = || guide.front_log().matches("binary changed: 16 tunnels").count();
        wait_until("the binary is changed", 2 * PATIENCE, || changes() == upgrade);
    }
    guide.supervisorctl(&["signal", "TERM", "proxy"]);
    crowd.assert_ended(16, 1001);
}
