//! The location's rewrites, and what follows when they changed the path.

use std::sync::Arc;

use http::{HeaderValue, StatusCode};

use super::super::record::Record;
use super::super::reply::Refusal;
use super::super::site::Rules;
use super::super::{returning, target};
use super::location::broken;
use super::run::{At, Step};
use crate::observe::Level;
use crate::route::Ended;

/// Runs the rewrites of the place where the request is.
pub(super) fn run(record: &Record) -> Step<At> {
    let Some(rules) = record.rules() else { return Step::Continue(At::Limits) };
    // Where no location was found, the server's have run already.
    let at_server =
        record.routed.get().is_some_and(|routed| Arc::ptr_eq(&routed.server.rules, rules));
    if rules.script.is_empty() || at_server {
        return Step::Continue(At::Limits);
    }
    let rules = rules.clone();
    if !script(record, &rules)? {
        return Step::Continue(At::Limits);
    }
    if record.course.change() {
        return Step::Continue(At::Location);
    }
    let path = record.path().escape_ascii();
    record.log(
        Level::Error,
        None,
        format_args!("rewrite or internal redirection cycle while processing \"{path}\""),
    );
    Step::Break(Err(Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR)))
}

/// Runs a script; whether a location must be looked for anew.
pub(super) fn script(record: &Record, rules: &Rules) -> Step<bool> {
    let refuse = |status| Step::Break(Err(Refusal::Status(status)));
    match rules.script.run(record) {
        Ok(Ended::On { anew }) => Step::Continue(anew),
        Ok(Ended::Return(what)) => Step::Break(returning::say(record, what)),
        Ok(Ended::Redirect { permanent, location }) => {
            let status = if permanent { StatusCode::MOVED_PERMANENTLY } else { StatusCode::FOUND };
            match HeaderValue::from_bytes(&target::redirect(record, location)) {
                Ok(location) => Step::Break(Err(Refusal::Redirect(status, location))),
                Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR),
            }
        }
        Ok(Ended::Nothing) => {
            record.log(Level::Error, None, format_args!("the rewritten URI has a zero length"));
            refuse(StatusCode::INTERNAL_SERVER_ERROR)
        }
        Err(error) => Step::Break(Err(broken(record, &error))),
    }
}
