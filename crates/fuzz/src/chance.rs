//! Everything that tests and simulations leave to chance comes from here, and all of it from the seed.

use std::{ops::RangeInclusive, time::Duration};

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same on every machine.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when there is none.
    pub fn below(&mut self, end: usize) -> usize {
        self.draw()
            .checked_rem(end as u64)
            .map_or(0, |drawn| drawn as usize)
    }

    /// A number of a range.
    pub fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        let span = range.end().saturating_sub(*range.start()) + 1;
        range.start() + self.draw() % span
    }

    /// So many milliseconds.
    pub fn millis(&mut self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.within(range))
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, of_hundred: u64) -> bool {
        self.draw() % 100 < of_hundred
    }

    /// One of several; none of none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let at = self.below(from.len());
        from.get(at)
    }

    /// One of several, each as often as its weight says; none when no weight is above 0.
    pub fn weighed<T: Copy>(&mut self, from: &[(u64, T)]) -> Option<T> {
        let all: u64 = from.iter().map(|(weight, _)| weight).sum();
        let mut at = self.draw().checked_rem(all)?;
        for (weight, one) in from {
            if at < *weight {
                return Some(*one);
            }
            at -= weight;
        }
        None
    }
}
