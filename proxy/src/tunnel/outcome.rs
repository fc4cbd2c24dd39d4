//! How a tunnel has ended, and who its two ends are.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use super::ending::Ending;

/// One of the two ends of a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Side {
    /// Who connected to us.
    Client,
    /// Whom we connected to.
    Server,
}

/// How a tunnel ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Both directions ended by themselves.
    Finished,
    /// A socket failed.
    Failed(Side, io::Error),
    /// Nothing moved for `Limits::idle`, or `Limits::half_closed` was over.
    Idle,
    /// A side did not take its bytes for `Limits::to_client` or `Limits::to_server`.
    Blocked(Side),
    /// A side did not answer a ping.
    Silent(Side),
    /// The server has gone away without a word: the client is to be released.
    Orphaned,
    /// The proxy was told to end it.
    Ended(Ending),
}

impl Outcome {
    /// Whether the peers are told of it.
    pub(crate) fn is_told(&self) -> bool {
        self.farewell().is_some()
    }

    /// What the peers are told when it is the proxy that ends the tunnel.
    pub(super) fn farewell(&self) -> Option<(u16, &'static str)> {
        match self {
            Self::Ended(ending) => Some((ending.code(), ending.reason())),
            Self::Idle => Some((1001, "nothing was said for too long")),
            Self::Blocked(_) => Some((1011, "the other side does not read")),
            Self::Silent(_) => Some((1001, "a ping was not answered")),
            Self::Finished | Self::Failed(..) | Self::Orphaned => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::Failed(side, error) => write!(f, "{side:?}: {error}"),
            Self::Idle => f.write_str("idle"),
            Self::Blocked(side) => write!(f, "{side:?} does not read"),
            Self::Silent(side) => write!(f, "{side:?} does not answer a ping"),
            Self::Orphaned => f.write_str(Ending::Orphaned.reason()),
            Self::Ended(ending) => write!(f, "{} ({})", ending.reason(), ending.code()),
        }
    }
}
