//! Chance that can be had again: a stream of numbers from a seed, and other streams from it.

use std::time::Duration;

/// A stream of numbers by chance (splitmix64). What is drawn from one does not depend on how much
/// was drawn from another.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The stream of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own, told from its siblings by `name`.
    pub(crate) fn fork(&self, name: u64) -> Self {
        let mut seed = Self(self.0 ^ name.wrapping_mul(0xd6e8_feb8_6659_fd93));
        Self(seed.draw())
    }

    /// Any number.
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not zero.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap();
        usize::try_from(self.draw() % bound).unwrap()
    }

    /// Whether something happens that happens once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub(crate) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// So many milliseconds, or more, up to the second number.
    pub(crate) fn millis(&mut self, least: usize, most: usize) -> Duration {
        Duration::from_millis(u64::try_from(least + self.below(most - least)).unwrap())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_its_numbers_again_and_siblings_differ() {
        let drawn = |mut dice: Dice| [(); 8].map(|()| dice.draw());
        let dice = Dice::new(7);
        assert_eq!(drawn(dice.clone()), drawn(dice.clone()));
        assert_ne!(drawn(dice.fork(0)), drawn(dice.fork(1)));
        assert_ne!(drawn(dice.fork(1)), drawn(dice));
    }
}
