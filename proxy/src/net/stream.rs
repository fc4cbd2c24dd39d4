//! A connection, whichever kind of socket it runs over.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::net::{SocketAddr, TcpStream as StdTcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use socket2::{Domain, SockRef};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};

use super::unix::UnixSocket;
use super::{Addr, Inherited};

/// One connected stream socket.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Over IP.
    Tcp(TcpStream),
    /// Over a path.
    Unix(UnixSocket),
}

/// How a connection is made, where that is not left to the system. A path knows none of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Dialing {
    /// From this address; from any port of it where that is 0.
    pub(crate) from: Option<SocketAddr>,
    /// Watched by TCP's keepalive.
    pub(crate) keepalive: bool,
}

thread_local! {
    /// The streams of this thread, on which they live and die.
    static OPEN: Cell<usize> = const { Cell::new(0) };
}

impl Stream {
    /// A stream that is counted as open.
    pub(super) fn tcp(stream: TcpStream) -> Self {
        OPEN.set(OPEN.get() + 1);
        Self::Tcp(stream)
    }

    /// A stream that is counted as open.
    pub(super) fn unix(stream: UnixSocket) -> Self {
        OPEN.set(OPEN.get() + 1);
        Self::Unix(stream)
    }

    /// How many streams this thread has open, accepted and connected ones.
    pub(crate) fn open_here() -> usize {
        OPEN.get()
    }

    /// Connects; the caller bounds the time.
    pub(crate) async fn connect(addr: &Addr, dialing: Dialing) -> io::Result<Self> {
        match addr {
            Addr::Tcp(addr) => {
                let stream = match dialing.from {
                    None => TcpStream::connect(addr).await?,
                    Some(from) => {
                        let socket =
                            if from.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
                        socket.set_reuseaddr(true)?;
                        socket.bind(from)?;
                        socket.connect(*addr).await?
                    }
                };
                if dialing.keepalive {
                    SockRef::from(&stream).set_keepalive(true)?;
                }
                // Frames are small and nobody waits for more of them: Nagle only adds delay.
                stream.set_nodelay(true)?;
                Ok(Self::tcp(stream))
            }
            Addr::Unix(path) => UnixSocket::connect(path).map(Self::unix),
        }
    }

    /// Lets small writes wait for more, on a socket that was accepted: it sends them at once else.
    pub(crate) fn set_delay(&self) {
        if let Self::Tcp(stream) = self {
            // A socket that won't is none the worse for it.
            let _ = stream.set_nodelay(false);
        }
    }

    /// Makes closing a reset: what the other side has not taken is forgotten.
    pub(crate) fn reset_at_close(&self) {
        if let Self::Tcp(stream) = self {
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }

    /// Whether the other side has said that it sends no more, though bytes may wait to be read.
    /// No system call: it is what the last event said.
    pub(crate) fn is_read_closed(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let ready = match self {
            Self::Tcp(stream) => pin!(stream.ready(Interest::READABLE)).poll(&mut cx),
            Self::Unix(stream) => return stream.is_read_closed(),
        };
        matches!(ready, Poll::Ready(Ok(ready)) if ready.is_read_closed())
    }

    /// The address that the client connected to, where it is an IP address. The system is asked
    /// only when the listener is bound to every address.
    pub(crate) fn local(&self, listener: &Addr) -> Option<SocketAddr> {
        match (self, listener) {
            (Self::Tcp(stream), Addr::Tcp(addr)) if addr.ip().is_unspecified() => {
                stream.local_addr().ok()
            }
            (Self::Tcp(_), Addr::Tcp(addr)) => Some(*addr),
            _ => None,
        }
    }
}

impl Stream {
    /// Another descriptor of the same socket, which no runtime knows. Close this one then.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub(crate) fn bequeath(&self) -> io::Result<Inherited> {
        let fd = match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd()?,
        };
        Ok(fd.try_clone_to_owned()?.into())
    }

    /// Gives it to the calling thread's runtime.
    ///
    /// # Errors
    /// It is no connected socket of a kind that is known here.
    pub(crate) fn from_inherited(inherited: Inherited) -> io::Result<Self> {
        let fd = OwnedFd::from(inherited);
        match SockRef::from(&fd).domain()? {
            Domain::IPV4 | Domain::IPV6 => {
                TcpStream::from_std(StdTcpStream::from(fd)).map(Self::tcp)
            }
            Domain::UNIX => UnixSocket::new(UnixStream::from(fd)).map(Self::unix),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Reads in another way than into memory, as soon as there is something.
    pub(super) fn poll_read_with(
        &mut self,
        cx: &mut Context<'_>,
        read: impl Fn(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let stream = match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream) => return stream.poll_read_with(cx, read),
        };
        loop {
            ready!(stream.poll_read_ready(cx))?;
            match stream.try_io(Interest::READABLE, || read(stream.as_fd())) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
    }

    /// Writes in another way than from memory, as soon as that is possible.
    pub(super) fn poll_write_fd(
        &mut self,
        cx: &mut Context<'_>,
        write: impl Fn(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let stream = match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream) => return stream.poll_write_with(cx, |fd| write(fd.as_fd())),
        };
        loop {
            ready!(stream.poll_write_ready(cx))?;
            match stream.try_io(Interest::WRITABLE, || write(stream.as_fd())) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // When a thread ends, what it had may outlive the count.
        let _ = OPEN.try_with(|open| open.set(open.get().saturating_sub(1)));
    }
}

/// Runs the same call on whichever socket it is.
macro_rules! either {
    ($self:expr, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Tcp($stream) => $call,
            Stream::Unix($stream) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
