//! nginx's words for a status: in the status line of an answer of our own, and on its page.

use http::StatusCode;
use hyper::ext::ReasonPhrase;

/// The words of a status line; none where nginx leaves them out.
pub(super) fn of(status: StatusCode) -> Option<&'static str> {
    Some(match status.as_u16() {
        302 => "Moved Temporarily",
        405 => "Not Allowed",
        408 => "Request Time-out",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Large",
        416 => "Requested Range Not Satisfiable",
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        200..=202
        | 204
        | 206
        | 301
        | 303
        | 304
        | 307
        | 308
        | 400..=404
        | 406
        | 409..=412
        | 415
        | 421
        | 429
        | 500..=502
        | 505
        | 507 => return status.canonical_reason(),
        _ => return None,
    })
}

/// The words of a page; there is no page for a status that has none.
pub(super) fn on_page(status: StatusCode) -> Option<&'static str> {
    match status.as_u16() {
        ..=300 | 304 => None,
        302 => Some("Found"),
        401 => Some("Authorization Required"),
        _ => of(status),
    }
}

/// What tells hyper to write nginx's words; none when it writes the same by itself.
pub(super) fn extension(status: StatusCode) -> Option<ReasonPhrase> {
    let phrase = of(status);
    (phrase != status.canonical_reason())
        .then(|| ReasonPhrase::from_static(phrase.unwrap_or("").as_bytes()))
}
