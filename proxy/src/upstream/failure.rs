//! What can go wrong with one server, and what it is called in the log.

use std::borrow::Cow;
use std::fmt;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::observe::{Level, errno};

/// What was being done when it went wrong: the end of nginx's sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The connection was being made.
    Connect,
    /// The request was on its way.
    Send,
    /// The answer's head was awaited.
    Head,
    /// The answer's body was awaited.
    Body,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "while connecting to upstream",
            Self::Send => "while sending request to upstream",
            Self::Head => "while reading response header from upstream",
            Self::Body => "while reading upstream",
        })
    }
}

/// Why a server did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The connection could not be made; nothing was sent.
    #[error("connect() to {0} failed ({error}){why}", error = errno(.1), why = Refused(.0, .1))]
    Connect(Box<str>, #[source] io::Error),
    /// It took too long.
    #[error("upstream timed out (110: Connection timed out)")]
    Timeout(Phase),
    /// It closed the connection before its answer was complete.
    #[error("upstream prematurely closed connection")]
    Closed(Phase),
    /// A socket call failed on an open connection.
    #[error("{} failed ({error})", if *.0 == Phase::Send { "send()" } else { "recv()" }, error = errno(.1))]
    Socket(Phase, #[source] io::Error),
    /// Its answer is not HTTP.
    #[error("upstream sent {1}")]
    Invalid(Phase, Cow<'static, str>),
    /// It switched protocols though nobody had asked it to.
    #[error("upstream sent a 101 that was not asked for")]
    Unasked,
    /// The client paused for too long in its body; no server is to blame.
    #[error("client timed out (110: Connection timed out)")]
    ClientTimeout,
    /// The client's own request broke off while it was passed on; no server is to blame.
    #[error("client prematurely closed connection")]
    Client,
    /// The client's body is larger than it may be; no server is to blame.
    #[error("client intended to send too large body")]
    TooLarge,
}

/// Why the system refused a socket's path: whose it is, and who asks. nginx leaves both to be
/// found out.
struct Refused<'a>(&'a str, &'a io::Error);

impl fmt::Display for Refused<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.strip_prefix("unix:").map(Path::new);
        let Some(path) = path.filter(|_| self.1.kind() == io::ErrorKind::PermissionDenied) else {
            return Ok(());
        };
        let mode = |metadata: &Metadata| metadata.mode() & 0o7777;
        match path.metadata() {
            Ok(socket) => {
                let (uid, gid, mode) = (socket.uid(), socket.gid(), mode(&socket));
                write!(f, ", the socket is of uid {uid} gid {gid} mode {mode:04o}")?;
            }
            Err(_) => write!(f, ", a directory on the way to it is closed")?,
        }
        // The owner of what the system tells of this thread is who this thread is.
        match Path::new("/proc/thread-self/comm").metadata() {
            Ok(own) => write!(f, ", we are uid {} gid {}", own.uid(), own.gid()),
            Err(_) => Ok(()),
        }
    }
}

impl Failure {
    /// What was being done.
    pub(crate) fn phase(&self) -> Phase {
        match self {
            Self::Connect(..) => Phase::Connect,
            Self::Timeout(phase) | Self::Closed(phase) => *phase,
            Self::Socket(phase, _) | Self::Invalid(phase, _) => *phase,
            Self::Unasked => Phase::Head,
            Self::Client | Self::ClientTimeout | Self::TooLarge => Phase::Send,
        }
    }

    /// Whether this is a timeout, which is 504 where everything else is 502.
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// How serious nginx thinks it is: a server that is not there is an error, anything odder
    /// about its socket is critical, and a client that leaves is everyday life.
    pub(crate) fn level(&self) -> Level {
        use io::ErrorKind::{ConnectionRefused, ConnectionReset, WouldBlock};
        match self {
            Self::Client | Self::ClientTimeout => Level::Info,
            Self::Connect(_, error)
                if !matches!(error.kind(), ConnectionRefused | ConnectionReset | WouldBlock) =>
            {
                Level::Crit
            }
            _ => Level::Error,
        }
    }

    /// Whether nobody took the connection, as while a server is being started: there is no socket, or
    /// nobody listens at it, or its queue is full.
    pub(crate) fn is_absence(&self) -> bool {
        use io::ErrorKind::{ConnectionRefused, NotFound, WouldBlock};
        let absent = [ConnectionRefused, NotFound, WouldBlock];
        matches!(self, Self::Connect(_, error) if absent.contains(&error.kind()))
    }

    /// Whether it was this process, or the machine, that had no descriptor left for a connection:
    /// there is none for another server either.
    pub(crate) fn is_shortage(&self) -> bool {
        /// `ENFILE` and `EMFILE`.
        const SHORTAGES: [i32; 2] = [23, 24];
        let code = match self {
            Self::Connect(_, error) => error.raw_os_error(),
            _ => None,
        };
        code.is_some_and(|code| SHORTAGES.contains(&code))
    }

    /// Whether the server is to blame, so that it counts towards `max_fails`.
    pub(crate) fn blames_server(&self) -> bool {
        let is_ours = matches!(self, Self::Client | Self::ClientTimeout | Self::TooLarge);
        !(is_ours || self.is_shortage())
    }

    /// A head that is not HTTP: what the server sent, in nginx's words.
    pub(super) fn invalid(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(Phase::Head, what.into())
    }

    /// The same of a body.
    pub(super) fn invalid_body(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(Phase::Body, what.into())
    }
}
