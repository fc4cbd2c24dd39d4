//! What a configuration says about requests, made live: values only, nothing to look up by name.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::headers::HeaderPlan;
use crate::observe::{ErrorLog, LogFile};
use crate::route::{Locations, Map, Servers, Template};
use crate::upstream::{NextUpstream, SharedUpstream, Times};

/// Everything that answers at one listening address.
#[derive(Debug)]
pub(crate) struct Site {
    /// Its servers, by name.
    pub(crate) servers: Servers<Arc<Server>>,
    /// What variables need that no request has.
    pub(crate) variables: Arc<Variables>,
    /// Where errors go that happen before a server is known.
    pub(crate) error_log: ErrorLog,
}

/// What variables need that no request has.
#[derive(Debug)]
pub(crate) struct Variables {
    /// The compiled `map` blocks, by the position that a variable names.
    pub(crate) maps: Vec<Map>,
    /// `$hostname`
    pub(crate) hostname: Box<str>,
}

/// One `server` block.
#[derive(Debug)]
pub(crate) struct Server {
    /// `$server_name`: the first name.
    pub(crate) name: Box<str>,
    /// What holds where no location matches.
    pub(crate) rules: Arc<Rules>,
    /// Its locations.
    pub(crate) locations: Locations<Arc<Rules>>,
}

/// What holds for a request: one location's settings, or its server's.
#[derive(Debug)]
pub(crate) struct Rules {
    /// What answers.
    pub(crate) action: Action,
    /// The largest body, in bytes.
    pub(crate) max_body: u64,
    /// Whether connections are kept open after an answer (`keepalive_timeout` is not 0).
    pub(crate) keepalive: bool,
    /// How long one connection may be used in all.
    pub(crate) keepalive_time: Duration,
    /// How many requests one connection may carry.
    pub(crate) keepalive_requests: u64,
    /// How long an idle connection is kept.
    pub(crate) keepalive_timeout: Duration,
    /// How long a client may take nothing of its answer.
    pub(crate) send_timeout: Duration,
    /// Whether a client that takes nothing for longer is cut off with a reset.
    pub(crate) reset: bool,
    /// The `Keep-Alive` field's value, when there is to be one.
    pub(crate) keepalive_header: Option<http::HeaderValue>,
    /// The media types of the program's own texts, by the path's suffix in lower case.
    pub(crate) types: Arc<HashMap<String, String>>,
    /// The media type of answers that say none.
    pub(crate) default_type: http::HeaderValue,
    /// Whether the program's version is told.
    pub(crate) tokens: bool,
    /// Where it is told.
    pub(crate) logs: Logs,
}

/// Where requests are told.
#[derive(Debug)]
pub(crate) struct Logs {
    /// One line for each request and entry.
    pub(crate) access: Vec<AccessLog>,
    /// What goes wrong.
    pub(crate) error: ErrorLog,
}

/// One `access_log`.
#[derive(Debug)]
pub(crate) struct AccessLog {
    /// Where it goes.
    pub(crate) file: Arc<LogFile>,
    /// What a line says.
    pub(crate) format: Arc<Template>,
    /// How its values are escaped.
    pub(crate) escape: super::values::Escape,
}

/// What answers a request.
#[derive(Debug)]
pub(crate) enum Action {
    /// `return`
    Return(Returning),
    /// `proxy_pass`
    Forward(Box<Forwarding>),
    /// Nothing is configured: 404.
    Nothing,
}

/// A `return` directive.
#[derive(Debug)]
pub(crate) enum Returning {
    /// The connection is closed, and the log has this status (444, 499 and 408).
    Hangup(u16),
    /// A status and the program's own page for it.
    Page(StatusCode),
    /// A status and a text.
    Text(StatusCode, Template),
    /// A redirect.
    Redirect(StatusCode, Template),
}

/// A `proxy_pass` directive with all that belongs to it.
#[derive(Debug)]
pub(crate) struct Forwarding {
    /// To whom.
    pub(crate) upstream: SharedUpstream,
    /// `$proxy_host`
    pub(crate) proxy_host: Box<str>,
    /// `$proxy_port`
    pub(crate) proxy_port: Box<str>,
    /// The request target that goes out.
    pub(crate) uri: UriPart,
    /// The fields that go out.
    pub(crate) headers: HeaderPlan,
    /// The version that goes out.
    pub(crate) version: http::Version,
    /// How long each step may take.
    pub(crate) times: Times,
    /// When another server is tried.
    pub(crate) next: NextUpstream,
}

/// What the target becomes on its way.
#[derive(Debug)]
pub(crate) enum UriPart {
    /// As the client wrote it.
    AsIs,
    /// This many bytes of the path are replaced.
    Replace(usize, Box<str>),
}
