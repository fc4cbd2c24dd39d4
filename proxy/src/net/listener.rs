//! Listening sockets: bound once for the process, accepted from by every thread.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::Path;
use std::sync::Arc;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener};

use super::{Addr, Stream};

/// A listening socket that the process holds; threads accept from it through [`Bound::listener`].
///
/// Dropping the last handle closes it, and removes the file of a Unix socket.
#[derive(Debug)]
pub(crate) struct Bound {
    asked: Addr,
    addr: Addr,
    fd: OwnedFd,
}

impl Bound {
    /// Binds and listens.
    ///
    /// # Errors
    /// What `socket`, `bind` or `listen` said.
    pub(crate) fn bind(addr: &Addr, backlog: u32, ipv6only: bool) -> io::Result<Arc<Self>> {
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        let asked = addr.clone();
        let (addr, socket) = match addr {
            Addr::Tcp(tcp) => bind_tcp(*tcp, backlog, ipv6only)?,
            Addr::Unix(path) => (addr.clone(), bind_unix(path, backlog)?),
        };
        Ok(Arc::new(Self { asked, addr, fd: socket.into() }))
    }

    /// What it was asked to listen on, by which a later configuration knows it again.
    pub(crate) fn asked(&self) -> &Addr {
        &self.asked
    }

    /// Where it listens; the port that the system chose when 0 was asked for.
    pub(crate) fn addr(&self) -> &Addr {
        &self.addr
    }

    /// A look at the queue from the calling thread's runtime: what came before counts, too.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub(crate) fn knock(&self) -> io::Result<Knock> {
        // All that is asked of this stream is whether it is readable, which a socket that listens
        // is while somebody waits.
        TcpStream::from_std(self.fd.try_clone()?.into()).map(Knock)
    }

    /// A handle for the calling thread's runtime.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub(crate) fn listener(&self) -> io::Result<Listener> {
        let fd = self.fd.try_clone()?;
        match self.addr {
            Addr::Tcp(_) => TcpListener::from_std(StdTcpListener::from(fd)).map(Listener::Tcp),
            Addr::Unix(_) => UnixListener::from_std(StdUnixListener::from(fd)).map(Listener::Unix),
        }
    }
}

/// Whether somebody waits in the queue of a [`Bound`] socket, for a thread that must not accept.
#[derive(Debug)]
pub(crate) struct Knock(TcpStream);

impl Knock {
    /// Waits until somebody waits. Another thread may be the one that lets them in.
    pub(crate) async fn heard(&self) {
        // An error here is one that accepting will tell.
        let _ = self.0.readable().await;
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if let Addr::Unix(path) = &self.addr {
            // Gone already is as good as removed.
            let _ = fs::remove_file(path);
        }
    }
}

/// One thread's way of accepting from a [`Bound`] socket.
#[derive(Debug)]
pub(crate) enum Listener {
    /// Over IP.
    Tcp(TcpListener),
    /// Over a path.
    Unix(UnixListener),
}

impl Listener {
    /// Waits for a connection: the stream, the client's address (none over a path) and, because a
    /// socket bound to every address has many, the address that the client connected to.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Stream::tcp(stream), Some(peer)))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::unix(stream), None))
            }
        }
    }
}

fn bind_tcp(addr: SocketAddr, backlog: i32, ipv6only: bool) -> io::Result<(Addr, Socket)> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        socket.set_only_v6(ipv6only)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(backlog)?;
    let bound = socket.local_addr()?.as_socket().unwrap_or(addr);
    Ok((Addr::Tcp(bound), socket))
}

fn bind_unix(path: &Path, backlog: i32) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(path)?)?;
    socket.listen(backlog)?;
    Ok(socket)
}
