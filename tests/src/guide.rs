//! The guide as written: four workers under real Supervisor, and a front before them.
//!
//! Both files are those of `deploy/`; of nginx.conf a copy with another port, since tests run side
//! by side.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::front::Front;
use crate::held::Held;
use crate::place::{self, Place};
use crate::process::{PATIENCE, Running, run, try_wait_for, wait_for, wait_until};

/// How long Supervisor may take over something: it waits up to ten seconds for a worker to stop.
const GRACE: Duration = Duration::from_secs(30);

/// Who answers on the four sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    /// Our `echo`.
    Echo,
    /// `deploy/echo.py`, on Python's `websockets`.
    Python,
}

impl Worker {
    fn command(self) -> String {
        match self {
            Self::Echo => quoted(&place::binary("echo")),
            Self::Python => {
                let script = place::repository().join("deploy/echo.py");
                format!("{} {}", quoted(&place::python()), quoted(&script))
            }
        }
    }
}

/// What differs from the guide as written.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    front: Front,
    worker: Worker,
    workers_at_start: bool,
    threads: Option<usize>,
    location: &'static str,
    upstream: &'static str,
}

impl Setup {
    /// Nothing but the two programs.
    #[must_use]
    pub fn new(front: Front, worker: Worker) -> Self {
        Self { front, worker, workers_at_start: true, threads: None, location: "", upstream: "" }
    }

    /// `worker_processes N;` stands at the top of nginx.conf.
    #[must_use]
    pub fn threads(self, n: usize) -> Self {
        Self { threads: Some(n), ..self }
    }

    /// This stands in `location /`, too.
    #[must_use]
    pub fn location(self, says: &'static str) -> Self {
        Self { location: says, ..self }
    }

    /// This stands in the upstream, too.
    #[must_use]
    pub fn upstream(self, says: &'static str) -> Self {
        Self { upstream: says, ..self }
    }

    /// The workers wait until [`Guide::supervisorctl`] starts them.
    #[must_use]
    pub fn without_workers(self) -> Self {
        Self { workers_at_start: false, ..self }
    }

    /// Starts it, and waits until the front and the workers that are to be there accept.
    ///
    /// # Panics
    /// When they do not; the message has the front's log.
    #[must_use]
    pub fn start(self) -> Guide {
        let mut said = String::new();
        for _ in 0..5 {
            let guide = self.start_once();
            guide.wait_for_start(self.workers_at_start);
            said = guide.front_log();
            if !said.contains("in use") {
                return guide;
            }
        }
        panic!("{} found no free port:\n{said}", self.front.name());
    }

    fn start_once(self) -> Guide {
        let (place, port) = (Place::new(), place::free_port());
        self.write_files(&place, port);
        let config = place.join("supervisord.conf");
        let mut command = Command::new(place::supervisord());
        command.arg("-c").arg(&config).current_dir(place.path());
        command.env("WORKER", self.worker.command());
        let front = self.front.command(&place.join("nginx.conf"), place.path());
        command.env("PROXY", command_line(&front));
        let supervisord =
            Running::start("supervisord", command).stop_with(Signal::TERM, 2 * PATIENCE);
        Guide { place, port, supervisord: Some(supervisord) }
    }

    fn write_files(self, place: &Place, port: u16) {
        let mut nginx =
            deployed("nginx.conf").replace("localhost:8080", &format!("localhost:{port}"));
        nginx = nginx.replacen("location / {", &format!("location / {{ {}", self.location), 1);
        nginx = nginx.replacen("least_conn;", &format!("least_conn; {}", self.upstream), 1);
        if let Some(n) = self.threads {
            nginx.insert_str(0, &format!("worker_processes {n};\n"));
        }
        if self.front == Front::Nginx {
            nginx = nginx.replacen("http {", "http {\n    access_log off;", 1);
        }
        place.write("nginx.conf", &nginx);

        let mut supervisord = deployed("supervisord.conf");
        if !self.workers_at_start {
            supervisord =
                supervisord.replacen("numprocs = 4", "numprocs = 4\nautostart = false", 1);
        }
        place.write("supervisord.conf", &supervisord);
    }
}

/// The guide, running. Dropping it stops all of it.
#[derive(Debug)]
pub struct Guide {
    place: Place,
    port: u16,
    /// There until the drop.
    supervisord: Option<Running>,
}

impl Guide {
    /// The port that stands in for 8080.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a client is given.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("ws://localhost:{}/", self.port)
    }

    /// The body of the front's answer to a GET of this path.
    ///
    /// # Panics
    /// There is no answer, or it is not a 200.
    #[must_use]
    pub fn get(&self, path: &str, accept: &str) -> String {
        let mut stream = TcpStream::connect(("localhost", self.port)).unwrap();
        let head = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        body.to_owned()
    }

    /// A WebSocket connection through the front.
    ///
    /// # Errors
    /// As [`Held::open`].
    pub fn connect(&self) -> Result<Held, String> {
        Held::open(self.port)
    }

    /// `n` connections, one after another.
    ///
    /// # Panics
    /// When one of them is refused; the message has the front's log.
    #[must_use]
    pub fn hold(&self, n: usize) -> Vec<Held> {
        let open = |_| self.connect().unwrap_or_else(|why| panic!("{why}\n{}", self.front_log()));
        (0..n).map(open).collect()
    }

    /// Runs `supervisorctl` and gives what it printed.
    ///
    /// # Panics
    /// When it takes longer than Supervisor may.
    pub fn supervisorctl(&self, arguments: &[&str]) -> String {
        let (_status, out, _err) =
            run("supervisorctl", self.supervisorctl_command(arguments), GRACE);
        out
    }

    /// Starts `supervisorctl` without waiting for it.
    #[must_use]
    pub fn supervisorctl_aside(&self, arguments: &[&str]) -> Running {
        Running::start("supervisorctl", self.supervisorctl_command(arguments))
    }

    fn supervisorctl_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(place::supervisord().with_file_name("supervisorctl"));
        command.arg("-c").arg(self.place.join("supervisord.conf")).args(arguments);
        command
    }

    /// The process ids of the workers, as Supervisor tells them; `None` for one that is down.
    #[must_use]
    pub fn worker_pids(&self) -> [Option<Pid>; 4] {
        let names = [0, 1, 2, 3].map(process_name);
        let [a, b, c, d] = names.each_ref();
        let said = self.supervisorctl(&["pid", a, b, c, d]);
        // One line for each, 0 for one that is down.
        let mut pids = said.lines().map(|line| line.parse().ok().and_then(Pid::from_raw));
        names.map(|_| pids.next().flatten())
    }

    /// Waits until worker `n` runs and accepts, and gives its process id.
    ///
    /// # Panics
    /// When it does not within what Supervisor may take.
    pub fn wait_for_worker(&self, n: usize) -> Pid {
        wait_until(&process_name(n), GRACE, || self.worker_accepts(n));
        wait_for(&process_name(n), GRACE, || self.worker_pids()[n])
    }

    /// The socket of worker `n`.
    #[must_use]
    pub fn socket(&self, n: usize) -> PathBuf {
        self.place.join(&socket_name(n))
    }

    /// Whether worker `n` accepts on its socket, asked directly.
    #[must_use]
    pub fn worker_accepts(&self, n: usize) -> bool {
        UnixStream::connect(self.socket(n)).is_ok()
    }

    /// How many connections each of the four workers holds, as the kernel counts them; none for
    /// one that is down.
    #[must_use]
    pub fn connections(&self) -> [usize; 4] {
        let pids = self.worker_pids();
        [0, 1, 2, 3].map(|n| pids[n].map_or(0, |pid| accepted(pid, &socket_name(n))))
    }

    /// Waits until the workers hold exactly so many connections.
    ///
    /// # Panics
    /// When they do not; the message has what they hold instead.
    pub fn wait_for_connections(&self, expected: [usize; 4]) {
        // Not at once: a connection that is over counts until its worker has noticed.
        if try_wait_for(PATIENCE, || (self.connections() == expected).then_some(())).is_none() {
            let log = self.front_log();
            panic!("the workers hold {:?}, not {expected:?}\n{log}", self.connections());
        }
    }

    /// What the front has logged.
    #[must_use]
    pub fn front_log(&self) -> String {
        self.place.read("proxy.log")
    }

    fn wait_for_start(&self, with_workers: bool) {
        let front = || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok();
        let workers = || !with_workers || (0..4).all(|n| self.worker_accepts(n));
        if try_wait_for(GRACE, || (front() && workers()).then_some(())).is_none() {
            let status = self.supervisorctl(&["status"]);
            panic!("the guide did not start:\n{status}\n{}", self.front_log());
        }
    }
}

impl Drop for Guide {
    fn drop(&mut self) {
        let Some(supervisord) = self.supervisord.take() else { return };
        let children = children(supervisord.pid());
        drop(supervisord);
        // Each of them has a process group of its own. They are gone, unless supervisord hung.
        for child in children {
            let _gone = kill_process_group(child, Signal::KILL);
        }
    }
}

/// Worker `n` by Supervisor's name for it.
#[must_use]
pub fn process_name(n: usize) -> String {
    format!("websockets-test:websockets-test_{n:02}")
}

fn socket_name(n: usize) -> String {
    format!("websockets-test_{n:02}.sock")
}

fn deployed(name: &str) -> String {
    let path = place::repository().join("deploy").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A command as Supervisor reads one.
fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| quoted(Path::new(word))).collect::<Vec<_>>().join(" ")
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

/// How many connections `pid` has accepted on `socket` and not closed: those of its descriptors
/// that `/proc/net/unix` lists as connected under the socket's name.
fn accepted(pid: Pid, socket: &str) -> usize {
    let table = fs::read_to_string("/proc/net/unix").expect("/proc/net/unix");
    let connected: Vec<PathBuf> =
        table.lines().filter_map(|line| connected(line, socket)).collect();
    let descriptors = fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero()));
    descriptors
        .into_iter()
        .flatten()
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter(|target| connected.contains(target))
        .count()
}

/// One line is `Num RefCount Protocol Flags Type St Inode Path`, of which `St` is 03 when
/// connected.
fn connected(line: &str, socket: &str) -> Option<PathBuf> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, _, _, _, _, "03", inode, path] = fields[..] else { return None };
    (Path::new(path).file_name()?.to_str()? == socket)
        .then(|| PathBuf::from(format!("socket:[{inode}]")))
}

/// The processes whose parent is `pid`.
fn children(pid: Pid) -> Vec<Pid> {
    let raw = pid.as_raw_nonzero();
    let text = fs::read_to_string(format!("/proc/{raw}/task/{raw}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok().and_then(Pid::from_raw)).collect()
}
