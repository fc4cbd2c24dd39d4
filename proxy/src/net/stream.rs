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

use super::pipe::Pipe;
use super::ring::{self, RingSocket};
use super::unix::{self, UnixSocket};
use super::{Addr, Inherited};

/// One connected stream socket.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Over IP.
    Tcp(TcpStream),
    /// Over a path.
    Unix(UnixSocket),
    /// Over either, of the thread's ring.
    Ring(RingSocket),
}

/// How a connection is made, where that is not left to the system. A path knows none of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Dialing {
    /// From this address; from any port of it where that is 0.
    pub(crate) from: Option<SocketAddr>,
    /// Which need not be this machine's.
    pub(crate) transparent: bool,
    /// Watched by TCP's keepalive.
    pub(crate) keepalive: bool,
}

/// A socket that no runtime knows yet.
#[derive(Debug)]
pub(super) enum Connected {
    /// Over IP.
    Tcp(StdTcpStream),
    /// Over a path.
    Unix(UnixStream),
}

impl From<StdTcpStream> for Connected {
    fn from(stream: StdTcpStream) -> Self {
        Self::Tcp(stream)
    }
}

impl From<UnixStream> for Connected {
    fn from(stream: UnixStream) -> Self {
        Self::Unix(stream)
    }
}

impl From<Connected> for OwnedFd {
    fn from(connected: Connected) -> Self {
        match connected {
            Connected::Tcp(stream) => stream.into(),
            Connected::Unix(stream) => stream.into(),
        }
    }
}

thread_local! {
    /// The streams of this thread, on which they live and die.
    static OPEN: Cell<usize> = const { Cell::new(0) };
}

impl Stream {
    /// A stream of the calling thread's, counted as open. The socket is connected, and does not block.
    ///
    /// # Errors
    /// What its registration said.
    pub(super) fn new(socket: impl Into<Connected>) -> io::Result<Self> {
        let stream = match socket.into() {
            connected if ring::is_here() => Self::Ring(RingSocket::new(connected.into())?),
            Connected::Tcp(stream) => Self::Tcp(TcpStream::from_std(stream)?),
            Connected::Unix(stream) => Self::Unix(UnixSocket::new(stream)?),
        };
        OPEN.set(OPEN.get() + 1);
        Ok(stream)
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
                        if dialing.transparent {
                            set_transparent(&socket, from)?;
                        }
                        socket.bind(from)?;
                        socket.connect(*addr).await?
                    }
                };
                if dialing.keepalive {
                    SockRef::from(&stream).set_keepalive(true)?;
                }
                // Frames are small and nobody waits for more of them: Nagle only adds delay.
                stream.set_nodelay(true)?;
                if ring::is_here() {
                    return Self::new(stream.into_std()?);
                }
                OPEN.set(OPEN.get() + 1);
                Ok(Self::Tcp(stream))
            }
            Addr::Unix(path) => Self::new(unix::connect(path)?),
        }
    }

    /// Lets small writes wait for more, on a socket that was accepted: it sends them at once else.
    pub(crate) fn set_delay(&self) {
        // A socket that won't, or knows nothing of it, is none the worse for it.
        let _ = self.with_fd(|fd| SockRef::from(&fd).set_tcp_nodelay(false));
    }

    /// Makes closing a reset: what the other side has not taken is forgotten.
    pub(crate) fn reset_at_close(&self) {
        let _ = self.with_fd(|fd| SockRef::from(&fd).set_linger(Some(Duration::ZERO)));
    }

    /// Ready when the other side has said that it sends no more, though bytes may wait to be read:
    /// as far as the last event said. Of the next one only a socket of a ring wakes for this.
    pub(crate) fn poll_end(&self, cx: &mut Context<'_>) -> Poll<()> {
        let is_ended = match self {
            Self::Tcp(stream) => {
                let mut cx = Context::from_waker(Waker::noop());
                let ready = pin!(stream.ready(Interest::READABLE)).poll(&mut cx);
                matches!(ready, Poll::Ready(Ok(ready)) if ready.is_read_closed())
            }
            Self::Unix(stream) => stream.is_read_closed(),
            Self::Ring(stream) => return stream.poll_end(cx),
        };
        if is_ended { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Whether what was read last is known to be all there was, and whoever read it is woken when there
    /// is more: reading again would be in vain.
    pub(crate) fn is_dry(&self) -> bool {
        matches!(self, Self::Ring(stream) if stream.is_dry())
    }

    /// Asks for what has come, where a read would only say what has been asked for.
    pub(crate) fn fetch(&self) {
        if matches!(self, Self::Ring(_)) {
            ring::fetch();
        }
    }

    /// The address that the client connected to, where it is an IP address. The system is asked
    /// only when the listener is bound to every address.
    pub(crate) fn local(&self, listener: &Addr) -> Option<SocketAddr> {
        match listener {
            Addr::Tcp(addr) if addr.ip().is_unspecified() => {
                self.with_fd(|fd| SockRef::from(&fd).local_addr()).ok()?.as_socket()
            }
            Addr::Tcp(addr) => Some(*addr),
            Addr::Unix(_) => None,
        }
    }

    fn with_fd<T>(&self, work: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>) -> io::Result<T> {
        match self {
            Self::Tcp(stream) => work(stream.as_fd()),
            Self::Unix(stream) => work(stream.as_fd()?),
            Self::Ring(stream) => work(stream.as_fd()),
        }
    }
}

/// Lets a socket come from an address that is not this machine's.
fn set_transparent(socket: &TcpSocket, from: SocketAddr) -> io::Result<()> {
    let socket = SockRef::from(socket);
    if from.is_ipv4() {
        socket.set_ip_transparent_v4(true)
    } else {
        socket.set_ip_transparent_v6(true)
    }
}

impl Stream {
    /// Another descriptor of the same socket, which no runtime knows. Close this one then.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub(crate) fn bequeath(&self) -> io::Result<Inherited> {
        let copy = || self.with_fd(|fd| fd.try_clone_to_owned()).map(Inherited::from);
        // Pipes that are kept for the next large message are not worth a connection.
        copy().or_else(|error| if Pipe::close_idle() { copy() } else { Err(error) })
    }

    /// Has nothing more read from it, and gives what was taken from the system but not read.
    ///
    /// # Errors
    /// What the system said.
    pub(crate) fn stop(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => Ok(Vec::new()),
            Self::Ring(stream) => stream.stop(),
        }
    }

    /// Gives it to the calling thread's runtime.
    ///
    /// # Errors
    /// It is no connected socket of a kind that is known here.
    pub(crate) fn from_inherited(inherited: Inherited) -> io::Result<Self> {
        let fd = OwnedFd::from(inherited);
        match SockRef::from(&fd).domain()? {
            Domain::IPV4 | Domain::IPV6 => Self::new(StdTcpStream::from(fd)),
            Domain::UNIX => Self::new(UnixStream::from(fd)),
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
            Self::Ring(stream) => return stream.poll_read_with(cx, read),
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
            Self::Ring(stream) => return stream.poll_write_with(cx, write),
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
            Stream::Ring($stream) => $call,
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
