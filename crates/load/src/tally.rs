//! Counts what was sent and what arrived within a measuring window, and how long it took.

use crate::packets::Stamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// One window's figures.
#[derive(Debug, Default)]
pub struct Tally {
    window: u8,
    sent: BTreeMap<Stream, u64>,
    received: Vec<u64>,
    delays_us: Vec<u32>,
}

/// A site's sound or its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stream {
    pub site: u16,
    pub is_video: bool,
}

/// What a window came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// Packets that should have been received: those sent, times those who are shown them.
    pub expected: u64,
    /// Packets received of them.
    pub delivered: u64,
    /// Of these, sound.
    pub delivered_sounds: u64,
    /// `delivered` by `expected`.
    pub ratio: f64,
    /// From the sending application to the receiving one, in milliseconds.
    pub delay_p50_ms: f64,
    pub delay_p99_ms: f64,
}

const SITES_MAX: usize = diemcau_model::limits::SITES_MAX;

impl Tally {
    /// Begins a window; 0 is none.
    pub fn open(&mut self, window: u8) {
        *self = Self {
            window,
            received: vec![0; SITES_MAX * SITES_MAX * 2],
            ..Self::default()
        };
    }

    pub fn sent(&mut self, stamp: &Stamp) {
        if stamp.window == self.window && self.window > 0 {
            *self.sent.entry(stream(stamp)).or_default() += 1;
        }
    }

    /// A packet reached a site.
    pub fn received(&mut self, at: u16, stamp: &Stamp, now_us: u64) {
        if stamp.window != self.window || self.window == 0 {
            return;
        }
        if let Some(count) = self.received.get_mut(place(at, stream(stamp))) {
            *count += 1;
        }
        let delay = now_us.saturating_sub(stamp.sent);
        self.delays_us
            .push(u32::try_from(delay).unwrap_or(u32::MAX));
    }

    /// What came of the window, if every stream should have reached those for whom `shown` says so.
    pub fn outcome(&mut self, sites: u16, shown: impl Fn(Stream, u16) -> bool) -> Outcome {
        let mut outcome = Outcome::default();
        for (stream, sent) in &self.sent {
            for to in (0..sites).filter(|to| shown(*stream, *to)) {
                let received = self.received.get(place(to, *stream)).copied();
                let received = received.unwrap_or_default();
                outcome.expected += sent;
                outcome.delivered += received;
                outcome.delivered_sounds += if stream.is_video { 0 } else { received };
            }
        }
        outcome.ratio = outcome.delivered as f64 / outcome.expected.max(1) as f64;
        self.delays_us.sort_unstable();
        outcome.delay_p50_ms = percentile(&self.delays_us, 50);
        outcome.delay_p99_ms = percentile(&self.delays_us, 99);
        outcome
    }
}

fn stream(stamp: &Stamp) -> Stream {
    Stream {
        site: stamp.site,
        is_video: stamp.parts > 0,
    }
}

fn place(at: u16, stream: Stream) -> usize {
    (usize::from(at) * SITES_MAX + usize::from(stream.site)) * 2 + usize::from(stream.is_video)
}

fn percentile(sorted_us: &[u32], percent: usize) -> f64 {
    let at = (sorted_us.len() * percent / 100).min(sorted_us.len().saturating_sub(1));
    f64::from(sorted_us.get(at).copied().unwrap_or_default()) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_shows_and_other_windows_do_not_count() {
        let mut tally = Tally::default();
        tally.open(2);
        let stamp = |site, window, parts| Stamp {
            site,
            window,
            parts,
            sent: 1_000,
            ..Stamp::default()
        };
        for n in 0..100_u64 {
            tally.sent(&stamp(0, 2, 6));
            tally.received(1, &stamp(0, 2, 6), 2_000 + n * 1_000);
            if n < 99 {
                tally.received(2, &stamp(0, 2, 6), 2_000);
            }
            tally.sent(&stamp(0, 1, 6));
            tally.received(1, &stamp(0, 1, 6), 9_000_000);
        }
        tally.sent(&stamp(1, 2, 0));
        tally.received(2, &stamp(1, 2, 0), 2_000);
        let outcome = tally.outcome(3, |stream, to| {
            to != stream.site && (stream.is_video || to == 2)
        });
        assert_eq!((outcome.expected, outcome.delivered), (201, 200));
        assert_eq!(outcome.delivered_sounds, 1);
        assert!(outcome.ratio < 0.999);
        assert!(outcome.delay_p50_ms <= 2.0 && outcome.delay_p99_ms > 90.0);
    }
}
