//! Who was concerned, as the error log names them.

use std::fmt;
use std::net::SocketAddr;

use http::Version;
use http::header::{HOST, REFERER};
use serde::{Deserialize, Serialize};

use super::record::Record;

/// `client: ..., server: ..., request: "...", upstream: "...", host: "..."`: who was concerned.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Context {
    client: Option<SocketAddr>,
    rest: Box<str>,
}

impl Context {
    /// Every tunnel makes one for its end, so this copies and formats nothing.
    pub(super) fn new(record: &Record, upstream: Option<&str>) -> Self {
        let head = &record.head;
        let server = record.routed.get().map_or("", |routed| &routed.server.name);
        let target = head.uri.path_and_query().map_or("*", |target| target.as_str());
        let version = if head.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" };
        let mut rest = String::with_capacity(256);
        for part in [", server: ", server] {
            rest.push_str(part);
        }
        if record.refused.as_ref().is_some_and(|refused| refused.line.is_empty()) {
            return Self { client: record.peer(), rest: rest.into() };
        }
        rest.push_str(", request: \"");
        match &record.refused {
            Some(refused) => rest.push_str(&refused.line.escape_ascii().to_string()),
            None => [head.method.as_str(), " ", target, " ", version]
                .iter()
                .for_each(|part| rest.push_str(part)),
        }
        if let Some(upstream) = upstream {
            rest.push_str("\", upstream: \"http://");
            rest.push_str(upstream);
            // nginx's way to show where a socket's path ends.
            rest.push_str(if upstream.starts_with("unix:") { ":" } else { "" });
            match record.outgoing() {
                Some(other) => rest.push_str(&other),
                None => rest.push_str(target),
            }
        }
        for (name, field) in [("host", HOST), ("referrer", REFERER)] {
            if let Some(value) = head.headers.get(field) {
                rest.push_str("\", ");
                rest.push_str(name);
                rest.push_str(": \"");
                rest.push_str(&String::from_utf8_lossy(value.as_bytes()));
            }
        }
        rest.push('"');
        Self { client: record.peer(), rest: rest.into() }
    }

    /// Who has asked; nothing over a Unix socket.
    pub(super) fn client(&self) -> Option<SocketAddr> {
        self.client
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.client {
            Some(client) => write!(f, "client: {}{}", client.ip(), self.rest),
            None => write!(f, "client: unix:{}", self.rest),
        }
    }
}
