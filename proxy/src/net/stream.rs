//! A connection, whichever kind of socket it runs over.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::Addr;
use super::unix::UnixSocket;

/// One connected stream socket.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Over IP.
    Tcp(TcpStream),
    /// Over a path.
    Unix(UnixSocket),
}

impl Stream {
    /// Connects; the caller bounds the time.
    pub(crate) async fn connect(addr: &Addr) -> io::Result<Self> {
        match addr {
            Addr::Tcp(addr) => {
                let stream = TcpStream::connect(addr).await?;
                // Frames are small and nobody waits for more of them: Nagle only adds delay.
                stream.set_nodelay(true)?;
                Ok(Self::Tcp(stream))
            }
            Addr::Unix(path) => UnixSocket::connect(path).map(Self::Unix),
        }
    }

    /// Sends small writes at once. A socket that won't is none the worse for it.
    pub(crate) fn set_nodelay(&self) {
        if let Self::Tcp(stream) = self {
            let _ = stream.set_nodelay(true);
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
