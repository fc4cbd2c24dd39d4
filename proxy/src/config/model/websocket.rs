//! What a level says about WebSocket: nothing of it is nginx's.

use std::time::Duration;

/// What holds for WebSocket tunnels.
#[derive(Debug, Clone)]
pub struct WebSocket {
    /// `websocket_close` (default on).
    pub close: bool,
    /// `websocket_ping` (default off).
    pub ping: Option<WebSocketPing>,
    /// `websocket_log` (default: close).
    pub log: WebSocketLog,
    /// `websocket_max_message`, in bytes (default off).
    pub max_message: Option<u32>,
    /// `websocket_max_lifetime` (default off).
    pub max_lifetime: Option<Lifetime>,
    /// `websocket_message_rate` (default off).
    pub message_rate: Option<MessageRate>,
    /// `websocket_origin`; empty lets everybody in.
    pub origins: Vec<String>,
    /// `websocket_verify` (default off).
    pub verify: bool,
}

/// Who is asked whether it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebSocketPing {
    /// After how long a silence.
    pub every: Duration,
    /// `timeout=`: how long an answer may take.
    pub timeout: Duration,
    /// `both`: the server is asked, too.
    pub both: bool,
}

/// When the access logs get a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebSocketLog {
    /// `open`
    pub open: bool,
    /// `close`
    pub close: bool,
}

/// How long a tunnel may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// About so long.
    pub time: Duration,
    /// `jitter=`: by how many hundredths more or less.
    pub jitter: u32,
}

/// How many messages a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageRate {
    /// In a second.
    pub per_second: u32,
    /// `burst=`: at once.
    pub burst: u32,
}
