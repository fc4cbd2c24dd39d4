//! `listen`

use std::net::Ipv6Addr;
use std::path::PathBuf;

use super::super::address::{self, Host};
use super::super::inherit::ServerDraft;
use super::super::model::{Listen, ListenAddress};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Bound, Walk};

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "listen",
    means: "`PORT`, `HOST:PORT` (every address of the name), `[IPV6]:PORT`, `unix:PATH`, port \
            ranges; `default_server`, `backlog=` (511), `ipv6only=` (on), `bind`. `HOST:0` is any \
            free port. Without effect: `reuseport`, `deferred`, `rcvbuf=`, `sndbuf=`, \
            `so_keepalive=`, `fastopen=`. Not yet: `ssl`, `http2`, `quic`, `proxy_protocol`.",
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
            backlog: options.backlog,
            reuseport: options.reuseport,
            ipv6only: options.ipv6only,
        };
        if server.listen.iter().any(|old| old.address == new.address) {
            let message = format!("a duplicate listen {}", shown(&new.address));
            return Err(Fault::at(text.span, message));
        }
        claim(walk, &new, options.any, text)?;
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
        backlog: None,
        reuseport: false,
        ipv6only: true,
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

struct Options {
    default_server: bool,
    backlog: Option<u32>,
    reuseport: bool,
    ipv6only: bool,
    /// Whether any of the options about the socket itself was given.
    any: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { default_server: false, backlog: None, reuseport: false, ipv6only: true, any: false }
    }
}

impl Options {
    fn take(&mut self, walk: &mut Walk, word: &Word) -> Done {
        let invalid = |what: &str| Err(Fault::at(word.span, what.to_owned()));
        let (name, value) = match word.value.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.value.as_str(), None),
        };
        match (name, value) {
            ("default_server" | "default", None) => self.default_server = true,
            ("backlog", Some(text)) => match value::number(text).map(u32::try_from) {
                Some(Ok(backlog)) if backlog > 0 => self.socket(|o| o.backlog = Some(backlog)),
                _ => return invalid(&format!("invalid backlog \"backlog={text}\"")),
            },
            ("reuseport", None) => {
                self.socket(|o| o.reuseport = true);
                no_effect(walk, word, "the threads share one queue");
            }
            ("ipv6only", Some(text)) if text.starts_with('o') => match text {
                "on" => self.socket(|o| o.ipv6only = true),
                "off" => self.socket(|o| o.ipv6only = false),
                _ => {
                    return invalid(&format!("invalid ipv6only flags \"{text}\""));
                }
            },
            ("bind", None) => self.socket(|_| ()),
            ("deferred", None) | ("rcvbuf" | "sndbuf" | "so_keepalive" | "fastopen", Some(_)) => {
                check_socket_option(name, value.unwrap_or_default(), word)?;
                self.socket(|_| ());
                no_effect(walk, word, "the system's own setting holds");
            }
            ("ssl" | "http2" | "quic" | "proxy_protocol", None) => {
                let what = format!("\"{name}\" of \"listen\" is not supported by this proxy yet");
                return invalid(&what);
            }
            _ => return invalid(&format!("invalid parameter \"{}\"", word.value)),
        }
        Ok(())
    }

    fn socket(&mut self, set: impl FnOnce(&mut Self)) {
        self.any = true;
        set(self);
    }
}

fn check_socket_option(name: &str, value: &str, word: &Word) -> Done {
    let right = match name {
        "rcvbuf" | "sndbuf" => value::size(value).is_some(),
        "fastopen" => value::number(value).is_some(),
        "so_keepalive" => value == "on" || value == "off" || value.contains(':'),
        _ => true,
    };
    let message = match name {
        _ if right => return Ok(()),
        "so_keepalive" => format!("invalid so_keepalive value: \"{value}\""),
        _ => format!("invalid {name} \"{}\"", word.value),
    };
    Err(Fault::at(word.span, message))
}

fn no_effect(walk: &mut Walk, word: &Word, why: &str) {
    walk.note(word.span, format!("\"{}\" of \"listen\" has no effect here: {why}", word.value));
}
