//! What every answer gets, and the pages for refusals.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, LAST_MODIFIED, LOCATION, SERVER,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::ext::ReasonPhrase;
use pin_project_lite::pin_project;
use tower::Service;

use super::Hangup;
use super::accel;
use super::access::Exchange;
use super::body::{Body, Content};
use super::client::Written;
use super::headers::has_token;
use super::phrase;
use super::record::Record;
use super::tries::Framing;

/// What the program calls itself in `Server` and on its pages.
const TOKEN: &str = concat!("proxy/", env!("CARGO_PKG_VERSION"));

/// A request that gets no answer from a server or from the configuration.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// A page says so.
    Status(StatusCode),
    /// A page says so, and fields with it.
    With(StatusCode, Box<HeaderMap>),
    /// A redirect.
    Redirect(StatusCode, HeaderValue),
    /// The connection is closed; the status is for the log.
    Hangup(u16),
    /// None yet: the request is sent on, to a path with its arguments or to `@NAME`.
    Elsewhere(Vec<u8>),
}

/// The layer's service.
#[derive(Debug, Clone)]
pub(crate) struct Reply<S>(S);

impl<S> Reply<S> {
    pub(super) fn new(inner: S) -> Self {
        Self(inner)
    }
}

impl<S> Service<Exchange> for Reply<S>
where
    S: Service<Exchange, Response = Response<Content>, Error = Refusal>,
{
    type Response = Response<Body>;
    type Error = Hangup;
    type Future = Replying<S::Future>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Hangup>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, exchange: Exchange) -> Self::Future {
        let record = exchange.record.clone();
        Replying { inner: self.0.call(exchange), record: Some(record) }
    }
}

pin_project! {
    /// The answer to come.
    pub(crate) struct Replying<F> {
        #[pin]
        inner: F,
        record: Option<Rc<Record>>,
    }
}

impl<F: Future<Output = Result<Response<Content>, Refusal>>> Future for Replying<F> {
    type Output = Result<Response<Body>, Hangup>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.inner.poll(cx));
        let Some(record) = this.record.take() else { return Poll::Ready(Err(Hangup)) };
        let answer = match answer {
            Ok(answer) => answer,
            Err(Refusal::Hangup(status)) => {
                record.status.set(status);
                if status == CLOSED {
                    record.cut();
                }
                record.client.visits.answer(status);
                return Poll::Ready(Err(Hangup));
            }
            Err(Refusal::Status(status)) => page(&record, status),
            // It was followed before it could come here.
            Err(Refusal::Elsewhere(_)) => page(&record, StatusCode::INTERNAL_SERVER_ERROR),
            Err(Refusal::With(status, fields)) => {
                let mut answer = page(&record, status);
                answer.headers_mut().extend(*fields);
                answer
            }
            Err(Refusal::Redirect(status, location)) => {
                let mut answer = page(&record, status);
                answer.headers_mut().insert(LOCATION, location);
                answer
            }
        };
        Poll::Ready(Ok(finish(answer, record)))
    }
}

/// Adds what every answer has.
fn finish(answer: Response<Content>, record: Rc<Record>) -> Response<Body> {
    let (mut head, content) = answer.into_parts();
    if let Ok(status) = StatusCode::from_u16(record.course.status.get()) {
        head.status =
            if status.as_u16() == HEAD_TOO_LARGE { StatusCode::BAD_REQUEST } else { status };
        // The date of a file is not that of an error.
        if matches!(content, Content::File(_)) && head.status != StatusCode::OK {
            head.headers.remove(LAST_MODIFIED);
        }
        if let Some(fields) = record.course.fields.take() {
            head.headers.extend(*fields);
        }
        // The words were those of another status.
        head.extensions.remove::<ReasonPhrase>();
        if let Some(phrase) = phrase::extension(head.status) {
            head.extensions.insert(phrase);
        }
    }
    if let Some(fields) = record.course.carried.take() {
        accel::carry(*fields, &mut head, !matches!(content, Content::Server(_)));
    }
    record.status.set(head.status.as_u16());
    record.client.visits.answer(head.status.as_u16());
    head.version = Version::HTTP_11;
    let tokens = record.rules().is_none_or(|rules| rules.tokens);
    // A server's own is only here where the configuration passes it.
    head.headers.entry(SERVER).or_insert(HeaderValue::from_static(if tokens {
        TOKEN
    } else {
        "proxy"
    }));
    add(&record, head.status, &mut head.headers);
    let mut body = Body::new(content, record.clone());
    let trailers = record.has_trailers(head.status, body.awaits_trailers());
    if trailers {
        head.headers.remove(CONTENT_LENGTH);
        body.expect_trailers();
    }
    // hyper says its version to such a client, spells names its own way, and sends trailers to few;
    // the wire mends that.
    let old = record.head.version == Version::HTTP_10;
    let names = record.spelled.take();
    *record.client.written.borrow_mut() = Written { old, names, trailers };
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        head.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        remember(&record, &head.headers);
        return Response::from_parts(head, body);
    }
    // A server's own words are in the extensions already.
    if body.is_ours()
        && let Some(phrase) = phrase::extension(head.status)
    {
        head.extensions.insert(phrase);
    }
    let keep = keeps_alive(&record, head.status, &body);
    let connection = if keep { "keep-alive" } else { "close" };
    head.headers.insert(CONNECTION, HeaderValue::from_static(connection));
    if keep && let Some(value) = record.rules().and_then(|rules| rules.keepalive_header.clone()) {
        head.headers.insert(HeaderName::from_static("keep-alive"), value);
    }
    if record.is_logged() {
        let framing = framing(&record, head.status, &head.headers, &body);
        record.framing.set(framing);
        if matches!(framing, Framing::Chunked) {
            body.in_chunks();
        }
    }
    remember(&record, &head.headers);
    Response::from_parts(head, body)
}

/// How hyper will say where the body ends.
fn framing(record: &Record, status: StatusCode, headers: &HeaderMap, body: &Body) -> Framing {
    if matches!(status.as_u16(), 204 | 304) || headers.contains_key(CONTENT_LENGTH) {
        return Framing::Itself;
    }
    match body.size_hint().exact() {
        Some(length) => Framing::Length(length),
        None if record.head.version == Version::HTTP_10 => Framing::Itself,
        None if record.head.method == http::Method::HEAD => Framing::Itself,
        None => Framing::Chunked,
    }
}

/// Sets the fields of `expires` and adds those of `add_header`.
fn add(record: &Record, status: StatusCode, headers: &mut HeaderMap) {
    let Some(rules) = record.rules() else { return };
    let fine = is_fine(status);
    if fine && let Some(expires) = rules.expires.as_ref().and_then(|expiry| expiry.of(record)) {
        expires.set(headers);
    }
    for added in rules.added.iter().filter(|added| fine || added.always) {
        let mut text = Vec::new();
        added.value.render(record, &mut text);
        let Ok(value) = HeaderValue::try_from(text) else { continue };
        record.spelled.borrow_mut().extend(added.spelled.clone());
        match added.name {
            // There is one of these.
            ETAG | LAST_MODIFIED if value.is_empty() => drop(headers.remove(&added.name)),
            _ if value.is_empty() => {}
            ETAG | LAST_MODIFIED => drop(headers.insert(&added.name, value)),
            _ => drop(headers.append(&added.name, value)),
        }
    }
}

/// Whether an answer with this status gets the fields that no error gets.
pub(super) fn is_fine(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 201 | 204 | 206 | 301..=304 | 307 | 308)
}

/// Keeps an answer's fields where a log may ask for them after they are gone.
fn remember(record: &Record, headers: &HeaderMap) {
    if record.is_logged() {
        // It is set once for each record.
        let _ = record.sent.set(headers.clone());
    }
}

/// Whether the connection carries another request after this one.
fn keeps_alive(record: &Record, status: StatusCode, body: &Body) -> bool {
    let Some(rules) = record.rules() else { return false };
    let headers = &record.head.headers;
    let asked = match record.head.version {
        Version::HTTP_11 => !has_token(headers, &CONNECTION, "close"),
        // Without chunks, only the connection's end can end a body of unknown length.
        _ => has_token(headers, &CONNECTION, "keep-alive") && body.size_hint().exact().is_some(),
    };
    // After these nginx does not trust what follows on the connection.
    let trusted = !matches!(status.as_u16(), 400 | 413 | 414 | 500 | 501) || !body.is_ours();
    let keep = asked
        && trusted
        && record.refused.is_none()
        && rules.keepalive
        && record.number < rules.keepalive_requests
        && record.started.duration_since(record.client.since) < rules.keepalive_time
        && !record.client.closing.get()
        && !rules.endings.forbid(record);
    record.client.endings.set(rules.endings);
    record.client.patience.set(rules.keepalive_timeout);
    record.client.flow.limit.set(rules.send_timeout);
    record.client.flow.reset.set(rules.reset);
    keep
}

/// nginx's status of its own for a connection that is closed without an answer.
const CLOSED: u16 = 444;

/// nginx's status of its own for a head that is too large: 400, with a page that says more.
const HEAD_TOO_LARGE: u16 = 494;

/// nginx's page for a status; an answer without a body where it has none.
fn page(record: &Record, status: StatusCode) -> Response<Content> {
    let too_large = status.as_u16() == HEAD_TOO_LARGE;
    let status = if too_large { StatusCode::BAD_REQUEST } else { status };
    let Some(words) = phrase::on_page(status) else {
        let mut answer = Response::new(Content::Empty);
        *answer.status_mut() = status;
        return answer;
    };
    let tokens = record.rules().is_none_or(|rules| rules.tokens);
    let program = if tokens { TOKEN } else { "proxy" };
    let heading = format!("{} {words}", status.as_u16());
    let (title, more) = if too_large {
        const WORDS: &str = "Request Header Or Cookie Too Large";
        (format!("400 {WORDS}"), format!("<center>{WORDS}</center>\r\n"))
    } else {
        (heading.clone(), String::new())
    };
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{heading}</h1></center>\r\n\
         {more}<hr><center>{program}</center>\r\n</body>\r\n</html>\r\n"
    );
    let mut answer = Response::new(Content::Whole(Bytes::from(page)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    answer
}
