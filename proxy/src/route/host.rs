//! The Host field and the authority of an absolute target.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// A host as nginx takes it: checked, lower-case, without port and trailing dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host<'a> {
    /// The name or address; an IPv6 address keeps its brackets.
    pub name: Cow<'a, [u8]>,
    /// The port, when one from 1 to 65535 is written.
    pub port: Option<u16>,
}

/// The host is malformed: nginx answers 400 and logs "client sent invalid host header".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid host")]
pub struct InvalidHost;

/// Checks and normalises a host (RFC 3986, 3.2.2 and 3.2.3). Refused is what nginx refuses (an empty
/// name, `/`, control bytes and spaces, two dots in a row), and whatever else stands in no host: others
/// might read another host in it. A comma could stand in one, but comes of two that somebody joined.
///
/// # Errors
/// The host is malformed.
pub fn normalise(host: &[u8]) -> Result<Host<'_>, InvalidHost> {
    let bracketed = host.first() == Some(&b'[');
    let end = if bracketed {
        host.iter().position(|byte| *byte == b']').map(|bracket| bracket + 1).ok_or(InvalidHost)?
    } else {
        host.iter().position(|byte| *byte == b':').unwrap_or(host.len())
    };
    let (name, rest) = host.split_at(end);
    let port = port(rest)?;
    if !if bracketed { is_address(name) } else { is_name(name) } {
        return Err(InvalidHost);
    }
    let name = name.strip_suffix(b".").unwrap_or(name);
    if name.is_empty() {
        return Err(InvalidHost);
    }
    let name = if name.iter().any(u8::is_ascii_uppercase) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    };
    Ok(Host { name, port })
}

/// An IPv6 address in its brackets.
fn is_address(name: &[u8]) -> bool {
    let inner = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]"));
    let text = inner.and_then(|inner| std::str::from_utf8(inner).ok());
    text.is_some_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

/// A registered name, or an IPv4 address.
fn is_name(name: &[u8]) -> bool {
    let mut rest = name;
    while let [byte, behind @ ..] = rest {
        rest = match (byte, behind) {
            (b'%', [one, two, behind @ ..]) if [one, two].iter().all(|b| b.is_ascii_hexdigit()) => {
                behind
            }
            (b'.', [b'.', ..]) => return false,
            (byte, _) if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(byte) => behind,
            _ => return false,
        };
    }
    true
}

/// What stands behind a name: nothing, or a colon and perhaps a number.
fn port(rest: &[u8]) -> Result<Option<u16>, InvalidHost> {
    match rest {
        [] | [b':'] => Ok(None),
        [b':', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => {
            let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            number.map(|port: u16| Some(port).filter(|port| *port > 0)).ok_or(InvalidHost)
        }
        _ => Err(InvalidHost),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn host(text: &str) -> Option<(String, Option<u16>)> {
        let host = normalise(text.as_bytes()).ok()?;
        Some((String::from_utf8(host.name.into_owned()).unwrap(), host.port))
    }

    #[test]
    fn a_host_is_lowered_and_loses_port_and_dot() {
        assert_eq!(host("Example.COM"), Some(("example.com".into(), None)));
        assert_eq!(host("example.com:8080"), Some(("example.com".into(), Some(8080))));
        assert_eq!(host("example.com."), Some(("example.com".into(), None)));
        assert_eq!(host("example.com.:80"), Some(("example.com".into(), Some(80))));
        assert_eq!(host("[::1]:80"), Some(("[::1]".into(), Some(80))));
        assert_eq!(host("[FE80::1]"), Some(("[fe80::1]".into(), None)));
        assert_eq!(host("a:"), Some(("a".into(), None)));
        assert_eq!(host("a:0"), Some(("a".into(), None)));
        assert_eq!(host("a%20b"), Some(("a%20b".into(), None)));
        assert_eq!(host(".a"), Some((".a".into(), None)));
        assert!(matches!(normalise(b"plain").unwrap().name, Cow::Borrowed(_)));
    }

    #[test]
    fn what_nginx_refuses_is_refused() {
        for text in ["", ".", ":80", "a..b", "a/b", "a b", "a\0", "a\x7f", "a..", ".:80"] {
            assert_eq!(host(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in
            ["a,b", "a@b", "a?b", "a#b", "a\\b", "a\"", "a%", "a%2", "a%zz", "caf\u{e9}", "a]"]
        {
            assert_eq!(host(text), None, "{text:?}");
        }
        for text in
            ["a:b", "a:+1", "a:1:2", "a:99999", "[", "[]", "[::1", "[::1]x", "[::1]:x", "[a]"]
        {
            assert_eq!(host(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn normal_hosts_stay_as_they_are(bytes in any::<Vec<u8>>()) {
            if let Ok(host) = normalise(&bytes) {
                prop_assert!(!host.name.is_empty());
                prop_assert!(!host.name.iter().any(u8::is_ascii_uppercase));
            }
        }
    }
}
