//! The request target on its way to a server, and the way back in a redirect.

use http::Uri;

use super::record::Record;
use super::site::UriPart;
use crate::route::{Values, Variable, uri};

/// The target that goes out; none when it cannot be written as one.
pub(super) fn outgoing(record: &Record, part: &UriPart) -> Option<Uri> {
    let course = &record.course;
    match part {
        UriPart::AsIs if course.untouched.get() => match record.head.uri.authority() {
            None => Some(record.head.uri.clone()),
            Some(_) => record.target().parse().ok(),
        },
        UriPart::Replace(matched, with) if course.located.get() => written(record, *matched, with),
        _ => written(record, 0, ""),
    }
}

/// The path without what the location's prefix matched, behind what takes its place. It is escaped
/// where the client's was, or where it is none of the client's.
fn written(record: &Record, matched: usize, with: &str) -> Option<Uri> {
    let mut target = with.as_bytes().to_vec();
    let rest = record.path().get(matched..).unwrap_or_default();
    if record.course.internal.get() || record.head.uri.path().contains('%') {
        uri::escape(rest, &mut target);
    } else {
        target.extend_from_slice(rest);
    }
    if !record.args().is_empty() {
        target.push(b'?');
        target.extend_from_slice(record.args());
    }
    Uri::from_maybe_shared(bytes::Bytes::from(target)).ok()
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
