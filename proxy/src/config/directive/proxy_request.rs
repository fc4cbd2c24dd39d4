//! What requests to servers are made of, and the connections that they go over.

use super::super::inherit::Level;
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, argument_says, once, switch};

const fn row(
    name: &'static str,
    arity: Arity,
    effect: fn(&mut Walk, &mut Level, &Statement) -> Done,
    example: &'static str,
    means: &'static str,
) -> Directive {
    let contexts = &[Context::Http, Context::Server, Context::Location];
    Directive { name, contexts, arity, block: false, effect: Effect::Level(effect), example, means }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row(
        "proxy_method",
        Arity::ONE,
        |_, level, s| once(&mut level.proxying.method, s, |s| Ok(s.arg(0).clone())),
        "proxy_method POST;",
        "The method that goes to servers. May have variables. Default: the client's.",
    ),
    row(
        "proxy_set_body",
        Arity::ONE,
        |_, level, s| once(&mut level.proxying.set_body, s, |s| Ok(s.arg(0).clone())),
        "proxy_set_body $args;",
        "The body that goes to servers in the place of the client's, which is read and dropped. May have \
         variables.",
    ),
    row(
        "proxy_pass_request_headers",
        Arity::ONE,
        |_, level, s| once(&mut level.proxying.pass_request_headers, s, switch),
        "proxy_pass_request_headers off;",
        "Whether the client's fields go to servers. Default `on`.",
    ),
    row(
        "proxy_pass_request_body",
        Arity::ONE,
        |_, level, s| once(&mut level.proxying.pass_request_body, s, switch),
        "proxy_pass_request_body off;",
        "Whether the client's body goes to servers. Default `on`. With `off` it is read and \
         dropped, and so is its `Content-Length`, which nginx sends all the same.",
    ),
    row(
        "proxy_bind",
        Arity(1, 2),
        bind,
        "proxy_bind 127.0.0.1;",
        "The local address, perhaps with a port, that connections to servers come from; may have \
         variables. `off`, or nothing, leaves it to the system. With `transparent` it need not be an \
         address of this machine: the threads keep `CAP_NET_RAW` where the configuration that the process \
         started with says so, and the answers must be routed back here.",
    ),
    row(
        "proxy_socket_keepalive",
        Arity::ONE,
        |_, level, s| once(&mut level.proxying.socket_keepalive, s, switch),
        "proxy_socket_keepalive on;",
        "Whether connections to servers are watched by TCP's keepalive. Default `off`.",
    ),
    row(
        "proxy_limit_rate",
        Arity::ONE,
        |_, level, s| once(&mut level.proxying.limit_rate, s, limit_rate),
        "proxy_limit_rate 1m;",
        "How many bytes of an answer's body are read in a second, while `proxy_buffering` is on. \
         May have variables. Default `0`, no limit.",
    ),
    row(
        "proxy_ignore_client_abort",
        Arity::ONE,
        |_, level, s| once(&mut level.proxying.ignore_client_abort, s, switch),
        "proxy_ignore_client_abort on;",
        "Whether a request goes on when its client leaves, or says that it sends no more: the answer is \
         waited for, and sent if somebody is there to take it. With `off`, the default, a client that \
         leaves takes its request with it.",
    ),
];

fn limit_rate(statement: &Statement) -> Result<Word, Fault> {
    let word = statement.arg(0);
    if !word.value.contains('$') && value::size(&word.value).is_none() {
        return Err(argument_says(statement, "invalid value"));
    }
    Ok(word.clone())
}

fn bind(walk: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.proxying.bind, statement, |s| {
        let word = s.arg(0);
        if s.args.len() == 1 && word.value == "off" {
            return Ok(None);
        }
        let is_address = |text: &str| {
            text.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
                || text.parse::<std::net::SocketAddr>().is_ok()
        };
        if !word.value.contains('$') && !is_address(&word.value) {
            return Err(Fault::at(word.span, format!("invalid address \"{}\"", word.value)));
        }
        match s.args.get(1) {
            None => Ok(Some((word.clone(), false))),
            Some(more) if more.value == "transparent" => {
                walk.transparent = true;
                Ok(Some((word.clone(), true)))
            }
            Some(more) => {
                Err(Fault::at(more.span, format!("invalid parameter \"{}\"", more.value)))
            }
        }
    })
}
