//! RFC 6455 §4.2: the server's side of the opening handshake, as far as HTTP goes.

use std::fmt::Write as _;
use std::io;
use std::time::SystemTime;

use httparse::{EMPTY_HEADER, Header, Request, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tungstenite::handshake::derive_accept_key;

use crate::stream::Stream;

/// The largest request head, in bytes, that is read.
const MAX_HEAD: usize = 16 * 1024;

/// The most header fields that are read.
const MAX_FIELDS: usize = 100;

/// How the handshake came out.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The connection speaks WebSocket now. What came after the request's head is handed on.
    Open(Vec<u8>),
    /// The request was answered with an error.
    Refused,
    /// The peer left before its request was complete.
    Gone,
}

/// Reads a request and answers it.
pub(crate) async fn perform(stream: &mut Stream) -> io::Result<Outcome> {
    let mut received = Vec::with_capacity(1024);
    let (answer, outcome) = loop {
        match read_request(&received) {
            Ok(None) => {}
            Ok(Some((len, accept))) => {
                break (switching_protocols(&accept), Outcome::Open(received.split_off(len)));
            }
            Err(refusal) => break (refusal.answer(), Outcome::Refused),
        }
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(Outcome::Gone);
        }
    };
    stream.write_all(answer.as_bytes()).await?;
    Ok(outcome)
}

/// The length of the request's head and the value of `Sec-WebSocket-Accept`, or `None` as long as
/// the head is incomplete.
fn read_request(received: &[u8]) -> Result<Option<(usize, String)>, Refusal> {
    let mut fields = [EMPTY_HEADER; MAX_FIELDS];
    let mut request = Request::new(&mut fields);
    match request.parse(received) {
        Ok(Status::Complete(len)) if len <= MAX_HEAD => {
            check(&request).map(|accept| Some((len, accept)))
        }
        Ok(Status::Partial) if received.len() <= MAX_HEAD => Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => Err(Refusal::TooLarge),
        Err(error) => Err(Refusal::Bad(format!("not an HTTP/1.1 request: {error}"))),
    }
}

/// Why a request does not get its 101.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Bad(String),
    Method,
    NotAnUpgrade(&'static str),
    Version,
    TooLarge,
}

/// The checks of RFC 6455 §4.2.1, in the order in which they tell the most.
fn check(request: &Request<'_, '_>) -> Result<String, Refusal> {
    let bad = |what: &str| Err(Refusal::Bad(what.to_owned()));
    let fields = Fields(request.headers);
    if request.method != Some("GET") {
        return Err(Refusal::Method);
    }
    if fields.all("Transfer-Encoding").next().is_some()
        || fields.all("Content-Length").any(|value| value != b"0")
    {
        return bad("a handshake has no body");
    }
    if !fields.list_has("Upgrade", "websocket") {
        return Err(Refusal::NotAnUpgrade("Upgrade: websocket is missing"));
    }
    if !fields.list_has("Connection", "upgrade") {
        return Err(Refusal::NotAnUpgrade("Connection: Upgrade is missing"));
    }
    if request.version != Some(1) {
        return bad("a handshake needs HTTP/1.1");
    }
    fields.one("Host")?;
    if fields.one("Sec-WebSocket-Version")? != b"13" {
        return Err(Refusal::Version);
    }
    let key = fields.one("Sec-WebSocket-Key")?;
    if !is_key(key) {
        return bad("Sec-WebSocket-Key is not 16 bytes in base64");
    }
    Ok(derive_accept_key(key))
}

/// Header fields, by name.
struct Fields<'a>(&'a [Header<'a>]);

impl<'a> Fields<'a> {
    fn all(&self, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value.trim_ascii())
    }

    fn one(&self, name: &'static str) -> Result<&'a [u8], Refusal> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value),
            (None, _) => Err(Refusal::Bad(format!("{name} is missing"))),
            (Some(_), Some(_)) => Err(Refusal::Bad(format!("{name} is there more than once"))),
        }
    }

    fn list_has(&self, name: &'static str, token: &str) -> bool {
        self.all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }
}

/// RFC 6455 §4.1: 16 bytes in base64 are 22 digits and two signs of padding.
fn is_key(key: &[u8]) -> bool {
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key.strip_suffix(b"==").is_some_and(|digits| digits.iter().all(digit))
}

/// No extension and no subprotocol is chosen, whatever was offered.
fn switching_protocols(accept: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

impl Refusal {
    fn answer(&self) -> String {
        const UPGRADE: &str = "Upgrade: websocket\r\n";
        let (status, fields, why) = match self {
            Self::Bad(why) => ("400 Bad Request", "", why.as_str()),
            Self::Method => ("405 Method Not Allowed", "Allow: GET\r\n", "a handshake is a GET"),
            Self::NotAnUpgrade(why) => ("426 Upgrade Required", UPGRADE, *why),
            Self::Version => (
                "426 Upgrade Required",
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
                "the only WebSocket version spoken here is 13",
            ),
            Self::TooLarge => (
                "431 Request Header Fields Too Large",
                "",
                "a request head has at most 16384 bytes and 100 fields",
            ),
        };
        let connection = if fields.contains("Upgrade") { "close, upgrade" } else { "close" };
        let body = format!(
            "{why}\n\nThis is a WebSocket server: connect with a WebSocket client (ws://).\n"
        );
        let mut answer = format!("HTTP/1.1 {status}\r\n{fields}Connection: {connection}\r\n");
        // Writing to a String does not fail.
        let _ = write!(
            answer,
            "Date: {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
            httpdate::fmt_http_date(SystemTime::now()),
            body.len(),
        );
        answer
    }
}
