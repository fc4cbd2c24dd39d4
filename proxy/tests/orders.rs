//! Orders to a running program: `-s` and signals, in the foreground and as a daemon; whom it
//! becomes; how many it lets in.

mod common;

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::process::id;
use std::thread;
use std::time::Instant;

use socket2::{Domain, SockAddr, Socket, Type};

use common::program::{CONF, Daemon, GET, Place, ask, connect, limit_descriptors, signal};
use common::{GET as GET_AND_STAY, OK, Wire, Worker, wait_until};

/// What it says under `-s` about a process that is not there.
#[test]
fn without_a_process_an_order_goes_nowhere() {
    let place = Place::with(&format!("pid x.pid; {CONF}"));
    let said = |order: &str| {
        let ended = place.run(&["-c", "x.conf", "-s", order]);
        assert_eq!((ended.code, &*ended.out), (Some(1), ""), "{order}");
        ended.err
    };
    let missing = "proxy: [error] open() \"x.pid\" failed (2: No such file or directory)\n";
    for order in ["stop", "quit", "reopen", "reload"] {
        assert_eq!(said(order), missing);
    }
    assert_eq!(said("start"), "proxy: invalid option: \"-s start\"\n");
    fs::write(place.path("x.pid"), "no number\n").unwrap();
    assert_eq!(said("stop"), "proxy: [error] invalid PID number \"no number\" in \"x.pid\"\n");
    fs::write(place.path("x.pid"), "2147483647\n").unwrap();
    let nobody = "proxy: [alert] kill(2147483647, 15) failed (3: No such process)\n";
    assert_eq!(said("stop"), nobody);
    fs::write(place.path("x.conf"), format!("pid x.pid; foo; {CONF}")).unwrap();
    assert!(said("stop").starts_with("proxy: [emerg] unknown directive \"foo\" in x.conf:1\n"));
}

/// The words with which the error log tells that an order has come.
const TOLD: [(&str, &str, &str); 3] = [
    ("reload", "HUP", "reconfigured"),
    ("reopen", "USR1", "(SIGUSR1) received, reopening logs"),
    ("quit", "QUIT", "(SIGQUIT) received, shutting down"),
];

#[test]
fn orders_reach_a_daemon_and_a_program_in_the_foreground() {
    for foreground in [false, true] {
        for by_signal in [false, true] {
            let daemon = if foreground { "daemon off;" } else { "" };
            let text = format!("{daemon} pid x.pid; error_log x.log notice; {CONF}");
            let place = Place::with(&text);
            let started = place.start(&["-c", "x.conf"]);
            let door = place.door("x.log");
            let pid = place.pid("x.pid");
            let process = Daemon(&pid);
            assert_eq!(foreground, pid == started.pid());
            for (order, name, told) in TOLD {
                assert!(ask(door).ends_with("here"), "before {order}");
                if by_signal {
                    signal(name, &pid);
                } else {
                    place.order(order);
                }
                wait_until(order, || place.text("x.log").contains(told));
            }
            drop(started.end());
            wait_until("it ends", || !process.is_alive());
            assert!(!place.path("x.pid").exists());
        }
    }
}

#[test]
fn a_daemon_that_is_told_winch_lets_clients_wait_for_the_next_reload() {
    let place = Place::with(&format!("pid x.pid; error_log x.log notice; {CONF}"));
    drop(place.start(&["-c", "x.conf"]).end());
    let door = place.door("x.log");
    let pid = place.pid("x.pid");
    let process = Daemon(&pid);
    let mut kept = connect(door);
    kept.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    kept.read_exact(&mut [0]).unwrap();
    signal("WINCH", &pid);
    kept.read_to_end(&mut Vec::new()).unwrap();
    assert!(place.text("x.log").contains("signal 28 (SIGWINCH) received, stop accepting"));
    let mut waits = connect(door);
    waits.write_all(GET.as_bytes()).unwrap();
    waits.set_nonblocking(true).unwrap();
    assert!(waits.read(&mut [0]).is_err(), "nobody answers");
    waits.set_nonblocking(false).unwrap();
    // Neither a signal that nginx knows and this program does not, nor a second one, ends it.
    signal("USR2", &pid);
    signal("WINCH", &pid);
    wait_until("it is told", || place.text("x.log").contains("(SIGUSR2) received"));
    place.order("reload");
    let mut answer = String::new();
    waits.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("here"), "{answer}");
    place.order("stop");
    wait_until("it ends", || !process.is_alive());
}

#[test]
fn in_the_foreground_a_terminal_may_change_its_size() {
    let place = Place::with(&format!("daemon off; {CONF}"));
    let running = place.start(&["-c", "x.conf"]);
    let door = place.door("err");
    signal("WINCH", &running.pid());
    signal("USR1", &running.pid());
    wait_until("it is told", || place.text("err").contains("(SIGUSR1) received"));
    assert!(ask(door).ends_with("here"));
    assert!(!place.text("err").contains("WINCH"));
}

#[test]
fn a_pid_file_that_cannot_be_written_ends_even_a_daemon_at_once() {
    let place = Place::with(&format!("pid no/such/x.pid; error_log x.log notice; {CONF}"));
    let words = "proxy: [emerg] open() \"no/such/x.pid\" failed (2: No such file or directory)\n";
    let ended = place.run(&["-c", "x.conf"]);
    assert_eq!((ended.code, &*ended.err), (Some(1), words));
    let ended = place.run(&["-t", "-c", "x.conf"]);
    let words = format!(
        "proxy: the configuration file x.conf syntax is ok\n{words}\
         proxy: configuration file x.conf test failed\n"
    );
    assert_eq!((ended.code, ended.err), (Some(1), words));
}

#[test]
fn a_refused_start_is_in_the_error_log_too() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let conf = CONF.replace(":0;", &format!(":{port};"));
    let place = Place::with(&format!("pid x.pid; error_log x.log notice; {conf}"));
    let words = format!("bind() to 127.0.0.1:{port} failed (98: Address already in use)\n");
    let ended = place.run(&["-c", "x.conf"]);
    assert_eq!((ended.code, ended.err), (Some(1), format!("proxy: [emerg] {words}")));
    assert!(place.text("x.log").ends_with(&words) && place.text("x.log").contains(" [emerg] "));
    assert!(!place.path("x.pid").exists());
}

#[test]
fn it_lets_in_as_many_as_it_may_have() {
    let conf = CONF.replace("events {}", "events { worker_connections 4; }");
    let place = Place::with(&format!("daemon off; {conf}"));
    let running = place.start(&["-c", "x.conf"]);
    let door = place.door("err");
    let shortages = || place.text("err").matches("4 worker_connections are not enough, ").count();
    let mut idle: Vec<_> = (0..4).map(|_| connect(door)).collect();
    for client in &mut idle {
        client.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
        client.read_exact(&mut [0]).unwrap();
    }
    assert_eq!(shortages(), 0, "all may be there");
    assert!(ask(door).ends_with("here"), "an idle one makes room");
    idle[0].read_to_end(&mut Vec::new()).expect("the one that was idle for the longest");
    assert_eq!(shortages(), 1);
    assert!(place.text("err").contains("[warn] "));
    drop(idle);
    // These have asked nothing, so none of them is idle.
    let mut crowd: Vec<_> = (0..4).map(|_| connect(door)).collect();
    crowd[3].write_all(GET.as_bytes()).unwrap();
    crowd[3].read_to_end(&mut Vec::new()).unwrap();
    crowd[3] = connect(door);
    let mut waits = connect(door);
    waits.write_all(GET.as_bytes()).unwrap();
    wait_until("it is told", || shortages() >= 1);
    let since = Instant::now();
    drop(crowd);
    let mut answer = String::new();
    waits.read_to_string(&mut answer).unwrap();
    // A tenth of a second is what it takes; what is added is for a machine that is busy.
    assert!(since.elapsed().as_millis() < 1000, "{:?}", since.elapsed());
    assert!(answer.ends_with("here"), "{answer}");
    signal("TERM", &running.pid());
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn it_says_how_it_learns_of_bytes() {
    for says in ["use epoll;", "use io_uring;", ""] {
        let conf = CONF.replace("events {}", &format!("events {{ {says} }}"));
        let place = Place::with(&format!("daemon off; error_log x.log notice; {conf}"));
        let running = place.start(&["-c", "x.conf"]);
        assert!(ask(place.door("x.log")).ends_with("here"));
        let log = place.text("x.log");
        let uses = |method| log.contains(&format!("using the \"{method}\" event method\n"));
        // Not every kernel gives a ring to everybody. Whoever asks for one is told.
        let refused = log.contains("[warn] ") && log.contains(": io_uring_setup() failed (");
        match says {
            "use epoll;" => assert!(uses("epoll") && !refused, "{log}"),
            "use io_uring;" => assert!(uses("io_uring") != refused, "{log}"),
            _ => assert!(uses("io_uring") != uses("epoll") && !refused, "{log}"),
        }
        signal("TERM", &running.pid());
        assert_eq!(running.end().code, Some(0));
    }
}

#[test]
fn the_log_that_e_names_is_there_from_the_start() {
    let place = Place::with("events {}\nfoo;\n");
    assert_eq!(place.run(&["-c", "x.conf", "-e", "x.log"]).code, Some(1));
    let log = place.text("x.log");
    assert!(log.contains(" [emerg] ") && log.ends_with("\"foo\" in x.conf:2\n"), "{log}");
    let ended = place.run(&["-t", "-c", "x.conf", "-e", "no/such/x.log"]);
    let words = "proxy: [alert] could not open error log file: open() \"no/such/x.log\" failed \
                 (2: No such file or directory)\nproxy: [emerg] unknown directive";
    assert!(ended.err.starts_with(words), "{}", ended.err);
}

/// A low port on an address of loopback that no other test uses.
fn low_door(number: u8) -> SocketAddr {
    let [.., a, b] = id().to_be_bytes();
    SocketAddr::from(([127, 1 + number, a, b], 81))
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

#[test]
fn who_drops_from_root_may_bind_low_ports_and_nothing_else() {
    if !is_root() {
        println!("only root can become somebody else");
        return;
    }
    let (first, second) = (low_door(0), low_door(1));
    let conf = |door: SocketAddr| {
        format!(
            "daemon off; user nobody; pid x.pid; error_log x.log notice; worker_processes 1;
             events {{}} http {{ access_log a.log; server {{ listen {door};
             location / {{ return 200 here; }}
             location /worker {{ proxy_pass http://unix:closed.sock; }} }} }}"
        )
    };
    let place = Place::with(&conf(first));
    fs::set_permissions(place.path(""), Permissions::from_mode(0o755)).unwrap();
    let _worker = Worker::bind(place.path("closed.sock"));
    fs::set_permissions(place.path("closed.sock"), Permissions::from_mode(0o600)).unwrap();
    let running = place.start(&["-c", "x.conf"]);
    assert_eq!(place.door("x.log"), first);
    assert!(ask(first).ends_with("here"));
    let pid = running.pid();
    let status =
        |task: &str| fs::read_to_string(format!("/proc/{pid}/task/{task}/status")).unwrap();
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let tasks: Vec<_> = tasks.map(|t| t.unwrap().file_name().into_string().unwrap()).collect();
    assert!(tasks.len() > 1);
    for task in &tasks {
        let may = if *task == pid { "0000000000000400" } else { "0000000000000000" };
        for set in ["CapPrm", "CapEff"] {
            assert!(status(task).contains(&format!("{set}:\t{may}\n")), "{}", status(task));
        }
        assert!(!status(task).contains("Uid:\t0"), "{}", status(task));
    }
    fs::write(place.path("x.conf"), conf(second)).unwrap();
    signal("HUP", &pid);
    wait_until("it has moved", || place.text("x.log").contains("reconfigured"));
    assert!(ask(second).ends_with("here"));
    signal("USR1", &pid);
    wait_until("it is told", || place.text("x.log").contains("reopening logs"));

    let mut client = connect(second);
    client.write_all(GET.replace("GET /", "GET /worker").as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    let log = place.text("x.log");
    let words = "connect() to unix:closed.sock failed (13: Permission denied), \
                 the socket is of uid 0 gid 0 mode 0600, we are uid ";
    assert!(log.contains(words) && !log.contains("[emerg]"), "{log}");
    signal("TERM", &pid);
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn who_has_no_descriptor_left_blames_no_server() {
    let place = Place::with(
        "daemon off; error_log x.log notice; worker_processes 1; events {} http {
         upstream workers { server unix:a.sock; server unix:b.sock; }
         server { listen 127.0.0.1:0; location / { proxy_pass http://workers; }
                  location = /here { return 200 here; } } }",
    );
    let workers = ["a.sock", "b.sock"].map(|name| Worker::bind(place.path(name)));
    let running = place.start(&["-c", "x.conf"]);
    let door = place.door("x.log");
    let get = |client: &mut Wire, path: &str, status: &str| {
        client.send(GET_AND_STAY.replacen('/', path, 1));
        let (head, _) = client.answer();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    };
    let mut client = Wire::new(connect(door).into());
    get(&mut client, "/here", "200");
    let pid = running.pid();
    limit_descriptors(&pid, 0);
    get(&mut client, "/", "500");
    limit_descriptors(&pid, 100);
    // Both are asked as ever, in their turn.
    thread::scope(|scope| {
        for worker in &workers {
            scope.spawn(|| worker.answer(OK));
        }
        let mut client = Wire::new(connect(door).into());
        get(&mut client, "/", "200");
        get(&mut client, "/", "200");
    });
    let log = place.text("x.log");
    assert_eq!(log.matches("failed (24: Too many open files) while connecting").count(), 1);
    assert!(!log.contains("temporarily disabled"), "{log}");
}

#[test]
fn a_reload_that_finds_no_descriptor_to_listen_with_listens_once_there_is_one() {
    let conf = |more: &str| {
        format!(
            "daemon off; error_log x.log notice; worker_processes 1; events {{}} http {{
             server {{ listen 127.0.0.1:0; {more} location / {{ return 200 here; }} }} }}"
        )
    };
    let place = Place::with(&conf(""));
    let running = place.start(&["-c", "x.conf"]);
    assert!(ask(place.door("x.log")).ends_with("here"));
    fs::write(place.path("x.conf"), conf("listen unix:x.sock;")).unwrap();
    // One for the new socket, which is bound by one thread, and none to listen to it in another.
    limit_descriptors(&running.pid(), 1);
    signal("HUP", &running.pid());
    wait_until("it has no descriptor left", || {
        place.text("x.log").contains("accepting on unix:x.sock failed (24: Too many open files)")
    });
    limit_descriptors(&running.pid(), 100);
    let client = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    client.connect(&SockAddr::unix(place.path("x.sock")).unwrap()).unwrap();
    let mut client = Wire::new(client);
    client.send(GET);
    assert!(client.rest_text().ends_with("here"));
}
