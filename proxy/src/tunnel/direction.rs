//! One direction of a tunnel: what is read on one socket is written to the other.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::farewell::Farewell;
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

/// The state of one direction: 56 bytes, and a buffer or a pipe only while many bytes flow.
#[derive(Debug)]
pub(super) struct Direction {
    /// What the destination would not take yet.
    held: Vec<u8>,
    /// How much of `held` it has taken.
    taken: usize,
    /// What the bytes go through while there are many.
    pipe: Option<Box<Pipe>>,
    /// How far it is.
    pub(super) end: End,
    /// Bytes that the destination took.
    pub(super) moved: u64,
}

impl Direction {
    /// A direction that starts with bytes which were read before the tunnel began.
    pub(super) fn new(early: Vec<u8>) -> Self {
        Self { held: early, taken: 0, pipe: None, end: End::Open, moved: 0 }
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
    /// over, the end is not passed on: both sockets are about to be closed. Nor is an end without the
    /// farewell that is missing.
    pub(super) fn poll(
        &mut self,
        from: &mut Stream,
        to: &mut Stream,
        other_is_over: bool,
        farewell: &mut Farewell,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        scratch(|buffer| {
            loop {
                ready!(self.poll_held(to, cx))?;
                ready!(self.poll_pipe(from, to, farewell, cx))?;
                match self.end {
                    End::Open => {}
                    End::Read if other_is_over => self.end = End::Done,
                    // Whoever polls decides what becomes of it.
                    End::Read if farewell.is_missing() => return Poll::Pending,
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
                            farewell.see(bytes);
                            let many = bytes.len() == room;
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
    fn pass(&mut self, bytes: &[u8], to: &mut Stream, cx: &mut Context<'_>) -> Result<(), Failure> {
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

    /// Moves bytes through the pipe while the source fills it at once; ready when it is not needed.
    fn poll_pipe(
        &mut self,
        from: &mut Stream,
        to: &mut Stream,
        farewell: &mut Farewell,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        let Some(pipe) = &mut self.pipe else { return Poll::Ready(Ok(())) };
        loop {
            while !pipe.is_empty() {
                self.moved += count(ready!(pipe.poll_drain(to, cx)).map_err(Failure::Write)?);
            }
            match pipe.poll_fill(from, cx).map_err(Failure::Read)? {
                Poll::Ready(read @ 1..) => farewell.pass(count(read)),
                rest => {
                    if rest.is_ready() {
                        self.end = End::Read;
                    }
                    self.pipe.take().into_iter().for_each(Pipe::give_back);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    /// Writes what is held; ready when nothing is, and the memory is given back then.
    fn poll_held(&mut self, to: &mut Stream, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
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
