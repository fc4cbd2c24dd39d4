//! A stream socket of the thread's ring.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::net::{SendFlags, Shutdown, send};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::coop::poll_proceed;

use super::driver::Ring;
use super::thread::with;

/// A connected socket. One task at a time reads and writes it.
#[derive(Debug)]
pub(crate) struct RingSocket {
    fd: OwnedFd,
    /// Its place in the ring.
    at: u32,
    /// Whether it would not take more when it was last written to.
    is_full: bool,
    /// Whether what was read last was all, and whoever read it is woken when there is more.
    is_dry: bool,
}

impl RingSocket {
    /// A socket that is connected and does not block.
    ///
    /// # Errors
    /// The calling thread has no ring.
    pub(crate) fn new(fd: OwnedFd) -> io::Result<Self> {
        let at = with(|ring| ring.open()).ok_or(io::ErrorKind::Unsupported)?;
        Ok(Self { fd, at, is_full: false, is_dry: false })
    }

    /// Ready when the other side has said that it sends no more, though bytes may wait to be read.
    pub(crate) fn poll_end(&self, cx: &mut Context<'_>) -> Poll<()> {
        with(|ring| ring.poll_end(self.at, self.fd.as_fd(), cx)).unwrap_or(Poll::Ready(()))
    }

    /// Whether what was read last was all there was, and whoever read it is woken when there is more.
    pub(crate) fn is_dry(&self) -> bool {
        self.is_dry
    }

    /// Stops receiving, and gives what was received and not read.
    ///
    /// # Errors
    /// What the kernel said.
    pub(crate) fn stop(&mut self) -> io::Result<Vec<u8>> {
        with(|ring| ring.stop(self.at)).unwrap_or(Ok(()))?;
        Ok(with(|ring| ring.take_bytes(self.at)).unwrap_or_default())
    }

    /// Reads in another way than into memory, while so much comes that this is worth it.
    pub(crate) fn poll_read_with(
        &mut self,
        cx: &mut Context<'_>,
        read: impl Fn(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let coop = ready!(poll_proceed(cx));
        let fd = self.fd.as_fd();
        let read = ready!(of(with(|ring| ring.poll_read_with(self.at, fd, cx, read))));
        coop.made_progress();
        Poll::Ready(read)
    }

    /// Writes, as soon as that is possible.
    pub(crate) fn poll_write_with(
        &mut self,
        cx: &mut Context<'_>,
        write: impl Fn(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let coop = ready!(poll_proceed(cx));
        let fd = self.fd.as_fd();
        let wait = |is_full| with(|ring| ring.poll_room(self.at, fd, is_full, cx));
        if self.is_full && wait(false) == Some(Poll::Pending) {
            return Poll::Pending;
        }
        with(Ring::count_call);
        let written = write(fd);
        self.is_full = matches!(&written, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        if self.is_full && wait(true) == Some(Poll::Pending) {
            return Poll::Pending;
        }
        coop.made_progress();
        Poll::Ready(written)
    }
}

impl AsFd for RingSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for RingSocket {
    fn drop(&mut self) {
        with(|ring| ring.close(self.at));
    }
}

impl AsyncRead for RingSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let coop = ready!(poll_proceed(cx));
        let this = self.get_mut();
        let fd = this.fd.as_fd();
        let read = with(|ring| {
            let read = ring.poll_read(this.at, fd, cx, buf);
            this.is_dry = read.is_ready() && ring.is_dry(this.at, cx);
            read
        });
        let read = ready!(of(read));
        coop.made_progress();
        Poll::Ready(read)
    }
}

impl AsyncWrite for RingSocket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_with(cx, |fd| Ok(send(fd, buf, SendFlags::NOSIGNAL)?))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_with(cx, |fd| Ok(rustix::io::writev(fd, bufs)?))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(rustix::net::shutdown(&self.fd, Shutdown::Write)?))
    }
}

/// A socket that outlives its ring is connected to nothing.
fn of<T>(answer: Option<Poll<io::Result<T>>>) -> Poll<io::Result<T>> {
    answer.unwrap_or_else(|| Poll::Ready(Err(io::ErrorKind::NotConnected.into())))
}
