//! `events` and what this proxy uses of it.

use super::super::inherit::{EventsDraft, MainDraft};
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Scope, Walk, number, once};

pub(super) const DIRECTIVES: &[Directive] = &[
    Directive {
        name: "events",
        contexts: &[Context::Main],
        arity: Arity::NONE,
        block: true,
        effect: Effect::Main(events),
        example: "events {}",
    },
    Directive {
        name: "worker_connections",
        contexts: &[Context::Events],
        arity: Arity::ONE,
        block: false,
        effect: Effect::Events(worker_connections),
        example: "worker_connections 1024;",
    },
];

fn events(walk: &mut Walk, main: &mut MainDraft, statement: &Statement) -> Done {
    if main.events.is_some() {
        return Err(statement.says("is duplicate"));
    }
    let draft = main.events.get_or_insert_default();
    walk.body(statement, Scope::Events(draft))
}

fn worker_connections(_: &mut Walk, events: &mut EventsDraft, statement: &Statement) -> Done {
    once(&mut events.worker_connections, statement, |s| {
        let count = number(s)?;
        usize::try_from(count).map_err(|_| Fault::at(s.arg(0).span, "value is too large"))
    })
}
