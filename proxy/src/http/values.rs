//! What the variables are worth in one request.

use std::cell::Cell;
use std::io::Write;
use std::time::{Duration, Instant};

use http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderName, SET_COOKIE, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderValue};

use super::facts::Stage;
use super::limits::Verdict;
use super::record::Record;
use super::site::{Action, Forwarding};
use super::tries::Framing;
use super::{lengths, phrase, status, tries};
use crate::observe::{self, now};
use crate::route::{Captures, Fact, Values, Variable, lookup};

impl Values for Record {
    fn write(&self, variable: &Variable, out: &mut Vec<u8>) -> bool {
        match variable {
            Variable::HttpHeader(name) => {
                join(&self.head.headers, name, out) || self.write_odd(name, out)
            }
            Variable::SentHttp(name) => self.write_sent(name, out),
            Variable::SentTrailer(name) => self.write_sent_trailer(name, out),
            Variable::UpstreamTrailer(name) => self.write_upstream_trailer(name, out),
            Variable::UpstreamHttp(name) => {
                self.upstream_sent.borrow().as_ref().is_some_and(|sent| join(sent, name, out))
            }
            Variable::UpstreamCookie(name) => {
                self.upstream_sent.borrow().as_ref().is_some_and(|sent| set_cookie(sent, name, out))
            }
            Variable::Map(position) => self.map(*position, out),
            Variable::Geo(position) => self.geo(*position, out),
            Variable::Split(position) => self.split(*position, out),
            Variable::Capture(group) => {
                let captures = self.course.captures.borrow();
                put(captures.last().and_then(|captures| captures.get(*group)), out)
            }
            Variable::NamedCapture(name) => {
                let captures = self.course.captures.borrow();
                put(captures.iter().rev().find_map(|captures| named(captures, *name)), out)
            }
            Variable::Set(position) => self.write_set(*position, out),
            Variable::LimitRate
            | Variable::RealpathRoot
            | Variable::RequestPort
            | Variable::IsRequestPort
            | Variable::RequestBody => self.write_asked(variable, out),
            Variable::WebSocket(Fact::Duration) => self.write_duration(out),
            Variable::ConnectionsActive
            | Variable::ConnectionsReading
            | Variable::ConnectionsWaiting
            | Variable::ConnectionsWriting => status::write(self, variable, out),
            Variable::WebSocket(fact) => self.stage.get().write(*fact, out),
            _ => self.write_request(variable, out) || self.write_answer(variable, out),
        }
    }
}

impl Record {
    /// Variables that the request, its connection and its place in the configuration have.
    fn write_request(&self, variable: &Variable, out: &mut Vec<u8>) -> bool {
        let args = Some(self.args()).filter(|args| !args.is_empty());
        if let (Some(refused), Variable::Request) = (&self.refused, variable) {
            return put(Some(&refused.line), out);
        }
        match variable {
            Variable::Host => return self.write_host(out),
            Variable::Uri => out.extend_from_slice(self.path()),
            Variable::Args => return put(args, out),
            Variable::IsArgs => out.extend_from_slice(if args.is_some() { b"?" } else { b"" }),
            Variable::Arg(name) => {
                return put(args.and_then(|args| lookup::arg(args, name)), out);
            }
            Variable::Cookie(name) => {
                let all = self.head.headers.get_all(COOKIE).iter();
                return put(
                    all.filter_map(|field| lookup::cookie(field.as_bytes(), name)).next(),
                    out,
                );
            }
            Variable::DocumentRoot | Variable::RequestFilename => {
                return self.write_file(variable, out);
            }
            Variable::RequestUri => out.extend_from_slice(self.target().as_bytes()),
            Variable::Request => show(
                out,
                format_args!("{} {} {:?}", self.head.method, self.written(), self.head.version),
            ),
            Variable::RequestMethod => out.extend_from_slice(self.method().as_str().as_bytes()),
            Variable::ServerProtocol => show(out, format_args!("{:?}", self.head.version)),
            Variable::Scheme => out.extend_from_slice(b"http"),
            Variable::ContentLength => return join(&self.head.headers, &CONTENT_LENGTH, out),
            Variable::ContentType => return join(&self.head.headers, &CONTENT_TYPE, out),
            Variable::RequestId => out.extend_from_slice(self.request_id()),
            Variable::RequestLength => show(out, format_args!("{}", self.request_length())),
            Variable::ServerName => match self.routed.get() {
                Some(routed) => out.extend_from_slice(routed.server.name.as_bytes()),
                None => return false,
            },
            Variable::Https => {}
            Variable::ProxyHost | Variable::ProxyPort => {
                return self.forwarding().is_some_and(|f| f.write_destination(self, variable, out));
            }
            Variable::ProxyAddXForwardedFor => {
                const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
                if join(&self.head.headers, &FORWARDED, out) {
                    out.extend_from_slice(b", ");
                }
                self.write_remote_addr(out);
            }
            _ => return self.write_connection(variable, out),
        }
        true
    }

    /// Variables of the client's connection and of the process.
    fn write_connection(&self, variable: &Variable, out: &mut Vec<u8>) -> bool {
        let client = &*self.client;
        match (variable, self.peer(), client.local) {
            (Variable::RealipRemoteAddr, ..) => match client.peer {
                Some(peer) => show(out, format_args!("{}", peer.ip())),
                None => out.extend_from_slice(b"unix:"),
            },
            (Variable::RealipRemotePort, ..) => {
                if let Some(peer) = client.peer {
                    show(out, format_args!("{}", peer.port()));
                }
            }
            (Variable::RemoteAddr, ..) => self.write_remote_addr(out),
            (Variable::BinaryRemoteAddr, None, _) => self.write_remote_addr(out),
            (Variable::BinaryRemoteAddr, Some(peer), _) => match peer.ip() {
                std::net::IpAddr::V4(ip) => out.extend_from_slice(&ip.octets()),
                std::net::IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
            },
            (Variable::RemotePort, Some(peer), _) => show(out, format_args!("{}", peer.port())),
            (Variable::ServerAddr, _, Some(local)) => show(out, format_args!("{}", local.ip())),
            (Variable::ServerPort, _, Some(local)) => show(out, format_args!("{}", local.port())),
            // A Unix socket has no ports: they are empty, not absent.
            (Variable::RemotePort, None, _) | (Variable::ServerPort, _, None) => {}
            (Variable::ServerAddr, _, None) => out.extend_from_slice(b"unix:"),
            (Variable::Connection, ..) => show(out, format_args!("{}", client.id)),
            (Variable::ConnectionRequests, ..) => show(out, format_args!("{}", self.number)),
            (Variable::ConnectionTime, ..) => seconds(now() - client.since, out),
            (Variable::Hostname, ..) => {
                out.extend_from_slice(client.site.variables.hostname.as_bytes());
            }
            (Variable::Pid, ..) => show(out, format_args!("{}", std::process::id())),
            (Variable::NginxVersion, ..) => {
                out.extend_from_slice(env!("CARGO_PKG_VERSION").as_bytes());
            }
            (Variable::Pipe, ..) if client.flow.is_pipelined(self.number) => out.push(b'p'),
            (Variable::Pipe, ..) => out.push(b'.'),
            (Variable::Msec, ..) => {
                let millis = observe::unix_millis();
                show(out, format_args!("{}.{:03}", millis / 1000, millis % 1000));
            }
            (Variable::TimeLocal, ..) => observe::local(out),
            (Variable::TimeIso8601, ..) => observe::iso8601(out),
            _ => return false,
        }
        true
    }

    /// Variables that only an answer has.
    fn write_answer(&self, variable: &Variable, out: &mut Vec<u8>) -> bool {
        match variable {
            Variable::Status => match (self.status.get(), self.course.status.get()) {
                (0, 0) => show(out, format_args!("499")),
                (0, status) | (status, _) => show(out, format_args!("{status:03}")),
            },
            Variable::BodyBytesSent => show(out, format_args!("{}", self.body_sent.get())),
            Variable::BytesSent => {
                show(out, format_args!("{}", self.head_length() + self.body_sent.get()));
            }
            Variable::RequestTime => seconds(now() - self.started, out),
            Variable::RequestCompletion => {
                out.extend_from_slice(if self.complete.get() { b"OK" } else { b"" });
            }
            Variable::LimitReqStatus => return verdict(&self.course.standing.requests, out),
            Variable::LimitConnStatus => return verdict(&self.course.standing.connections, out),
            _ => return tries::write(&self.tries.borrow(), variable, out),
        }
        true
    }

    /// How long its tunnel has been there.
    fn write_duration(&self, out: &mut Vec<u8>) -> bool {
        let begun = self.tunnel_since();
        let begun = begun.filter(|_| matches!(self.stage.get(), Stage::Closed(_)));
        begun.inspect(|begun| seconds(now() - *begun, out)).is_some()
    }

    /// When its tunnel has begun.
    pub(super) fn tunnel_since(&self) -> Option<Instant> {
        let tries = self.tries.borrow();
        let last = tries.last()?;
        Some(last.started + last.header?)
    }

    /// `$host`: the request's host, or the server's name when it has none.
    fn write_host(&self, out: &mut Vec<u8>) -> bool {
        let Some(routed) = self.routed.get() else {
            return join(&self.head.headers, &HOST, out);
        };
        let host = if routed.host.is_empty() { &routed.server.name } else { &routed.host };
        out.extend_from_slice(host.as_bytes());
        true
    }

    fn write_remote_addr(&self, out: &mut Vec<u8>) {
        match self.peer() {
            Some(peer) => show(out, format_args!("{}", peer.ip())),
            None => out.extend_from_slice(b"unix:"),
        }
    }

    pub(super) fn forwarding(&self) -> Option<&Forwarding> {
        match self.rules().map(|rules| &rules.action) {
            Some(Action::Forward(forwarding)) => Some(forwarding),
            _ => None,
        }
    }

    fn request_id(&self) -> &[u8; 32] {
        self.id.get_or_init(|| {
            let mut id = [0; 32];
            // Thirty-two digits always fit.
            let _ = write!(&mut id[..], "{:032x}", rand::random::<u128>());
            id
        })
    }

    /// The bytes of the request's head as it was written, and of a body of known length.
    pub(super) fn request_length(&self) -> u64 {
        let head = &self.head;
        let line = head.method.as_str().len() + self.written().to_string().len() + 12;
        let body = head.headers.get(CONTENT_LENGTH).and_then(|length| {
            length.to_str().ok().and_then(|length| length.trim().parse::<u64>().ok())
        });
        lengths::head(line, &head.headers) + body.unwrap_or(0) + self.received.get()
    }

    /// The bytes of the answer's head: what hyper adds to the fields is known beforehand.
    pub(super) fn head_length(&self) -> u64 {
        const DATE: usize = "Date: Mon, 23 Nov 2026 19:02:00 GMT\r\n".len();
        let Some(sent) = self.sent.get() else { return 0 };
        let reason = http::StatusCode::from_u16(self.status.get())
            .ok()
            .and_then(phrase::of)
            .map_or(0, str::len);
        let framing = match self.framing.get() {
            Framing::Itself => 0,
            Framing::Length(length) => {
                let digits = length.checked_ilog10().unwrap_or(0) + 1;
                "Content-Length: \r\n".len() + usize::try_from(digits).unwrap_or(0)
            }
            Framing::Chunked => "Transfer-Encoding: chunked\r\n".len(),
        };
        lengths::head(lengths::STATUS + reason + DATE + framing, sent)
    }

    /// A field of the answer, those that hyper adds included.
    fn write_sent(&self, name: &HeaderName, out: &mut Vec<u8>) -> bool {
        let Some(sent) = self.sent.get() else { return false };
        match self.framing.get() {
            Framing::Length(length) if *name == CONTENT_LENGTH => {
                show(out, format_args!("{length}"));
                true
            }
            Framing::Chunked if *name == TRANSFER_ENCODING => {
                out.extend_from_slice(b"chunked");
                true
            }
            _ => join(sent, name, out),
        }
    }

    /// A field of the request whose name has underscores where the variable's has hyphens.
    fn write_odd(&self, name: &HeaderName, out: &mut Vec<u8>) -> bool {
        if !self.client.site.heads.takes_odd() {
            return false;
        }
        let same = |other: &HeaderName| other.as_str().replace('_', "-") == name.as_str();
        let mut names = self.head.headers.keys();
        names.find(|other| same(other)).is_some_and(|name| join(&self.head.headers, name, out))
    }
}

/// A field's value; several lines of it are joined with commas.
fn join(headers: &HeaderMap, name: &HeaderName, out: &mut Vec<u8>) -> bool {
    let separator: &[u8] = if *name == COOKIE { b"; " } else { b", " };
    let mut found = false;
    for value in headers.get_all(name).iter().map(HeaderValue::as_bytes) {
        if found {
            out.extend_from_slice(separator);
        }
        out.extend_from_slice(value);
        found = true;
    }
    found
}

fn verdict(verdict: &Cell<Option<Verdict>>, out: &mut Vec<u8>) -> bool {
    put(verdict.get().map(|verdict| verdict.words().as_bytes()), out)
}

pub(super) fn put(value: Option<&[u8]>, out: &mut Vec<u8>) -> bool {
    value.inspect(|value| out.extend_from_slice(value)).is_some()
}

pub(super) fn named(captures: &Captures, name: usize) -> Option<&[u8]> {
    captures.named().find_map(|(variable, value)| (variable == name).then_some(value).flatten())
}

/// The value of the cookie that a server's answer sets under this name.
fn set_cookie(sent: &HeaderMap, name: &str, out: &mut Vec<u8>) -> bool {
    let fields = sent.get_all(SET_COOKIE).iter();
    let first = |field: &'_ HeaderValue| {
        let pair = field.as_bytes().split(|byte| *byte == b';').next()?;
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (found, value) = pair.split_at_checked(at)?;
        found.trim_ascii().eq_ignore_ascii_case(name.as_bytes()).then(|| {
            out.extend_from_slice(value.get(1..).unwrap_or_default());
        })
    };
    let mut fields = fields.map(first);
    fields.any(|found| found.is_some())
}

/// Seconds with milliseconds, as nginx prints times.
pub(super) fn seconds(time: Duration, out: &mut Vec<u8>) {
    show(out, format_args!("{}.{:03}", time.as_secs(), time.subsec_millis()));
}

pub(super) fn show(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a Vec cannot fail.
    let _ = out.write_fmt(text);
}
