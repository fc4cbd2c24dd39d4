//! What answers of itself: how the proxy is.

use std::rc::Rc;

use bytes::Bytes;
use http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::body::Content;
use super::record::Record;
use super::reply::Refusal;
use super::values::show;
use crate::route::Variable;
use crate::status::{Dialect, Format, PAGE, POLICY, stub};

/// Answers with how the proxy is, as this format has it.
pub(super) async fn answer(
    record: Rc<Record>,
    format: Format,
) -> Result<Response<Content>, Refusal> {
    if !matches!(*record.method(), Method::GET | Method::HEAD) {
        return Err(refuse(format));
    }
    let source = &record.client.source;
    let (media, text) = match format {
        Format::Stub => {
            // As old as nginx's, and asked for by whom knows that; it says no more than nginx's.
            return Ok(say("text/plain", stub(&source.counts()).into()));
        }
        Format::Page if !wants_json(&record) => return Ok(page()),
        Format::Json | Format::Page => ("application/json", None),
        Format::Prometheus => {
            let accept = record.head.headers.get_all(ACCEPT).iter();
            let accept: Vec<_> = accept.filter_map(|accept| accept.to_str().ok()).collect();
            let dialect = Dialect::wanted(&accept.join(","));
            (dialect.media_type(), Some(dialect))
        }
    };
    let Some(snapshot) = source.snapshot().await else {
        return Err(Refusal::Status(StatusCode::SERVICE_UNAVAILABLE));
    };
    let text = match text {
        None => snapshot.json(),
        Some(dialect) => snapshot.metrics(dialect).into(),
    };
    let mut answer = say(media, text);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

/// Whether a page's own script asks, or whoever else wants no page.
fn wants_json(record: &Record) -> bool {
    let json = |accept: &HeaderValue| {
        accept.to_str().is_ok_and(|accept| accept.starts_with("application/json"))
    };
    record.args() == b"json" || record.head.headers.get(ACCEPT).is_some_and(json)
}

fn page() -> Response<Content> {
    let mut answer = say("text/html; charset=utf-8", PAGE.into());
    let fields = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    let fields = fields.map(|(name, value)| (name, HeaderValue::from_static(value)));
    answer.headers_mut().extend(fields);
    answer
}

/// What `$connections_...` come to.
pub(super) fn write(record: &Record, variable: &Variable, out: &mut Vec<u8>) -> bool {
    let counts = record.client.source.counts();
    let count = match variable {
        Variable::ConnectionsActive => counts.connections,
        Variable::ConnectionsReading => counts.reading,
        Variable::ConnectionsWaiting => counts.waiting,
        Variable::ConnectionsWriting => counts.writing(),
        _ => return false,
    };
    show(out, format_args!("{count}"));
    true
}

/// Nothing is changed here.
fn refuse(format: Format) -> Refusal {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    if format == Format::Stub {
        // nginx says no more.
        return Refusal::Status(status);
    }
    let mut fields = HeaderMap::new();
    fields.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    Refusal::With(status, fields.into())
}

fn say(media: &'static str, text: Vec<u8>) -> Response<Content> {
    let mut answer = Response::new(Content::Whole(Bytes::from(text)));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    answer
}
