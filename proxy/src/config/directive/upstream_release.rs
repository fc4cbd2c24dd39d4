//! `drain_timeout`, `orphan_release` and `rebalance`: which tunnels an upstream lets go, and when

use std::time::Duration;

use super::super::inherit::UpstreamDraft;
use super::super::model::{Method, Rebalance};
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, once, time};

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
        "drain_timeout",
        Arity::ONE,
        |_, upstream, s| once(&mut upstream.drain_timeout, s, time),
        "drain_timeout 30s;",
        "WebSocket tunnels of a server that takes no new ones (`down`, `drain`, or no longer listed) end \
         with 1012, spread evenly over this time. Default: they go on until one of their ends \
         ends them. Not in nginx.",
    ),
    row(
        "orphan_release",
        Arity::ONE,
        |_, upstream, s| once(&mut upstream.orphan_release, s, time),
        "orphan_release 5s;",
        "When a server ends a WebSocket tunnel without a Close frame, as one that dies, its client is \
         told so with 1012 at some moment within this time, by chance, so that not all of its \
         clients come back at once; 0 tells it at once, with 1014. Default `5s`. Not in nginx.",
    ),
    row(
        "rebalance",
        Arity(0, 3),
        rebalance,
        "rebalance threshold=20% rate=10/s idle=5s;",
        "While a server stays further from its share of the connections than `threshold` (20%, and \
         by two at least), WebSocket tunnels of the fullest ones in which nothing moved for `idle` (5s) end \
         with 1012, so many at a time as `rate` says (10/s; /m is per minute), until all have \
         their share. Never more than are too many; then a rest, to see what came of it. Not \
         beside `hash` and `ip_hash`. Default: never. Not in nginx.",
    ),
];

fn rebalance(_: &mut Walk, upstream: &mut UpstreamDraft, statement: &Statement) -> Done {
    once(&mut upstream.rebalance, statement, |s| {
        let mut value = Rebalance { threshold: 20, per_minute: 600, idle: Duration::from_secs(5) };
        for word in &s.args {
            let invalid = || Fault::at(word.span, format!("invalid parameter \"{}\"", word.value));
            match word.value.split_once('=').ok_or_else(invalid)? {
                ("threshold", text) => value.threshold = percent(text).ok_or_else(invalid)?,
                ("rate", text) => value.per_minute = rate(text).ok_or_else(invalid)?,
                ("idle", text) => value.idle = value::time(text).ok_or_else(invalid)?,
                _ => return Err(invalid()),
            }
        }
        Ok(Spanned { value, span: s.name.span })
    })
}

/// A server stays where a key leads, however many are there already.
pub(super) fn fits(upstream: &UpstreamDraft) -> Done {
    let by_key = matches!(upstream.method, Some(Method::IpHash | Method::Hash { .. }));
    match &upstream.rebalance {
        Some(rebalance) if by_key => {
            let message = "balancing method does not support \"rebalance\"";
            Err(Fault::at(rebalance.span, message))
        }
        _ => Ok(()),
    }
}

/// `20%`
fn percent(text: &str) -> Option<u32> {
    let number = value::number(text.strip_suffix('%')?)?;
    u32::try_from(number).ok().filter(|number| *number > 0)
}

/// `10/s` or `600/m`, by the minute.
fn rate(text: &str) -> Option<u32> {
    let (number, unit) = text.split_once('/')?;
    let number = u32::try_from(value::number(number)?).ok().filter(|number| *number > 0)?;
    match unit {
        "s" => number.checked_mul(60),
        "m" => Some(number),
        _ => None,
    }
}
