//! How many bits a second a layer of a camera brings: what it costs to show it.

use std::time::{Duration, Instant};

/// An encoder's rate goes up and down with every picture; over so long it does not.
const WINDOW: Duration = Duration::from_secs(2);
/// What carries a payload to a client: RTP with one extension, its tag, UDP, IP and Ethernet.
const AROUND_BYTES: usize = 78;
/// A room that moves less for a while will move again: of the highest rate one part of so many is forgotten each window.
const FORGOTTEN_PARTS: u64 = 20;
/// A change by less than one part of so many changes no route.
const STEPS: u64 = 10;

/// A layer that brings more than any encoder, ...
const LAYER_MOST_BPS: u64 = 12_000_000;
/// ... for so many windows: what was held up on the road and comes at once fills two at most.
const FLOOD_WINDOWS: usize = 3;
/// What it costs then: no link bears it.
pub const FLOOD_BPS: u64 = u64::MAX;

/// The rate of one layer.
#[derive(Debug, Default)]
pub struct Rate {
    bytes: usize,
    since: Option<Instant>,
    highest: u64,
    /// Windows in turn that brought more than any encoder.
    floods: usize,
    told: Option<u64>,
}

impl Rate {
    /// A packet that is forwarded came, with so much in it.
    pub fn came(&mut self, payload: usize) {
        self.bytes = self.bytes.saturating_add(payload + AROUND_BYTES);
    }

    /// Time has passed.
    pub fn weigh(&mut self, now: Instant) {
        let since = *self.since.get_or_insert_with(|| {
            self.bytes = 0;
            now
        });
        let passed = now.saturating_duration_since(since);
        if passed < WINDOW {
            return;
        }
        let bps = (self.bytes as f64 * 8.0 / passed.as_secs_f64()) as u64;
        (self.bytes, self.since) = (0, Some(now));
        self.highest = bps.max(self.highest - self.highest / FORGOTTEN_PARTS);
        self.floods = match bps > LAYER_MOST_BPS {
            true => self.floods + 1,
            false => 0,
        };
        let is_flood = self.floods >= FLOOD_WINDOWS;
        let costs = if is_flood { FLOOD_BPS } else { self.highest };
        let differs = |told: u64| told.abs_diff(costs) > told.max(costs) / STEPS;
        if self.told.is_none_or(differs) {
            self.told = Some(costs);
        }
    }

    /// Bits a second with all that carries them, once it is measured; `FLOOD_BPS` of a flood.
    pub fn bps(&self) -> Option<u64> {
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weighs as housekeeping does, while so many bytes come in each fifth of a second; gives how often the rate changed.
    fn pass(rate: &mut Rate, now: &mut Instant, fifths: u32, bytes: usize) -> usize {
        let mut changes = 0;
        for _ in 0..fifths {
            *now += Duration::from_millis(200);
            rate.came(bytes - AROUND_BYTES);
            let before = rate.bps();
            rate.weigh(*now);
            changes += usize::from(rate.bps() != before);
        }
        changes
    }

    #[test]
    fn what_was_held_up_and_comes_at_once_is_no_flood() {
        let (mut rate, mut now) = (Rate::default(), Instant::now());
        let fifth = |mbits: usize| mbits * 1_000_000 / 8 / 5;
        pass(&mut rate, &mut now, 20, fifth(10));
        for held_fifths in [5, 10, 15] {
            for _ in 0..11 {
                pass(&mut rate, &mut now, held_fifths, AROUND_BYTES);
                pass(
                    &mut rate,
                    &mut now,
                    1,
                    fifth(10) * (held_fifths + 1) as usize,
                );
                pass(&mut rate, &mut now, 40, fifth(10));
                assert!(rate.bps() < Some(FLOOD_BPS), "held up for {held_fifths}");
                // The windows lie otherwise.
                pass(&mut rate, &mut now, 1, fifth(10));
            }
        }
        pass(&mut rate, &mut now, 40, fifth(38));
        assert_eq!(rate.bps(), Some(FLOOD_BPS));
        pass(&mut rate, &mut now, 20, fifth(10));
        assert!(rate.bps() < Some(FLOOD_BPS), "it is over");
    }

    #[test]
    fn a_rate_is_known_after_two_seconds_rises_at_once_and_falls_slowly() {
        let (mut rate, mut now) = (Rate::default(), Instant::now());
        assert_eq!(pass(&mut rate, &mut now, 10, 10_000), 0);
        assert_eq!(rate.bps(), None);
        assert_eq!(pass(&mut rate, &mut now, 1, 10_000), 1);
        assert_eq!(rate.bps(), Some(400_000));
        assert_eq!(pass(&mut rate, &mut now, 100, 10_500), 0, "no new rate");
        assert_eq!(pass(&mut rate, &mut now, 10, 150_000), 1);
        assert_eq!(rate.bps(), Some(6_000_000));
        pass(&mut rate, &mut now, 50, 10_000);
        assert!(rate.bps() > Some(4_500_000), "it may move again");
        let changes = pass(&mut rate, &mut now, 3_000, 10_000);
        assert!(rate.bps() < Some(450_000), "{rate:?}");
        assert!(changes < 40, "{changes}");
    }
}
