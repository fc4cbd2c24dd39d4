//! What a configuration says about requests, made live: values only, nothing to look up by name.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method, StatusCode};

use super::endings::Endings;
use super::expires::Expiry;
use super::files::Files;
use super::headers::HeaderPlan;
use super::heads::HeadRules;
use super::limits::Limits;
use super::pace::Pace;
use super::passing::{Passing, Towards};
use super::trailers::Trailer;
use super::websocket::{Origins, Told, WebSocket};
use crate::observe::{ErrorLog, LogBuffer, LogFile};
use crate::route::{
    AccessList, Geo, Locations, Map, Script, Servers, Settable, Split, Template, Who, uri,
};
use crate::status::Format;
use crate::upstream::{NextUpstream, Times};

/// Everything that answers at one listening address.
#[derive(Debug)]
pub(crate) struct Site {
    /// Its servers, by name.
    pub(crate) servers: Servers<Arc<Server>>,
    /// What becomes of repeated slashes, by the default server.
    pub(crate) slashes: uri::Slashes,
    /// How heads are read, by the default server.
    pub(crate) heads: HeadRules,
    /// What variables need that no request has.
    pub(crate) variables: Arc<Variables>,
    /// Whether something asks for `$request_body`, so that small bodies come before they are sent on.
    pub(crate) asks_for_bodies: bool,
    /// Where errors go that happen before a server is known.
    pub(crate) error_log: ErrorLog,
}

/// What variables need that no request has.
#[derive(Debug)]
pub(crate) struct Variables {
    /// The compiled `map` blocks, by the position that a variable names.
    pub(crate) maps: Vec<Map>,
    /// The compiled `geo` blocks, likewise.
    pub(crate) geos: Vec<Geo>,
    /// The compiled `split_clients` blocks, likewise.
    pub(crate) splits: Vec<Split>,
    /// The variables of `set`, by the position that a variable names.
    pub(crate) sets: Vec<Settable>,
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
    /// Its named locations, by name with the `@`.
    pub(crate) named: HashMap<Box<[u8]>, Arc<Rules>>,
}

/// What holds for a request: one location's settings, or its server's.
#[derive(Debug)]
pub(crate) struct Rules {
    /// What answers.
    pub(crate) action: Action,
    /// What rewrites requests.
    pub(crate) script: Script<Arc<Self>, Returning>,
    /// Whether the log is told of that.
    pub(crate) rewrite_log: bool,
    /// Whether the log is told of variables that are used before they are set.
    pub(crate) tells_unset: bool,
    /// Whether only what is sent on from within comes here.
    pub(crate) internal: bool,
    /// What holds for all methods but these.
    pub(crate) limit_except: Option<(Box<[Method]>, Arc<Self>)>,
    /// How much is let in.
    pub(crate) limits: Option<Box<Limits>>,
    /// Who is believed who a client is.
    pub(crate) real_ip: Option<RealIp>,
    /// What holds for WebSocket tunnels.
    pub(crate) websocket: WebSocket,
    /// Whose pages may ask for them, where not everybody's may.
    pub(crate) origins: Option<Box<Origins>>,
    /// Who may ask.
    pub(crate) access: AccessList,
    /// What takes the place of errors.
    pub(crate) errors: ErrorPages,
    /// Which file answers.
    pub(crate) try_files: Option<TryFiles>,
    /// Where files are, and how they answer.
    pub(crate) files: Files,
    /// How redirects are written.
    pub(crate) redirects: Redirects,
    /// How long answers may be kept.
    pub(crate) expires: Option<Expiry>,
    /// The fields that answers get.
    pub(crate) added: Box<[Added]>,
    /// The trailers that they get.
    pub(crate) trailers: Box<[Trailer]>,
    /// The largest body, in bytes.
    pub(crate) max_body: u64,
    /// The largest that is kept, to be sent once more or to be a variable.
    pub(crate) kept_body: usize,
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
    /// Whether a client that takes too long is cut off with a reset.
    pub(crate) reset: bool,
    /// The `Keep-Alive` field's value, when there is to be one.
    pub(crate) keepalive_header: Option<http::HeaderValue>,
    /// How connections end.
    pub(crate) endings: Endings,
    /// How fast answers go out, where that is limited.
    pub(crate) pace: Option<Box<Pace>>,
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
    /// Whether one of them, or a condition, names a field of a server's answer.
    pub(crate) upstream_fields: bool,
    /// When there is one for a tunnel.
    pub(crate) tunnels: Told,
    /// What goes wrong.
    pub(crate) error: ErrorLog,
}

/// One `access_log`.
#[derive(Debug)]
pub(crate) struct AccessLog {
    /// Where it goes.
    pub(crate) file: LogSink,
    /// A line is written unless this comes to nothing or to `0`.
    pub(crate) condition: Option<Template>,
    /// What a line says.
    pub(crate) format: Arc<Template>,
    /// How its values are escaped.
    pub(crate) escape: super::escape::Escape,
}

/// Where the lines of an access log go.
#[derive(Debug)]
pub(crate) enum LogSink {
    /// To the file, each at once.
    File(Arc<LogFile>),
    /// To a buffer first.
    Buffer(Arc<LogBuffer>),
}

impl LogSink {
    /// The file that they come to.
    pub(super) fn file(&self) -> &Arc<LogFile> {
        match self {
            Self::File(file) => file,
            Self::Buffer(buffer) => buffer.file(),
        }
    }

    /// Takes one line.
    pub(super) fn write(&self, line: &[u8]) {
        match self {
            Self::File(file) => file.write(line),
            Self::Buffer(buffer) => buffer.write(line),
        }
    }
}

/// What answers a request.
#[derive(Debug)]
pub(crate) enum Action {
    /// `proxy_pass`
    Forward(Box<Forwarding>),
    /// How the proxy is.
    Status(Format),
    /// A file.
    Files,
}

/// Whom to believe who a client is.
#[derive(Debug)]
pub(crate) struct RealIp {
    /// These.
    pub(crate) from: Vec<Who>,
    /// In this field.
    pub(crate) header: HeaderName,
    /// And whom they name, if that is one of them.
    pub(crate) recursive: bool,
}

/// The `error_page` directives of a place.
#[derive(Debug, Default)]
pub(crate) struct ErrorPages {
    /// In the order written.
    pub(crate) pages: Vec<ErrorPage>,
    /// Whether an error of such a page has one, too.
    pub(crate) recursive: bool,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct ErrorPage {
    /// The statuses that it takes the place of.
    pub(crate) codes: Box<[u16]>,
    /// The answer's status in its place; 0 is the page's own.
    pub(crate) status: Option<u16>,
    /// A path, `@NAME` or a URL.
    pub(crate) uri: Template,
}

/// A `try_files` directive.
#[derive(Debug)]
pub(crate) struct TryFiles {
    /// What is looked for, and whether it must be a directory.
    pub(crate) files: Vec<(Template, bool)>,
    /// What happens when none of it is there.
    pub(crate) last: TryLast,
}

/// Its last argument.
#[derive(Debug)]
pub(crate) enum TryLast {
    /// A status.
    Refuse(u16),
    /// A path or `@NAME`.
    Uri(Template),
}

/// How a redirect to a path is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Redirects {
    /// With scheme and host.
    pub(crate) absolute: bool,
    /// With the port.
    pub(crate) port: bool,
    /// With the server's name in the place of the client's Host.
    pub(crate) server_name: bool,
}

/// An `add_header` directive.
#[derive(Debug)]
pub(crate) struct Added {
    /// The field.
    pub(crate) name: HeaderName,
    /// Its name as it is spelled, where that is not `Like-This`.
    pub(crate) spelled: Option<Box<str>>,
    /// Its value.
    pub(crate) value: Template,
    /// Whether it is added to errors, too.
    pub(crate) always: bool,
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
    pub(crate) towards: Towards,
    /// How, and what becomes of the answers.
    pub(crate) passing: Passing,
    /// `$proxy_host`; of a URL with variables, the request has it.
    pub(crate) proxy_host: Box<str>,
    /// `$proxy_port`, likewise.
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
    /// What the URL with variables has, if it has one; else as the client wrote it.
    Passed,
}
