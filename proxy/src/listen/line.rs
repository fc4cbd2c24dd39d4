//! The two kinds of lines that a head is made of, as nginx reads them, and what it says of others.

use std::borrow::Cow;

use http::{Method, Uri, Version};

use crate::framing::{is_token, is_value};
use crate::http::HeadRules;

/// A request line (RFC 9112, section 3).
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) method: Method,
    /// The target, in bytes that [`Uri`] takes.
    pub(super) target: Cow<'a, [u8]>,
    /// 1.0, or 1.1 for whatever is above.
    pub(super) version: Version,
    /// Whether it must be written anew for hyper.
    pub(super) odd: bool,
}

/// A field line (RFC 9112, section 5).
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) name: &'a [u8],
    /// Without the spaces around it.
    pub(super) value: &'a [u8],
    /// Where in the line the value begins.
    pub(super) value_at: usize,
    /// Whether it is left out (nginx: `ignore_invalid_headers on`, `underscores_in_headers off`).
    pub(super) ignored: bool,
    /// Whether it must be written anew, or left out, for hyper.
    pub(super) odd: bool,
}

/// Why a head is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// nginx's status, its own 494 for a head that is too large among them.
    pub(crate) status: u16,
    /// What the client has sent, for the log.
    pub(super) why: Cow<'static, str>,
}

impl Fault {
    pub(super) fn new(status: u16, why: impl Into<Cow<'static, str>>) -> Self {
        Self { status, why: why.into() }
    }

    /// A header line that is none, shown up to the byte that is wrong as nginx does.
    pub(super) fn field(line: &[u8], wrong: usize) -> Self {
        let line = line.get(..=wrong).unwrap_or(line);
        Self::new(400, format!("invalid header line: \"{}...\"", show(line)))
    }
}

fn bad_request() -> Fault {
    Fault::new(400, "invalid request")
}

impl<'a> Line<'a> {
    /// Reads a request line without its end.
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, Fault> {
        let (method, rest) = split(line).unwrap_or((line, b""));
        if method.is_empty() || !method.iter().all(is_method) {
            return Err(Fault::new(400, "invalid method"));
        }
        let method = Method::from_bytes(method).map_err(|_| Fault::new(400, "invalid method"))?;
        let (before, rest) = skip_spaces(rest);
        // Without a version it is HTTP/0.9, which is not spoken here.
        let (target, rest) = split(rest).ok_or_else(bad_request)?;
        let (between, rest) = skip_spaces(rest);
        let target = check_target(target)?;
        let after = rest.iter().rev().take_while(|byte| **byte == b' ').count();
        let version = rest.get(..rest.len() - after).unwrap_or_default();
        let (version, plain) = check_version(version)?;
        let odd = before + between + after > 0 || !plain || matches!(target, Cow::Owned(_));
        Ok(Self { method, target, version, odd })
    }
}

/// Refuses the start of a request line as soon as its method is none: who speaks another protocol
/// may wait for an answer and never send a line.
pub(super) fn check_begun(line: &[u8]) -> Result<(), Fault> {
    let line = line.trim_ascii_start();
    let method = split(line).map_or(line, |(method, _)| method);
    let method = method.strip_suffix(b"\r").unwrap_or(method);
    if method.iter().all(is_method) { Ok(()) } else { Err(Fault::new(400, "invalid method")) }
}

fn is_method(byte: &u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'_' | b'-')
}

/// What hyper and nginx take: as it is, or with the bytes escaped that stand in no URI.
fn check_target(target: &[u8]) -> Result<Cow<'_, [u8]>, Fault> {
    if target.first() == Some(&b'/') && target.iter().all(is_plain) {
        return Ok(target.into());
    }
    let start = target.first().is_some_and(|byte| *byte == b'/' || byte.is_ascii_alphabetic());
    if !start || target.iter().any(u8::is_ascii_control) {
        return Err(bad_request());
    }
    let mut target = with_path(target);
    // A URI ends at its fragment here, but hyper's parser reads on.
    if Uri::try_from(target.as_ref()).is_err() || str::from_utf8(&target).is_err() {
        let mut escaped = Vec::with_capacity(target.len() + 16);
        for byte in target.iter() {
            if is_plain(byte) || *byte == b'#' {
                escaped.push(*byte);
            } else {
                escaped.extend_from_slice(format!("%{byte:02X}").as_bytes());
            }
        }
        target = escaped.into();
    }
    let uri = Uri::try_from(target.as_ref()).map_err(|_| bad_request())?;
    // `host:port` is for CONNECT only, which is refused whatever it wants.
    if uri.path_and_query().is_none() { Err(bad_request()) } else { Ok(target) }
}

/// An absolute target whose query stands right behind its authority gets the path that this means
/// (RFC 3986, 6.2.3).
fn with_path(target: &[u8]) -> Cow<'_, [u8]> {
    let authority = target.windows(3).position(|bytes| bytes == b"://").map(|at| at + 3);
    let Some(authority) = authority.filter(|_| target.first() != Some(&b'/')) else {
        return target.into();
    };
    let rest = target.get(authority..).unwrap_or_default();
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    match end.map(|end| target.split_at(authority + end)) {
        Some((before, query)) if query.first() == Some(&b'?') => {
            [before, b"/", query].concat().into()
        }
        _ => target.into(),
    }
}

/// Whether the byte may stand in a path and in a query.
fn is_plain(byte: &u8) -> bool {
    matches!(byte, 0x21 | 0x24..=0x3b | 0x3d | 0x3f..=0x5f | 0x61..=0x7a | 0x7c | 0x7e)
}

/// The version to be told to hyper, and whether it is written like that.
fn check_version(version: &[u8]) -> Result<(Version, bool), Fault> {
    match version {
        b"HTTP/1.1" => return Ok((Version::HTTP_11, true)),
        b"HTTP/1.0" => return Ok((Version::HTTP_10, true)),
        _ => {}
    }
    let number = version.strip_prefix(b"HTTP/").ok_or_else(bad_request)?;
    let dot = number.iter().position(|byte| *byte == b'.').unwrap_or(number.len());
    let (major, minor) = number.split_at_checked(dot).unwrap_or_default();
    if !matches!(major.first(), Some(b'1'..=b'9')) || !major.iter().all(u8::is_ascii_digit) {
        return Err(bad_request());
    }
    if major != b"1" {
        return Err(Fault::new(505, "invalid version"));
    }
    match minor.strip_prefix(b".") {
        Some(minor @ [_, ..]) if minor.len() <= 3 && minor.iter().all(u8::is_ascii_digit) => {
            let zero = minor.iter().all(|digit| *digit == b'0');
            Ok((if zero { Version::HTTP_10 } else { Version::HTTP_11 }, false))
        }
        _ => Err(bad_request()),
    }
}

/// Takes a field line apart.
pub(super) fn split_field<'a>(line: &'a [u8], rules: &HeadRules) -> Result<Field<'a>, Fault> {
    let mut ignored = false;
    let mut end = line.len();
    for (at, byte) in line.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => {}
            b':' if at > 0 => {
                end = at;
                break;
            }
            // Folded lines are here as well: they begin with a space.
            b':' | 0..=b' ' | 0x7f => return Err(Fault::field(line, at)),
            b'_' if rules.underscores => {}
            byte if !is_token(*byte) => return Err(Fault::field(line, at)),
            _ => ignored |= rules.ignore_invalid,
        }
    }
    let (name, rest) = line.split_at_checked(end).unwrap_or_default();
    // Without a colon nginx takes it for a field of no value, and that is what goes on.
    let raw = rest.strip_prefix(b":").unwrap_or_default();
    // nginx refuses only NUL and a lone CR here; the other control characters are as bad.
    if raw.iter().fold(false, |bad, byte| bad | !is_value(*byte)) {
        let at = raw.iter().position(|byte| !is_value(*byte)).unwrap_or_default();
        return Err(Fault::field(line, end + 1 + at));
    }
    let (spaces, value) = skip_spaces(raw);
    let after = value.iter().rev().take_while(|byte| **byte == b' ').count();
    let value = value.get(..value.len() - after).unwrap_or_default();
    let odd = ignored || rest.is_empty();
    Ok(Field { name, value, value_at: end + 1 + spaces, ignored, odd })
}

/// Whether a transfer coding that is not known here ends with chunks, and has them once: then its
/// reader could tell where it ends (RFC 9112, 6.3).
pub(super) fn is_chunked_at_last(coding: &[u8]) -> bool {
    let is_chunked = |part: &[u8]| part.trim_ascii().eq_ignore_ascii_case(b"chunked");
    let mut parts = coding.split(|byte| *byte == b',').rev();
    parts.next().is_some_and(is_chunked) && !parts.any(is_chunked)
}

/// What is before the first space, and behind it.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    Some((line.get(..space)?, line.get(space + 1..)?))
}

fn skip_spaces(line: &[u8]) -> (usize, &[u8]) {
    let spaces = line.iter().take_while(|byte| **byte == b' ').count();
    (spaces, line.get(spaces..).unwrap_or_default())
}

/// Writes a whole head, which was found good, in words that hyper takes. What nginx ignores is
/// left out and told.
pub(super) fn rewrite(bytes: &[u8], rules: &HeadRules, mut ignored: impl FnMut(&[u8])) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    let mut lines = lines(bytes);
    if let Some(line) = lines.next().and_then(|line| Line::parse(line).ok()) {
        out.extend_from_slice(line.method.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(&line.target);
        out.extend_from_slice(format!(" {:?}\r\n", line.version).as_bytes());
    }
    for line in lines {
        match split_field(line, rules) {
            Ok(field) if !field.ignored => {
                out.extend_from_slice(field.name);
                out.extend_from_slice(b": ");
                out.extend_from_slice(field.value);
                out.extend_from_slice(b"\r\n");
            }
            _ => ignored(line),
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// The lines of a head without what ends them, without the empty ones.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n').map(trim_return).filter(|line| !line.is_empty())
}

/// The fields of a head, or of the start of one, that are not ignored.
pub(super) fn fields<'a>(
    bytes: &'a [u8],
    rules: &HeadRules,
) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    lines(bytes).skip(1).filter_map(move |line| {
        let field = split_field(line, rules).ok()?;
        (!field.ignored).then_some((field.name, field.value))
    })
}

/// A line without the return that ends it. A return at any other place ends nothing, and is refused
/// (RFC 9112, 2.2).
pub(super) fn trim_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// What a client wrote, for the log.
pub(super) fn show(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(|char: char| char.is_control() || char == '"') => text.into(),
        _ => bytes.escape_ascii().to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_behind_a_fragment_that_are_no_text_are_escaped_too() {
        let escaped = check_target(b"/a#\xd3b").unwrap();
        assert_eq!(*escaped, *b"/a#%D3b");
        assert!(matches!(check_target(b"/a#b").unwrap(), Cow::Borrowed(_)));
    }
}
