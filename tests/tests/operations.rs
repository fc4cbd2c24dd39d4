//! README's "Operations", signal by signal. The guide's parts run for real; the proxy only.
#![allow(clippy::unwrap_used, reason = "helpers of tests are test code too")]

use std::fs;
use std::process::Command;

use rustix::process::Signal;
use tests::front::Front;
use tests::guide::{Guide, Setup, Worker};
use tests::held::Held;
use tests::place::{Place, binary};
use tests::process::{PATIENCE, Running, wait_until};

const CONFIG: &str = "events {}
http {
    access_log {dir}/access.log;
    server {
        listen 127.0.0.1:{port};
        location / {
            proxy_pass http://unix:{dir}/worker.sock;
            proxy_set_header Connection $http_connection;
            proxy_set_header Upgrade $http_upgrade;
        }
    }
}
";

/// One worker, and the proxy in front of it.
struct Scene {
    place: Place,
    proxy: Running,
    port: u16,
    _worker: Running,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        let mut echo = Command::new(binary("echo"));
        echo.arg("--unix").arg(place.join("worker.sock"));
        let worker = Running::start("echo", echo);
        wait_until("the worker's socket", PATIENCE, || place.join("worker.sock").exists());
        let (proxy, port) = Front::Proxy.serve(&place, CONFIG);
        Self { place, proxy, port, _worker: worker }
    }

    fn connect(&self) -> Held {
        Held::open(self.port).unwrap()
    }
}

/// Says something through a connection and hears it back.
fn is_answered(connection: &mut Held) -> bool {
    connection.say("still there?").as_deref() == Some("still there?")
}

#[test]
fn a_reload_keeps_tunnels_and_counts() {
    let guide = Setup::new(Front::Proxy, Worker::Echo).start();
    for n in 0..4 {
        guide.wait_for_worker(n);
    }
    let mut held = guide.hold(3);
    reload(&guide);
    assert!(held.iter_mut().all(is_answered));
    // Whoever began to count anew would take the first worker again.
    held.extend(guide.hold(1));
    guide.wait_for_connections([1; 4]);
}

fn reload(guide: &Guide) {
    let said = guide.supervisorctl(&["signal", "HUP", "proxy"]);
    assert!(said.contains("signalled"), "{said}");
    let done = || guide.front_log().contains("reconfigured");
    wait_until("the reload", PATIENCE, done);
}

#[test]
fn a_wrong_file_changes_nothing_and_is_told() {
    let scene = Scene::new();
    let mut held = scene.connect();
    let right = scene.place.read("proxy.conf");
    scene.place.write("proxy.conf", &right.replace("proxy_pass", "proxy_past"));
    scene.proxy.signal(Signal::HUP);
    scene.proxy.wait_for_output("[emerg]");
    let said = scene.proxy.stderr();
    assert!(said.contains("unknown directive \"proxy_past\" in "), "{said}");
    assert!(is_answered(&mut held) && is_answered(&mut scene.connect()));
}

#[test]
fn a_renamed_log_is_left_alone_after_usr1() {
    let scene = Scene::new();
    drop(scene.connect());
    wait_until("a line", PATIENCE, || scene.place.read("access.log").contains(" 101 "));
    fs::rename(scene.place.join("access.log"), scene.place.join("access.1")).unwrap();
    scene.proxy.signal(Signal::USR1);
    wait_until("the new log", PATIENCE, || scene.place.join("access.log").exists());
    drop(scene.connect());
    wait_until("a new line", PATIENCE, || scene.place.read("access.log").contains(" 101 "));
    assert_eq!(scene.place.read("access.1").lines().count(), 1);
}

#[test]
fn quit_waits_for_the_last_tunnel_and_takes_nobody_new() {
    let mut scene = Scene::new();
    let mut held = scene.connect();
    assert!(scene.place.join("proxy.pid").exists());
    scene.proxy.signal(Signal::QUIT);
    wait_until("closed doors", PATIENCE, || Held::open(scene.port).is_err());
    assert!(is_answered(&mut held));
    assert!(scene.proxy.exited().is_none());
    drop(held);
    assert!(scene.proxy.wait_exit(PATIENCE).success());
    assert!(!scene.place.join("proxy.pid").exists());
}

#[test]
fn term_and_int_end_it_at_once_with_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut scene = Scene::new();
        let mut held = scene.connect();
        scene.proxy.signal(signal);
        assert!(scene.proxy.wait_exit(PATIENCE).success());
        assert_eq!(held.hear(), None);
    }
}
