//! The time as log lines print it.

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

thread_local! {
    /// The second that was printed last: formatting costs more than the rest of a line.
    static LAST: RefCell<Option<Printed>> = const { RefCell::new(None) };
}

struct Printed {
    second: u64,
    error: String,
    common: String,
    iso8601: String,
}

/// Appends `2026/11/23 19:05:01`, the error log's time.
pub(super) fn error_time(out: &mut Vec<u8>) {
    printed(|times| out.extend_from_slice(times.error.as_bytes()));
}

/// Appends `23/Nov/2026:19:05:01 +0000` (`$time_local`).
pub(crate) fn local(out: &mut Vec<u8>) {
    printed(|times| out.extend_from_slice(times.common.as_bytes()));
}

/// Appends `2026-11-23T19:05:01+00:00` (`$time_iso8601`).
pub(crate) fn iso8601(out: &mut Vec<u8>) {
    printed(|times| out.extend_from_slice(times.iso8601.as_bytes()));
}

/// When it is this second of the day the next time, where we are.
pub(crate) fn next_daily(second: u32) -> SystemTime {
    let now = Timestamp::now().to_zoned_datetime(TimeZone::system());
    let in_day = |day: &jiff::ZonedDateTime| {
        let start = day.start_of_day().ok()?;
        start.checked_add(jiff::SignedDuration::from_secs(second.into())).ok()
    };
    let today = in_day(&now).filter(|time| *time > now);
    let next = today.or_else(|| in_day(&now.tomorrow().ok()?));
    let since = next.unwrap_or(now).timestamp().as_second();
    UNIX_EPOCH + Duration::from_secs(u64::try_from(since).unwrap_or_default())
}

/// Milliseconds since 1970, for `$msec`.
pub(crate) fn unix_millis() -> u128 {
    since_1970().as_millis()
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn printed(with: impl FnOnce(&Printed)) {
    let second = since_1970().as_secs();
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|times| times.second != second) {
            *last = Some(format(second));
        }
        if let Some(times) = last {
            with(times);
        }
    });
}

fn format(second: u64) -> Printed {
    let seconds = i64::try_from(second).unwrap_or(i64::MAX);
    let timestamp = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let zoned = timestamp.to_zoned_datetime(TimeZone::system());
    Printed {
        second,
        error: zoned.strftime("%Y/%m/%d %H:%M:%S").to_string(),
        common: zoned.strftime("%d/%b/%Y:%H:%M:%S %z").to_string(),
        iso8601: zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
    }
}
