//! How fast a client is served, and how its connection ends: `limit_rate`, `lingering_*`,
//! `keepalive_disable`.

use super::super::inherit::Level;
use super::super::model::{Amount, Linger};
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, argument_says, once, time};

const ANYWHERE: &[Context] = &[Context::Http, Context::Server, Context::Location];
const PACES: &[Context] = &[Context::Http, Context::Server, Context::Location, Context::LocationIf];

const fn row(
    name: &'static str,
    contexts: &'static [Context],
    effect: fn(&mut Walk, &mut Level, &Statement) -> Done,
    example: &'static str,
    means: &'static str,
) -> Directive {
    let effect = Effect::Level(effect);
    Directive { name, contexts, arity: Arity::ONE, block: false, effect, example, means }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row(
        "limit_rate",
        PACES,
        |_, level, s| once(&mut level.clients.rate, s, amount),
        "limit_rate 64k;",
        "How many bytes of an answer go out per second, variables allowed; `0` is no limit, the \
         default. A tunnel is not slowed down.",
    ),
    row(
        "limit_rate_after",
        PACES,
        |_, level, s| once(&mut level.clients.rate_after, s, amount),
        "limit_rate_after 1m;",
        "How many bytes go out before `limit_rate` holds. Default `0`.",
    ),
    row(
        "lingering_close",
        ANYWHERE,
        lingering_close,
        "lingering_close always;",
        "Whether what a client still sends is read before its connection is closed: `on` where it \
         may be sending (the default), `always` or `off`.",
    ),
    row(
        "lingering_time",
        ANYWHERE,
        |_, level, s| once(&mut level.clients.linger_time, s, time),
        "lingering_time 30s;",
        "How long that may take in all. Default `30s`.",
    ),
    row(
        "lingering_timeout",
        ANYWHERE,
        |_, level, s| once(&mut level.clients.linger_timeout, s, time),
        "lingering_timeout 5s;",
        "How long the client may pause in it. Default `5s`.",
    ),
    Directive {
        arity: Arity::SOME,
        ..row(
            "keepalive_disable",
            ANYWHERE,
            keepalive_disable,
            "keepalive_disable msie6;",
            "Browsers whose connections are closed after each answer: `msie6` after POST, `safari` \
             on macOS, or `none`. Default `msie6`.",
        )
    },
];

fn amount(statement: &Statement) -> Result<Amount, Fault> {
    let word = statement.arg(0);
    if word.value.contains('$') {
        return Ok(Amount::Text(word.clone()));
    }
    let size = value::size(&word.value);
    size.map(Amount::Fixed).ok_or_else(|| argument_says(statement, "invalid value"))
}

fn lingering_close(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.clients.linger, statement, |s| {
        let word = s.arg(0);
        Ok(match word.value.to_ascii_lowercase().as_str() {
            "off" => Linger::Never,
            "on" => Linger::IfSending,
            "always" => Linger::Always,
            _ => return Err(Fault::at(word.span, format!("invalid value \"{}\"", word.value))),
        })
    })
}

/// As often as one likes: the browsers add up.
fn keepalive_disable(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    let (msie6, safari) = level.clients.keepalive_disable.get_or_insert((false, false));
    for word in &statement.args {
        match word.value.to_ascii_lowercase().as_str() {
            "none" => {}
            "msie6" => *msie6 = true,
            "safari" => *safari = true,
            _ => return Err(Fault::at(word.span, format!("invalid value \"{}\"", word.value))),
        }
    }
    Ok(())
}
