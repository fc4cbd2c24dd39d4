//! `error_page`: what takes the place of an error.

use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::super::accel;
use super::super::record::Record;
use super::super::reply::Refusal;
use super::redirect;
use super::run::{At, Step};
use crate::observe::Level;

/// What takes the place of a refusal: an outcome, or what comes of the request when it goes on.
pub(in super::super) fn instead(record: &Record, refusal: Refusal) -> Step<At> {
    let status = match &refusal {
        Refusal::Hangup(_) => return Step::Break(Err(refusal)),
        Refusal::Elsewhere(uri) => return elsewhere_within(record, uri),
        Refusal::Status(status) | Refusal::With(status, _) | Refusal::Redirect(status, _) => {
            *status
        }
    };
    // Whatever was said of the status before, this is what went wrong last.
    record.course.status.set(0);
    let Some(rules) = record.rules() else { return Step::Break(Err(refusal)) };
    if record.course.paged.get() || rules.errors.pages.is_empty() {
        return Step::Break(Err(refusal));
    }
    let code = status.as_u16();
    if !rules.errors.recursive {
        record.course.paged.set(true);
    }
    let Some(page) = rules.errors.pages.iter().find(|page| page.codes.contains(&code)) else {
        return Step::Break(Err(refusal));
    };
    // As after their own pages, nginx does not trust what follows on the connection.
    if matches!(code, 400 | 413 | 414 | 500 | 501) {
        record.client.closing.set(true);
    }
    let code = page.status.unwrap_or(code);
    let mut uri = Vec::new();
    page.uri.render(record, &mut uri);
    let next = match uri.first() {
        Some(b'/') => {
            if record.method() != http::Method::HEAD {
                record.course.get.set(true);
            }
            redirect::to(record, uri)
        }
        Some(b'@') => redirect::to(record, uri),
        _ => return Step::Break(Err(elsewhere(code, &uri))),
    };
    if next.is_continue() {
        record.course.status.set(code);
        *record.course.fields.borrow_mut() = fields(refusal);
    }
    next
}

/// What a refusal says besides its page, which the page in its place says too.
fn fields(refusal: Refusal) -> Option<Box<HeaderMap>> {
    match refusal {
        Refusal::With(_, fields) => Some(fields),
        Refusal::Redirect(_, location) => {
            Some(Box::new([(LOCATION, location)].into_iter().collect()))
        }
        Refusal::Status(_) | Refusal::Hangup(_) | Refusal::Elsewhere(_) => None,
    }
}

/// A server's answer sends its request on (nginx: `X-Accel-Redirect`).
fn elsewhere_within(record: &Record, uri: &[u8]) -> Step<At> {
    if uri.first() == Some(&b'@') {
        return redirect::to(record, uri.to_vec());
    }
    let Some((path, args)) = accel::target(uri) else {
        let uri = uri.escape_ascii();
        record.log(Level::Error, None, format_args!("unsafe URI \"{uri}\" was detected"));
        return instead(record, Refusal::Status(accel::UNSAFE));
    };
    if record.method() != http::Method::HEAD {
        record.course.get.set(true);
    }
    redirect::internal(record, path, args)
}

/// A redirect to a URL: with the code that was asked for, if it is one of a redirect.
fn elsewhere(code: u16, uri: &[u8]) -> Refusal {
    let code = if matches!(code, 301 | 302 | 303 | 307 | 308) { code } else { 302 };
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::FOUND);
    match HeaderValue::from_bytes(uri) {
        Ok(location) => Refusal::Redirect(status, location),
        Err(_) => Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
