//! How large messages are: one size, or a distribution of them.

use std::fmt;
use std::str::FromStr;

/// The largest message: what fits into a client's memory many times over.
const MOST: u32 = 64 << 20;

/// A distribution of payload sizes in bytes, as `--size` has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sizes {
    written: String,
    parts: Vec<Part>,
}

/// Sizes between two bounds, both included, each as likely as the other.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Part {
    least: u32,
    most: u32,
    /// Up to which part of 1 a random number means this part.
    up_to: f64,
}

impl Sizes {
    /// One of them.
    pub(crate) fn draw(&self, random: &mut Random) -> usize {
        let chance = random.fraction();
        let part = self.parts.iter().find(|part| chance < part.up_to).or(self.parts.last());
        part.map_or(0, |part| {
            let above = if part.least == part.most {
                0
            } else {
                random.next() % u64::from(part.most - part.least + 1)
            };
            usize::try_from(u64::from(part.least) + above).unwrap_or(0)
        })
    }

    /// The largest that can come.
    pub(crate) fn largest(&self) -> usize {
        let most = self.parts.iter().map(|part| part.most).max().unwrap_or(0);
        usize::try_from(most).unwrap_or(0)
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl FromStr for Sizes {
    type Err = String;

    /// `SIZE[..SIZE][:WEIGHT],...`; a size may end in `k` (1024) or `m`.
    fn from_str(written: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut sum = 0.0;
        for part in written.split(',') {
            let (sizes, weight) = part.split_once(':').unwrap_or((part, "1"));
            let weight: f64 = weight.parse().map_err(|_| "a weight is a number")?;
            if !(weight.is_finite() && weight > 0.0) {
                return Err("a weight is more than 0".to_owned());
            }
            let (least, most) = sizes.split_once("..").unwrap_or((sizes, sizes));
            let (least, most) = (size(least)?, size(most)?);
            if least > most {
                return Err(format!("{least} is more than {most}"));
            }
            sum += weight;
            parts.push(Part { least, most, up_to: sum });
        }
        for part in &mut parts {
            part.up_to /= sum;
        }
        Ok(Self { written: written.to_owned(), parts })
    }
}

fn size(written: &str) -> Result<u32, String> {
    let lower = written.to_ascii_lowercase();
    let (digits, unit) = match lower.strip_suffix('k') {
        Some(digits) => (digits, 1 << 10),
        None => lower.strip_suffix('m').map_or((lower.as_str(), 1), |digits| (digits, 1 << 20)),
    };
    let size = digits.parse().ok().and_then(|size: u32| size.checked_mul(unit));
    match size {
        Some(size) if size <= MOST => Ok(size),
        Some(_) => Err("a message has 64m at most".to_owned()),
        None => Err("a size is a number of bytes, 16k, or 1m".to_owned()),
    }
}

/// Random numbers that differ from connection to connection and are the same in each run
/// (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Those of one connection.
    pub(crate) fn new(seed: u32) -> Self {
        Self(u64::from(seed).wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next one, between 0 and 1 (which it never is).
    fn fraction(&mut self) -> f64 {
        let high = u32::try_from(self.next() >> 32).unwrap_or(0);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_units_and_bounds() {
        for (written, largest) in [("32", 32), ("16k", 16384), ("1M", 1 << 20), ("0", 0)] {
            let sizes: Sizes = written.parse().unwrap();
            assert_eq!(sizes.largest(), largest);
            assert_eq!(sizes.draw(&mut Random::new(1)), largest);
        }
        for bad in ["", "x", "1g", "65m", "9..8", "5:0", "5:x", "5:-1", "1,,2", "-3", "4294967295m"]
        {
            assert!(bad.parse::<Sizes>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_distribution_keeps_its_weights() {
        let sizes: Sizes = "10..20:3,1k:1".parse().unwrap();
        let mut random = Random::new(7);
        let drawn: Vec<usize> = (0..4000).map(|_| sizes.draw(&mut random)).collect();
        let large = drawn.iter().filter(|size| **size == 1024).count();
        assert!((800..1200).contains(&large), "{large} of 4000");
        let small = drawn.iter().filter(|size| **size != 1024);
        let (least, most) = (small.clone().min().unwrap(), small.max().unwrap());
        assert_eq!((*least, *most), (10, 20));
        assert_eq!(sizes.largest(), 1024);
        assert_eq!(sizes.to_string(), "10..20:3,1k:1");
    }
}
