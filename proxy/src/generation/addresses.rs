//! Names become addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use crate::config::model::{Listen, ListenAddress, Server, SocketKeepalive, SocketOptions};
use crate::config::{Config, Problem, Spanned};
use crate::net::{Addr, Options};

/// nginx's queue length on Linux.
const BACKLOG: u32 = 511;

/// A listening address and the options of its socket.
#[derive(Debug, Clone)]
pub(crate) struct Doorway {
    /// The address.
    pub(crate) addr: Addr,
    /// The options of its socket.
    pub(crate) options: Options,
    /// How long a new connection may stay silent.
    pub(crate) patience: Duration,
    /// Whether small writes go out at once.
    pub(crate) nodelay: bool,
}

/// The servers behind one address: their positions, and which of them is the default.
pub(super) type Members = Vec<(usize, bool)>;

/// One socket, and the servers behind it.
#[derive(Debug)]
pub(super) struct Entrance {
    pub(super) door: Doorway,
    pub(super) members: Members,
    /// Of the addresses that a socket for every address covers, those with servers of their own.
    pub(super) inside: Vec<(IpAddr, Members)>,
    /// Whether it must have a socket of its own.
    bind: bool,
}

/// Every address that servers listen on, each once, in the order written.
pub(super) fn doors(config: &Config, servers: &[Server]) -> Result<Vec<Entrance>, Problem> {
    let mut doors: Vec<Entrance> = Vec::new();
    for (position, server) in servers.iter().enumerate() {
        for (listen, addr) in listening(config, server)? {
            let known = doors.iter().position(|known| known.door.addr == addr);
            let at = known.unwrap_or_else(|| {
                doors.push(Entrance::new(addr, server));
                doors.len() - 1
            });
            let Some(Entrance { door, members, bind, .. }) = doors.get_mut(at) else { continue };
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
            if listen.socket.bind {
                (door.options, *bind) = (options(&listen.socket), true);
            }
            members.push((position, listen.default_server));
        }
    }
    Ok(gather(doors))
}

impl Entrance {
    fn new(addr: Addr, server: &Server) -> Self {
        let door = Doorway {
            addr,
            options: options(&SocketOptions::default()),
            patience: server.settings.client_header_timeout,
            nodelay: server.settings.tcp_nodelay,
        };
        Self { door, members: Vec::new(), inside: Vec::new(), bind: false }
    }

    /// Whether its socket takes what comes to the other's address.
    fn covers(&self, other: &Self) -> bool {
        match (&self.door.addr, &other.door.addr) {
            (Addr::Tcp(all), Addr::Tcp(one)) => {
                let same = all.port() == one.port() && all.is_ipv4() == one.is_ipv4();
                same && all.port() != 0 && all.ip().is_unspecified() && !one.ip().is_unspecified()
            }
            _ => false,
        }
    }
}

/// Puts the addresses that need no socket of their own inside the one that covers them, as nginx
/// does: the system would not bind both.
fn gather(doors: Vec<Entrance>) -> Vec<Entrance> {
    let covered = |one: &Entrance| !one.bind && doors.iter().any(|all| all.covers(one));
    let covered: Vec<bool> = doors.iter().map(covered).collect();
    let (mut inside, mut own) = (Vec::new(), Vec::new());
    for (door, covered) in doors.into_iter().zip(covered) {
        if covered { inside.push(door) } else { own.push(door) }
    }
    for one in inside {
        let (Addr::Tcp(addr), Some(all)) =
            (&one.door.addr, own.iter_mut().find(|all| all.covers(&one)))
        else {
            continue;
        };
        all.inside.push((addr.ip(), one.members));
    }
    own
}

fn options(said: &SocketOptions) -> Options {
    let (keepalive, probes) = match said.keepalive {
        None => (None, (None, None, None)),
        Some(SocketKeepalive::Off) => (Some(false), (None, None, None)),
        Some(SocketKeepalive::On) => (Some(true), (None, None, None)),
        Some(SocketKeepalive::Times { idle, interval, count }) => {
            (Some(true), (idle, interval, count))
        }
    };
    Options {
        backlog: said.backlog.unwrap_or(BACKLOG),
        ipv6only: said.ipv6only,
        reuseport: said.reuseport,
        receive: said.rcvbuf.filter(|size| *size > 0),
        send: said.sndbuf.filter(|size| *size > 0),
        keepalive,
        probes,
    }
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
