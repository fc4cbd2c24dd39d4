//! How long an answer may be kept (`expires`): its fields `Expires` and `Cache-Control`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{CACHE_CONTROL, EXPIRES, HeaderMap, HeaderValue, LAST_MODIFIED};

use super::record::Record;
use crate::observe::next_daily;
use crate::route::Template;

/// Until when; times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expires {
    /// It is over already.
    Epoch,
    /// As long as anybody can think of.
    Max,
    /// So long from now.
    After(i64),
    /// So long from the answer's `Last-Modified`; where it has none, from now.
    Modified(i64),
    /// Until the day's next time of this kind.
    Daily(u32),
}

/// What a place says of it.
#[derive(Debug)]
pub(crate) enum Expiry {
    /// The same for every answer.
    Fixed(Expires),
    /// What a text comes to; whether from the answer's `Last-Modified`.
    Text(Template, bool),
}

impl Expiry {
    /// What holds for an answer, if anything does.
    pub(super) fn of(&self, record: &Record) -> Option<Expires> {
        match self {
            Self::Fixed(expires) => Some(*expires),
            Self::Text(text, modified) => {
                let mut value = Vec::new();
                text.render(record, &mut value);
                read(std::str::from_utf8(&value).ok()?, *modified)
            }
        }
    }
}

/// `1h`, `-1h`, `@15h30m`, `epoch`, `max`; none for all else, `off` included.
fn read(text: &str, modified: bool) -> Option<Expires> {
    match text {
        "epoch" if !modified => return Some(Expires::Epoch),
        "max" if !modified => return Some(Expires::Max),
        _ => {}
    }
    if let Some(time) = text.strip_prefix('@') {
        let second = u32::try_from(span(time)?).ok();
        return second.filter(|second| !modified && *second <= DAY).map(Expires::Daily);
    }
    let time = match text.strip_prefix('-') {
        Some(time) => -span(time)?,
        None => span(text.strip_prefix('+').unwrap_or(text))?,
    };
    Some(if modified { Expires::Modified(time) } else { Expires::After(time) })
}

const DAY: u32 = 24 * 60 * 60;

/// nginx's units, from the coarsest, in seconds.
const UNITS: [(u8, i64); 7] = [
    (b'y', 31_536_000),
    (b'M', 2_592_000),
    (b'w', 604_800),
    (b'd', 86_400),
    (b'h', 3600),
    (b'm', 60),
    (b's', 1),
];

/// A time in seconds: parts with units, each finer than the one before, the last perhaps without.
fn span(text: &str) -> Option<i64> {
    let (mut total, mut number, mut next) = (0_i64, None, 0);
    for byte in text.bytes() {
        if byte.is_ascii_digit() {
            let digit = i64::from(byte - b'0');
            number = Some(number.unwrap_or(0_i64).checked_mul(10)?.checked_add(digit)?);
        } else if let Some(at) = UNITS.iter().position(|(unit, _)| *unit == byte) {
            let (_, seconds) = UNITS.get(at).filter(|_| at >= next)?;
            total = total.checked_add(number.take()?.checked_mul(*seconds)?)?;
            next = at + 1;
        } else if byte != b' ' || number.is_some() {
            return None;
        }
    }
    let whole = total.checked_add(number.unwrap_or(0))?;
    (number.is_some() || next > 0).then_some(whole)
}

impl Expires {
    /// Says so, in the place of what the server said.
    pub(super) fn set(self, headers: &mut HeaderMap) {
        let now = seconds(SystemTime::now());
        let (date, control) = match self {
            Self::Epoch => ("Thu, 01 Jan 1970 00:00:01 GMT".to_owned(), "no-cache".to_owned()),
            Self::Max => ("Thu, 31 Dec 2037 23:55:55 GMT".into(), "max-age=315360000".into()),
            // nginx makes no difference between the two here.
            Self::After(0) | Self::Modified(0) => until(now, now, false),
            Self::After(time) => until(now.saturating_add(time), now, time < 0),
            Self::Modified(time) => {
                let start = modified(headers).unwrap_or(now);
                until(start.saturating_add(time), now, time < 0)
            }
            Self::Daily(second) => until(seconds(next_daily(second)), now, false),
        };
        for (name, value) in [(EXPIRES, date), (CACHE_CONTROL, control)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

/// The date, and for how long; not at all where that is over.
fn until(at: i64, now: i64, over: bool) -> (String, String) {
    let since = Duration::from_secs(u64::try_from(at).unwrap_or_default());
    let age = at.saturating_sub(now);
    let control = if over || age < 0 { "no-cache".into() } else { format!("max-age={age}") };
    (httpdate::fmt_http_date(UNIX_EPOCH + since), control)
}

fn modified(headers: &HeaderMap) -> Option<i64> {
    let date = headers.get(LAST_MODIFIED)?.to_str().ok()?;
    httpdate::parse_http_date(date).ok().map(seconds)
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_nginx_reads_them() {
        for (text, expected) in [
            ("epoch", Some(Expires::Epoch)),
            ("max", Some(Expires::Max)),
            ("off", None),
            ("", None),
            ("1h", Some(Expires::After(3600))),
            ("-1h", Some(Expires::After(-3600))),
            ("+1d 2h", Some(Expires::After(93_600))),
            ("1M 30", Some(Expires::After(2_592_030))),
            ("90", Some(Expires::After(90))),
            ("1h 1d", None),
            ("1h1h", None),
            ("h", None),
            ("1x", None),
            ("@15h30m", Some(Expires::Daily(55_800))),
            ("@24h", Some(Expires::Daily(86_400))),
            ("@25h", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(read(text, false), expected, "{text:?}");
        }
        assert_eq!(read("1h", true), Some(Expires::Modified(3600)));
        assert_eq!((read("epoch", true), read("@1h", true)), (None, None));
    }
}
