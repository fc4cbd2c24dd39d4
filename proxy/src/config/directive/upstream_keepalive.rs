//! `keepalive`, `keepalive_requests`, `keepalive_time` and `keepalive_timeout` inside `upstream`

use super::super::inherit::UpstreamDraft;
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, number, once, time};

const fn row(
    name: &'static str,
    arity: Arity,
    effect: fn(&mut Walk, &mut UpstreamDraft, &Statement) -> Done,
    example: &'static str,
    means: &'static str,
) -> Directive {
    let contexts = &[Context::Upstream];
    Directive {
        name,
        contexts,
        arity,
        block: false,
        effect: Effect::Upstream(effect),
        example,
        means,
    }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row(
        "keepalive",
        Arity(1, 2),
        keepalive,
        "keepalive 16;",
        "How many idle connections each thread keeps to the servers; `0` keeps none. Default \
         `32`, as nginx since 1.29.7; an older nginx keeps none. `local` is taken too.",
    ),
    row(
        "keepalive_requests",
        Arity::ONE,
        |_, upstream, s| once(&mut upstream.keepalive_requests, s, number),
        "keepalive_requests 1000;",
        "How many requests one connection to a server carries. Default `1000`.",
    ),
    row(
        "keepalive_time",
        Arity::ONE,
        |_, upstream, s| once(&mut upstream.keepalive_time, s, time),
        "keepalive_time 1h;",
        "How long one connection to a server is used in all. Default `1h`.",
    ),
    row(
        "keepalive_timeout",
        Arity::ONE,
        |_, upstream, s| once(&mut upstream.keepalive_timeout, s, time),
        "keepalive_timeout 60s;",
        "How long one may stay idle. Default `60s`.",
    ),
];

/// `keepalive N [local]`: an upstream's connections are its own here in any case.
fn keepalive(_: &mut Walk, upstream: &mut UpstreamDraft, statement: &Statement) -> Done {
    once(&mut upstream.keepalive, statement, |s| {
        let word = s.arg(0);
        if let Some(second) = s.args.get(1).filter(|second| second.value != "local") {
            let message = format!("invalid parameter \"{}\"", second.value);
            return Err(Fault::at(second.span, message));
        }
        value::number(&word.value).and_then(|n| usize::try_from(n).ok()).ok_or_else(|| {
            let message = format!("invalid value \"{}\" in \"keepalive\" directive", word.value);
            Fault::at(word.span, message)
        })
    })
}
