//! What a location inherits, and what it does with a request.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::super::source::Spanned;
use super::{
    AccessLog, AccessRule, AddHeader, Clients, ErrorLog, ErrorPage, Expires, Files, LimitExcept,
    Limits, Proxying, RealIp, Redirects, Step, TryFiles, WebSocket,
};

/// Media types, by the suffix of a path in lower case.
pub type Types = HashMap<String, String>;

/// Everything that a location inherits: http's value, unless server's, unless location's.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `proxy_pass` (never inherited).
    pub proxy_pass: Option<ProxyPass>,
    /// `status` and `stub_status`, which take the place of a `proxy_pass` (never inherited).
    pub status: Option<Status>,
    /// `set`, `if`, `rewrite`, `break` and `return` (server's apply before any location is looked
    /// for; never inherited).
    pub steps: Vec<Step>,
    /// `rewrite_log` (default off).
    pub rewrite_log: bool,
    /// `uninitialized_variable_warn` (default on).
    pub uninitialized_variable_warn: bool,
    /// `merge_slashes` (default on); the default server of an address decides.
    pub merge_slashes: bool,
    /// `internal` (never inherited).
    pub internal: bool,
    /// `limit_except` (never inherited).
    pub limit_except: Option<LimitExcept>,
    /// `satisfy any`
    pub satisfy_any: bool,
    /// `allow` and `deny`, in the order written.
    pub access: Vec<AccessRule>,
    /// How clients are served.
    pub clients: Clients,
    /// What holds for WebSocket tunnels.
    pub websocket: WebSocket,
    /// How much is let in.
    pub limits: Limits,
    /// `error_page`, in the order written.
    pub error_page: Vec<ErrorPage>,
    /// `recursive_error_pages` (default off).
    pub recursive_error_pages: bool,
    /// `try_files` (never inherited).
    pub try_files: Option<TryFiles>,
    /// Which files answer.
    pub files: Files,
    /// Who is believed who a client is.
    pub real_ip: RealIp,
    /// How a redirect is written.
    pub redirects: Redirects,
    /// `expires`
    pub expires: Expires,
    /// `add_header`, in the order written.
    pub add_header: Vec<AddHeader>,
    /// `add_trailer`, in the order written.
    pub add_trailer: Vec<AddHeader>,
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
    /// What requests become on their way to servers, and answers on their way back.
    pub proxying: Proxying,
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
    /// `keepalive_time` (default 1 h): how long a client connection may be used in all.
    pub keepalive_time: Duration,
    /// `keepalive_requests` (default 1000).
    pub keepalive_requests: u64,
    /// `types`: what a file or a `return` with a text is, by the path's suffix.
    pub types: Arc<Types>,
    /// `default_type` (default text/plain).
    pub default_type: String,
    /// `server_tokens` (default on).
    pub server_tokens: bool,
    /// `tcp_nodelay` (default on).
    pub tcp_nodelay: bool,
    /// `reset_timedout_connection` (default off).
    pub reset_timedout: bool,
    /// `access_log` entries; empty is `off`, which is also the default here (README says why).
    pub access_log: Vec<AccessLog>,
    /// `error_log` entries of the level that counts; empty is main's.
    pub error_log: Vec<ErrorLog>,
}

/// How a location says how the proxy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `stub_status`
    Stub,
    /// `status json`
    Json,
    /// `status prometheus`
    Prometheus,
    /// `status page`
    Page,
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
    /// What `proxy_redirect default` looks for, and what takes its place.
    pub redirect: (String, String),
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
    /// All of the argument, scheme and URI included, where it has variables.
    Text(String),
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
