//! What a location wants of WebSocket: who may ask, what an answer must say, what a tunnel may do.

use std::time::Duration;

use data_encoding::BASE64;
use http::header::{
    HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use sha1::{Digest as _, Sha1};

use super::record::Record;
use crate::tunnel::{Bounds, Pings, Rate};

/// What holds for the WebSocket tunnels of a location.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WebSocket {
    /// Whether the ends of a tunnel are told why the proxy ends it.
    pub(crate) close: bool,
    /// Which of them are asked whether they are there.
    pub(crate) ping: Option<Pings>,
    /// The longest message of a client's, in bytes.
    pub(crate) message: Option<u32>,
    /// How many messages a client may send.
    pub(crate) rate: Option<Rate>,
    /// How long a tunnel may last, and by how many hundredths that may be more or less.
    pub(crate) lifetime: Option<(Duration, u32)>,
    /// Whether the answer to a handshake must fit what was asked for.
    pub(crate) verify: bool,
}

/// When the access logs get a line of a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// At its beginning.
    pub(crate) open: bool,
    /// At its end.
    pub(crate) close: bool,
}

/// Where the pages may come from that ask for WebSocket: `https://here`, `*.here`, `self`.
#[derive(Debug)]
pub(crate) struct Origins(pub(crate) Box<[Box<str>]>);

impl WebSocket {
    /// The bounds of one tunnel; none where nobody has set any.
    pub(super) fn bounds(&self) -> Option<Bounds> {
        let Self { message, rate, lifetime, .. } = *self;
        let lifetime = lifetime.map(|(time, jitter)| {
            // Not all that have come together are to go together.
            let percent = rand::random_range(100 - jitter..=100 + jitter);
            time.mul_f64(f64::from(percent) / 100.0)
        });
        let any = message.is_some() || rate.is_some() || lifetime.is_some();
        any.then_some(Bounds { message, rate, lifetime })
    }
}

impl Origins {
    /// Whether the page that asks may. Who names no origin is no browser, and could name any.
    pub(super) fn admit(&self, record: &Record) -> bool {
        let headers = &record.head.headers;
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        self.0.iter().any(|allowed| is_from(origin, allowed, host))
    }
}

/// Whether an origin (RFC 6454, 6.2) is one of those that are meant.
fn is_from(origin: &str, allowed: &str, host: &str) -> bool {
    let Some((_, from)) = origin.split_once("://") else {
        return origin.eq_ignore_ascii_case(allowed);
    };
    match allowed.split_once("://") {
        Some(_) => origin.eq_ignore_ascii_case(allowed),
        None if allowed == "self" => from.eq_ignore_ascii_case(host),
        None => {
            let name = from.rsplit_once(':').map_or(from, |(name, port)| {
                if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { from }
            });
            match allowed.strip_prefix('*') {
                Some(end) => name
                    .len()
                    .checked_sub(end.len())
                    .filter(|at| *at > 0)
                    .and_then(|at| name.get(at..))
                    .is_some_and(|tail| tail.eq_ignore_ascii_case(end)),
                None => name.eq_ignore_ascii_case(allowed) || from.eq_ignore_ascii_case(allowed),
            }
        }
    }
}

/// Whether these fields upgrade to WebSocket (RFC 6455, 4.1 and 4.2.2).
pub(super) fn is_to_websocket(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Why an answer to a handshake does not fit it (RFC 6455, 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misfit {
    #[error("its \"Upgrade\" is not \"websocket\"")]
    Upgrade,
    #[error("its \"Sec-WebSocket-Accept\" does not answer the client's key")]
    Accept,
    #[error("its \"Sec-WebSocket-Protocol\" is none that the client offers")]
    Protocol,
    #[error("its \"Sec-WebSocket-Extensions\" has one that the client does not offer")]
    Extension,
}

/// Whether an answer fits what was asked for.
pub(super) fn verify(asked: &HeaderMap, answer: &HeaderMap) -> Result<(), Misfit> {
    if !is_to_websocket(answer) {
        return Err(Misfit::Upgrade);
    }
    let key = asked.get(SEC_WEBSOCKET_KEY).map_or(&b""[..], HeaderValue::as_bytes);
    let accept = answer.get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
    if accept != Some(accept_of(key).as_bytes()) {
        return Err(Misfit::Accept);
    }
    let offered = |name: &HeaderName| list(asked, name).collect::<Vec<_>>();
    let protocols = offered(&SEC_WEBSOCKET_PROTOCOL);
    if !list(answer, &SEC_WEBSOCKET_PROTOCOL).all(|chosen| protocols.contains(&chosen)) {
        return Err(Misfit::Protocol);
    }
    let name = |extension: &str| extension.split(';').next().map(|name| name.trim().to_owned());
    let extensions: Vec<_> =
        offered(&SEC_WEBSOCKET_EXTENSIONS).into_iter().map(|it| name(&it)).collect();
    if !list(answer, &SEC_WEBSOCKET_EXTENSIONS).all(|it| extensions.contains(&name(&it))) {
        return Err(Misfit::Extension);
    }
    Ok(())
}

/// RFC 6455, 4.2.2, step 5.4.
fn accept_of(key: &[u8]) -> String {
    const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    BASE64.encode(&Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// The elements of a field that is a list.
fn list(headers: &HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> {
    let fields = headers.get_all(name).into_iter();
    let texts = fields.map(|field| String::from_utf8_lossy(field.as_bytes()).into_owned());
    let elements = texts.flat_map(|text| {
        let elements = text.split(',').map(|element| element.trim().to_owned());
        elements.filter(|element| !element.is_empty()).collect::<Vec<_>>()
    });
    elements.collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_hosts_or_whole() {
        let yes = |origin, allowed| assert!(is_from(origin, allowed, "here:8080"), "{allowed}");
        let no = |origin, allowed| assert!(!is_from(origin, allowed, "here:8080"), "{allowed}");
        yes("https://a.example", "https://A.example");
        no("http://a.example", "https://a.example");
        no("https://a.example:444", "https://a.example");
        yes("https://a.example:444", "a.example");
        yes("https://a.example:444", "a.example:444");
        no("https://a.example:445", "a.example:444");
        yes("https://x.y.example.org", "*.example.org");
        no("https://example.org", "*.example.org");
        no("https://badexample.org", "*.example.org");
        yes("http://here:8080", "self");
        no("http://here", "self");
        yes("null", "null");
        no("null", "self");
        yes("http://[::1]:80", "[::1]");
    }

    fn fields(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let fields = lines.iter();
        fields
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn an_answer_must_fit_what_was_asked_for() {
        let asked = fields(&[
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-protocol", "chat, superchat"),
            ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits, x"),
        ]);
        let answer = |more: &[(&'static str, &'static str)]| {
            let mut lines = vec![
                ("upgrade", "WebSocket"),
                ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ];
            lines.extend(more);
            verify(&asked, &fields(&lines))
        };
        assert_eq!(answer(&[]), Ok(()));
        assert_eq!(answer(&[("sec-websocket-protocol", "superchat")]), Ok(()));
        assert_eq!(answer(&[("sec-websocket-protocol", "super")]), Err(Misfit::Protocol));
        let deflate =
            ("sec-websocket-extensions", "permessage-deflate; server_no_context_takeover");
        assert_eq!(answer(&[deflate]), Ok(()));
        assert_eq!(answer(&[("sec-websocket-extensions", "x, y")]), Err(Misfit::Extension));
        assert_eq!(answer(&[("sec-websocket-accept", "no")]), Ok(()), "the first one counts");
        assert_eq!(verify(&asked, &fields(&[("upgrade", "h2c")])), Err(Misfit::Upgrade));
        assert_eq!(verify(&asked, &fields(&[("upgrade", "websocket")])), Err(Misfit::Accept));
    }
}
