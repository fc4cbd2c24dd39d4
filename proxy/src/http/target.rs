//! The request target on its way to a server.

use http::Uri;

use super::record::Record;
use super::site::UriPart;
use crate::route::uri;

/// The target that goes out; none when it cannot be written as one.
pub(super) fn outgoing(record: &Record, part: &UriPart) -> Option<Uri> {
    match part {
        UriPart::AsIs => match record.head.uri.authority() {
            None => Some(record.head.uri.clone()),
            Some(_) => record.target().parse().ok(),
        },
        UriPart::Replace(matched, with) => {
            let rest = record.path().get(*matched..).unwrap_or_default();
            let mut target = with.as_bytes().to_vec();
            uri::escape(rest, &mut target);
            if let Some(args) = record.head.uri.query() {
                target.push(b'?');
                target.extend_from_slice(args.as_bytes());
            }
            Uri::from_maybe_shared(bytes::Bytes::from(target)).ok()
        }
    }
}
