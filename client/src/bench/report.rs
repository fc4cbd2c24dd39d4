//! The figures: a table for people, JSON for programs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::options::{Mode, Options};
use super::tally::{Tally, Times};

/// The percentiles of the table.
const PERCENTILES: [(&str, &str, f64); 4] =
    [("p50", "p50", 50.0), ("p90", "p90", 90.0), ("p99", "p99", 99.0), ("p99.9", "p99_9", 99.9)];

/// A run that is over.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) options: &'a Options,
    /// How long it took to open the connections.
    pub(crate) opened: Duration,
    /// From when to when they worked; `None` when none was open.
    pub(crate) time: Option<(Instant, Instant)>,
}

impl Report<'_> {
    /// The table.
    pub(crate) fn table(&self, tally: &Tally) -> String {
        let Options { urls, connections, mode, .. } = self.options;
        let what = match mode {
            Mode::Echo => format!("echo of {} B", self.options.size),
            Mode::Handshake => "handshake and close".to_owned(),
            Mode::Idle => "idle".to_owned(),
            Mode::Http => "GET".to_owned(),
            Mode::Churn => "leaving and coming again".to_owned(),
        };
        let threads = self.options.threads();
        let due =
            self.options.pace().map_or_else(String::new, |rate| format!(", {rate} per second due"));
        let mut text = format!(
            "{what}, {connections} connection(s) to {}, {threads} thread(s){due}\n\n",
            urls.join(" ")
        );
        let mut line = |name: &str, value: &str| text.push_str(&format!("{name:<14}{value}\n"));
        let opened = grouped(tally.opening.count());
        match mode {
            Mode::Handshake => line("opened", &opened),
            _ => line("opened", &format!("{opened}, the first {}", self.first())),
        }
        if *mode != Mode::Idle {
            let verified = match mode {
                Mode::Echo | Mode::Churn if tally.operations > 0 => ", each echo verified",
                _ => "",
            };
            line("done", &format!("{}{verified}", grouped(tally.operations)));
            line("rate", &format!("{} /s", grouped_real(self.rate(tally))));
        }
        if tally.bytes > 0 {
            let throughput = self.per_second(tally, tally.bytes) / 1e6;
            let ways = if *mode == Mode::Http { "" } else { " each way" };
            line("throughput", &format!("{throughput:.2} MB/s{ways}"));
        }
        if tally.left > 0 {
            line("not done", &format!("{} were due and not begun at the end", grouped(tally.left)));
        }
        text.push_str(&times_table(&self.times(tally)));
        text.push('\n');
        if tally.failures.is_empty() {
            text.push_str("errors        none\n");
        }
        for (at, (kind, count)) in tally.failures.iter().enumerate() {
            let name = if at == 0 { "errors" } else { "" };
            text.push_str(&format!(
                "{name:<14}{:>9}  {}\n",
                grouped(*count),
                crate::words::escape(kind)
            ));
        }
        text
    }

    /// One object, times in microseconds.
    pub(crate) fn json(&self, tally: &Tally) -> String {
        let Options { urls, mode, connections, size, .. } = self.options;
        let value: Value = json!({
            "urls": urls,
            "mode": format!("{mode:?}").to_lowercase(),
            "connections": connections,
            "size": size.to_string(),
            "threads": self.options.threads(),
            "due_per_second": self.options.pace(),
            "seconds": self.seconds(tally),
            "opened_in": micros(self.opened),
            "operations": tally.operations,
            "rate": self.rate(tally),
            "bytes_per_second": self.per_second(tally, tally.bytes),
            "not_done": tally.left,
            "latency": times_json(&tally.latency),
            "service": times_json(&tally.service),
            "opening": times_json(&tally.opening),
            "failures": tally.failures,
        });
        format!("{value:#}\n")
    }

    /// The rows of times that say something in this mode.
    fn times<'a>(&self, tally: &'a Tally) -> Vec<(&'static str, &'a Times)> {
        let mut rows = Vec::new();
        if tally.latency.count() > 0 {
            rows.push(("latency", &tally.latency));
        }
        if self.options.pace().is_some() && tally.service.count() > 0 {
            rows.push(("  once begun", &tally.service));
        }
        if tally.opening.count() > 0 {
            rows.push(("opening", &tally.opening));
        }
        rows
    }

    /// How long it took to open all of them for the first time.
    fn first(&self) -> String {
        format!("{} within {}", grouped(self.options.connections.into()), readable(self.opened))
    }

    fn rate(&self, tally: &Tally) -> f64 {
        self.per_second(tally, tally.operations)
    }

    fn per_second(&self, tally: &Tally, count: u64) -> f64 {
        let seconds = self.seconds(tally);
        if seconds > 0.0 { real(count) / seconds } else { 0.0 }
    }

    /// From the beginning of the work to its end, or to the last operation that was begun before.
    fn seconds(&self, tally: &Tally) -> f64 {
        self.time.map_or(0.0, |(start, end)| {
            let end = tally.last.map_or(end, |last| last.max(end));
            end.saturating_duration_since(start).as_secs_f64()
        })
    }
}

fn times_json(times: &Times) -> Value {
    let named = [("mean", times.mean()), ("max", times.max())];
    let percentiles = PERCENTILES.map(|(_, name, percent)| (name, times.percentile(percent)));
    let all = named.into_iter().chain(percentiles);
    let mut object: serde_json::Map<_, _> =
        all.map(|(name, time)| (name.to_owned(), json!(micros(time)))).collect();
    object.insert("count".to_owned(), json!(times.count()));
    Value::Object(object)
}

fn times_table(rows: &[(&str, &Times)]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{:12}", "");
    for name in PERCENTILES.iter().map(|(name, ..)| *name).chain(["max"]) {
        text.push_str(&format!("{name:>11}"));
    }
    text.push('\n');
    for (name, times) in rows {
        text.push_str(&format!("{name:<12}"));
        let percentiles = PERCENTILES.iter().map(|(.., percent)| times.percentile(*percent));
        for time in percentiles.chain([times.max()]) {
            text.push_str(&format!("{:>11}", readable(time)));
        }
        text.push('\n');
    }
    text
}

fn micros(time: Duration) -> f64 {
    // To the nanosecond, which is what is known.
    (time.as_secs_f64() * 1e9).round() / 1e3
}

/// Three digits and a unit.
fn readable(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (value, unit) = if seconds < 1e-3 {
        (seconds * 1e6, "µs")
    } else if seconds < 1.0 {
        (seconds * 1e3, "ms")
    } else {
        (seconds, "s")
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate: whole, unless it is small.
fn grouped_real(number: f64) -> String {
    let whole = Duration::try_from_secs_f64(number).map_or(0, |seconds| seconds.as_secs());
    if whole < 100 { format!("{number:.1}") } else { grouped(whole) }
}

/// As exact as a real number is.
fn real(number: u64) -> f64 {
    Duration::from_secs(number).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_made_for_eyes() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped_real(12.34), "12.3");
        assert_eq!(grouped_real(1234.9), "1,234");
        for (nanos, text) in [
            (940, "0.94 µs"),
            (12_340, "12.3 µs"),
            (123_400, "123 µs"),
            (1_234_000, "1.23 ms"),
            (2_500_000_000, "2.50 s"),
        ] {
            assert_eq!(readable(Duration::from_nanos(nanos)), text);
        }
        assert_eq!(micros(Duration::from_nanos(1_234)), 1.234);
    }
}
