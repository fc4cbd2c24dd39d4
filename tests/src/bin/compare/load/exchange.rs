//! What one connection does, and how it knows that the answer is right.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::crew::Context;
use super::stream::{Stream, Target};
use crate::frame::{KEY, Message};
use crate::problem::Fault;
use crate::rows::Work;
use crate::worker::body;

/// The most that one read takes.
const READ: usize = 64 << 10;
/// A Close without a code, masked with the key zero, and the worker's answer to it.
const CLOSE: [u8; 6] = [0x88, 0x80, 0, 0, 0, 0];
const CLOSE_ECHO: [u8; 2] = [0x88, 0];

/// Does the load's work from the first exchange to the last.
pub(super) async fn run_connection(context: &mut Context, number: u32) -> Result<(), Fault> {
    match context.work() {
        Work::Echo(size) => echo(context, number, size).await,
        Work::Get(path) => get(context, number, path).await,
        Work::Handshake => handshake(context, number).await,
        Work::Hold => hold(context, number).await,
    }
}

async fn echo(context: &mut Context, number: u32, size: usize) -> Result<(), Fault> {
    let mut tunnel = Tunnel::open(context, number).await?;
    let mut message = Message::new(number, size);
    while context.goes_on().await {
        tunnel.exchange(&mut message).await?;
        context.count();
    }
    tunnel.close().await
}

async fn hold(context: &mut Context, number: u32) -> Result<(), Fault> {
    let mut tunnel = Tunnel::open(context, number).await?;
    tunnel.exchange(&mut Message::new(number, 32)).await?;
    context.rests();
    tokio::select! {
        () = context.ended() => {}
        broken = tunnel.broken() => return Err(broken),
    }
    tunnel.close().await
}

async fn handshake(context: &mut Context, number: u32) -> Result<(), Fault> {
    let mut message = Message::new(number, 32);
    let mut sources = (number..).step_by(7);
    while context.goes_on().await {
        let mut tunnel = Tunnel::open(context, sources.next().unwrap_or(number)).await?;
        tunnel.exchange(&mut message).await?;
        tunnel.close().await?;
        context.count();
    }
    Ok(())
}

async fn get(context: &mut Context, number: u32, path: &str) -> Result<(), Fault> {
    let request = request(context.target(), path);
    let tail = [b"\r\n\r\n", body(path.as_bytes()).as_slice()].concat();
    let mut stream = context.connect(number).await?;
    let mut answer = Vec::with_capacity(tail.len() + 1024);
    while context.goes_on().await {
        stream.write_all(request.as_bytes()).await?;
        answer.clear();
        read_answer(&mut stream, &mut answer, "HTTP/1.1 200 ", &tail).await?;
        context.count();
        // nginx ends a connection after its keepalive_requests, and says so before.
        if says_close(&answer) {
            stream = context.connect(number).await?;
        }
    }
    Ok(())
}

fn request(target: &Target, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", target.host())
}

/// The head of the answer to one GET on a connection of its own; an error when there is none.
pub(crate) async fn ask(target: &Target, path: &str) -> Result<String, Fault> {
    let mut stream = target.connect(0).await?;
    stream.write_all(request(target, path).as_bytes()).await?;
    let mut answer = Vec::new();
    loop {
        if let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
            answer.truncate(end + 2);
            return Ok(String::from_utf8_lossy(&answer).into_owned());
        }
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(Fault::Closed);
        }
    }
}

fn says_close(answer: &[u8]) -> bool {
    const CLOSE: &[u8] = b"\r\nConnection: close\r\n";
    answer.windows(CLOSE.len()).any(|window| window.eq_ignore_ascii_case(CLOSE))
}

/// Reads an answer of this status up to its `tail`.
async fn read_answer(
    stream: &mut Stream,
    answer: &mut Vec<u8>,
    status: &'static str,
    tail: &[u8],
) -> Result<(), Fault> {
    while !answer.ends_with(tail) {
        if stream.read_buf(answer).await? == 0 {
            return Err(Fault::Closed);
        }
        expect_status(answer, status)?;
    }
    Ok(())
}

/// That `answer`, as far as it has come, begins with this status.
fn expect_status(answer: &[u8], expected: &'static str) -> Result<(), Fault> {
    if answer.iter().zip(expected.as_bytes()).all(|(got, expected)| got == expected) {
        return Ok(());
    }
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Err(Fault::Status { expected, got: line.escape_ascii().to_string() })
}

/// An upgraded connection.
struct Tunnel {
    stream: Stream,
    buffer: Vec<u8>,
}

impl Tunnel {
    async fn open(context: &Context, number: u32) -> Result<Self, Fault> {
        // Until it is accepted: the kernel connects it long before.
        let _turn = context.turn().await?;
        let mut stream = context.target().connect(number).await?;
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n",
            context.target().host()
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::with_capacity(1024);
        read_answer(&mut stream, &mut answer, "HTTP/1.1 101 ", b"\r\n\r\n").await?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends the connection's next message and waits for all of its echo.
    async fn exchange(&mut self, message: &mut Message) -> Result<(), Fault> {
        message.advance();
        self.stream.write_all(message.sent()).await?;
        self.expect(message.echo()).await
    }

    /// Sends a Close, has it answered, and sees the front end the connection.
    async fn close(mut self) -> Result<(), Fault> {
        self.stream.write_all(&CLOSE).await?;
        self.expect(&CLOSE_ECHO).await?;
        match self.stream.read(&mut [0]).await? {
            0 => Ok(()),
            missing => Err(Fault::Differs { missing }),
        }
    }

    /// Waits until the tunnel ends, or says what nobody asked for.
    async fn broken(&mut self) -> Fault {
        match self.stream.read(&mut [0]).await {
            Ok(0) => Fault::Closed,
            Ok(missing) => Fault::Differs { missing },
            Err(error) => error.into(),
        }
    }

    async fn expect(&mut self, echo: &[u8]) -> Result<(), Fault> {
        if self.buffer.len() < echo.len().min(READ) {
            self.buffer.resize(echo.len().min(READ), 0);
        }
        let mut missing = echo;
        while !missing.is_empty() {
            let count = self.stream.read(&mut self.buffer).await?;
            if count == 0 {
                return Err(Fault::Closed);
            }
            let got = self.buffer.get(..count).unwrap_or_default();
            missing = missing.strip_prefix(got).ok_or(Fault::Differs { missing: missing.len() })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_status_is_named_by_its_line() {
        assert!(
            expect_status(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 101 ").is_ok()
        );
        let fault = expect_status(b"HTTP/1.1 502 Bad Gateway\r\nServer: x\r\n", "HTTP/1.1 101 ");
        let said = fault.unwrap_err().to_string();
        assert_eq!(said, "expected \"HTTP/1.1 101 ...\", got \"HTTP/1.1 502 Bad Gateway\"");
    }

    #[test]
    fn the_end_of_a_kept_connection_is_announced_in_its_head() {
        assert!(says_close(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"));
        assert!(!says_close(b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n"));
    }
}
