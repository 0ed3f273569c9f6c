//! The furthest of each number that was sent in a slot, and which step of a source's there is room for: pure.

use super::Head;
use crate::allowance::Allowance;
use crate::vp8::{PictureId, Vp8};
use std::time::Instant;

/// Numbers that a source may leave out at once, and a second: what is lost on its way, or in a cut. One whose numbers go
/// further means harm, or was cut off for long: a receiver that loses packets of such a stream in a row can no longer tell how
/// often the numbers have gone round (RFC 3711, 3.3.1), and reads nothing from then on. The same of pictures by their ids.
const GAPS_AT_ONCE: f64 = 1_000.0;
const GAPS_A_SECOND: f64 = 500.0;
/// What a receiver sees of a step for which there is no room: a gap still, so that it does not take what follows for whole.
const STEP_SEEN: u16 = 2;
/// Seconds by which a source's clock may be ahead of ours: what a stalled road held comes at once. It may go so much faster,
/// too: by one part of so many, or it would be ahead for ever.
const AHEAD_SECONDS: u32 = 10;
const FASTER_PARTS: u32 = 8;
/// Seconds by which a packet may be of before the furthest: pictures may leave in another order than they are shown in.
const BACK_SECONDS: u32 = 1;
/// The same of a late packet, which fills a gap: in ticks, for a picture may stand for long; and in ids.
const LATE_TICKS: u32 = 1 << 30;
const LATE_IDS: u16 = 1_000;

/// What is added to a source's numbers.
#[derive(Debug, Default)]
pub struct Offsets {
    pub seq: u16,
    pub timestamp: u32,
    pub picture_id: u16,
    pub tl0: u8,
}

/// The furthest of each number that was sent.
#[derive(Debug)]
pub struct Last {
    pub seq: u16,
    gaps: Allowance,
    pub clock: Clock,
    pub pictures: Pictures,
    pub tl0: u8,
}

#[derive(Debug)]
pub struct Clock {
    rate: u32,
    timestamp: u32,
    at: Instant,
    /// In ticks.
    ahead: u32,
}

#[derive(Debug)]
pub struct Pictures {
    /// Counted on in the long form, also of a source that writes the short one.
    id: u16,
    gaps: Allowance,
}

impl Last {
    pub fn first(
        head: Head,
        offsets: &Offsets,
        vp8: Option<&Vp8>,
        clock_rate: u32,
        now: Instant,
    ) -> Self {
        let gaps = || Allowance::new(GAPS_A_SECOND, GAPS_AT_ONCE, now);
        let id = vp8.and_then(|vp8| vp8.picture_id);
        Self {
            seq: head.seq.wrapping_add(offsets.seq),
            gaps: gaps(),
            clock: Clock {
                rate: clock_rate,
                timestamp: head.timestamp,
                at: now,
                ahead: 0,
            },
            pictures: Pictures {
                id: id.map_or(0, |id| id.value),
                gaps: gaps(),
            },
            tl0: vp8.and_then(|vp8| vp8.tl0).unwrap_or(0),
        }
    }

    /// A packet leaves that is further than any before it. A number of it for whose step there is no room goes on as if the
    /// source had begun anew; true if one did. One without numbers (padding) leaves them where they were.
    pub fn follow(
        &mut self,
        head: Head,
        offsets: &mut Offsets,
        vp8: Option<&Vp8>,
        now: Instant,
    ) -> bool {
        let mut jumped = false;
        let step = head.seq.wrapping_add(offsets.seq).wrapping_sub(self.seq);
        if step > 1 && !self.gaps.take_all((step - 1).into(), now) {
            offsets.seq = self.seq.wrapping_add(STEP_SEEN).wrapping_sub(head.seq);
            jumped = true;
        }
        self.seq = head.seq.wrapping_add(offsets.seq);

        let timestamp = head.timestamp.wrapping_add(offsets.timestamp);
        let back = BACK_SECONDS * self.clock.rate;
        if timestamp != self.clock.timestamp && !self.clock.takes(timestamp, back, now) {
            offsets.timestamp = self.clock.go_on(now).wrapping_sub(head.timestamp);
            jumped = true;
        }
        let Some(vp8) = vp8 else { return jumped };
        if let Some(id) = vp8.picture_id
            && !self.pictures.takes(id, offsets.picture_id, 0, now)
        {
            offsets.picture_id = self.pictures.go_on().wrapping_sub(id.value);
            jumped = true;
        }
        if let Some(tl0) = vp8.tl0 {
            if is_back(tl0.wrapping_add(offsets.tl0).wrapping_sub(self.tl0)) {
                offsets.tl0 = self.tl0.wrapping_add(1).wrapping_sub(tl0);
                jumped = true;
            }
            self.tl0 = tl0.wrapping_add(offsets.tl0);
        }
        jumped
    }

    /// Whether a packet fills a gap, and is no further than what left after it but in its number.
    pub fn takes_late(
        &mut self,
        head: Head,
        offsets: &Offsets,
        vp8: Option<&Vp8>,
        now: Instant,
    ) -> bool {
        let timestamp = head.timestamp.wrapping_add(offsets.timestamp);
        let mut takes = self.clock.takes(timestamp, LATE_TICKS, now);
        if let Some(id) = vp8.and_then(|vp8| vp8.picture_id) {
            let ids = &mut self.pictures;
            takes = takes && ids.takes(id, offsets.picture_id, LATE_IDS, now);
        }
        takes
    }
}

impl Clock {
    /// Whether a timestamp is not further back than so much, nor ahead of what the time allows. If so, it counts.
    fn takes(&mut self, timestamp: u32, back: u32, now: Instant) -> bool {
        let step = timestamp.wrapping_sub(self.timestamp) as i32;
        if step <= 0 {
            return step.unsigned_abs() <= back;
        }
        let passed = self.passed(now);
        let may = passed.saturating_add(passed / FASTER_PARTS);
        let ahead = (self.ahead + step.unsigned_abs()).saturating_sub(may);
        if ahead > AHEAD_SECONDS * self.rate {
            return false;
        }
        (self.timestamp, self.at, self.ahead) = (timestamp, now, ahead);
        true
    }

    /// The timestamp of what begins anew: it has moved on as much as the time has.
    pub fn go_on(&mut self, now: Instant) -> u32 {
        self.timestamp = self.timestamp.wrapping_add(self.passed(now).max(1));
        self.at = now;
        self.timestamp
    }

    /// Never half the circle or more: that would be a step back.
    fn passed(&self, now: Instant) -> u32 {
        let passed = now.saturating_duration_since(self.at);
        let whole = passed.as_secs().saturating_mul(self.rate.into());
        let ms = u64::from(passed.subsec_millis());
        let ticks = whole.saturating_add(ms * u64::from(self.rate) / 1_000);
        ticks.min(i32::MAX as u64) as u32
    }
}

impl Pictures {
    /// Whether an id is not further back than so much, nor ahead of what there is room for. If so, it counts.
    fn takes(&mut self, id: PictureId, offset: u16, back: u16, now: Instant) -> bool {
        let circle = id.mask();
        let step = id.value.wrapping_add(offset).wrapping_sub(self.id) & circle;
        if step == 0 {
            return true;
        }
        if step > circle / 2 {
            return circle - step < back;
        }
        if step > 1 && !self.gaps.take_all((step - 1).into(), now) {
            return false;
        }
        self.id = self.id.wrapping_add(step);
        true
    }

    /// The id of what begins anew.
    pub fn go_on(&mut self) -> u16 {
        self.id = self.id.wrapping_add(1);
        self.id
    }
}

fn is_back(step: u8) -> bool {
    step & 0x80 != 0
}
