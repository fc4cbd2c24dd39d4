//! A worker that answers and echoes, and clients that ask and tunnels that talk until told to
//! stop, each on a thread of its own.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::interval;

use super::{GET, OK, SWITCH, UPGRADE, header};

/// How often one client asks, or one tunnel talks, at most.
const PACE: Duration = Duration::from_millis(10);

/// A request that is the last on its connection.
const LAST: &str = "GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";

/// Runs a future, and what it spawns, on this thread.
fn run(main: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, main);
}

/// Reads a head; nothing at all is an error of its own.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read_exact(&mut byte).await {
            Ok(_) => head.extend_from_slice(&byte),
            Err(error) if head.is_empty() => return Err(error),
            Err(error) => return Err(io::Error::other(format!("{error} in a head"))),
        }
    }
    String::from_utf8(head).map_err(io::Error::other)
}

/// Starts a worker that answers every request with [`OK`] and echoes in tunnels, for as long as
/// the test runs.
pub(crate) fn worker(path: PathBuf) {
    let (bound, is_bound) = mpsc::channel();
    thread::spawn(move || {
        run(async move {
            let listener = UnixListener::bind(path).unwrap();
            bound.send(()).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                spawn_local(async move { answer(stream).await.ok() });
            }
        });
    });
    is_bound.recv().unwrap();
}

async fn answer(mut stream: UnixStream) -> io::Result<()> {
    while header(&head(&mut stream).await?, "upgrade").is_none() {
        stream.write_all(OK.as_bytes()).await?;
    }
    stream.write_all(SWITCH.as_bytes()).await?;
    let (mut from, mut to) = stream.split();
    tokio::io::copy(&mut from, &mut to).await.map(drop)
}

/// What clients and tunnels have done so far.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) requests: AtomicU64,
    pub(crate) echoes: AtomicU64,
    /// Kept connections that were closed before a request was answered: it was asked again.
    pub(crate) stale: AtomicU64,
    /// Connections that nobody took, once [`Load::expect_the_end`] said that this may be.
    pub(crate) refused: AtomicU64,
    failures: Mutex<Vec<String>>,
    ending: AtomicBool,
    stop: AtomicBool,
    ended: AtomicU64,
}

/// Clients and tunnels that are at work.
pub(crate) struct Load {
    pub(crate) done: Arc<Done>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// Every other client keeps its connection. Tunnels are open when this returns.
    pub(crate) fn start(door: SocketAddr, clients: usize, tunnels: usize) -> Self {
        let done = Arc::<Done>::default();
        let (ready, all_ready) = mpsc::channel();
        let theirs = done.clone();
        let thread = thread::spawn(move || {
            run(async move {
                let mut tasks = Vec::new();
                for _ in 0..tunnels {
                    let stream = open(door).await.unwrap();
                    tasks.push(spawn_local(talk(stream, theirs.clone())));
                }
                for number in 0..clients {
                    tasks.push(spawn_local(ask(door, number % 2 == 0, theirs.clone())));
                }
                ready.send(()).unwrap();
                for task in tasks {
                    task.await.unwrap();
                }
            });
        });
        all_ready.recv().unwrap();
        Self { done, thread: Some(thread) }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.done.requests.load(Relaxed)
    }

    pub(crate) fn echoes(&self) -> u64 {
        self.done.echoes.load(Relaxed)
    }

    /// How many clients and tunnels have ended.
    pub(crate) fn ended(&self) -> u64 {
        self.done.ended.load(Relaxed)
    }

    /// From now on clients may find nobody, and end then.
    pub(crate) fn expect_the_end(&self) {
        self.done.ending.store(true, Relaxed);
    }

    /// What must not have happened.
    pub(crate) fn expect_no_failure(&self) {
        let failures = self.done.failures.lock().unwrap();
        assert!(failures.is_empty(), "{} failures: {:?}", failures.len(), failures.first());
    }

    /// Lets everybody end what is under way, and waits for it.
    pub(crate) fn stop(&mut self) {
        self.done.stop.store(true, Relaxed);
        self.thread.take().unwrap().join().unwrap();
        self.expect_no_failure();
    }
}

impl Done {
    fn fail(&self, what: String) {
        self.failures.lock().unwrap().push(what);
    }

    fn is_over(&self) -> bool {
        self.stop.load(Relaxed)
    }
}

async fn open(door: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(door).await?;
    stream.write_all(UPGRADE.as_bytes()).await?;
    let head = head(&mut stream).await?;
    if head.starts_with("HTTP/1.1 101 ") { Ok(stream) } else { Err(io::Error::other(head)) }
}

async fn talk(mut stream: TcpStream, done: Arc<Done>) {
    let mut pace = interval(PACE);
    let mut number = 0_u64;
    while !done.is_over() {
        pace.tick().await;
        number += 1;
        let (said, mut heard) = (number.to_be_bytes(), [0; 8]);
        let echoed = async {
            stream.write_all(&said).await?;
            stream.read_exact(&mut heard).await
        };
        match echoed.await {
            Ok(_) if heard == said => done.echoes.fetch_add(1, Relaxed),
            Ok(_) => return done.fail(format!("{said:?} came back as {heard:?}")),
            Err(error) => return done.fail(format!("a tunnel after {number}: {error}")),
        };
    }
    done.ended.fetch_add(1, Relaxed);
}

async fn ask(door: SocketAddr, keep: bool, done: Arc<Done>) {
    let mut pace = interval(PACE);
    let mut kept = None;
    while !done.is_over() {
        pace.tick().await;
        let stream = match kept.take() {
            Some(stream) => Ok((stream, true)),
            None => TcpStream::connect(door).await.map(|stream| (stream, false)),
        };
        let (stream, used) = match stream {
            Ok(stream) => stream,
            Err(_) if done.ending.load(Relaxed) => {
                done.refused.fetch_add(1, Relaxed);
                break;
            }
            Err(error) => return done.fail(format!("connecting: {error}")),
        };
        match exchange(stream, if keep { GET } else { LAST }).await {
            Ok(stream) => {
                kept = stream;
                done.requests.fetch_add(1, Relaxed);
            }
            // RFC 9112, 9.3.1: a kept connection may be closed at any time, and the request sent
            // again when nothing was answered.
            // So may one that was waiting to be accepted when the listener was closed.
            Err(error)
                if (used || done.ending.load(Relaxed)) && error.kind() != io::ErrorKind::Other =>
            {
                done.stale.fetch_add(1, Relaxed);
            }
            Err(error) => {
                done.fail(format!("after {} requests: {error}", done.requests.load(Relaxed)))
            }
        }
    }
    done.ended.fetch_add(1, Relaxed);
}

/// One request and its answer; the connection comes back if it may be used again.
async fn exchange(mut stream: TcpStream, request: &str) -> io::Result<Option<TcpStream>> {
    stream.write_all(request.as_bytes()).await?;
    let head = head(&mut stream).await?;
    let mut body = [0; 2];
    stream.read_exact(&mut body).await.map_err(io::Error::other)?;
    if !head.starts_with("HTTP/1.1 200 ") || body != *b"ok" {
        return Err(io::Error::other(head));
    }
    let keeps = header(&head, "connection") == Some("keep-alive");
    if keeps {
        return Ok(Some(stream));
    }
    match stream.read(&mut body).await? {
        0 => Ok(None),
        _ => Err(io::Error::other("more than the answer")),
    }
}
