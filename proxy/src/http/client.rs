//! What is known of one client connection.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::endings::Endings;
use super::record::Switched;
use super::refused::Refused;
use super::site::Site;
use crate::net::Addr;
use crate::observe::{Open, Stage, Tunnelled, Visits, now};
use crate::status::Source;
use crate::upstream::Pool;

/// One client connection, as its requests see it.
#[derive(Debug)]
pub(crate) struct Client {
    /// Its number in the logs.
    pub(crate) id: u64,
    /// Who it is; nothing over a Unix socket.
    pub(crate) peer: Option<SocketAddr>,
    /// The listener that accepted it, as the configuration writes its address.
    pub(crate) door: Addr,
    /// Where it connected to; asked from the socket when a variable wants it.
    pub(crate) local: Option<SocketAddr>,
    /// What answers it: the generation that accepted it, whatever is loaded later.
    pub(crate) site: Arc<Site>,
    /// The thread's idle connections to servers.
    pub(crate) pool: Pool,
    /// What keeps it counted as open.
    pub(crate) open: RefCell<Option<Open>>,
    /// What its thread counts of its listener.
    pub(crate) visits: Arc<Visits>,
    /// Who knows how the proxy is.
    pub(crate) source: Arc<dyn Source>,
    /// When it was accepted.
    pub(crate) since: Instant,
    /// Requests so far.
    pub(crate) requests: Cell<u64>,
    /// Requests whose answer has not ended.
    pub(crate) busy: Cell<u32>,
    /// When the last answer ended.
    pub(crate) idle_since: Cell<Instant>,
    /// How long it may be idle, by the location that answered last.
    pub(crate) patience: Cell<Duration>,
    /// Whether it is to be closed after the answer under way.
    pub(crate) closing: Cell<bool>,
    /// Whether the client may still be sending when it is closed.
    pub(crate) linger: Cell<bool>,
    /// How it ends, by the location that answered last.
    pub(crate) endings: Cell<Endings>,
    /// The fields of the requests that have come and not begun, as the client wrote them.
    pub(crate) fields: RefCell<VecDeque<Box<[u8]>>>,
    /// How the head of the answer that begins is to be written, where hyper writes it otherwise.
    pub(crate) written: RefCell<Written>,
    /// Heads that go out before that of the answer to come, if it is not too late for them.
    pub(crate) interim: RefCell<Vec<u8>>,
    /// The lines that belong behind the last chunk of the answer that is at its end.
    pub(crate) trailers: RefCell<Vec<u8>>,
    /// A head that was refused, until its turn comes.
    pub(crate) refused: RefCell<Option<Box<Refused>>>,
    /// The upgrade that an answer has begun.
    pub(crate) switched: RefCell<Option<Switched>>,
    /// What its socket does.
    pub(crate) flow: Flow,
}

/// How the head of an answer is written, where hyper would write it otherwise.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// The answer is one to HTTP/1.0, to which hyper says its own version; nginx says 1.1.
    pub(crate) old: bool,
    /// The names that are not spelled `Like-This`.
    pub(crate) names: Vec<Box<str>>,
    /// Trailers follow its body, which is in chunks.
    pub(crate) trailers: bool,
}

/// What a client's socket does while hyper has it.
#[derive(Debug)]
pub(crate) struct Flow {
    /// Since when it takes no more bytes, while some wait for it.
    pub(crate) blocked: Cell<Option<Instant>>,
    /// How long that may last, by the location that answered last.
    pub(crate) limit: Cell<Duration>,
    /// Whether it is reset when that is over.
    pub(crate) reset: Cell<bool>,
    /// Whether it is reset whatever it does.
    pub(crate) cut: Cell<bool>,
    /// Whether nobody waits for the next bytes that come: those that came are not used yet.
    pub(crate) deaf: Cell<bool>,
    /// Whether its end is not looked at before the answer under way is over.
    pub(crate) ignores_end: Cell<bool>,
    /// When a head began that is not whole yet.
    pub(crate) head_since: Cell<Option<Instant>>,
    /// The last requests, from and to, that came together with the one before them.
    pub(crate) pipelined: Cell<(u64, u64)>,
    /// Who waits for the end of the answer that is under way.
    waiting: RefCell<Option<Waker>>,
}

impl Flow {
    /// A socket that has not been used yet.
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            blocked: Cell::new(None),
            limit: Cell::new(limit),
            reset: Cell::new(false),
            cut: Cell::new(false),
            deaf: Cell::new(false),
            ignores_end: Cell::new(false),
            head_since: Cell::new(None),
            pipelined: Cell::default(),
            waiting: RefCell::default(),
        }
    }

    /// Wakes this once the answer that is under way has ended.
    pub(crate) fn wait_for_end(&self, waker: &Waker) {
        *self.waiting.borrow_mut() = Some(waker.clone());
    }

    /// The request of this number came together with the one before it.
    pub(crate) fn pipeline(&self, number: u64) {
        let (from, to) = self.pipelined.get();
        self.pipelined.set((if to + 1 == number { from } else { number }, number));
    }

    /// Whether it did.
    pub(super) fn is_pipelined(&self, number: u64) -> bool {
        let (from, to) = self.pipelined.get();
        (from..=to).contains(&number)
    }
}

impl Client {
    /// A request begins: its number, and its fields as they came.
    pub(super) fn begin(&self) -> (u64, Box<[u8]>) {
        self.busy.set(self.busy.get() + 1);
        // nginx counts a request from its first byte on.
        if self.flow.head_since.get().is_none() {
            self.visits.ask();
        }
        self.turn(Stage::Writing);
        let number = self.requests.get() + 1;
        self.requests.set(number);
        (number, self.fields.borrow_mut().pop_front().unwrap_or_default())
    }

    /// Keeps the fields of a request that has come, until it begins; nothing of one that is refused.
    pub(crate) fn keep_fields(&self, fields: Option<&[u8]>) {
        self.fields.borrow_mut().push_back(fields.unwrap_or_default().into());
    }

    /// How the head that hyper writes next is to be written, where that is not hyper's way.
    pub(crate) fn take_written(&self) -> Option<Written> {
        let mut written = self.written.borrow_mut();
        let own = written.old || written.trailers || !written.names.is_empty();
        own.then(|| std::mem::take(&mut *written))
    }

    /// Whether this many requests have come and all of them are answered.
    pub(crate) fn is_answered(&self, requests: u64) -> bool {
        self.busy.get() == 0 && self.requests.get() == requests
    }

    /// Whether what the client may still be sending is to be read before the connection is closed.
    pub(crate) fn lingers(&self) -> bool {
        let endings = self.endings.get();
        endings.always || (endings.lingers && self.linger.get())
    }

    /// The head of a request has begun to come, and is not whole.
    pub(crate) fn begin_head(&self) {
        let now = now();
        self.idle_since.set(now);
        self.flow.head_since.set(Some(now));
        self.visits.ask();
        if self.busy.get() == 0 {
            self.turn(Stage::Reading);
        }
    }

    /// The answer to a request has ended, which came at this moment and has become no tunnel.
    pub(super) fn end(&self, started: Option<Instant>) {
        let now = now();
        self.busy.set(self.busy.get().saturating_sub(1));
        self.flow.ignores_end.set(false);
        self.flow.waiting.take().into_iter().for_each(Waker::wake);
        self.idle_since.set(now);
        started.into_iter().for_each(|started| self.visits.end(now - started));
        if self.busy.get() == 0 {
            let begun = self.flow.head_since.get().is_some();
            self.turn(if begun { Stage::Reading } else { Stage::Waiting });
        }
    }

    /// What its connection is about from now on.
    pub(crate) fn turn(&self, stage: Stage) {
        self.open.borrow().iter().for_each(|open| open.turn(stage));
    }

    /// Whether nothing of a request is there, and all that was answered has gone out.
    pub(crate) fn rests(&self) -> bool {
        let flow = &self.flow;
        self.busy.get() == 0 && flow.blocked.get().is_none() && flow.head_since.get().is_none()
    }

    /// Whether bytes have come behind a request whose answer is under way, so that nobody would
    /// be told if the client went away.
    pub(crate) fn is_unheard(&self) -> bool {
        self.busy.get() > 0 && self.flow.deaf.get()
    }

    /// Counts a tunnel while it lives.
    pub(crate) fn count_tunnel(&self) -> Tunnelled {
        self.visits.tunnel()
    }
}
