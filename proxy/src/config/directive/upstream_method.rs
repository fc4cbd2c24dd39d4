//! `least_conn`, `ip_hash`, `hash`, `random` and `queue`: how an upstream finds a server

use super::super::inherit::UpstreamDraft;
use super::super::model::{Method, Queue};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, once};

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
        "least_conn",
        Arity::NONE,
        |walk, upstream, s| method(walk, upstream, s, Method::LeastConn),
        "least_conn;",
        "The server with the fewest active connections relative to its weight, ties by round \
         robin. One count for all threads. Without it: smooth weighted round robin.",
    ),
    row(
        "ip_hash",
        Arity::NONE,
        |walk, upstream, s| method(walk, upstream, s, Method::IpHash),
        "ip_hash;",
        "By the client's network: the first three octets of IPv4, all of IPv6. The same server \
         as nginx's.",
    ),
    row(
        "hash",
        Arity(1, 2),
        hash,
        "hash $arg_room consistent;",
        "By a key, the same server as nginx's; `consistent` moves few keys when servers come \
         and go.",
    ),
    row(
        "random",
        Arity(0, 2),
        random,
        "random two least_conn;",
        "By chance and weight; `two` takes the one of two that has fewer active connections \
         relative to its weight.",
    ),
    row(
        "queue",
        Arity(1, 2),
        queue,
        "queue 100 timeout=70s;",
        "How many requests wait, and for how long (`60s`), while every server has its \
         `max_conns`; then 502. Without it: 502 at once. In nginx only commercially.",
    ),
];

fn method(
    walk: &mut Walk,
    upstream: &mut UpstreamDraft,
    statement: &Statement,
    method: Method,
) -> Done {
    if upstream.method.replace(method).is_some() {
        walk.warn(statement.name.span, "load balancing method redefined");
    }
    Ok(())
}

fn hash(walk: &mut Walk, upstream: &mut UpstreamDraft, statement: &Statement) -> Done {
    let key = statement.arg(0);
    let consistent = statement.args.get(1);
    if let Some(word) = consistent.filter(|word| word.value != "consistent") {
        return Err(invalid(word));
    }
    let key = Spanned { value: key.value.clone(), span: key.span };
    method(walk, upstream, statement, Method::Hash { key, consistent: consistent.is_some() })
}

fn random(walk: &mut Walk, upstream: &mut UpstreamDraft, statement: &Statement) -> Done {
    for (word, right) in statement.args.iter().zip(["two", "least_conn"]) {
        if word.value != right {
            return Err(invalid(word));
        }
    }
    let two = !statement.args.is_empty();
    method(walk, upstream, statement, Method::Random { two })
}

fn queue(_: &mut Walk, upstream: &mut UpstreamDraft, statement: &Statement) -> Done {
    /// How long nginx lets a request wait.
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);
    once(&mut upstream.queue, statement, |s| {
        let word = s.arg(0);
        let requests = value::number(&word.value)
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| *n > 0)
            .ok_or_else(|| {
                let message = format!("invalid value \"{}\" in \"queue\" directive", word.value);
                Fault::at(word.span, message)
            })?;
        let timeout = match s.args.get(1) {
            None => TIMEOUT,
            Some(word) => word
                .value
                .strip_prefix("timeout=")
                .and_then(value::time)
                .ok_or_else(|| invalid(word))?,
        };
        Ok(Queue { requests, timeout })
    })
}

fn invalid(word: &Word) -> Fault {
    Fault::at(word.span, format!("invalid parameter \"{}\"", word.value))
}
