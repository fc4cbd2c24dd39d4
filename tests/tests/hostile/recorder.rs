//! A worker that keeps every byte it is sent, and answers as it is told.

use std::collections::VecDeque;
use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use socket2::{Domain, SockAddr, Socket, Type};
use tests::process::{PATIENCE, wait_until};

use crate::seen::{self, Request};

/// What a request is answered with when nothing else is said.
pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// What the worker does when a request is whole.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// What it sends.
    pub(crate) bytes: Vec<u8>,
    /// What it does then.
    pub(crate) then: Then,
    /// Whether it sends it byte by byte.
    pub(crate) pieces: bool,
}

impl Reply {
    /// These bytes, and what the worker does then.
    pub(crate) fn new(bytes: impl AsRef<[u8]>, then: Then) -> Self {
        Self { bytes: bytes.as_ref().to_vec(), then, pieces: false }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Waits for the next request.
    Listen,
    /// Closes the connection.
    Close,
    /// Takes what comes for no request any more.
    Tunnel,
    /// Has not waited for the request's body, and waits for the rest of it.
    Early,
}

/// The worker. It listens until it is dropped.
#[derive(Debug)]
pub(crate) struct Recorder {
    path: PathBuf,
    state: Arc<Mutex<State>>,
}

/// What came over one connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visit {
    pub(crate) bytes: Vec<u8>,
    /// How many of them had come when the worker became a tunnel, and where that begins.
    pub(crate) tunnel: Option<(usize, usize)>,
}

#[derive(Debug, Default)]
struct State {
    visits: Vec<Visit>,
    streams: Vec<UnixStream>,
    open: usize,
    /// Connections of its own, which tell that all before them were accepted.
    knocks: usize,
    replies: VecDeque<Reply>,
    stopping: bool,
}

impl Recorder {
    pub(crate) fn listen(path: &Path) -> Self {
        let listener =
            UnixListener::bind(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            while let Ok((stream, from)) = listener.accept() {
                let mut locked = lock(&shared);
                if locked.stopping {
                    return;
                }
                if from.as_pathname().is_some() {
                    locked.knocks += 1;
                    continue;
                }
                let number = locked.visits.len();
                locked.visits.push(Visit::default());
                locked.streams.push(stream.try_clone().expect("a second handle"));
                locked.open += 1;
                drop(locked);
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    serve(stream, number, &shared);
                    lock(&shared).open -= 1;
                });
            }
        });
        Self { path: path.into(), state }
    }

    /// Forgets what came, and answers the next requests with these.
    pub(crate) fn reset(&self, replies: impl IntoIterator<Item = Reply>) {
        self.settle();
        let mut state = lock(&self.state);
        *state = State { replies: replies.into_iter().collect(), ..State::default() };
    }

    /// Sends more over the newest connection, asked or not.
    pub(crate) fn send(&self, bytes: &[u8]) {
        let mut stream = {
            let state = lock(&self.state);
            state.streams.last().expect("a connection").try_clone().expect("a second handle")
        };
        let _gone = stream.write_all(bytes);
    }

    /// Waits until the last of what came is this.
    pub(crate) fn wait_for(&self, end: &[u8]) {
        let has_come = || lock(&self.state).visits.last().is_some_and(|v| v.bytes.ends_with(end));
        wait_until("the end of what was sent", PATIENCE, has_come);
    }

    /// Closes all connections from this end, and waits for them to be over.
    pub(crate) fn close(&self) {
        for stream in &lock(&self.state).streams {
            let _gone = stream.shutdown(Shutdown::Both);
        }
        self.settle();
    }

    /// Waits until no connection is open any more, those included that wait to be accepted.
    pub(crate) fn settle(&self) {
        let name = self.path.with_extension("knock");
        let knocks = lock(&self.state).knocks;
        let knock = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
        knock.bind(&SockAddr::unix(&name).expect("a short path")).expect("a free name");
        knock.connect(&SockAddr::unix(&self.path).expect("a short path")).expect("the worker");
        wait_until("the worker's door", PATIENCE, || lock(&self.state).knocks > knocks);
        fs::remove_file(&name).expect("one's own file");
        wait_until("the end of the worker's connections", PATIENCE, || lock(&self.state).open == 0);
    }

    /// All that came, by connection.
    pub(crate) fn visits(&self) -> Vec<Visit> {
        lock(&self.state).visits.clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        lock(&self.state).stopping = true;
        let _wakes = UnixStream::connect(&self.path);
    }
}

impl Visit {
    /// The requests that came over it, but for one that is not whole.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let end = self.tunnel.map_or(self.bytes.len(), |(_, begin)| begin);
        seen::requests(&self.bytes[..end]).0
    }
}

/// Serves one connection to its end.
fn serve(mut stream: UnixStream, number: usize, state: &Mutex<State>) {
    let mut buffer = [0; 64 * 1024];
    let (mut read, mut answered) = (0, false);
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        let mut replies = Vec::new();
        let mut locked = lock(state);
        locked.visits[number].bytes.extend_from_slice(&buffer[..length]);
        let begun = locked.visits[number].bytes[read..].windows(4).any(|end| end == b"\r\n\r\n");
        if begun && let Some(reply) = locked.replies.pop_front_if(|r| r.then == Then::Early) {
            answered = true;
            replies.push(reply);
        }
        while locked.visits[number].tunnel.is_none()
            && let Some(request) = seen::request(&locked.visits[number].bytes[read..])
        {
            read += request.length;
            if std::mem::take(&mut answered) {
                continue;
            }
            let usual = || Reply::new(OK, Then::Listen);
            let reply = locked.replies.pop_front().unwrap_or_else(usual);
            if reply.then == Then::Tunnel {
                let come = locked.visits[number].bytes.len();
                locked.visits[number].tunnel = Some((come, read));
            }
            replies.push(reply);
        }
        drop(locked);
        for reply in replies {
            let length = if reply.pieces { 1 } else { reply.bytes.len() };
            for piece in reply.bytes.chunks(length.max(1)) {
                if stream.write_all(piece).is_err() {
                    break;
                }
            }
            if reply.then == Then::Close {
                let _gone = stream.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
