//! How connections to clients end, and which browsers do not keep one.

use std::time::Duration;

use http::header::USER_AGENT;
use memchr::memmem;

use super::record::Record;

/// What a place says of the end of connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endings {
    /// Whether what a client may still be sending is read before its connection is closed.
    pub(crate) lingers: bool,
    /// Whether that is so for whoever seems to send nothing, too.
    pub(crate) always: bool,
    /// How long it may take in all.
    pub(crate) linger_time: Duration,
    /// How long the client may pause in it.
    pub(crate) linger_timeout: Duration,
    /// Whether an old MSIE that has posted gets no second answer.
    pub(crate) not_for_msie6: bool,
    /// Whether Safari gets none.
    pub(crate) not_for_safari: bool,
}

impl Endings {
    /// What holds until a place says so: nginx's defaults.
    pub(crate) const DEFAULT: Self = Self {
        lingers: true,
        always: false,
        linger_time: Duration::from_secs(30),
        linger_timeout: Duration::from_secs(5),
        not_for_msie6: true,
        not_for_safari: false,
    };

    /// Whether this request's browser is one that keeps no connection.
    pub(super) fn forbid(&self, record: &Record) -> bool {
        let posts = self.not_for_msie6 && *record.method() == http::Method::POST;
        if !posts && !self.not_for_safari {
            return false;
        }
        let Some(agent) = record.head.headers.get(USER_AGENT) else { return false };
        let agent = agent.as_bytes();
        (posts && is_msie6(agent)) || (self.not_for_safari && is_safari(agent))
    }
}

/// MSIE 4, 5, and 6 before the second service pack.
fn is_msie6(agent: &[u8]) -> bool {
    let Some(at) = memmem::find(agent, b"MSIE ") else { return false };
    match agent.get(at + 5..) {
        Some([b'4' | b'5', b'.', _, ..]) => true,
        Some([b'6', b'.', _, rest @ ..]) => memmem::find(rest, b"SV1").is_none(),
        _ => false,
    }
}

fn is_safari(agent: &[u8]) -> bool {
    let has = |word: &str| memmem::find(agent, word.as_bytes()).is_some();
    !has("Opera") && !has("Gecko/") && !has("Chrome/") && has("Safari/") && has("Mac OS X")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_known_by_what_nginx_knows_them_by() {
        assert!(is_msie6(b"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)"));
        assert!(!is_msie6(b"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)"));
        assert!(is_msie6(b"Mozilla/4.0 (compatible; MSIE 5.5; Windows 98)"));
        assert!(!is_msie6(b"Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0)"));
        assert!(!is_msie6(b"MSIE 6"));
        let safari: &[u8] =
            b"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 \
            (KHTML, like Gecko) Version/16.1 Safari/605.1.15";
        assert!(is_safari(safari));
        assert!(!is_safari(b"(Macintosh; Intel Mac OS X) Chrome/100 Safari/537.36"));
    }
}
