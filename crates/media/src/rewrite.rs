//! Makes the packets of changing sources look like one unbroken stream: pure, one `Rewriter` per slot.
//!
//! At each switch the next sequence number, a timestamp that has moved on as much as the time has, and the next
//! picture id follow the furthest that was sent; from there the source's own steps are kept, so its gaps stay visible
//! and its late packets still find their place. A step that no honest source makes begins anew as a switch does: a receiver
//! would be carried along, and could read or show nothing of who comes after.

mod last;
#[cfg(test)]
mod tests;

use crate::engine::Codec;
use crate::vp8::{self, Numbers, Vp8};
use bytes::Bytes;
use last::{Last, Offsets};
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

/// Where a stream's first number lies.
const FIRST_SEQ_MASK: u16 = 0x3fff;

#[derive(Debug)]
pub struct Rewriter {
    clock_rate: u32,
    /// The source's number of the packet the switch happened at, or of the last jump; anything before it belongs to nobody.
    from_seq: u16,
    offsets: Offsets,
    last: Option<Last>,
}

impl Rewriter {
    pub fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            from_seq: 0,
            offsets: Offsets::default(),
            last: None,
        }
    }

    /// The next packet comes from another source or layer: it follows the furthest that was sent.
    pub fn switch(&mut self, head: Head, vp8: Option<&Vp8>, now: Instant) {
        self.from_seq = head.seq;
        let Some(last) = &mut self.last else {
            // A stream begins low: a receiver that misses the first packets must not miss that the numbers began anew,
            // or it could read nothing (RFC 3711, 3.3.1).
            self.offsets.seq = (head.seq & FIRST_SEQ_MASK).wrapping_sub(head.seq);
            return;
        };
        self.offsets.seq = last.seq.wrapping_add(1).wrapping_sub(head.seq);
        self.offsets.timestamp = last.clock.go_on(now).wrapping_sub(head.timestamp);
        if let Some(id) = vp8.and_then(|vp8| vp8.picture_id) {
            self.offsets.picture_id = last.pictures.go_on().wrapping_sub(id.value);
        }
        if let Some(tl0) = vp8.and_then(|vp8| vp8.tl0) {
            self.offsets.tl0 = last.tl0.wrapping_add(1).wrapping_sub(tl0);
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

        let offsets = &mut self.offsets;
        match &mut self.last {
            None => self.last = Some(Last::first(head, offsets, vp8, self.clock_rate, now)),
            Some(last) if is_before(head.seq.wrapping_add(offsets.seq), last.seq) => {
                if !last.takes_late(head, offsets, vp8, now) {
                    return None;
                }
            }
            Some(last) => {
                if last.follow(head, offsets, vp8, now) {
                    self.from_seq = head.seq;
                }
            }
        }
        Some(RtpOut {
            codec: head.codec,
            seq: head.seq.wrapping_add(offsets.seq),
            timestamp: head.timestamp.wrapping_add(offsets.timestamp),
            marker: head.marker,
            key_frame: vp8.is_some_and(|vp8| vp8.key_frame),
            payload: payload.clone(),
            numbers: vp8.and_then(|vp8| vp8::moved(vp8, offsets.picture_id, offsets.tl0)),
        })
    }
}

/// Whether `a` comes before `b` in the circle of sequence numbers.
fn is_before(a: u16, b: u16) -> bool {
    a.wrapping_sub(b) & 0x8000 != 0
}
