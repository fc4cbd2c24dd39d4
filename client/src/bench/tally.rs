//! What came of a run: counts, times, and failures by kind.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::failure::Failure;

/// How many kinds of failures are told apart: a server that says something else each time must not
/// fill the memory.
const KINDS: usize = 50;

/// What one thread, or all of them, counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Operations that were done and verified within the time of measuring.
    pub(crate) operations: u64,
    /// Bytes of payload that came with them.
    pub(crate) bytes: u64,
    /// From when an operation was due to when it was done.
    pub(crate) latency: Times,
    /// From when it was begun.
    pub(crate) service: Times,
    /// From the first packet of a connection to its first use: connect, TLS, handshake.
    pub(crate) opening: Times,
    /// Operations that were due and had not been done at the end.
    pub(crate) left: u64,
    /// When the last operation was done.
    pub(crate) last: Option<Instant>,
    /// How often what went wrong.
    pub(crate) failures: BTreeMap<String, u64>,
}

impl Tally {
    /// An operation that was due, begun and is done now.
    pub(crate) fn done(&mut self, due: Instant, begun: Instant, now: Instant, bytes: usize) {
        self.operations += 1;
        self.last = Some(now);
        self.bytes += u64::try_from(bytes).unwrap_or(0);
        self.latency.add(now.saturating_duration_since(due));
        self.service.add(now.saturating_duration_since(begun));
    }

    /// An operation that was due, and the time is up. That it took at least so long is known, and
    /// leaving it out would flatter.
    pub(crate) fn left(&mut self, due: Instant, now: Instant) {
        self.left += 1;
        self.latency.add(now.saturating_duration_since(due));
    }

    /// Something went wrong.
    pub(crate) fn failed(&mut self, failure: &Failure) {
        let mut kind = failure.to_string();
        if self.failures.len() >= KINDS && !self.failures.contains_key(&kind) {
            "other".clone_into(&mut kind);
        }
        *self.failures.entry(kind).or_default() += 1;
    }

    /// All failures.
    pub(crate) fn all_failures(&self) -> u64 {
        self.failures.values().sum()
    }

    /// Adds what another thread counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.operations += other.operations;
        self.bytes += other.bytes;
        self.left += other.left;
        self.last = self.last.max(other.last);
        self.latency.merge(&other.latency);
        self.service.merge(&other.service);
        self.opening.merge(&other.opening);
        for (kind, count) in &other.failures {
            *self.failures.entry(kind.clone()).or_default() += count;
        }
    }
}

/// Times, to three digits.
#[derive(Debug)]
pub(crate) struct Times(Option<Histogram<u64>>);

impl Default for Times {
    fn default() -> Self {
        // From a nanosecond to an hour: these bounds are right, so there is a histogram.
        Self(Histogram::new_with_bounds(1, 3_600_000_000_000, 3).ok())
    }
}

impl Times {
    /// Adds one.
    pub(crate) fn add(&mut self, time: Duration) {
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        }
    }

    fn merge(&mut self, other: &Self) {
        if let (Some(own), Some(other)) = (&mut self.0, &other.0) {
            // Both have the same bounds.
            let _fits = own.add(other);
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, Histogram::len)
    }

    /// The time within which so many percent were; zero of none.
    pub(crate) fn percentile(&self, percent: f64) -> Duration {
        let nanos = self.0.as_ref().map_or(0, |all| all.value_at_percentile(percent));
        Duration::from_nanos(nanos)
    }

    /// The longest.
    pub(crate) fn max(&self) -> Duration {
        Duration::from_nanos(self.0.as_ref().map_or(0, Histogram::max))
    }

    /// The mean.
    pub(crate) fn mean(&self) -> Duration {
        let nanos = self.0.as_ref().map_or(0.0, Histogram::mean);
        Duration::try_from_secs_f64(nanos / 1e9).unwrap_or_default()
    }
}

/// What a thread has counted so far, for whoever watches.
#[derive(Debug, Default)]
pub(crate) struct Live {
    operations: AtomicU64,
    failures: AtomicU64,
    open: AtomicU32,
}

impl Live {
    /// An operation is done.
    pub(crate) fn done(&self) {
        self.operations.fetch_add(1, Ordering::Relaxed);
    }

    /// Something went wrong.
    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection is open.
    pub(crate) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection is no longer open.
    pub(crate) fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Operations, failures, open connections.
    pub(crate) fn now(&self) -> (u64, u64, u32) {
        let failures = self.failures.load(Ordering::Relaxed);
        let open = self.open.load(Ordering::Relaxed);
        (self.operations.load(Ordering::Relaxed), failures, open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_counted_from_when_it_was_due() {
        let due = Instant::now();
        let after = |millis| due + Duration::from_millis(millis);
        let (mut one, mut other) = (Tally::default(), Tally::default());
        one.done(due, after(90), after(100), 32);
        one.left(due, after(300));
        other.done(due, due, after(1), 8);
        other.failed(&Failure::Ended);
        one.add(&other);
        assert_eq!((one.operations, one.bytes, one.left, one.all_failures()), (2, 40, 1, 1));
        let near = |time: Duration, millis: f64| (time.as_secs_f64() * 1e3 / millis - 1.0).abs();
        assert!(near(one.latency.percentile(50.0), 100.0) < 0.001);
        assert!(near(one.latency.max(), 300.0) < 0.001);
        assert!(near(one.service.max(), 10.0) < 0.001);
        assert_eq!((one.latency.count(), one.service.count()), (3, 2));
    }

    #[test]
    fn a_server_that_fails_in_ever_new_ways_fills_no_memory() {
        let mut tally = Tally::default();
        for code in 0..1000 {
            tally.failed(&Failure::Closed(code));
        }
        assert_eq!(tally.failures.len(), KINDS + 1);
        assert_eq!(tally.all_failures(), 1000);
    }
}
