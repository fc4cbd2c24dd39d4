//! The harness itself: what it starts is really there, and is gone afterwards.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Signal, test_kill_process};
use tests::front::Front;
use tests::place::Place;
use tests::process::{PATIENCE, Running, run, wait_until};

#[test]
fn nginx_starts_on_a_text_answers_and_is_gone() {
    let place = Place::new();
    let config = "events {}\nhttp { access_log off; server { listen 127.0.0.1:{port}; return 200 hello; } }\n";
    let (nginx, port) = Front::Nginx.serve(&place, config);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");

    let pid = nginx.pid();
    drop(nginx);
    assert!(test_kill_process(pid).is_err(), "nginx outlived its guard");
}

#[test]
fn a_bad_text_is_reported_in_the_programs_own_words() {
    let place = Place::new();
    place.write("bad.conf", "events {}\nfoo;\n");
    let said = Front::Nginx.start(&place, "bad.conf", 1).unwrap_err();
    assert!(said.contains("unknown directive \"foo\""), "{said}");
}

#[test]
fn a_child_is_fed_heard_and_stopped() {
    let mut cat = Running::start("cat", Command::new("cat"));
    assert!(cat.write(b"miaow\n"));
    cat.wait_for_output("miaow");
    cat.signal(Signal::TERM);
    assert!(!cat.wait_exit(PATIENCE).success());

    let mut sh = Command::new("sh");
    sh.args(["-c", "echo out; echo err >&2; exit 3"]);
    let (status, out, err) = run("sh", sh, PATIENCE);
    assert_eq!((status.code(), out.as_str(), err.as_str()), (Some(3), "out\n", "err\n"));
}

#[test]
fn a_parent_gets_its_grace_and_its_group_goes_with_it() {
    let mut sh = Command::new("sh");
    sh.args(["-c", "trap 'echo bye > said; exit' TERM; sleep 60 & echo $!; wait"]);
    let place = Place::new();
    sh.current_dir(place.path());
    let parent = Running::start("sh", sh).stop_with(Signal::TERM, Duration::from_secs(5));
    parent.wait_for_output("\n");
    let child: i32 = parent.stdout().trim().parse().unwrap();
    drop(parent);
    assert_eq!(place.read("said"), "bye\n");
    let child = rustix::process::Pid::from_raw(child).unwrap();
    wait_until("the child's end", PATIENCE, || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.as_raw_nonzero()));
        stat.map_or(true, |stat| stat.contains(") Z "))
    });
}
