//! How many requests come in a time, by key: the leaky buckets behind nginx's `limit_req`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What nginx needs for a bucket besides the key, in bytes.
const NODE: usize = 80;

/// An empty bucket that was not used for this long is forgotten when room is needed for another.
const OLD: Duration = Duration::from_secs(60);

/// One request, in the thousandths that everything here is counted in.
const ONE: u64 = 1000;

/// How fast a bucket empties, in thousandths of a request per second; more than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(pub u64);

impl Rate {
    /// How long it takes for so many thousandths of a request to leak.
    #[must_use]
    pub fn time_for(self, excess: u64) -> Duration {
        Duration::from_millis(excess.saturating_mul(1000) / self.0.max(1))
    }
}

/// One bucket for each key that was used lately.
#[derive(Debug)]
pub struct RequestZone {
    size: u64,
    buckets: Mutex<Buckets>,
}

/// What becomes of one request more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It fits: how full the bucket is with it, in thousandths of a request.
    Fits(u64),
    /// It would be too full with it.
    Over(u64),
    /// The key is larger than the zone.
    NoRoom,
}

#[derive(Debug, Default)]
struct Buckets {
    by_key: HashMap<Arc<[u8]>, Bucket>,
    /// The keys by when they were used last.
    by_use: BTreeMap<u64, Arc<[u8]>>,
    uses: u64,
    /// The bytes of them that nginx would have taken.
    used: u64,
}

#[derive(Debug)]
struct Bucket {
    /// Its place in the order of use.
    used: u64,
    /// How full it is, at that time.
    excess: u64,
    last: Instant,
}

impl Bucket {
    /// How full it is with one request more, and up to when that is worked out: whole
    /// milliseconds, of which none is lost however often it is asked.
    fn with_one_more(&self, rate: Rate, now: Instant) -> (u64, Instant) {
        let millis = now.saturating_duration_since(self.last).as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        let leaked = rate.0.saturating_mul(millis) / 1000;
        let last = self.last.checked_add(Duration::from_millis(millis)).unwrap_or(now);
        (self.excess.saturating_add(ONE).saturating_sub(leaked), last)
    }
}

impl RequestZone {
    /// A zone of so many bytes in which nothing is counted yet.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self { size, buckets: Mutex::default() }
    }

    /// Looks whether one more request fits into the key's bucket beside `burst` thousandths, and
    /// puts it in if it does and `count` says so.
    pub fn ask(&self, key: &[u8], rate: Rate, burst: u64, now: Instant, count: bool) -> Asked {
        let mut buckets = self.lock();
        let Some((excess, last)) =
            buckets.by_key.get(key).map(|bucket| bucket.with_one_more(rate, now))
        else {
            let room = buckets.make_room(key, self.size, rate, now);
            if room && count {
                // The first request of a key fills nothing, as in nginx.
                buckets.put(key, 0, now);
            }
            return if room { Asked::Fits(0) } else { Asked::NoRoom };
        };
        let (kept, last) = match excess {
            _ if excess > burst || !count => buckets.as_it_was(key, now),
            _ => (excess, last),
        };
        buckets.put(key, kept, last);
        if excess > burst { Asked::Over(excess) } else { Asked::Fits(excess) }
    }

    /// Puts a request in that was found to fit: how full the bucket is with it.
    pub fn count(&self, key: &[u8], rate: Rate, now: Instant) -> u64 {
        match self.ask(key, rate, u64::MAX, now, true) {
            Asked::Fits(excess) | Asked::Over(excess) => excess,
            Asked::NoRoom => 0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        // Every change under the lock is complete by itself.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buckets {
    fn as_it_was(&self, key: &[u8], now: Instant) -> (u64, Instant) {
        self.by_key.get(key).map_or((0, now), |bucket| (bucket.excess, bucket.last))
    }

    /// Fills a bucket up to there; it is the one used last.
    fn put(&mut self, key: &[u8], excess: u64, last: Instant) {
        let used = self.uses;
        self.uses += 1;
        if let Some(bucket) = self.by_key.get_mut(key) {
            let before = std::mem::replace(&mut bucket.used, used);
            (bucket.excess, bucket.last) = (excess, last);
            if let Some(key) = self.by_use.remove(&before) {
                self.by_use.insert(used, key);
            }
            return;
        }
        let key: Arc<[u8]> = key.into();
        self.used += cost(&key);
        self.by_use.insert(used, key.clone());
        self.by_key.insert(key, Bucket { used, excess, last });
    }

    /// Forgets two old ones, and as many more as the new key needs; false when all are too few.
    fn make_room(&mut self, key: &[u8], size: u64, rate: Rate, now: Instant) -> bool {
        for _ in 0..2 {
            let oldest = self.by_use.first_key_value();
            let oldest = oldest.and_then(|(_, key)| self.by_key.get(key));
            let old = oldest.is_some_and(|bucket| {
                let (excess, _) = bucket.with_one_more(rate, now);
                now.saturating_duration_since(bucket.last) >= OLD && excess <= ONE
            });
            if !old {
                break;
            }
            self.forget_oldest();
        }
        while self.used.saturating_add(cost(key)) > size {
            if !self.forget_oldest() {
                return false;
            }
        }
        true
    }

    fn forget_oldest(&mut self) -> bool {
        let Some((_, key)) = self.by_use.pop_first() else { return false };
        self.by_key.remove(&key);
        self.used = self.used.saturating_sub(cost(&key));
        true
    }
}

fn cost(key: &[u8]) -> u64 {
    u64::try_from((NODE + key.len()).next_power_of_two()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PER_SECOND: Rate = Rate(1000);

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn a_bucket_leaks_by_the_millisecond() {
        let (zone, start) = (RequestZone::new(1 << 15), Instant::now());
        let ask = |millis, burst| zone.ask(b"a", PER_SECOND, burst, after(start, millis), true);
        assert_eq!(ask(0, 0), Asked::Fits(0));
        assert_eq!(ask(1, 0), Asked::Over(999));
        assert_eq!(ask(999, 0), Asked::Over(1));
        assert_eq!(ask(1000, 0), Asked::Fits(0));
        assert_eq!(ask(1000, 2000), Asked::Fits(1000));
        assert_eq!(ask(1000, 2000), Asked::Fits(2000));
        assert_eq!(ask(1000, 2000), Asked::Over(3000));
        assert_eq!(ask(1500, 2000), Asked::Over(2500));
        assert_eq!(ask(2000, 2000), Asked::Fits(2000));
        assert_eq!(PER_SECOND.time_for(1500), Duration::from_millis(1500));
    }

    #[test]
    fn what_is_only_looked_at_is_not_in_it() {
        let (zone, start) = (RequestZone::new(1 << 15), Instant::now());
        let look = || zone.ask(b"a", PER_SECOND, 1000, start, false);
        assert_eq!((look(), look()), (Asked::Fits(0), Asked::Fits(0)));
        assert_eq!(zone.count(b"a", PER_SECOND, start), 0);
        assert_eq!((look(), look()), (Asked::Fits(1000), Asked::Fits(1000)));
        assert_eq!(zone.count(b"a", PER_SECOND, start), 1000);
        assert_eq!(look(), Asked::Over(2000));
    }

    #[test]
    fn keys_are_counted_apart_and_the_one_used_longest_ago_goes_first() {
        let (zone, start) = (RequestZone::new(256), Instant::now());
        let ask = |key: &[u8]| zone.ask(key, PER_SECOND, 0, start, true);
        assert_eq!((ask(b"a"), ask(b"b")), (Asked::Fits(0), Asked::Fits(0)));
        assert_eq!(ask(b"a"), Asked::Over(1000));
        assert_eq!(ask(b"c"), Asked::Fits(0));
        assert_eq!(ask(b"a"), Asked::Over(1000));
        assert_eq!(ask(b"b"), Asked::Fits(0), "it had to go");
        assert_eq!(ask(&[b'k'; 300]), Asked::NoRoom);
    }

    #[test]
    fn old_ones_that_are_empty_go_by_themselves() {
        let (zone, start) = (RequestZone::new(1 << 15), Instant::now());
        let ask = |key: &[u8], at| zone.ask(key, PER_SECOND, 0, at, true);
        for key in [b"a", b"b", b"c"] {
            ask(key, start);
        }
        ask(b"d", after(start, 59_000));
        assert_eq!(zone.lock().by_key.len(), 4);
        ask(b"e", after(start, 61_000));
        assert_eq!(zone.lock().by_key.len(), 3);
    }

    proptest! {
        #[test]
        fn no_more_is_let_in_than_the_rate_allows(
            gaps in prop::collection::vec(0..3000_u64, 1..200),
            burst in 0..5_u64,
        ) {
            let (zone, start) = (RequestZone::new(1 << 15), Instant::now());
            let (mut micros, mut passed) = (0, 0);
            for gap in &gaps {
                micros += gap * 100;
                let now = start + Duration::from_micros(micros);
                let asked = zone.ask(b"a", PER_SECOND, burst * ONE, now, true);
                passed += u64::from(matches!(asked, Asked::Fits(_)));
            }
            prop_assert!(passed <= 1 + burst + micros / 1_000_000);
            let keys = zone.lock().by_use.len();
            prop_assert_eq!(keys, 1);
        }
    }
}
