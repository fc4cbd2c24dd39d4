//! `deploy/up`: what it says, and that it leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are test code too")]

use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tests::held::Held;
use tests::place::{self, Place};
use tests::process::{PATIENCE, Running, run, wait_until};

/// Supervisor, and on a fresh clone a release build.
const START: Duration = Duration::from_secs(30 * 60);

#[test]
fn as_the_readme_has_it_and_stopped_by_ctrl_c() {
    goes_up_and_comes_down(&[], Signal::INT);
}

#[test]
fn with_nginx_and_python_and_terminated() {
    goes_up_and_comes_down(&["--nginx", "--python"], Signal::TERM);
}

#[test]
fn with_python_workers_and_hung_up() {
    goes_up_and_comes_down(&["--python"], Signal::HUP);
}

#[test]
fn with_nginx_before_echo() {
    goes_up_and_comes_down(&["--nginx"], Signal::INT);
}

fn goes_up_and_comes_down(flags: &[&str], signal: Signal) {
    let guide = Up::prepare("");
    let up = guide.command(flags);
    let mut up = Running::start("up", up).stop_with(Signal::TERM, 2 * PATIENCE);
    wait_until("up's last line", START, || {
        assert!(up.exited().is_none(), "{}{}", up.stdout(), up.stderr());
        up.stdout().contains("Ctrl-C here stops everything")
    });
    let (said, port) = (up.stdout(), guide.port);
    let [front, status, client] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert!(front.contains(&format!(" on localhost:{port} balances over four")), "{said}");
    assert!(status.contains("supervisord.conf status"), "{said}");
    assert!(client.contains(&format!("client ws://localhost:{port}/")), "{said}");

    let mut held = Held::open(port).unwrap();
    assert_eq!(held.say("hello").as_deref(), Some("hello"));
    let status = guide.supervisorctl(&["status"]);
    assert_eq!(status.matches(" RUNNING ").count() + status.matches(" STARTING").count(), 5);

    // A second one is refused and does not disturb the first.
    let (second, _, error) = run("up", guide.command(flags), START);
    assert_eq!(second.code(), Some(1));
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(&format!("localhost:{port} is already in use")), "{error}");
    assert_eq!(held.say("still here").as_deref(), Some("still here"));

    up.signal(signal);
    let status = up.wait_exit(2 * PATIENCE);
    assert!(status.success(), "{status}\n{}", up.stderr());
    assert_eq!(held.hear(), None);
    guide.assert_nothing_left();
}

#[test]
fn a_port_in_use_is_one_line_and_nothing_is_left() {
    let guide = Up::prepare("");
    let _owner = TcpListener::bind((Ipv4Addr::LOCALHOST, guide.port)).unwrap();
    let (status, out, error) = run("up", guide.command(&[]), START);
    assert_eq!((status.code(), out.as_str(), error.lines().count()), (Some(1), "", 1), "{error}");
    assert!(error.contains("is already in use"), "{error}");
    assert!(!guide.run.exists());
}

#[test]
fn a_bad_configuration_is_shown_and_nothing_is_left() {
    let guide = Up::prepare("nonsense on;\n");
    let (status, _, error) = run("up", guide.command(&["--nginx", "--python"]), START);
    assert_eq!(status.code(), Some(1));
    assert!(error.contains("unknown directive \"nonsense\""), "{error}");
    guide.assert_nothing_left();
}

/// What `up` is given so that several run side by side: the guide's file with another port, and
/// a directory to run in.
struct Up {
    _place: Place,
    conf: PathBuf,
    run: PathBuf,
    port: u16,
}

impl Up {
    fn prepare(last_line: &str) -> Self {
        let (place, port) = (Place::new(), place::free_port());
        let text = fs::read_to_string(place::repository().join("deploy/nginx.conf")).unwrap();
        let text = text.replace("localhost:8080", &format!("localhost:{port}")) + last_line;
        let (conf, run) = (place.write("nginx.conf", &text), place.join("run"));
        Self { _place: place, conf, run, port }
    }

    fn command(&self, flags: &[&str]) -> Command {
        let mut command = Command::new(place::repository().join("deploy/up"));
        // It builds as it would from a shell: what cargo tells a test is in ring's fingerprint.
        for (name, _) in env::vars().filter(|(name, _)| name.starts_with("CARGO_")) {
            if !matches!(name.as_str(), "CARGO_HOME" | "CARGO_TARGET_DIR") {
                command.env_remove(name);
            }
        }
        command.args(flags).arg("--conf").arg(&self.conf).arg("--run").arg(&self.run);
        command
    }

    fn supervisorctl(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(place::supervisord().with_file_name("supervisorctl"));
        command.arg("-c").arg(self.run.join("supervisord.conf")).args(arguments);
        run("supervisorctl", command, PATIENCE).1
    }

    fn assert_nothing_left(&self) {
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err());
        let files = fs::read_dir(&self.run).unwrap().map(|file| file.unwrap().path());
        let sockets: Vec<_> =
            files.filter(|file| file.extension().is_some_and(|it| it == "sock")).collect();
        assert!(sockets.is_empty(), "{sockets:?}");
        let left = processes_in(&self.run);
        assert!(left.is_empty(), "still running in {}: {left:?}", self.run.display());
    }
}

/// The command lines of the processes whose working directory is `dir`.
fn processes_in(dir: &Path) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(|it| it.path());
    processes
        .filter(|process| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == dir))
        .map(|process| fs::read_to_string(process.join("cmdline")).unwrap_or_default())
        .collect()
}
