//! WebSocket workers that can be killed and started again, and clients that come back whenever
//! their tunnel has ended. They live on the thread of the test, which is asynchronous for that.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::{JoinSet, LocalSet, spawn_local};
use tokio::time::{interval, sleep, timeout};

use super::PATIENCE;

const ASK: &str = "GET /chat HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\n\
                   Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                      Upgrade: websocket\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// A message of a client, masked with zeros, and what a worker says to it.
const SAID: &[u8] = b"\x81\x82\0\0\0\0hi";
const HEARD: &[u8] = b"\x81\x02hi";

/// How long a client stays away, at most.
const AWAY: u64 = 50;

/// How a tunnel ended that its client has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With a Close frame that has this code; 1005 is none.
    Closed(u16),
    /// Without a word.
    Cut,
}

/// What clients have seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// How many tunnels there have been.
    pub(crate) opened: usize,
    /// How tunnels have ended, and whether their client talked all the time.
    pub(crate) ended: Vec<(Ended, bool)>,
    /// Handshakes that failed.
    pub(crate) failures: Vec<String>,
}

/// Clients, and what they have seen so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clients(Rc<RefCell<Seen>>);

/// A worker that runs until it is dropped, which leaves its socket behind as a kill does.
pub(crate) struct Killable(#[expect(dead_code, reason = "to be dropped")] JoinSet<()>);

/// Runs a story in which all this lives.
pub(crate) fn story(story: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, story);
}

/// Waits for a condition while the others go on.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + 2 * PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        sleep(Duration::from_millis(2)).await;
    }
}

impl Killable {
    pub(crate) fn start(path: PathBuf) -> Self {
        let _stale = std::fs::remove_file(&path);
        let listener = UnixListener::bind(path).unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn_local(async move {
            let mut tunnels = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                tunnels.spawn_local(async move { serve(stream).await.unwrap_or_default() });
            }
        });
        Self(tasks)
    }
}

async fn serve(mut stream: UnixStream) -> io::Result<()> {
    head(&mut stream).await?;
    stream.write_all(SWITCH.as_bytes()).await?;
    loop {
        let (opcode, _) = frame(&mut stream).await?;
        if opcode == 8 {
            return stream.write_all(b"\x88\0").await;
        }
        stream.write_all(HEARD).await?;
    }
}

impl Clients {
    pub(crate) fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.0.borrow())
    }

    /// How many tunnels have ended.
    pub(crate) fn ended(&self) -> usize {
        self.seen(|seen| seen.ended.len())
    }

    /// How many tunnels there are.
    pub(crate) fn open(&self) -> usize {
        self.seen(|seen| seen.opened - seen.ended.len())
    }

    /// So many more clients; those that talk do so all the time.
    pub(crate) fn come(&self, door: SocketAddr, clients: usize, talk: bool) {
        for number in 0..clients {
            let seen = self.0.clone();
            let away = Duration::from_millis(u64::try_from(number).unwrap() * 7 % AWAY);
            spawn_local(async move {
                loop {
                    match client(door, talk, || seen.borrow_mut().opened += 1).await {
                        Ok(ended) => seen.borrow_mut().ended.push((ended, talk)),
                        Err(error) => return seen.borrow_mut().failures.push(error.to_string()),
                    }
                    sleep(away).await;
                }
            });
        }
    }
}

/// Opens a tunnel and stays until it ends.
async fn client(door: SocketAddr, talk: bool, opened: impl FnOnce()) -> io::Result<Ended> {
    let mut stream = TcpStream::connect(door).await?;
    stream.write_all(ASK.as_bytes()).await?;
    let head = head(&mut stream).await?;
    if !head.starts_with("HTTP/1.1 101 ") {
        return Err(io::Error::other(head));
    }
    opened();
    let (mut from, mut to) = stream.split();
    let talks = async {
        let mut pace = interval(Duration::from_millis(20));
        loop {
            pace.tick().await;
            if !talk || to.write_all(SAID).await.is_err() {
                return std::future::pending::<()>().await;
            }
        }
    };
    let listens = async {
        loop {
            match frame(&mut from).await {
                Err(_) => return Ended::Cut,
                Ok((8, payload)) => {
                    let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                    return Ended::Closed(code);
                }
                Ok(_) => {}
            }
        }
    };
    let ended = tokio::select! {
        ended = listens => ended,
        () = talks => Ended::Cut,
    };
    if matches!(ended, Ended::Closed(_)) {
        // RFC 6455, 5.5.1: it answers, and the other side ends the connection.
        let _ = stream.write_all(b"\x88\x80\0\0\0\0").await;
        let _ = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
    }
    Ok(ended)
}

/// Reads a short frame: its opcode, and its payload as it came.
async fn frame(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(u8, Vec<u8>)> {
    let mut start = [0; 2];
    stream.read_exact(&mut start).await?;
    let mut rest = vec![0; usize::from(start[1] & 0x7f)];
    if start[1] & 0x80 != 0 {
        stream.read_exact(&mut [0; 4]).await?;
    }
    stream.read_exact(&mut rest).await?;
    Ok((start[0] & 0xf, rest))
}

/// Reads a head.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).await?;
        head.extend_from_slice(&byte);
    }
    String::from_utf8(head).map_err(io::Error::other)
}
