//! The conversation: what the person asks for goes out, what comes in is shown, until one side
//! closes.
//!
//! One task does it all. Reading and writing go on side by side, so that neither side can make the
//! other wait for ever by not reading, and whatever waits is bounded.

use std::cell::Cell;
use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{Sink, SinkExt as _, StreamExt as _};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::{self, Error, Message};

use crate::close::Close;
use crate::face::{Input, QUEUE, Talk};
use crate::keepalive::Keepalive;
use crate::signals::Signals;
use crate::stream::Stream;
use crate::words;

/// How long the other side may take to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long it may take over the last steps: the end of the stream, a close frame nobody answers.
const LAST_STEPS: Duration = Duration::from_secs(1);

/// How to lead a conversation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// A ping this often; `None` for none.
    pub(crate) ping_interval: Option<Duration>,
    /// When all has been said: how long a silence means that no answer will come any more.
    pub(crate) wait: Duration,
}

/// How a conversation ended.
#[derive(Debug)]
pub(crate) struct Ending {
    /// What the other side closed with, or 1006, or what it did wrong.
    pub(crate) close: Close,
    /// Whether all that was to be sent could be.
    pub(crate) complete: bool,
}

impl Ending {
    /// Whether the program has done what it was asked to do.
    pub(crate) fn is_success(&self) -> bool {
        self.close.is_clean() && self.complete
    }
}

/// Leads the conversation, and returns how it ended.
pub(crate) async fn converse(
    socket: WebSocketStream<Stream>,
    talk: &mut Talk,
    signals: &mut Signals,
    rules: Rules,
) -> Ending {
    let (sink, mut stream) = socket.split();
    let (to_write, from_us) = mpsc::channel(QUEUE);
    let progress = Progress::default();
    let mut writer = std::pin::pin!(write(sink, from_us, &progress));
    let mut state = Conversation::new(rules, Instant::now());
    while !state.is_over() {
        // A flood can be read for long without the runtime's help: let it see to signals and time.
        tokio::task::coop::consume_budget().await;
        state.settle(progress.written.get(), Instant::now());
        let deadline = state.deadline();
        tokio::select! {
            incoming = stream.next(), if state.is_reading() => state.received(incoming),
            place = talk.lines.reserve(), if !state.lines.is_empty() => match place {
                Ok(place) => hand_on(place, &mut state.lines),
                Err(_) => state.nobody_listens(),
            },
            input = talk.inputs.recv(), if state.is_taking_input() => state.asked(input),
            place = to_write.reserve(), if state.is_writing() => match place {
                Ok(place) => hand_on(place, &mut state.outgoing),
                Err(_) => state.outgoing.clear(),
            },
            () = &mut writer, if state.writer_lives => state.writer_ended(),
            () = progress.flushed.notified() => state.last_sound = Instant::now(),
            code = signals.next() => state.leave(code),
            () = talk.leave.notified() => state.leave(Close::NORMAL),
            () = until(deadline) => state.tick(Instant::now()),
        }
    }
    Ending { close: state.verdict.unwrap_or_else(abnormal), complete: state.complete }
}

/// How far a conversation has come.
#[derive(Debug)]
enum Phase {
    Open,
    /// We have sent a close frame and wait for the other side's.
    Closing {
        until: Instant,
    },
    /// The other side has closed; the end of the stream is all that is missing.
    Closed {
        until: Instant,
        close: Close,
    },
    /// We gave up, and tell the other side why.
    Failing {
        until: Instant,
        close: Close,
    },
}

/// What is known of the conversation: decides, and does no I/O.
struct Conversation {
    rules: Rules,
    phase: Phase,
    /// How it ended, once it has.
    verdict: Option<Close>,
    /// Lines to be shown. While there are some, nothing more is read.
    lines: VecDeque<String>,
    /// Whether there is still anybody to show them to.
    listening: bool,
    /// Messages to be sent. While there are some, no input is taken.
    outgoing: VecDeque<Message>,
    writer_lives: bool,
    more_input: bool,
    /// No more input will come, and all of it has been written.
    all_said: bool,
    /// Nothing that was to be sent was lost.
    complete: bool,
    /// Text and binary messages, there and back.
    sent: u64,
    received: u64,
    /// When a message last came in or went out.
    last_sound: Instant,
    keepalive: Keepalive,
}

impl Conversation {
    fn new(rules: Rules, now: Instant) -> Self {
        Self {
            rules,
            phase: Phase::Open,
            verdict: None,
            lines: VecDeque::new(),
            listening: true,
            outgoing: VecDeque::new(),
            writer_lives: true,
            more_input: true,
            all_said: false,
            complete: true,
            sent: 0,
            received: 0,
            last_sound: now,
            keepalive: Keepalive::new(rules.ping_interval, now),
        }
    }

    /// Over is over only when everything that came in was handed on.
    fn is_over(&self) -> bool {
        self.verdict.is_some() && self.lines.is_empty()
    }

    fn is_reading(&self) -> bool {
        let failed = matches!(self.phase, Phase::Failing { .. });
        self.verdict.is_none() && self.lines.is_empty() && !failed
    }

    fn is_taking_input(&self) -> bool {
        matches!(self.phase, Phase::Open) && self.more_input && self.outgoing.is_empty()
    }

    fn is_writing(&self) -> bool {
        !self.outgoing.is_empty()
    }

    fn received(&mut self, incoming: Option<Result<Message, Error>>) {
        match incoming {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                self.received += 1;
                self.last_sound = Instant::now();
                if self.listening {
                    self.lines.extend(words::incoming(&message));
                }
            }
            Some(Ok(Message::Pong(payload))) => {
                let answered = self.keepalive.pong(&payload, Instant::now());
                let told = answered.iter().filter(|_| self.listening);
                self.lines.extend(told.map(|took| format!("Pong after {took:.1?}.")));
            }
            Some(Ok(Message::Close(frame))) => {
                let close = Close::received(frame.as_ref());
                self.phase = Phase::Closed { until: Instant::now() + LAST_STEPS, close };
            }
            // Pings are answered where frames are read.
            Some(Ok(Message::Ping(_) | Message::Frame(_))) => {}
            Some(Err(error)) => match fault(&error) {
                Some(close) if matches!(self.phase, Phase::Open) => self.fail(close),
                _ => self.end(),
            },
            None => self.end(),
        }
    }

    fn asked(&mut self, input: Option<Input>) {
        match input {
            Some(Input::Send(message)) => {
                self.sent += 1;
                self.outgoing.push_back(message);
            }
            Some(Input::Ping) => {
                let ping = self.keepalive.ping(true, Instant::now());
                self.outgoing.push_back(ping);
            }
            Some(Input::Close(close)) => self.close(&close),
            Some(Input::Lost) => self.complete = false,
            None => self.more_input = false,
        }
    }

    /// Closes when all was said and all answers are in: as many as there were messages, or a
    /// silence long enough to expect no more.
    fn settle(&mut self, written: u64, now: Instant) {
        self.all_said = !self.more_input && written == self.sent;
        if !matches!(self.phase, Phase::Open) || !self.all_said {
            return;
        }
        if self.received >= self.sent || self.last_sound + self.rules.wait <= now {
            self.close(&Close::new(Close::NORMAL, ""));
        }
    }

    /// Somebody wants to leave, at once if they say so twice.
    ///
    /// From here on nothing is shown: who floods a terminal would otherwise have their close frame
    /// seen only after all that was on its way before it.
    fn leave(&mut self, code: u16) {
        self.lines.clear();
        self.listening = false;
        if let Phase::Open = self.phase {
            // What was not sent yet will not be.
            self.outgoing.clear();
            self.close(&Close::new(code, ""));
        } else {
            self.end();
        }
    }

    fn nobody_listens(&mut self) {
        self.lines.clear();
        self.listening = false;
        if let Phase::Open = self.phase {
            self.leave(Close::NORMAL);
        }
    }

    fn writer_ended(&mut self) {
        self.writer_lives = false;
        match self.phase {
            // Nothing can be sent any more; what can still be read says why.
            Phase::Open => self.phase = Phase::Closing { until: Instant::now() + LAST_STEPS },
            Phase::Failing { .. } => self.end(),
            Phase::Closing { .. } | Phase::Closed { .. } => {}
        }
    }

    fn close(&mut self, close: &Close) {
        self.outgoing.push_back(Message::Close(Some(close.frame())));
        self.phase = Phase::Closing { until: Instant::now() + CLOSE_TIMEOUT };
    }

    fn fail(&mut self, close: Close) {
        self.outgoing.clear();
        self.outgoing.push_back(Message::Close(Some(close.frame())));
        self.phase = Phase::Failing { until: Instant::now() + LAST_STEPS, close };
    }

    /// There is no more to come.
    fn end(&mut self) {
        let close = match &self.phase {
            Phase::Closed { close, .. } | Phase::Failing { close, .. } => close.clone(),
            Phase::Open | Phase::Closing { .. } => abnormal(),
        };
        self.verdict.get_or_insert(close);
    }

    fn deadline(&self) -> Option<Instant> {
        if self.verdict.is_some() {
            return None;
        }
        match self.phase {
            Phase::Open => {
                let silence = self.all_said.then(|| self.last_sound + self.rules.wait);
                silence.into_iter().chain(self.keepalive.deadline()).min()
            }
            Phase::Closing { until }
            | Phase::Closed { until, .. }
            | Phase::Failing { until, .. } => Some(until),
        }
    }

    fn tick(&mut self, now: Instant) {
        match self.phase {
            Phase::Open => self.tick_open(now),
            Phase::Closing { until }
            | Phase::Closed { until, .. }
            | Phase::Failing { until, .. } => {
                if until <= now {
                    self.end();
                }
            }
        }
    }

    fn tick_open(&mut self, now: Instant) {
        if !self.lines.is_empty() {
            self.keepalive.excuse(now);
        }
        if self.keepalive.is_overdue(now) {
            self.fail(Close::new(Close::INTERNAL_ERROR, "keepalive ping timeout"));
        } else if self.keepalive.is_due(now) {
            let ping = self.keepalive.ping(false, now);
            self.outgoing.push_back(ping);
        }
    }
}

/// What has reached the socket.
#[derive(Default)]
struct Progress {
    /// Text and binary messages handed to the operating system.
    written: Cell<u64>,
    flushed: Notify,
}

/// Writes until a close frame is out, or writing fails: why it did, reading will tell.
async fn write<S>(mut sink: S, mut messages: mpsc::Receiver<Message>, progress: &Progress)
where
    S: Sink<Message> + Unpin,
{
    let mut fed = 0;
    while let Some(message) = messages.recv().await {
        fed += u64::from(message.is_text() || message.is_binary());
        let is_last = message.is_close();
        if sink.feed(message).await.is_err() {
            return;
        }
        if is_last || messages.is_empty() {
            if sink.flush().await.is_err() {
                return;
            }
            progress.written.set(fed);
            progress.flushed.notify_one();
        }
        if is_last {
            return;
        }
    }
}

fn hand_on<T>(place: mpsc::Permit<'_, T>, queue: &mut VecDeque<T>) {
    if let Some(first) = queue.pop_front() {
        place.send(first);
    }
}

/// What the other side did wrong; `None` when the connection just broke.
fn fault(error: &tungstenite::Error) -> Option<Close> {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            let reason = format!("{size} bytes, and {max_size} is the limit");
            Some(Close::new(Close::TOO_BIG, reason))
        }
        Error::Utf8(_) => Some(Close::new(Close::INVALID_DATA, "text that is not UTF-8")),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(error) => Some(Close::new(Close::PROTOCOL_ERROR, error.to_string())),
        _ => None,
    }
}

fn abnormal() -> Close {
    Close::new(Close::ABNORMAL, "")
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
