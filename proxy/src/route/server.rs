//! nginx's virtual servers: which `server` block takes a request.

use super::regex::{Captures, MatchError, Regex};
use super::wildcard::HostTable;

/// One `server_name`.
#[derive(Debug, Clone)]
pub enum ServerName {
    /// `example.com`; "" is for requests without a Host.
    Exact(String),
    /// `*.example.com`, without the `*.`.
    Leading(String),
    /// `.example.com`, without the dot: `example.com` and `*.example.com`.
    LeadingOrExact(String),
    /// `mail.*`, without the `.*`.
    Trailing(String),
    /// `~pattern`
    Regex(Regex),
}

/// The servers that listen on one address.
#[derive(Debug, Clone)]
pub struct Servers<T> {
    default: T,
    table: HostTable<T>,
    regexes: Vec<(Regex, T)>,
}

impl<T> Servers<T> {
    /// An address with its default server: the one marked `default_server`, or else the first.
    #[must_use]
    pub fn new(default: T) -> Self {
        Self { default, table: HostTable::default(), regexes: Vec::new() }
    }

    /// Adds a server's name. False when another server has the name already: nginx then warns
    /// `conflicting server name "NAME" on ADDRESS, ignored`.
    pub fn add(&mut self, name: ServerName, server: T) -> bool
    where
        T: Clone,
    {
        match name {
            ServerName::Exact(name) => self.table.exact(&name, server),
            ServerName::Leading(name) => self.table.leading(&name, server),
            ServerName::Trailing(name) => self.table.trailing(&name, server),
            ServerName::LeadingOrExact(name) => {
                let exact = self.table.exact(&name, server.clone());
                self.table.leading(&name, server) && exact
            }
            ServerName::Regex(regex) => {
                self.regexes.push((regex, server));
                true
            }
        }
    }

    /// The server for requests that no other one takes.
    #[must_use]
    pub fn default_server(&self) -> &T {
        &self.default
    }

    /// The server for a normalised host (see [`host`](super::host)); "" when the request has none.
    /// In nginx's order: the exact name, the longest leading wildcard, the longest trailing
    /// wildcard, the first pattern in the order added, the default.
    ///
    /// # Errors
    /// A pattern took too many steps; nginx answers 500.
    pub fn choose(&self, host: &[u8]) -> Result<(&T, Option<Captures>), MatchError> {
        if let Some(server) = self.table.find(host) {
            return Ok((server, None));
        }
        if !host.is_empty() {
            for (regex, server) in &self.regexes {
                if let Some(captures) = regex.captures(host)? {
                    return Ok((server, Some(captures)));
                }
            }
        }
        Ok((&self.default, None))
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::Names;
    use super::super::regex::Case;
    use super::*;

    fn servers() -> Servers<&'static str> {
        let mut names = Names::new();
        let mut regex =
            |text| ServerName::Regex(Regex::compile(text, Case::Insensitive, &mut names).unwrap());
        let mut servers = Servers::new("default");
        let list = [
            (ServerName::Exact("example.com".into()), "exact"),
            (ServerName::Leading("example.com".into()), "leading"),
            (ServerName::Leading("eu.example.com".into()), "longer leading"),
            (ServerName::LeadingOrExact("example.org".into()), "dot"),
            (ServerName::Trailing("mail".into()), "trailing"),
            (ServerName::Trailing("mail.example".into()), "longer trailing"),
            (regex(r"^www(?<number>\d+)\."), "first pattern"),
            (regex(r"^www"), "second pattern"),
        ];
        for (name, server) in list {
            assert!(servers.add(name, server));
        }
        servers
    }

    #[test]
    fn names_are_tried_in_nginx_order() {
        let servers = servers();
        for (host, expected) in [
            ("example.com", "exact"),
            ("a.example.com", "leading"),
            ("a.b.example.com", "leading"),
            ("a.eu.example.com", "longer leading"),
            ("eu.example.com", "leading"),
            ("mail.example.com", "leading"),
            ("example.org", "dot"),
            ("x.example.org", "dot"),
            ("mail.net", "trailing"),
            ("mail.example.net", "longer trailing"),
            ("mail", "default"),
            ("www7.net", "first pattern"),
            ("www.net", "second pattern"),
            ("other", "default"),
            ("", "default"),
        ] {
            assert_eq!(*servers.choose(host.as_bytes()).unwrap().0, expected, "{host}");
        }
    }

    #[test]
    fn a_pattern_captures() {
        let servers = servers();
        let (_, captures) = servers.choose(b"www12.net").unwrap();
        assert_eq!(captures.unwrap().get(1), Some(&b"12"[..]));
        assert!(servers.choose(b"example.com").unwrap().1.is_none());
    }

    #[test]
    fn a_name_belongs_to_the_first_server_that_has_it() {
        let mut servers = servers();
        assert!(!servers.add(ServerName::Exact("EXAMPLE.com".into()), "second"));
        assert_eq!(*servers.choose(b"example.com").unwrap().0, "exact");
        assert!(servers.add(ServerName::Exact(String::new()), "no host"));
        assert_eq!(*servers.choose(b"").unwrap().0, "no host");
    }
}
