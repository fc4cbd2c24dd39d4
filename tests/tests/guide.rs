//! The guide as written, in its four combinations: what goes through, who gets it, and what a
//! worker's death costs.
#![allow(clippy::unwrap_used, reason = "helpers of tests are test code too")]

use std::process::Command;

use rustix::process::{Signal, kill_process};
use tests::front::Front;
use tests::guide::{Guide, Setup, Worker};
use tests::place;
use tests::process::{PATIENCE, Running, wait_until};

/// Each story once for every front and every worker.
macro_rules! in_all_four {
    ($($story:ident)*) => { $(mod $story {
        use super::*;

        #[test]
        fn proxy_echo() {
            super::$story(Setup::new(Front::Proxy, Worker::Echo));
        }

        #[test]
        fn proxy_python() {
            super::$story(Setup::new(Front::Proxy, Worker::Python));
        }

        #[test]
        fn nginx_echo() {
            super::$story(Setup::new(Front::Nginx, Worker::Echo));
        }

        #[test]
        fn nginx_python() {
            super::$story(Setup::new(Front::Nginx, Worker::Python));
        }
    })* };
}

in_all_four! {
    both_clients_are_answered
    forty_connections_are_ten_on_each_worker
    a_killed_worker_costs_its_own_connections_and_comes_back
}

fn both_clients_are_answered(setup: Setup) {
    let guide = setup.start();

    let mut ours = Command::new(place::binary("client"));
    ours.arg(guide.uri());
    converse("client", ours);

    let mut pythons = Command::new(place::python());
    pythons.args(["-m", "websockets", &guide.uri()]);
    converse("python -m websockets", pythons);
}

/// Types two lines into a client, each after the answer to the one before, and ends its input.
fn converse(name: &str, command: Command) {
    let mut client = Running::start(name, command);
    for line in ["Hello, world!", "Grüße"] {
        assert!(client.write(format!("{line}\n").as_bytes()), "{name}: {}", client.stderr());
        client.wait_for_output(&format!("< {line}"));
    }
    client.close_stdin();
    let status = client.wait_exit(PATIENCE);
    assert!(status.success(), "{name}: {status}\n{}\n{}", client.stdout(), client.stderr());
}

fn forty_connections_are_ten_on_each_worker(setup: Setup) {
    let guide = setup.start();
    let mut held = guide.hold(40);
    guide.wait_for_connections([10; 4]);
    for (n, connection) in held.iter_mut().enumerate() {
        let text = format!("from connection {n}");
        assert_eq!(connection.say(&text).as_deref(), Some(text.as_str()));
    }

    // Whoever leaves makes room for the next ones, wherever that is.
    held.drain(..7);
    wait_until("seven connections' end", PATIENCE, || held_by_all(&guide) == 33);
    held.extend(guide.hold(7));
    guide.wait_for_connections([10; 4]);
}

fn held_by_all(guide: &Guide) -> usize {
    guide.connections().iter().sum()
}

#[test]
fn forty_connections_are_ten_on_each_worker_with_one_thread() {
    forty_connections_at_once(1);
}

#[test]
fn forty_connections_are_ten_on_each_worker_with_two_threads() {
    forty_connections_at_once(2);
}

fn forty_connections_at_once(threads: usize) {
    let guide = Setup::new(Front::Proxy, Worker::Echo).threads(threads).start();
    let _held = std::thread::scope(|scope| {
        let hands: Vec<_> = (0..4).map(|_| scope.spawn(|| guide.hold(10))).collect();
        hands.into_iter().flat_map(|hand| hand.join().unwrap()).collect::<Vec<_>>()
    });
    guide.wait_for_connections([10; 4]);
}

fn a_killed_worker_costs_its_own_connections_and_comes_back(setup: Setup) {
    let guide = setup.start();
    let victim = guide.wait_for_worker(2);
    for n in [0, 1, 3] {
        guide.wait_for_worker(n);
    }
    let held = guide.hold(12);
    guide.wait_for_connections([3; 4]);

    kill_process(victim, Signal::KILL).unwrap();
    let (mut alive, mut lost) = (Vec::new(), 0);
    for mut connection in held {
        match connection.say("still there?") {
            Some(text) => {
                assert_eq!(text, "still there?");
                alive.push(connection);
            }
            None => lost += 1,
        }
    }
    assert_eq!((alive.len(), lost), (9, 3));

    assert_ne!(guide.wait_for_worker(2), victim);
    guide.wait_for_connections([3, 3, 0, 3]);
    let _new = guide.hold(3);
    guide.wait_for_connections([3; 4]);
}
