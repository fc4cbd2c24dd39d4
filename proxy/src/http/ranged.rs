//! A part of a server's answer, where the client wants one and the server has not cut it itself:
//! nginx's `proxy_force_ranges`.

use std::time::SystemTime;

use http::StatusCode;
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    IF_RANGE, LAST_MODIFIED, RANGE,
};

use super::files::{Wanted, wanted};
use super::forward::Forwarded;
use super::headers::clean_answer;
use super::reply::Refusal;
use crate::upstream::{Head, ResponseBody};

impl Forwarded<'_> {
    /// Cuts the part out that the client wants; there may be no such part.
    pub(super) fn cut(&self, head: &mut Head, body: &mut ResponseBody) -> Result<(), Refusal> {
        if !self.forwarding.passing.force_ranges {
            return Ok(());
        }
        head.headers.remove(ACCEPT_RANGES);
        let most = self.record.rules().map_or(0, |rules| rules.files.max_ranges);
        let length = head
            .headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok().and_then(|length| length.parse::<u64>().ok()));
        let Some(length) = length.filter(|_| head.status == StatusCode::OK && most > 0) else {
            return Ok(());
        };
        let range = range(&self.record.head.headers, &head.headers);
        match range.map_or(Wanted::All, |range| wanted(range, length, 1)) {
            Wanted::Parts(parts) => {
                // One is the most that was asked for.
                let Some((start, end)) = parts.first().copied() else { return Ok(()) };
                head.status = StatusCode::PARTIAL_CONTENT;
                head.reason = None;
                let range = format!("bytes {start}-{}/{length}", end - 1);
                set(&mut head.headers, CONTENT_RANGE, range);
                set(&mut head.headers, CONTENT_LENGTH, (end - start).to_string());
                body.cut(start, end - start);
            }
            Wanted::All => set(&mut head.headers, ACCEPT_RANGES, "bytes".to_owned()),
            Wanted::Nothing => {
                // The page has them of its own.
                for name in [CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED] {
                    head.headers.remove(name);
                }
                clean_answer(&mut head.headers, &self.forwarding.passing.hide);
                self.record.spelled.replace(std::mem::take(&mut head.spelled));
                let mut fields = std::mem::take(&mut head.headers);
                set(&mut fields, CONTENT_RANGE, format!("bytes */{length}"));
                let fields = Box::new(fields);
                return Err(Refusal::With(StatusCode::RANGE_NOT_SATISFIABLE, fields));
            }
        }
        Ok(())
    }
}

/// The ranges that are asked for, unless the client has another version of the answer.
fn range<'a>(asked: &'a HeaderMap, answered: &HeaderMap) -> Option<&'a str> {
    let range = asked.get(RANGE)?.to_str().ok()?;
    if let Some(condition) = asked.get(IF_RANGE) {
        let same = if condition.as_bytes().ends_with(b"\"") {
            answered.get(ETAG) == Some(condition)
        } else {
            let changed = answered.get(LAST_MODIFIED).and_then(time);
            changed.is_some() && changed == time(condition)
        };
        if !same {
            return None;
        }
    }
    let (unit, ranges) = range.split_at_checked(6)?;
    (unit.eq_ignore_ascii_case("bytes=") && !ranges.is_empty()).then_some(ranges)
}

fn time(date: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(date.to_str().ok()?).ok()
}

fn set(fields: &mut HeaderMap, name: http::HeaderName, value: String) {
    // It is made of letters and digits.
    if let Ok(value) = HeaderValue::try_from(value) {
        fields.insert(name, value);
    }
}
