//! A WebSocket client: it says numbered messages, and wants each of them back, once and in order.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::dice::Dice;
use crate::frame::{self, End, Frame, Inbox};
use crate::head::Answer;
use crate::ledger::{Ledger, Pardon};
use crate::run::Phase;
use crate::stage::HELD;

/// How long anything may take. The machine may be busy, and a worker may stand still for a while.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a client whom an error was answered waits before it comes again.
const REST: Duration = Duration::from_millis(200);

/// What a client is.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) number: u32,
    pub(crate) port: u16,
    pub(crate) dice: Dice,
    pub(crate) ledger: Rc<Ledger>,
    pub(crate) phase: watch::Receiver<Phase>,
}

/// A connection that has become a tunnel.
#[derive(Debug)]
struct Open {
    stream: TcpStream,
    inbox: Inbox,
    worker: usize,
    since: Instant,
    /// The next message's number.
    next: u64,
}

/// How a visit ended.
#[derive(Debug)]
enum Outcome {
    /// As the client wanted it.
    Left,
    /// Otherwise.
    Ended(End),
    /// With something that must not be.
    Wrong(String),
}

impl Client {
    /// Opens one tunnel after another, until it is told to stop.
    pub(crate) async fn run(mut self) {
        while *self.phase.borrow() != Phase::Stop {
            let since = Instant::now();
            match self.open(since).await {
                Ok(open) => self.visit(open).await,
                Err(why) => {
                    // Who is held is held for so long, and no longer.
                    let held = since.elapsed() >= HELD;
                    let pardoned = self.ledger.is_pardoned(Pardon::Scarce, since)
                        || held && self.ledger.is_pardoned(Pardon::Away, since);
                    if pardoned {
                        Ledger::count(&self.ledger.pardoned);
                    } else {
                        let number = self.number;
                        self.ledger.broken(format!("tunnel client {number}: handshake: {why}"));
                    }
                    sleep(REST).await;
                }
            }
        }
    }

    async fn open(&self, since: Instant) -> Result<Open, String> {
        let shaken = timeout(PATIENCE, async {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await;
            let mut stream = stream.map_err(|error| format!("connect: {error}"))?;
            // Nagle's rule would mix the times of messages with each other.
            stream.set_nodelay(true).map_err(|error| error.to_string())?;
            let request = "GET /tunnel HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
                           Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                           Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
            let answer = Answer::to(request, &mut stream).await.map_err(|error| error.to_string());
            let answer = answer?.ok_or("closed without an answer")?;
            if !answer.is(101) {
                return Err(answer.line().to_owned());
            }
            let worker = answer.worker().ok_or_else(|| format!("whose is {}", answer.head))?;
            Ok(Open { stream, inbox: Inbox::new(answer.rest), worker, since, next: 0 })
        });
        let took = |_elapsed| format!("took more than {} s", PATIENCE.as_secs());
        shaken.await.map_err(took)?
    }

    /// A tunnel from its beginning to its end.
    async fn visit(&mut self, mut open: Open) {
        let ledger = self.ledger.clone();
        Ledger::count(&ledger.opened);
        Ledger::count(&ledger.open[open.worker]);
        let outcome = self.talk(&mut open).await;
        let held = &ledger.open[open.worker];
        held.set(held.get() - 1);
        let excused = ledger.is_pardoned(Pardon::Worker(open.worker), open.since);
        let who = || format!("tunnel {} to worker {}", self.number, open.worker);
        match outcome {
            Outcome::Left => ledger.ended("by its client, 1000"),
            Outcome::Ended(end) => {
                let how = match end {
                    End::Close(code) => format!("with {code}"),
                    End::Between => "cut between frames".to_owned(),
                    End::Within => "cut within a frame".to_owned(),
                    End::Reset => "reset".to_owned(),
                };
                // A worker that says so itself ends with 1001; where it dies within a frame, there is
                // no room for a Close.
                let is_clean = matches!(end, End::Close(1001 | 1012 | 1014) | End::Within);
                // A limit that was lowered may lie below numbers that are in use: each of those that is
                // packed for another binary then costs one of the few below.
                let is_replaced =
                    end == End::Close(1013) && ledger.is_pardoned(Pardon::Scarce, Instant::now());
                if !(excused && is_clean || is_replaced) {
                    let age = open.since.elapsed();
                    let said = open.next;
                    let lives = if excused { "has died" } else { "lives" };
                    let what =
                        format!("{how} after {age:.1?}, {said} messages; its worker {lives}");
                    ledger.broken(format!("{}: {what}", who()));
                }
                ledger.ended(&how);
            }
            Outcome::Wrong(what) => {
                ledger.broken(format!("{}: {what}", who()));
                ledger.ended("after something wrong");
            }
        }
    }

    async fn talk(&mut self, open: &mut Open) -> Outcome {
        // Some stay for ever, others come and go.
        let mut left = if self.number.is_multiple_of(2) { 0 } else { 5 + self.dice.below(60) };
        loop {
            let phase = *self.phase.borrow();
            let said = match phase {
                Phase::Stop => return self.leave(open).await,
                Phase::Rest => self.hold_still(open).await,
                Phase::Play => {
                    let pause = self.dice.millis(50, 1500);
                    match self.idle(open, pause).await {
                        Ok(()) => self.exchange(open).await,
                        ended => ended,
                    }
                }
            };
            if let Err(outcome) = said {
                return outcome;
            }
            if left == 1 && *self.phase.borrow() == Phase::Play {
                return self.leave(open).await;
            }
            left = left.saturating_sub(1).max(usize::from(left != 0));
        }
    }

    /// Says a few messages and hears them.
    async fn exchange(&mut self, open: &mut Open) -> Result<(), Outcome> {
        let mut bytes = Vec::new();
        let mut due = VecDeque::new();
        for _ in 0..1 + self.dice.below(3) {
            let payload = self.message(open.next);
            open.next += 1;
            self.write(&mut bytes, &payload);
            due.push_back(payload);
        }
        let start = Instant::now();
        let ledger = &self.ledger;
        let Open { stream, inbox, .. } = open;
        let (mut from, mut to) = stream.split();
        let mut pongs = Vec::new();
        let hear = async {
            while let Some(wanted) = due.front() {
                match inbox.frame(&mut from).await.map_err(Outcome::Ended)? {
                    Frame { opcode: frame::BINARY, payload } if payload == *wanted => {
                        due.pop_front();
                        Ledger::count(&ledger.echoes);
                        Ledger::took(&ledger.worst_echo, start);
                    }
                    Frame { opcode: frame::PING, payload } => pongs.push(payload),
                    other => return Err(Outcome::Wrong(unlike(wanted, &other))),
                }
            }
            Ok(())
        };
        let say = async {
            // Who has gone says so where it is read.
            let _gone = to.write_all(&bytes).await;
            Ok(())
        };
        let done = timeout(PATIENCE, async { tokio::try_join!(hear, say) }).await;
        match done {
            Ok(done) => done?,
            Err(_elapsed) => {
                let what = format!("{} echoes are not there after {PATIENCE:?}", due.len());
                return Err(Outcome::Wrong(what));
            }
        };
        for payload in pongs {
            self.pong(open, &payload).await;
        }
        Ok(())
    }

    /// Does nothing for a time but to answer pings.
    async fn idle(&mut self, open: &mut Open, pause: Duration) -> Result<(), Outcome> {
        let end = tokio::time::Instant::now() + pause;
        let mut phase = self.phase.clone();
        phase.borrow_and_update();
        loop {
            let heard = tokio::select! {
                heard = open.inbox.frame(&mut open.stream) => heard,
                () = tokio::time::sleep_until(end) => return Ok(()),
                _ = phase.changed() => return Ok(()),
            };
            match heard.map_err(Outcome::Ended)? {
                Frame { opcode: frame::PING, payload } => self.pong(open, &payload).await,
                other => return Err(Outcome::Wrong(unlike(&[], &other))),
            }
        }
    }

    /// Nothing is under way; until the next phase.
    async fn hold_still(&mut self, open: &mut Open) -> Result<(), Outcome> {
        let calm = &self.ledger.clone().calm;
        Ledger::count(calm);
        let rested = self.idle(open, 3 * PATIENCE).await;
        calm.set(calm.get() - 1);
        rested
    }

    async fn pong(&mut self, open: &mut Open, payload: &[u8]) {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, true, frame::PONG, self.key(), payload);
        let _gone = open.stream.write_all(&bytes).await;
    }

    /// Ends with 1000, and wants the same back and then the end.
    async fn leave(&mut self, open: &mut Open) -> Outcome {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, true, frame::CLOSE, self.key(), &1000_u16.to_be_bytes());
        let _gone = open.stream.write_all(&bytes).await;
        loop {
            match timeout(PATIENCE, open.inbox.frame(&mut open.stream)).await {
                Ok(Ok(Frame { opcode: frame::PING, .. })) => {}
                Ok(Ok(other)) => return Outcome::Wrong(unlike(&[], &other)),
                Ok(Err(End::Close(1000))) => return Outcome::Left,
                Ok(Err(end)) => return Outcome::Ended(end),
                Err(_elapsed) => return Outcome::Wrong("a Close is not answered".to_owned()),
            }
        }
    }

    /// A message that no other client says, and this one once; most are short.
    fn message(&mut self, sequence: u64) -> Vec<u8> {
        let length = match self.dice.below(100) {
            0 => 60_000 + self.dice.below(200_000),
            1..6 => 2_000 + self.dice.below(20_000),
            _ => 12 + self.dice.below(400),
        };
        let mut bytes = self.number.to_be_bytes().to_vec();
        bytes.extend(sequence.to_be_bytes());
        while bytes.len() < length {
            bytes.extend(self.dice.draw().to_be_bytes());
        }
        bytes
    }

    /// Some messages go in two frames.
    fn write(&mut self, into: &mut Vec<u8>, payload: &[u8]) {
        if self.dice.once_in(8) {
            let (first, second) = payload.split_at(self.dice.below(payload.len()));
            frame::write(into, false, frame::BINARY, self.key(), first);
            frame::write(into, true, frame::CONTINUATION, self.key(), second);
        } else {
            frame::write(into, true, frame::BINARY, self.key(), payload);
        }
    }

    fn key(&mut self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.dice.draw().to_be_bytes();
        [a, b, c, d]
    }
}

/// What is wrong with what came.
fn unlike(wanted: &[u8], got: &Frame) -> String {
    let number = |payload: &[u8]| {
        let number = payload.get(4..12).and_then(|bytes| bytes.first_chunk().copied());
        number.map(u64::from_be_bytes)
    };
    let (opcode, length) = (got.opcode, got.payload.len());
    format!(
        "a frame of opcode {opcode}, {length} bytes, message {:?} came where message {:?} of {} bytes was due",
        number(&got.payload),
        number(wanted),
        wanted.len(),
    )
}
