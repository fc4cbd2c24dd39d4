//! The head of a server's answer, read from the bytes that came.

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use http::{Method, StatusCode, Version};
use httparse::{EMPTY_HEADER, Error, Header, Status};

use super::failure::Failure;
use super::invalid::{self, Unframed};
use crate::framing::{self, Body};

/// The largest head, in bytes, where nobody says another size (nginx: `proxy_buffer_size`, which
/// is 4 or 8 kB then).
pub(crate) const LARGEST_HEAD: usize = 64 * 1024;

/// What every answer begins with.
const START: &[u8] = b"HTTP/";

/// How many fields are looked for at first, and then.
const FEW: usize = 48;
const MANY: usize = 4096;

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    /// What it says.
    pub(crate) status: StatusCode,
    /// Its words for the status, where they are not the usual ones.
    pub(crate) reason: Option<Bytes>,
    /// Its fields.
    pub(crate) headers: HeaderMap,
    /// The names that are not spelled `Like-This`.
    pub(crate) spelled: Vec<Box<str>>,
    /// How many bytes it was on the wire.
    pub(crate) length: usize,
    /// What follows it.
    pub(crate) body: Body,
    /// Whether the connection may carry another request.
    pub(super) keep: bool,
}

impl Head {
    /// Reads the head at the start of `bytes`, at most `largest` bytes, the answer to a request
    /// with this method; none while it is not whole.
    ///
    /// # Errors
    /// [`Failure::Invalid`], in nginx's words.
    pub(crate) fn parse(
        bytes: &[u8],
        method: &Method,
        largest: usize,
    ) -> Result<Option<Self>, Failure> {
        // httparse skips empty lines in front, which only a request may have (RFC 9112, 2.2).
        if !START.starts_with(bytes.get(..START.len()).unwrap_or(bytes)) {
            return Err(Failure::invalid("no valid HTTP/1.0 header"));
        }
        let mut few = [EMPTY_HEADER; FEW];
        match Self::parse_fields(bytes, method, largest, &mut few) {
            Err(Error::TooManyHeaders) => {
                let mut many = vec![EMPTY_HEADER; MANY];
                Self::parse_fields(bytes, method, largest, &mut many)
            }
            parsed => parsed,
        }
        .map_err(|error| match error {
            Error::Status | Error::Version | Error::NewLine => {
                Failure::invalid("no valid HTTP/1.0 header")
            }
            Error::TooManyHeaders => Failure::invalid("too big header"),
            Error::HeaderName | Error::HeaderValue | Error::Token => invalid::field(bytes),
        })?
        .transpose()
    }

    fn parse_fields<'a>(
        bytes: &'a [u8],
        method: &Method,
        largest: usize,
        fields: &mut [Header<'a>],
    ) -> Result<Option<Result<Self, Failure>>, Error> {
        let mut parsed = httparse::Response::new(fields);
        match parsed.parse(bytes)? {
            Status::Complete(length) if length <= largest => {
                Ok(Some(Self::new(bytes, length, method, &parsed)))
            }
            Status::Complete(_) => Ok(Some(Err(Failure::invalid("too big header")))),
            Status::Partial if bytes.len() >= largest => {
                Ok(Some(Err(Failure::invalid("too big header"))))
            }
            Status::Partial => Ok(None),
        }
    }

    fn new(
        bytes: &[u8],
        length: usize,
        method: &Method,
        parsed: &httparse::Response<'_, '_>,
    ) -> Result<Self, Failure> {
        // One copy of the head is what all values are parts of.
        let whole = Bytes::copy_from_slice(bytes.get(..length).unwrap_or_default());
        let part = |part: &[u8]| {
            let start = part.as_ptr().addr().wrapping_sub(bytes.as_ptr().addr());
            let end = start.wrapping_add(part.len());
            // Words that are missing are no part of the head.
            let within = start <= end && end <= whole.len();
            if within { whole.slice(start..end) } else { Bytes::copy_from_slice(part) }
        };
        let bad = |_| Failure::invalid("invalid header");
        let mut headers = HeaderMap::with_capacity(parsed.headers.len() + 4);
        let mut spelled = Vec::new();
        for field in parsed.headers.iter() {
            let name = HeaderName::from_bytes(field.name.as_bytes())
                .map_err(|_| Failure::invalid("invalid header"))?;
            if !is_usual(field.name) {
                spelled.push(field.name.into());
            }
            let value = HeaderValue::from_maybe_shared(part(field.value)).map_err(bad)?;
            headers.append(name, value);
        }
        let status = StatusCode::from_u16(parsed.code.unwrap_or_default())
            .map_err(|_| Failure::invalid("no valid HTTP/1.0 header"))?;
        let reason = parsed
            .reason
            .filter(|reason| status.canonical_reason() != Some(reason))
            .map(|reason| part(reason.as_bytes()));
        let version = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
        let body = framing(method, status, version, &headers)
            .map_err(|unframed| unframed.tell(parsed.headers))?;
        let keep = body != Body::UntilClose && keeps_alive(version, &headers);
        Ok(Self { status, reason, headers, spelled, length, body, keep })
    }

    /// Whether another head follows: 100 and the like, which say nothing of the answer.
    pub(super) fn is_interim(&self) -> bool {
        self.status.is_informational() && self.status != StatusCode::SWITCHING_PROTOCOLS
    }
}

/// What follows a head (RFC 9112, 6.3).
fn framing(
    method: &Method,
    status: StatusCode,
    version: Version,
    headers: &HeaderMap,
) -> Result<Body, Unframed> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next();
    if lengths.next().is_some() {
        return Err(Unframed::Twice("content-length"));
    }
    if let Some(coding) = headers.get(TRANSFER_ENCODING) {
        if headers.get_all(TRANSFER_ENCODING).iter().nth(1).is_some() {
            return Err(Unframed::Twice("transfer-encoding"));
        }
        if length.is_some() {
            return Err(Unframed::Both);
        }
        if version == Version::HTTP_10 || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return Err(Unframed::Coding);
        }
        return Ok(if is_bare(method, status) { Body::Length(0) } else { Body::CHUNKED });
    }
    let Some(length) = length else {
        return Ok(if is_bare(method, status) { Body::Length(0) } else { Body::UntilClose });
    };
    let length = framing::length(length.as_bytes()).ok_or(Unframed::Length)?;
    Ok(Body::Length(if is_bare(method, status) { 0 } else { length }))
}

/// Whether such an answer has no body, whatever its fields say.
fn is_bare(method: &Method, status: StatusCode) -> bool {
    method == Method::HEAD
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

fn keeps_alive(version: Version, headers: &HeaderMap) -> bool {
    let says = |token: &[u8]| {
        headers.get_all(CONNECTION).iter().any(|value| {
            value
                .as_bytes()
                .split(|byte| *byte == b',')
                .any(|part| part.trim_ascii().eq_ignore_ascii_case(token))
        })
    };
    if version == Version::HTTP_11 { !says(b"close") } else { says(b"keep-alive") }
}

/// Whether a field's name is spelled `Like-This`, as hyper writes it.
pub(crate) fn is_usual(name: &str) -> bool {
    let mut first = true;
    name.bytes().all(|byte| {
        let usual = if first { !byte.is_ascii_lowercase() } else { !byte.is_ascii_uppercase() };
        first = byte == b'-';
        usual
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(head: &str) -> Result<Option<Head>, String> {
        Head::parse(head.as_bytes(), &Method::GET, LARGEST_HEAD)
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_head_says_what_follows_it() {
        for (fields, body, keep) in [
            ("Content-Length: 3\r\n", Body::Length(3), true),
            ("Content-Length: 3\r\nConnection: Close\r\n", Body::Length(3), false),
            ("transfer-encoding: Chunked\r\n", Body::CHUNKED, true),
            ("X: y\r\n", Body::UntilClose, false),
        ] {
            let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
            let head = parse(&text).unwrap().unwrap();
            assert_eq!((head.body, head.keep, head.length), (body, keep, text.len()), "{fields}");
        }
        let bare = |text: &str, method| {
            let head = Head::parse(text.as_bytes(), &method, LARGEST_HEAD).unwrap().unwrap();
            assert_eq!(head.body, Body::Length(0), "{text}");
        };
        bare("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Method::HEAD);
        bare("HTTP/1.1 204 No Content\r\n\r\n", Method::GET);
        bare("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", Method::GET);
    }

    #[test]
    fn what_cannot_be_trusted_is_refused_in_nginxs_words() {
        for (head, words) in [
            ("SSH-2.0-x\r\n", "no valid HTTP/1.0 header"),
            ("\r\nHTTP/1.1 200 OK\r\n\r\n", "no valid HTTP/1.0 header"),
            ("HTTP/1.1 99 Odd\r\n\r\n", "no valid HTTP/1.0 header"),
            ("HTTP/1.1 200 OK\r\nA: b\r\nX y\r\n\r\n", "invalid header: \"X\\x20...\""),
            ("HTTP/1.1 200 OK\r\nX: a\0\r\n\r\n", "invalid header: \"X: a\\x00...\""),
            ("HTTP/1.1 200 OK\r\n folded\r\n\r\n", "invalid header: \"\\x20...\""),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\n",
                "invalid \"Content-Length\" header: \"Content-Length: +3\"",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\ncontent-length: 3\r\n\r\n",
                "duplicate header line: \"content-length: 3\", previous value: \"Content-Length: 3\"",
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
                "\"Content-Length\" and \"Transfer-Encoding\" headers at the same time",
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
                "unknown \"Transfer-Encoding\": \"gzip\"",
            ),
        ] {
            assert_eq!(parse(head).unwrap_err(), format!("upstream sent {words}"), "{head:?}");
        }
        let long = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(LARGEST_HEAD));
        assert_eq!(parse(&long).unwrap_err(), "upstream sent too big header");
    }

    #[test]
    fn spellings_and_words_are_kept_where_they_are_not_the_usual_ones() {
        let head =
            "HTTP/1.1 200 Fine\r\nETag: 1\r\nX-Real-IP: 2\r\nContent-Type: 3\r\nx: 4\r\n\r\n";
        let head = parse(head).unwrap().unwrap();
        assert_eq!(head.spelled, ["ETag", "X-Real-IP", "x"].map(Box::from));
        assert_eq!(head.reason.as_deref(), Some(&b"Fine"[..]));
        assert_eq!(head.headers.len(), 4);
        assert!(parse("HTTP/1.1 200 OK\r\n\r\n").unwrap().unwrap().reason.is_none());
        let wordless = parse("HTTP/1.1 200\r\n\r\n").unwrap().unwrap();
        assert_eq!(wordless.reason.as_deref(), Some(&b""[..]));
    }

    #[test]
    fn more_fields_than_usual_are_read_as_well() {
        let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(500));
        assert_eq!(parse(&head).unwrap().unwrap().headers.len(), 500);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(
            start in "(HTTP/1\\.[01] [0-9]{3} [a-z]{0,3}\r\n)?",
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = Head::parse(&[start.as_bytes(), &bytes].concat(), &Method::GET, LARGEST_HEAD);
        }
    }
}
