//! When a request goes on to the next server: `proxy_next_upstream` and its companions.

use super::super::inherit::Level;
use super::super::model::NextUpstream;
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, number, once, time};

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
        "proxy_next_upstream",
        Arity::SOME,
        next_upstream,
        "proxy_next_upstream error timeout;",
        "When a request goes on to the next server: `error`, `timeout`, `invalid_header`, \
         `http_500`, `_502`, `_503`, `_504`, `_403`, `_404`, `_429`, `non_idempotent`, `off`. \
         Default `error timeout`.",
    ),
    row(
        "proxy_next_upstream_tries",
        Arity::ONE,
        tries,
        "proxy_next_upstream_tries 3;",
        "How many servers are tried at most. Default `0`, all of them.",
    ),
    row(
        "proxy_next_upstream_timeout",
        Arity::ONE,
        |_, level, s| once(&mut level.proxy_next_upstream_timeout, s, time),
        "proxy_next_upstream_timeout 10s;",
        "How long a request may go on to next servers. Default `0`, no limit. A handshake that finds \
         all of them away (no socket, nobody there, or no room in its queue) waits as long for one \
         that is back; nginx answers 502.",
    ),
];

fn tries(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.proxy_next_upstream_tries, statement, |s| {
        Ok(u32::try_from(number(s)?).unwrap_or(u32::MAX))
    })
}

/// nginx lets the words add up over several directives of one level; so do we.
fn next_upstream(walk: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    let mut set = level.proxy_next_upstream.unwrap_or(NextUpstream::OFF);
    let mut off = false;
    for word in &statement.args {
        if word.value.eq_ignore_ascii_case("off") {
            off = true;
            continue;
        }
        let flag = flag(&mut set, word)?;
        if std::mem::replace(flag, true) {
            walk.warn(word.span, format!("duplicate value \"{}\"", word.value));
        }
    }
    level.proxy_next_upstream = Some(if off { NextUpstream::OFF } else { set });
    Ok(())
}

fn flag<'a>(set: &'a mut NextUpstream, word: &Word) -> Result<&'a mut bool, Fault> {
    Ok(match word.value.to_ascii_lowercase().as_str() {
        "error" => &mut set.error,
        "timeout" => &mut set.timeout,
        "invalid_header" => &mut set.invalid_header,
        "non_idempotent" => &mut set.non_idempotent,
        "http_500" => &mut set.http_500,
        "http_502" => &mut set.http_502,
        "http_503" => &mut set.http_503,
        "http_504" => &mut set.http_504,
        "http_403" => &mut set.http_403,
        "http_404" => &mut set.http_404,
        "http_429" => &mut set.http_429,
        _ => {
            let message = format!("invalid value \"{}\"", word.value);
            return Err(Fault::at(word.span, message));
        }
    })
}
