//! `drain_timeout`: which tunnels an upstream lets go, and when

use super::super::inherit::UpstreamDraft;
use super::super::parse::Statement;
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

pub(super) const DIRECTIVES: &[Directive] = &[row(
    "drain_timeout",
    Arity::ONE,
    |_, upstream, s| once(&mut upstream.drain_timeout, s, time),
    "drain_timeout 30s;",
    "Tunnels of a server that takes no new ones (`down`, `drain`, or no longer listed) end with \
     1012, spread evenly over this time. Default: they go on until one of their ends ends them. \
     Not in nginx.",
)];
