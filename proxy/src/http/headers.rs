//! Which fields go out to a server, and which come back to the client.

use http::header::{
    CONNECTION, CONTENT_LENGTH, DATE, EXPECT, HOST, HeaderName, SERVER, TE, TRANSFER_ENCODING,
    UPGRADE,
};
use http::{HeaderMap, HeaderValue};

use super::record::Record;
use crate::route::{Template, Variable};
use crate::upstream::Names;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// The fields of a request that are never passed on as they came (nginx: the default
/// `proxy_set_header` list). Framing is made anew, `Expect` was answered here already.
const OURS: [HeaderName; 8] =
    [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, TE, KEEP_ALIVE, EXPECT, UPGRADE];

/// The fields of an answer that describe the server's own connection or program (nginx: the
/// default `proxy_hide_header` list, and what it reads and writes anew).
const THEIRS: [HeaderName; 11] = [
    CONNECTION,
    KEEP_ALIVE,
    TRANSFER_ENCODING,
    DATE,
    SERVER,
    HeaderName::from_static("x-pad"),
    HeaderName::from_static("x-accel-expires"),
    HeaderName::from_static("x-accel-redirect"),
    HeaderName::from_static("x-accel-limit-rate"),
    HeaderName::from_static("x-accel-buffering"),
    HeaderName::from_static("x-accel-charset"),
];

/// What becomes of a request's fields, compiled.
#[derive(Debug)]
pub(crate) struct HeaderPlan {
    /// What is set.
    set: Box<[(HeaderName, Template)]>,
    /// How the names are spelled.
    names: Names,
    /// What of the client's is left out: what is set, and [`OURS`].
    drop: Box<[HeaderName]>,
}

impl HeaderPlan {
    /// A plan with these `proxy_set_header` lines, each with its name's spelling; `host` is what
    /// Host is unless a line says so.
    pub(crate) fn new(lines: Vec<(HeaderName, Box<str>, Template)>, host: Template) -> Self {
        let spelled = lines.iter().map(|(_, name, _)| name.clone());
        let own = ["Host", "Content-Length", "Transfer-Encoding"].into_iter().map(Box::from);
        let names = spelled.chain(own).collect();
        let mut set: Vec<_> = lines.into_iter().map(|(name, _, value)| (name, value)).collect();
        if !set.iter().any(|(name, _)| *name == HOST) {
            set.push((HOST, host));
        }
        let mut drop = OURS.to_vec();
        drop.extend(set.iter().map(|(name, _)| name.clone()).filter(|name| !OURS.contains(name)));
        // Framing belongs to whoever writes the message.
        set.retain(|(name, _)| *name != TRANSFER_ENCODING && *name != CONTENT_LENGTH);
        Self { set: set.into(), names, drop: drop.into() }
    }

    /// How the names of this plan are spelled.
    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// The fields that go out for this request. A value that is empty leaves its field out.
    pub(super) fn apply(&self, record: &Record, has_body: bool) -> HeaderMap {
        let theirs = &record.head.headers;
        let mut out = HeaderMap::with_capacity(theirs.len() + self.set.len());
        for (name, template) in &self.set {
            if let Some(value) = value(template, record) {
                out.append(name.clone(), value);
            }
        }
        for (name, value) in theirs {
            if !self.drop.contains(name) {
                out.append(name.clone(), value.clone());
            }
        }
        if let Some(length) = theirs.get(CONTENT_LENGTH)
            && (has_body || length == "0")
        {
            out.insert(CONTENT_LENGTH, length.clone());
        }
        out
    }
}

/// A field's value; none when it is empty or can't stand in a field.
fn value(template: &Template, record: &Record) -> Option<HeaderValue> {
    // `$http_name` with one such field is the field itself: shared, not copied.
    if let Some(Variable::HttpHeader(name)) = template.single_variable() {
        let mut values = record.head.headers.get_all(name).iter();
        if let (first, None) = (values.next(), values.next()) {
            return first.filter(|value| !value.is_empty()).cloned();
        }
    }
    let mut text = Vec::new();
    template.render(record, &mut text);
    if text.is_empty() {
        return None;
    }
    HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).ok()
}

/// Takes out of an answer what concerned only the server's connection.
pub(super) fn clean_answer(headers: &mut HeaderMap) {
    // Few answers have more than two of them: looking is cheaper than removing what is not there.
    let found = |headers: &HeaderMap| headers.keys().find(|name| THEIRS.contains(name)).cloned();
    while let Some(name) = found(headers) {
        headers.remove(name);
    }
}

/// Whether a field's value lists this token (RFC 9110, 5.6.1).
pub(super) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers.get_all(name).iter().any(|value| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .any(|part| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    })
}
