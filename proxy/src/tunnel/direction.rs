//! One direction of a tunnel: what is read on one socket is written to the other.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::ending::Ending;
use super::frames::Tracker;
use super::pings::Asking;
use crate::net::{Pipe, Stream, scratch};

/// How far one direction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    /// Bytes may still come.
    Open,
    /// The reading side said that no more will come; that is not passed on yet.
    Read,
    /// It was passed on: this direction is done.
    Done,
}

/// Which of the two sockets failed, and how.
#[derive(Debug)]
pub(super) enum Failure {
    /// Reading from the source.
    Read(io::Error),
    /// Writing to the destination.
    Write(io::Error),
    /// Neither: the source has sent what it may not.
    Forbidden(Ending),
}

/// The state of one direction: 64 bytes, and a buffer or a pipe only while many bytes flow.
#[derive(Debug)]
pub(super) struct Direction {
    /// What the destination would not take yet.
    pub(super) held: Option<Box<Held>>,
    /// What the bytes go through while there are many.
    pub(super) pipe: Option<Box<Pipe>>,
    /// Whether something has come from the source since this was last asked.
    pub(super) heard: bool,
    /// What was read last is not passed, and the destination is between two frames.
    pub(super) is_cut: bool,
    /// How far it is.
    pub(super) end: End,
    /// Bytes that the destination took.
    pub(super) moved: u64,
    /// Where between the frames it is, by what was read.
    pub(super) frames: Tracker,
}

/// Bytes that wait: at least one.
#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: Vec<u8>,
    /// How many of them the destination has taken.
    taken: usize,
}

impl Held {
    /// Those that the destination has not taken.
    pub(super) fn into_rest(mut self) -> Vec<u8> {
        self.bytes.drain(..self.taken);
        self.bytes
    }
}

impl Direction {
    /// A direction that starts with bytes which were read before the tunnel began.
    pub(super) fn new(early: Vec<u8>, mut frames: Tracker) -> Self {
        frames.see(&early);
        let mut direction = Self {
            held: None,
            pipe: None,
            heard: false,
            is_cut: false,
            end: End::Open,
            moved: 0,
            frames,
        };
        direction.hold(&early);
        direction
    }

    /// Whether the destination is slower than the source.
    pub(super) fn is_blocked(&self) -> bool {
        self.held.is_some() || self.pipe.as_ref().is_some_and(|pipe| !pipe.is_empty())
    }

    /// Whether the source has ended and all of it was passed on.
    pub(super) fn is_over(&self) -> bool {
        self.end != End::Open && !self.is_blocked()
    }

    /// Moves what can be moved now; ready when this direction is done. When the other direction is
    /// over, the end is not passed on: both sockets are about to be closed. Nor is an end that no
    /// Close announces, where one must.
    pub(super) fn poll(
        &mut self,
        from: &mut Stream,
        to: &mut Stream,
        other_is_over: bool,
        must_close: bool,
        mut asking: Asking<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        scratch(|buffer| {
            loop {
                ready!(self.poll_held(to, cx))?;
                ready!(self.poll_pipe(from, to, cx))?;
                if self.end == End::Open && self.put_ping(&mut asking) {
                    continue;
                }
                match self.end {
                    End::Open => {}
                    End::Read if other_is_over => self.end = End::Done,
                    // Whoever polls decides what becomes of it.
                    End::Read if must_close && self.frames.lacks_close() => return Poll::Pending,
                    End::Read => {
                        ready!(Pin::new(&mut *to).poll_shutdown(cx)).map_err(Failure::Write)?;
                        self.end = End::Done;
                    }
                    End::Done => return Poll::Ready(Ok(())),
                }
                if self.end == End::Open {
                    let room = buffer.len();
                    let mut read = ReadBuf::new(buffer);
                    ready!(Pin::new(&mut *from).poll_read(cx, &mut read)).map_err(Failure::Read)?;
                    self.heard = true;
                    let all = read.filled();
                    let (bytes, breach) = self.guarded(all, asking.guard.as_deref_mut());
                    if let Some(ending) = breach {
                        self.pass(bytes, to, cx)?;
                        // What the source still sends is listened to.
                        self.frames.see(all);
                        return Poll::Ready(Err(Failure::Forbidden(ending)));
                    }
                    match bytes {
                        [] => self.end = End::Read,
                        bytes if asking.is_busy() => {
                            self.pass_asking(bytes, &mut asking, to, cx)?;
                        }
                        bytes => {
                            self.frames.see(bytes);
                            let many =
                                bytes.len() == room && self.frames.payload_left() >= count(room);
                            self.pass(bytes, to, cx)?;
                            if many && self.held.is_none() {
                                self.pipe = Pipe::take();
                            }
                            if from.is_dry() && self.held.is_none() && self.pipe.is_none() {
                                return Poll::Pending;
                            }
                        }
                    }
                }
            }
        })
    }

    /// Has these bytes wait behind those that do.
    pub(super) fn hold(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.held.get_or_insert_default().bytes.extend_from_slice(bytes);
        }
    }

    /// Writes `bytes`; what the destination would not take is held.
    pub(super) fn pass(
        &mut self,
        bytes: &[u8],
        to: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Result<(), Failure> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match Pin::new(&mut *to).poll_write(cx, rest).map_err(Failure::Write)? {
                Poll::Ready(n) => {
                    self.moved += count(n);
                    rest = rest.get(n..).unwrap_or_default();
                }
                Poll::Pending => {
                    self.hold(rest);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Moves payload through the pipe while the source fills it at once; ready when it is not needed.
    fn poll_pipe(
        &mut self,
        from: &mut Stream,
        to: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        let Some(pipe) = &mut self.pipe else { return Poll::Ready(Ok(())) };
        loop {
            while !pipe.is_empty() {
                self.moved += count(ready!(pipe.poll_drain(to, cx)).map_err(Failure::Write)?);
            }
            let most = self.frames.payload_left();
            if most > 0 {
                match pipe.poll_fill(from, most, cx).map_err(Failure::Read)? {
                    Poll::Ready(0) => self.end = End::Read,
                    Poll::Ready(read) => {
                        self.heard = true;
                        self.frames.pass(count(read));
                        continue;
                    }
                    Poll::Pending => {}
                }
            }
            self.pipe.take().into_iter().for_each(Pipe::give_back);
            return Poll::Ready(Ok(()));
        }
    }

    /// Writes what is held, in whichever way; ready when nothing is.
    pub(super) fn poll_drain(
        &mut self,
        to: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        ready!(self.poll_held(to, cx))?;
        if let Some(pipe) = &mut self.pipe {
            while !pipe.is_empty() {
                self.moved += count(ready!(pipe.poll_drain(to, cx)).map_err(Failure::Write)?);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what is held; ready when nothing is, and the memory is given back then.
    pub(super) fn poll_held(
        &mut self,
        to: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        while let Some(held) = &mut self.held {
            let rest = held.bytes.get(held.taken..).unwrap_or_default();
            let n = ready!(Pin::new(&mut *to).poll_write(cx, rest)).map_err(Failure::Write)?;
            self.moved += count(n);
            held.taken += n;
            if held.taken >= held.bytes.len() {
                self.held = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
