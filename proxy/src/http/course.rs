//! The course of a request: where it is, and what has become of it on its way there.

use std::cell::{Cell, OnceCell, RefCell};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;

use super::limits::Standing;
use super::passing::Passed;
use super::record::Record;
use super::site::Rules;
use crate::route::{Captures, Variable};
use crate::upstream::Pending;

/// How often a request may be sent on from within (nginx: `NGX_HTTP_MAX_URI_CHANGES`).
const CHANGES: u8 = 10;

/// Where a request has been, and what changed on the way. Places are only added, so that what was
/// read of one stays true; a request that nothing is rewritten of has one.
#[derive(Debug)]
pub(crate) struct Course {
    first: OnceCell<Place>,
    /// The path that the client asked for, decoded and normalised, where it is not as written.
    pub(super) asked: OnceCell<Box<[u8]>>,
    /// What the patterns that matched have captured, in that order.
    pub(super) captures: RefCell<Vec<Captures>>,
    /// What `set` has set, by position.
    pub(super) sets: RefCell<Vec<Option<Box<[u8]>>>>,
    /// What maps and the like have come to.
    pub(super) known: RefCell<Vec<(Variable, Box<[u8]>)>>,
    changes: Cell<u8>,
    /// It was sent here from within.
    pub(super) internal: Cell<bool>,
    /// The target that the client wrote still counts.
    pub(super) untouched: Cell<bool>,
    /// The path still starts with what its location matched.
    pub(super) located: Cell<bool>,
    /// The path is what stands behind an `alias` that takes the place of all of it.
    pub(super) aliased: Cell<bool>,
    /// An error's page is being fetched, whose own error has none.
    pub(super) paged: Cell<bool>,
    /// The status of the answer, whatever its content says; 0 is what that says.
    pub(super) status: Cell<u16>,
    /// Who the client is, where another than it says so.
    pub(super) peer: Cell<Option<SocketAddr>>,
    /// What an error says besides its page.
    pub(super) fields: RefCell<Option<Box<HeaderMap>>>,
    /// It asks by GET now, whatever the client asked by.
    pub(super) get: Cell<bool>,
    /// Its body was refused for its length, which is not looked at again.
    pub(super) measured: Cell<bool>,
    /// What the URL of a `proxy_pass` with variables has come to.
    pub(super) passed: RefCell<Option<Box<Passed>>>,
    /// The fields of an answer that sent it elsewhere.
    pub(super) carried: RefCell<Option<Box<HeaderMap>>>,
    /// Its body, where the configuration asks for it and it is small.
    pub(super) body: RefCell<Option<Bytes>>,
    /// How many bytes of its answer go out in a second, once that is settled; 0 is no limit.
    pub(super) rate: Cell<Option<u64>>,
    /// What limits have made of it.
    pub(super) standing: Standing,
    /// What was not sent to a server that failed.
    pub(super) unsent: RefCell<Option<Pending>>,
}

/// One place of a request.
#[derive(Debug)]
pub(crate) struct Place {
    /// `$uri`: decoded and normalised; none when it is what the client asked for.
    pub(crate) path: Option<Box<[u8]>>,
    /// `$args`; none when they are the target's own.
    pub(crate) args: Option<Box<[u8]>>,
    /// What holds there.
    pub(crate) rules: Arc<Rules>,
    then: OnceCell<Box<Place>>,
}

impl Place {
    pub(super) fn new(path: Option<Box<[u8]>>, args: Option<Box<[u8]>>, rules: Arc<Rules>) -> Self {
        Self { path, args, rules, then: OnceCell::new() }
    }
}

impl Course {
    pub(super) fn new() -> Self {
        Self {
            first: OnceCell::new(),
            asked: OnceCell::new(),
            captures: RefCell::default(),
            sets: RefCell::default(),
            known: RefCell::default(),
            changes: Cell::new(CHANGES),
            internal: Cell::new(false),
            untouched: Cell::new(true),
            located: Cell::new(true),
            aliased: Cell::new(false),
            paged: Cell::new(false),
            status: Cell::new(0),
            peer: Cell::new(None),
            fields: RefCell::default(),
            get: Cell::new(false),
            measured: Cell::new(false),
            passed: RefCell::default(),
            carried: RefCell::default(),
            body: RefCell::default(),
            rate: Cell::new(None),
            standing: Standing::default(),
            unsent: RefCell::default(),
        }
    }

    /// Where it is.
    pub(crate) fn place(&self) -> Option<&Place> {
        let mut place = self.first.get()?;
        while let Some(then) = place.then.get() {
            place = then;
        }
        Some(place)
    }

    /// It goes there.
    pub(super) fn go(&self, place: Place) {
        // The last place has none behind it.
        let _ = match self.place() {
            None => self.first.set(place).is_ok(),
            Some(last) => last.then.set(Box::new(place)).is_ok(),
        };
    }

    /// Other settings hold, where it is.
    pub(super) fn enter(&self, rules: Arc<Rules>) {
        let (path, args) = match self.place() {
            Some(place) => (place.path.clone(), place.args.clone()),
            None => (None, None),
        };
        self.go(Place::new(path, args, rules));
    }

    /// Its path and arguments are others.
    pub(super) fn rewrite(&self, path: Vec<u8>, args: Vec<u8>) {
        let Some(rules) = self.place().map(|place| place.rules.clone()) else { return };
        self.untouched.set(false);
        self.go(Place::new(Some(path.into()), Some(args.into()), rules));
    }

    /// Counts that it is sent on; false when that was once too often.
    pub(super) fn change(&self) -> bool {
        let left = self.changes.get();
        self.changes.set(left.saturating_sub(1));
        left > 0
    }
}

impl Record {
    /// Who asks; nothing over a Unix socket.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.course.peer.get().or(self.client.peer)
    }

    /// What it asks by: an error's page is fetched by GET.
    pub(crate) fn method(&self) -> &http::Method {
        if self.course.get.get() { &http::Method::GET } else { &self.head.method }
    }

    /// `$args`, or nothing.
    pub(crate) fn args(&self) -> &[u8] {
        match self.course.place().and_then(|place| place.args.as_deref()) {
            Some(args) => args,
            None => self.head.uri.query().unwrap_or_default().as_bytes(),
        }
    }

    /// `$uri`: the decoded and normalised path.
    pub(crate) fn path(&self) -> &[u8] {
        let rewritten = self.course.place().and_then(|place| place.path.as_deref());
        match rewritten.or(self.course.asked.get().map(|path| &**path)) {
            Some(path) => path,
            None => self.head.uri.path().as_bytes(),
        }
    }
}
