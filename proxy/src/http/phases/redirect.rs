//! Where a request is sent on from within.

use http::StatusCode;

use super::super::record::Record;
use super::super::reply::Refusal;
use super::run::{At, Step};
use crate::observe::Level;

/// Sends it on to a path with its own arguments, or to `@NAME`.
pub(super) fn to(record: &Record, mut uri: Vec<u8>) -> Step<At> {
    if uri.first() == Some(&b'@') {
        return named(record, &uri);
    }
    let args = match uri.iter().position(|byte| *byte == b'?') {
        None => Vec::new(),
        Some(mark) => {
            let args = uri.split_off(mark);
            args.get(1..).unwrap_or_default().to_vec()
        }
    };
    internal(record, uri, args)
}

/// Sends it on to a path, where it starts again with the server's rewrites.
pub(super) fn internal(record: &Record, path: Vec<u8>, args: Vec<u8>) -> Step<At> {
    if !record.course.change() {
        let path = path.escape_ascii();
        return cycle(record, format_args!("while internally redirecting to \"{path}\""));
    }
    record.course.internal.set(true);
    if record.course.place().is_none()
        && let Some(routed) = record.routed.get()
    {
        record.course.enter(routed.server.rules.clone());
    }
    record.course.aliased.set(false);
    record.course.rewrite(path, args);
    Step::Continue(At::Server)
}

/// Sends it on to a named location, with its path as it is.
fn named(record: &Record, name: &[u8]) -> Step<At> {
    if !record.course.change() {
        let name = name.escape_ascii();
        return cycle(record, format_args!("while redirect to named location \"{name}\""));
    }
    let found = record.routed.get().and_then(|routed| routed.server.named.get(name));
    let Some(rules) = found else {
        let name = name.escape_ascii();
        let what = format_args!("could not find named location \"{name}\"");
        record.log(Level::Error, None, what);
        return Step::Break(Err(Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR)));
    };
    record.course.internal.set(true);
    record.course.enter(rules.clone());
    Step::Continue(At::Rewrite)
}

fn cycle(record: &Record, what: std::fmt::Arguments<'_>) -> Step<At> {
    record.log(Level::Error, None, format_args!("rewrite or internal redirection cycle {what}"));
    Step::Break(Err(Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR)))
}
