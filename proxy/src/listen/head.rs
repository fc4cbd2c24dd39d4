//! One request head, looked at before hyper reads it: what nginx refuses is refused here, in
//! nginx's words.
//!
//! A head may come in any number of pieces; each line is looked at once. What hyper would not
//! take although nginx does (`HTTP/1.2`, fields to be ignored) is written anew.

use std::ops::Range;

use http::{Method, Uri, Version};
use memchr::memchr;

use super::line::{self, Fault, Line, fields, show, trim_return};
use crate::framing::{self, Body};
use crate::http::HeadRules;

/// The fields that concern framing or that nginx takes once only.
const KNOWN: [&[u8]; 12] = [
    b"Host",
    b"Content-Length",
    b"Transfer-Encoding",
    b"Upgrade",
    b"Expect",
    b"Authorization",
    b"If-Match",
    b"If-None-Match",
    b"If-Modified-Since",
    b"If-Unmodified-Since",
    b"If-Range",
    b"Content-Range",
];
const HOST: usize = 0;
const LENGTH: usize = 1;
const CODING: usize = 2;
const UPGRADE: usize = 3;

/// What is known of a head so far. All positions count from its first byte.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    rules: HeadRules,
    /// Where the first line begins that was not looked at.
    at: usize,
    /// Up to where there is no line feed.
    scanned: usize,
    /// What is left of the buffer that nginx would have, and how many of the large ones it took.
    room: usize,
    taken: u32,
    /// Its first line, once that has come.
    line: Option<Range<usize>>,
    method: Option<Method>,
    version: Version,
    /// Which of [`KNOWN`] have come, as bits.
    seen: u16,
    length: Range<usize>,
    coding: Range<usize>,
    fields: usize,
    /// Whether hyper needs it in other words.
    odd: bool,
}

/// A whole head that may be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    /// Its length in bytes.
    pub(crate) length: usize,
    /// Where its request line ends.
    pub(super) line: usize,
    /// What follows it.
    pub(crate) body: Body,
    /// Whether it asks for another protocol: what follows the body may be no HTTP.
    pub(super) upgrade: bool,
    /// Whether hyper needs it in other words: see [`line::rewrite`].
    pub(crate) odd: bool,
}

impl Head {
    pub(crate) fn new(rules: HeadRules) -> Self {
        Self {
            rules,
            at: 0,
            scanned: 0,
            room: rules.first,
            taken: 0,
            line: None,
            method: None,
            version: Version::HTTP_11,
            seen: 0,
            length: 0..0,
            coding: 0..0,
            fields: 0,
            odd: false,
        }
    }

    /// Goes on with `bytes`, which start with the head's first byte: the head once it is whole.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<Option<Whole>, Fault> {
        while let Some(end) = memchr(b'\n', bytes.get(self.scanned..).unwrap_or_default()) {
            let end = self.scanned + end;
            let start = self.at;
            self.fit(bytes, end + 1 - start)?;
            let line = bytes.get(start..end).unwrap_or_default();
            (self.at, self.scanned) = (end + 1, end + 1);
            if self.line.is_none() {
                self.request_line(line, start)?;
            } else if self.field(line, start, bytes)? {
                return self.finish(bytes).map(Some);
            }
        }
        self.scanned = bytes.len();
        let begun = bytes.get(self.at..).unwrap_or_default();
        if begun.len() >= self.rules.large && begun.len() >= self.room {
            return Err(self.too_large(begun));
        }
        if self.line.is_none() {
            line::check_begun(begun)?;
        }
        Ok(None)
    }

    /// Whether its request line has come, and is one.
    pub(super) fn has_line(&self) -> bool {
        self.line.is_some()
    }

    /// What hyper sees in the place of a head that is refused, so that its answer gets its turn.
    pub(super) fn stand_in(&self) -> String {
        let method = if self.method == Some(Method::HEAD) { "HEAD" } else { "GET" };
        format!("{method} / {:?}\r\nConnection: close\r\n\r\n", self.version)
    }

    /// As much of a refused head as could be read, and its first line as it came.
    pub(super) fn read_so_far(&self, bytes: &[u8]) -> (Option<http::request::Parts>, Box<[u8]>) {
        let Some(line) = self.line.clone() else {
            let begun = bytes.trim_ascii_start();
            let end = begun.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            return (None, begun.get(..end.unwrap_or(begun.len())).unwrap_or_default().into());
        };
        let line = bytes.get(line).unwrap_or_default();
        let Ok(parsed) = Line::parse(line) else { return (None, line.into()) };
        let mut request = http::Request::new(());
        *request.method_mut() = parsed.method;
        *request.uri_mut() = Uri::try_from(parsed.target.as_ref()).unwrap_or_default();
        *request.version_mut() = parsed.version;
        for (name, value) in fields(bytes.get(..self.at).unwrap_or_default(), &self.rules) {
            if let Ok(name) = http::HeaderName::from_bytes(name)
                && let Ok(value) = http::HeaderValue::from_bytes(value)
            {
                request.headers_mut().append(name, value);
            }
        }
        (Some(request.into_parts().0), line.into())
    }

    /// Puts a line where nginx would: lines don't go over the end of a buffer.
    fn fit(&mut self, bytes: &[u8], length: usize) -> Result<(), Fault> {
        if length <= self.room {
            self.room -= length;
            return Ok(());
        }
        if length > self.rules.large || self.taken == self.rules.number {
            return Err(self.too_large(bytes.get(self.at..).unwrap_or_default()));
        }
        self.taken += 1;
        self.room = self.rules.large - length;
        Ok(())
    }

    fn too_large(&self, line: &[u8]) -> Fault {
        if self.line.is_none() {
            return Fault::new(414, "too long URI");
        }
        let line = line.get(..256).unwrap_or(line);
        let line = line.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        Fault::new(494, format!("too long header line: \"{}...\"", show(line)))
    }

    fn request_line(&mut self, line: &[u8], start: usize) -> Result<(), Fault> {
        let line = trim_return(line);
        if line.is_empty() {
            // An empty line in front: hyper skips it too.
            return Ok(());
        }
        let parsed = Line::parse(line)?;
        self.line = Some(start..start + line.len());
        self.odd |= parsed.odd;
        self.method = Some(parsed.method);
        self.version = parsed.version;
        Ok(())
    }

    /// Looks at a field; true for the empty line behind the last.
    fn field(&mut self, line: &[u8], start: usize, bytes: &[u8]) -> Result<bool, Fault> {
        let ended = trim_return(line);
        if ended.is_empty() {
            return Ok(true);
        }
        let split = line::split_field(ended, &self.rules)?;
        if self.fields == self.rules.fields {
            return Err(Fault::new(494, "too many header lines"));
        }
        self.fields += 1;
        self.odd |= split.odd;
        if split.ignored {
            return Ok(false);
        }
        let known = KNOWN.iter().position(|known| split.name.eq_ignore_ascii_case(known));
        let Some(known) = known else { return Ok(false) };
        let bit = 1 << known;
        if self.seen & bit != 0 && known != UPGRADE {
            return Err(self.duplicate(bytes.get(..start).unwrap_or_default(), &split));
        }
        self.seen |= bit;
        let value = start + split.value_at..start + split.value_at + split.value.len();
        match known {
            HOST if split.value.is_empty() => return Err(Fault::new(400, "invalid host header")),
            LENGTH => self.length = value,
            CODING => self.coding = value,
            _ => {}
        }
        Ok(false)
    }

    fn has(&self, known: usize) -> bool {
        self.seen & (1 << known) != 0
    }

    /// What only the whole head tells.
    fn finish(&mut self, bytes: &[u8]) -> Result<Whole, Fault> {
        let old = self.version == Version::HTTP_10;
        if !old && !self.has(HOST) {
            return Err(Fault::new(400, "HTTP/1.1 request without \"Host\" header"));
        }
        let mut body = Body::Length(0);
        if self.has(LENGTH) {
            let length = bytes.get(self.length.clone()).and_then(framing::length);
            let bad = || Fault::new(400, "invalid \"Content-Length\" header");
            body = Body::Length(length.ok_or_else(bad)?);
        }
        if let Some(method @ (Method::TRACE | Method::CONNECT)) = &self.method {
            return Err(Fault::new(405, format!("{method} method")));
        }
        if self.has(CODING) {
            let coding = bytes.get(self.coding.clone()).unwrap_or_default();
            let fault = if old {
                Fault::new(400, "HTTP/1.0 request with \"Transfer-Encoding\" header")
            } else if !coding.eq_ignore_ascii_case(b"chunked") {
                let status = if line::is_chunked_at_last(coding) { 501 } else { 400 };
                let why = format!("unknown \"Transfer-Encoding\": \"{}\"", show(coding));
                Fault::new(status, why)
            } else if self.has(LENGTH) {
                let why = "\"Content-Length\" and \"Transfer-Encoding\" headers at the same time";
                Fault::new(400, why)
            } else {
                return Ok(self.whole(Body::CHUNKED));
            };
            return Err(fault);
        }
        Ok(self.whole(body))
    }

    fn whole(&self, body: Body) -> Whole {
        let line = self.line.as_ref().map_or(0, |line| line.end);
        Whole { length: self.at, line, body, upgrade: self.has(UPGRADE), odd: self.odd }
    }

    fn duplicate(&self, before: &[u8], field: &line::Field<'_>) -> Fault {
        let (name, value) = (show(field.name), show(field.value));
        if field.name.eq_ignore_ascii_case(b"host") {
            return Fault::new(400, format!("duplicate host header: \"{name}: {value}\""));
        }
        let previous =
            fields(before, &self.rules).find(|(known, _)| known.eq_ignore_ascii_case(field.name));
        let (known, first) = previous.unwrap_or_default();
        let previous = format!("previous value: \"{}: {}\"", show(known), show(first));
        Fault::new(400, format!("duplicate header line: \"{name}: {value}\", {previous}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::line::rewrite;
    use super::*;

    fn read(head: &str) -> Result<Whole, Fault> {
        Head::new(HeadRules::default())
            .read(head.as_bytes())
            .map(|whole| whole.expect("a whole head"))
    }

    #[test]
    fn a_head_says_what_follows_it() {
        let get = "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n";
        let whole = Whole {
            length: get.len(),
            line: "GET /a?b=c HTTP/1.1".len(),
            body: Body::Length(0),
            upgrade: false,
            odd: false,
        };
        assert_eq!(read(get), Ok(whole));
        let post = read("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 7 \r\n\r\nGET / x").unwrap();
        assert_eq!(post.body, Body::Length(7));
        let post =
            read("POST / HTTP/1.1\r\nHost: h\r\ntransfer-ENCODING: Chunked\r\n\r\n0").unwrap();
        assert_eq!(post.body, Body::CHUNKED);
        assert!(read("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\n\r\n").unwrap().upgrade);
        assert!(!read("\r\n\nGET / HTTP/1.0\n\n").unwrap().odd);
    }

    #[test]
    fn what_hyper_would_not_take_is_written_anew() {
        for (head, anew) in [
            ("GET / HTTP/1.2\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
            ("\r\nG_T  /  HTTP/1.0 \nA\r\n\n", "G_T / HTTP/1.0\r\nA: \r\n\r\n"),
            ("GET /<a> HTTP/1.1\r\nHost:h\r\n\r\n", "GET /%3Ca%3E HTTP/1.1\r\nHost: h\r\n\r\n"),
            (
                "GET / HTTP/1.1\r\nHost: h\r\nX_A: 1\r\nX-A: 2\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: h\r\nX-A: 2\r\n\r\n",
            ),
        ] {
            let whole = read(head).unwrap();
            assert!(whole.odd && whole.length == head.len(), "{head:?}: {whole:?}");
            let written =
                String::from_utf8(rewrite(head.as_bytes(), &HeadRules::default(), |_| ())).unwrap();
            assert_eq!(written, anew);
            assert!(!read(&written).unwrap().odd);
        }
    }

    #[test]
    fn what_nginx_refuses_is_refused_in_its_words() {
        let fields = |lines: &str| format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
        for (head, status, why) in [
            ("get / HTTP/1.1\r\n".to_owned(), 400, "invalid method"),
            ("GET / HTTP/2.0\r\n".to_owned(), 505, "invalid version"),
            ("GET /\r\n".to_owned(), 400, "invalid request"),
            ("GET a:b HTTP/1.1\r\n".to_owned(), 400, "invalid request"),
            (fields("X : 1\r\n"), 400, r#"invalid header line: "X ...""#),
            (fields(" fold\r\n"), 400, r#"invalid header line: " ...""#),
            (fields("X: a\rb\r\n"), 400, r#"invalid header line: "X: a\r...""#),
            (
                fields("Expect: a\r\nexpect: b\r\n"),
                400,
                r#"duplicate header line: "expect: b", previous value: "Expect: a""#,
            ),
            (fields("Content-Length: +1\r\n"), 400, r#"invalid "Content-Length" header"#),
            (fields("Transfer-Encoding: gzip\r\n"), 400, r#"unknown "Transfer-Encoding": "gzip""#),
            (
                fields("Transfer-Encoding: gzip, chunked\r\n"),
                501,
                r#"unknown "Transfer-Encoding": "gzip, chunked""#,
            ),
            (fields("X(: 1\r\n"), 400, r#"invalid header line: "X(...""#),
            (fields("X: a\r\r\n"), 400, r#"invalid header line: "X: a\r...""#),
            ("GET / HTTP/1.1\r\r\n".to_owned(), 400, "invalid request"),
            ("\r\r\nGET / HTTP/1.1\r\n".to_owned(), 400, "invalid method"),
            ("TRACE / HTTP/1.0\r\n\r\n".to_owned(), 405, "TRACE method"),
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400, r#"HTTP/1.1 request without "Host" header"#),
            (format!("GET /{}", "x".repeat(9000)), 414, "too long URI"),
        ] {
            let fault = Head::new(HeadRules::default()).read(head.as_bytes()).unwrap_err();
            assert_eq!((fault.status, &*fault.why), (status, why), "{head:.60?}");
        }
        let many = Head::new(HeadRules::default())
            .read(fields(&"A: b\r\n".repeat(101)).as_bytes())
            .unwrap_err();
        assert_eq!((many.status, &*many.why), (494, "too many header lines"));
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            lines in prop::collection::vec("[A-Za-z_:]{1,9}(: [a-z\r\t ]{0,9})?\r?", 0..8),
            line in "(GET|get|G T) /[a-z<#]{0,5} HTTP/[12]\\.[0-9]",
            cuts in prop::collection::vec(1..9_usize, 1..30),
        ) {
            let head = format!("{line}\r\nHost: h\n{}\n\r\n", lines.join("\n"));
            let at_once = Head::new(HeadRules::default()).read(head.as_bytes());
            let (mut pieces, mut end) = (Head::new(HeadRules::default()), 0);
            let in_pieces = cuts.iter().cycle().find_map(|cut| {
                end = (end + cut).min(head.len());
                pieces.read(&head.as_bytes()[..end]).transpose()
            });
            prop_assert_eq!(in_pieces, at_once.transpose());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut head = Head::new(HeadRules::default());
            if head.read(&bytes).is_err() {
                let _ = head.read_so_far(&bytes);
            }
        }
    }
}
