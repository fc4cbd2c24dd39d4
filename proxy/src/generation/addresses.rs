//! Names become addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use crate::config::model::{Listen, ListenAddress, Server};
use crate::config::{Config, Problem, Spanned};
use crate::net::Addr;

/// nginx's queue length on Linux.
const BACKLOG: u32 = 511;

/// A listening address and the options of its socket.
#[derive(Debug, Clone)]
pub(crate) struct Doorway {
    /// The address.
    pub(crate) addr: Addr,
    /// The length of its queue.
    pub(crate) backlog: u32,
    /// Whether an IPv6 socket takes IPv6 only.
    pub(crate) ipv6only: bool,
    /// How long a new connection may stay silent.
    pub(crate) patience: Duration,
    /// Whether small writes go out at once.
    pub(crate) nodelay: bool,
}

/// The servers behind one address: their positions, and which of them is the default.
pub(super) type Members = Vec<(usize, bool)>;

/// Every address that servers listen on, each once, in the order written.
pub(super) fn doors(
    config: &Config,
    servers: &[Server],
) -> Result<Vec<(Doorway, Members)>, Problem> {
    let mut doors: Vec<(Doorway, Members)> = Vec::new();
    for (position, server) in servers.iter().enumerate() {
        for (listen, addr) in listening(config, server)? {
            let known = doors.iter().position(|(door, _)| door.addr == addr);
            let at = known.unwrap_or_else(|| {
                let door = Doorway {
                    addr,
                    backlog: BACKLOG,
                    ipv6only: true,
                    patience: server.settings.client_header_timeout,
                    nodelay: server.settings.tcp_nodelay,
                };
                doors.push((door, Vec::new()));
                doors.len() - 1
            });
            let Some((door, members)) = doors.get_mut(at) else { continue };
            let said = |what: &str| {
                let message = format!("a duplicate {what} {}", door.addr);
                Problem::new(message, listen.text.span, &config.sources)
            };
            if members.iter().any(|(member, _)| *member == position) {
                return Err(said("listen"));
            }
            if listen.default_server && members.iter().any(|(_, default)| *default) {
                return Err(said("default server for"));
            }
            door.backlog = listen.backlog.unwrap_or(door.backlog);
            door.ipv6only &= listen.ipv6only;
            members.push((position, listen.default_server));
        }
    }
    Ok(doors)
}

/// Every address that a server listens on, `localhost` and its like resolved to all they have.
fn listening<'a>(config: &Config, server: &'a Server) -> Result<Vec<(&'a Listen, Addr)>, Problem> {
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
