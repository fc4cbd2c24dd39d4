//! Fronts with lanes: each lane is a server of one front with a worker of its own, so that cases can be
//! played side by side and what a worker got belongs to one of them.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tests::front::Front;
use tests::place::{KeptPort, Place};
use tests::process::{PATIENCE, Running};

use crate::recorder::Recorder;

/// How many cases of a front are played at once.
const LANES: usize = 6;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    /// The proxy as it comes.
    Proxy,
    /// The proxy without the kernel's ring.
    Epoll,
}

/// A front that runs.
#[derive(Debug)]
pub(crate) struct Lanes {
    lanes: Vec<Lane>,
    _running: Running,
    place: Place,
}

/// One of its servers, and the worker behind it.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) number: usize,
    pub(crate) worker: Recorder,
    port: u16,
}

impl Lanes {
    /// Starts a front with this for each lane; `{listen}` is where its server listens, `{worker}` where
    /// its worker is, `{lane}` its number.
    pub(crate) fn start(kind: Kind, http: &str, server: &str) -> Self {
        let place = Place::new();
        let (front, events) = match kind {
            Kind::Nginx => (Front::Nginx, ""),
            Kind::Proxy => (Front::Proxy, ""),
            Kind::Epoll => (Front::Proxy, "use epoll;"),
        };
        let mut text = format!("worker_processes 1;\nevents {{ {events} }}\nhttp {{\n{http}\n");
        let (mut lanes, mut kept) = (Vec::new(), Vec::new());
        for number in 0..LANES {
            let path = place.join(&format!("w{number}.sock"));
            let worker = Recorder::listen(&path);
            let port = KeptPort::new();
            text += &server
                .replace("{listen}", &format!("127.0.0.1:{}", port.number))
                .replace("{worker}", &format!("unix:{}", path.display()))
                .replace("{lane}", &number.to_string());
            lanes.push(Lane { number, worker, port: port.number });
            kept.push(port);
        }
        text += "server { listen 127.0.0.1:{port}; return 204; }\n}\n";
        let (running, _) = front.serve(&place, &text);
        Self { lanes, _running: running, place }
    }

    /// Plays each of these in a lane, and gives what came of it, in their order.
    pub(crate) fn play<C: Sync, O: Send>(
        &self,
        cases: &[C],
        play: impl Fn(&Lane, &C) -> O + Sync,
    ) -> Vec<O> {
        let next = AtomicUsize::new(0);
        let outcomes = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for lane in &self.lanes {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(case) = cases.get(number) else { return };
                        let outcome = play(lane, case);
                        outcomes.lock().expect("no thread panicked").push((number, outcome));
                    }
                });
            }
        });
        let mut outcomes = outcomes.into_inner().expect("no thread panicked");
        outcomes.sort_by_key(|(number, _)| *number);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    /// A file that it has written, each byte as the character of its number.
    pub(crate) fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.place.join(name)).unwrap_or_default();
        bytes.into_iter().map(char::from).collect()
    }
}

impl Lane {
    /// Connects as a client.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("the front");
        stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        stream.set_nodelay(true).expect("no delay");
        stream
    }

    /// Sends these bytes, in one piece or in as many as there are bytes (of a long message in fifty),
    /// and reads until the front ends the connection. None when it does not.
    pub(crate) fn say(&self, bytes: &[u8], pieces: bool) -> Option<Vec<u8>> {
        let mut stream = self.connect();
        let length = match bytes.len() {
            whole if !pieces => whole,
            ..500 => 1,
            long => long / 50,
        };
        for piece in bytes.chunks(length.max(1)) {
            // A front that has refused may not take all of them.
            if stream.write_all(piece).is_err() {
                break;
            }
        }
        to_end(&mut stream)
    }
}

/// Reads until the other side ends the connection, or breaks it. None when it does not.
pub(crate) fn to_end(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut all, mut piece) = (Vec::new(), [0; 16 * 1024]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return Some(all),
            Ok(length) => all.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Some(all),
            Err(_) => return None,
        }
    }
}
