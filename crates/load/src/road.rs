//! A bad road for datagrams, in user space: rate and queue, loss, delay, and nothing at all for a while.
//!
//! It reads no clock and draws its bad luck from a seed, so one seed is one road.

use diemcau_fuzz::Chance;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Ethernet, IP and UDP around a datagram, which a line's rate counts too.
const OVERHEAD_BYTES: usize = 42;

/// How a road is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Road {
    /// Datagrams lost, of a thousand.
    pub loss: u32,
    /// On the way.
    pub delay: Duration,
    /// Bits a second; none: any.
    pub rate: Option<u64>,
    /// What waits longer for the rate than this is dropped, as at the end of a queue.
    pub queue: Duration,
    /// Nothing passes.
    pub cut: bool,
}

/// One direction of one connection on a road.
#[derive(Debug)]
pub struct Way {
    road: Road,
    luck: Chance,
    free_at: Option<Instant>,
    under_way: VecDeque<(Instant, Vec<u8>)>,
    /// What the road took.
    pub lost: u64,
}

impl Way {
    pub fn new(seed: u64) -> Self {
        Self {
            road: Road::default(),
            luck: Chance::new(seed),
            free_at: None,
            under_way: VecDeque::new(),
            lost: 0,
        }
    }

    /// From now on the road is so; what is under way arrives.
    pub fn set(&mut self, road: Road) {
        self.road = road;
    }

    /// Nothing happens to a datagram here.
    pub fn is_open(&self) -> bool {
        self.road == Road::default() && self.under_way.is_empty()
    }

    /// A datagram sets out.
    pub fn enter(&mut self, datagram: &[u8], now: Instant) {
        let Some(leaves) = self.passes(datagram.len(), now) else {
            self.lost += 1;
            return;
        };
        self.under_way
            .push_back((leaves + self.road.delay, datagram.to_vec()));
    }

    /// A datagram that has arrived.
    pub fn leave(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.under_way.front().filter(|(at, _)| *at <= now)?;
        self.under_way.pop_front().map(|(_, datagram)| datagram)
    }

    /// When the next one arrives.
    pub fn deadline(&self) -> Option<Instant> {
        self.under_way.front().map(|(at, _)| *at)
    }

    /// When a datagram is through the narrow place, if it gets through.
    fn passes(&mut self, length: usize, now: Instant) -> Option<Instant> {
        let lost = self.luck.draw() % 1_000 < u64::from(self.road.loss);
        if self.road.cut || lost {
            return None;
        }
        let Some(rate) = self.road.rate else {
            return Some(now);
        };
        let begins = self.free_at.map_or(now, |free| free.max(now));
        if begins.saturating_duration_since(now) > self.road.queue {
            return None;
        }
        let bits = (length + OVERHEAD_BYTES) as u64 * 8;
        let ends = begins + Duration::from_micros(bits * 1_000_000 / rate.max(1));
        self.free_at = Some(ends);
        Some(ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(way: &mut Way, count: usize, each: Duration, start: Instant) -> Vec<Duration> {
        let mut arrived = vec![];
        for n in 0..count {
            let now = start + each * n as u32;
            way.enter(&[n as u8; 1_208], now);
            while let Some(at) = way.deadline() {
                way.leave(at);
                arrived.push(at.saturating_duration_since(now));
            }
        }
        arrived
    }

    #[test]
    fn it_loses_its_share_and_the_same_ones_again() {
        let start = Instant::now();
        let road = Road {
            loss: 50,
            delay: Duration::from_millis(100),
            ..Road::default()
        };
        let run = |seed| {
            let mut way = Way::new(seed);
            way.set(road);
            (send(&mut way, 10_000, Duration::ZERO, start), way.lost)
        };
        let (arrived, lost) = run(7);
        assert!((400..600).contains(&lost), "{lost}");
        assert_eq!(arrived.len() as u64 + lost, 10_000);
        assert!(arrived.iter().all(|took| *took == road.delay));
        assert_eq!(run(7).1, lost);
        assert_ne!(run(8).1, lost);
    }

    #[test]
    fn a_narrow_road_keeps_its_rate_and_drops_what_waits_too_long() {
        let start = Instant::now();
        let mut way = Way::new(1);
        way.set(Road {
            rate: Some(1_000_000),
            queue: Duration::from_millis(50),
            ..Road::default()
        });
        // 1,250 bytes with what is around them are 10 ms; one comes each 5 ms.
        let arrived = send(&mut way, 200, Duration::from_millis(5), start);
        assert!((100..=108).contains(&arrived.len()), "{}", arrived.len());
        assert!(
            arrived
                .iter()
                .all(|took| *took <= Duration::from_millis(60))
        );
    }

    #[test]
    fn a_cut_road_lets_nothing_pass_and_an_open_one_all() {
        let now = Instant::now();
        let mut way = Way::new(1);
        assert!(way.is_open());
        way.set(Road {
            cut: true,
            ..Road::default()
        });
        way.enter(b"one", now);
        assert_eq!((way.leave(now), way.lost), (None, 1));
        way.set(Road::default());
        way.enter(b"two", now);
        assert_eq!(way.leave(now), Some(b"two".to_vec()));
    }
}
