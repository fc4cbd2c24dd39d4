//! What the `$websocket_...` variables tell of a tunnel. They are not nginx's.

use serde::{Deserialize, Serialize};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fact {
    /// `open` or `close`: why there is a line.
    Event,
    /// Messages from the client.
    MessagesReceived,
    /// Messages to the client.
    MessagesSent,
    /// Bytes from the client, frames' headers included.
    BytesReceived,
    /// Bytes to the client.
    BytesSent,
    /// The code of the first Close: 1005 where it had none, 1006 where there was no Close.
    CloseCode,
    /// Who has sent it: `client`, `server` or `proxy`.
    ClosedBy,
    /// Seconds since anything moved.
    IdleTime,
    /// Seconds that the client's answer to the last ping took.
    PingTime,
    /// Seconds since the tunnel began.
    Duration,
}

/// Their names.
pub(super) const NAMES: [(&str, Fact); 10] = [
    ("websocket_bytes_received", Fact::BytesReceived),
    ("websocket_bytes_sent", Fact::BytesSent),
    ("websocket_close_code", Fact::CloseCode),
    ("websocket_closed_by", Fact::ClosedBy),
    ("websocket_duration", Fact::Duration),
    ("websocket_event", Fact::Event),
    ("websocket_idle_time", Fact::IdleTime),
    ("websocket_messages_received", Fact::MessagesReceived),
    ("websocket_messages_sent", Fact::MessagesSent),
    ("websocket_ping_time", Fact::PingTime),
];
