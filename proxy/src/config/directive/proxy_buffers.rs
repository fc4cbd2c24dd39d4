//! How much of an answer is held in memory.

use super::super::inherit::Level;
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, argument_says, once, switch};

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
        "proxy_buffering",
        Arity::ONE,
        |_, level, s| once(&mut level.proxying.buffering, s, switch),
        "proxy_buffering off;",
        "Every byte of an answer goes on to the client as it comes, whatever stands here: `off` \
         is how nginx is made to do so. Where a client is slow, some 400 kB of its answer wait in memory \
         and the server waits for the rest; nothing is ever written to a disk. With `off`, \
         `proxy_limit_rate` does not hold, as in nginx. Default `on`.",
    ),
    row(
        "proxy_buffer_size",
        Arity::ONE,
        |_, level, s| once(&mut level.proxying.buffer_size, s, size),
        "proxy_buffer_size 8k;",
        "The largest head of an answer, in bytes; a larger one is a 502. Default `64k`; nginx's is \
         one page of memory, `4k` or `8k`.",
    ),
    row(
        "proxy_buffers",
        Arity::TWO,
        |_, level, s| once(&mut level.proxying.buffers, s, buffers),
        "proxy_buffers 8 4k;",
        "Checked as nginx checks it, with `proxy_buffer_size` and `proxy_busy_buffers_size`. No \
         effect: an answer is not collected (see `proxy_buffering`).",
    ),
    row(
        "proxy_busy_buffers_size",
        Arity::ONE,
        |_, level, s| once(&mut level.proxying.busy_buffers_size, s, size),
        "proxy_busy_buffers_size 8k;",
        "Checked as nginx checks it. No effect: an answer is not collected (see `proxy_buffering`).",
    ),
];

fn size(statement: &Statement) -> Result<Spanned<u64>, Fault> {
    let word = statement.arg(0);
    let size = value::size(&word.value).ok_or_else(|| argument_says(statement, "invalid value"))?;
    Ok(Spanned { value: size, span: word.span })
}

fn buffers(statement: &Statement) -> Result<Spanned<(u64, u64)>, Fault> {
    let word = statement.arg(0);
    let number = value::number(&word.value).filter(|number| *number > 0);
    let size = value::size(&statement.arg(1).value).filter(|size| *size > 0);
    match number.zip(size) {
        Some(value) => Ok(Spanned { value, span: word.span }),
        None => Err(argument_says(statement, "invalid value")),
    }
}
