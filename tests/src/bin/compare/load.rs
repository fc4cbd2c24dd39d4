//! The load: connections in closed loop, each waiting for its answer and checking it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::frame::{KEY, Message};
use crate::problem::Fault;
use crate::rows::Work;
use crate::worker::BODY;

/// How long connections may take to open, and their last exchanges to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections that one thread opens at a time: fewer than any front's backlog.
const OPENING: usize = 32;
/// The most that one read takes.
const READ: usize = 64 << 10;
/// How many addresses of 127/8 the connections come from, so that ports don't run out.
const SOURCES: u32 = 200;
/// A Close without a code, masked with the key zero, and the worker's answer to it.
const CLOSE: [u8; 6] = [0x88, 0x80, 0, 0, 0, 0];
const CLOSE_ECHO: [u8; 2] = [0x88, 0];

/// Open connections; they end when it is dropped.
pub(crate) struct Load {
    shared: Arc<Shared>,
    connections: u32,
    phase: watch::Sender<Phase>,
    events: mpsc::UnboundedReceiver<Event>,
}

/// What the connections are to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// End the exchange, then wait.
    Rest,
    /// One exchange after the other.
    Work,
    /// End the exchange, then close.
    End,
}

/// What a connection reports.
enum Event {
    /// It rests: once after it was opened, and once after each [`Phase::Work`].
    Resting,
    /// It has ended, at the latest after [`Phase::End`].
    Ended(Result<(), Fault>),
}

/// What all connections of a load share.
struct Shared {
    front: SocketAddr,
    work: Work,
    operations: AtomicU32,
}

impl Load {
    /// Opens so many connections to `front`, on as many threads as there are cores. They rest.
    pub(crate) async fn open(
        front: SocketAddr,
        work: Work,
        connections: u32,
    ) -> Result<Self, Fault> {
        let shared = Arc::new(Shared { front, work, operations: AtomicU32::new(0) });
        let (phase, told) = watch::channel(Phase::Rest);
        let (report, events) = mpsc::unbounded_channel();
        let threads = cores().min(connections);
        for thread in 0..threads {
            let numbers = (thread..connections).step_by(usize::try_from(threads).unwrap_or(1));
            let context = Context {
                shared: Arc::clone(&shared),
                phase: told.clone(),
                report: report.clone(),
                opening: Arc::new(Semaphore::new(OPENING)),
            };
            let numbers: Vec<u32> = numbers.collect();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            std::thread::Builder::new()
                .spawn(move || runtime.block_on(run_thread(context, numbers)))?;
        }
        let mut load = Self { shared, connections, phase, events };
        load.all_rest("opening the connections").await?;
        Ok(load)
    }

    /// Lets the connections work for so long and end their exchanges. Says how many exchanges
    /// were completed and verified.
    pub(crate) async fn work_for(&mut self, time: Duration) -> Result<u32, Fault> {
        let before = self.operations();
        self.phase.send_replace(Phase::Work);
        self.rest_for(time).await?;
        self.phase.send_replace(Phase::Rest);
        self.all_rest("ending the exchanges").await?;
        Ok(self.operations().wrapping_sub(before))
    }

    /// Leaves the connections to what they do for so long.
    pub(crate) async fn rest_for(&mut self, time: Duration) -> Result<(), Fault> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            event = self.events.recv() => match event {
                Some(Event::Ended(Err(fault))) => Err(fault),
                _ => Err(Fault::Gone),
            },
        }
    }

    /// Closes the connections and waits for that.
    pub(crate) async fn finish(mut self) -> Result<(), Fault> {
        self.phase.send_replace(Phase::End);
        self.every("closing", |event| matches!(event, Event::Ended(Ok(())))).await
    }

    fn operations(&self) -> u32 {
        self.shared.operations.load(Ordering::Relaxed)
    }

    async fn all_rest(&mut self, what: &'static str) -> Result<(), Fault> {
        self.every(what, |event| matches!(event, Event::Resting)).await
    }

    /// One such event of every connection.
    async fn every(&mut self, what: &'static str, is: fn(&Event) -> bool) -> Result<(), Fault> {
        let all = async {
            for _ in 0..self.connections {
                match self.events.recv().await {
                    Some(event) if is(&event) => {}
                    Some(Event::Ended(Err(fault))) => return Err(fault),
                    _ => return Err(Fault::Gone),
                }
            }
            Ok(())
        };
        tokio::time::timeout(PATIENCE, all).await.unwrap_or(Err(Fault::Late(what)))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::End);
    }
}

/// How many threads and processes can run at once.
pub(crate) fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1))
}

/// What one connection is given.
#[derive(Clone)]
struct Context {
    shared: Arc<Shared>,
    phase: watch::Receiver<Phase>,
    report: mpsc::UnboundedSender<Event>,
    opening: Arc<Semaphore>,
}

impl Context {
    /// True when the next exchange is wanted, after a rest maybe; false at the end.
    async fn goes_on(&mut self) -> bool {
        loop {
            let phase = *self.phase.borrow_and_update();
            match phase {
                Phase::Work => return true,
                Phase::End => return false,
                Phase::Rest => self.tell(Event::Resting),
            }
            if self.phase.changed().await.is_err() {
                return false;
            }
        }
    }

    /// Waits until the connections are to end.
    async fn ended(&mut self) {
        // A load that is gone means the same.
        drop(self.phase.wait_for(|phase| *phase == Phase::End).await);
    }

    fn tell(&self, event: Event) {
        // Whoever dropped the load does not want to know.
        let _nobody_left = self.report.send(event);
    }

    fn count(&self) {
        self.shared.operations.fetch_add(1, Ordering::Relaxed);
    }
}

async fn run_thread(mut context: Context, numbers: Vec<u32>) {
    let mut connections = JoinSet::new();
    for number in numbers {
        let mut context = context.clone();
        connections.spawn(async move {
            let ended = run_connection(&mut context, number).await;
            context.tell(Event::Ended(ended));
        });
    }
    // An exchange that never ends must not keep the thread.
    let patience = async {
        context.ended().await;
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        () = async { while connections.join_next().await.is_some() {} } => {}
        () = patience => {}
    }
}

async fn run_connection(context: &mut Context, number: u32) -> Result<(), Fault> {
    match context.shared.work {
        Work::Echo(size) => echo(context, number, size).await,
        Work::Get => get(context, number).await,
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
    context.tell(Event::Resting);
    context.ended().await;
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

async fn get(context: &mut Context, number: u32) -> Result<(), Fault> {
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", context.shared.front);
    let tail = format!("\r\n\r\n{BODY}");
    let mut stream = connect(context, number).await?;
    let mut answer = Vec::with_capacity(1024);
    while context.goes_on().await {
        stream.write_all(request.as_bytes()).await?;
        answer.clear();
        read_answer(&mut stream, &mut answer, "HTTP/1.1 200 ", tail.as_bytes()).await?;
        context.count();
        // nginx ends a connection after its keepalive_requests, and says so before.
        if says_close(&answer) {
            stream = connect(context, number).await?;
        }
    }
    Ok(())
}

fn says_close(answer: &[u8]) -> bool {
    const CLOSE: &[u8] = b"\r\nConnection: close\r\n";
    answer.windows(CLOSE.len()).any(|window| window.eq_ignore_ascii_case(CLOSE))
}

/// Reads an answer of this status up to its `tail`.
async fn read_answer(
    stream: &mut TcpStream,
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

async fn connect(context: &Context, number: u32) -> Result<TcpStream, Fault> {
    let _permit = context.opening.acquire().await.map_err(|_| Fault::Gone)?;
    let socket = TcpSocket::new_v4()?;
    let host = u8::try_from(1 + number % SOURCES).unwrap_or(1);
    socket.bind((Ipv4Addr::new(127, 0, 1, host), 0).into())?;
    let stream = socket.connect(context.shared.front).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// An upgraded connection.
struct Tunnel {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Tunnel {
    async fn open(context: &Context, number: u32) -> Result<Self, Fault> {
        let mut stream = connect(context, number).await?;
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n",
            context.shared.front
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
