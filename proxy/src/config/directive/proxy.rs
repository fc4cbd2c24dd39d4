//! How requests go to the servers: `proxy_http_version`, `proxy_set_header` and the timeouts.

use super::super::inherit::Level;
use super::super::model::{HttpVersion, SetHeader};
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, once, time};

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
        "proxy_http_version",
        Arity::ONE,
        http_version,
        "proxy_http_version 1.1;",
        "The version that goes to servers, `1.0` or `1.1`. Default `1.1`, as nginx since 1.29.7; \
         an older nginx's is `1.0`. For `1.0` a body without a length is collected first, up to \
         1 MB; a larger one is answered 411. Not yet: `2`.",
    ),
    row(
        "proxy_set_header",
        Arity::TWO,
        set_header,
        "proxy_set_header Upgrade $http_upgrade;",
        "Sets a field of the request that goes out; an empty value leaves it out. One at a level \
         replaces all of the level above. Default: `Host $proxy_host`. `Upgrade $http_upgrade` passes \
         WebSocket alone: for another protocol write its name, or a `map` that lists it. Fields that \
         the client's Connection names go out only if they are set here.",
    ),
    row(
        "proxy_connect_timeout",
        Arity::ONE,
        |_, level, s| once(&mut level.proxy_connect_timeout, s, time),
        "proxy_connect_timeout 5s;",
        "How long connecting to a server may take. Default `60s`.",
    ),
    row(
        "proxy_send_timeout",
        Arity::ONE,
        |_, level, s| once(&mut level.proxy_send_timeout, s, time),
        "proxy_send_timeout 1h;",
        "How long a server may refuse to take the next bytes of a request, and either end of a \
         tunnel its own. Default `60s`.",
    ),
    row(
        "proxy_read_timeout",
        Arity::ONE,
        |_, level, s| once(&mut level.proxy_read_timeout, s, time),
        "proxy_read_timeout 1h;",
        "How long a server may pause in its answer, and how long a tunnel may rest in both \
         directions. Default `60s`.",
    ),
];

fn http_version(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.proxy_http_version, statement, |s| {
        let word = s.arg(0);
        match word.value.as_str() {
            "1.0" => Ok(HttpVersion::Http10),
            "1.1" => Ok(HttpVersion::Http11),
            "2" => Err(Fault::at(
                word.span,
                "HTTP/2 to the servers is not supported by this proxy yet",
            )),
            other => Err(Fault::at(word.span, format!("invalid value \"{other}\""))),
        }
    })
}

fn set_header(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    level
        .proxy_set_header
        .push(SetHeader { name: statement.arg(0).clone(), value: statement.arg(1).clone() });
    Ok(())
}
