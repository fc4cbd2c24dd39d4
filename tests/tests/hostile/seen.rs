//! Messages as they stood on the wire, read by the letter of RFC 9112: whatever another reader could
//! take otherwise is a fault, which is said.

use std::fmt;

/// A request that a worker was sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    /// The field lines, each whole.
    pub(crate) lines: Vec<String>,
    pub(crate) body: Vec<u8>,
    /// What is wrong with it.
    pub(crate) faults: Vec<String>,
    /// How many bytes of its connection it is, its head and in all.
    pub(crate) head: usize,
    pub(crate) length: usize,
}

/// An answer that a client got.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) lines: Vec<String>,
    pub(crate) body: Vec<u8>,
    /// Whether it came to its end.
    pub(crate) whole: bool,
}

/// The requests in these bytes, and what is left: the start of one that is not whole.
pub(crate) fn requests(bytes: &[u8]) -> (Vec<Request>, &[u8]) {
    let (mut found, mut rest) = (Vec::new(), bytes);
    while let Some(request) = request(rest) {
        rest = &rest[request.length..];
        found.push(request);
    }
    (found, rest)
}

/// The request at the start of these bytes, once it is whole.
pub(crate) fn request(bytes: &[u8]) -> Option<Request> {
    let head = find(bytes, b"\r\n\r\n")? + 4;
    let mut seen = Request { head, ..Request::default() };
    let text = latin(&bytes[..head - 4]);
    let mut lines = text.split("\r\n");
    seen.first(lines.next().unwrap_or_default());
    lines.for_each(|line| seen.field(line));
    let body = seen.framing().read(&bytes[head..])?;
    seen.faults.extend(body.fault);
    (seen.body, seen.length) = (body.content, head + body.length);
    Some(seen)
}

/// The answers in these bytes, the first of which is one to HEAD where that is said. An answer that
/// is not whole is the last; what is no answer at all has the status 0.
pub(crate) fn answers(bytes: &[u8], to_head: bool) -> Vec<Answer> {
    let (mut found, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let (answer, length) = answer(rest, to_head && found.is_empty());
        rest = &rest[length..];
        found.push(answer);
    }
    found
}

fn answer(bytes: &[u8], to_head: bool) -> (Answer, usize) {
    let Some(head) = find(bytes, b"\r\n\r\n").map(|end| end + 4) else {
        let broken = Answer { status: 0, lines: Vec::new(), body: bytes.to_vec(), whole: false };
        return (broken, bytes.len());
    };
    let text = latin(&bytes[..head - 4]);
    let mut lines = text.split("\r\n").map(str::to_owned);
    let start = lines.next().unwrap_or_default();
    let status = start.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let status = status.unwrap_or_default();
    let lines: Vec<String> = lines.collect();
    let bare = to_head || matches!(status, 100..200 | 204 | 304);
    let framing =
        match (bare, values(&lines, "transfer-encoding"), values(&lines, "content-length")) {
            (true, ..) => Framing::Length(0),
            (_, coding, _) if !coding.is_empty() => Framing::Chunked,
            (_, _, length) => match length.first().and_then(|length| length.parse().ok()) {
                Some(length) => Framing::Length(length),
                None => Framing::Length(bytes.len() - head),
            },
        };
    match framing.read(&bytes[head..]) {
        Some(body) if body.fault.is_none() => {
            (Answer { status, lines, body: body.content, whole: true }, head + body.length)
        }
        _ => {
            let body = bytes[head..].to_vec();
            (Answer { status, lines, body, whole: false }, bytes.len())
        }
    }
}

impl Answer {
    /// Whether it says that it is the last on its connection.
    pub(crate) fn closes(&self) -> bool {
        values(&self.lines, "connection").iter().any(|value| value.eq_ignore_ascii_case("close"))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.status, if self.whole { "" } else { " cut" })
    }
}

impl Request {
    /// The values of a field, as often as it is there.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        values(&self.lines, name)
    }

    fn first(&mut self, line: &str) {
        let mut words = line.split(' ');
        self.method = words.next().unwrap_or_default().to_owned();
        self.target = words.next().unwrap_or_default().to_owned();
        let version = words.next().unwrap_or_default();
        if self.method.is_empty() || !self.method.bytes().all(is_token) {
            self.faults.push("no method".to_owned());
        }
        if !self.target.starts_with('/') || self.target.chars().any(|c| c <= ' ' || c == '\x7f') {
            self.faults.push("no path".to_owned());
        }
        if !matches!(version, "HTTP/1.0" | "HTTP/1.1") || words.next().is_some() {
            self.faults.push("no version".to_owned());
        }
    }

    fn field(&mut self, line: &str) {
        match line.split_once(':') {
            Some((name, value)) if !name.is_empty() && name.bytes().all(is_token) => {
                if value.chars().any(|c| (c < ' ' && c != '\t') || c == '\x7f') {
                    self.faults.push(format!("a bad value in {line:?}"));
                }
            }
            _ => self.faults.push(format!("no field: {line:?}")),
        }
        self.lines.push(line.to_owned());
    }

    fn framing(&mut self) -> Framing {
        if self.values("host").len() != 1 {
            self.faults.push("not one Host".to_owned());
        }
        let codings: Vec<_> =
            self.values("transfer-encoding").iter().map(|v| (*v).to_owned()).collect();
        let lengths: Vec<_> =
            self.values("content-length").iter().map(|v| (*v).to_owned()).collect();
        if codings.len() + lengths.len() > 1 {
            self.faults.push("framed twice".to_owned());
        }
        if let Some(coding) = codings.first() {
            if coding != "chunked" {
                self.faults.push(format!("framed by {coding:?}"));
            }
            return Framing::Chunked;
        }
        let Some(length) = lengths.first() else { return Framing::Length(0) };
        if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            self.faults.push(format!("a length of {length:?}"));
        }
        Framing::Length(length.parse().unwrap_or_default())
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)?;
        if !self.body.is_empty() {
            write!(f, " +{}", self.body.len())?;
        }
        self.faults.iter().try_for_each(|fault| write!(f, " ({fault})"))
    }
}

enum Framing {
    Length(usize),
    Chunked,
}

struct Body {
    content: Vec<u8>,
    length: usize,
    fault: Option<String>,
}

impl Framing {
    /// The body at the start of these bytes, once it is whole.
    fn read(&self, bytes: &[u8]) -> Option<Body> {
        match *self {
            Self::Length(length) => {
                let content = bytes.get(..length)?.to_vec();
                Some(Body { content, length, fault: None })
            }
            Self::Chunked => chunks(bytes),
        }
    }
}

/// A chunked body in the plainest form there is: no extensions, no trailers.
fn chunks(bytes: &[u8]) -> Option<Body> {
    let (mut content, mut at) = (Vec::new(), 0);
    loop {
        let end = at + find(&bytes[at..], b"\r\n")?;
        let digits = latin(&bytes[at..end]);
        let good = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = usize::from_str_radix(&digits, 16).ok().filter(|_| good);
        let wrong =
            |fault| Some(Body { content: Vec::new(), length: bytes.len(), fault: Some(fault) });
        let Some(size) = size else { return wrong(format!("a chunk of {digits:?}")) };
        at = end + 2;
        let data = bytes.get(at..at + size)?;
        content.extend_from_slice(data);
        if bytes.get(at + size..at + size + 2)? != b"\r\n" {
            return wrong("no end of a chunk".to_owned());
        }
        at += size + 2;
        if size == 0 {
            return Some(Body { content, length: at, fault: None });
        }
    }
}

fn values<'a>(lines: &'a [String], name: &str) -> Vec<&'a str> {
    let fields = lines.iter().filter_map(|line| line.split_once(':'));
    fields
        .filter(|(this, _)| this.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .collect()
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Bytes as the characters of their numbers, so that none is lost.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
