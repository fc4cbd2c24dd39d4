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
) -> Directive {
    let contexts = &[Context::Http, Context::Server, Context::Location];
    Directive { name, contexts, arity, block: false, effect: Effect::Level(effect), example }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row("proxy_http_version", Arity::ONE, http_version, "proxy_http_version 1.1;"),
    row("proxy_set_header", Arity::TWO, set_header, "proxy_set_header Upgrade $http_upgrade;"),
    row(
        "proxy_connect_timeout",
        Arity::ONE,
        |_, level, s| once(&mut level.proxy_connect_timeout, s, time),
        "proxy_connect_timeout 5s;",
    ),
    row(
        "proxy_send_timeout",
        Arity::ONE,
        |_, level, s| once(&mut level.proxy_send_timeout, s, time),
        "proxy_send_timeout 1h;",
    ),
    row(
        "proxy_read_timeout",
        Arity::ONE,
        |_, level, s| once(&mut level.proxy_read_timeout, s, time),
        "proxy_read_timeout 1h;",
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
