//! Workers that are away, one by one or all together, and what clients notice of it.
//!
//! The proxy only: nginx answers 502 here for as long as its bench lasts.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are test code too")]

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};
use tests::front::Front;
use tests::guide::{Guide, Setup, Worker, process_name};
use tests::process::{PATIENCE, wait_for, wait_until};

/// How soon a worker that is back must be used again. The promise is half a second; the bound is
/// for a machine that does other things meanwhile. The time that it took is printed.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn restarting_the_workers_one_by_one_fails_no_handshake() {
    for worker in [Worker::Echo, Worker::Python] {
        let guide = Setup::new(Front::Proxy, worker).start();
        let restarts = || {
            for n in 0..4 {
                let said = guide.supervisorctl(&["restart", &process_name(n)]);
                assert!(said.contains("started"), "{said}");
            }
        };
        let crowd = with_a_crowd(&guide, restarts);
        crowd.assert_no_failure(&guide);
    }
}

#[test]
fn restarting_all_workers_at_once_fails_no_handshake_that_may_wait() {
    let wait = "proxy_next_upstream_timeout 30s;";
    let guide = Setup::new(Front::Proxy, Worker::Echo).location(wait).start();
    let restart = || {
        guide.supervisorctl(&["stop", "websockets-test:*"]);
        let held = "no live upstreams, waiting for one";
        wait_until(held, PATIENCE, || guide.front_log().contains(held));
        let said = guide.supervisorctl(&["start", "websockets-test:*"]);
        assert_eq!(said.matches("started").count(), 4, "{said}");
    };
    with_a_crowd(&guide, restart).assert_no_failure(&guide);
}

#[test]
fn killing_the_workers_one_by_one_fails_no_handshake() {
    let guide = Setup::new(Front::Proxy, Worker::Echo).start();
    let pids = [0, 1, 2, 3].map(|n| guide.wait_for_worker(n));
    let kills = || {
        for (n, pid) in pids.into_iter().enumerate() {
            kill_process(pid, Signal::KILL).unwrap();
            let name = process_name(n);
            wait_until(&name, SOON.max(PATIENCE), || {
                guide.worker_pids()[n].is_some_and(|new| new != pid)
            });
        }
    };
    let crowd = with_a_crowd(&guide, kills);
    crowd.assert_no_failure(&guide);
}

#[test]
fn a_killed_worker_that_was_missed_is_used_again_as_soon_as_it_is_back() {
    let guide = Setup::new(Front::Proxy, Worker::Echo).start();
    let victim = guide.wait_for_worker(0);
    guide.supervisorctl(&["stop", &process_name(0)]);
    drop(guide.hold(8));
    guide.supervisorctl(&["start", &process_name(0)]);
    assert_ne!(guide.wait_for_worker(0), victim);

    // fail_timeout is ten seconds, but its socket is new.
    let start = Instant::now();
    let mut held = Vec::new();
    wait_until("a connection on worker 0", SOON, || {
        held.extend(guide.hold(1));
        guide.connections()[0] > 0
    });
    println!("used again after {:?}", start.elapsed());
}

#[test]
fn sockets_that_are_missing_at_start_are_found_when_they_come() {
    let guide = Setup::new(Front::Proxy, Worker::Echo).without_workers().start();
    let refusal = guide.connect().unwrap_err();
    assert_eq!(refusal, "HTTP/1.1 502 Bad Gateway");
    first_back(&guide, 3);
}

#[test]
fn when_all_were_down_the_first_one_back_serves() {
    let guide = Setup::new(Front::Proxy, Worker::Echo).start();
    drop(guide.hold(4));
    guide.supervisorctl(&["stop", "websockets-test:*"]);
    // The second time they are on the bench already.
    for _ in 0..2 {
        let start = Instant::now();
        assert_eq!(guide.connect().unwrap_err(), "HTTP/1.1 502 Bad Gateway");
        println!("refused after {:?}", start.elapsed());
        assert!(start.elapsed() < SOON);
    }
    first_back(&guide, 1);
}

/// Starts worker `n`, the only one, and sees that it serves soon after it accepts.
fn first_back(guide: &Guide, n: usize) {
    let starting = guide.supervisorctl_aside(&["start", &process_name(n)]);
    wait_until(&process_name(n), PATIENCE, || guide.worker_accepts(n));
    let start = Instant::now();
    let mut held = wait_for("a handshake", SOON, || guide.connect().ok());
    println!("served {:?} after the first worker was back", start.elapsed());
    assert_eq!(held.say("welcome back").as_deref(), Some("welcome back"));
    starting.wait_for_output("started");
}

/// What became of the handshakes of [`with_a_crowd`].
struct Crowd {
    answered: usize,
    refused: Vec<String>,
    took: Duration,
}

impl Crowd {
    fn assert_no_failure(&self, guide: &Guide) {
        println!("{} handshakes in {:?}", self.answered, self.took);
        assert!(self.answered > 0);
        assert!(self.refused.is_empty(), "{:?}\n{}", self.refused, guide.front_log());
    }
}

/// Twenty clients per second connect, say something and leave, for as long as `events` take.
fn with_a_crowd(guide: &Guide, events: impl FnOnce()) -> Crowd {
    let start = Instant::now();
    let port = guide.port();
    let outcomes: Vec<_> = thread::scope(|scope| {
        let (stop, stopped) = mpsc::channel::<()>();
        let crowd = scope.spawn(move || {
            let mut clients = Vec::new();
            while stopped.recv_timeout(Duration::from_millis(50)) == Err(RecvTimeoutError::Timeout)
            {
                clients.push(thread::spawn(move || visit(port)));
            }
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        events();
        drop(stop);
        crowd.join().unwrap()
    });
    let refused: Vec<String> = outcomes.iter().filter_map(|it| it.clone().err()).collect();
    Crowd { answered: outcomes.len() - refused.len(), refused, took: start.elapsed() }
}

/// One client. Its worker may be stopped while it talks: only the handshake must not fail.
fn visit(port: u16) -> Result<(), String> {
    let mut connection = tests::held::Held::open(port)?;
    let _answer_or_end = connection.say("hello");
    Ok(())
}
