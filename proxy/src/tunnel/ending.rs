//! Why the proxy itself ends a tunnel, as the peers are told (RFC 6455, section 7.4).

use std::time::Instant;

/// Why the proxy itself ends a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The proxy stops.
    Shutdown,
    /// The server takes no more part in the configuration, or is to be emptied.
    Drained,
    /// The server has gone away without a word; its clients are told one after another.
    Orphaned,
    /// It has, and they are told at once.
    Lost,
    /// Others have fewer connections.
    Rebalanced,
    /// It has lasted for as long as it may.
    Expired,
    /// The client has sent a message that is too long.
    TooLong,
    /// The client has sent too many messages.
    TooMany,
    /// Another program image takes the proxy's place; this is said where it cannot go on there.
    Replaced,
}

impl Ending {
    /// The status code of the Close frame, from the IANA registry of WebSocket close codes.
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Shutdown => 1001,
            Self::Lost => 1014,
            Self::TooMany => 1008,
            Self::TooLong => 1009,
            Self::Drained | Self::Orphaned | Self::Rebalanced | Self::Expired => 1012,
            // Nothing but want of descriptors keeps a tunnel from going on there.
            Self::Replaced => 1013,
        }
    }

    /// What the Close frame and the log say of it.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Shutdown => "the proxy is shutting down",
            Self::Drained => "the server is being drained",
            Self::Orphaned | Self::Lost => "the server has gone away",
            Self::Rebalanced => "the servers are being rebalanced",
            Self::Expired => "the connection has lasted for long enough",
            Self::TooLong => "message too big",
            Self::TooMany => "too many messages",
            Self::Replaced => "the proxy is being replaced",
        }
    }
}

/// That a tunnel is to end, why, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    /// Why.
    pub(crate) ending: Ending,
    /// Not before.
    pub(crate) due: Instant,
}
