//! What comes of a server's answer: the client's, an error's page, or another place.

use http::header::{HeaderMap, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use hyper::ext::ReasonPhrase;

use super::accel;
use super::body::Content;
use super::forward::{Attempt, Forwarded};
use super::headers::clean_answer;
use super::record::Record;
use super::reply::Refusal;
use super::rewritten;
use super::tries::Try;
use crate::observe::{Level, now};
use crate::route::Template;
use crate::upstream::{Head, Lease, ResponseBody};

impl Forwarded<'_> {
    /// A head has come, and perhaps what of its body was in the same packet.
    pub(super) fn answered(
        &mut self,
        mut head: Head,
        mut body: Box<ResponseBody>,
        lease: Lease,
    ) -> Attempt {
        self.note_head(&head);
        if self.may_go_on(head.status) && self.has_body_again() {
            self.note(Try::ended);
            // Who does not have a thing, or does not give it, is none the worse for it.
            if !matches!(head.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) {
                lease.blame(format!("answered {}", head.status));
                lease.failed(now());
            }
            return Attempt::Continue(head.status);
        }
        lease.succeeded();
        if let Some(excess) = body.take_excess() {
            let upstream = Some(self.written(lease.peer()));
            let what = format_args!("{excess} while reading upstream");
            self.record.log(Level::Warn, upstream, what);
        }
        if let Some(refusal) = self.elsewhere(&head) {
            self.note(Try::ended);
            if self.has_body_again() && self.forwarding.passing.set_body.is_none() {
                *self.record.course.unsent.borrow_mut() = self.body.take();
            }
            return Attempt::Break(Err(refusal));
        }
        if let Err(refusal) = self.cut(&mut head, &mut body) {
            self.note(Try::ended);
            return Attempt::Break(Err(refusal));
        }
        body.hold(lease);
        if let Some(rate) = self.rate(&head) {
            body.limit(rate);
        }
        Attempt::Break(Ok(self.response(&mut head, Content::Server(body))))
    }

    /// Whether this status sends the request to another server, of which there is one.
    fn may_go_on(&self, status: StatusCode) -> bool {
        let next = &self.forwarding.next;
        next.statuses.contain(status)
            && next.repeats(self.record.method())
            && usize::try_from(self.tried.count()).is_ok_and(|tried| tried < self.servers())
            && self.budget.is_left(now())
    }

    /// What takes the place of an answer: where it sends its request, or an error's page.
    fn elsewhere(&self, head: &Head) -> Option<Refusal> {
        let passing = &self.forwarding.passing;
        if let Some((uri, fields)) = accel::redirect(passing, &head.headers) {
            *self.record.course.carried.borrow_mut() = Some(Box::new(fields));
            return Some(Refusal::Elsewhere(uri));
        }
        let status = head.status;
        if !passing.intercept || status.as_u16() < 300 {
            return None;
        }
        let pages = &self.record.rules()?.errors.pages;
        if !pages.iter().any(|page| page.codes.contains(&status.as_u16())) {
            return None;
        }
        if status != StatusCode::UNAUTHORIZED {
            return Some(Refusal::Status(status));
        }
        let spelled =
            head.spelled.iter().filter(|name| name.eq_ignore_ascii_case("www-authenticate"));
        self.record.spelled.replace(spelled.cloned().collect());
        let asked = head.headers.get_all(WWW_AUTHENTICATE).iter();
        let fields: HeaderMap = asked.map(|value| (WWW_AUTHENTICATE, value.clone())).collect();
        Some(Refusal::With(status, Box::new(fields)))
    }

    /// How many bytes of the body are read in a second, where that is limited.
    fn rate(&self, head: &Head) -> Option<u64> {
        let passing = &self.forwarding.passing;
        let own = passing.limit_rate.as_ref().and_then(|text| size(&self.record, text));
        let asked = accel::limit_rate(passing, &head.headers);
        own.into_iter().chain(asked).filter(|rate| *rate > 0).min()
    }

    /// A server's head as the client gets it.
    pub(super) fn response(&self, head: &mut Head, content: Content) -> Response<Content> {
        let passing = &self.forwarding.passing;
        clean_answer(&mut head.headers, &passing.hide);
        rewritten::rewrite(&self.record, passing, &mut head.headers);
        let mut response = Response::new(content);
        *response.status_mut() = head.status;
        *response.headers_mut() = std::mem::take(&mut head.headers);
        if let Some(reason) = head.reason.take().and_then(|reason| reason.try_into().ok()) {
            response.extensions_mut().insert::<ReasonPhrase>(reason);
        }
        *self.record.spelled.borrow_mut() = std::mem::take(&mut head.spelled);
        response
    }
}

/// A size in bytes as nginx writes it, where a text comes to one.
fn size(record: &Record, text: &Template) -> Option<u64> {
    let mut value = Vec::new();
    text.render(record, &mut value);
    let value = std::str::from_utf8(&value).ok()?.trim().to_ascii_lowercase();
    let scaled = |digits: &str, scale| digits.parse::<u64>().ok()?.checked_mul(scale);
    match (value.strip_suffix('k'), value.strip_suffix('m')) {
        (Some(digits), _) => scaled(digits, 1 << 10),
        (_, Some(digits)) => scaled(digits, 1 << 20),
        _ => scaled(&value, 1),
    }
}
