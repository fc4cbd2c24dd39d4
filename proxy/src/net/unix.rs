//! A stream socket over a path.

use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};

use super::watch::watch;

/// The most that one read takes.
const PIECE: usize = 64 * 1024;

/// A connected socket that is told of bytes to read only.
///
/// A Unix socket reports that it can be written whenever its peer has read something, and so
/// wakes whoever watches for that once for every message. Nobody needs to be told before the
/// socket has been full: until then a write is simply tried.
#[derive(Debug)]
pub(crate) struct UnixSocket {
    /// Nothing only while the socket is registered anew.
    fd: Option<AsyncFd<UnixStream>>,
    /// Whether it has been full, and is watched for both since then.
    both: bool,
}

impl UnixSocket {
    /// A socket that is connected and does not block.
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        Ok(Self { fd: Some(watch(stream, Interest::READABLE)?), both: false })
    }

    fn fd(&self) -> io::Result<&AsyncFd<UnixStream>> {
        self.fd.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    pub(super) fn as_fd(&self) -> io::Result<BorrowedFd<'_>> {
        self.fd().map(|fd| fd.get_ref().as_fd())
    }

    /// Whether the other side has said that it sends no more, by what the last event said.
    pub(super) fn is_read_closed(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let Ok(fd) = self.fd() else { return true };
        matches!(fd.poll_read_ready(&mut cx), Poll::Ready(Ok(guard)) if guard.ready().is_read_closed())
    }

    /// Reads in another way, as soon as there is something.
    pub(super) fn poll_read_with(
        &self,
        cx: &mut Context<'_>,
        read: impl Fn(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let fd = self.fd()?;
        loop {
            let mut guard = ready!(fd.poll_read_ready(cx))?;
            if let Ok(read) = guard.try_io(|fd| read(fd.get_ref().as_fd())) {
                return Poll::Ready(read);
            }
        }
    }

    /// Writes, as soon as that is possible.
    pub(super) fn poll_write_with(
        &mut self,
        cx: &mut Context<'_>,
        write: impl Fn(&UnixStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        if !self.both {
            match write(self.fd()?.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.watch_both(cx)?,
                written => return Poll::Ready(written),
            }
        }
        let fd = self.fd()?;
        loop {
            let mut guard = ready!(fd.poll_write_ready(cx))?;
            if let Ok(written) = guard.try_io(|fd| write(fd.get_ref())) {
                return Poll::Ready(written);
            }
        }
    }

    /// Is told from now on when it can be written, too.
    fn watch_both(&mut self, cx: &Context<'_>) -> io::Result<()> {
        let Some(fd) = self.fd.take() else { return Ok(()) };
        let both = Interest::READABLE | Interest::WRITABLE;
        self.fd = Some(watch(fd.into_inner(), both)?);
        self.both = true;
        // Whoever waited to read was forgotten with the old registration.
        cx.waker().wake_by_ref();
        Ok(())
    }
}

/// Connects. That takes no time: there is a place in the listener's queue, or there is none.
///
/// # Errors
/// What `connect` said; `EAGAIN` where the queue is full.
pub(super) fn connect(path: &Path) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    socket.connect(&SockAddr::unix(path)?)?;
    Ok(socket.into())
}

impl AsyncRead for UnixSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let fd = self.fd()?;
        loop {
            let mut guard = ready!(fd.poll_read_ready(cx))?;
            let room = buf.remaining().min(PIECE);
            let free = buf.initialize_unfilled_to(room);
            match fd.get_ref().read(free) {
                Ok(read) => {
                    if read > 0 && read < room {
                        // Fewer than could be had: there is no more, and an event tells of the next.
                        guard.clear_ready_matching(Ready::READABLE);
                    }
                    buf.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    guard.clear_ready_matching(Ready::READABLE);
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for UnixSocket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_with(cx, |mut stream| stream.write(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_with(cx, |mut stream| stream.write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.fd()?.get_ref().shutdown(Shutdown::Write))
    }
}
