//! Which of the newest numbers came, so that a repeated packet is known.

/// Bits of a word.
const BITS: u64 = u64::BITS as u64;

/// The last `WORDS` times 64 numbers; an older one counts as repeated.
#[derive(Clone, Debug)]
pub struct Window<const WORDS: usize> {
    newest: Option<u64>,
    /// A bit each, by the number's remainder.
    seen: [u64; WORDS],
}

impl<const WORDS: usize> Window<WORDS> {
    const NUMBERS: u64 = WORDS as u64 * BITS;

    pub fn new() -> Self {
        Self {
            newest: None,
            seen: [0; WORDS],
        }
    }

    pub fn newest(&self) -> Option<u64> {
        self.newest
    }

    /// Whether a number did not come before, and is not too old to tell.
    pub fn is_new(&self, number: u64) -> bool {
        let Some(newest) = self.newest else {
            return true;
        };
        if number > newest {
            return true;
        }
        let (word, bit) = Self::place(number);
        let seen = self.seen.get(word).is_none_or(|word| word & bit != 0);
        newest - number < Self::NUMBERS && !seen
    }

    pub fn add(&mut self, number: u64) {
        match self.newest {
            Some(newest) if number <= newest => {}
            Some(newest) if number - newest < Self::NUMBERS => {
                (newest + 1..number).for_each(|skipped| self.put(skipped, false));
                self.newest = Some(number);
            }
            Some(_) | None => {
                self.seen = [0; WORDS];
                self.newest = Some(number);
            }
        }
        self.put(number, true);
    }

    fn put(&mut self, number: u64, came: bool) {
        let (word, bit) = Self::place(number);
        let Some(word) = self.seen.get_mut(word) else {
            return;
        };
        match came {
            true => *word |= bit,
            false => *word &= !bit,
        }
    }

    /// The word of a number and its bit in it.
    fn place(number: u64) -> (usize, u64) {
        let place = number % Self::NUMBERS;
        ((place / BITS) as usize, 1 << (place % BITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_window_knows_what_came() {
        let mut window = Window::<1>::new();
        window.add(100);
        assert!(!window.is_new(100));
        window.add(90);
        assert!(!window.is_new(90) && window.is_new(91));
        assert!(!window.is_new(36), "too old to tell");
        assert!(window.is_new(37));
        window.add(500);
        assert!(window.is_new(437) && window.is_new(499) && window.is_new(501));
    }

    proptest::proptest! {
        #[test]
        fn it_says_what_a_set_says(steps in proptest::collection::vec(0_u64..700, 1..400)) {
            let mut window = Window::<4>::new();
            let mut came = BTreeSet::new();
            let mut at = 1_000;
            for step in steps {
                // Mostly near the newest, before it and behind; now and then far ahead.
                at += if step > 690 { step } else { step % 7 };
                let number = at - step % 300;
                let newest = came.last().copied().unwrap_or(number);
                let is_new = !came.contains(&number) && number + 256 > newest;
                proptest::prop_assert_eq!(window.is_new(number), is_new, "{} after {}", number, newest);
                if is_new {
                    window.add(number);
                    came.insert(number);
                }
            }
        }
    }
}
