//! What a room saw of a site: frames shown, freezes, sounds. A model of a browser's receiver without a decoder.
//!
//! A frame is shown when all its packets are there and the one before it was shown, or when it is a key frame. A
//! picture that stands still while packets come asks for a key frame after as long as Chromium does.

use crate::packets::Stamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Chromium's `kMaxWaitForFrame`: then it asks for a key frame.
const STUCK: Duration = Duration::from_secs(3);
/// And again after `kMaxWaitForKeyFrame`.
const STUCK_AGAIN: Duration = Duration::from_millis(200);
/// Frames that wait for an earlier one; the oldest are given up then.
const WAITING_MAX: usize = 300;
/// A freeze by the W3C's definition (webrtc-stats, freezeCount) is this much more than the usual time between frames.
const FREEZE_MORE: Duration = Duration::from_millis(150);

/// What one room sees and hears of one site.
#[derive(Debug)]
pub struct Watch {
    begun: Instant,
    waiting: BTreeMap<(u32, u8), Arriving>,
    /// The layer and the frame shown last.
    shown: Option<(u8, u32)>,
    shown_at: Vec<(Instant, u8)>,
    packet_at: Option<Instant>,
    asked_at: Option<Instant>,
    sounds: Vec<(u32, Instant)>,
}

#[derive(Debug, Default)]
struct Arriving {
    parts: Vec<u8>,
    wanted: u8,
    key_frame: bool,
}

/// What was seen and heard over a span of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Seen {
    /// Frames shown a second.
    pub fps: f64,
    /// By layer, 0 the smallest: frames shown.
    pub layers: BTreeMap<u8, u64>,
    /// Times the picture stood still, by the W3C's definition.
    pub freezes: usize,
    /// The longest standstill, in milliseconds; from the span's beginning and to its end too.
    pub longest_freeze_ms: u64,
    /// Sounds heard, of the fifty a second that were sent, in percent.
    pub sound_percent: f64,
    /// The longest time without a sound, in milliseconds.
    pub longest_silence_ms: u64,
}

impl Watch {
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            begun: now,
            waiting: BTreeMap::new(),
            shown: None,
            shown_at: vec![],
            packet_at: None,
            asked_at: None,
            sounds: vec![],
        }
    }

    /// A packet came.
    pub fn packet(&mut self, stamp: &Stamp, now: Instant) {
        if stamp.parts == 0 {
            self.sounds.push((stamp.frame, now));
            return;
        }
        self.packet_at = Some(now);
        if self.shown.is_some_and(|(layer, frame)| {
            layer == stamp.layer && frame.wrapping_sub(stamp.frame) < u32::MAX / 2
        }) {
            return;
        }
        let arriving = self.waiting.entry((stamp.frame, stamp.layer)).or_default();
        arriving.wanted = stamp.parts;
        arriving.key_frame |= stamp.key_frame;
        if !arriving.parts.contains(&stamp.part) {
            arriving.parts.push(stamp.part);
        }
        self.show(now);
        while self.waiting.len() > WAITING_MAX {
            self.waiting.pop_first();
        }
    }

    /// Whether the receiver asks for a key frame now; it counts as asked.
    pub fn asks_for_key_frame(&mut self, now: Instant) -> bool {
        let since = |at: Option<Instant>| now.saturating_duration_since(at.unwrap_or(self.begun));
        let last = self.shown_at.last().map(|(at, _)| *at);
        let comes = self.packet_at.is_some() && since(self.packet_at) < STUCK_AGAIN;
        let stuck = since(last) >= STUCK || (last.is_none() && since(None) >= STUCK_AGAIN);
        let again = self.asked_at.is_none() || since(self.asked_at) >= STUCK_AGAIN;
        let asks = comes && stuck && again;
        if asks {
            self.asked_at = Some(now);
        }
        asks
    }

    /// When the first frame after a moment was shown.
    #[must_use]
    pub fn shown_after(&self, moment: Instant) -> Option<Instant> {
        let after = self.shown_at.iter().find(|(at, _)| *at >= moment);
        after.map(|(at, _)| *at)
    }

    /// When, after a moment, the first frame was shown of a layer as good as the best before it.
    #[must_use]
    pub fn whole_after(&self, moment: Instant) -> Option<Instant> {
        let (before, after) = self
            .shown_at
            .split_at(self.shown_at.partition_point(|(at, _)| *at < moment));
        let best = before.iter().map(|(_, layer)| *layer).max()?;
        let whole = after.iter().find(|(_, layer)| *layer >= best);
        whole.map(|(at, _)| *at)
    }

    /// When the first sound after a moment came.
    #[must_use]
    pub fn heard_after(&self, moment: Instant) -> Option<Instant> {
        let after = self.sounds.iter().find(|(_, at)| *at >= moment);
        after.map(|(_, at)| *at)
    }

    /// The span's figures.
    #[must_use]
    pub fn seen(&self, from: Instant, to: Instant) -> Seen {
        let within = |at: &Instant| (from..to).contains(at);
        let shown: Vec<_> = self.shown_at.iter().filter(|(at, _)| within(at)).collect();
        let seconds = to.saturating_duration_since(from).as_secs_f64().max(0.001);
        let mut layers = BTreeMap::new();
        for (_, layer) in &shown {
            *layers.entry(*layer).or_default() += 1;
        }
        let gaps = gaps(from, to, shown.iter().map(|(at, _)| *at));
        let mean = to.saturating_duration_since(from) / (shown.len() as u32 + 1);
        let usual = mean.min(Duration::from_millis(100));
        let freeze = (usual * 3).max(usual + FREEZE_MORE);
        let heard: Vec<_> = self.sounds.iter().filter(|(_, at)| within(at)).collect();
        let mut numbers: Vec<u32> = heard.iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let silences = self::gaps(from, to, heard.iter().map(|(_, at)| *at));
        Seen {
            fps: round(shown.len() as f64 / seconds),
            layers,
            freezes: gaps.iter().filter(|gap| **gap > freeze).count(),
            longest_freeze_ms: longest(&gaps),
            sound_percent: round(numbers.len() as f64 * 100.0 / (seconds * 50.0)),
            longest_silence_ms: longest(&silences),
        }
    }

    fn show(&mut self, now: Instant) {
        while let Some(next) = self.next() {
            let (frame, layer) = next;
            self.shown = Some((layer, frame));
            self.shown_at.push((now, layer));
            // What was sent before it is of no use any more.
            self.waiting
                .retain(|(other, of), _| *of != layer || other.wrapping_sub(frame) < u32::MAX / 2);
            self.waiting.remove(&next);
        }
    }

    /// The frame that can be shown now: the next one, else the oldest whole key frame.
    fn next(&self) -> Option<(u32, u8)> {
        let whole = |arriving: &Arriving| arriving.parts.len() == usize::from(arriving.wanted);
        let follows = self.shown.map(|(layer, frame)| (frame + 1, layer));
        let follows = follows.filter(|next| self.waiting.get(next).is_some_and(whole));
        follows.or_else(|| {
            let mut keys = self.waiting.iter();
            let key = keys.find(|(_, arriving)| arriving.key_frame && whole(arriving));
            key.map(|(at, _)| *at)
        })
    }
}

/// The times between moments, and from the beginning and to the end.
fn gaps(from: Instant, to: Instant, moments: impl Iterator<Item = Instant>) -> Vec<Duration> {
    let mut last = from;
    let mut gaps = vec![];
    for moment in moments.chain([to]) {
        gaps.push(moment.saturating_duration_since(last));
        last = moment;
    }
    gaps
}

fn longest(gaps: &[Duration]) -> u64 {
    gaps.iter().max().map_or(0, |gap| gap.as_millis() as u64)
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(33);

    fn stamp(frame: u32, part: u8, key_frame: bool) -> Stamp {
        Stamp {
            frame,
            part,
            parts: 2,
            key_frame,
            ..Stamp::default()
        }
    }

    #[test]
    fn a_lost_packet_stops_the_picture_until_it_is_sent_again() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        for frame in 0..30 {
            let now = start + FRAME * frame;
            watch.packet(&stamp(frame, 0, frame == 0), now);
            if frame != 10 {
                watch.packet(&stamp(frame, 1, frame == 0), now);
            }
            if frame == 20 {
                watch.packet(&stamp(10, 1, false), now);
            }
        }
        let seen = watch.seen(start, start + FRAME * 30);
        assert_eq!(seen.layers[&0], 30);
        assert_eq!(seen.freezes, 1);
        assert!((350..=370).contains(&seen.longest_freeze_ms), "{seen:?}");
    }

    #[test]
    fn a_small_picture_is_back_before_the_whole_one_is() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        for (frame, layer) in [2, 2, 0, 0, 2].into_iter().enumerate() {
            let now = start + FRAME * frame as u32;
            for part in 0..2 {
                let stamp = stamp(frame as u32, part, true);
                watch.packet(&Stamp { layer, ..stamp }, now);
            }
        }
        let cut = start + FRAME * 2;
        assert_eq!(watch.shown_after(cut), Some(cut));
        assert_eq!(watch.whole_after(cut), Some(start + FRAME * 4));
        assert_eq!(watch.whole_after(start), None, "as good as what?");
    }

    #[test]
    fn without_it_a_key_frame_is_asked_for_and_goes_on() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        let mut asked = vec![];
        for frame in 0..150 {
            let now = start + FRAME * frame;
            let key_frame = frame == 0 || frame == 120;
            if frame != 10 {
                watch.packet(&stamp(frame, 0, key_frame), now);
            }
            watch.packet(&stamp(frame, 1, key_frame), now);
            if watch.asks_for_key_frame(now) {
                asked.push(frame);
            }
        }
        assert!((100..=103).contains(&asked[0]), "{asked:?}");
        assert!(asked.iter().all(|frame| *frame <= 120), "{asked:?}");
        let seen = watch.seen(start, start + FRAME * 150);
        assert_eq!(seen.layers[&0], 10 + 30);
        assert_eq!(seen.freezes, 1);
    }

    #[test]
    fn sounds_are_counted_once_and_silence_is_measured() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        for number in (0..50).filter(|number| !(20..30).contains(number)) {
            let stamp = Stamp {
                frame: number,
                ..Stamp::default()
            };
            watch.packet(&stamp, start + Duration::from_millis(20) * number);
            watch.packet(&stamp, start + Duration::from_millis(20) * number);
        }
        let seen = watch.seen(start, start + Duration::from_secs(1));
        assert_eq!(seen.sound_percent, 80.0);
        assert_eq!(seen.longest_silence_ms, 220);
        assert_eq!(seen.fps, 0.0);
        assert_eq!(seen.longest_freeze_ms, 1_000);
    }
}
