//! The upstream for a name or an address that is known only with a request.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{Group, SharedUpstream};
use crate::net::Addr;

/// So many addresses are remembered at most: what a request names may be anything.
const REMEMBERED: usize = 256;

/// Where a request goes, as a text says it: `NAME`, `NAME:PORT` or `unix:PATH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Destination<'a> {
    /// The name, the address, or the path with `unix:`.
    pub(crate) host: &'a str,
    /// The port, where the text has one.
    pub(crate) port: Option<u16>,
}

/// A text is no URL that a request can go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoDestination {
    /// It is not `http://` and something behind it.
    #[error("invalid URL prefix")]
    Prefix,
    /// A URI or a port follows that.
    #[error("no host")]
    Host,
    /// The port is none.
    #[error("invalid port")]
    Port,
    /// A bracket is not closed, or does not hold an address.
    #[error("invalid host")]
    Bracket,
}

/// The upstreams of one generation by name, and those that requests made up.
pub(crate) struct Directory {
    named: OnceLock<Vec<Entry>>,
    made: Mutex<HashMap<Addr, SharedUpstream>>,
    make: Box<dyn Fn(Addr) -> SharedUpstream + Send + Sync>,
}

/// One that the configuration names.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its name; for an address that a `proxy_pass` names, that without its port.
    pub(crate) name: Box<str>,
    /// The port; none for a block's name.
    pub(crate) port: Option<u16>,
    /// What answers.
    pub(crate) group: Group,
}

impl Directory {
    /// With nobody in it. `make` makes an upstream of one address.
    pub(crate) fn new(make: impl Fn(Addr) -> SharedUpstream + Send + Sync + 'static) -> Self {
        Self { named: OnceLock::new(), made: Mutex::default(), make: Box::new(make) }
    }

    /// Everybody that the configuration names; only once.
    pub(crate) fn fill(&self, entries: Vec<Entry>) {
        let _ = self.named.set(entries);
    }

    /// What answers there: whom the configuration names first, then an address. None is a name that
    /// somebody would have to resolve.
    pub(crate) fn find(&self, to: Destination<'_>) -> Option<Group> {
        let is = |entry: &&Entry| {
            let port = entry.port.map_or(to.port.is_none(), |port| port == to.port.unwrap_or(80));
            port && entry.name.eq_ignore_ascii_case(to.host)
        };
        if let Some(entry) = self.named.get().into_iter().flatten().find(is) {
            return Some(entry.group.clone());
        }
        let addr = to.address()?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if !made.contains_key(&addr) && made.len() >= REMEMBERED {
            made.clear();
        }
        let upstream = made.entry(addr).or_insert_with_key(|addr| (self.make)(addr.clone()));
        Some(Group::Fixed(upstream.clone()))
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("named", &self.named).finish_non_exhaustive()
    }
}

impl<'a> Destination<'a> {
    /// Reads `http://NAME[:PORT][URI]` or `http://unix:PATH[:URI]`; the URI comes with it.
    ///
    /// # Errors
    /// Any [`NoDestination`].
    pub(crate) fn parse(url: &'a str) -> Result<(Self, &'a str), NoDestination> {
        let split = url.split_at_checked(7).filter(|(_, rest)| !rest.is_empty());
        let (scheme, rest) = split.ok_or(NoDestination::Prefix)?;
        if !scheme.eq_ignore_ascii_case("http://") {
            return Err(NoDestination::Prefix);
        }
        if let Some(path) = rest.strip_prefix("unix:") {
            let (path, uri) = path.split_once(':').unwrap_or((path, ""));
            let host = rest.get(..path.len() + 5).unwrap_or_default();
            let found = (Self { host, port: None }, uri);
            return if path.is_empty() { Err(NoDestination::Host) } else { Ok(found) };
        }
        let (name, uri) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let colon = match name.strip_prefix('[') {
            None => name.find(':'),
            Some(inside) => Some(inside.find(']').ok_or(NoDestination::Bracket)? + 2),
        };
        let (host, port) = name.split_at_checked(colon.unwrap_or(name.len())).unwrap_or((name, ""));
        if host.is_empty() {
            return Err(NoDestination::Host);
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            None => return Err(NoDestination::Bracket),
            Some(digits) => {
                let port = digits.parse::<u16>().ok().filter(|port| *port > 0);
                Some(port.ok_or(NoDestination::Port)?)
            }
        };
        Ok((Self { host, port }, uri))
    }

    fn address(self) -> Option<Addr> {
        if let Some(path) = self.host.strip_prefix("unix:") {
            return Some(Addr::Unix(Path::new(path).into()));
        }
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let ip = host.parse::<IpAddr>().ok()?;
        Some(Addr::Tcp(SocketAddr::new(ip, self.port.unwrap_or(80))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_to_go_and_with_what() {
        for (url, host, port, uri) in [
            ("http://a", "a", None, ""),
            ("HTTP://a:81/x?y", "a", Some(81), "/x?y"),
            ("http://a?y", "a", None, "?y"),
            ("http://[::1]:8080/", "[::1]", Some(8080), "/"),
            ("http://[::1]", "[::1]", None, ""),
            ("http://unix:/run/a.sock", "unix:/run/a.sock", None, ""),
            ("http://unix:a.sock:/x", "unix:a.sock", None, "/x"),
        ] {
            let found = Destination::parse(url).unwrap();
            assert_eq!(found, (Destination { host, port }, uri), "{url}");
        }
        for (url, why) in [
            ("", NoDestination::Prefix),
            ("ftp://a", NoDestination::Prefix),
            ("http://", NoDestination::Prefix),
            ("http:///x", NoDestination::Host),
            ("http://:80", NoDestination::Host),
            ("http://unix:", NoDestination::Host),
            ("http://a:", NoDestination::Port),
            ("http://a:0", NoDestination::Port),
            ("http://a:99999", NoDestination::Port),
            ("http://[::1", NoDestination::Bracket),
            ("http://[::1]x", NoDestination::Bracket),
        ] {
            assert_eq!(Destination::parse(url).unwrap_err(), why, "{url}");
        }
    }

    #[test]
    fn only_what_has_no_name_here_and_is_no_address_wants_resolving() {
        let address = |host, port| Destination { host, port }.address().map(|a| a.to_string());
        assert_eq!(address("10.0.0.1", None).as_deref(), Some("10.0.0.1:80"));
        assert_eq!(address("[::1]", Some(81)).as_deref(), Some("[::1]:81"));
        assert_eq!(address("unix:/a", None).as_deref(), Some("unix:/a"));
        assert_eq!(address("example.org", Some(80)), None);
    }
}
