//! How often something was how large.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::count::Count;

/// The most bounds that a scale has.
const MOST: usize = 15;

/// The bounds of a histogram, each of them included in what is below it, and what its unit is.
#[derive(Debug)]
pub(crate) struct Scale {
    bounds: &'static [u64],
    /// How many units are one of what is shown: seconds, bytes.
    per: u32,
}

impl Scale {
    /// Times from half a millisecond to ten seconds, counted in microseconds.
    pub(crate) const MOMENTS: Self = Self {
        bounds: &[
            500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
            2_500_000, 5_000_000, 10_000_000,
        ],
        per: 1_000_000,
    };

    /// Times from a second to a week, counted in milliseconds.
    pub(crate) const LIVES: Self = Self {
        bounds: &[
            1000,
            10_000,
            60_000,
            300_000,
            900_000,
            3_600_000,
            14_400_000,
            43_200_000,
            86_400_000,
            604_800_000,
        ],
        per: 1000,
    };

    /// Sizes from 16 bytes to 64 MB.
    pub(crate) const SIZES: Self = Self {
        bounds: &[
            16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
            67_108_864,
        ],
        per: 1,
    };
}

/// How often something was how large, as one thread counts it.
#[derive(Debug)]
pub(crate) struct Histogram {
    scale: &'static Scale,
    /// One for each bound, and one for all beyond.
    counts: [Count; MOST + 1],
    sum: Count,
}

/// What a histogram has counted, for another program image.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Counted {
    counts: Vec<u64>,
    sum: u64,
}

/// How often something was how large, at one moment; in seconds or bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// How often in all.
    pub count: u64,
    /// What all of them come to.
    pub sum: f64,
    /// For each bound how often it was not passed.
    pub buckets: Vec<(f64, u64)>,
}

impl Histogram {
    /// Nothing yet, on this scale.
    pub(crate) const fn new(scale: &'static Scale) -> Self {
        Self { scale, counts: [const { Count::new() }; MOST + 1], sum: Count::new() }
    }

    /// It was so large once more, in the scale's unit.
    pub(crate) fn add(&self, value: u64) {
        let place = self.scale.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(place) {
            count.add(1);
        }
        self.sum.add(value);
    }

    /// It took so long once more.
    pub(crate) fn add_time(&self, time: Duration) {
        let value = time.as_micros() * u128::from(self.scale.per) / 1_000_000;
        self.add(u64::try_from(value).unwrap_or(u64::MAX));
    }

    /// What has been counted here is counted there, too.
    pub(crate) fn pour_into(&self, other: &Self) {
        self.counts.iter().zip(&other.counts).for_each(|(here, there)| there.add(here.get()));
        other.sum.add(self.sum.get());
    }

    /// What another image is to go on with.
    pub(crate) fn bequeath(&self) -> Counted {
        Counted { counts: self.counts.iter().map(Count::get).collect(), sum: self.sum.get() }
    }

    /// What another image has counted.
    pub(crate) fn inherit(&self, counted: &Counted) {
        self.counts.iter().zip(&counted.counts).for_each(|(here, there)| here.add(*there));
        self.sum.add(counted.sum);
    }

    /// What it is now.
    pub(crate) fn read(&self) -> Distribution {
        let mut count = 0;
        let mut counts = self.counts.iter();
        let buckets = self.scale.bounds.iter().zip(&mut counts).map(|(bound, here)| {
            count += here.get();
            (shown(*bound, self.scale.per), count)
        });
        let buckets = buckets.collect();
        let beyond: u64 = counts.map(Count::get).sum();
        Distribution { count: count + beyond, sum: shown(self.sum.get(), self.scale.per), buckets }
    }
}

/// A number of units as it is shown.
fn shown(units: u64, per: u32) -> f64 {
    number(units) / f64::from(per)
}

/// The nearest number that a float can be.
fn number(value: u64) -> f64 {
    let high = u32::try_from(value >> 32).unwrap_or_default();
    let low = u32::try_from(value & u64::from(u32::MAX)).unwrap_or_default();
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bound_counts_what_does_not_pass_it() {
        let sizes = Histogram::new(&Scale::SIZES);
        for size in [0, 16, 17, 64, 100_000_000] {
            sizes.add(size);
        }
        let read = sizes.read();
        assert_eq!(read.buckets[..3], [(16.0, 2), (64.0, 4), (256.0, 4)]);
        assert_eq!(read.buckets.last(), Some(&(67_108_864.0, 4)));
        assert_eq!((read.count, read.sum), (5, 100_000_097.0));
    }

    #[test]
    fn times_are_shown_in_seconds() {
        let moments = Histogram::new(&Scale::MOMENTS);
        moments.add_time(Duration::from_micros(500));
        moments.add_time(Duration::from_millis(2500));
        let read = moments.read();
        assert_eq!(read.buckets[..2], [(0.0005, 1), (0.001, 1)]);
        assert_eq!((read.count, read.sum), (2, 2.5005));
        let lives = Histogram::new(&Scale::LIVES);
        lives.add_time(Duration::from_secs(90_000));
        let both = Histogram::new(&Scale::LIVES);
        lives.pour_into(&both);
        lives.pour_into(&both);
        assert_eq!(both.read().buckets[8..], [(86_400.0, 0), (604_800.0, 2)]);
        assert_eq!(both.read().sum, 180_000.0);
        let next = Histogram::new(&Scale::LIVES);
        next.inherit(&both.bequeath());
        assert_eq!(next.read(), both.read());
    }
}
