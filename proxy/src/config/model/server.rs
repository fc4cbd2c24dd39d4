//! `server` blocks: where they listen, what they are called, their locations.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::super::source::{Span, Spanned};
use super::Settings;

/// `server { ... }` inside `http`.
#[derive(Debug, Clone)]
pub struct Server {
    /// The word `server`.
    pub span: Span,
    /// `listen` directives; never empty (nginx's default: `*:80`, or `*:8000` when not root).
    pub listen: Vec<Listen>,
    /// `server_name` values, in the order written; empty means the name "".
    pub names: Vec<Spanned<ServerName>>,
    /// What holds for a request that no location matches, and for the connection.
    pub settings: Settings,
    /// `location` blocks, in the order written.
    pub locations: Vec<Location>,
}

/// One `listen` directive.
#[derive(Debug, Clone)]
pub struct Listen {
    /// As written (`localhost:8080`), for messages.
    pub text: Spanned<String>,
    /// What it means.
    pub address: ListenAddress,
    /// `default_server`
    pub default_server: bool,
    /// What is said about the socket.
    pub socket: SocketOptions,
}

/// The options of a listening socket. They hold for all that is accepted from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketOptions {
    /// Whether any of these was given, `bind` included: the address then has a socket of its own,
    /// though there may be one for every address of its port.
    pub bind: bool,
    /// `backlog=`; `None` is 511, as nginx on Linux.
    pub backlog: Option<u32>,
    /// `reuseport`
    pub reuseport: bool,
    /// `ipv6only=` (nginx's default: on).
    pub ipv6only: bool,
    /// `rcvbuf=`, in bytes.
    pub rcvbuf: Option<usize>,
    /// `sndbuf=`, in bytes.
    pub sndbuf: Option<usize>,
    /// `so_keepalive=`
    pub keepalive: Option<SocketKeepalive>,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            bind: false,
            backlog: None,
            reuseport: false,
            ipv6only: true,
            rcvbuf: None,
            sndbuf: None,
            keepalive: None,
        }
    }
}

/// `so_keepalive=`: whether TCP asks silent clients if they are still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketKeepalive {
    /// `off`
    Off,
    /// `on`
    On,
    /// On, with times of its own where they are given.
    Times {
        /// How long it waits before it asks.
        idle: Option<Duration>,
        /// How long between two questions.
        interval: Option<Duration>,
        /// After how many without an answer the connection is over.
        count: Option<u32>,
    },
}

/// Where a server listens; names are resolved when the configuration is made live. Port 0 (not in
/// nginx, and only with a host) is any free port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// `PORT` or `*:PORT`: every IPv4 address.
    Any(u16),
    /// `HOST:PORT` where HOST is an IPv4 or (bracketed, brackets removed) IPv6 address or a name.
    Host(String, u16),
    /// `unix:PATH`
    Unix(PathBuf),
}

/// One `server_name` value, lower-cased unless it is a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerName {
    /// `example.com`, or "" for requests without Host.
    Exact(String),
    /// `*.example.com` as `example.com`: matches names that end in `.example.com`.
    Leading(String),
    /// `.example.com` as `example.com`: the name itself and what ends in it.
    LeadingOrExact(String),
    /// `mail.*` as `mail`: matches names that start with `mail.`.
    Trailing(String),
    /// `~^www\d+\.example\.com$` without the `~`.
    Regex(String),
}

impl ServerName {
    /// The name without what makes it a wildcard or a pattern.
    pub fn text(&self) -> &str {
        match self {
            Self::Exact(text)
            | Self::Leading(text)
            | Self::LeadingOrExact(text)
            | Self::Trailing(text)
            | Self::Regex(text) => text,
        }
    }
}

impl fmt::Display for ServerName {
    /// As it is written in a file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) => f.write_str(text),
            Self::Leading(text) => write!(f, "*.{text}"),
            Self::LeadingOrExact(text) => write!(f, ".{text}"),
            Self::Trailing(text) => write!(f, "{text}.*"),
            Self::Regex(text) => write!(f, "~{text}"),
        }
    }
}

/// `location PATTERN { ... }`
#[derive(Debug, Clone)]
pub struct Location {
    /// What it matches.
    pub pattern: Spanned<LocationPattern>,
    /// What holds in it.
    pub settings: Settings,
    /// Locations nested in it.
    pub locations: Vec<Location>,
}

/// How a location matches the normalised path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocationPattern {
    /// `/prefix`
    Prefix(String),
    /// `^~ /prefix`: as a prefix, and no pattern is tried after it.
    PrefixNoRegex(String),
    /// `= /path`
    Exact(String),
    /// `~ pattern`
    Regex(String),
    /// `~* pattern`
    RegexNoCase(String),
    /// `@name`: for what is sent there from within.
    Named(String),
}

impl LocationPattern {
    /// The pattern without its modifier.
    pub fn text(&self) -> &str {
        match self {
            Self::Prefix(text)
            | Self::PrefixNoRegex(text)
            | Self::Exact(text)
            | Self::Regex(text)
            | Self::RegexNoCase(text)
            | Self::Named(text) => text,
        }
    }

    /// Whether it is a name, which no path matches.
    pub fn is_named(&self) -> bool {
        matches!(self, Self::Named(_))
    }

    /// Whether it is a regular expression.
    pub fn is_regex(&self) -> bool {
        matches!(self, Self::Regex(_) | Self::RegexNoCase(_))
    }
}
