//! What is asked of clients, and how answers to them look: `client_*`, `send_timeout`,
//! `server_tokens`, `tcp_nodelay`.

use super::super::inherit::Level;
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, offset, once, switch, time};

const ANYWHERE: &[Context] = &[Context::Http, Context::Server, Context::Location];

const fn row(
    name: &'static str,
    contexts: &'static [Context],
    effect: fn(&mut Walk, &mut Level, &Statement) -> Done,
    example: &'static str,
) -> Directive {
    let effect = Effect::Level(effect);
    Directive { name, contexts, arity: Arity::ONE, block: false, effect, example }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row("client_max_body_size", ANYWHERE, max_body_size, "client_max_body_size 10m;"),
    row(
        "client_header_timeout",
        &[Context::Http, Context::Server],
        |_, level, s| once(&mut level.client_header_timeout, s, time),
        "client_header_timeout 10s;",
    ),
    row(
        "client_body_timeout",
        ANYWHERE,
        |_, level, s| once(&mut level.client_body_timeout, s, time),
        "client_body_timeout 10s;",
    ),
    row(
        "send_timeout",
        ANYWHERE,
        |_, level, s| once(&mut level.send_timeout, s, time),
        "send_timeout 10s;",
    ),
    row("server_tokens", ANYWHERE, server_tokens, "server_tokens off;"),
    row(
        "tcp_nodelay",
        ANYWHERE,
        |_, level, s| once(&mut level.tcp_nodelay, s, switch),
        "tcp_nodelay on;",
    ),
];

fn max_body_size(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.client_max_body_size, statement, |s| {
        offset(s).map(|size| (size > 0).then_some(size))
    })
}

/// `build` is `on` with nginx's build name, of which we have none.
fn server_tokens(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.server_tokens, statement, |s| {
        let word = s.arg(0);
        match word.value.to_ascii_lowercase().as_str() {
            "on" | "build" => Ok(true),
            "off" => Ok(false),
            _ => Err(Fault::at(word.span, format!("invalid value \"{}\"", word.value))),
        }
    })
}
