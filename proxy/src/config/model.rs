//! The typed model: what a configuration says once every directive was applied, every level
//! inherited and every default filled in. Values that can still turn out wrong when they are made
//! live (addresses, templates, patterns, paths) keep their [`Span`], so that an error found late
//! still says `in FILE:LINE`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::source::{Sources, Span, Spanned};

/// A whole configuration: nginx's main context.
#[derive(Debug, Clone)]
pub struct Config {
    /// `daemon`: whether to go to the background (nginx's default: on).
    pub daemon: bool,
    /// `master_process`: accepted for nginx's sake; there is one process either way.
    pub master_process: bool,
    /// `pid`: where the process id is written.
    pub pid: Option<Spanned<PathBuf>>,
    /// `user`: who to become after the sockets are bound.
    pub user: Option<Spanned<User>>,
    /// `error_log` at the main level, in the order written; empty means standard error.
    pub error_log: Vec<ErrorLog>,
    /// `worker_processes`: the number of threads; `None` is `auto`, one per core.
    pub worker_processes: Option<usize>,
    /// `worker_rlimit_nofile`: the descriptor limit to set.
    pub worker_rlimit_nofile: Option<u64>,
    /// `worker_shutdown_timeout`: how long a graceful shutdown may take; `None` is for ever.
    pub worker_shutdown_timeout: Option<Duration>,
    /// `worker_connections` of the `events` block (nginx's default: 512).
    pub worker_connections: usize,
    /// The `http` block; `None` when the file has none (nginx then serves nothing).
    pub http: Option<Http>,
    /// What was read but has no effect here, one sentence with its place each, for `-t`.
    pub notes: Vec<Spanned<String>>,
    /// What nginx warns of, with its place, whenever it reads such a configuration.
    pub warnings: Vec<Spanned<String>>,
    /// Every text that was read, for spans and for `-T`.
    pub sources: Arc<Sources>,
}

/// `user NAME [GROUP];`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's name.
    pub name: String,
    /// The group's name; the user's own group when absent.
    pub group: Option<String>,
}

/// `error_log FILE|stderr [LEVEL];`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorLog {
    /// Where it goes.
    pub target: Spanned<LogTarget>,
    /// The least serious level that is written (nginx's default: error).
    pub level: LogLevel,
}

/// Where log lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// `stderr`
    Stderr,
    /// A file, with the prefix already applied.
    File(PathBuf),
}

/// nginx's levels, most serious first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// The process cannot go on.
    Emerg,
    /// Somebody must act now.
    Alert,
    /// A serious problem.
    Crit,
    /// A request failed.
    Error,
    /// Something odd.
    Warn,
    /// Worth knowing.
    Notice,
    /// Everyday events.
    Info,
    /// For developers.
    Debug,
}

/// The `http` block.
#[derive(Debug, Clone, Default)]
pub struct Http {
    /// `server` blocks, in the order written.
    pub servers: Vec<Server>,
    /// `upstream` blocks, in the order written.
    pub upstreams: Vec<Upstream>,
    /// `map` blocks, in the order written.
    pub maps: Vec<Map>,
    /// `log_format` directives; `combined` is always there and first.
    pub log_formats: Vec<LogFormat>,
}

/// `upstream NAME { ... }`
#[derive(Debug, Clone)]
pub struct Upstream {
    /// The name that `proxy_pass http://NAME` uses.
    pub name: Spanned<String>,
    /// How a server is chosen.
    pub method: Method,
    /// `server` directives, in the order written; never empty.
    pub servers: Vec<UpstreamServer>,
    /// `keepalive` and its companions.
    pub keepalive: Keepalive,
}

/// How an upstream chooses its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// nginx's default: smooth weighted round robin.
    #[default]
    RoundRobin,
    /// `least_conn`
    LeastConn,
}

/// `server ADDRESS [parameters];` inside `upstream`.
#[derive(Debug, Clone)]
pub struct UpstreamServer {
    /// As written: `unix:PATH`, `HOST:PORT` or `HOST` (port 80).
    pub address: Spanned<String>,
    /// `weight=` (default 1).
    pub weight: u32,
    /// `max_conns=` (default 0: no limit).
    pub max_conns: u32,
    /// `max_fails=` (default 1; 0 never benches).
    pub max_fails: u32,
    /// `fail_timeout=` (default 10 s).
    pub fail_timeout: Duration,
    /// `backup`
    pub backup: bool,
    /// `down`
    pub down: bool,
}

/// Idle connections kept open to an upstream's servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// `keepalive N` (nginx 1.31's default: 32): idle connections kept per thread; 0 keeps none.
    pub connections: usize,
    /// `keepalive_requests` (default 1000).
    pub requests: u64,
    /// `keepalive_time` (default 1 h): how long one connection may be used in all.
    pub time: Duration,
    /// `keepalive_timeout` (default 60 s): how long one may stay idle.
    pub timeout: Duration,
}

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
    /// `backlog=`; `None` is 511, as nginx on Linux.
    pub backlog: Option<u32>,
    /// `reuseport`: accepted; threads share one queue here.
    pub reuseport: bool,
    /// `ipv6only=` (nginx's default: on).
    pub ipv6only: bool,
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
}

impl LocationPattern {
    /// The pattern without its modifier.
    pub fn text(&self) -> &str {
        match self {
            Self::Prefix(text)
            | Self::PrefixNoRegex(text)
            | Self::Exact(text)
            | Self::Regex(text)
            | Self::RegexNoCase(text) => text,
        }
    }

    /// Whether it is a regular expression.
    pub fn is_regex(&self) -> bool {
        matches!(self, Self::Regex(_) | Self::RegexNoCase(_))
    }
}

/// Everything that a location inherits: http's value, unless server's, unless location's.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `proxy_pass` (never inherited).
    pub proxy_pass: Option<ProxyPass>,
    /// `return` (server's applies before any location is looked for; never inherited).
    pub returns: Option<Return>,
    /// `proxy_http_version` (nginx 1.31's default: 1.1).
    pub proxy_http_version: HttpVersion,
    /// `proxy_set_header` as written at the level that counts; nginx's own defaults are not in it.
    pub proxy_set_header: Vec<SetHeader>,
    /// `proxy_connect_timeout` (default 60 s).
    pub proxy_connect_timeout: Duration,
    /// `proxy_send_timeout` (default 60 s).
    pub proxy_send_timeout: Duration,
    /// `proxy_read_timeout` (default 60 s).
    pub proxy_read_timeout: Duration,
    /// `proxy_next_upstream` and its companions.
    pub proxy_next_upstream: NextUpstream,
    /// `client_max_body_size` (default 1m); `None` is 0: no limit.
    pub client_max_body_size: Option<u64>,
    /// `client_header_timeout` (default 60 s).
    pub client_header_timeout: Duration,
    /// `client_body_timeout` (default 60 s).
    pub client_body_timeout: Duration,
    /// `send_timeout` (default 60 s).
    pub send_timeout: Duration,
    /// `keepalive_timeout` (default 75 s; 0 closes after each answer).
    pub keepalive_timeout: Duration,
    /// `keepalive_timeout`'s second argument: the `Keep-Alive: timeout=` header to send.
    pub keepalive_header: Option<Duration>,
    /// `keepalive_requests` (default 1000).
    pub keepalive_requests: u64,
    /// `default_type` (default text/plain).
    pub default_type: String,
    /// `server_tokens` (default on).
    pub server_tokens: bool,
    /// `tcp_nodelay` (default on).
    pub tcp_nodelay: bool,
    /// `access_log` entries; empty is `off`, which is also the default here (README says why).
    pub access_log: Vec<AccessLog>,
    /// `error_log` entries of the level that counts; empty is main's.
    pub error_log: Vec<ErrorLog>,
}

/// `proxy_pass http://TARGET[URI];`
#[derive(Debug, Clone)]
pub struct ProxyPass {
    /// What follows the scheme, up to the URI.
    pub target: Spanned<ProxyTarget>,
    /// `$proxy_host` as nginx has it: the target as written, the port included when written.
    pub proxy_host: String,
    /// The URI part, when there is one: it replaces what the location's prefix matched.
    pub uri: Option<String>,
}

/// Whom a `proxy_pass` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyTarget {
    /// `NAME` or `NAME:PORT`: an `upstream` block of that name if there is one, else a host.
    Host {
        /// The name, as written.
        name: String,
        /// The port, when written (80 otherwise).
        port: Option<u16>,
    },
    /// `unix:PATH` (with `:` before the URI, when there is one).
    Unix(PathBuf),
}

/// `proxy_http_version`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

/// `proxy_set_header NAME VALUE;`
#[derive(Debug, Clone)]
pub struct SetHeader {
    /// The field name, in the spelling that goes out.
    pub name: Spanned<String>,
    /// Its value, variables not yet compiled; "" removes the field.
    pub value: Spanned<String>,
}

/// When a request goes on to the next server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextUpstream {
    /// `error`: connecting, sending or reading the head failed.
    pub error: bool,
    /// `timeout`: one of those took too long.
    pub timeout: bool,
    /// `invalid_header`: the answer's head was empty or broken.
    pub invalid_header: bool,
    /// `http_500`
    pub http_500: bool,
    /// `http_502`
    pub http_502: bool,
    /// `http_503`
    pub http_503: bool,
    /// `http_504`
    pub http_504: bool,
    /// `http_403`
    pub http_403: bool,
    /// `http_404`
    pub http_404: bool,
    /// `http_429`
    pub http_429: bool,
    /// `non_idempotent`: POST, LOCK and PATCH too, after they were sent.
    pub non_idempotent: bool,
    /// `proxy_next_upstream_tries`; 0 is no limit.
    pub tries: u32,
    /// `proxy_next_upstream_timeout`; zero is no limit.
    pub timeout_after: Duration,
}

impl NextUpstream {
    /// nginx's default: `error timeout`.
    pub(crate) const ERROR_AND_TIMEOUT: Self = Self { error: true, timeout: true, ..Self::OFF };

    /// `off`: the first answer counts, whatever it is.
    pub(crate) const OFF: Self = Self {
        error: false,
        timeout: false,
        invalid_header: false,
        http_500: false,
        http_502: false,
        http_503: false,
        http_504: false,
        http_403: false,
        http_404: false,
        http_429: false,
        non_idempotent: false,
        tries: 0,
        timeout_after: Duration::ZERO,
    };
}

/// `return CODE [TEXT|URL];` or `return URL;` (302)
#[derive(Debug, Clone)]
pub struct Return {
    /// The status code; 444 closes without an answer.
    pub code: u16,
    /// The text or the URL, variables not yet compiled.
    pub text: Option<Spanned<String>>,
}

/// `access_log PATH [FORMAT];`
#[derive(Debug, Clone)]
pub struct AccessLog {
    /// Where it goes.
    pub target: Spanned<LogTarget>,
    /// Which of [`Http::log_formats`], by position.
    pub format: usize,
}

/// `log_format NAME [escape=...] STRING...;`
#[derive(Debug, Clone)]
pub struct LogFormat {
    /// Its name.
    pub name: String,
    /// How values are escaped.
    pub escape: Escape,
    /// The strings joined, variables not yet compiled.
    pub text: Spanned<String>,
}

/// `log_format`'s `escape=`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Escape {
    /// `"`, `\` and bytes below 32 or above 126 as `\xXX`; an absent value is `-`.
    #[default]
    Default,
    /// JSON's rules.
    Json,
    /// As it is.
    None,
}

/// `map SOURCE $VARIABLE { ... }`
#[derive(Debug, Clone)]
pub struct Map {
    /// The source, variables not yet compiled.
    pub source: Spanned<String>,
    /// The variable it defines, without the `$`.
    pub variable: Spanned<String>,
    /// `default`; "" when not written.
    pub default: Spanned<String>,
    /// `hostnames`
    pub hostnames: bool,
    /// The other entries, in the order written.
    pub entries: Vec<MapEntry>,
}

/// One line of a `map`.
#[derive(Debug, Clone)]
pub struct MapEntry {
    /// What the source must be: text, or a pattern after `~` or `~*` (kept).
    pub key: Spanned<String>,
    /// What the variable is then, variables not yet compiled.
    pub value: Spanned<String>,
}
