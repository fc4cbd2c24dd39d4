//! The request target on its way to a server, and the way back in a redirect.

use super::record::Record;
use super::site::UriPart;
use crate::route::{Values, Variable, uri};

/// Writes the target that goes out; none when it can't stand in a request line.
pub(super) fn outgoing(record: &Record, part: &UriPart, out: &mut Vec<u8>) -> Option<()> {
    let course = &record.course;
    match part {
        UriPart::Passed if course.passed.borrow().as_ref().is_some_and(|to| !to.uri.is_empty()) => {
            let passed = course.passed.borrow();
            let uri = passed.as_ref().map_or("", |to| &to.uri).as_bytes();
            out.extend_from_slice(uri);
            (!uri.iter().any(|byte| *byte <= b' ' || *byte == 0x7f)).then_some(())
        }
        UriPart::AsIs | UriPart::Passed if course.untouched.get() => {
            out.extend_from_slice(record.target().as_bytes());
            Some(())
        }
        UriPart::Replace(matched, with) if course.located.get() => {
            written(record, *matched, with, out)
        }
        _ => written(record, 0, "", out),
    }
}

/// The path without what the location's prefix matched, behind what takes its place. It is escaped
/// where the client's was, or where it is none of the client's.
fn written(record: &Record, matched: usize, with: &str, out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    out.extend_from_slice(with.as_bytes());
    let rest = record.path().get(matched..).unwrap_or_default();
    if record.course.internal.get() || record.head.uri.path().contains('%') {
        uri::escape(rest, out);
    } else {
        out.extend_from_slice(rest);
    }
    if !record.args().is_empty() {
        out.push(b'?');
        out.extend_from_slice(record.args());
    }
    let target = out.get(start..).unwrap_or_default();
    (!target.iter().any(|byte| *byte <= b' ' || *byte == 0x7f)).then_some(())
}

/// A redirect's location: a path gets the scheme, host and port that the client used, where the
/// place says so (nginx: `absolute_redirect`, `port_in_redirect`, `server_name_in_redirect`).
pub(super) fn redirect(record: &Record, location: Vec<u8>) -> Vec<u8> {
    let redirects = record.rules().map(|rules| rules.redirects);
    if location.first() != Some(&b'/') || redirects.is_some_and(|redirects| !redirects.absolute) {
        return location;
    }
    let routed = record.routed.get();
    let host = match redirects {
        Some(redirects) if redirects.server_name => routed.map(|routed| &routed.server.name),
        _ => routed.map(|routed| &routed.host),
    };
    let mut text = b"http://".to_vec();
    match host.filter(|host| !host.is_empty()) {
        Some(host) => text.extend_from_slice(host.as_bytes()),
        None => {
            record.write(&Variable::ServerAddr, &mut text);
        }
    }
    let port = record.client.local.map_or(80, |local| local.port());
    if port != 80 && redirects.is_none_or(|redirects| redirects.port) {
        text.extend_from_slice(format!(":{port}").as_bytes());
    }
    text.extend_from_slice(&location);
    text
}
