//! The request target on its way to a server, and the way back in a redirect.

use http::Uri;

use super::record::Record;
use super::site::UriPart;
use crate::route::{Values, Variable, uri};

/// The target that goes out; none when it cannot be written as one.
pub(super) fn outgoing(record: &Record, part: &UriPart) -> Option<Uri> {
    match part {
        UriPart::AsIs => match record.head.uri.authority() {
            None => Some(record.head.uri.clone()),
            Some(_) => record.target().parse().ok(),
        },
        UriPart::Replace(matched, with) => {
            let mut target = Vec::new();
            let asked = uri::parse(record.target().as_bytes()).ok()?;
            asked.replace_prefix(*matched, with.as_bytes(), &mut target);
            Uri::from_maybe_shared(bytes::Bytes::from(target)).ok()
        }
    }
}

/// A redirect's path with the scheme, host and port that the client used (nginx:
/// `absolute_redirect`, `port_in_redirect`); `host` is the one it asked for.
pub(super) fn absolute(record: &Record, host: &str, path: &[u8]) -> Vec<u8> {
    let mut text = b"http://".to_vec();
    if host.is_empty() {
        // Not the server's name: `server_name_in_redirect` is off.
        record.write(&Variable::ServerAddr, &mut text);
    } else {
        text.extend_from_slice(host.as_bytes());
    }
    let port = record.client.local.map_or(80, |local| local.port());
    if port != 80 {
        text.extend_from_slice(format!(":{port}").as_bytes());
    }
    text.extend_from_slice(path);
    text
}
