//! How a request's head is read: its buffers, and the names of its fields.

use super::super::inherit::Level;
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, argument_says, number, once, switch};

const fn row(
    name: &'static str,
    arity: Arity,
    effect: fn(&mut Walk, &mut Level, &Statement) -> Done,
    example: &'static str,
    means: &'static str,
) -> Directive {
    let contexts = &[Context::Http, Context::Server];
    Directive { name, contexts, arity, block: false, effect: Effect::Level(effect), example, means }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row(
        "client_header_buffer_size",
        Arity::ONE,
        |_, level, s| once(&mut level.clients.header_buffer, s, size),
        "client_header_buffer_size 1k;",
        "How much of a head is read before large buffers are taken for it. Default `1k`. Of these \
         directives the default server of an address decides.",
    ),
    row(
        "large_client_header_buffers",
        Arity::TWO,
        |_, level, s| once(&mut level.clients.large_buffers, s, buffers),
        "large_client_header_buffers 4 8k;",
        "How many large buffers a head may fill, and their size, which no line may exceed: a longer \
         request line is answered with 414, a longer field with 400. Default `4 8k`.",
    ),
    row(
        "max_headers",
        Arity::ONE,
        |_, level, s| once(&mut level.clients.max_headers, s, count),
        "max_headers 100;",
        "How many fields a head may have; more are answered with 400. Default `100`, where nginx has \
         `1000`: more room costs memory for each head.",
    ),
    row(
        "ignore_invalid_headers",
        Arity::ONE,
        |_, level, s| once(&mut level.clients.ignore_invalid, s, switch),
        "ignore_invalid_headers off;",
        "Whether fields are left out whose names have other signs than letters, digits and hyphens. \
         Default `on`. A name that is no token (RFC 9110, 5.1) is answered 400 either way.",
    ),
    row(
        "underscores_in_headers",
        Arity::ONE,
        |_, level, s| once(&mut level.clients.underscores, s, switch),
        "underscores_in_headers on;",
        "Whether an underscore may stand in a field's name. Default `off`.",
    ),
];

fn size(statement: &Statement) -> Result<usize, Fault> {
    let size = value::size(&statement.arg(0).value).and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| argument_says(statement, "invalid value"))
}

fn buffers(statement: &Statement) -> Result<(u32, usize), Fault> {
    let number = value::number(&statement.arg(0).value).and_then(|n| u32::try_from(n).ok());
    let size = value::size(&statement.arg(1).value).and_then(|size| usize::try_from(size).ok());
    match (number, size) {
        (Some(number @ 1..), Some(size @ 1..)) => Ok((number, size)),
        _ => Err(argument_says(statement, "invalid value")),
    }
}

fn count(statement: &Statement) -> Result<usize, Fault> {
    number(statement).map(|number| usize::try_from(number).unwrap_or(usize::MAX))
}
