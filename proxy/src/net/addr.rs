//! An address to listen on or to connect to.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Where a socket is: an IP address and port, or a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Addr {
    /// IPv4 or IPv6, with its port.
    Tcp(SocketAddr),
    /// A Unix socket. A relative path is relative to the working directory, as nginx has it.
    Unix(Arc<Path>),
}

impl fmt::Display for Addr {
    /// As nginx prints it: `127.0.0.1:8080`, `[::1]:8080`, `unix:run/a.sock`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(addr) => addr.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
