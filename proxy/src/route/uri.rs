//! The request target, as nginx reads it.

use std::borrow::Cow;

/// A request target, taken apart and normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    /// The authority of an absolute target (`http://HOST:PORT/...`), port included.
    pub authority: Option<&'a [u8]>,
    /// The path and query as sent (`$request_uri`): what goes to an upstream when `proxy_pass` has
    /// no URI. Of an absolute target it is what follows the authority, with its `/` added when it
    /// is missing.
    pub raw: Cow<'a, [u8]>,
    /// The path (`$uri`): decoded, without dot segments and repeated slashes. It starts with `/`.
    pub path: Cow<'a, [u8]>,
    /// What follows the first `?` (`$args`), as sent; `None` when there is no `?`.
    pub args: Option<&'a [u8]>,
    /// The path was percent-encoded somewhere: a path built from it is encoded again.
    pub quoted: bool,
}

/// The target is malformed: nginx answers 400 and logs "client sent invalid request".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// It is neither a path nor an absolute URI.
    #[error("invalid request target")]
    Form,
    /// A space or a control byte.
    #[error("invalid byte in the request target")]
    Byte,
    /// `%` without two hexadecimal digits, or `%00`.
    #[error("invalid percent encoding in the request target")]
    Encoding,
    /// `..` above the root.
    #[error("the request target leads above the root")]
    AboveRoot,
}

/// Takes a request target apart: `/path?query` or `scheme://authority/path?query`. Nothing is
/// copied unless the path is encoded or has something to resolve.
///
/// # Errors
/// What nginx refuses with 400.
pub fn parse(target: &[u8]) -> Result<Target<'_>, InvalidTarget> {
    parse_with(target, Slashes::Merged)
}

/// What becomes of repeated slashes (nginx: `merge_slashes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slashes {
    /// They count as one.
    Merged,
    /// They stay.
    Kept,
}

/// [`parse()`], with a choice about slashes.
///
/// # Errors
/// What nginx refuses with 400.
pub fn parse_with(target: &[u8], slashes: Slashes) -> Result<Target<'_>, InvalidTarget> {
    let refused = |byte: &u8| *byte <= b' ' || *byte == 0x7f;
    if target.iter().any(refused) {
        return Err(InvalidTarget::Byte);
    }
    if target.first() == Some(&b'/') {
        let mut parsed = parse_path(target, slashes)?;
        parsed.raw = Cow::Borrowed(target);
        return Ok(parsed);
    }
    let (authority, rest) = split_absolute(target).ok_or(InvalidTarget::Form)?;
    let mut parsed = parse_path(rest, slashes)?;
    parsed.authority = Some(authority);
    parsed.raw = match rest.first() {
        Some(b'/') => Cow::Borrowed(rest),
        _ => Cow::Owned([b"/", rest].concat()),
    };
    Ok(parsed)
}

/// The authority of an absolute URI and what follows it, which is empty or starts with `/` or `?`.
/// As in nginx a host is letters, digits, dots and hyphens, or an address in brackets.
fn split_absolute(target: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = target.iter().position(|byte| *byte == b':')?;
    let (scheme, rest) = target.split_at(colon);
    let scheme_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    if !scheme.first()?.is_ascii_alphabetic() || !scheme.iter().all(scheme_byte) {
        return None;
    }
    let rest = rest.strip_prefix(b"://")?;
    let end = rest.iter().position(|byte| b"/?".contains(byte)).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    is_authority(authority).then_some((authority, rest))
}

fn is_authority(authority: &[u8]) -> bool {
    let host_end = match authority.first() {
        Some(b'[') => authority.iter().position(|byte| *byte == b']').map(|bracket| bracket + 1),
        _ => authority.iter().position(|byte| *byte == b':').or(Some(authority.len())),
    };
    let Some((host, port)) = host_end.and_then(|end| authority.split_at_checked(end)) else {
        return false;
    };
    let name_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    let literal_byte = |byte: &u8| name_byte(byte) || b"[:]_~!$&'()*+,;=".contains(byte);
    let host = match host.first() {
        None => false,
        Some(b'[') => host.iter().all(literal_byte),
        Some(_) => host.iter().all(name_byte),
    };
    let port = match port.split_first() {
        None => true,
        Some((colon, digits)) => *colon == b':' && digits.iter().all(u8::is_ascii_digit),
    };
    host && port
}

fn parse_path(rest: &[u8], slashes: Slashes) -> Result<Target<'_>, InvalidTarget> {
    // A fragment has no business in a request; nginx ignores it.
    let (rest, _) = split_at_byte(rest, b'#');
    let (path, args) = split_at_byte(rest, b'?');
    let quoted = path.contains(&b'%');
    let path = match path.first() {
        None => Cow::Borrowed(&b"/"[..]),
        Some(_) if quoted || has_something_to_resolve(path) => Cow::Owned(resolve(path, slashes)?),
        Some(_) => Cow::Borrowed(path),
    };
    Ok(Target { authority: None, raw: Cow::Borrowed(b""), path, args, quoted })
}

fn split_at_byte(text: &[u8], byte: u8) -> (&[u8], Option<&[u8]>) {
    let mut halves = text.splitn(2, |found| *found == byte);
    (halves.next().unwrap_or_default(), halves.next())
}

fn has_something_to_resolve(path: &[u8]) -> bool {
    path.windows(2).any(|pair| matches!(pair, b"//" | b"/."))
}

/// Decodes a path, then drops empty and `.` segments and takes `..` as a step up. An encoded slash
/// or dot counts as if it were written plainly, as in nginx; an encoded `%`, `?` or `#` is a plain
/// byte of its segment.
fn resolve(path: &[u8], slashes: Slashes) -> Result<Vec<u8>, InvalidTarget> {
    let mut out = Vec::with_capacity(path.len());
    out.push(b'/');
    let mut segment = out.len();
    let mut bytes = path.iter().copied().skip(1);
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' { decode(bytes.next(), bytes.next())? } else { byte };
        if byte == b'/' {
            segment = end_segment(&mut out, segment, Some(slashes))?;
        } else {
            out.push(byte);
        }
    }
    end_segment(&mut out, segment, None)?;
    Ok(out)
}

/// Ends the segment that starts at `start`, by a slash or by the path's end; returns where the next
/// one starts.
fn end_segment(
    out: &mut Vec<u8>,
    start: usize,
    slash: Option<Slashes>,
) -> Result<usize, InvalidTarget> {
    match out.get(start..).unwrap_or_default() {
        b"" if slash == Some(Slashes::Kept) => out.push(b'/'),
        b"" | b"." => out.truncate(start),
        b".." => {
            let parents = out.get(..start.saturating_sub(1)).unwrap_or_default();
            let parent = parents.iter().rposition(|byte| *byte == b'/');
            out.truncate(parent.ok_or(InvalidTarget::AboveRoot)? + 1);
        }
        _ if slash.is_some() => out.push(b'/'),
        _ => {}
    }
    Ok(out.len())
}

fn decode(high: Option<u8>, low: Option<u8>) -> Result<u8, InvalidTarget> {
    let digit = |byte: Option<u8>| {
        let digit = char::from(byte?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    match (digit(high), digit(low)) {
        (Some(0), Some(0)) | (None, _) | (_, None) => Err(InvalidTarget::Encoding),
        (Some(high), Some(low)) => Ok(high << 4 | low),
    }
}

/// Appends a path with the bytes encoded that may not stand in a URI: nginx's `NGX_ESCAPE_URI`.
pub fn escape(path: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in path {
        if must_be_escaped(*byte) {
            let digit = |four: u8| HEX.get(usize::from(four)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        } else {
            out.push(*byte);
        }
    }
}

fn must_be_escaped(byte: u8) -> bool {
    byte <= b' ' || byte >= 0x7f || b"\"#%<>?\\^`{|}".contains(&byte)
}

impl Target<'_> {
    /// Appends what goes to the upstream when `proxy_pass` has a URI: it replaces the first
    /// `prefix` bytes of the path, those that the location's prefix matched. The rest is encoded
    /// again when the client had encoded anything; the query follows.
    pub fn replace_prefix(&self, prefix: usize, uri: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(uri);
        let rest = self.path.get(prefix..).unwrap_or_default();
        if self.quoted {
            escape(rest, out);
        } else {
            out.extend_from_slice(rest);
        }
        if let Some(args) = self.args.filter(|args| !args.is_empty()) {
            out.push(b'?');
            out.extend_from_slice(args);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(target: &str) -> Result<String, InvalidTarget> {
        let target = parse(target.as_bytes())?;
        Ok(String::from_utf8_lossy(&target.path).into_owned())
    }

    #[test]
    fn a_plain_path_is_not_copied() {
        let target = parse(b"/chat/room+1?a=b&c=%zz?").unwrap();
        assert!(matches!(target.path, Cow::Borrowed(b"/chat/room+1")));
        assert_eq!(target.args, Some(&b"a=b&c=%zz?"[..]));
        assert_eq!(&*target.raw, b"/chat/room+1?a=b&c=%zz?");
        assert!(!target.quoted && target.authority.is_none());
        assert_eq!(parse(b"/").unwrap().args, None);
        assert_eq!(parse(b"/?").unwrap().args, Some(&b""[..]));
    }

    #[test]
    fn dots_and_slashes_are_resolved() {
        for (target, expected) in [
            ("/a//b///c", "/a/b/c"),
            ("/a/./b", "/a/b"),
            ("/a/.", "/a/"),
            ("/a/..", "/"),
            ("/a/b/..", "/a/"),
            ("/a/b/../c", "/a/c"),
            ("/a/b/../../c/", "/c/"),
            ("/a//../b", "/b"),
            ("/./", "/"),
            ("/.", "/"),
            ("/...", "/..."),
            ("/..a/.b/c..", "/..a/.b/c.."),
            ("//", "/"),
            ("/a/..?x=..", "/"),
            ("/a#/../..", "/a"),
        ] {
            assert_eq!(path(target), Ok(expected.into()), "{target}");
        }
    }

    #[test]
    fn encoded_bytes_are_decoded_and_count_as_plain_ones() {
        for (target, expected) in [
            ("/%41%62%7e", "/Ab~"),
            ("/a%2Fb%2f%2e%2E/c", "/a/c"),
            ("/a/%2e/b", "/a/b"),
            ("/a/.%2e/b", "/b"),
            ("/a%3Fb%23c%25d", "/a?b#c%d"),
            ("/a/%2e%3f", "/a/.?"),
            ("/%20", "/ "),
        ] {
            assert_eq!(path(target), Ok(expected.into()), "{target}");
        }
        assert!(parse(b"/%41").unwrap().quoted);
        assert!(!parse(b"/a?%41").unwrap().quoted);
    }

    #[test]
    fn slashes_may_be_kept() {
        for (target, expected) in
            [("/a//b", "/a//b"), ("//", "//"), ("/a//../b", "/a/b"), ("/a/.//b", "/a//b")]
        {
            let target = parse_with(target.as_bytes(), Slashes::Kept).unwrap();
            assert_eq!(&*target.path, expected.as_bytes());
        }
    }

    #[test]
    fn what_nginx_refuses_is_refused() {
        for (target, error) in [
            ("/..", InvalidTarget::AboveRoot),
            ("/a/../..", InvalidTarget::AboveRoot),
            ("/../a", InvalidTarget::AboveRoot),
            ("/%2e%2e/", InvalidTarget::AboveRoot),
            ("/%00", InvalidTarget::Encoding),
            ("/%4", InvalidTarget::Encoding),
            ("/%", InvalidTarget::Encoding),
            ("/%zz", InvalidTarget::Encoding),
            ("/%4?1", InvalidTarget::Encoding),
            ("", InvalidTarget::Form),
            ("*", InvalidTarget::Form),
            ("a/b", InvalidTarget::Form),
            ("http:/a", InvalidTarget::Form),
            ("http:///a", InvalidTarget::Form),
            ("1x://a/", InvalidTarget::Form),
            ("http://a#f", InvalidTarget::Form),
            ("http://a:b@c/", InvalidTarget::Form),
            ("http://a:x/", InvalidTarget::Form),
            ("http://a_b/", InvalidTarget::Form),
            ("http://[::1/", InvalidTarget::Form),
            ("http://[::1]x/", InvalidTarget::Form),
            ("/a b", InvalidTarget::Byte),
            ("/a\u{1}", InvalidTarget::Byte),
            ("/a?\u{7f}", InvalidTarget::Byte),
        ] {
            assert_eq!(path(target), Err(error), "{target:?}");
        }
    }

    #[test]
    fn an_absolute_target_names_its_authority() {
        let target = parse(b"http://example.com:8080/a/../b?c").unwrap();
        assert_eq!(target.authority, Some(&b"example.com:8080"[..]));
        assert_eq!((&*target.path, target.args), (&b"/b"[..], Some(&b"c"[..])));
        assert_eq!(&*target.raw, b"/a/../b?c");
        let target = parse(b"ws://example.com?c").unwrap();
        assert_eq!((&*target.path, target.args), (&b"/"[..], Some(&b"c"[..])));
        assert_eq!(&*target.raw, b"/?c");
        assert_eq!(&*parse(b"http://example.com").unwrap().raw, b"/");
        let target = parse(b"http://[::1]:8/x").unwrap();
        assert_eq!(target.authority, Some(&b"[::1]:8"[..]));
    }

    #[test]
    fn a_proxied_uri_replaces_the_location_prefix() {
        let replaced = |target: &str, prefix: usize, uri: &str| {
            let mut out = Vec::new();
            parse(target.as_bytes()).unwrap().replace_prefix(prefix, uri.as_bytes(), &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(replaced("/name/a?b=1", 6, "/remote/"), "/remote/a?b=1");
        assert_eq!(replaced("/name/a%20b", 6, "/"), "/a%20b");
        assert_eq!(replaced("/name/a\"b", 6, "/"), "/a\"b");
        assert_eq!(replaced("/name/a%41\"b", 6, "/"), "/aA%22b");
        assert_eq!(replaced("/name?", 5, "/x"), "/x");
        let awkward = replaced("/name/%41<>\\^`{|}~[]'", 6, "/");
        assert_eq!(awkward, "/A%3C%3E%5C%5E%60%7B%7C%7D~[]'");
    }

    fn awkward_path() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just("/".to_owned()),
            Just("..".to_owned()),
            Just(".".to_owned()),
            Just("%2e".to_owned()),
            Just("%2F".to_owned()),
            Just("%25".to_owned()),
            "[a-z%?#]{1,3}",
            any::<u8>().prop_map(|byte| format!("%{byte:02x}")),
        ];
        proptest::collection::vec(piece, 0..12)
            .prop_map(|parts| format!("/{}", parts.concat()).into_bytes())
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused(target in any::<Vec<u8>>()) {
            let _ = parse(&target);
        }

        #[test]
        fn a_normal_path_encoded_again_is_the_same_path(target in awkward_path()) {
            if let Ok(target) = parse(&target) {
                prop_assert!(target.path.starts_with(b"/"));
                prop_assert!(!target.path.windows(2).any(|pair| pair == b"//"));
                let segments = target.path.split(|byte| *byte == b'/');
                prop_assert!(!segments.clone().any(|segment| matches!(segment, b"." | b"..")));
                let mut escaped = Vec::new();
                escape(&target.path, &mut escaped);
                let again = parse(&escaped).unwrap();
                prop_assert_eq!(&again.path, &target.path);
                prop_assert_eq!(again.args, None);
            }
        }
    }
}
