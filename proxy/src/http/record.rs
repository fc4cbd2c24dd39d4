//! What is known of one request.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use http::request::Parts;

use super::client::Client;
use super::context::Context;
use super::course::Course;
use super::epitaph::Epitaph;
use super::facts::Stage;
use super::refused::Refused;
use super::site::{Action, Rules, Server, UriPart};
use super::target;
use super::tries::{Framing, Try};
use crate::balance::Held;
use crate::net::Stream;
use crate::observe::{ErrorLog, Level, now};
use crate::tunnel::{self, Summary};

/// What a tunnel is made of, but for the client's socket, which hyper still has.
#[derive(Debug)]
pub(crate) struct Switched {
    /// The server's socket and what was read from it already.
    pub(crate) server: (Stream, Vec<u8>),
    /// What keeps the server counted.
    pub(crate) held: Held,
    /// What bounds the tunnel.
    pub(crate) limits: tunnel::Limits,
    /// What its client may do.
    pub(crate) bounds: Option<tunnel::Bounds>,
    /// Whether WebSocket was asked for, rather than another protocol.
    pub(crate) websocket: bool,
    /// What its end is told with.
    pub(crate) epitaph: Epitaph,
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
    /// The lines of the trailers that its server sent, where they are passed on.
    pub(crate) upstream_trailers: RefCell<Vec<u8>>,
    /// The lines of the answer's trailers, once it has ended.
    pub(crate) trailers: OnceCell<Box<[u8]>>,
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
    /// Whether its lines are another's to write.
    pub(crate) silent: Cell<bool>,
    /// How far the tunnel is that it has become.
    pub(crate) stage: Cell<Stage>,
    /// `$request_id`, once something has asked for it.
    pub(crate) id: OnceCell<[u8; 32]>,
}

/// Where a request belongs.
#[derive(Debug)]
pub(crate) struct Routed {
    /// `$host`: in lower case, without port.
    pub(crate) host: Box<str>,
    /// `$request_port`: the port that stands behind it.
    pub(crate) port: Option<u16>,
    /// The server.
    pub(crate) server: Arc<Server>,
}

impl Record {
    /// A request of this client's, of which no more is known.
    pub(super) fn new(
        client: Rc<Client>,
        number: u64,
        head: Parts,
        fields: Box<[u8]>,
        refused: Option<Box<Refused>>,
    ) -> Self {
        let started = client.flow.head_since.take().unwrap_or_else(now);
        Self {
            number,
            refused,
            client,
            head,
            fields,
            spelled: RefCell::default(),
            started,
            routed: OnceCell::new(),
            tries: RefCell::default(),
            status: Cell::new(0),
            sent: OnceCell::new(),
            upstream_trailers: RefCell::default(),
            trailers: OnceCell::new(),
            framing: Cell::default(),
            upstream_sent: RefCell::default(),
            body_sent: Cell::new(0),
            received: Cell::new(0),
            course: Course::new(),
            complete: Cell::new(false),
            silent: Cell::new(false),
            stage: Cell::default(),
            id: OnceCell::new(),
        }
    }

    /// The settings that hold for it: until it is routed, none but its listener's are known.
    pub(crate) fn rules(&self) -> Option<&Arc<Rules>> {
        self.course.place().map(|place| &place.rules)
    }

    /// Its client took too long, or is not wanted: it may be that it is to be reset.
    pub(super) fn cut(&self) {
        self.client.flow.cut.set(self.rules().is_some_and(|rules| rules.reset));
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
    pub(super) fn outgoing(&self) -> Option<String> {
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

impl Record {
    /// The tunnel that it has become has ended.
    pub(super) fn end_tunnel(&self, summary: Summary) {
        self.body_sent.set(summary.down.bytes);
        if let Some(last) = self.tries.borrow_mut().last_mut() {
            last.ended();
            last.received += summary.down.bytes;
            last.sent += summary.up.bytes;
        }
        self.received.set(summary.up.bytes);
        self.complete.set(summary.complete);
        self.stage.set(Stage::Closed(summary));
    }
}

impl Drop for Record {
    /// The answer has ended, or nobody waits for it any more.
    fn drop(&mut self) {
        let counts = !matches!(self.status.get(), 0 | 101);
        self.client.end(counts.then_some(self.started));
        if !self.silent.get() {
            super::access::write(self);
        }
    }
}
