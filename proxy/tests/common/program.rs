//! The program in a directory of its own: starting it, asking it, ending it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;

use super::{PATIENCE, wait_until};

pub(crate) const PROXY: &str = env!("CARGO_BIN_EXE_proxy");

pub(crate) const CONF: &str = "
worker_processes 1;
events {}
http {
    server {
        listen 127.0.0.1:0;
        location / { return 200 here; }
    }
}
";

pub(crate) const GET: &str = "GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";

/// A directory to run the program in.
pub(crate) struct Place(tempfile::TempDir);

/// What a program that has ended left.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// A directory with this as `x.conf`.
    pub(crate) fn with(conf: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path("x.conf"), conf).unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Starts the program in the directory; what it prints goes to `out` and `err`.
    pub(crate) fn start(&self, args: &[&str]) -> Running<'_> {
        self.start_as(PROXY, args)
    }

    pub(crate) fn start_as(
        &self,
        program: &str,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Running<'_> {
        let mut command = Command::new(program);
        command.args(args).stdout(self.create("out"));
        self.spawn(command)
    }

    /// Runs this in the directory.
    pub(crate) fn spawn(&self, mut command: Command) -> Running<'_> {
        command.current_dir(self.0.path()).stderr(self.create("err"));
        // A program that was just written is busy while another test's child, which has inherited
        // the descriptor that wrote it, has not become its own program.
        let child = loop {
            match command.spawn() {
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => thread::yield_now(),
                child => break child.unwrap(),
            }
        };
        Running { child, place: self }
    }

    fn create(&self, name: &str) -> File {
        File::create(self.path(name)).unwrap()
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.start(args).end()
    }

    /// Runs it with `-s` and the configuration `x.conf`, which must not fail.
    pub(crate) fn order(&self, order: &str) {
        let mut command = Command::new(PROXY);
        command.args(["-c", "x.conf", "-s", order]).current_dir(self.0.path());
        let told = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&told.stderr), "", "{order}");
        assert!(told.status.success(), "{order}");
    }

    /// Where a proxy says it listens, once it does.
    pub(crate) fn door(&self, log: &str) -> SocketAddr {
        let mut door = None;
        wait_until("it says where it listens", || {
            let text = self.text(log);
            let rest = text.split_once("listening on ").map(|(_, rest)| rest);
            door = rest.and_then(|rest| rest.split_once('\n')?.0.parse().ok());
            door.is_some()
        });
        door.unwrap()
    }

    /// What the pid file says, once it is there.
    pub(crate) fn pid(&self, name: &str) -> String {
        wait_until("the pid file is written", || self.text(name).ends_with('\n'));
        self.text(name).trim_end().to_owned()
    }
}

/// A program that runs, and is ended with the test.
pub(crate) struct Running<'a> {
    child: Child,
    place: &'a Place,
}

impl Running<'_> {
    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let mut status = None;
        wait_until("the program ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let code = status.unwrap().code();
        Ended { code, out: self.place.text("out"), err: self.place.text("err") }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn signal(name: &str, pid: &str) {
    let status = Command::new("sh").args(["-c", "kill -$0 $1", name, pid]).status().unwrap();
    assert!(status.success(), "kill -{name} {pid}");
}

/// Lets a process have so many descriptors besides those that it has, which are the lowest.
pub(crate) fn limit_descriptors(pid: &str, more: usize) {
    let is_open = |number: &usize| fs::exists(format!("/proc/{pid}/fd/{number}")).unwrap();
    let most = (0..).take_while(is_open).count() + more;
    let mut command = Command::new("prlimit");
    command.args(["--pid", pid, &format!("--nofile={most}:")]);
    assert!(command.status().unwrap().success());
}

pub(crate) fn connect(door: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&door, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The whole of an answer.
pub(crate) fn ask(door: SocketAddr) -> String {
    let mut stream = connect(door);
    stream.write_all(GET.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A process that is not our child.
pub(crate) struct Daemon<'a>(pub(crate) &'a str);

impl Daemon<'_> {
    pub(crate) fn descriptor(&self, number: usize) -> PathBuf {
        fs::read_link(format!("/proc/{}/fd/{number}", self.0)).unwrap()
    }

    /// Whether it is this program and no zombie, whom its new parent may not have looked at yet.
    pub(crate) fn is_alive(&self) -> bool {
        let exe = fs::read_link(format!("/proc/{}/exe", self.0));
        exe.is_ok_and(|exe| exe.file_name() == Path::new(PROXY).file_name())
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        if self.is_alive() {
            signal("KILL", self.0);
        }
    }
}
