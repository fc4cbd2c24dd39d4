//! The location for the path, and whether a request may come into it.

use std::sync::Arc;

use http::header::CONTENT_LENGTH;
use http::{HeaderValue, StatusCode};

use super::super::record::Record;
use super::super::reply::Refusal;
use super::super::site::Rules;
use super::super::target;
use super::run::{At, Step};
use crate::observe::Level;
use crate::route::{Found, MatchError, uri};

/// Finds it, and goes there.
pub(super) fn find(record: &Record) -> Step<At> {
    let refuse = |status| Step::Break(Err(Refusal::Status(status)));
    let Some(routed) = record.routed.get() else {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let found = match routed.server.locations.find(record.path()) {
        Ok(found) => found,
        Err(error) => return Step::Break(Err(broken(record, &error))),
    };
    match found {
        None => enter(record, &routed.server.rules),
        Some(Found::Location { value, captures }) => {
            if let Some(captures) = captures {
                record.course.captures.borrow_mut().push(captures);
            }
            let (internal, sent) = (value.internal, record.course.internal.get());
            enter(record, value);
            if internal && !sent {
                return refuse(StatusCode::NOT_FOUND);
            }
        }
        Some(Found::Redirect { value, path }) => {
            enter(record, value);
            return Step::Break(Err(slash(record, path)));
        }
    }
    let Some(rules) = record.rules() else { return Step::Continue(At::Rewrite) };
    check_length(record, rules.max_body)?;
    Step::Continue(At::Rewrite)
}

fn enter(record: &Record, rules: &Arc<Rules>) {
    let rules = match &rules.limit_except {
        Some((methods, limited)) if !methods.contains(record.method()) => limited,
        _ => rules,
    };
    record.course.located.set(true);
    record.course.enter(rules.clone());
}

/// The redirect to a location whose prefix ends with the slash that the path lacks.
fn slash(record: &Record, path: &[u8]) -> Refusal {
    let mut location = Vec::new();
    uri::escape(path, &mut location);
    if !record.args().is_empty() {
        location.push(b'?');
        location.extend_from_slice(record.args());
    }
    match HeaderValue::from_bytes(&target::redirect(record, location)) {
        Ok(location) => Refusal::Redirect(StatusCode::MOVED_PERMANENTLY, location),
        Err(_) => Refusal::Status(StatusCode::BAD_REQUEST),
    }
}

/// A pattern took too many steps on this request: nginx answers 500.
pub(super) fn broken(record: &Record, error: &MatchError) -> Refusal {
    record.log(Level::Alert, None, format_args!("{error}"));
    Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Refuses a body that says beforehand that it is too large.
fn check_length(record: &Record, max_body: u64) -> Step<()> {
    let length = record.head.headers.get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.trim().parse::<u64>().ok());
    let Some(length) = length.filter(|length| *length > max_body) else {
        return Step::Continue(());
    };
    if record.course.measured.replace(true) {
        return Step::Continue(());
    }
    let what = format_args!("client intended to send too large body: {length} bytes");
    record.log(Level::Error, None, what);
    record.client.linger.set(true);
    Step::Break(Err(Refusal::Status(StatusCode::PAYLOAD_TOO_LARGE)))
}
