//! Sockets that are passed to the program at its start, by a service manager (which is the test) or
//! in nginx's way.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which stop at what is unexpected")]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};

use common::program::{GET, PROXY, Place, Running, ask, signal};
use common::wait_until;

/// What a service manager does, by a shell: the number of a process is known to itself only.
const SYSTEMD: &str = "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:local";

/// What nginx does.
const NGINX: &str = "NGINX='3;4;'";

/// The program with these two sockets as its descriptors 3 and 4, and with these variables.
fn start<'a>(
    place: &'a Place,
    program: &Path,
    variables: &str,
    [third, fourth]: [OwnedFd; 2],
) -> Running<'a> {
    let mut command = Command::new("sh");
    let script = format!("{variables} exec \"$0\" -c x.conf -p . 3<&0 4<&1 <&- >&-");
    command.arg("-c").arg(script).arg(program);
    command.stdin(Stdio::from(third)).stdout(Stdio::from(fourth));
    place.spawn(command)
}

fn conf(listen: &str) -> String {
    format!(
        "pid x.pid; daemon off; worker_processes 2; error_log x.log info;
         events {{}}
         http {{ server {{ {listen} location / {{ return 200 here; }} }} }}"
    )
}

/// A socket over TCP and one at a path, bound before there is a proxy.
struct Sockets {
    tcp: TcpListener,
    addr: SocketAddr,
    unix: UnixListener,
}

impl Sockets {
    fn of(place: &Place) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let unix = UnixListener::bind(place.path("door.sock")).unwrap();
        Self { addr: tcp.local_addr().unwrap(), tcp, unix }
    }

    fn copies(&self) -> [OwnedFd; 2] {
        [self.tcp.try_clone().unwrap().into(), self.unix.try_clone().unwrap().into()]
    }

    /// The configuration that names both, the path as people write it.
    fn conf(&self) -> String {
        conf(&format!("listen {}; listen unix:door.sock;", self.addr))
    }
}

fn ask_path(path: &Path) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(common::PATIENCE)).unwrap();
    stream.write_all(GET.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// That it answers at both.
fn answers(place: &Place, sockets: &Sockets) {
    for answer in [ask(sockets.addr), ask_path(&place.path("door.sock"))] {
        assert!(answer.ends_with("\r\n\r\nhere"), "{answer}");
    }
}

fn wait_for(place: &Place, words: &str, times: usize) {
    wait_until(words, || place.text("x.log").matches(words).count() >= times);
}

#[test]
fn it_accepts_from_the_sockets_that_it_was_passed_and_leaves_them_to_the_manager() {
    for variables in [SYSTEMD, NGINX] {
        let place = Place::with("");
        let sockets = Sockets::of(&place);
        fs::write(place.path("x.conf"), sockets.conf()).unwrap();
        // Whoever connects before it runs waits in the queue.
        let early = UnixStream::connect(place.path("door.sock")).unwrap();
        let running = start(&place, Path::new(PROXY), variables, sockets.copies());
        answers(&place, &sockets);
        let mut early = early;
        early.write_all(GET.as_bytes()).unwrap();
        let mut answer = String::new();
        early.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("here"), "{answer}");
        let log = place.text("x.log");
        assert!(log.contains(&format!("using the inherited socket {}\n", sockets.addr)), "{log}");
        assert!(!log.contains("is closed"), "{log}");
        signal("QUIT", &running.pid());
        assert_eq!(running.end().code, Some(0));
        // The next one is passed the same: they listen on, and the path is still theirs.
        let again = start(&place, Path::new(PROXY), variables, sockets.copies());
        answers(&place, &sockets);
        signal("TERM", &again.pid());
        assert_eq!(again.end().code, Some(0));
        assert!(place.path("door.sock").exists());
    }
}

#[test]
fn reloads_and_upgrades_keep_them() {
    let place = Place::with("");
    let sockets = Sockets::of(&place);
    fs::write(place.path("x.conf"), sockets.conf()).unwrap();
    fs::copy(PROXY, place.path("proxy")).unwrap();
    let running = start(&place, &place.path("proxy"), SYSTEMD, sockets.copies());
    answers(&place, &sockets);
    signal("HUP", &running.pid());
    wait_for(&place, "reconfigured", 1);
    answers(&place, &sockets);
    for round in 1..=2 {
        signal("USR2", &running.pid());
        wait_for(&place, "binary changed", round);
        answers(&place, &sockets);
    }
    let environment = fs::read(format!("/proc/{}/environ", running.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains("LISTEN_"));
    signal("HUP", &running.pid());
    wait_for(&place, "reconfigured", 2);
    answers(&place, &sockets);
    assert!(!place.text("x.log").contains("failed"), "{}", place.text("x.log"));
    signal("QUIT", &running.pid());
    assert_eq!(running.end().code, Some(0));
    assert!(place.path("door.sock").exists());
}

#[test]
fn one_that_no_listen_names_is_said_and_closed() {
    let place = Place::with("");
    let sockets = Sockets::of(&place);
    fs::write(place.path("x.conf"), conf(&format!("listen {};", sockets.addr))).unwrap();
    let copies = sockets.copies();
    let Sockets { addr, unix, .. } = sockets;
    let running = start(&place, Path::new(PROXY), SYSTEMD, copies);
    assert!(ask(addr).ends_with("here"));
    let path = place.path("door.sock");
    let said =
        format!("the inherited socket unix:{} is closed: no \"listen\" names it\n", path.display());
    let log = place.text("x.log");
    let warning = log.lines().find(|line| line.contains("[warn]")).unwrap();
    assert!(format!("{warning}\n").ends_with(&said), "{log}");
    assert_eq!(log.matches("[warn]").count(), 1, "{log}");
    // The test's was the last.
    drop(unix);
    wait_until("nobody listens", || UnixStream::connect(&path).is_err());
    assert!(path.exists());
    drop(running);
}

#[test]
fn what_is_meant_for_another_process_is_left_alone() {
    let place = Place::with(&conf("listen 127.0.0.1:0;"));
    let variables = "LISTEN_PID=1 LISTEN_FDS=2";
    let sockets = Sockets::of(&place);
    let running = start(&place, Path::new(PROXY), variables, sockets.copies());
    assert!(ask(place.door("x.log")).ends_with("here"));
    assert!(!place.text("x.log").contains("inherited"));
    drop(running);
}

#[test]
fn what_is_no_socket_that_listens_ends_the_start() {
    let place = Place::with(&conf("listen 127.0.0.1:0;"));
    let sockets = Sockets::of(&place);
    let fails = |variables: &str, said: &str| {
        let (end, _other) = UnixStream::pair().unwrap();
        let sockets = [sockets.tcp.try_clone().unwrap().into(), end.into()];
        let ended = start(&place, Path::new(PROXY), variables, sockets).end();
        assert_eq!(ended.code, Some(1), "{variables}");
        assert_eq!(ended.err, format!("proxy: [emerg] {said}\n"), "{variables}");
    };
    fails(SYSTEMD, "the inherited socket #4 cannot be used (it does not listen)");
    fails(NGINX, "the inherited socket #4 cannot be used (it does not listen)");
    fails(
        "NGINX='999999;'",
        "the inherited socket #999999 cannot be used (9: Bad file descriptor)",
    );
    fails("NGINX='2;'", "the inherited socket #2 cannot be used (descriptor 2 is not inherited)");
    fails("NGINX='3;x;'", "invalid socket number \"x\" in NGINX environment variable");
    fails(
        "LISTEN_PID=$$ LISTEN_FDS=all",
        "invalid socket number \"all\" in LISTEN_FDS environment variable",
    );
}
