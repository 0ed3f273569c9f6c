//! How much of something may still come now: so much a second, and so much at once.

use std::time::Instant;

#[derive(Debug)]
pub struct Allowance {
    rate: f64,
    most: f64,
    left: f64,
    at: Instant,
}

impl Allowance {
    /// So many a second, and at most so many at once.
    pub fn new(rate: f64, most: f64, at: Instant) -> Self {
        Self {
            rate,
            most,
            left: most,
            at,
        }
    }

    /// Whether one may come now; if so, it counts.
    pub fn take(&mut self, now: Instant) -> bool {
        self.take_of(1, now) == 1
    }

    /// One did not count.
    pub fn give_back(&mut self) {
        self.left = (self.left + 1.0).min(self.most);
    }

    /// Whether so many may come now; if so, they count.
    pub fn take_all(&mut self, count: usize, now: Instant) -> bool {
        self.refill(now);
        let may = count as f64 <= self.left;
        if may {
            self.left -= count as f64;
        }
        may
    }

    /// How many of so many may come now; these count.
    pub fn take_of(&mut self, count: usize, now: Instant) -> usize {
        self.refill(now);
        let may = count.min(self.left as usize);
        self.left -= may as f64;
        may
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.left = (self.left + passed * self.rate).min(self.most);
    }
}
