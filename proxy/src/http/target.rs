//! The request target on its way to a server, and the way back in a redirect.

use super::record::Record;
use super::site::UriPart;
use crate::route::{Values, Variable, uri};

/// Writes the target that goes out; none when it can't stand in a request line.
pub(super) fn outgoing(record: &Record, part: &UriPart, out: &mut Vec<u8>) -> Option<()> {
    match part {
        UriPart::AsIs => out.extend_from_slice(record.target().as_bytes()),
        UriPart::Replace(matched, with) => {
            let asked = uri::parse(record.target().as_bytes()).ok()?;
            let start = out.len();
            asked.replace_prefix(*matched, with.as_bytes(), out);
            let target = out.get(start..).unwrap_or_default();
            if target.iter().any(|byte| *byte <= b' ' || *byte == 0x7f) {
                return None;
            }
        }
    }
    Some(())
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
