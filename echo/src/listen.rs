//! Where the worker listens: a TCP address, or a unix socket that nobody else serves.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::net::ToSocketAddrs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixSocket, UnixStream};
use tokio::time::{Instant, sleep};

use crate::cli::Place;
use crate::stream::Stream;

/// Connections that may wait for `accept`; the kernel caps it at `net.core.somaxconn`. A full queue
/// of a unix socket refuses at once, and a balancer that reconnects hundreds of clients fills it.
const BACKLOG: u32 = 4096;

/// Time that other workers of the same directory get for their own start.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why there is no [`Listener`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    #[error("cannot listen on unix:{}: it is in use by a running server", .0.display())]
    InUse(PathBuf),
    #[error(
        "cannot listen on unix:{}: a file that is no socket stands there; move it away or give \
         another path", .0.display()
    )]
    NotASocket(PathBuf),
    #[error(
        "cannot listen on unix:{}: another program keeps its directory locked", .0.display()
    )]
    Locked(PathBuf),
    #[error("cannot listen on unix:{}: {}", .0.display(), .1)]
    Unix(PathBuf, io::Error),
    #[error("cannot listen on {0}: {1}")]
    Tcp(String, io::Error),
}

/// A bound and listening socket.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

/// A socket file, and which one it is: the path may be somebody else's when we leave.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Listener {
    /// Binds and listens. A stale socket file is replaced, a live one is an error.
    pub(crate) async fn bind(place: &Place) -> Result<Self, BindError> {
        match place {
            Place::Tcp(addr) => {
                bind_tcp(addr).map(Self::Tcp).map_err(|error| BindError::Tcp(addr.clone(), error))
            }
            Place::Unix(path) => bind_unix(path).await,
        }
    }

    /// The next client.
    pub(crate) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Every write is a whole answer: Nagle's algorithm could only delay it. A socket
                // that refuses the option is dead already, as its first read will tell.
                let _ = stream.set_nodelay(true);
                Ok(Stream::Tcp(stream))
            }
            Self::Unix(listener, _) => Ok(Stream::Unix(listener.accept().await?.0)),
        }
    }

    /// Stops accepting and removes the socket file if it is still this listener's. Clients in the
    /// queue are refused before a byte is sent to them, so a balancer can take them elsewhere.
    pub(crate) fn close(self) {
        if let Self::Unix(_, file) = &self {
            file.remove(); // while it still listens: nobody takes a live socket for a stale one
        }
    }
}

/// As a person would type it: `127.0.0.1:8001`, `unix:name.sock`.
impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(addr) => addr.fmt(f),
                Err(error) => write!(f, "a TCP address that cannot be told: {error}"),
            },
            Self::Unix(_, file) => write!(f, "unix:{}", file.path.display()),
        }
    }
}

fn bind_tcp(addr: &str) -> io::Result<TcpListener> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for addr in addr.to_socket_addrs()? {
        let bound = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }
            .and_then(|socket| {
                socket.set_reuseaddr(true)?; // past connections in TIME_WAIT don't matter
                socket.bind(addr)?;
                socket.listen(BACKLOG)
            });
        match bound {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn bind_unix(path: &Path) -> Result<Listener, BindError> {
    let failed = |error| BindError::Unix(path.to_owned(), error);
    // Until the lock goes, no other worker looks at this path: of two that start at once on a stale
    // socket, the second finds the first one live.
    let _lock = lock_directory(path).await?;
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
        Ok(meta) if !meta.file_type().is_socket() => {
            return Err(BindError::NotASocket(path.to_owned()));
        }
        Ok(_) if is_live(path).await.map_err(failed)? => {
            return Err(BindError::InUse(path.to_owned()));
        }
        Ok(_) => fs::remove_file(path).map_err(failed)?,
    }
    let socket = UnixSocket::new_stream().map_err(failed)?;
    socket.bind(path).map_err(failed)?;
    let listener = socket.listen(BACKLOG).map_err(failed)?;
    let file = SocketFile::at(path).map_err(failed)?;
    Ok(Listener::Unix(listener, file))
}

/// An advisory lock on the directory itself, so that no lock file is left behind.
async fn lock_directory(path: &Path) -> Result<File, BindError> {
    let failed = |error| BindError::Unix(path.to_owned(), error);
    let directory = path.parent().filter(|path| !path.as_os_str().is_empty());
    let directory = File::open(directory.unwrap_or(Path::new("."))).map_err(failed)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match directory.try_lock() {
            Ok(()) => return Ok(directory),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                return Err(BindError::Locked(path.to_owned()));
            }
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Whether somebody listens there. A queue too full to take our question is a yes as well.
async fn is_live(path: &Path) -> io::Result<bool> {
    match UnixStream::connect(path).await {
        Ok(_) => Ok(true),
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock => Ok(true),
            ErrorKind::ConnectionRefused => Ok(false),
            _ => Err(error),
        },
    }
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<Self> {
        let meta = fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_owned(), device: meta.dev(), inode: meta.ino() })
    }

    fn remove(&self) {
        let ours = Self::at(&self.path)
            .is_ok_and(|there| (there.device, there.inode) == (self.device, self.inode));
        if ours {
            // Where that fails a stale socket stays, which the next start replaces.
            let _ = fs::remove_file(&self.path);
        }
    }
}
