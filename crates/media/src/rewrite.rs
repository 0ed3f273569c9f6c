//! Makes the packets of changing sources look like one unbroken stream: pure, one `Rewriter` per slot.
//!
//! At each switch the next sequence number, a timestamp that has moved on as much as the time has, and the next
//! picture id follow whatever was sent last; from there the source's own steps are kept, so its gaps stay visible
//! and its late packets still find their place.

use crate::engine::Codec;
use crate::vp8::{self, Numbers, Vp8};
use bytes::Bytes;
use std::time::Instant;

/// What the rewriter needs of a received packet.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    pub codec: Codec,
    pub seq: u16,
    pub timestamp: u32,
    pub marker: bool,
}

/// A packet ready for a slot; the engine adds the stream number and the payload type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpOut {
    pub codec: Codec,
    pub seq: u16,
    pub timestamp: u32,
    pub marker: bool,
    /// A picture begins anew here: whoever has it needs nothing from before.
    pub key_frame: bool,
    /// The sender's, shared with everybody it goes to.
    pub payload: Bytes,
    /// What stands in its place where the payload is written.
    pub numbers: Option<Numbers>,
}

/// A source whose numbers go further at once was cut off for long, or means harm: a receiver that loses a packet of such a
/// stream can no longer tell how often the numbers have gone round (RFC 3711, 3.3.1), and reads nothing from then on.
const STEP_MAX: u16 = 1_000;
/// What a receiver sees of such a step: a gap still, so that it does not take what follows for whole.
const STEP_SEEN: u16 = 2;
/// Where a stream's first number lies.
const FIRST_SEQ_MASK: u16 = 0x3fff;

#[derive(Debug)]
pub struct Rewriter {
    clock_rate: u32,
    /// The source's number of the packet the switch happened at; anything before it belongs to nobody.
    from_seq: u16,
    seq_offset: u16,
    timestamp_offset: u32,
    picture_id_offset: u16,
    tl0_offset: u8,
    last: Option<Last>,
}

/// The furthest packet that was sent.
#[derive(Debug)]
struct Last {
    seq: u16,
    timestamp: u32,
    picture_id: u16,
    tl0: u8,
    at: Instant,
}

impl Rewriter {
    pub fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            from_seq: 0,
            seq_offset: 0,
            timestamp_offset: 0,
            picture_id_offset: 0,
            tl0_offset: 0,
            last: None,
        }
    }

    /// The next packet comes from another source or layer: it follows what was sent last.
    pub fn switch(&mut self, head: Head, vp8: Option<&Vp8>, now: Instant) {
        self.from_seq = head.seq;
        let Some(last) = &self.last else {
            // A stream begins low: a receiver that misses the first packets must not miss that the numbers began anew,
            // or it could read nothing (RFC 3711, 3.3.1).
            self.seq_offset = (head.seq & FIRST_SEQ_MASK).wrapping_sub(head.seq);
            return;
        };
        let passed = now.saturating_duration_since(last.at).as_millis();
        let ticks = (passed * u128::from(self.clock_rate) / 1_000).max(1) as u32;
        self.seq_offset = last.seq.wrapping_add(1).wrapping_sub(head.seq);
        self.timestamp_offset = last
            .timestamp
            .wrapping_add(ticks)
            .wrapping_sub(head.timestamp);
        if let Some(id) = vp8.and_then(|vp8| vp8.picture_id) {
            self.picture_id_offset = last.picture_id.wrapping_add(1).wrapping_sub(id.value);
        }
        if let Some(tl0) = vp8.and_then(|vp8| vp8.tl0) {
            self.tl0_offset = last.tl0.wrapping_add(1).wrapping_sub(tl0);
        }
    }

    /// The packet as the receiver sees it; `None` for one from before the switch.
    pub fn rewrite(
        &mut self,
        head: Head,
        payload: &Bytes,
        vp8: Option<&Vp8>,
        now: Instant,
    ) -> Option<RtpOut> {
        if is_before(head.seq, self.from_seq) {
            return None;
        }
        // Keep the border within half the number space of the newest packet, or it would seem to lie ahead.
        if head.seq.wrapping_sub(self.from_seq) > 0x4000 {
            self.from_seq = head.seq.wrapping_sub(0x2000);
        }

        let seq = self.next_seq(head.seq);
        let timestamp = head.timestamp.wrapping_add(self.timestamp_offset);
        let numbers = vp8.and_then(|vp8| vp8::moved(vp8, self.picture_id_offset, self.tl0_offset));
        if self
            .last
            .as_ref()
            .is_none_or(|last| !is_before(seq, last.seq))
        {
            // A packet without numbers (padding) leaves them where they were.
            let (last_id, last_tl0) = self
                .last
                .as_ref()
                .map_or((0, 0), |last| (last.picture_id, last.tl0));
            let id = vp8.and_then(|vp8| vp8.picture_id);
            let tl0 = vp8.and_then(|vp8| vp8.tl0);
            self.last = Some(Last {
                seq,
                timestamp,
                picture_id: id.map_or(last_id, |id| id.value.wrapping_add(self.picture_id_offset)),
                tl0: tl0.map_or(last_tl0, |tl0| tl0.wrapping_add(self.tl0_offset)),
                at: now,
            });
        }
        Some(RtpOut {
            codec: head.codec,
            seq,
            timestamp,
            marker: head.marker,
            key_frame: vp8.is_some_and(|vp8| vp8.key_frame),
            payload: payload.clone(),
            numbers,
        })
    }

    /// The number a packet leaves with.
    fn next_seq(&mut self, theirs: u16) -> u16 {
        let seq = theirs.wrapping_add(self.seq_offset);
        let Some(last) = &self.last else { return seq };
        if is_before(seq, last.seq) || seq.wrapping_sub(last.seq) <= STEP_MAX {
            return seq;
        }
        let seen = last.seq.wrapping_add(STEP_SEEN);
        self.from_seq = theirs;
        self.seq_offset = seen.wrapping_sub(theirs);
        seen
    }
}

/// Whether `a` comes before `b` in the circle of sequence numbers.
fn is_before(a: u16, b: u16) -> bool {
    a.wrapping_sub(b) & 0x8000 != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vp8::tests::payload;
    use std::time::Duration;

    struct Play {
        rewriter: Rewriter,
        now: Instant,
    }

    impl Play {
        fn new() -> Self {
            Self {
                rewriter: Rewriter::new(90_000),
                now: Instant::now(),
            }
        }

        fn switch(&mut self, seq: u16, timestamp: u32, picture: u16) -> Option<RtpOut> {
            let payload = payload(true, picture, picture as u8);
            let head = Head {
                codec: Codec::Vp8,
                seq,
                timestamp,
                marker: false,
            };
            self.rewriter
                .switch(head, vp8::read(&payload).as_ref(), self.now);
            self.packet(seq, timestamp, picture)
        }

        fn packet(&mut self, seq: u16, timestamp: u32, picture: u16) -> Option<RtpOut> {
            let payload = payload(false, picture, picture as u8);
            let head = Head {
                codec: Codec::Vp8,
                seq,
                timestamp,
                marker: false,
            };
            self.rewriter
                .rewrite(head, &payload, vp8::read(&payload).as_ref(), self.now)
        }
    }

    fn picture(packet: &RtpOut) -> (u16, u8) {
        let mut payload = packet.payload.to_vec();
        if let Some(numbers) = packet.numbers {
            numbers.write(&mut payload);
        }
        let vp8 = vp8::read(&payload).unwrap();
        (vp8.picture_id.unwrap().value, vp8.tl0.unwrap())
    }

    #[test]
    fn the_first_source_passes_unchanged() {
        let mut play = Play::new();
        let out = play.switch(100, 9_000, 5).unwrap();
        assert_eq!(
            (out.seq, out.timestamp, picture(&out)),
            (100, 9_000, (5, 5))
        );
    }

    #[test]
    fn a_switch_continues_every_number() {
        let mut play = Play::new();
        play.switch(65_535, u32::MAX, 0x7fff).unwrap();
        play.now += Duration::from_millis(100);

        let out = play.switch(40_000, 77, 200).unwrap();
        assert_eq!((out.seq, out.timestamp), (0x4000, 8_999));
        assert_eq!(picture(&out), (0, 0));

        let out = play.packet(40_002, 3_077, 201).unwrap();
        assert_eq!(
            (out.seq, out.timestamp, picture(&out)),
            (0x4002, 11_999, (1, 1))
        );
    }

    #[test]
    fn a_late_packet_keeps_its_place_and_one_from_before_the_switch_is_dropped() {
        let mut play = Play::new();
        play.switch(10, 0, 1).unwrap();
        play.switch(500, 0, 9).unwrap();
        play.packet(503, 0, 10).unwrap();
        assert_eq!(play.packet(501, 0, 9).unwrap().seq, 12);
        assert_eq!(play.packet(499, 0, 8), None);
        assert_eq!(play.packet(504, 0, 10).unwrap().seq, 15);
    }

    #[test]
    fn a_source_that_jumps_in_its_numbers_does_not_carry_the_receiver_along() {
        let mut play = Play::new();
        play.switch(10, 0, 1).unwrap();
        assert_eq!(play.packet(1_010, 0, 2).unwrap().seq, 1_010, "a short cut");
        assert_eq!(play.packet(31_010, 0, 3).unwrap().seq, 1_012);
        assert_eq!(play.packet(31_009, 0, 2), None, "from before the jump");
        assert_eq!(play.packet(31_011, 0, 3).unwrap().seq, 1_013);
        assert_eq!(play.packet(61_011, 0, 3).unwrap().seq, 1_015);
        play.switch(500, 0, 9).unwrap();
        assert_eq!(play.packet(501, 0, 9).unwrap().seq, 1_017);
    }

    #[test]
    fn the_border_of_a_switch_never_seems_to_lie_ahead() {
        let mut play = Play::new();
        play.switch(0, 0, 0).unwrap();
        for seq in (0..200_000_u32).step_by(100) {
            assert!(play.packet(seq as u16, seq, 0).is_some(), "at {seq}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_run_of_switches_gives_one_unbroken_stream(
            sources in proptest::collection::vec((0_u16.., 0_u32.., 0_u16..0x8000, 1_u16..40), 1..20)
        ) {
            let mut play = Play::new();
            let mut previous: Option<RtpOut> = None;
            for (seq, timestamp, first_picture, length) in sources {
                for step in 0..length {
                    let at = (seq.wrapping_add(step), timestamp.wrapping_add(u32::from(step) * 3_000), (first_picture + step) & 0x7fff);
                    let out = if step == 0 { play.switch(at.0, at.1, at.2) } else { play.packet(at.0, at.1, at.2) };
                    let out = out.unwrap();
                    if let Some(previous) = previous {
                        proptest::prop_assert_eq!(out.seq, previous.seq.wrapping_add(1));
                        proptest::prop_assert_eq!(picture(&out).0, (picture(&previous).0 + 1) & 0x7fff);
                        proptest::prop_assert!(out.timestamp.wrapping_sub(previous.timestamp) < 0x8000_0000);
                    }
                    previous = Some(out);
                    play.now += Duration::from_millis(33);
                }
            }
        }
    }
}
