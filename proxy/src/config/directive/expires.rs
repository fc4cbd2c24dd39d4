//! `expires`: how long answers may be kept

use super::super::inherit::Level;
use super::super::model::Expires;
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, argument_says, once};

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "expires",
    contexts: &[Context::Http, Context::Server, Context::Location, Context::LocationIf],
    arity: Arity(1, 2),
    block: false,
    effect: Effect::Level(expires),
    example: "expires modified 1h;",
    means: "Sets `Expires` and `Cache-Control` of answers with 200, 201, 204, 206, 301, 302, 303, 304, 307 and \
            308, in the place of what the server said: a time from now or, with `modified`, from \
            `Last-Modified`; one that is negative is `no-cache`; `@15h` is until that time of the \
            day; `epoch`, `max`, `off`. May have variables; what comes to none of these is `off`. Default \
            `off`.",
}];

const DAY: u64 = 24 * 60 * 60;

fn expires(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.answers.expires, statement, |s| match s.args.get(1) {
        None => parse(s, s.arg(0), false),
        Some(time) if s.arg(0).value == "modified" => parse(s, time, true),
        Some(_) => Err(argument_says(s, "invalid value")),
    })
}

fn parse(statement: &Statement, word: &Word, modified: bool) -> Result<Expires, Fault> {
    let fault = |says: &str| argument_says(statement, says);
    let text = word.value.as_str();
    if text.contains('$') {
        return Ok(Expires::Text { text: word.clone(), modified });
    }
    match text {
        "epoch" if !modified => return Ok(Expires::Epoch),
        "max" if !modified => return Ok(Expires::Max),
        "off" if !modified => return Ok(Expires::Off),
        _ => {}
    }
    if let Some(time) = text.strip_prefix('@') {
        if modified {
            return Err(fault("daily time cannot be used with \"modified\" parameter"));
        }
        let time = value::seconds(time).ok_or_else(|| fault("invalid value"))?.as_secs();
        return match u32::try_from(time) {
            Ok(second) if time <= DAY => Ok(Expires::Daily(second)),
            _ => Err(fault("daily time value must be less than 24 hours")),
        };
    }
    let (sign, time) = match text.strip_prefix('-') {
        Some(time) => (-1, time),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let time = value::seconds(time).and_then(|time| i64::try_from(time.as_secs()).ok());
    let time = sign * time.ok_or_else(|| fault("invalid value"))?;
    Ok(if modified { Expires::Modified(time) } else { Expires::After(time) })
}
