//! What is asked of clients, and how answers to them look: `client_*`, `send_timeout`,
//! `server_tokens`, `tcp_nodelay`, `reset_timedout_connection`.

use super::super::inherit::Level;
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, argument_says, offset, once, switch, time};

const ANYWHERE: &[Context] = &[Context::Http, Context::Server, Context::Location];

const fn row(
    name: &'static str,
    contexts: &'static [Context],
    effect: fn(&mut Walk, &mut Level, &Statement) -> Done,
    example: &'static str,
    means: &'static str,
) -> Directive {
    let effect = Effect::Level(effect);
    Directive { name, contexts, arity: Arity::ONE, block: false, effect, example, means }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row(
        "client_max_body_size",
        ANYWHERE,
        max_body_size,
        "client_max_body_size 10m;",
        "The largest request body; a larger one is answered with 413. Default `1m`; `0` is no \
         limit.",
    ),
    row(
        "client_body_buffer_size",
        ANYWHERE,
        |_, level, s| once(&mut level.clients.kept_body, s, size),
        "client_body_buffer_size 16k;",
        "Bodies are passed on as they come. One of at most this size is kept meanwhile, so that it can \
         be sent to another server. Where the configuration names `$request_body`, it is waited for \
         before a server is asked; larger ones are not, and have no such value. Default `16k`.",
    ),
    row(
        "client_header_timeout",
        &[Context::Http, Context::Server],
        |_, level, s| once(&mut level.client_header_timeout, s, time),
        "client_header_timeout 10s;",
        "How long a new connection may take to send a request's head. Default `60s`.",
    ),
    row(
        "client_body_timeout",
        ANYWHERE,
        |_, level, s| once(&mut level.client_body_timeout, s, time),
        "client_body_timeout 10s;",
        "How long a client may pause in a request's body. Default `60s`.",
    ),
    row(
        "send_timeout",
        ANYWHERE,
        |_, level, s| once(&mut level.send_timeout, s, time),
        "send_timeout 10s;",
        "How long a client may take nothing of what it is sent. Default `60s`.",
    ),
    row(
        "reset_timedout_connection",
        ANYWHERE,
        |_, level, s| once(&mut level.reset_timedout, s, switch),
        "reset_timedout_connection on;",
        "Whether a connection is reset that ends at `send_timeout`, `client_body_timeout` or, in the middle \
         of a head, `client_header_timeout`, or with the status 444: the system forgets at once what \
         the client did not take. Default `off`.",
    ),
    row(
        "server_tokens",
        ANYWHERE,
        server_tokens,
        "server_tokens off;",
        "Whether `Server` and the error pages tell the version. Default `on`; `build` is `on`.",
    ),
    row(
        "tcp_nodelay",
        ANYWHERE,
        |_, level, s| once(&mut level.tcp_nodelay, s, switch),
        "tcp_nodelay on;",
        "Whether small writes to clients go out at once. Default `on`; towards servers it is \
         always on.",
    ),
];

fn max_body_size(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.client_max_body_size, statement, |s| {
        offset(s).map(|size| (size > 0).then_some(size))
    })
}

fn size(statement: &Statement) -> Result<usize, Fault> {
    let size = value::size(&statement.arg(0).value).and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| argument_says(statement, "invalid value"))
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
