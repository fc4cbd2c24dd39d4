//! A pipe between two sockets: bytes go through it without being copied into the process.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll, ready};

use rustix::io::retry_on_intr;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

use super::Stream;

/// The most that is moved at once.
const SIZE: usize = 256 * 1024;

/// How many pipes a thread keeps for the next that wants one.
const KEPT: usize = 8;

thread_local! {
    static IDLE: RefCell<Vec<Pipe>> = const { RefCell::new(Vec::new()) };
}

/// A pipe, and how much of what was moved into it is still there.
#[derive(Debug)]
pub(crate) struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
    held: usize,
}

impl Pipe {
    /// An empty one; none when there are no descriptors for it.
    pub(crate) fn take() -> Option<Box<Self>> {
        if let Some(pipe) = IDLE.with_borrow_mut(Vec::pop) {
            return Some(Box::new(pipe));
        }
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).ok()?;
        // A smaller one does as well: the system has a limit for each user.
        let _ = fcntl_setpipe_size(&write, SIZE);
        Some(Box::new(Self { read, write, held: 0 }))
    }

    /// Keeps it for the next, if nothing is in it.
    pub(crate) fn give_back(self: Box<Self>) {
        IDLE.with_borrow_mut(|idle| {
            if self.held == 0 && idle.len() < KEPT {
                idle.push(*self);
            }
        });
    }

    /// Closes those that are kept; whether there were any.
    pub(super) fn close_idle() -> bool {
        !IDLE.take().is_empty()
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Reads all that is in it.
    ///
    /// # Errors
    /// What `read` said.
    pub(crate) fn read_to_end(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        let mut piece = [0; 4096];
        while self.held > 0 {
            let read = retry_on_intr(|| rustix::io::read(&self.read, &mut piece))?;
            into.extend_from_slice(piece.get(..read).unwrap_or_default());
            self.held = self.held.saturating_sub(read.max(1));
        }
        Ok(())
    }

    /// Moves what the socket has into the pipe, which must be empty, at most so many bytes. Zero at
    /// the end.
    pub(crate) fn poll_fill(
        &mut self,
        from: &mut Stream,
        most: u64,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let write = self.write.as_fd();
        let most = usize::try_from(most).map_or(SIZE, |most| most.min(SIZE));
        let moved = ready!(from.poll_read_with(cx, |socket| {
            let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE;
            Ok(retry_on_intr(|| splice(socket, None, write, None, most, flags))?)
        }))?;
        self.held = moved;
        Poll::Ready(Ok(moved))
    }

    /// Moves what is in the pipe to the socket, as much as it takes.
    pub(crate) fn poll_drain(
        &mut self,
        to: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let (read, held) = (self.read.as_fd(), self.held);
        let moved = ready!(to.poll_write_fd(cx, |socket| {
            let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE;
            Ok(retry_on_intr(|| splice(read, None, socket, None, held, flags))?)
        }))?;
        self.held = held.saturating_sub(moved);
        Poll::Ready(Ok(moved))
    }
}
