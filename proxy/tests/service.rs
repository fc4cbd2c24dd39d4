//! The program under a service manager, which is the test: what it is told, and the sockets that
//! it passes on.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which stop at what is unexpected"
)]

mod common;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::iter;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use common::program::{Daemon, GET, PROXY, Place, Running, ask, connect, signal};
use common::{PATIENCE, SWITCH, UPGRADE, Wire, Worker, wait_until};
use socket2::{Domain, Socket, Type};

const CONF: &str = "
pid x.pid; daemon off; worker_processes 2; error_log x.log info;
events {}
http {
    upstream workers { server unix:a.sock; server unix:b.sock fail_timeout=10m; }
    server {
        listen 127.0.0.1:0;
        location / {
            proxy_pass http://workers;
            proxy_set_header Connection $http_connection;
            proxy_set_header Upgrade $http_upgrade;
        }
        location = /here { return 200 here; }
    }
}
";

/// Where the proxy says what it has to say.
struct Manager(UnixDatagram);

impl Manager {
    fn of(place: &Place) -> Self {
        let socket = UnixDatagram::bind(place.path("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// The next message, line by line.
    fn next(&self) -> Vec<String> {
        self.try_next().unwrap()
    }

    fn try_next(&self) -> io::Result<Vec<String>> {
        let mut message = [0; 4096];
        // With a limit it is not called again by itself after a signal.
        let length = loop {
            match self.0.recv(&mut message) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                received => break received?,
            }
        };
        let text = std::str::from_utf8(&message[..length]).unwrap();
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Waits for a message that begins with this, past what may come at any time.
    fn hears(&self, first: &str) -> Vec<String> {
        loop {
            let message = self.next();
            if message[0] == first {
                return message;
            }
            let by_the_way = message[0].starts_with("STATUS=") || message[0] == "WATCHDOG=1";
            assert!(by_the_way, "{message:?} came before {first:?}");
        }
    }

    /// Waits until the status is this.
    fn hears_status(&self, status: &str) {
        let status = format!("STATUS={status}");
        while !self.next().contains(&status) {}
    }

    /// What has come that nobody has listened to.
    fn rest(&self) -> Vec<Vec<String>> {
        self.0.set_nonblocking(true).unwrap();
        let rest = iter::from_fn(|| self.try_next().ok()).collect();
        self.0.set_nonblocking(false).unwrap();
        rest
    }
}

/// The program, told of a manager in its directory.
fn proxy(place: &Place) -> Command {
    let mut command = Command::new(PROXY);
    command.args(["-c", "x.conf", "-p", "."]).env("NOTIFY_SOCKET", place.path("notify"));
    command
}

fn start<'a>(place: &'a Place, manager: &Manager) -> Running<'a> {
    let running = place.spawn(proxy(place));
    let ready = manager.next();
    assert_eq!(ready, ["READY=1", "STATUS=0 tunnels on 2 servers"]);
    running
}

/// That a change begins, with the time that systemd tells it from an older one by.
fn hears_reloading(manager: &Manager) {
    let message = manager.hears("RELOADING=1");
    let time = message[1].strip_prefix("MONOTONIC_USEC=").unwrap();
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    let ago = uptime - time.parse::<f64>().unwrap() / 1e6;
    assert!((-1.0..60.0).contains(&ago), "{time} is not now: {ago} s");
}

fn tunnel(place: &Place, worker: &Worker) -> (Wire, Wire) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.connect(&place.door("x.log").into()).unwrap();
    let mut client = Wire::new(socket);
    client.send(UPGRADE);
    let (server, _) = worker.answer(SWITCH);
    client.head();
    (client, server)
}

#[test]
fn it_is_ready_when_it_can_be_asked_and_stops_when_it_is_told_to() {
    for name in ["TERM", "INT"] {
        let place = Place::with(CONF);
        let manager = Manager::of(&place);
        let running = start(&place, &manager);
        // It has the pid file and its ears open, and whoever connects is answered.
        assert_eq!(place.text("x.pid"), format!("{}\n", running.pid()));
        assert!(place.text("x.log").contains("listening on "));
        signal(name, &running.pid());
        manager.hears("STOPPING=1");
        assert_eq!(running.end().code, Some(0));
        assert!(manager.rest().is_empty());
    }
}

#[test]
fn a_start_that_fails_is_not_ready() {
    let place = Place::with(&CONF.replace("events {}", "events {} nonsense;"));
    let manager = Manager::of(&place);
    assert_eq!(place.spawn(proxy(&place)).end().code, Some(1));
    assert!(manager.rest().is_empty());
}

#[test]
fn a_reload_begins_and_ends_and_one_that_fails_says_why() {
    let place = Place::with(CONF);
    let manager = Manager::of(&place);
    let running = start(&place, &manager);
    let reload = |conf: &str| {
        fs::write(place.path("x.conf"), conf).unwrap();
        signal("HUP", &running.pid());
        hears_reloading(&manager);
        manager.hears("READY=1").remove(1)
    };
    assert_eq!(
        reload(&CONF.replace("location = /here", "locatio /here")),
        "STATUS=0 tunnels on 2 servers; the configuration is not changed: \
         unknown directive \"locatio\" in ./x.conf:13"
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let status = reload(&CONF.replace("127.0.0.1:0", &addr.to_string()));
    assert!(status.ends_with(&format!(
        "the configuration is not changed: bind() to {addr} failed (98: Address already in use)"
    )));
    let one = CONF.replace("server unix:b.sock fail_timeout=10m;", "");
    assert_eq!(reload(&one), "STATUS=0 tunnels on 1 server");
    assert_eq!(reload(CONF), "STATUS=0 tunnels on 2 servers");
    assert_eq!(ask_here(&place), "here");
}

fn ask_here(place: &Place) -> String {
    let mut stream = connect(place.door("x.log"));
    stream.write_all(GET.replace("/ ", "/here ").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn its_status_counts_tunnels_and_servers_and_what_is_left_of_them_at_the_end() {
    let place = Place::with(CONF);
    let manager = Manager::of(&place);
    let running = start(&place, &manager);
    let a = Worker::bind(place.path("a.sock"));
    let first = tunnel(&place, &a);
    // The second server is not there, which is learned by asking it.
    let second = tunnel(&place, &a);
    manager.hears_status("2 tunnels on 2 servers, 1 of them away");
    drop(second);
    manager.hears_status("1 tunnel on 2 servers, 1 of them away");
    signal("QUIT", &running.pid());
    assert_eq!(manager.hears("STOPPING=1")[1], "STATUS=ending, 1 tunnel left");
    // Whoever is ending does not say that it is ready.
    signal("HUP", &running.pid());
    drop(first);
    assert_eq!(running.end().code, Some(0));
    let ready = |message: &Vec<String>| message[0] == "READY=1";
    assert!(!manager.rest().iter().any(ready));
}

#[test]
fn an_upgrade_is_a_reload_whether_the_new_binary_is_fit_or_not() {
    let place = Place::with(CONF);
    let manager = Manager::of(&place);
    let a = Worker::bind(place.path("a.sock"));
    fs::copy(PROXY, place.path("proxy")).unwrap();
    let mut command = Command::new(place.path("proxy"));
    command.args(["-c", "x.conf", "-p", "."]).env("NOTIFY_SOCKET", place.path("notify"));
    command.env("WATCHDOG_USEC", "200000");
    let running = place.spawn(command);
    manager.hears("READY=1");
    let (mut client, mut server) = tunnel(&place, &a);
    manager.hears("WATCHDOG=1");
    signal("USR2", &running.pid());
    hears_reloading(&manager);
    assert_eq!(manager.hears("READY=1")[1], "STATUS=1 tunnel on 2 servers");
    manager.hears("WATCHDOG=1");
    fs::write(place.path("no proxy"), "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(place.path("no proxy"), fs::metadata(PROXY).unwrap().permissions())
        .unwrap();
    fs::rename(place.path("no proxy"), place.path("proxy")).unwrap();
    signal("USR2", &running.pid());
    hears_reloading(&manager);
    let status = manager.hears("READY=1").remove(1);
    assert!(status.contains("; the binary is not changed: \""), "{status}");
    client.send(b"\x81\x80\0\0\0\0");
    server.exactly(6);
}

#[test]
fn the_watchdog_hears_of_it_only_while_every_thread_answers() {
    let fifo = CONF.replace("http {", "http { access_log fifo;");
    let place = Place::with(&fifo.replace("processes 2", "processes 1"));
    let manager = Manager::of(&place);
    let made = Command::new("mkfifo").arg(place.path("fifo")).status().unwrap();
    assert!(made.success());
    let mut pipe = File::options()
        .read(true)
        .write(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(place.path("fifo"))
        .unwrap();
    let mut command = proxy(&place);
    command.env("WATCHDOG_USEC", "2000000");
    let running = place.spawn(command);
    manager.hears("READY=1");
    manager.hears("WATCHDOG=1");
    // A log that nobody reads any more stops the thread that writes to it.
    let line = [b'x'; 4096];
    while pipe.write(&line).is_ok() {}
    let mut client = connect(place.door("x.log"));
    client.write_all(GET.replace("/ ", "/here ").as_bytes()).unwrap();
    wait_until("it says so", || {
        let log = place.text("x.log");
        let alert = log.lines().find(|line| line.contains("[alert]"));
        alert.is_some_and(|line| line.contains("a worker thread does not answer"))
    });
    manager.rest();
    // The main thread still does its work, and does not say that all is well.
    signal("HUP", &running.pid());
    hears_reloading(&manager);
    manager.hears("READY=1");
    assert!(manager.rest().is_empty());
    let mut all = vec![0; 1 << 20];
    while pipe.read(&mut all).is_ok() {}
    manager.hears("WATCHDOG=1");
}

#[test]
fn a_watchdog_of_another_process_is_not_ours() {
    let place = Place::with(CONF);
    let manager = Manager::of(&place);
    let mut command = proxy(&place);
    command.env("WATCHDOG_USEC", "20000").env("WATCHDOG_PID", "1");
    let running = place.spawn(command);
    manager.hears("READY=1");
    // Hundreds of times the watchdog's, in which the status comes.
    let a = Worker::bind(place.path("a.sock"));
    let _tunnel = tunnel(&place, &a);
    assert!(manager.next()[0].starts_with("STATUS=1 tunnel on 2 servers"));
    drop(running);
}

#[test]
fn a_daemon_says_which_process_it_is() {
    let place = Place::with(&CONF.replace("daemon off", "daemon on"));
    let manager = Manager::of(&place);
    let parent = place.spawn(proxy(&place));
    let moved = manager.next();
    let pid = moved[0].strip_prefix("MAINPID=").unwrap();
    let _daemon = Daemon(pid);
    assert_ne!(pid, parent.pid());
    assert_eq!(parent.end().code, Some(0));
    manager.hears("READY=1");
    assert_eq!(place.text("x.pid"), format!("{pid}\n"));
    signal("TERM", pid);
    manager.hears("STOPPING=1");
}

#[test]
fn nobody_is_told_where_there_is_no_manager() {
    let place = Place::with(CONF);
    for socket in ["", "nonsense", "/nowhere/notify", "vsock:2:9"] {
        let mut command = proxy(&place);
        command.env("NOTIFY_SOCKET", socket).env("WATCHDOG_USEC", "1000");
        let running = place.spawn(command);
        wait_until("it serves", || place.text("x.log").contains("listening on "));
        assert!(ask(place.door("x.log")).starts_with("HTTP/1.1 502 "));
        signal("TERM", &running.pid());
        assert_eq!(running.end().code, Some(0));
        fs::remove_file(place.path("x.log")).unwrap();
    }
}
