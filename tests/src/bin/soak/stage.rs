//! The proxy under test, its configuration and its log.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde_json::Value;
use tests::front::Front;
use tests::place::{KeptPort, Place};
use tests::process::Running;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::head::Answer;

/// How long the proxy may take for a reload, an upgrade, or its end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// How long a handshake that finds no worker is held.
pub(crate) const HELD: Duration = Duration::from_secs(10);

/// The name of its configuration.
const FILE: &str = "proxy.conf";

/// Waits until `probe` says yes.
///
/// # Panics
/// When it does not in time: then there is nothing to go on with.
pub(crate) async fn until(what: &str, limit: Duration, probe: impl FnMut() -> bool) {
    assert!(in_time(limit, probe).await, "{what}: not within {limit:?}");
}

/// Whether `probe` says yes before the time is over.
pub(crate) async fn in_time(limit: Duration, mut probe: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if probe() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// What may differ between two configurations.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variant {
    /// How servers are chosen.
    pub(crate) method: &'static str,
    /// Who gets no new connections.
    pub(crate) drained: Option<usize>,
    /// Whether such a server is still listed.
    pub(crate) listed: bool,
    /// Whether there is a second listener.
    pub(crate) second: bool,
}

/// The proxy, and where it is.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) place: Place,
    pub(crate) port: u16,
    second: KeptPort,
    events: &'static str,
    proxy: RefCell<Running>,
    pid: Pid,
    variant: RefCell<Variant>,
    /// How much of the log was read at the last look, and what stood there.
    seen: Cell<usize>,
    /// Held by whoever changes the configuration or the binary.
    pub(crate) turn: Mutex<()>,
    /// Held by whoever changes the limit on descriptors; taken before the turn.
    pub(crate) limit: Mutex<()>,
}

impl Stage {
    /// Starts the proxy in front of the workers in this place.
    ///
    /// # Panics
    /// When it does not start.
    pub(crate) fn start(place: Place, events: &'static str) -> Self {
        let variant = Variant { method: "least_conn;", ..Variant::default() };
        for _ in 0..5 {
            let (port, second) = (KeptPort::new(), KeptPort::new());
            place.write(FILE, &text(&place, port.number, second.number, events, &variant));
            match Front::Proxy.start(&place, FILE, port.number) {
                Ok(proxy) => {
                    let pid = proxy.pid();
                    let (proxy, variant) = (RefCell::new(proxy), RefCell::new(variant));
                    let (seen, port) = (Cell::default(), port.number);
                    let (turn, limit) = (Mutex::default(), Mutex::default());
                    return Self {
                        place,
                        port,
                        second,
                        events,
                        proxy,
                        pid,
                        variant,
                        seen,
                        turn,
                        limit,
                    };
                }
                Err(said) => assert!(said.contains("in use"), "the proxy does not start: {said}"),
            }
        }
        panic!("no free port");
    }

    /// Makes a directory that the proxy can work in, whoever it becomes.
    pub(crate) fn place() -> Place {
        let place = Place::new();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
        place
    }

    /// Its number.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.proxy.borrow().signal(signal);
    }

    /// How it has ended, if it has.
    pub(crate) fn exited(&self) -> Option<std::process::ExitStatus> {
        self.proxy.borrow_mut().exited()
    }

    /// All that it has said.
    pub(crate) fn log(&self) -> String {
        let said = self.proxy.borrow().stderr();
        format!("{}{said}", self.place.read("error.log"))
    }

    /// The configuration now.
    pub(crate) fn variant(&self) -> Variant {
        self.variant.borrow().clone()
    }

    /// Loads a configuration; by whoever holds the turn. Whether it was taken.
    pub(crate) async fn reload(&self, variant: &Variant) -> Result<(), String> {
        self.write(variant);
        *self.variant.borrow_mut() = variant.clone();
        self.expect(Signal::HUP, "reconfigured", "[emerg]").await
    }

    /// Tries to load a text that is none, and puts back what was there.
    pub(crate) async fn reload_badly(&self, text: &str) -> Result<(), String> {
        self.place.write(FILE, text);
        let refused = self.expect(Signal::HUP, "[emerg]", "reconfigured").await;
        self.write(&self.variant());
        refused
    }

    /// Changes the binary; by whoever holds the turn.
    pub(crate) async fn upgrade(&self) -> Result<(), String> {
        self.expect(Signal::USR2, "binary changed: ", "[emerg]").await
    }

    /// Sends a signal and waits for the line that says that it was done, or that it was not.
    async fn expect(&self, signal: Signal, good: &str, bad: &str) -> Result<(), String> {
        self.seen.set(self.log().len());
        self.signal(signal);
        let mut line = None;
        let told = in_time(PATIENCE, || {
            let log = self.log();
            let new = log.get(self.seen.get()..).unwrap_or_default();
            let told = |line: &&str| line.contains(good) || line.contains(bad);
            // A line that is half written has still to come.
            let whole = new.rfind('\n').map_or("", |end| &new[..end]);
            line = whole.lines().find(told).map(str::to_owned);
            line.is_some()
        });
        match (told.await, line) {
            (true, Some(line)) if line.contains(good) => Ok(()),
            (_, Some(line)) => Err(line),
            _ => Err(format!("nothing about signal {signal:?} in {PATIENCE:?}")),
        }
    }

    fn write(&self, variant: &Variant) {
        let text = text(&self.place, self.port, self.second.number, self.events, variant);
        self.place.write(FILE, &text);
    }

    /// What the proxy says of itself.
    pub(crate) async fn status(&self) -> io::Result<Value> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        let request = "GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let answer = Answer::to(request, &mut stream).await?;
        let answer = answer.ok_or_else(|| io::Error::other("no status"))?;
        let body = answer.body(&mut stream).await?;
        serde_json::from_slice(&body).map_err(io::Error::other)
    }
}

/// A configuration.
fn text(place: &Place, port: u16, second: u16, events: &str, variant: &Variant) -> String {
    let dir = place.path().display();
    let user = if rustix::process::geteuid().is_root() { "user nobody;\n" } else { "" };
    let more = if variant.second { format!("listen 127.0.0.1:{second};") } else { String::new() };
    let servers: String = (0..crate::fleet::WORKERS)
        .map(|number| {
            let mark = match variant.drained == Some(number) {
                true if variant.listed => " drain",
                true => return String::new(),
                false => "",
            };
            format!("server unix:{dir}/worker-{number}.sock fail_timeout=1s{mark};\n")
        })
        .collect();
    format!(
        "daemon off;\nworker_processes 2;\n{user}pid {dir}/proxy.pid;\n\
         error_log {dir}/error.log notice;\n\
         events {{ worker_connections 8192; {events} }}\n\
         http {{\n\
             proxy_next_upstream_timeout {}s;\n\
             keepalive_timeout 1h;\nkeepalive_requests 1000000;\n\
             server {{\n\
                 listen 127.0.0.1:{port} backlog=4096;\n{more}\n\
                 location / {{\n\
                     proxy_pass http://workers;\nproxy_http_version 1.1;\n\
                     proxy_set_header Connection $http_connection;\n\
                     proxy_set_header Upgrade $http_upgrade;\n\
                     proxy_read_timeout 1h;\n\
                     add_header X-Worker $upstream_addr always;\n\
                     add_header X-Asked $arg_n always;\n\
                 }}\n\
                 location = /status {{ status json; }}\n\
             }}\n\
             upstream workers {{\n{}\n{servers}drain_timeout 1s;\norphan_release 1s;\n}}\n\
         }}\n",
        HELD.as_secs(),
        variant.method
    )
}
