//! How long an answer may be kept (`expires`): its fields `Expires` and `Cache-Control`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{CACHE_CONTROL, EXPIRES, HeaderMap, HeaderValue, LAST_MODIFIED};

use crate::observe::next_daily;

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

impl Expires {
    /// Says so, in the place of what the server said.
    pub(super) fn set(self, headers: &mut HeaderMap) {
        let now = seconds(SystemTime::now());
        let (date, control) = match self {
            Self::Epoch => ("Thu, 01 Jan 1970 00:00:01 GMT".to_owned(), "no-cache".to_owned()),
            Self::Max => ("Thu, 31 Dec 2037 23:55:55 GMT".into(), "max-age=315360000".into()),
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
