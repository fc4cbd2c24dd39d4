//! `keepalive_timeout`, `keepalive_time` and `keepalive_requests` towards clients.

use std::time::Duration;

use super::super::inherit::Level;
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, number, once, time};

const CONTEXTS: &[Context] = &[Context::Http, Context::Server, Context::Location];

pub(super) const DIRECTIVES: &[Directive] = &[
    Directive {
        name: "keepalive_timeout",
        means: "How long an idle client connection is kept; `0` closes it after each answer. \
                Default `75s`. A second time is sent as `Keep-Alive: timeout=`.",
        contexts: CONTEXTS,
        arity: Arity(1, 2),
        block: false,
        effect: Effect::Level(keepalive_timeout),
        example: "keepalive_timeout 75s 60s;",
    },
    Directive {
        name: "keepalive_time",
        means: "How long one client connection may be used in all; it is closed after the answer \
                that comes later. Default `1h`.",
        contexts: CONTEXTS,
        arity: Arity::ONE,
        block: false,
        effect: Effect::Level(|_, level, s| once(&mut level.keepalive_time, s, time)),
        example: "keepalive_time 1h;",
    },
    Directive {
        name: "keepalive_requests",
        means: "How many requests one client connection may carry. Default `1000`.",
        contexts: CONTEXTS,
        arity: Arity::ONE,
        block: false,
        effect: Effect::Level(|_, level, s| once(&mut level.keepalive_requests, s, number)),
        example: "keepalive_requests 1000;",
    },
];

fn keepalive_timeout(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.keepalive_timeout, statement, |s| Ok((time(s)?, header(s)?)))
}

fn header(statement: &Statement) -> Result<Option<Duration>, Fault> {
    let Some(word) = statement.args.get(1) else { return Ok(None) };
    match value::seconds(&word.value) {
        Some(header) => Ok(Some(header).filter(|header| !header.is_zero())),
        None => Err(Fault { span: Some(word.span), ..statement.says("invalid value") }),
    }
}
