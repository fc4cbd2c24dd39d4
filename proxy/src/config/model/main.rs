//! The whole configuration: nginx's main context and its `http` block.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::super::source::{Sources, Spanned};
use super::{ErrorLog, LimitZone, LogBuffer, LogFormat, Server, Upstream};

/// A whole configuration: nginx's main context.
#[derive(Debug, Clone)]
pub struct Config {
    /// `daemon`: whether to go to the background (nginx's default: on).
    pub daemon: bool,
    /// `master_process`: there is one process either way; `off` means one thread, as nginx has one
    /// process then.
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
    /// `worker_connections` of the `events` block; `None` leaves it to the limit on descriptors
    /// (nginx's default: 512).
    pub worker_connections: Option<usize>,
    /// `use` of the `events` block; `None` takes the best that the kernel has.
    pub event_method: Option<EventMethod>,
    /// The `http` block; `None` when the file has none (nginx then serves nothing).
    pub http: Option<Http>,
    /// Whether a `proxy_bind` is `transparent`, for which a thread needs a capability.
    pub transparent: bool,
    /// What was read but has no effect here, one sentence with its place each, for `-t`.
    pub notes: Vec<Spanned<String>>,
    /// What nginx warns of, with its place, whenever it reads such a configuration.
    pub warnings: Vec<Spanned<String>>,
    /// Every text that was read, for spans and for `-T`.
    pub sources: Arc<Sources>,
}

/// How threads learn that bytes have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventMethod {
    /// They are told of each connection, and read it.
    Epoll,
    /// The kernel brings the bytes of all of them.
    IoUring,
}

impl fmt::Display for EventMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Epoll => "epoll",
            Self::IoUring => "io_uring",
        })
    }
}

/// `user NAME [GROUP];`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's name.
    pub name: String,
    /// The group's name; the user's own group when absent.
    pub group: Option<String>,
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
    /// `geo` blocks, in the order written.
    pub geos: Vec<Geo>,
    /// `split_clients` blocks, in the order written.
    pub splits: Vec<SplitClients>,
    /// `limit_req_zone` and `limit_conn_zone`, in the order written.
    pub limit_zones: Vec<LimitZone>,
    /// `log_format` directives; `combined` is always there and first.
    pub log_formats: Vec<LogFormat>,
    /// The files of `access_log` that are written to by the bufferful.
    pub log_buffers: Vec<LogBuffer>,
    /// The `if=` of every `access_log`, wherever it stands; variables not yet compiled.
    pub log_conditions: Vec<Spanned<String>>,
    /// The names of every `set_real_ip_from`, wherever it stands; not yet resolved.
    pub real_ip_names: Vec<Spanned<String>>,
}

/// `geo [SOURCE] $VARIABLE { ... }`
#[derive(Debug, Clone)]
pub struct Geo {
    /// The variable that is the address; `None` is the client's.
    pub source: Option<Spanned<String>>,
    /// The variable, without `$`.
    pub variable: Spanned<String>,
    /// `volatile`
    pub volatile: bool,
    /// `default`
    pub default: String,
    /// Networks with the bits that count, each with its value.
    pub nets: Vec<(IpAddr, u8, String)>,
    /// Ranges, none of which have an address in common.
    pub ranges: Vec<(Ipv4Addr, Ipv4Addr, String)>,
}

/// `split_clients KEY $VARIABLE { ... }`
#[derive(Debug, Clone)]
pub struct SplitClients {
    /// What is hashed, variables not yet compiled.
    pub key: Spanned<String>,
    /// The variable, without `$`.
    pub variable: Spanned<String>,
    /// Shares in hundredths of a percent, each with its value; `None` is all that is left.
    pub parts: Vec<(Option<u32>, String)>,
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
    /// `volatile`
    pub volatile: bool,
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
