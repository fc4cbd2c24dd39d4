//! Whether a peer is still there: a Ping when nothing has come from it for a while, whose Pong nobody
//! else sees (RFC 6455, 5.5.2 and 5.5.3).

use std::mem::take;
use std::task::Context;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::direction::{Direction, Failure};
use super::frames::{ping, pong_payload};
use super::guard::Guard;
use super::relay::Millis;
use crate::net::Stream;

/// Who is asked, and when.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Pings {
    /// After how long a silence.
    pub(crate) every: Millis,
    /// How long an answer may take.
    pub(crate) timeout: Millis,
    /// Whether the server is asked, too.
    pub(crate) both: bool,
}

/// One side of a tunnel, as it is asked.
#[derive(Debug)]
pub(super) struct Asked {
    pings: Pings,
    /// When something came from it last.
    heard: Instant,
    /// What the ping says that is not answered: never the same twice.
    payload: u64,
    state: State,
    /// How long the last answer took.
    took: Option<Millis>,
    /// A pong that may be the answer, as far as it has come.
    pong: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It has said something not long ago.
    Heard,
    /// A ping is to go out before the next frame.
    Due,
    /// A ping went out.
    Sent(Instant),
}

/// One that is asked, written down: of moments, how long ago they were.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FrozenAsked {
    heard: Millis,
    payload: u64,
    is_due: bool,
    sent: Option<Millis>,
    took: Option<Millis>,
    pong: Vec<u8>,
}

/// What a direction has to do with pings: whom it hears, and whom it asks.
#[derive(Debug, Default)]
pub(super) struct Asking<'a> {
    pub(super) hears: Option<&'a mut Asked>,
    pub(super) asks: Option<&'a mut Asked>,
    /// Who looks at what comes first.
    pub(super) guard: Option<&'a mut Guard>,
}

/// What is to be done about a side.
pub(super) enum Next {
    /// Nothing until then.
    Wait(Instant),
    /// It has to be asked now, if it is not known better.
    Ask(Instant),
    /// Nothing: it is another's turn.
    Nothing,
}

impl Asked {
    pub(super) fn new(pings: Pings) -> Box<Self> {
        let (heard, state) = (Instant::now(), State::Heard);
        let payload = rand::random();
        Box::new(Self { pings, heard, payload, state, took: None, pong: Vec::new() })
    }

    /// How long the last answer took.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.took.map(Duration::from)
    }

    pub(super) fn freeze(self) -> FrozenAsked {
        FrozenAsked {
            heard: self.heard.elapsed().into(),
            payload: self.payload,
            is_due: self.state == State::Due,
            sent: match self.state {
                State::Sent(at) => Some(at.elapsed().into()),
                State::Heard | State::Due => None,
            },
            took: self.took,
            pong: self.pong,
        }
    }

    /// Something has come from it.
    pub(super) fn hear(&mut self) {
        self.heard = Instant::now();
    }

    /// When it has to be asked, or must have answered.
    pub(super) fn next(&self) -> Next {
        match self.state {
            State::Heard => Next::Ask(self.heard + Duration::from(self.pings.every)),
            State::Due => Next::Nothing,
            // Whoever talks is there, though it may answer late.
            State::Sent(at) => Next::Wait(at.max(self.heard) + Duration::from(self.pings.timeout)),
        }
    }

    /// It is to be asked.
    pub(super) fn ask(&mut self) {
        self.state = State::Due;
    }

    /// The ping that is to go out now; a server's is masked.
    fn take_due(&mut self, masked: bool) -> Option<Vec<u8>> {
        if self.state != State::Due {
            return None;
        }
        self.state = State::Sent(Instant::now());
        self.payload = self.payload.wrapping_add(1);
        Some(ping(self.payload.to_be_bytes(), masked.then(rand::random)))
    }

    /// Whether a frame that begins like this may be the answer.
    fn may_answer(&self, first: u8) -> bool {
        !self.pong.is_empty() || (matches!(self.state, State::Sent(_)) && first == 0x8a)
    }

    /// Whether this frame is.
    fn is_answered_by(&mut self, frame: &[u8]) -> bool {
        let is_answer = pong_payload(frame) == Some(self.payload.to_be_bytes());
        if let (State::Sent(at), true) = (self.state, is_answer) {
            self.took = Some(at.elapsed().into());
            self.state = State::Heard;
        }
        is_answer
    }
}

impl FrozenAsked {
    pub(super) fn thaw(self, pings: Pings) -> Box<Asked> {
        let now = Instant::now();
        let before = |time: Millis| now.checked_sub(time.into()).unwrap_or(now);
        let state = match (self.is_due, self.sent) {
            (true, _) => State::Due,
            (false, Some(sent)) => State::Sent(before(sent)),
            (false, None) => State::Heard,
        };
        let Self { payload, took, pong, .. } = self;
        Box::new(Asked { pings, heard: before(self.heard), payload, state, took, pong })
    }
}

impl Asking<'_> {
    /// Whether bytes must be looked at one frame after another.
    pub(super) fn is_busy(&self) -> bool {
        let expects = |asked: &Asked| asked.state != State::Heard;
        let (hears, asks) = (self.hears.as_deref(), self.asks.as_deref());
        hears.is_some_and(expects) || asks.is_some_and(|asked| asked.state == State::Due)
    }
}

impl Direction {
    /// Puts the ping in that is due, if this is the place for it; true when it was.
    pub(super) fn put_ping(&mut self, asking: &mut Asking<'_>) -> bool {
        let Some(asks) = asking.asks.as_deref_mut() else { return false };
        if !self.frames.is_between_frames() {
            return false;
        }
        let Some(ping) = asks.take_due(self.frames.is_masked_here()) else { return false };
        self.hold(&ping);
        true
    }

    /// Passes bytes with the ping that is due, and without the pong that is ours.
    pub(super) fn pass_asking(
        &mut self,
        mut bytes: &[u8],
        asking: &mut Asking<'_>,
        to: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Result<(), Failure> {
        let mut out = Vec::with_capacity(bytes.len() + 16);
        let to_server = self.frames.is_masked_here();
        while let [first, rest @ ..] = bytes {
            let between = self.frames.is_between_frames();
            if between
                && let Some(asks) = asking.asks.as_deref_mut()
                && let Some(ping) = asks.take_due(to_server)
            {
                out.extend(ping);
            }
            match asking.hears.as_deref_mut() {
                Some(hears) if !hears.pong.is_empty() || (between && hears.may_answer(*first)) => {
                    hears.pong.push(*first);
                    self.frames.see(&[*first]);
                    bytes = rest;
                    if self.frames.is_between_frames() || self.frames.is_lost() {
                        let pong = take(&mut hears.pong);
                        if !hears.is_answered_by(&pong) {
                            out.extend(pong);
                        }
                    }
                }
                _ => {
                    self.frames.see(&[*first]);
                    let more = match self.frames.is_lost() || self.frames.is_closed() {
                        true => rest.len(),
                        false => self.frames.finish(rest),
                    };
                    let (here, behind) = bytes.split_at(1 + more);
                    out.extend_from_slice(here);
                    bytes = behind;
                }
            }
        }
        self.pass(&out, to, cx)
    }
}
