//! The Host field and the authority of an absolute target.

use std::borrow::Cow;

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

/// Checks and normalises a host. What nginx refuses is refused: an empty name, `/`, control bytes
/// and spaces, two dots in a row.
///
/// # Errors
/// The host is malformed.
pub fn normalise(host: &[u8]) -> Result<Host<'_>, InvalidHost> {
    let refused = |byte: &u8| *byte <= b' ' || *byte == b'/' || *byte == 0x7f;
    if host.iter().any(refused) || host.windows(2).any(|pair| pair == b"..") {
        return Err(InvalidHost);
    }
    let end = match host.first() {
        Some(b'[') => host.iter().position(|byte| *byte == b']').map(|bracket| bracket + 1),
        _ => host.iter().position(|byte| *byte == b':'),
    };
    let (name, rest) = host.split_at(end.unwrap_or(host.len()));
    let name = name.strip_suffix(b".").unwrap_or(name);
    if name.is_empty() {
        return Err(InvalidHost);
    }
    let name = if name.iter().any(u8::is_ascii_uppercase) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    };
    Ok(Host { name, port: port(rest) })
}

fn port(rest: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(rest.strip_prefix(b":")?).ok()?;
    let digits = digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)?;
    digits.parse().ok().filter(|port| *port > 0)
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
        assert_eq!(host("a:99999"), Some(("a".into(), None)));
        assert_eq!(host(".a"), Some((".a".into(), None)));
        assert!(matches!(normalise(b"plain").unwrap().name, Cow::Borrowed(_)));
    }

    #[test]
    fn what_nginx_refuses_is_refused() {
        for text in ["", ".", ":80", "a..b", "a/b", "a b", "a\0", "a\x7f", "a..", ".:80"] {
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
