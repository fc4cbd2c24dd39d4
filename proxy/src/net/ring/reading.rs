//! How a ring's sockets are read: from what the kernel has received, or directly where much comes.

use std::io;
use std::mem::replace;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::task::{Context, Poll};

use io_uring::opcode;
use io_uring::types::Fd;
use rustix::event::PollFlags;
use tokio::io::ReadBuf;

use super::driver::{Ask, Ring, index, lost, poll};
use super::room::GROUP;

impl Ring {
    /// What has come and was not read.
    pub(super) fn take_bytes(&mut self, at: u32) -> Vec<u8> {
        let Some(slot) = self.slots.get_mut(index(at)) else { return Vec::new() };
        slot.take_bytes(&mut self.room)
    }

    /// Ready when the other side has said that it sends no more, though bytes may wait to be read.
    pub(super) fn poll_end(&mut self, at: u32, fd: BorrowedFd<'_>, cx: &Context<'_>) -> Poll<()> {
        let Some(slot) = self.slots.get_mut(index(at)) else { return Poll::Ready(()) };
        if slot.is_ended() || slot.hung_up {
            return Poll::Ready(());
        }
        slot.wait(cx);
        // Behind bytes that nobody reads nothing is received.
        if !slot.receives {
            self.listen(at, fd);
        }
        Poll::Pending
    }

    /// Gives what has come. With nothing, more is asked for, and whoever asks is woken.
    pub(super) fn poll_read(
        &mut self,
        at: u32,
        fd: BorrowedFd<'_>,
        cx: &Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(slot) = self.slots.get(index(at)) else { return lost() };
        if slot.is_awaited(cx) {
            return Poll::Pending;
        }
        self.count_call();
        let Some(slot) = self.slots.get_mut(index(at)) else { return lost() };
        let given = slot.give(buf, &mut self.room);
        if given.is_ready() {
            return given;
        }
        if slot.direct {
            let free = buf.initialize_unfilled();
            let most = free.len();
            let read = |fd: BorrowedFd<'_>| Ok(rustix::io::read(fd, &mut *free)?);
            let read = self.read_directly(at, fd, read)?;
            let Some(slot) = self.slots.get_mut(index(at)) else { return lost() };
            if let Some(read) = read {
                slot.note_read(read, most);
                buf.advance(read);
                return Poll::Ready(Ok(()));
            }
            // It may have come while the kernel was being stopped.
            let given = slot.give(buf, &mut self.room);
            if given.is_ready() {
                return given;
            }
        }
        self.wait_for_bytes(at, fd, cx);
        Poll::Pending
    }

    /// Whether it was read dry; whoever asks is woken when more comes, then, and need not read again.
    pub(super) fn is_dry(&mut self, at: u32, cx: &Context<'_>) -> bool {
        let slot = self.slots.get_mut(index(at)).filter(|slot| slot.is_dry());
        slot.map(|slot| slot.wait(cx)).is_some()
    }

    /// Reads in another way than into memory, if it is read directly.
    pub(super) fn poll_read_with(
        &mut self,
        at: u32,
        fd: BorrowedFd<'_>,
        cx: &Context<'_>,
        read: impl Fn(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        self.count_call();
        if let Some(read) = self.read_directly(at, fd, read)? {
            return Poll::Ready(Ok(read));
        }
        self.wait_for_bytes(at, fd, cx);
        Poll::Pending
    }

    /// Reads what the system has, unless it has nothing, or something else must be read before.
    fn read_directly(
        &mut self,
        at: u32,
        fd: BorrowedFd<'_>,
        mut read: impl FnMut(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> io::Result<Option<usize>> {
        self.stop(at)?;
        let Some(slot) = self.slots.get_mut(index(at)) else { return Ok(None) };
        if !slot.direct || !slot.ready || slot.has_bytes() || slot.is_ended() {
            return Ok(None);
        }
        match read(fd) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                slot.ready = false;
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    /// Stops receiving: when this returns, all that the kernel has taken of the socket is here.
    ///
    /// # Errors
    /// What the kernel said.
    pub(super) fn stop(&mut self, at: u32) -> io::Result<()> {
        self.tell_to_stop(at, Ask::Receive);
        while self.slots.get(index(at)).is_some_and(|slot| slot.receives) {
            self.enter(1)?;
            self.answer();
        }
        Ok(())
    }

    /// Has whoever asks be woken once there is something to read.
    fn wait_for_bytes(&mut self, at: u32, fd: BorrowedFd<'_>, cx: &Context<'_>) {
        let Some(slot) = self.slots.get_mut(index(at)) else { return };
        slot.wait(cx);
        if slot.direct {
            self.listen(at, fd);
        } else if !slot.receives {
            (slot.receives, slot.stops) = (true, false);
            self.tell_to_stop(at, Ask::Listen);
            self.ask(at, Ask::Receive, opcode::RecvMulti::new(Fd(fd.as_raw_fd()), GROUP).build());
        }
    }

    fn listen(&mut self, at: u32, fd: BorrowedFd<'_>) {
        let Some(slot) = self.slots.get_mut(index(at)) else { return };
        if !replace(&mut slot.listens, true) {
            let what = PollFlags::IN | PollFlags::RDHUP;
            self.ask(at, Ask::Listen, poll(fd, what).multi(true).build());
        }
    }
}
