//! Addresses as nginx's `ngx_parse_url` takes them apart, and its words for what is wrong.
//! Names stay names: they are resolved when the configuration is made live.

use std::net::Ipv6Addr;

/// Who is addressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// `unix:PATH`
    Unix(String),
    /// A name or an IPv4 address as written, or an IPv6 address in its brackets.
    Name(String),
    /// `*`, or nothing but a port: every address (only for `listen`).
    Any,
}

/// An address taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: Host,
    /// The port, when one is written; for `listen`, perhaps the first of a range.
    pub(super) port: Option<u16>,
    /// The last port of a range.
    pub(super) last_port: Option<u16>,
}

/// The address of a `listen`.
pub(super) fn listen(text: &str) -> Result<Address, &'static str> {
    if let Some(path) = text.strip_prefix("unix:") {
        return unix(path);
    }
    if text.contains(['/', '?']) {
        return Err("invalid host");
    }
    if !text.is_empty()
        && text.chars().all(|c| c.is_ascii_digit() || c == '-')
        && text.starts_with(|c: char| c.is_ascii_digit())
        && !text.ends_with('-')
        && text.matches('-').count() < 2
    {
        let (port, last_port) = ports(text)?;
        return Ok(Address { host: Host::Any, port: Some(port), last_port });
    }
    let (host, port) = split(text)?;
    if port == Some("0") {
        // nginx refuses it. Here the system finds a free port, and the start says which.
        return Ok(Address { host: listened(host), port: Some(0), last_port: None });
    }
    let (port, last_port) = match port.map(ports).transpose()? {
        Some((port, last)) => (Some(port), last),
        None => (None, None),
    };
    Ok(Address { host: listened(host), port, last_port })
}

fn listened(host: &str) -> Host {
    if host == "*" { Host::Any } else { Host::Name(host.to_owned()) }
}

/// The address of an upstream's `server`, without anything after it.
pub(super) fn server(text: &str) -> Result<Address, &'static str> {
    if let Some(path) = text.strip_prefix("unix:") {
        return unix(path);
    }
    if text.contains(['/', '?']) {
        return Err("invalid host");
    }
    named(text)
}

/// What follows `http://` in a `proxy_pass`: the address, and the URI if there is one.
pub(super) fn with_uri(text: &str) -> Result<(Address, Option<&str>), &'static str> {
    if let Some(path) = text.strip_prefix("unix:") {
        let (path, uri) = match path.split_once(':') {
            Some((path, uri)) => (path, Some(uri).filter(|uri| !uri.is_empty())),
            None => (path, None),
        };
        return Ok((unix(path)?, uri));
    }
    let at = text.find(['/', '?']).unwrap_or(text.len());
    let (address, uri) = text.split_at(at);
    Ok((named(address)?, Some(uri).filter(|uri| !uri.is_empty())))
}

fn named(text: &str) -> Result<Address, &'static str> {
    let (host, port) = split(text)?;
    let port = port.map(port_number).transpose()?;
    Ok(Address { host: Host::Name(host.to_owned()), port, last_port: None })
}

fn split(text: &str) -> Result<(&str, Option<&str>), &'static str> {
    let Some(rest) = text.strip_prefix('[') else {
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        return if host.is_empty() { Err("no host") } else { Ok((host, port)) };
    };
    let (inside, after) = rest.split_once(']').ok_or("invalid host")?;
    let port = match after.strip_prefix(':') {
        Some(port) => Some(port),
        None if after.is_empty() => None,
        None => return Err("invalid host"),
    };
    if inside.parse::<Ipv6Addr>().is_err() {
        return Err("invalid IPv6 address");
    }
    Ok((text.get(..inside.len() + 2).unwrap_or(text), port))
}

/// The room for a path in the system's socket address, its final zero included.
const LONGEST_PATH: usize = 108;

fn unix(path: &str) -> Result<Address, &'static str> {
    if path.is_empty() {
        return Err("no path in the unix domain socket");
    }
    if path.len() + 1 > LONGEST_PATH {
        return Err("too long path in the unix domain socket");
    }
    Ok(Address { host: Host::Unix(path.to_owned()), port: None, last_port: None })
}

fn ports(text: &str) -> Result<(u16, Option<u16>), &'static str> {
    match text.split_once('-') {
        None => Ok((port_number(text)?, None)),
        Some((first, last)) => {
            let (first, last) = (port_number(first)?, port_number(last)?);
            if first > last {
                return Err("invalid port range");
            }
            Ok((first, Some(last)))
        }
    }
}

fn port_number(text: &str) -> Result<u16, &'static str> {
    super::value::number(text)
        .and_then(|n| u16::try_from(n).ok())
        .filter(|port| *port > 0)
        .ok_or("invalid port")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(parsed: Result<Address, &'static str>) -> String {
        match parsed {
            Err(why) => why.to_owned(),
            Ok(Address { host, port, last_port }) => format!("{host:?} {port:?} {last_port:?}"),
        }
    }

    #[test]
    fn where_to_listen() {
        for (text, parsed) in [
            ("8080", "Any Some(8080) None"),
            ("8080-8082", "Any Some(8080) Some(8082)"),
            ("*:81", "Any Some(81) None"),
            ("localhost", "Name(\"localhost\") None None"),
            ("localhost:8080", "Name(\"localhost\") Some(8080) None"),
            ("[::1]:80", "Name(\"[::1]\") Some(80) None"),
            ("[::]", "Name(\"[::]\") None None"),
            ("unix:a:b.sock", "Unix(\"a:b.sock\") None None"),
            ("127.0.0.1:0", "Name(\"127.0.0.1\") Some(0) None"),
            ("0", "invalid port"),
            ("65536", "invalid port"),
            ("9-8", "invalid port range"),
            ("", "no host"),
            (":80", "no host"),
            ("a/b", "invalid host"),
            ("[::1", "invalid host"),
            ("[::1]80", "invalid host"),
            ("[x]:80", "invalid IPv6 address"),
            ("unix:", "no path in the unix domain socket"),
        ] {
            assert_eq!(shown(listen(text)), parsed, "{text}");
        }
    }

    #[test]
    fn whom_to_pass_to() {
        for (text, parsed, uri) in [
            ("websocket", "Name(\"websocket\") None None", None),
            ("a:81/x?y", "Name(\"a\") Some(81) None", Some("/x?y")),
            ("a?y", "Name(\"a\") None None", Some("?y")),
            ("[::1]:81/", "Name(\"[::1]\") Some(81) None", Some("/")),
            ("unix:/run/a.sock", "Unix(\"/run/a.sock\") None None", None),
            ("unix:a.sock:", "Unix(\"a.sock\") None None", None),
            ("unix:a.sock:/x", "Unix(\"a.sock\") None None", Some("/x")),
        ] {
            let (address, rest) = with_uri(text).unwrap();
            assert_eq!((shown(Ok(address)).as_str(), rest), (parsed, uri), "{text}");
        }
        assert_eq!(with_uri("").unwrap_err(), "no host");
        assert_eq!(with_uri("/").unwrap_err(), "no host");
        assert_eq!(shown(server("a:81/")), "invalid host");
    }
}
