//! A WebSocket after its handshake: raw frames out, and what comes back compared as it comes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use super::failure::Failure;
use super::message::{Message, control};
use super::wire::Wire;

/// The most that one read takes, and the least that there is room for.
const READ: (usize, usize) = (256, 64 << 10);

const CONTINUATION: u8 = 0;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
/// The status of a Close without one (RFC 6455, section 7.1.5).
const NO_STATUS: u16 = 1005;

/// An open tunnel.
#[derive(Debug)]
pub(crate) struct Tunnel {
    wire: Wire,
    room: Vec<u8>,
    /// Which part of the room holds bytes that are still to be looked at.
    unread: std::ops::Range<usize>,
    /// The frame whose payload comes now, and how much of it is still to come.
    frame: Option<(Frame, usize)>,
    /// Payload bytes of the expected message that have come.
    matched: usize,
    /// The payload of a control frame, so far.
    control: Vec<u8>,
    /// Answers to pings, which are sent before the next frame.
    owed: Vec<u8>,
    /// A part of a frame was sent: nothing may come before the rest of it.
    begun: bool,
    /// The server's Close has come.
    closed: bool,
}

/// What a frame's first two octets say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    opcode: u8,
    is_final: bool,
}

/// What is waited for.
#[derive(Debug, Clone, Copy)]
enum Wanted<'a> {
    /// A message with this payload.
    Echo(&'a [u8]),
    /// Whatever comes is fine; control frames are reported.
    Anything,
    /// Control frames, and no message.
    Silence,
    /// A Close, and then the end.
    Close,
}

impl Tunnel {
    /// Over a stream that has been upgraded, for messages of `largest` bytes at most.
    pub(crate) fn new(wire: Wire, largest: usize) -> Self {
        let room = vec![0; (largest + 16).clamp(READ.0, READ.1)];
        Self {
            wire,
            room,
            unread: 0..0,
            frame: None,
            matched: 0,
            control: Vec::new(),
            owed: Vec::new(),
            begun: false,
            closed: false,
        }
    }

    /// Sends a message, and waits for all of its echo. Both go on at the same time: a server may
    /// send the first of a large message back before it has the last.
    pub(crate) async fn exchange(&mut self, message: Message<'_>) -> Result<(), Failure> {
        let mut unsent = message.frame;
        poll_fn(|cx| {
            loop {
                let sent = self.poll_send(cx, &mut unsent)?;
                let received = self.poll_receive(cx, Wanted::Echo(message.payload));
                if sent.is_pending() {
                    return match received {
                        Poll::Ready(Ok(())) => Poll::Ready(Err(Failure::Differs)),
                        other => other,
                    };
                }
                // A ping may have come meanwhile.
                if received.is_ready() || self.owed.is_empty() {
                    return received;
                }
            }
        })
        .await
    }

    /// Holds the tunnel, answers pings and takes whatever is said, until it fails.
    pub(crate) async fn hold(&mut self) -> Failure {
        self.attend(Wanted::Anything).await
    }

    /// Answers pings until the tunnel fails, as it does when a message comes: none was asked for.
    pub(crate) async fn rest(&mut self) -> Failure {
        self.attend(Wanted::Silence).await
    }

    async fn attend(&mut self, wanted: Wanted<'_>) -> Failure {
        let failed: Result<(), Failure> = poll_fn(|cx| {
            loop {
                ready!(self.poll_receive(cx, wanted))?;
                let mut nothing: &[u8] = &[];
                let _later = self.poll_send(cx, &mut nothing)?;
            }
        })
        .await;
        failed.err().unwrap_or(Failure::Ended)
    }

    /// Sends a Close (1000), has it answered, and sees the server end the connection.
    pub(crate) async fn close(mut self) -> Result<(), Failure> {
        let close = control(CLOSE, &1000_u16.to_be_bytes());
        let mut unsent = close.as_slice();
        poll_fn(|cx| {
            let _later = self.poll_send(cx, &mut unsent)?;
            self.poll_receive(cx, Wanted::Close)
        })
        .await
    }

    /// Sends what is owed and then the rest of `unsent`.
    fn poll_send(&mut self, cx: &mut Context<'_>, unsent: &mut &[u8]) -> Result<Poll<()>, Failure> {
        let lost = |error: io::Error| Failure::lost(&error);
        if unsent.is_empty() && self.owed.is_empty() {
            return Ok(Poll::Ready(()));
        }
        while !unsent.is_empty() || !self.owed.is_empty() {
            let owed_first = !self.begun && !self.owed.is_empty();
            let bytes = if owed_first { self.owed.as_slice() } else { *unsent };
            let count = match Pin::new(&mut self.wire).poll_write(cx, bytes).map_err(lost)? {
                Poll::Ready(0) => return Err(Failure::Ended),
                Poll::Ready(count) => count,
                Poll::Pending => return Ok(Poll::Pending),
            };
            if owed_first {
                self.owed.drain(..count);
            } else {
                *unsent = unsent.get(count..).unwrap_or_default();
                self.begun = !unsent.is_empty();
            }
        }
        match Pin::new(&mut self.wire).poll_flush(cx) {
            Poll::Ready(flushed) => flushed.map(Poll::Ready).map_err(lost),
            Poll::Pending => Ok(Poll::Pending),
        }
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        wanted: Wanted<'_>,
    ) -> Poll<Result<(), Failure>> {
        loop {
            while !self.unread.is_empty() || self.frame.is_some_and(|(_, left)| left == 0) {
                match self.step(wanted) {
                    Ok(Step::Done) => return Poll::Ready(Ok(())),
                    Ok(Step::More) => {}
                    Ok(Step::Short) => break,
                    Err(failure) => return Poll::Ready(Err(failure)),
                }
            }
            if let Err(failure) = ready!(self.poll_fill(cx)) {
                // After the Close, the end is what was waited for.
                let is_over = self.closed && failure == Failure::Ended;
                return Poll::Ready(if is_over { Ok(()) } else { Err(failure) });
            }
        }
    }

    /// Reads once, behind what has not been looked at yet.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.room.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        let mut room = ReadBuf::new(self.room.get_mut(self.unread.end..).unwrap_or_default());
        match ready!(Pin::new(&mut self.wire).poll_read(cx, &mut room)) {
            Ok(()) if room.filled().is_empty() => Poll::Ready(Err(Failure::Ended)),
            Ok(()) => {
                self.unread.end += room.filled().len();
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(Failure::lost(&error))),
        }
    }

    /// Looks at the next header, or at as much of a payload as there is.
    fn step(&mut self, wanted: Wanted<'_>) -> Result<Step, Failure> {
        let unread = self.room.get(self.unread.clone()).unwrap_or_default();
        let Some((frame, left)) = self.frame else {
            let Some((frame, length, payload)) = header(unread)? else { return Ok(Step::Short) };
            self.unread.start += length;
            self.frame = Some((frame, payload));
            return Ok(Step::More);
        };
        let part = unread.get(..left.min(unread.len())).unwrap_or_default();
        let (taken, left) = (part.len(), left - part.len());
        if frame.opcode >= CLOSE {
            self.control.extend_from_slice(part);
        } else if matches!(wanted, Wanted::Silence) {
            return Err(Failure::Differs);
        } else if let Wanted::Echo(payload) = wanted {
            let is_first = self.matched == 0;
            if is_first && !matches!(frame.opcode, CONTINUATION | BINARY) {
                return Err(Failure::Differs);
            }
            let expected = payload.get(self.matched..self.matched + taken);
            if expected != Some(part) {
                return Err(Failure::Differs);
            }
            self.matched += taken;
        }
        self.unread.start += taken;
        self.frame = (left > 0).then_some((frame, left));
        if left > 0 { Ok(Step::More) } else { self.end(frame, wanted) }
    }

    /// A frame is complete.
    fn end(&mut self, frame: Frame, wanted: Wanted<'_>) -> Result<Step, Failure> {
        if frame.opcode >= CLOSE {
            let payload = std::mem::take(&mut self.control);
            match frame.opcode {
                PING => self.owed.extend(control(PONG, &payload)),
                CLOSE if matches!(wanted, Wanted::Close) => self.closed = true,
                CLOSE => {
                    let code = payload.first_chunk().map_or(NO_STATUS, |c| u16::from_be_bytes(*c));
                    return Err(Failure::Closed(code));
                }
                _ => {}
            }
            let is_reported = matches!(wanted, Wanted::Anything | Wanted::Silence);
            return Ok(if is_reported { Step::Done } else { Step::More });
        }
        let Wanted::Echo(payload) = wanted else { return Ok(Step::More) };
        if !frame.is_final {
            return Ok(Step::More);
        }
        let whole = std::mem::take(&mut self.matched) == payload.len();
        if whole { Ok(Step::Done) } else { Err(Failure::Differs) }
    }
}

/// What came of a look at the bytes.
enum Step {
    /// What was wanted is there.
    Done,
    /// There may be more to look at.
    More,
    /// A header is not complete.
    Short,
}

/// The header that `bytes` start with, its length, and the payload's; `None` while it is not whole.
fn header(bytes: &[u8]) -> Result<Option<(Frame, usize, usize)>, Failure> {
    let Some((&[first, second], rest)) = bytes.split_first_chunk() else { return Ok(None) };
    let frame = Frame { opcode: first & 0x0f, is_final: first & 0x80 != 0 };
    if first & 0x70 != 0 {
        return Err(Failure::Invalid("a reserved bit is set"));
    }
    if second & 0x80 != 0 {
        return Err(Failure::Invalid("a server's frame is masked"));
    }
    let (extended, payload) = match second {
        126 => (2, rest.first_chunk().map(|length| u64::from(u16::from_be_bytes(*length)))),
        127 => (8, rest.first_chunk().map(|length| u64::from_be_bytes(*length))),
        short => (0, Some(u64::from(short))),
    };
    let Some(payload) = payload else { return Ok(None) };
    if frame.opcode >= CLOSE && (payload > 125 || !frame.is_final) {
        return Err(Failure::Invalid("a control frame is too long"));
    }
    let payload = usize::try_from(payload).map_err(|_| Failure::Invalid("a frame is too long"))?;
    Ok(Some((frame, 2 + extended, payload)))
}

#[cfg(test)]
mod tests;
