//! A real proxy between sockets that the test itself speaks on, byte for byte.
#![allow(dead_code, reason = "every file of tests uses a part of it")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, which stop at what is unexpected"
)]

pub(crate) mod close;
pub(crate) mod crowd;
pub(crate) mod load;
pub(crate) mod program;

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use proxy::{Addr, Config, Proxy};
use socket2::{Domain, SockAddr, Socket, Type};

/// How long a test waits for what normally takes a moment, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The handshake that clients of these stories send.
pub(crate) const UPGRADE: &str =
    "GET /chat HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/// A handshake for another protocol, which the configuration names.
pub(crate) const CHAT: &str =
    "GET /other HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n";

/// The answer that begins a tunnel.
pub(crate) const SWITCH: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/// A plain request.
pub(crate) const GET: &str = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";

/// A plain answer.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What a story's configuration says beyond the ordinary.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Says<'a> {
    /// How many worker threads, if more than one.
    pub(crate) threads: usize,
    /// In the main context.
    pub(crate) main: &'a str,
    /// In `http`.
    pub(crate) http: &'a str,
    /// In `upstream`, instead of one server at `a.sock`.
    pub(crate) upstream: &'a str,
    /// In `location /`, beside `proxy_pass` and the two `proxy_set_header` lines.
    pub(crate) location: &'a str,
}

/// A directory, and a proxy that runs on a configuration in it.
pub(crate) struct House {
    pub(crate) proxy: Proxy,
    dir: tempfile::TempDir,
    door: SocketAddr,
}

impl House {
    /// A proxy as in the guide, in front of `a.sock`.
    pub(crate) fn new() -> Self {
        Self::saying(Says::default())
    }

    pub(crate) fn saying(says: Says<'_>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let proxy = Proxy::start(&config(&dir, says)).unwrap();
        let Addr::Tcp(door) = proxy.listening()[0].clone() else { unreachable!() };
        Self { proxy, dir, door }
    }

    /// Where it listens.
    pub(crate) fn door(&self) -> SocketAddr {
        self.door
    }

    /// Drops the proxy, and waits until nobody listens.
    pub(crate) fn end(self) {
        let Self { proxy, dir, door } = self;
        drop(proxy);
        wait_until("nobody listens", || std::net::TcpStream::connect(door).is_err());
        drop(dir);
    }

    /// Waits until the proxy's threads have ended.
    pub(crate) fn wait_for_end(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(self.proxy.stopped());
    }

    /// Loads another configuration of the same shape.
    pub(crate) fn reload(&self, says: Says<'_>) {
        self.try_reload(says).unwrap();
    }

    pub(crate) fn try_reload(&self, says: Says<'_>) -> Result<(), proxy::Error> {
        self.proxy.reload(&config(&self.dir, says))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A worker that listens at this name.
    pub(crate) fn worker(&self, name: &str) -> Worker {
        Worker::bind(self.path(name))
    }

    /// A client that has connected.
    pub(crate) fn client(&self) -> Wire {
        self.try_client().unwrap()
    }

    pub(crate) fn try_client(&self) -> io::Result<Wire> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.connect_timeout(&self.door.into(), PATIENCE)?;
        Ok(Wire::new(socket))
    }

    /// A client and a worker with a tunnel between them.
    pub(crate) fn tunnel(&self, worker: &Worker) -> (Wire, Wire) {
        let mut client = self.client();
        client.send(UPGRADE);
        let mut server = worker.accept();
        server.head();
        server.send(SWITCH);
        assert!(client.head().starts_with("HTTP/1.1 101 "));
        (client, server)
    }

    /// Sends a request on a connection of its own, and reads until the connection ends.
    pub(crate) fn ask(&self, request: &str) -> String {
        let mut client = self.client();
        client.send(request);
        client.rest_text()
    }

    pub(crate) fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Waits until the error log says this.
    pub(crate) fn wait_for_error(&self, words: &str) {
        wait_or(
            || self.log("error.log").contains(words),
            || format!("never said {words:?}:\n{}", self.log("error.log")),
        );
    }

    /// The active connections of each server of the first upstream.
    pub(crate) fn active(&self) -> Vec<u32> {
        self.proxy.servers()[0].servers.iter().map(|server| server.active).collect()
    }

    /// Waits until nothing at all is open.
    pub(crate) fn wait_for_peace(&self) {
        let quiet = || {
            let counts = self.proxy.counts();
            counts.connections == 0
                && counts.tunnels == 0
                && self.active().iter().all(|active| *active == 0)
        };
        wait_or(quiet, || format!("{:?} {:?}", self.proxy.counts(), self.active()));
    }
}

fn config(dir: &tempfile::TempDir, says: Says<'_>) -> Config {
    let Says { threads, main, http, upstream, location } = says;
    let threads = threads.max(1);
    let upstream = if upstream.is_empty() { "server unix:{dir}/a.sock;" } else { upstream };
    // `tests/run` runs all stories once more with `use epoll;`.
    let events = std::env::var("TESTS_EVENTS").unwrap_or_default();
    let text = format!(
        "worker_processes {threads}; error_log {{dir}}/error.log info; {main}
         events {{ {events} }}
         http {{
             access_log {{dir}}/access.log;
             upstream workers {{ {upstream} }}
             server {{
                 listen 127.0.0.1:0;
                 location / {{
                     proxy_pass http://workers;
                     proxy_http_version 1.1;
                     proxy_set_header Connection $http_connection;
                     proxy_set_header Upgrade $http_upgrade;
                     {location}
                 }}
                 location = /other {{ proxy_pass http://workers; proxy_http_version 1.1;
                     proxy_set_header Connection upgrade; proxy_set_header Upgrade chat; }}
             }}
             {http}
         }}"
    );
    Config::from_text(text.replace("{dir}", dir.path().to_str().unwrap())).unwrap()
}

/// A listening worker that does nothing unless the story does it.
pub(crate) struct Worker(Socket);

impl Worker {
    pub(crate) fn bind(path: PathBuf) -> Self {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        let _stale = std::fs::remove_file(&path);
        socket.bind(&SockAddr::unix(path).unwrap()).unwrap();
        socket.listen(64).unwrap();
        // On Linux this bounds accept() too.
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// The next connection.
    pub(crate) fn accept(&self) -> Wire {
        Wire::new(self.0.accept().unwrap().0)
    }

    /// Whether nobody is waiting to be accepted.
    pub(crate) fn is_left_alone(&self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let accepted = self.0.accept();
        self.0.set_nonblocking(false).unwrap();
        accepted.is_err()
    }

    /// Takes a request on a new connection and answers it.
    pub(crate) fn answer(&self, answer: &str) -> (Wire, String) {
        let mut server = self.accept();
        let head = server.head();
        server.send(answer);
        (server, head)
    }
}

/// One end of a connection.
pub(crate) struct Wire {
    socket: Socket,
    early: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(socket: Socket) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { socket, early: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends what the other side still takes; whether it took all.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.socket.write_all(bytes.as_ref()).is_ok()
    }

    /// Reads up to and including the empty line.
    pub(crate) fn head(&mut self) -> String {
        self.until(b"\r\n\r\n")
    }

    /// Reads up to and including this.
    pub(crate) fn until(&mut self, end: &[u8]) -> String {
        loop {
            if let Some(at) = self.early.windows(end.len()).position(|part| part == end) {
                let rest = self.early.split_off(at + end.len());
                let read = std::mem::replace(&mut self.early, rest);
                return String::from_utf8(read).unwrap();
            }
            let so_far = String::from_utf8_lossy(&self.early).into_owned();
            let mut part = [0; 16 * 1024];
            match self.socket.read(&mut part) {
                Ok(n @ 1..) => self.early.extend_from_slice(&part[..n]),
                other => panic!("{other:?} before {:?}, after {so_far:?}", end.escape_ascii()),
            }
        }
    }

    /// Reads exactly so many bytes.
    pub(crate) fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut read = std::mem::take(&mut self.early);
        if read.len() > length {
            self.early = read.split_off(length);
        }
        let had = read.len();
        read.resize(length, 0);
        self.socket.read_exact(&mut read[had..]).unwrap();
        read
    }

    pub(crate) fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let read = self.exactly(bytes.len());
        assert!(read == bytes, "{} is not {}", read.escape_ascii(), bytes.escape_ascii());
    }

    /// Reads an answer with a Content-Length.
    pub(crate) fn answer(&mut self) -> (String, String) {
        let head = self.head();
        let length = header(&head, "content-length").unwrap().parse().unwrap();
        let body = self.exactly(length);
        (head, String::from_utf8(body).unwrap())
    }

    /// Reads to the end, however it comes.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut read = std::mem::take(&mut self.early);
        if let Err(error) = self.socket.read_to_end(&mut read) {
            let cut = error.kind() == io::ErrorKind::ConnectionReset;
            assert!(cut, "{error} after {}", read.escape_ascii());
        }
        read
    }

    pub(crate) fn rest_text(&mut self) -> String {
        String::from_utf8(self.rest()).unwrap()
    }

    /// Reads to the end, and says whether that is a reset.
    pub(crate) fn is_reset(&mut self) -> bool {
        let read = self.socket.read_to_end(&mut self.early);
        read.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
    }

    /// Waits for the end, before which nothing may come.
    pub(crate) fn expect_end(&mut self) {
        assert_eq!(self.rest().escape_ascii().to_string(), "");
    }

    /// Says that no more will come.
    pub(crate) fn finish(&self) {
        self.socket.shutdown(Shutdown::Write).unwrap();
    }

    /// Closes with a reset, as a crash or a full queue does.
    pub(crate) fn reset(self) {
        self.socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Whether nothing has come that is not read yet.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        let mut part = [0; 1024];
        let read = self.socket.read(&mut part);
        self.socket.set_nonblocking(false).unwrap();
        match read {
            Ok(n) => {
                self.early.extend_from_slice(&part[..n]);
                false
            }
            Err(_) => self.early.is_empty(),
        }
    }

    /// Sends until the other side takes no more; gives how many bytes it took.
    pub(crate) fn fill(&mut self, limit: usize) -> usize {
        self.socket.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        let chunk: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
        let mut sent = 0;
        while sent < limit {
            match self.socket.write(&chunk[sent % 256..]) {
                Ok(n) => sent += n,
                Err(_) => break,
            }
        }
        self.socket.set_write_timeout(Some(PATIENCE)).unwrap();
        sent
    }

    pub(crate) fn try_clone(&self) -> Self {
        Self { socket: self.socket.try_clone().unwrap(), early: self.early.clone() }
    }
}

/// The value of a field in a head.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Waits for a condition.
pub(crate) fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    wait_or(condition, || what.to_owned());
}

fn wait_or(mut condition: impl FnMut() -> bool, explain: impl FnOnce() -> String) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "{}", explain());
        #[expect(clippy::disallowed_methods, reason = "the one place that polls, with a deadline")]
        std::thread::sleep(Duration::from_millis(2));
    }
}
