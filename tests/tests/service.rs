//! What `deploy/` has for systemd is what systemd reads and the proxy takes; and an nginx that runs
//! becomes the proxy, at its sockets.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are test code too"
)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use tests::front::Front;
use tests::place::{self, KeptPort, Place};
use tests::process::{PATIENCE, Running, run, wait_until};

fn deployed(name: &str) -> String {
    fs::read_to_string(place::repository().join("deploy").join(name)).unwrap()
}

/// The values of a setting in a unit.
fn values<'a>(unit: &'a str, name: &str) -> Vec<&'a str> {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix('=');
    unit.lines().filter_map(value).collect()
}

/// The version of the systemd that checks units here, if there is one.
fn systemd() -> Option<u32> {
    let output = Command::new("systemd-analyze").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).unwrap();
    // systemd 252 (252.38-1~deb12u1)
    text.split_whitespace().nth(1)?.parse().ok()
}

/// The units, as a machine would have them whose proxy is the one of this test.
fn units(version: u32) -> Place {
    let place = Place::new();
    let binary = place::binary("proxy");
    let service = deployed("proxy.service")
        .replace("/usr/local/sbin/proxy", binary.to_str().unwrap())
        .lines()
        // An older one says that it does not know it, and goes on.
        .filter(|line| version >= 253 || *line != "Type=notify-reload")
        .fold(String::new(), |text, line| text + line + "\n");
    place.write("proxy.service", &service);
    place.write("proxy.socket", &deployed("proxy.socket"));
    place
}

fn systemd_analyze(place: &Place, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).current_dir(place.path());
    let (status, out, err) = run("systemd-analyze", command, PATIENCE);
    (status.success(), out + &err)
}

#[test]
fn the_units_are_what_systemd_reads_and_leave_little_to_attack() {
    let Some(version) = systemd() else {
        eprintln!("skipped: there is no systemd-analyze here");
        return;
    };
    let units = units(version);
    let verify = ["verify", "--man=no", "./proxy.service", "./proxy.socket"];
    assert_eq!(systemd_analyze(&units, &verify), (true, String::new()));
    if version < 250 {
        eprintln!("skipped: systemd {version} gives no score to a unit that is not loaded");
        return;
    }
    // 1.8 with systemd 252; it asks more with each version.
    let score = ["security", "--offline=true", "--threshold=25", "--no-pager", "./proxy.service"];
    let (is_safe, said) = systemd_analyze(&units, &score);
    assert!(is_safe, "{said}");
}

#[test]
fn each_part_of_the_units_begins_with_its_reason() {
    for name in ["proxy.service", "proxy.socket"] {
        for part in deployed(name).split("\n\n").filter(|part| !part.starts_with("[Install]")) {
            let first = part.lines().find(|line| !line.starts_with('[')).unwrap_or_default();
            assert!(first.starts_with('#') || first.starts_with("Description="), "{name}: {first}");
        }
    }
}

#[test]
fn what_the_socket_unit_binds_the_configuration_listens_at() {
    let (units, conf) = (deployed("proxy.socket"), deployed("proxy.conf"));
    let bound = values(&units, "ListenStream");
    let listen =
        |line: &str| Some(line.trim().strip_prefix("listen ")?.strip_suffix(';')?.to_owned());
    assert_eq!(bound, conf.lines().filter_map(listen).collect::<Vec<_>>());
    // A stop that systemd cuts short would be a kill.
    let service = deployed("proxy.service");
    let seconds = |text: &str| text.trim_end_matches(['s', ';']).parse::<u32>().unwrap();
    let waits = conf.lines().find_map(|line| line.strip_prefix("worker_shutdown_timeout "));
    assert!(seconds(waits.unwrap()) < seconds(values(&service, "TimeoutStopSec")[0]));
}

fn get(stream: impl Read + Write, path: &str) -> String {
    let mut stream = stream;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_configuration_is_accepted_and_says_how_it_is() {
    let place = Place::new();
    let port = KeptPort::new();
    let here = format!("listen 127.0.0.1:{};", port.number);
    let conf = deployed("proxy.conf").replace("listen 0.0.0.0:8080;", &here);
    let path = place.write("proxy.conf", &conf.replace("listen [::]:8080;", ""));
    let mut test = Front::Proxy.command(&path, place.path());
    test.arg("-t");
    let (right, _, said) = run("proxy -t", test, PATIENCE);
    assert!(right.success(), "{said}");
    assert_eq!(said.lines().count(), 2, "there is something to note: {said}");

    let mut command = Command::new(place::binary("proxy"));
    command.args(["-c", "proxy.conf", "-p", "."]).current_dir(place.path());
    let proxy = Running::start("proxy", command);
    proxy.wait_for_output("listening on ");
    let ask = |path: &str| get(TcpStream::connect(("127.0.0.1", port.number)).unwrap(), path);
    for (path, says) in
        [("/status", "</html>"), ("/status.json", "\"upstreams\""), ("/metrics", "\nproxy_")]
    {
        let answer = ask(path);
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(says), "{path}: {answer}");
    }
    assert!(ask("/").starts_with("HTTP/1.1 502 "));
    proxy.signal(Signal::QUIT);
    let mut proxy = proxy;
    assert!(proxy.wait_exit(PATIENCE).success());
    let log = place.read("access.log");
    assert!(
        log.contains("\"GET /status HTTP/1.0\" 200 - - s, in -, out -, closed - by -, ping -"),
        "{log}"
    );
}

/// Processes in the background that name themselves in these files.
struct Daemons<'a>(&'a Place);

impl Daemons<'_> {
    fn pid(&self, file: &str) -> Option<Pid> {
        Pid::from_raw(self.0.read(file).trim().parse().ok()?)
    }
}

impl Drop for Daemons<'_> {
    fn drop(&mut self) {
        for file in ["x.pid", "x.pid.oldbin"] {
            let ours = |pid: &Pid| runs_in(self.0, *pid);
            if let Some(pid) = self.pid(file).filter(ours) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

/// Whether the process is one of this place: numbers are given again.
fn runs_in(place: &Place, pid: Pid) -> bool {
    let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    String::from_utf8_lossy(&line).contains(place.path().to_str().unwrap())
}

#[test]
fn an_nginx_that_runs_becomes_the_proxy_at_its_sockets() {
    let place = Place::new();
    let port = KeptPort::new();
    let dir = place.path().to_str().unwrap().to_owned();
    let conf = |temporary: &str| {
        format!(
            "pid {dir}/x.pid; error_log {dir}/x.log info; events {{}}
             http {{ access_log off; {temporary} server {{
                 listen 127.0.0.1:{}; listen unix:{dir}/x.sock; return 200 here; }} }}",
            port.number
        )
    };
    // nginx has directories for what it buffers, and the proxy buffers nothing.
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {dir}/{kind};"));
    place.write("x.conf", &conf(&temporary.concat()));
    let program = place.join("program");
    fs::copy(place::nginx(), &program).unwrap();
    let daemons = Daemons(&place);
    let mut command = Command::new(&program);
    command.arg("-c").arg(place.join("x.conf")).arg("-e").arg(place.join("x.log"));
    let (started, _, said) = run("nginx", command, PATIENCE);
    assert!(started.success(), "{said}");
    wait_until("nginx runs", PATIENCE, || daemons.pid("x.pid").is_some());
    let nginx = daemons.pid("x.pid").unwrap();
    let answers = || {
        let tcp = get(TcpStream::connect(("127.0.0.1", port.number)).unwrap(), "/");
        let unix = get(UnixStream::connect(place.join("x.sock")).unwrap(), "/");
        for answer in [tcp, unix] {
            assert!(answer.ends_with("\r\n\r\nhere"), "{answer}");
        }
    };
    answers();

    replace(&program);
    place.write("x.conf", &conf(""));
    kill_process(nginx, Signal::USR2).unwrap();
    let took = format!("using the inherited socket unix:{dir}/x.sock");
    wait_until("the proxy is at its sockets", PATIENCE, || place.read("x.log").contains(&took));
    wait_until("the proxy has said who it is", PATIENCE, || {
        daemons.pid("x.pid").is_some_and(|pid| pid != nginx)
    });
    let proxy = daemons.pid("x.pid").unwrap();
    assert_eq!(daemons.pid("x.pid.oldbin"), Some(nginx));
    kill_process(nginx, Signal::QUIT).unwrap();
    wait_until("nginx has ended", PATIENCE, || !runs_in(&place, nginx));
    answers();
    assert_eq!(fs::read_link(format!("/proc/{}/exe", proxy.as_raw_nonzero())).unwrap(), program);

    // There is nobody left who could want the path.
    kill_process(proxy, Signal::QUIT).unwrap();
    wait_until("the proxy has ended", PATIENCE, || !runs_in(&place, proxy));
    assert!(!place.join("x.sock").exists());
}

/// Puts the proxy in the place of this program, which runs.
fn replace(program: &Path) {
    let next = program.with_extension("next");
    fs::copy(place::binary("proxy"), &next).unwrap();
    fs::rename(next, program).unwrap();
}
