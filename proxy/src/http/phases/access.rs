//! Who may ask: `allow` and `deny`.

use http::StatusCode;

use super::super::record::Record;
use super::super::reply::Refusal;
use super::super::websocket::is_to_websocket;
use super::real_ip;
use super::run::{At, Step};
use crate::observe::Level;

/// Lets a client in or not. With one way to get in, `satisfy any` says the same as `all`.
pub(super) fn check(record: &Record) -> Step<At> {
    let Some(rules) = record.rules() else { return Step::Continue(At::TryFiles) };
    real_ip::find(record, rules);
    if let Some(origins) = &rules.origins
        && is_to_websocket(&record.head.headers)
        && !origins.admit(record)
    {
        record.log(Level::Error, None, format_args!("WebSocket forbidden to this origin"));
        return Step::Break(Err(Refusal::Status(StatusCode::FORBIDDEN)));
    }
    let client = record.peer().map(|peer| peer.ip());
    if rules.access.is_empty() || rules.access.verdict(client) != Some(false) {
        return Step::Continue(At::TryFiles);
    }
    record.log(Level::Error, None, format_args!("access forbidden by rule"));
    Step::Break(Err(Refusal::Status(StatusCode::FORBIDDEN)))
}
