//! One direction of a tunnel: what is read on one socket is written to the other.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::Tracker;
use crate::net::{Pipe, Stream, scratch};

/// How far one direction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

/// The state of one direction: 104 bytes, and a buffer or a pipe only while many bytes flow.
#[derive(Debug)]
pub(super) struct Direction {
    /// What the destination would not take yet.
    pub(super) held: Vec<u8>,
    /// How much of `held` it has taken.
    taken: usize,
    /// What the bytes go through while there are many.
    pipe: Option<Box<Pipe>>,
    /// How far it is.
    pub(super) end: End,
    /// Bytes that the destination took.
    pub(super) moved: u64,
    /// Where between the frames it is, by what was read.
    pub(super) frames: Tracker,
}

impl Direction {
    /// A direction that starts with bytes which were read before the tunnel began.
    pub(super) fn new(early: Vec<u8>, mut frames: Tracker) -> Self {
        frames.see(&early);
        Self { held: early, taken: 0, pipe: None, end: End::Open, moved: 0, frames }
    }

    /// Whether the destination is slower than the source.
    pub(super) fn is_blocked(&self) -> bool {
        !self.held.is_empty() || self.pipe.as_ref().is_some_and(|pipe| !pipe.is_empty())
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
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        scratch(|buffer| {
            loop {
                ready!(self.poll_held(to, cx))?;
                ready!(self.poll_pipe(from, to, cx))?;
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
                    match read.filled() {
                        [] => self.end = End::Read,
                        bytes => {
                            self.frames.see(bytes);
                            let many =
                                bytes.len() == room && self.frames.payload_left() >= count(room);
                            self.pass(bytes, to, cx)?;
                            if many && self.held.is_empty() {
                                self.pipe = Pipe::take();
                            }
                        }
                    }
                }
            }
        })
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
                    self.held = rest.to_vec();
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
        while let Some(rest) = self.held.get(self.taken..).filter(|rest| !rest.is_empty()) {
            let n = ready!(Pin::new(&mut *to).poll_write(cx, rest)).map_err(Failure::Write)?;
            self.moved += count(n);
            self.taken += n;
        }
        if !self.held.is_empty() {
            self.held = Vec::new();
            self.taken = 0;
        }
        Poll::Ready(Ok(()))
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
