//! Where to connect to: what a URL says.

use std::path::PathBuf;

use http::Uri;

/// A URL understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Where the bytes go.
    pub(crate) place: Place,
    /// The host that TLS must be answered for; `None` without TLS.
    pub(crate) tls: Option<String>,
    /// The value of the `Host` header.
    pub(crate) host: String,
    /// The request target: path and query, never empty.
    pub(crate) target: String,
}

/// What a socket is connected to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A host name or an IP address (an IPv6 one without its brackets), and a port.
    Tcp(String, u16),
    /// The path of a Unix socket, relative to the working directory or absolute.
    Unix(PathBuf),
}

/// Why a URL is not one that can be connected to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadUrl {
    #[error("a WebSocket URL starts with ws://, wss:// or ws+unix:")]
    Scheme,
    #[error("no host in the URL")]
    NoHost,
    #[error("bad port in the URL")]
    Port,
    #[error("no socket path in the URL: write ws+unix:PATH, or ws+unix:PATH:/request/path")]
    NoPath,
    #[error("a WebSocket URL has no fragment: write # as %23")]
    Fragment,
    #[error("a name and password in the URL are not supported: use --header 'Authorization: ...'")]
    UserInfo,
    #[error("bad URL: {0}")]
    Syntax(#[from] http::uri::InvalidUri),
}

impl Address {
    /// Reads `ws://HOST[:PORT][/PATH][?QUERY]`, `wss://...`, or `ws+unix:SOCKET[:/PATH[?QUERY]]`.
    ///
    /// # Errors
    /// [`BadUrl`], which says what is wrong with it.
    pub(crate) fn parse(url: &str) -> Result<Self, BadUrl> {
        if url.contains('#') {
            return Err(BadUrl::Fragment);
        }
        if let Some(rest) = strip_scheme(url, "ws+unix:") {
            return Self::unix(rest);
        }
        let (tls, default_port) = if strip_scheme(url, "ws://").is_some() {
            (false, 80)
        } else if strip_scheme(url, "wss://").is_some() {
            (true, 443)
        } else {
            return Err(BadUrl::Scheme);
        };
        let uri: Uri = url.parse()?;
        let authority = uri.authority().ok_or(BadUrl::NoHost)?;
        if authority.as_str().contains('@') {
            return Err(BadUrl::UserInfo);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(BadUrl::NoHost);
        }
        let port = match authority.port_u16() {
            Some(0) => return Err(BadUrl::Port),
            Some(port) => port,
            None if authority.as_str() == authority.host() => default_port,
            None => return Err(BadUrl::Port),
        };
        Ok(Self {
            tls: tls.then(|| host.clone()),
            place: Place::Tcp(host, port),
            host: authority.as_str().to_owned(),
            target: target(uri.path_and_query().map_or("", |target| target.as_str())),
        })
    }

    /// The form of npm's `ws`: the request path follows the socket's after a colon.
    fn unix(rest: &str) -> Result<Self, BadUrl> {
        // ws+unix:///run/x.sock is the same as ws+unix:/run/x.sock.
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, request) = match rest.find(":/") {
            Some(colon) => rest.split_at(colon),
            None => (rest, ""),
        };
        if path.is_empty() {
            return Err(BadUrl::NoPath);
        }
        let request = target(request.trim_start_matches(':'));
        request.parse::<Uri>()?;
        Ok(Self {
            place: Place::Unix(PathBuf::from(path)),
            tls: None,
            host: "localhost".to_owned(),
            target: request,
        })
    }
}

fn strip_scheme<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = url.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// A request target starts with a slash, whatever the URL left out.
fn target(written: &str) -> String {
    if written.starts_with('/') { written.to_owned() } else { format!("/{written}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(url: &str) -> (String, u16, String, String, Option<String>) {
        let address = Address::parse(url).unwrap();
        match address.place {
            Place::Tcp(host, port) => (host, port, address.host, address.target, address.tls),
            Place::Unix(_) => panic!("{url} is no unix socket"),
        }
    }

    fn own(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn a_url_names_host_port_and_target() {
        let full = tcp("ws://localhost:8080/chat?room=1");
        assert_eq!(
            full,
            (own("localhost"), 8080, own("localhost:8080"), own("/chat?room=1"), None)
        );
        assert_eq!(tcp("ws://h"), (own("h"), 80, own("h"), own("/"), None));
        assert_eq!(tcp("ws://h?x=1").3, "/?x=1");
        assert_eq!(tcp("WSS://h/"), (own("h"), 443, own("h"), own("/"), Some(own("h"))));
        let six = tcp("ws://[::1]:81/");
        assert_eq!(six, (own("::1"), 81, own("[::1]:81"), own("/"), None));
    }

    #[test]
    fn a_unix_socket_may_have_a_request_path() {
        for (url, path, target) in [
            ("ws+unix:run/w.sock", "run/w.sock", "/"),
            ("ws+unix:/run/w.sock", "/run/w.sock", "/"),
            ("ws+unix:///run/w.sock", "/run/w.sock", "/"),
            ("ws+unix:/run/w.sock:/chat?x=1", "/run/w.sock", "/chat?x=1"),
            ("ws+unix:odd:name.sock", "odd:name.sock", "/"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.place, Place::Unix(path.into()), "{url}");
            assert_eq!(address.target, target, "{url}");
            assert_eq!(address.host, "localhost");
        }
    }

    #[test]
    fn a_bad_url_says_what_is_bad() {
        for (url, words) in [
            ("localhost:8080", "starts with ws://"),
            ("http://localhost/", "starts with ws://"),
            ("", "starts with ws://"),
            ("ws://", "bad URL"),
            ("ws:///path", "bad URL"),
            ("ws://:80/", "no host"),
            ("ws://h:99999/", "bad port"),
            ("ws://h:0/", "bad port"),
            ("ws://h:/", "bad port"),
            ("ws://h/#top", "no fragment"),
            ("ws://me:secret@h/", "--header"),
            ("ws://h/a b", "bad URL"),
            ("ws+unix:", "no socket path"),
            ("ws+unix::/x", "no socket path"),
        ] {
            let error = Address::parse(url).unwrap_err().to_string();
            assert!(error.contains(words), "{url}: {error}");
        }
    }
}
