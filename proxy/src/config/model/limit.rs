//! How much is let in: zones, and the limits that count in them.

use super::super::source::Spanned;
use super::LogLevel;

/// `limit_req_zone` or `limit_conn_zone`
#[derive(Debug, Clone)]
pub struct LimitZone {
    /// Its name.
    pub name: Spanned<String>,
    /// Its size in bytes.
    pub size: u64,
    /// What is counted apart, variables not yet compiled.
    pub key: Spanned<String>,
    /// What is counted.
    pub counts: LimitCounts,
}

/// What a zone counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitCounts {
    /// `limit_req_zone`: requests, so many thousandths of one per second.
    Requests(u64),
    /// `limit_conn_zone`: requests under way at once.
    Connections,
}

/// `limit_req zone=NAME [burst=N] [nodelay|delay=N];`
#[derive(Debug, Clone)]
pub struct RequestLimit {
    /// The zone's name.
    pub zone: Spanned<String>,
    /// `burst=`: how many may come before their time.
    pub burst: u64,
    /// `delay=`: how many of those do not wait; `None` is `nodelay`.
    pub delay: Option<u64>,
}

/// `limit_conn NAME NUMBER;`
#[derive(Debug, Clone)]
pub struct ConnectionLimit {
    /// The zone's name.
    pub zone: Spanned<String>,
    /// How many there may be at once.
    pub number: u16,
}

/// `limit_req` or `limit_conn`, and what belongs to it.
#[derive(Debug, Clone)]
pub struct Limited<L> {
    /// The limits, in the order written.
    pub limits: Vec<L>,
    /// `limit_*_status` (default 503).
    pub status: u16,
    /// `limit_*_log_level` (default error).
    pub level: LogLevel,
    /// `limit_*_dry_run` (default off).
    pub dry_run: bool,
}

/// All that limits how much comes in.
#[derive(Debug, Clone)]
pub struct Limits {
    /// `limit_req`
    pub requests: Limited<RequestLimit>,
    /// `limit_conn`
    pub connections: Limited<ConnectionLimit>,
}
