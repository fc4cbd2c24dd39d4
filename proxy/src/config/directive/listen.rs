//! `listen`

use std::net::Ipv6Addr;
use std::path::PathBuf;

use super::super::address::{self, Host};
use super::super::inherit::ServerDraft;
use super::super::model::{Listen, ListenAddress, SocketOptions};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::listen_options::Options;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Bound, Walk};

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "listen",
    means: "`PORT`, `HOST:PORT` (every address of the name), `[IPV6]:PORT`, `unix:PATH`, port \
            ranges; `default_server`, `backlog=` (511), `ipv6only=` (on), `rcvbuf=`, `sndbuf=`, \
            `so_keepalive=`, `bind`, `reuseport` (another process may listen there, too; the \
            threads share one queue with it or without). An address without options belongs to \
            the socket of its port's `*`, if there is one. `HOST:0` is any free port. A socket \
            that was passed at the start (`LISTEN_FDS`, `NGINX`) is not bound again. Without \
            effect: `deferred`, `fastopen=`. Not yet: `ssl`, `http2`, `quic`, `proxy_protocol`.",
    contexts: &[Context::Server],
    arity: Arity::SOME,
    block: false,
    effect: Effect::Server(listen),
    example: "listen localhost:8080 default_server backlog=511;",
}];

fn listen(walk: &mut Walk, server: &mut ServerDraft, statement: &Statement) -> Done {
    let text = statement.arg(0);
    let mut options = Options::default();
    let addresses = addresses(text)?;
    for word in statement.args.iter().skip(1) {
        options.take(walk, word)?;
    }
    for address in addresses {
        let new = Listen {
            text: text.clone(),
            address,
            default_server: options.default_server,
            socket: options.socket.clone(),
        };
        if server.listen.iter().any(|old| old.address == new.address) {
            let message = format!("a duplicate listen {}", shown(&new.address));
            return Err(Fault::at(text.span, message));
        }
        claim(walk, &new, options.socket.bind, text)?;
        server.listen.push(new);
    }
    Ok(())
}

/// What all servers together say of one address: its options once, its default server once.
fn claim(walk: &mut Walk, new: &Listen, options: bool, text: &Word) -> Done {
    let known = walk.listens.iter_mut().find(|bound| bound.address == new.address);
    let Some(bound) = known else {
        let (address, default_server) = (new.address.clone(), new.default_server);
        walk.listens.push(Bound { address, default_server, options });
        return Ok(());
    };
    if options && bound.options {
        let message = format!("duplicate listen options for {}", shown(&new.address));
        return Err(Fault::at(text.span, message));
    }
    if new.default_server && bound.default_server {
        let message = format!("a duplicate default server for {}", shown(&new.address));
        return Err(Fault::at(text.span, message));
    }
    bound.options |= options;
    bound.default_server |= new.default_server;
    Ok(())
}

/// Where a server without `listen` listens.
pub(super) fn unsaid(server: &ServerDraft, superuser: bool) -> Listen {
    let port = if superuser { 80 } else { 8000 };
    Listen {
        text: super::super::source::Spanned { value: format!("*:{port}"), span: server.span },
        address: ListenAddress::Any(port),
        default_server: false,
        socket: SocketOptions::default(),
    }
}

/// An address as nginx prints it.
pub(super) fn shown(address: &ListenAddress) -> String {
    match address {
        ListenAddress::Any(port) => format!("0.0.0.0:{port}"),
        ListenAddress::Host(host, port) if host.contains(':') => format!("[{host}]:{port}"),
        ListenAddress::Host(host, port) => format!("{host}:{port}"),
        ListenAddress::Unix(path) => format!("unix:{}", path.display()),
    }
}

fn addresses(text: &Word) -> Result<Vec<ListenAddress>, Fault> {
    let parsed = address::listen(&text.value).map_err(|why| {
        Fault::at(text.span, format!("{why} in \"{}\" of the \"listen\" directive", text.value))
    })?;
    let first = parsed.port.unwrap_or(80);
    let last = parsed.last_port.unwrap_or(first);
    let make = |port| match &parsed.host {
        Host::Any => ListenAddress::Any(port),
        Host::Unix(path) => ListenAddress::Unix(PathBuf::from(path)),
        Host::Name(name) if name == "0.0.0.0" => ListenAddress::Any(port),
        Host::Name(name) => ListenAddress::Host(plain(name), port),
    };
    Ok((first..=last).map(make).collect())
}

/// An IPv6 address in one spelling and without its brackets, any other host as it is.
fn plain(host: &str) -> String {
    let Some(inside) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return host.to_owned();
    };
    inside.parse::<Ipv6Addr>().map_or_else(|_| inside.to_owned(), |ip| ip.to_string())
}
