//! A worker process in a directory of its own, and clients for it.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, Lines,
};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio_tungstenite::WebSocketStream;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_echo");

/// A running worker. It is killed when dropped.
pub(crate) struct Worker {
    pub(crate) dir: TempDir,
    child: Child,
    stderr: Lines<BufReader<ChildStderr>>,
    /// What it said about the place where it listens.
    pub(crate) place: String,
}

/// Ends a test that would hang. No test waits that long for something that is to happen.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("it takes too long")
}

/// `echo` in this directory, with an environment that names no Supervisor.
pub(crate) fn command(dir: &TempDir) -> Command {
    let mut command = Command::new(BINARY);
    prepare(&mut command, dir);
    command
}

pub(crate) fn prepare(command: &mut Command, dir: &TempDir) {
    command.current_dir(dir.path()).env_remove("SUPERVISOR_PROCESS_NAME").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
}

/// Runs a worker that is expected to end by itself: its exit code, and stderr.
pub(crate) async fn run(command: &mut Command) -> (Option<i32>, String) {
    let output = soon(command.output()).await.unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

impl Worker {
    /// A worker as Supervisor runs it, under the name `worker`.
    pub(crate) async fn start(args: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let mut command = command(&dir);
        command.args(args).env("SUPERVISOR_PROCESS_NAME", "worker");
        Self::spawn(command, dir).await
    }

    pub(crate) async fn spawn(mut command: Command, dir: TempDir) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = soon(stderr.next_line()).await.unwrap().expect("it ended at once");
        let place = line.strip_prefix("echo: listening on ").expect(&line).to_owned();
        Self { dir, child, stderr, place }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("worker.sock")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// The next line that it says.
    pub(crate) async fn line(&mut self) -> String {
        soon(self.stderr.next_line()).await.unwrap().unwrap()
    }

    pub(crate) async fn connect(&self) -> UnixStream {
        soon(UnixStream::connect(self.socket())).await.unwrap()
    }

    /// A client that knows the protocol.
    pub(crate) async fn client(&self) -> WebSocketStream<UnixStream> {
        let url = "ws://localhost/";
        soon(tokio_tungstenite::client_async(url, self.connect().await)).await.unwrap().0
    }

    /// A client that can break the protocol.
    pub(crate) async fn raw(&self) -> UnixStream {
        let mut stream = self.connect().await;
        upgrade(&mut stream).await;
        stream
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        soon(self.child.wait()).await.unwrap()
    }
}

/// The fields of a good handshake.
pub(crate) const UPGRADE: &str = "Host: localhost\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n";

pub(crate) async fn upgrade(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let request = format!("GET / HTTP/1.1\r\n{UPGRADE}\r\n");
    soon(stream.write_all(request.as_bytes())).await.unwrap();
    let head = read_head(stream).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
}

/// A response's head, and not a byte more.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon(stream.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Everything up to the end of the stream.
pub(crate) async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    soon(stream.read_to_end(&mut bytes)).await.unwrap();
    bytes
}

pub(crate) const FIN: u8 = 0x80;
pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY_FRAME: u8 = 2;
pub(crate) const CLOSE: u8 = FIN | 8;
pub(crate) const PING: u8 = FIN | 9;
pub(crate) const PONG: u8 = FIN | 10;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The header of a client's frame, its mask included.
pub(crate) fn header(first: u8, len: u64) -> Vec<u8> {
    let mut header = vec![first];
    match len {
        0..126 => header.push(0x80 | len as u8),
        126..65536 => {
            header.push(0x80 | 126);
            header.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            header.push(0x80 | 127);
            header.extend_from_slice(&len.to_be_bytes());
        }
    }
    header.extend_from_slice(&MASK);
    header
}

/// A client's frame.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len() as u64);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

pub(crate) fn close_frame(code: u16, reason: &str) -> Vec<u8> {
    frame(CLOSE, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}

/// A frame of the worker's: its first byte and its payload.
pub(crate) async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> (u8, Vec<u8>) {
    soon(async {
        let first = stream.read_u8().await.unwrap();
        let len = match stream.read_u8().await.unwrap() {
            126 => stream.read_u16().await.unwrap().into(),
            127 => stream.read_u64().await.unwrap(),
            len => len.into(),
        };
        let mut payload = vec![0; len as usize];
        stream.read_exact(&mut payload).await.unwrap();
        (first, payload)
    })
    .await
}

/// The Close that comes next, and that the stream ends after it.
pub(crate) async fn read_close(stream: &mut (impl AsyncRead + Unpin)) -> (u16, String) {
    let (first, payload) = read_frame(stream).await;
    assert_eq!(first, CLOSE, "{payload:?}");
    assert_eq!(read_to_end(stream).await, b"", "nothing follows a Close");
    let (code, reason) = payload.split_first_chunk().expect("a code");
    (u16::from_be_bytes(*code), String::from_utf8(reason.to_vec()).unwrap())
}
