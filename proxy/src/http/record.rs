//! What is known of one request.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use http::Version;
use http::header::{HOST, REFERER};
use http::request::Parts;

use super::client::Client;
use super::course::Course;
use super::refused::Refused;
use super::site::{Action, Rules, Server, UriPart};
use super::target;
use super::tries::{Framing, Try};
use crate::balance::Held;
use crate::limit::Counted;
use crate::net::Stream;
use crate::observe::{ErrorLog, Level, errno};
use crate::tunnel::{self, Outcome, Relay, Side};

/// What a tunnel is made of, but for the client's socket, which hyper still has.
#[derive(Debug)]
pub(crate) struct Switched {
    /// The server's socket and what was read from it already.
    pub(crate) server: (Stream, Vec<u8>),
    /// What keeps the server counted.
    pub(crate) held: Held,
    /// What bounds the tunnel.
    pub(crate) limits: tunnel::Limits,
    /// Whether WebSocket was asked for, rather than another protocol.
    pub(crate) websocket: bool,
    /// What its end is told with.
    pub(crate) epitaph: Epitaph,
}

/// What the end of a tunnel is told with. The request itself is kept only where an access log
/// wants a line at the end: it is larger than the rest of an idle tunnel.
#[derive(Debug)]
pub(crate) struct Epitaph {
    log: ErrorLog,
    connection: u64,
    context: Context,
    record: Option<Rc<Record>>,
    /// What keeps the tunnel counted where limits count.
    _counted: Box<[Counted]>,
}

impl Epitaph {
    /// The epitaph of the tunnel that this request has opened to this server.
    pub(super) fn new(record: &Rc<Record>, upstream: &str) -> Self {
        Self {
            log: record.error_log().clone(),
            connection: record.client.id,
            context: Context::new(record, Some(upstream)),
            record: record.is_logged().then(|| record.clone()),
            _counted: record.course.standing.counted.take().into(),
        }
    }

    /// Tells how it ended, in nginx's words where nginx has them.
    pub(crate) fn tell(self, relay: &Relay, outcome: Outcome) {
        let (level, what) = match &outcome {
            Outcome::Finished => (Level::Info, "tunnel finished".to_owned()),
            Outcome::Idle => {
                (Level::Error, "upstream timed out (110: Connection timed out)".into())
            }
            Outcome::Blocked(Side::Client) | Outcome::Silent(Side::Client) => {
                (Level::Info, "client timed out (110: Connection timed out)".into())
            }
            Outcome::Blocked(Side::Server) | Outcome::Silent(Side::Server) => {
                (Level::Error, "upstream timed out (110: Connection timed out)".into())
            }
            Outcome::Ended(_) | Outcome::Orphaned => (Level::Info, outcome.to_string()),
            Outcome::Failed(Side::Client, error) => {
                (Level::Info, format!("client connection failed ({})", errno(error)))
            }
            Outcome::Failed(Side::Server, error) => {
                (Level::Error, format!("upstream connection failed ({})", errno(error)))
            }
        };
        let Self { log, connection, context, record, _counted } = self;
        log.log_connection(
            level,
            connection,
            format_args!("{what} while proxying upgraded connection, {context}"),
        );
        if let Some(record) = record {
            record.body_sent.set(relay.to_client());
            if let Some(last) = record.tries.borrow_mut().last_mut() {
                last.ended();
                last.received += relay.to_client();
                last.sent += relay.to_server();
            }
            record.received.set(relay.to_server());
            record.complete.set(matches!(outcome, Outcome::Finished));
        }
    }
}

/// One request, from its head to the end of its answer.
#[derive(Debug)]
pub(crate) struct Record {
    /// The connection that it came on.
    pub(crate) client: Rc<Client>,
    /// Its head.
    pub(crate) head: Parts,
    /// Its fields as the client wrote them, line by line.
    pub(crate) fields: Box<[u8]>,
    /// The names of the answer's fields that are not spelled `Like-This`.
    pub(crate) spelled: RefCell<Vec<Box<str>>>,
    /// Its position among the requests of its connection, from 1.
    pub(crate) number: u64,
    /// Why it was refused before it became one.
    pub(crate) refused: Option<Box<Refused>>,
    /// When its head had come; where that took its time, when it began.
    pub(crate) started: Instant,
    /// What its routing found.
    pub(crate) routed: OnceCell<Routed>,
    /// What its servers did, in the order of trying.
    pub(crate) tries: RefCell<Vec<Try>>,
    /// The answer's status; 0 until there is one.
    pub(crate) status: Cell<u16>,
    /// The answer's fields, kept when a log wants them.
    pub(crate) sent: OnceCell<http::HeaderMap>,
    /// What hyper adds to them.
    pub(crate) framing: Cell<Framing>,
    /// The fields of the last server's answer, kept when a log names one of them.
    pub(crate) upstream_sent: RefCell<Option<http::HeaderMap>>,
    /// The bytes of the answer's body that were given to the connection, chunks' ends included.
    pub(crate) body_sent: Cell<u64>,
    /// The bytes that a tunnel took from the client.
    pub(crate) received: Cell<u64>,
    /// Where it has got to.
    pub(crate) course: Course,
    /// Whether the answer was complete.
    pub(crate) complete: Cell<bool>,
    /// `$request_id`, once something has asked for it.
    pub(crate) id: OnceCell<[u8; 32]>,
}

/// Where a request belongs.
#[derive(Debug)]
pub(crate) struct Routed {
    /// `$host`: in lower case, without port.
    pub(crate) host: Box<str>,
    /// The server.
    pub(crate) server: Arc<Server>,
}

impl Record {
    /// The settings that hold for it: until it is routed, none but its listener's are known.
    pub(crate) fn rules(&self) -> Option<&Arc<Rules>> {
        self.course.place().map(|place| &place.rules)
    }

    /// Where its errors go.
    pub(crate) fn error_log(&self) -> &ErrorLog {
        self.rules().map_or(&self.client.site.error_log, |rules| &rules.logs.error)
    }

    /// Whether an access log wants a line of it.
    pub(super) fn is_logged(&self) -> bool {
        self.rules().is_some_and(|rules| !rules.logs.access.is_empty())
    }

    /// The target as the client wrote it, an absolute form's authority left out.
    pub(crate) fn target(&self) -> &str {
        match self.head.uri.path_and_query() {
            Some(target) => target.as_str(),
            None if self.head.method == http::Method::OPTIONS => "*",
            None => "/",
        }
    }

    /// The target in full, as the request line has it.
    pub(crate) fn written(&self) -> &dyn fmt::Display {
        match self.head.uri.authority() {
            Some(_) => &self.head.uri,
            None => match self.head.uri.path_and_query() {
                Some(target) => target,
                None => &"*",
            },
        }
    }

    /// The target that a server is asked for, where that is not the client's own.
    fn outgoing(&self) -> Option<String> {
        let Action::Forward(forwarding) = &self.rules()?.action else { return None };
        if matches!(forwarding.uri, UriPart::AsIs) && self.course.untouched.get() {
            return None;
        }
        let mut text = Vec::new();
        target::outgoing(self, &forwarding.uri, &mut text)?;
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    /// Tells an error in nginx's form: what happened, then who was concerned.
    pub(crate) fn log(&self, level: Level, upstream: Option<&str>, what: fmt::Arguments<'_>) {
        let log = self.error_log();
        if log.takes(level) {
            let context = Context::new(self, upstream);
            log.log_connection(level, self.client.id, format_args!("{what}, {context}"));
        }
    }
}

/// `client: ..., server: ..., request: "...", upstream: "...", host: "..."`: who was concerned.
#[derive(Debug)]
struct Context {
    client: Option<SocketAddr>,
    rest: Box<str>,
}

impl Context {
    /// Every tunnel makes one for its end, so this copies and formats nothing.
    fn new(record: &Record, upstream: Option<&str>) -> Self {
        let head = &record.head;
        let server = record.routed.get().map_or("", |routed| &routed.server.name);
        let target = head.uri.path_and_query().map_or("*", |target| target.as_str());
        let version = if head.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" };
        let mut rest = String::with_capacity(256);
        for part in [", server: ", server, ", request: \""] {
            rest.push_str(part);
        }
        match &record.refused {
            Some(refused) => rest.push_str(&refused.line.escape_ascii().to_string()),
            None => [head.method.as_str(), " ", target, " ", version]
                .iter()
                .for_each(|part| rest.push_str(part)),
        }
        if let Some(upstream) = upstream {
            rest.push_str("\", upstream: \"http://");
            rest.push_str(upstream);
            // nginx's way to show where a socket's path ends.
            rest.push_str(if upstream.starts_with("unix:") { ":" } else { "" });
            match record.outgoing() {
                Some(other) => rest.push_str(&other),
                None => rest.push_str(target),
            }
        }
        for (name, field) in [("host", HOST), ("referrer", REFERER)] {
            if let Some(value) = head.headers.get(field) {
                rest.push_str("\", ");
                rest.push_str(name);
                rest.push_str(": \"");
                rest.push_str(&String::from_utf8_lossy(value.as_bytes()));
            }
        }
        rest.push('"');
        Self { client: record.peer(), rest: rest.into() }
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.client {
            Some(client) => write!(f, "client: {}{}", client.ip(), self.rest),
            None => write!(f, "client: unix:{}", self.rest),
        }
    }
}

impl Drop for Record {
    /// The answer has ended, or nobody waits for it any more.
    fn drop(&mut self) {
        self.client.end();
        super::access::write(self);
    }
}
