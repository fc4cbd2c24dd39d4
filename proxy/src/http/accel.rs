//! What a server says to the proxy in its answer: `X-Accel-Redirect`, `X-Accel-Limit-Rate`.

use http::StatusCode;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, EXPIRES, Entry, HeaderMap,
    HeaderName, SET_COOKIE,
};
use http::response::Parts;

use super::passing::Passing;

const REDIRECT: HeaderName = HeaderName::from_static("x-accel-redirect");
const LIMIT_RATE: HeaderName = HeaderName::from_static("x-accel-limit-rate");

/// The fields that the answer keeps whose request is sent elsewhere.
const KEPT: [HeaderName; 6] =
    [CONTENT_TYPE, SET_COOKIE, CONTENT_DISPOSITION, CACHE_CONTROL, EXPIRES, ACCEPT_RANGES];

/// Where an answer sends its request, and the fields that go with it.
pub(super) fn redirect(passing: &Passing, headers: &HeaderMap) -> Option<(Vec<u8>, HeaderMap)> {
    let uri = headers.get(REDIRECT).filter(|_| passing.obeys_redirect)?.as_bytes().to_vec();
    let kept = KEPT.iter().flat_map(|name| {
        headers.get_all(name).iter().map(move |value| (name.clone(), value.clone()))
    });
    let mut fields = HeaderMap::new();
    kept.for_each(|(name, value)| {
        fields.append(name, value);
    });
    Some((uri, fields))
}

/// How many bytes in a second an answer asks for.
pub(super) fn limit_rate(passing: &Passing, headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(LIMIT_RATE).filter(|_| passing.obeys_limit_rate)?;
    value.to_str().ok()?.parse().ok()
}

/// Adds the fields that were kept to what answers in the end.
pub(super) fn carry(fields: HeaderMap, head: &mut Parts, ours: bool) {
    for (name, value) in &fields {
        match *name {
            // What it is, who sent it here knows better than the name of a file.
            CONTENT_TYPE if !ours => {}
            CONTENT_TYPE if head.status.is_success() => {
                head.headers.insert(name, value.clone());
            }
            CONTENT_TYPE => {}
            ACCEPT_RANGES => {
                head.headers.insert(name, value.clone());
            }
            _ => {}
        }
    }
    // Where both have one, the first that was asked comes first.
    for name in KEPT.iter().filter(|name| !matches!(**name, CONTENT_TYPE | ACCEPT_RANGES)) {
        let own: Vec<_> = match head.headers.entry(name) {
            Entry::Occupied(own) if fields.contains_key(name) => {
                own.remove_entry_mult().1.collect()
            }
            _ => Vec::new(),
        };
        for value in fields.get_all(name).iter().cloned().chain(own) {
            head.headers.append(name, value);
        }
    }
}

/// The path and the arguments that a server names; none when they are not safe.
pub(super) fn target(uri: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mark = uri.iter().position(|byte| *byte == b'?').unwrap_or(uri.len());
    let (path, args) = uri.split_at_checked(mark)?;
    let path = decode(path);
    let leaves = path.split(|byte| *byte == b'/').any(|part| part == b"..");
    if path.is_empty() || leaves || path.contains(&0) {
        return None;
    }
    Some((path, args.get(1..).unwrap_or_default().to_vec()))
}

fn decode(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((byte, behind)) = rest.split_first() {
        let code = behind.get(..2).filter(|_| *byte == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        out.push(code.unwrap_or(*byte));
        rest = if code.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    out
}

/// The status of an answer that sends its request to where it must not.
pub(super) const UNSAFE: StatusCode = StatusCode::NOT_FOUND;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_names_a_path_and_arguments_but_nothing_above() {
        let target = |uri: &str| {
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            target(uri.as_bytes()).map(|(path, args)| (text(path), text(args)))
        };
        let found = |path: &str, args: &str| Some((path.to_owned(), args.to_owned()));
        assert_eq!(target("/a/b"), found("/a/b", ""));
        assert_eq!(target("/a%20b%?c=%20?d"), found("/a b%", "c=%20?d"));
        assert_eq!(target("/a..b/..c"), found("/a..b/..c", ""));
        for uri in ["", "?a", "/..", "/a/../b", "../a", "/%2e%2e/a", "/a%00"] {
            assert_eq!(target(uri), None, "{uri}");
        }
    }
}
