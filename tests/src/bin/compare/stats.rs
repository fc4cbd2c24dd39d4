//! What is made of the readings: medians, and ratios taken pair by pair.

use std::time::Duration;

/// One round's figures of one front.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reading {
    /// What the row counts, in its unit; less is better. None where there is no front to be weighed.
    pub(crate) cost: Option<f64>,
    /// Operations per second; none where nothing is done.
    pub(crate) rate: Option<f64>,
}

/// A median and how far the values lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// The middle one.
    pub(crate) median: f64,
    /// The least.
    pub(crate) min: f64,
    /// The greatest.
    pub(crate) max: f64,
}

impl Spread {
    /// Of these values; none of none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get((sorted.len() - 1) / 2)?;
        Some(Self {
            median: f64::midpoint(lower, upper),
            min: *sorted.first()?,
            max: *sorted.last()?,
        })
    }

    /// Of the ratios round by round. The two sides of a pair ran one right after the other, so
    /// what the machine did meanwhile weighs on both and falls out. A round in which one of them has
    /// no figure, or nothing to divide by, says nothing.
    pub(crate) fn of_ratios(
        above: impl IntoIterator<Item = Option<f64>>,
        below: impl IntoIterator<Item = Option<f64>>,
    ) -> Option<Self> {
        let pairs = above.into_iter().zip(below);
        Self::of(pairs.filter_map(|(above, below)| {
            let (above, below) = (above?, below.filter(|below| *below > 0.0)?);
            Some(above / below)
        }))
    }
}

/// CPU microseconds per operation and operations per second.
///
/// `None` when not one operation was done.
pub(crate) fn cpu_reading(cpu: Duration, window: Duration, operations: u32) -> Option<Reading> {
    let count = f64::from(operations);
    (operations > 0).then(|| Reading {
        cost: Some(cpu.as_secs_f64() * 1e6 / count),
        rate: Some(count / window.as_secs_f64()),
    })
}

/// Kilobytes (1000 bytes) per tunnel, from the kibibytes that the front had before and has with the
/// tunnels.
pub(crate) fn memory_reading(before_kib: u64, with_kib: u64, tunnels: u32) -> Option<Reading> {
    // Memory of a front is far below the 4 TiB that fit.
    let before = f64::from(u32::try_from(before_kib).ok()?);
    let with = f64::from(u32::try_from(with_kib).ok()?);
    (tunnels > 0).then(|| Reading::cost((with - before) * 1.024 / f64::from(tunnels)))
}

impl Reading {
    /// A figure without a rate.
    pub(crate) fn cost(cost: f64) -> Self {
        Self { cost: Some(cost), rate: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_middle_two() {
        let odd = Spread::of([9.0, 1.0, 5.0]).unwrap();
        assert_eq!(odd, Spread { median: 5.0, min: 1.0, max: 9.0 });
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 9.0]).unwrap().median, 3.0);
        assert_eq!(Spread::of([7.0]).unwrap(), Spread { median: 7.0, min: 7.0, max: 7.0 });
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn a_machine_that_slows_down_both_sides_leaves_the_ratio_alone() {
        let (slow, fast) = ([10.0, 20.0, 40.0].map(Some), [5.0, 10.0, 20.0].map(Some));
        let ratios = Spread::of_ratios(slow, fast).unwrap();
        assert_eq!(ratios, Spread { median: 2.0, min: 2.0, max: 2.0 });
        let holes =
            Spread::of_ratios([None, Some(1.0), Some(9.0)], [Some(1.0), Some(0.0), Some(3.0)]);
        assert_eq!(holes, Spread::of([3.0]));
    }

    #[test]
    fn costs_are_per_operation() {
        let reading =
            cpu_reading(Duration::from_millis(500), Duration::from_secs(2), 50_000).unwrap();
        assert_eq!(reading, Reading { cost: Some(10.0), rate: Some(25_000.0) });
        assert_eq!(cpu_reading(Duration::ZERO, Duration::from_secs(2), 0), None);
        assert_eq!(memory_reading(1000, 5000, 4000).unwrap().cost, Some(1.024));
        assert!(memory_reading(5000, 1000, 4000).unwrap().cost < Some(0.0));
    }
}
