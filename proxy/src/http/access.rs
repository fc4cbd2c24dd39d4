//! The outermost layer: a request's record is opened here, and its lines are written at its end.

use std::rc::Rc;
use std::task::{Context, Poll};

use http::header::{HOST, HeaderValue};
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use tower::Service;

use super::body::Body;
use super::client::Client;
use super::escape;
use super::record::Record;
use super::{Hangup, site::AccessLog};
use crate::route::{Template, host::normalise};

/// A request inside the stack.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// All that is known of it.
    pub(crate) record: Rc<Record>,
    /// Its body, not read yet.
    pub(crate) body: Option<Incoming>,
}

/// The layer's service.
#[derive(Debug, Clone)]
pub(crate) struct Access<S> {
    client: Rc<Client>,
    inner: S,
}

impl<S> Access<S> {
    pub(super) fn new(client: Rc<Client>, inner: S) -> Self {
        Self { client, inner }
    }
}

impl<S> Service<Request<Incoming>> for Access<S>
where
    S: Service<Exchange, Response = Response<Body>, Error = Hangup>,
{
    type Response = Response<Body>;
    type Error = Hangup;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Hangup>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Incoming>) -> S::Future {
        let (mut head, body) = request.into_parts();
        let (number, fields) = self.client.begin();
        let mut refused = self.client.take_refused(number);
        if let Some(read) = refused.as_mut().and_then(|refused| refused.head.take()) {
            head = read;
        }
        name_the_target(&mut head);
        let record = Rc::new(Record::new(self.client.clone(), number, head, fields, refused));
        self.inner.call(Exchange { record, body: Some(body) })
    }
}

/// Of two hosts an absolute target's is the one, for whoever asks (RFC 9112, 3.2.2). A field that is
/// no host stays: the request is refused for it.
fn name_the_target(head: &mut Parts) {
    let Some(authority) = head.uri.authority() else { return };
    let good = head.headers.get(HOST).is_none_or(|field| normalise(field.as_bytes()).is_ok());
    if good && let Ok(host) = HeaderValue::from_str(authority.as_str()) {
        head.headers.insert(HOST, host);
    }
}

/// Writes a line to each access log of a request that has ended.
pub(super) fn write(record: &Record) {
    let Some(rules) = record.rules() else { return };
    for log in rules.logs.access.iter().filter(|log| log.wants(record)) {
        let mut line = Vec::with_capacity(256);
        escape::render_escaped(record, &log.format, log.escape, &mut line);
        line.push(b'\n');
        log.file.write(&line);
    }
}

impl AccessLog {
    /// Whether it has a line for this request.
    pub(super) fn wants(&self, record: &Record) -> bool {
        self.condition.as_ref().is_none_or(|condition| holds(record, condition))
    }
}

/// nginx's truth: anything but nothing and `0`.
pub(super) fn holds(record: &Record, condition: &Template) -> bool {
    let mut value = Vec::new();
    condition.render(record, &mut value);
    !matches!(value.as_slice(), b"" | b"0")
}
