//! Whole operations of the program `proxy`, with one worker thread: the system's part is not in it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use tests::place::{Place, free_port};
use tests::process::{Running, try_wait_for};

use crate::callgrind::{Problem, command, counted};

/// Operations in the shorter of the two runs.
const TIMES: u32 = 300;
/// Operations before: what is set up once is set up then.
const BEFORE: u32 = 20;
/// How long the proxy may take to listen under callgrind, and to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a client does over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Get,
    Handshake,
    Echo,
}

/// Every operation, in the order of the figures.
pub(crate) const OPERATIONS: [Operation; 3] =
    [Operation::Get, Operation::Handshake, Operation::Echo];

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "keep-alive GET",
            Self::Handshake => "connect, upgrade, end",
            Self::Echo => "message and its echo, 32 B",
        }
    }
}

/// Instructions of one operation.
pub(crate) fn count(proxy: &Path, operation: Operation) -> Result<u64, Problem> {
    let once = run_counted(proxy, operation, TIMES)?;
    let twice = run_counted(proxy, operation, 2 * TIMES)?;
    Ok(twice.saturating_sub(once) / u64::from(TIMES))
}

fn run_counted(proxy: &Path, operation: Operation, times: u32) -> Result<u64, Problem> {
    let place = Place::new();
    let worker = UnixListener::bind(place.join("worker.sock"));
    serve(worker.map_err(Problem::io("cannot listen"))?);
    let port = free_port();
    let config = place.write("nginx.conf", &configuration(place.path(), port));
    let out = place.join("callgrind.out");
    let mut counting = command(proxy, &out);
    counting.arg("-c").arg(config).arg("-p").arg(place.path());
    let mut running = Running::start("valgrind", counting);
    if try_wait_for(PATIENCE, || TcpStream::connect(("127.0.0.1", port)).ok()).is_none() {
        return Err(Problem::NoCount(running.stderr()));
    }
    let done = drive(port, operation, BEFORE + times);
    running.signal(Signal::TERM);
    running.wait_exit(PATIENCE);
    done?;
    counted(&out, &running.stderr())
}

fn configuration(place: &Path, port: u16) -> String {
    let place = place.display();
    format!(
        "daemon off;
worker_processes 1;
error_log stderr error;
events {{ }}
http {{
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_http_version 1.1;
            proxy_pass http://websocket;
            proxy_set_header Host $host;
            proxy_set_header Connection $http_connection;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
    upstream websocket {{
        least_conn;
        server unix:{place}/worker.sock;
        keepalive 8;
    }}
}}
"
    )
}

fn drive(port: u16, operation: Operation, times: u32) -> Result<(), Problem> {
    let connect = || TcpStream::connect(("127.0.0.1", port)).map_err(Problem::io("cannot connect"));
    match operation {
        Operation::Get => {
            let mut stream = connect()?;
            for time in 0..times {
                // nginx's default of keepalive_requests is 1000.
                if time > 0 && time % 500 == 0 {
                    stream = connect()?;
                }
                exchange(&mut stream, &head(""), GET_ANSWER)?;
            }
        }
        Operation::Handshake => {
            for _ in 0..times {
                let mut stream = connect()?;
                exchange(&mut stream, &head(UPGRADE), b"\r\n\r\n")?;
                // Until the proxy has seen the end as well.
                let ended = stream.shutdown(std::net::Shutdown::Write);
                ended.and_then(|()| stream.read(&mut [0])).map_err(Problem::io("cannot end"))?;
            }
        }
        Operation::Echo => {
            let mut stream = connect()?;
            exchange(&mut stream, &head(UPGRADE), b"\r\n\r\n")?;
            for _ in 0..times {
                exchange(&mut stream, MESSAGE, MESSAGE)?;
            }
        }
    }
    Ok(())
}

/// What a browser would send, more or less.
fn head(more: &str) -> Vec<u8> {
    format!(
        "GET /chat/room?token=0123456789abcdef HTTP/1.1\r\nHost: www.example.com\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
         Accept: */*\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n\
         Origin: https://www.example.com\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n\
         {more}\r\n"
    )
    .into_bytes()
}

const UPGRADE: &str = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
    Content-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!";
const GET_ANSWER: &[u8] = b"\r\n\r\nHello, world!";
/// A binary frame of 32 bytes, masked with the key zero; the worker sends it back as it is, which
/// no client would take, but the proxy does not look.
const MESSAGE: &[u8] = b"\x82\xa0\0\0\0\0................................";

/// Sends, and reads until what comes ends so.
fn exchange(stream: &mut TcpStream, bytes: &[u8], end: &[u8]) -> Result<(), Problem> {
    let failed = |error| Problem::io("an exchange failed")(error);
    stream.write_all(bytes).map_err(failed)?;
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    while !answer.ends_with(end) {
        let count = stream.read(&mut part).map_err(failed)?;
        answer.extend_from_slice(part.get(..count).unwrap_or_default());
        if count == 0 || !(answer.starts_with(b"HTTP/1.1 ") || answer.starts_with(b"\x82")) {
            return Err(Problem::Answer(answer.escape_ascii().to_string()));
        }
    }
    Ok(())
}

/// A worker: upgrades and echoes, or answers. It ends with the program.
fn serve(listener: UnixListener) {
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                // A connection that ends is no news.
                let _ended = connection(stream);
            });
        }
    });
}

fn connection(mut stream: UnixStream) -> std::io::Result<()> {
    let mut part = [0; 8192];
    let mut upgraded = false;
    loop {
        let count = stream.read(&mut part)?;
        let bytes = part.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        if upgraded {
            stream.write_all(bytes)?;
            continue;
        }
        // A head comes in one piece here: the proxy writes it in one.
        upgraded = bytes.windows(13).any(|window| window.eq_ignore_ascii_case(b"sec-websocket"));
        stream.write_all(if upgraded { SWITCHING } else { ANSWER })?;
    }
}
