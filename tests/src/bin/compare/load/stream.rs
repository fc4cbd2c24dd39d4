//! What a connection runs over: TCP to a front, or a worker's socket where there is no front.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, UnixStream};

/// How many addresses of 127/8 the connections come from, so that ports don't run out.
const SOURCES: u32 = 200;

/// Where connections go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A front.
    Front(SocketAddr),
    /// The workers themselves, in turn.
    Workers(Vec<PathBuf>),
}

impl Target {
    /// The value of `Host`.
    pub(crate) fn host(&self) -> String {
        match self {
            Self::Front(address) => address.to_string(),
            Self::Workers(_) => "localhost".to_owned(),
        }
    }

    /// The URLs under which a WebSocket client finds it.
    pub(crate) fn urls(&self) -> Vec<String> {
        match self {
            Self::Front(address) => vec![format!("ws://{address}/")],
            Self::Workers(paths) => {
                paths.iter().map(|path| format!("ws+unix:{}", path.display())).collect()
            }
        }
    }

    /// Connects, as the connection of this number.
    pub(crate) async fn connect(&self, number: u32) -> io::Result<Stream> {
        match self {
            Self::Front(address) => {
                let socket = TcpSocket::new_v4()?;
                let host = u8::try_from(1 + number % SOURCES).unwrap_or(1);
                socket.bind((Ipv4Addr::new(127, 0, 1, host), 0).into())?;
                let stream = socket.connect(*address).await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Self::Workers(paths) => {
                let mut turns = paths.iter().cycle();
                let turn = usize::try_from(number).unwrap_or(0) % paths.len().max(1);
                let path = turns.nth(turn).ok_or(io::ErrorKind::NotFound)?;
                UnixStream::connect(path).await.map(Stream::Unix)
            }
        }
    }
}

/// A connected stream.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket keeps nothing back.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
