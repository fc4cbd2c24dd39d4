//! How much is let in: `limit_req`, `limit_conn`, and how that is refused.

use super::super::inherit::{Level, Limited};
use super::super::model::{ConnectionLimit, LogLevel, RequestLimit};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::super::value;
use super::limit_zones::Use;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, number, once, switch};

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
        "limit_req",
        Arity(1, 3),
        requests,
        "limit_req zone=requests burst=5 nodelay;",
        "Refuses requests that come faster than the zone's rate. `burst=` of them may come early: \
         they wait for their time, but for the first `delay=` of them, or with `nodelay` all.",
    ),
    row(
        "limit_req_status",
        Arity::ONE,
        |_, level, s| status(&mut level.limits.requests, s),
        "limit_req_status 429;",
        "The status of the refusal. Default `503`.",
    ),
    row(
        "limit_req_log_level",
        Arity::ONE,
        |_, level, s| log_level(&mut level.limits.requests, s),
        "limit_req_log_level warn;",
        "How serious a refusal is to the log; a delay is one less. Default `error`.",
    ),
    row(
        "limit_req_dry_run",
        Arity::ONE,
        |_, level, s| once(&mut level.limits.requests.dry_run, s, switch),
        "limit_req_dry_run on;",
        "Counts and tells, but refuses nothing. Default `off`.",
    ),
    row(
        "limit_conn",
        Arity::TWO,
        connections,
        "limit_conn connections 10;",
        "Refuses what would be one too many at once. A tunnel counts as long as it lives.",
    ),
    row(
        "limit_conn_status",
        Arity::ONE,
        |_, level, s| status(&mut level.limits.connections, s),
        "limit_conn_status 429;",
        "The status of the refusal. Default `503`.",
    ),
    row(
        "limit_conn_log_level",
        Arity::ONE,
        |_, level, s| log_level(&mut level.limits.connections, s),
        "limit_conn_log_level warn;",
        "How serious a refusal is to the log. Default `error`.",
    ),
    row(
        "limit_conn_dry_run",
        Arity::ONE,
        |_, level, s| once(&mut level.limits.connections.dry_run, s, switch),
        "limit_conn_dry_run on;",
        "Counts and tells, but refuses nothing. Default `off`.",
    ),
];

fn requests(walk: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    let (mut zone, mut burst, mut delay) = (None, 0, Some(0));
    for word in &statement.args {
        let positive = |text: &str, what: &str| {
            let number = value::number(text).filter(|number| *number > 0);
            number.ok_or_else(|| {
                Fault::at(word.span, format!("invalid {what} value \"{}\"", word.value))
            })
        };
        match word.value.split_once('=') {
            Some(("zone", name)) => {
                walk.zone(name, 0, Use::Requests, word.span)?;
                zone = Some(Spanned { value: name.to_owned(), span: word.span });
            }
            Some(("burst", text)) => burst = positive(text, "burst")?,
            Some(("delay", text)) => delay = Some(positive(text, "delay")?),
            None if word.value == "nodelay" => delay = None,
            _ => return Err(invalid_parameter(word)),
        }
    }
    let Some(zone) = zone else {
        let message = "\"limit_req\" must have \"zone\" parameter";
        return Err(Fault::at(statement.name.span, message));
    };
    let limits = &mut level.limits.requests.limits;
    if limits.iter().any(|known| known.zone.value == zone.value) {
        return Err(statement.says("is duplicate"));
    }
    limits.push(RequestLimit { zone, burst, delay });
    Ok(())
}

fn connections(walk: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    let (zone, word) = (statement.arg(0), statement.arg(1));
    walk.zone(&zone.value, 0, Use::Connections, zone.span)?;
    let limits = &mut level.limits.connections.limits;
    if limits.iter().any(|known| known.zone.value == zone.value) {
        return Err(statement.says("is duplicate"));
    }
    let fault = |message: String| Fault::at(word.span, message);
    let number = value::number(&word.value).filter(|number| *number > 0);
    let number =
        number.ok_or_else(|| fault(format!("invalid number of connections \"{}\"", word.value)))?;
    let number =
        u16::try_from(number).map_err(|_| fault("connection limit must be less 65536".into()))?;
    limits.push(ConnectionLimit { zone: zone.clone(), number });
    Ok(())
}

fn invalid_parameter(word: &Word) -> Fault {
    Fault::at(word.span, format!("invalid parameter \"{}\"", word.value))
}

fn status<L>(limited: &mut Limited<L>, statement: &Statement) -> Done {
    once(&mut limited.status, statement, |s| {
        let status = u16::try_from(number(s)?).ok().filter(|status| (400..600).contains(status));
        let message = "value must be between 400 and 599";
        status.ok_or_else(|| Fault::at(s.arg(0).span, message))
    })
}

fn log_level<L>(limited: &mut Limited<L>, statement: &Statement) -> Done {
    once(&mut limited.level, statement, |s| {
        let word = s.arg(0);
        Ok(match word.value.to_ascii_lowercase().as_str() {
            "info" => LogLevel::Info,
            "notice" => LogLevel::Notice,
            "warn" => LogLevel::Warn,
            "error" => LogLevel::Error,
            _ => return Err(Fault::at(word.span, format!("invalid value \"{}\"", word.value))),
        })
    })
}
