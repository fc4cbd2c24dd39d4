//! What is asked of clients, and how they are served: heads, paces, and the end of connections.

use std::time::Duration;

use super::super::source::Spanned;

/// How a request's head is read; the default server of an address decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// `client_header_buffer_size` (default 1k).
    pub first: usize,
    /// `large_client_header_buffers`: how many (default 4).
    pub number: u32,
    /// `large_client_header_buffers`: how large each (default 8k).
    pub large: usize,
    /// `max_headers` (default 100; nginx: 1000).
    pub fields: usize,
    /// `ignore_invalid_headers` (default on).
    pub ignore_invalid: bool,
    /// `underscores_in_headers` (default off).
    pub underscores: bool,
}

/// `lingering_close`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linger {
    /// `off`
    Never,
    /// `on`: where the client may still be sending.
    IfSending,
    /// `always`
    Always,
}

/// How connections to clients end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endings {
    /// `lingering_close` (default on).
    pub linger: Linger,
    /// `lingering_time` (default 30 s).
    pub linger_time: Duration,
    /// `lingering_timeout` (default 5 s).
    pub linger_timeout: Duration,
    /// `keepalive_disable msie6` (the default).
    pub not_for_msie6: bool,
    /// `keepalive_disable safari`
    pub not_for_safari: bool,
}

/// `limit_rate` and `limit_rate_after`
#[derive(Debug, Clone)]
pub struct Pace {
    /// Bytes per second; `None` and 0 are no limit.
    pub rate: Option<Amount>,
    /// Bytes that are not slowed down.
    pub after: Option<Amount>,
}

/// A size, or a text that becomes one.
#[derive(Debug, Clone)]
pub enum Amount {
    /// In bytes.
    Fixed(u64),
    /// Variables not yet compiled.
    Text(Spanned<String>),
}

/// All of it.
#[derive(Debug, Clone)]
pub struct Clients {
    /// How heads are read.
    pub heads: Heads,
    /// How connections end.
    pub endings: Endings,
    /// How fast an answer goes out.
    pub pace: Pace,
    /// `client_body_buffer_size` (default 16k).
    pub kept_body: usize,
}
