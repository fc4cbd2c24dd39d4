//! Numbers, sizes, times and switches, by nginx's rules. No value here has a place: the
//! directive that asked for it says where.

use std::time::Duration;

/// Digits only, as nginx's `ngx_atoi`.
pub(super) fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse::<u64>().ok().filter(|n| i64::try_from(*n).is_ok())
}

/// `on` or `off`, in any case.
pub(super) fn switch(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("on") {
        return Some(true);
    }
    text.eq_ignore_ascii_case("off").then_some(false)
}

/// A size in bytes: `512`, `8k`, `1m`.
pub(super) fn size(text: &str) -> Option<u64> {
    scaled(text, "kKmM")
}

/// A size that may be as large as a file: [`size`], and `2g`.
pub(super) fn offset(text: &str) -> Option<u64> {
    scaled(text, "kKmMgG")
}

fn scaled(text: &str, units: &str) -> Option<u64> {
    let Some(unit) = text.chars().last().filter(|c| units.contains(*c)) else {
        return number(text);
    };
    let scale = match unit {
        'k' | 'K' => 1 << 10,
        'm' | 'M' => 1 << 20,
        _ => 1 << 30,
    };
    number(text.get(..text.len() - 1)?)?.checked_mul(scale)
}

/// A time for a timer: seconds unless a unit says else, weeks at most, `ms` allowed, combined as
/// in `1h 30m`.
pub(super) fn time(text: &str) -> Option<Duration> {
    let parts = Parts { text, finest: Unit::Millisecond, coarsest: Unit::Week };
    parts.sum().map(Duration::from_millis)
}

/// A time counted in whole seconds: [`time`] without `ms`, with `M` (30 days) and `y`.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let parts = Parts { text, finest: Unit::Second, coarsest: Unit::Year };
    parts.sum().map(Duration::from_millis)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl Unit {
    fn milliseconds(self) -> u64 {
        match self {
            Self::Year => 365 * 24 * 3_600_000,
            Self::Month => 30 * 24 * 3_600_000,
            Self::Week => 7 * 24 * 3_600_000,
            Self::Day => 24 * 3_600_000,
            Self::Hour => 3_600_000,
            Self::Minute => 60_000,
            Self::Second => 1000,
            Self::Millisecond => 1,
        }
    }
}

struct Parts<'a> {
    text: &'a str,
    finest: Unit,
    coarsest: Unit,
}

impl Parts<'_> {
    /// The sum in milliseconds: each part coarser than the next, a part without unit in seconds.
    fn sum(&self) -> Option<u64> {
        let (mut rest, mut total, mut last) = (self.text, 0u64, None);
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (count, tail) = rest.split_at_checked(digits)?;
            let (unit, tail, written) = unit(tail)?;
            if last.is_some_and(|last| last >= unit) || unit < self.coarsest || unit > self.finest {
                return None;
            }
            // A number without unit is the last part, whatever blanks follow.
            if !written && !tail.trim_start_matches(' ').is_empty() {
                return None;
            }
            last = Some(unit);
            total = total.checked_add(number(count)?.checked_mul(unit.milliseconds())?)?;
            rest = tail.trim_start_matches(' ');
        }
        i64::try_from(total).ok().map(|_| total)
    }
}

/// The unit at the start of `text`, what follows it, and whether it is written at all.
fn unit(text: &str) -> Option<(Unit, &str, bool)> {
    if let Some(rest) = text.strip_prefix("ms") {
        return Some((Unit::Millisecond, rest, true));
    }
    let unit = match text.chars().next() {
        None | Some(' ') => return Some((Unit::Second, text, false)),
        Some('y') => Unit::Year,
        Some('M') => Unit::Month,
        Some('w') => Unit::Week,
        Some('d') => Unit::Day,
        Some('h') => Unit::Hour,
        Some('m') => Unit::Minute,
        Some('s') => Unit::Second,
        Some(_) => return None,
    };
    Some((unit, text.get(1..)?, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let pairs = [("0", 0), ("512", 512), ("8k", 8192), ("8K", 8192), ("1m", 1 << 20)];
        for (text, bytes) in pairs {
            assert_eq!(size(text), Some(bytes), "{text}");
            assert_eq!(offset(text), Some(bytes), "{text}");
        }
        assert_eq!((size("1g"), offset("1g"), offset("2G")), (None, Some(1 << 30), Some(2 << 30)));
        for text in ["", "k", "1kk", "-1", "1.5m", "1 k", "99999999999999999999", "0x10", "é"] {
            assert_eq!(offset(text), None, "{text}");
        }
        assert_eq!(offset("9223372036854775807g"), None);
    }

    #[test]
    fn times_have_units_and_add_up() {
        let pairs = [
            ("0", 0),
            ("30", 30_000),
            ("30 ", 30_000),
            ("30s", 30_000),
            ("500ms", 500),
            ("1s500ms", 1500),
            ("1m", 60_000),
            ("1h 30m", 5_400_000),
            ("1h30", 3_630_000),
            ("1w2d3h4m5s6ms", 788_645_006),
        ];
        for (text, milliseconds) in pairs {
            assert_eq!(time(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        let wrong =
            ["", " ", "s", "1x", "-1", "1.5s", "1s1h", "1m1m", "30 5ms", "1y", "1M", "é", "1é"];
        for text in wrong {
            assert_eq!(time(text), None, "{text}");
        }
        assert_eq!(time("99999999999999999w"), None);
    }

    #[test]
    fn whole_seconds_know_months_and_years_but_no_parts() {
        let days = |days: u64| Some(Duration::from_secs(days * 24 * 3600));
        assert_eq!(
            (seconds("1y"), seconds("1M"), seconds("1y1M")),
            (days(365), days(30), days(395))
        );
        assert_eq!(seconds("1ms"), None);
    }

    #[test]
    fn switches_may_be_in_capitals() {
        assert_eq!((switch("ON"), switch("off"), switch("yes")), (Some(true), Some(false), None));
    }
}
