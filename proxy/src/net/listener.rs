//! Listening sockets: bound once for the process, accepted from by every thread.

use std::fs::{self, Permissions};
use std::io;
use std::net::{SocketAddr, TcpStream as StdTcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::parent_id;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustix::net::{SocketFlags, accept_with, acceptfrom_with};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::TcpStream;

use super::watch::watch;
use super::{Addr, Inherited, Stream};

const READABLE: Interest = Interest::READABLE;

/// What a socket is that was accepted.
const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// The options of a listening socket, which those that are accepted from it inherit.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// The length of its queue.
    pub(crate) backlog: u32,
    /// Whether an IPv6 socket takes IPv6 only.
    pub(crate) ipv6only: bool,
    /// Whether another process may listen there as well.
    pub(crate) reuseport: bool,
    /// The size of the receive buffer, in bytes.
    pub(crate) receive: Option<usize>,
    /// The size of the send buffer, in bytes.
    pub(crate) send: Option<usize>,
    /// Whether TCP asks silent clients if they are still there.
    pub(crate) keepalive: Option<bool>,
    /// When it asks: idle time, interval, count.
    pub(crate) probes: (Option<Duration>, Option<Duration>, Option<u32>),
}

impl Options {
    fn backlog(&self) -> i32 {
        i32::try_from(self.backlog).unwrap_or(i32::MAX)
    }

    fn apply(&self, socket: &Socket, tcp: bool) -> io::Result<()> {
        self.receive.map_or(Ok(()), |size| socket.set_recv_buffer_size(size))?;
        self.send.map_or(Ok(()), |size| socket.set_send_buffer_size(size))?;
        let Some(keepalive) = self.keepalive.filter(|_| tcp) else { return Ok(()) };
        socket.set_keepalive(keepalive)?;
        let (idle, interval, count) = self.probes;
        let mut probes = TcpKeepalive::new();
        probes = idle.map_or(probes.clone(), |idle| probes.with_time(idle));
        probes = interval.map_or(probes.clone(), |interval| probes.with_interval(interval));
        probes = count.map_or(probes.clone(), |count| probes.with_retries(count));
        if keepalive { socket.set_tcp_keepalive(&probes) } else { Ok(()) }
    }
}

/// A listening socket that the process holds; threads accept from it through [`Bound::listener`].
///
/// Dropping the last handle closes it, and removes the file of a Unix socket, unless that is another
/// process's.
#[derive(Debug)]
pub(crate) struct Bound {
    asked: Addr,
    addr: Addr,
    fd: OwnedFd,
    /// The process that has bound it, if that was another one, our parent.
    lender: Option<u32>,
    left: AtomicBool,
}

impl Bound {
    /// Binds and listens.
    ///
    /// # Errors
    /// What `socket`, `bind` or `listen` said.
    pub(crate) fn bind(addr: &Addr, options: &Options) -> io::Result<Arc<Self>> {
        let asked = addr.clone();
        let (addr, socket) = match addr {
            Addr::Tcp(tcp) => bind_tcp(*tcp, options)?,
            Addr::Unix(path) => (addr.clone(), bind_unix(path, options)?),
        };
        Ok(Self::new(asked, addr, socket.into(), None))
    }

    /// Goes on with a socket that an image before this one has bound and left open.
    ///
    /// # Errors
    /// It does not listen where it is said to.
    pub(crate) fn inherit(
        asked: Addr,
        inherited: Inherited,
        lender: Option<u32>,
    ) -> io::Result<Arc<Self>> {
        let fd = OwnedFd::from(inherited);
        let socket = listening(&fd)?;
        let addr = match (&asked, socket.local_addr()?.as_socket()) {
            (Addr::Tcp(_), Some(addr)) => Addr::Tcp(addr),
            (Addr::Unix(_), None) => asked.clone(),
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        };
        Ok(Self::new(asked, addr, fd, lender))
    }

    /// Goes on with a socket that our parent has bound for us.
    ///
    /// # Errors
    /// It does not listen, or not where this proxy could.
    pub(crate) fn adopt(inherited: Inherited) -> io::Result<Arc<Self>> {
        let fd = OwnedFd::from(inherited);
        let socket = listening(&fd)?;
        let addr = socket.local_addr()?;
        let addr = match (addr.as_socket(), addr.as_pathname()) {
            (Some(addr), _) => Addr::Tcp(addr),
            (None, Some(path)) => Addr::Unix(path.into()),
            (None, None) => return Err(io::Error::other("it has no address that is known here")),
        };
        // As one that is bound here.
        socket.set_nonblocking(true)?;
        if matches!(addr, Addr::Tcp(_)) {
            socket.set_tcp_nodelay(true)?;
        }
        Ok(Self::new(addr.clone(), addr, fd, Some(parent_id())))
    }

    fn new(asked: Addr, addr: Addr, fd: OwnedFd, lender: Option<u32>) -> Arc<Self> {
        Arc::new(Self { asked, addr, fd, lender, left: AtomicBool::new(false) })
    }

    /// Another descriptor of the same socket, for the image after this one.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub(crate) fn bequeath(&self) -> io::Result<Inherited> {
        Ok(self.fd.try_clone()?.into())
    }

    /// Gives other options to a socket that listens already. What may only be said before is left
    /// as it is.
    ///
    /// # Errors
    /// What the system refused.
    pub(crate) fn change(&self, options: &Options) -> io::Result<()> {
        let socket = SockRef::from(&self.fd);
        options.apply(&socket, matches!(self.addr, Addr::Tcp(_)))?;
        socket.listen(options.backlog())
    }

    /// What it was asked to listen on, by which a later configuration knows it again.
    pub(crate) fn asked(&self) -> &Addr {
        &self.asked
    }

    /// Whether it is what is meant by this address. Whoever else has bound it may have written a
    /// path otherwise.
    pub(crate) fn is_at(&self, addr: &Addr) -> bool {
        let whole = |path| std::path::absolute(path).ok();
        match (&self.asked, addr) {
            (Addr::Unix(asked), Addr::Unix(path)) if self.lender.is_some() => {
                whole(asked) == whole(path)
            }
            (asked, addr) => asked == addr,
        }
    }

    /// The process that has bound it, if that was another one.
    pub(crate) fn lender(&self) -> Option<u32> {
        self.lender
    }

    /// Where it listens; the port that the system chose when 0 was asked for.
    pub(crate) fn addr(&self) -> &Addr {
        &self.addr
    }

    /// Says that nobody will accept from it when those who do now have ended.
    pub(crate) fn leave(&self) {
        self.left.store(true, Release);
    }

    /// Whether what is still in its queue has no other chance.
    pub(crate) fn is_left(&self) -> bool {
        self.left.load(Acquire)
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
            Addr::Tcp(_) => watch(fd, READABLE).map(Listener::Tcp),
            Addr::Unix(_) => watch(fd, READABLE).map(Listener::Unix),
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
        // While the lender lives, others may be given the socket after us. Then it is our parent, as
        // it was in the beginning.
        let is_lent = self.lender.is_some_and(|lender| lender == parent_id());
        if let (Addr::Unix(path), false) = (&self.addr, is_lent) {
            // Gone already is as good as removed.
            let _ = fs::remove_file(path);
        }
    }
}

/// One thread's way of accepting from a [`Bound`] socket.
#[derive(Debug)]
pub(crate) enum Listener {
    /// Over IP.
    Tcp(AsyncFd<OwnedFd>),
    /// Over a path.
    Unix(AsyncFd<OwnedFd>),
}

impl Listener {
    /// The next of those who wait already, as [`Listener::accept`] gives it.
    pub(crate) fn try_accept(&self) -> Option<(Stream, Option<SocketAddr>)> {
        // What is not ready at once is not waiting: nobody has to be woken.
        let mut cx = Context::from_waker(Waker::noop());
        match pin!(self.accept()).poll(&mut cx) {
            Poll::Ready(Ok(accepted)) => Some(accepted),
            Poll::Ready(Err(_)) | Poll::Pending => None,
        }
    }

    /// Waits for a connection: the stream, the client's address (none over a path) and, because a
    /// socket bound to every address has many, the address that the client connected to.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let accept = |fd: &OwnedFd| Ok(acceptfrom_with(fd, FLAGS)?);
                let (fd, peer) = listener.async_io(READABLE, accept).await?;
                let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
                Ok((Stream::new(StdTcpStream::from(fd))?, peer))
            }
            Self::Unix(listener) => {
                let accept = |fd: &OwnedFd| Ok(accept_with(fd, FLAGS)?);
                let fd = listener.async_io(READABLE, accept).await?;
                Ok((Stream::new(UnixStream::from(fd))?, None))
            }
        }
    }
}

/// A socket, if it listens.
fn listening(fd: &OwnedFd) -> io::Result<SockRef<'_>> {
    let socket = SockRef::from(fd);
    match socket.is_listener()? {
        true => Ok(socket),
        false => Err(io::Error::other("it does not listen")),
    }
}

fn bind_tcp(addr: SocketAddr, options: &Options) -> io::Result<(Addr, Socket)> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if options.reuseport {
        socket.set_reuse_port(true)?;
    }
    if addr.is_ipv6() {
        socket.set_only_v6(options.ipv6only)?;
    }
    socket.set_nonblocking(true)?;
    // What is accepted inherits it.
    socket.set_tcp_nodelay(true)?;
    options.apply(&socket, true)?;
    socket.bind(&addr.into())?;
    socket.listen(options.backlog())?;
    let bound = socket.local_addr()?.as_socket().unwrap_or(addr);
    Ok((Addr::Tcp(bound), socket))
}

fn bind_unix(path: &Path, options: &Options) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    options.apply(&socket, false)?;
    socket.bind(&SockAddr::unix(path)?)?;
    // Everybody may connect, as with nginx, whatever the umask: directories keep out who may not.
    fs::set_permissions(path, Permissions::from_mode(0o666))?;
    socket.listen(options.backlog())?;
    Ok(socket)
}
