//! Which fields go out to a server, and which come back to the client.

use http::HeaderMap;
use http::header::{
    CONNECTION, CONTENT_LENGTH, DATE, EXPECT, HOST, HeaderName, SERVER, TE, TRANSFER_ENCODING,
    UPGRADE,
};
use memchr::memchr;

use super::record::Record;
use crate::observe::Level;
use crate::route::{Part, Template, Variable};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// The fields of a request that are never passed on as they came (nginx: the default
/// `proxy_set_header` list). Framing is made anew, `Expect` was answered here already.
const OURS: [HeaderName; 8] =
    [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, TE, KEEP_ALIVE, EXPECT, UPGRADE];

/// The fields of an answer that describe the server's own connection: they are read here, and
/// written anew.
const THEIRS: [HeaderName; 3] = [CONNECTION, KEEP_ALIVE, TRANSFER_ENCODING];

/// The fields of an answer that clients do not get unless a configuration says so (nginx: the
/// default `proxy_hide_header` list).
const HIDDEN: [HeaderName; 8] = [
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
    /// What is set, in this order.
    set: Box<[Line]>,
    /// What of the client's is left out: what is set, and [`OURS`].
    drop: Box<[HeaderName]>,
    /// Whether the rest of the client's goes out.
    pass: bool,
}

/// A field that is set.
#[derive(Debug)]
struct Line {
    name: HeaderName,
    /// The name as it goes out, and the colon.
    start: Box<str>,
    value: Template,
    /// Whether it is the client's own `Upgrade`, of which only WebSocket goes out.
    upgrade: bool,
}

/// How a request's body is framed (RFC 9112, 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    None,
    /// It has so many bytes.
    Length(u64),
    /// It goes in chunks.
    Chunked,
}

impl HeaderPlan {
    /// A plan with these `proxy_set_header` lines, each with its name's spelling; `host` is what
    /// Host is unless a line says so; what the client sends goes out with them if it is to `pass`.
    pub(crate) fn new(
        lines: Vec<(HeaderName, Box<str>, Template)>,
        host: Template,
        pass: bool,
    ) -> Self {
        let line = |(name, spelled, value): (HeaderName, Box<str>, Template)| Line {
            upgrade: name == UPGRADE && is_clients_upgrade(&value),
            name,
            start: format!("{spelled}: ").into(),
            value,
        };
        let mut set: Vec<_> = lines.into_iter().map(line).collect();
        if !set.iter().any(|line| line.name == HOST) {
            set.push(line((HOST, "Host".into(), host)));
        }
        let mut drop = OURS.to_vec();
        drop.extend(set.iter().map(|line| line.name.clone()).filter(|name| !OURS.contains(name)));
        // Framing belongs to whoever writes the message.
        set.retain(|line| line.name != TRANSFER_ENCODING && line.name != CONTENT_LENGTH);
        Self { set: set.into(), drop: drop.into(), pass }
    }

    /// Writes the fields that go out for this request, and the empty line. A value that is empty
    /// leaves its field out, and so does Upgrade where nothing `may_switch`. Says whether the request
    /// asks for an upgrade.
    pub(super) fn write(
        &self,
        record: &Record,
        framing: Framing,
        may_switch: bool,
        out: &mut Vec<u8>,
    ) -> bool {
        let mut upgrade = false;
        for line in &self.set {
            if line.name != UPGRADE || may_switch {
                upgrade |= line.write(record, out) && line.name == UPGRADE;
            }
        }
        match framing {
            Framing::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
            Framing::Length(length) => {
                out.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes());
            }
            Framing::None => {
                let length = record.head.headers.get(CONTENT_LENGTH);
                if length.is_some_and(|length| length == "0") {
                    out.extend_from_slice(b"Content-Length: 0\r\n");
                }
            }
        }
        let lines: &[u8] = if self.pass { &record.fields } else { b"" };
        let named = named(&record.head.headers);
        for (name, value) in fields(lines) {
            if !self.drops(name) && !named.iter().any(|named| named.eq_ignore_ascii_case(name)) {
                for part in [name, b": ", value, b"\r\n"] {
                    out.extend_from_slice(part);
                }
            }
        }
        out.extend_from_slice(b"\r\n");
        upgrade
    }

    fn drops(&self, name: &[u8]) -> bool {
        self.drop.iter().any(|dropped| {
            let dropped = dropped.as_str().as_bytes();
            dropped.len() == name.len() && dropped.eq_ignore_ascii_case(name)
        })
    }
}

impl Line {
    /// Writes the field, unless its value is empty or can't stand in one.
    fn write(&self, record: &Record, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        out.extend_from_slice(self.start.as_bytes());
        let value_at = out.len();
        if self.upgrade {
            let websocket = websocket(&record.head.headers);
            if let ([], Some(other)) = (websocket, record.head.headers.get(UPGRADE)) {
                let other = other.as_bytes().escape_ascii();
                let what = format_args!("\"$http_upgrade\" does not pass \"{other}\" to upstream");
                record.log(Level::Info, None, what);
            }
            out.extend_from_slice(websocket);
        } else {
            self.value.render(record, out);
        }
        let value = out.get(value_at..).unwrap_or_default();
        if value.is_empty() || value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            out.truncate(start);
            return false;
        }
        out.extend_from_slice(b"\r\n");
        true
    }
}

/// Whether a text is `$http_upgrade` and nothing else.
fn is_clients_upgrade(text: &Template) -> bool {
    matches!(text.parts(), [Part::Variable(Variable::HttpHeader(name))] if *name == UPGRADE)
}

/// What of a client's Upgrade goes through `$http_upgrade`: WebSocket, as the client spells it. In
/// another protocol, h2c before all, requests would reach a server that nobody here has looked at; a
/// configuration that wants one says so in other words.
fn websocket(headers: &HeaderMap) -> &[u8] {
    let protocols = headers.get_all(UPGRADE).iter().flat_map(|value| list(value.as_bytes()));
    let mut found = protocols.filter(|protocol| protocol.eq_ignore_ascii_case(b"websocket"));
    found.next().unwrap_or_default()
}

/// The fields that Connection names: they are meant for the connection that they came on (RFC 9110,
/// 7.6.1). Upgrade has rules of its own.
fn named(headers: &HeaderMap) -> Vec<&[u8]> {
    let options = headers.get_all(CONNECTION).iter().flat_map(|value| list(value.as_bytes()));
    let usual = |option: &&[u8]| {
        let usual: [&[u8]; 3] = [b"close", b"keep-alive", b"upgrade"];
        usual.iter().any(|usual| usual.eq_ignore_ascii_case(option))
    };
    options.filter(|option| !option.is_empty() && !usual(option)).collect()
}

/// The members of a list (RFC 9110, 5.6.1).
fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// The fields of a request as its client wrote them: names, and values without what surrounds them.
fn fields(lines: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let (name, value) = line.split_at_checked(memchr(b':', line)?)?;
        Some((name, value.get(1..).unwrap_or_default().trim_ascii()))
    })
}

/// The fields that clients do not get: the usual ones but for those that are passed, and more.
pub(crate) fn hidden(pass: &[HeaderName], more: &[HeaderName]) -> Box<[HeaderName]> {
    let mut hidden = THEIRS.to_vec();
    hidden.extend(HIDDEN.into_iter().chain(more.iter().cloned()).filter(|name| {
        // How long an answer is, its framing says.
        *name != CONTENT_LENGTH && !pass.contains(name)
    }));
    hidden.into()
}

/// Takes out of an answer what is hidden, and what it says is meant for its own connection.
pub(super) fn clean_answer(headers: &mut HeaderMap, hide: &[HeaderName]) {
    let named = named(headers).into_iter().filter_map(|name| HeaderName::from_bytes(name).ok());
    let named: Vec<_> = named.filter(|name| *name != CONTENT_LENGTH).collect();
    named.iter().for_each(|name| drop(headers.remove(name)));
    // Few answers have more than two of them: looking is cheaper than removing what is not there.
    let found = |headers: &HeaderMap| headers.keys().find(|name| hide.contains(name)).cloned();
    while let Some(name) = found(headers) {
        headers.remove(name);
    }
}

/// Whether a field's value lists this token (RFC 9110, 5.6.1).
pub(super) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let mut members = headers.get_all(name).iter().flat_map(|value| list(value.as_bytes()));
    members.any(|member| member.eq_ignore_ascii_case(token.as_bytes()))
}
