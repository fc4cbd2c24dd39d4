//! `events` and what this proxy uses of it.

use super::super::inherit::{EventsDraft, MainDraft};
use super::super::model::EventMethod;
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Scope, Walk, once};

pub(super) const DIRECTIVES: &[Directive] = &[
    Directive {
        name: "events",
        means: "The block of that name; it must be there, and may be empty.",
        contexts: &[Context::Main],
        arity: Arity::NONE,
        block: true,
        effect: Effect::Main(events),
        example: "events {}",
    },
    Directive {
        name: "worker_connections",
        means: "How many connections one thread may have open, to clients and to servers \
                together. At the limit new clients wait in the listener's queue, and connections \
                that are kept alive without being used make room for them; a client that was \
                let in gets its server even then. Default: as many as the limit on descriptors \
                (`worker_rlimit_nofile`) allows, where nginx has 512.",
        contexts: &[Context::Events],
        arity: Arity::ONE,
        block: false,
        effect: Effect::Events(worker_connections),
        example: "worker_connections 1024;",
    },
    Directive {
        name: "use",
        means: "How threads learn that bytes have come: `io_uring` (Linux 6.1 and later), where the \
                kernel brings the bytes of all connections at once, or `epoll`, which tells of each. \
                `poll` and `select` are taken for `epoll`. Default: `io_uring` where the kernel gives \
                it, else `epoll`; the error log says at `notice` which it is. It is chosen at the \
                start: a reload does not change it.",
        contexts: &[Context::Events],
        arity: Arity::ONE,
        block: false,
        effect: Effect::Events(event_method),
        example: "use io_uring;",
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
        let word = s.arg(0);
        value::number(&word.value)
            .and_then(|n| usize::try_from(n).ok())
            .ok_or_else(|| Fault::at(word.span, format!("invalid number \"{}\"", word.value)))
    })
}

fn event_method(_: &mut Walk, events: &mut EventsDraft, statement: &Statement) -> Done {
    once(&mut events.method, statement, |s| {
        let word = s.arg(0);
        match word.value.as_str() {
            "io_uring" => Ok(EventMethod::IoUring),
            "epoll" | "poll" | "select" => Ok(EventMethod::Epoll),
            other => Err(Fault::at(word.span, format!("invalid event type \"{other}\""))),
        }
    })
}
