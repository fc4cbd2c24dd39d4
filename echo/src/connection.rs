//! One client's time line: handshake, echo with keepalive, close.
//!
//! Nothing is read while an answer waits to be written, so a peer that does not read, or that
//! floods us with pings, holds one message and one read's worth of answers, never more. An idle
//! connection holds no buffer at all.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::cli::Habits;
use crate::frames::{self, Decoder, Failure, Flow};
use crate::handshake::{self, Outcome};
use crate::spare;
use crate::stream::Stream;

/// What one read takes at most.
const READ: usize = 128 * 1024;

/// The buffers of all connections of this thread: each is used from a read to the write that
/// answers it, with no await between the two.
struct Scratch {
    input: Box<[u8]>,
    output: Vec<u8>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> =
        RefCell::new(Scratch { input: vec![0; READ].into(), output: Vec::new() });
}

/// Rounds of reading and writing before the timers are looked at and others get their turn.
const ROUNDS: usize = 16;

/// Serves one client until the connection has ended, or, soon after `stop` says so, with 1001.
pub(crate) async fn serve(
    mut stream: Stream,
    habits: Arc<Habits>,
    mut stop: watch::Receiver<bool>,
) {
    let mut stopped = pin!(stop.wait_for(|stop| *stop));
    let opened = tokio::select! {
        biased;
        // Without an answer: a balancer then takes the request to another worker.
        _ = &mut stopped => return,
        opened = Box::pin(open(&mut stream, &habits)) => opened,
    };
    let Some(early) = opened else { return };
    let mut session = Session::new(stream, habits);
    let end = match session.take_early(early) {
        Err(end) => end,
        Ok(()) => {
            let mut timer = pin!(sleep_until(session.next_ping));
            poll_fn(|cx| match session.poll(cx, timer.as_mut()) {
                Poll::Ready(end) => Poll::Ready(end),
                Poll::Pending => stopped.as_mut().poll(cx).map(|_| End::Stop),
            })
            .await
        }
    };
    Box::pin(session.close(end)).await;
}

/// The handshake. `None` when the connection is done with.
async fn open(stream: &mut Stream, habits: &Habits) -> Option<Vec<u8>> {
    let handshake = handshake::perform(stream);
    let outcome = match habits.open_timeout {
        Some(limit) => timeout(limit, handshake).await.ok()?,
        None => handshake.await,
    };
    match outcome.ok()? {
        Outcome::Open(early) => Some(early),
        Outcome::Refused => {
            let _ = timeout(habits.close_timeout, hang_up(stream)).await;
            None
        }
        Outcome::Gone => None,
    }
}

/// Ends our direction and waits for the end of the other: a socket closed with bytes unread in it
/// may take back what we wrote last.
async fn hang_up(stream: &mut Stream) -> io::Result<()> {
    stream.shutdown().await?;
    poll_fn(|cx| {
        SCRATCH.with_borrow_mut(|scratch| {
            loop {
                let mut buf = ReadBuf::new(&mut scratch.input);
                ready!(Pin::new(&mut *stream).poll_read(cx, &mut buf))?;
                if buf.filled().is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
        })
    })
    .await
}

/// Why an echo ended.
#[derive(Debug)]
enum End {
    /// The peer is not there any more.
    Gone,
    /// The peer said Close; the answer is written or waits.
    Closed,
    /// The peer did what it must not.
    Failed(Failure),
    /// The worker stops.
    Stop,
}

/// An open WebSocket connection.
#[derive(Debug)]
struct Session {
    stream: Stream,
    habits: Arc<Habits>,
    decoder: Decoder,
    /// Answers that the socket did not take yet, from `written` on.
    waiting: Vec<u8>,
    written: usize,
    /// Bytes that were taken late, in all: how a slow reader shows that it lives.
    taken_late: u64,
    next_ping: Instant,
    /// Until when the peer must have shown that it lives.
    deadline: Option<Instant>,
    asked: Option<Asked>,
    pings: u32,
    /// A Close was sent: nothing may follow it.
    is_closing: bool,
}

/// What the peer was asked for at the last ping time: a pong, or to take some of what waits for it,
/// where a ping could not get through.
#[derive(Debug)]
struct Asked {
    pong: bool,
    /// `taken_late` at that time.
    taken_late: u64,
}

impl Session {
    fn new(stream: Stream, habits: Arc<Habits>) -> Self {
        let decoder = Decoder::new(habits.max_size);
        let next_ping = Instant::now() + habits.ping_interval.unwrap_or_default();
        Self {
            stream,
            habits,
            decoder,
            waiting: Vec::new(),
            written: 0,
            taken_late: 0,
            next_ping,
            deadline: None,
            asked: None,
            pings: 0,
            is_closing: false,
        }
    }

    /// What came together with the handshake.
    fn take_early(&mut self, early: Vec<u8>) -> Result<(), End> {
        outcome(self.decoder.feed(&early, &mut self.waiting))
    }

    /// Ready when the echo has ended.
    fn poll(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<End> {
        if let Poll::Ready(end) = self.poll_echo(cx) {
            return Poll::Ready(end);
        }
        let Some(interval) = self.habits.ping_interval else { return Poll::Pending };
        while timer.as_mut().poll(cx).is_ready() {
            match self.keep_alive(interval, cx) {
                Ok(next) => timer.as_mut().reset(next),
                Err(end) => return Poll::Ready(end),
            }
        }
        Poll::Pending
    }

    fn poll_echo(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        for _ in 0..ROUNDS {
            if ready!(self.poll_flush(cx)).is_err() {
                return Poll::Ready(End::Gone);
            }
            if let Err(end) = ready!(self.poll_receive(cx)) {
                return Poll::Ready(end);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Ready when nothing waits to be written.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.waiting.get(self.written..).filter(|rest| !rest.is_empty()) {
            let taken = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
            self.written += taken;
            self.taken_late += u64::try_from(taken).unwrap_or(u64::MAX);
        }
        spare::give(std::mem::take(&mut self.waiting));
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// One read, and the write that answers it.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        SCRATCH.with_borrow_mut(|Scratch { input, output }| {
            let mut buf = ReadBuf::new(input);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf));
            if read.is_err() || buf.filled().is_empty() {
                return Poll::Ready(Err(End::Gone));
            }
            let fed = self.decoder.feed(buf.filled(), output);
            if self.is_closing {
                output.clear();
            }
            let sent = self.send(cx, output);
            output.clear();
            if output.capacity() >= spare::SMALLEST {
                spare::give(std::mem::take(output));
            }
            Poll::Ready(sent.and(outcome(fed)))
        })
    }

    /// Writes what the socket takes now; the rest waits.
    fn send(&mut self, cx: &mut Context<'_>, output: &mut Vec<u8>) -> Result<(), End> {
        let mut written = 0;
        while let Some(rest) = output.get(written..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.stream).poll_write(cx, rest) {
                Poll::Ready(Ok(taken)) => written += taken,
                Poll::Ready(Err(_)) => return Err(End::Gone),
                Poll::Pending if rest.len() * 2 > output.capacity() => {
                    self.waiting = std::mem::take(output);
                    self.written = written;
                    break;
                }
                Poll::Pending => {
                    self.waiting = rest.to_vec();
                    break;
                }
            }
        }
        Ok(())
    }

    /// At a tick: is the peer alive, is it time to ask it, and when is the next tick?
    fn keep_alive(&mut self, interval: Duration, cx: &mut Context<'_>) -> Result<Instant, End> {
        let now = Instant::now();
        // To take what waits is a sign as good as a pong, which cannot reach us: we don't read then.
        let lives = self.asked.as_ref().is_none_or(|asked| {
            let answered =
                if asked.pong { !self.decoder.awaits_pong() } else { self.waiting.is_empty() };
            answered || self.taken_late > asked.taken_late
        });
        match self.deadline {
            Some(deadline) if !lives && now >= deadline => {
                return Err(End::Failed(Failure::new(1011, "keepalive ping timeout")));
            }
            Some(deadline) if !lives => return Ok(deadline),
            _ if now < self.next_ping => return Ok(self.next_ping),
            _ => {}
        }
        let pong = self.waiting.is_empty();
        if pong {
            self.pings = self.pings.wrapping_add(1);
            let payload = self.pings.to_be_bytes();
            self.decoder.await_pong(payload);
            let mut ping = Vec::new();
            frames::put_ping(payload, &mut ping);
            self.send(cx, &mut ping)?;
        }
        self.asked = Some(Asked { pong, taken_late: self.taken_late });
        self.next_ping = now + interval;
        self.deadline = self.habits.ping_timeout.map(|limit| now + limit);
        Ok(self.deadline.map_or(self.next_ping, |deadline| deadline.min(self.next_ping)))
    }

    /// RFC 6455 §7: says how the connection ended, to a peer that may not listen any more.
    async fn close(mut self, end: End) {
        match &end {
            End::Gone => return,
            End::Closed => {}
            End::Failed(failure) => {
                frames::put_close(failure.code, &failure.reason, &mut self.waiting);
            }
            End::Stop => frames::put_close(1001, "", &mut self.waiting),
        }
        self.is_closing = true;
        let _ = timeout(self.habits.close_timeout, self.part(end)).await;
    }

    async fn part(&mut self, end: End) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await?;
        match end {
            End::Stop => {
                // Until the peer's Close, or whatever else ends it.
                poll_fn(|cx| self.poll_echo(cx)).await;
                Ok(())
            }
            End::Failed(_) => hang_up(&mut self.stream).await,
            End::Closed | End::Gone => Ok(()),
        }
    }
}

fn outcome(fed: Result<Flow, Failure>) -> Result<(), End> {
    match fed {
        Ok(Flow::Open) => Ok(()),
        Ok(Flow::Closed) => Err(End::Closed),
        Err(failure) => Err(End::Failed(failure)),
    }
}
