//! Names become addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

use crate::config::model::{Listen, ListenAddress, Server};
use crate::config::{Config, Problem, Spanned};
use crate::net::Addr;

/// Every address that a server listens on, `localhost` and its like resolved to all they have.
pub(super) fn listening<'a>(
    config: &Config,
    server: &'a Server,
) -> Result<Vec<(&'a Listen, Addr)>, Problem> {
    let mut all = Vec::new();
    for listen in &server.listen {
        let addrs = match &listen.address {
            ListenAddress::Any(port) => {
                vec![Addr::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), *port))]
            }
            ListenAddress::Unix(path) => vec![Addr::Unix(path.as_path().into())],
            ListenAddress::Host(host, port) => resolve(host, *port).ok_or_else(|| {
                let text = &listen.text.value;
                let message = format!("host not found in \"{text}\" of the \"listen\" directive");
                Problem::new(message, listen.text.span, &config.sources)
            })?,
        };
        all.extend(addrs.into_iter().map(|addr| (listen, addr)));
    }
    Ok(all)
}

/// Every address of an upstream's server: `unix:PATH`, `HOST:PORT` or `HOST`.
pub(super) fn upstream(config: &Config, written: &Spanned<String>) -> Result<Vec<Addr>, Problem> {
    let text = written.value.as_str();
    if let Some(path) = text.strip_prefix("unix:") {
        return Ok(vec![Addr::Unix(std::path::Path::new(path).into())]);
    }
    let (host, port) = split_port(text);
    resolve(host, port).ok_or_else(|| {
        let message = format!("host not found in upstream \"{text}\"");
        Problem::new(message, written.span, &config.sources)
    })
}

/// `HOST:PORT`, `[IPV6]:PORT` or `HOST`, which means port 80.
fn split_port(text: &str) -> (&str, u16) {
    let whole = (text, 80);
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => match port.parse() {
            Ok(port) => (host, port),
            Err(_) => whole,
        },
        _ => whole,
    };
    (host.trim_start_matches('[').trim_end_matches(']'), port)
}

/// All addresses that a name has, IPv4 first as nginx lists them; none when it has none.
pub(super) fn resolve(host: &str, port: u16) -> Option<Vec<Addr>> {
    let mut found: Vec<SocketAddr> = (host, port).to_socket_addrs().ok()?.collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    found.dedup();
    (!found.is_empty()).then(|| found.into_iter().map(Addr::Tcp).collect())
}
