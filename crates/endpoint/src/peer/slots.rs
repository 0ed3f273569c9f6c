//! What comes in each slot of the downlink.

use super::lock;
use crate::report::Meters;
use rtc::rtp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A slot of the downlink, by kind and place among its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DownSlot {
    Video(usize),
    Voice(usize),
}

/// The slots an offer declares. The first stream of an m-line is the slot; others carry repairs.
fn slots_by_ssrc(offer: &str) -> BTreeMap<u32, DownSlot> {
    let mut slots = BTreeMap::new();
    let (mut videos, mut voices) = (0, 0);
    let mut awaited = None;
    for line in offer.lines() {
        if line.starts_with("m=video") {
            awaited = Some(DownSlot::Video(videos));
            videos += 1;
        } else if line.starts_with("m=audio") {
            awaited = Some(DownSlot::Voice(voices));
            voices += 1;
        } else if line.starts_with("m=") {
            awaited = None;
        } else if let Some(rest) = line.strip_prefix("a=ssrc:")
            && let Some(slot) = awaited
            && let Some(ssrc) = rest.split(' ').next().and_then(|n| n.parse().ok())
        {
            slots.insert(ssrc, slot);
            awaited = None;
        }
    }
    slots
}

/// The slots, and what is counted of them.
pub struct Slots {
    by_ssrc: BTreeMap<u32, DownSlot>,
    meters: Arc<Mutex<Meters>>,
}

impl Slots {
    /// The slots that an offer declares.
    pub fn of(offer: &str, meters: Arc<Mutex<Meters>>) -> Self {
        Self {
            by_ssrc: slots_by_ssrc(offer),
            meters,
        }
    }

    /// A packet came.
    pub fn count(&self, packet: &rtp::Packet) {
        let (sequence, payload) = (packet.header.sequence_number, &packet.payload);
        let mut meters = lock(&self.meters);
        match self.by_ssrc.get(&packet.header.ssrc) {
            Some(DownSlot::Video(slot)) => {
                if let Some(meter) = meters.video.get_mut(*slot) {
                    meter.video(sequence, payload);
                }
            }
            Some(DownSlot::Voice(slot)) => {
                if let Some(meter) = meters.voices.get_mut(*slot) {
                    meter.sound(sequence, payload);
                }
            }
            None => tracing::debug!(ssrc = packet.header.ssrc, "a packet of no slot"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn slots_are_the_lines_of_the_offer_in_their_order() {
        let offer = "v=0\r\na=ssrc:1 cname:x\r\nm=video 9 x 96\r\na=ssrc:10 cname:a\r\na=ssrc:10 msid:a\r\n\
            a=ssrc:11 cname:repair\r\nm=video 9 x 96\r\na=ssrc:20 cname:a\r\nm=audio 9 x 111\r\n\
            a=ssrc:30 cname:a\r\nm=application 9 x\r\na=ssrc:40 cname:a\r\n";
        let expected = BTreeMap::from([
            (10, DownSlot::Video(0)),
            (20, DownSlot::Video(1)),
            (30, DownSlot::Voice(0)),
        ]);
        assert_eq!(slots_by_ssrc(offer), expected);
    }

    #[test]
    fn crafted_packets_are_counted_in_their_slots() {
        let slots = Slots {
            by_ssrc: BTreeMap::from([(7, DownSlot::Video(3)), (8, DownSlot::Voice(1))]),
            meters: Arc::default(),
        };
        let packet = |ssrc, sequence_number, payload: &'static [u8]| {
            let mut packet = rtp::Packet::default();
            packet.header.ssrc = ssrc;
            packet.header.sequence_number = sequence_number;
            packet.payload = Bytes::from_static(payload);
            packet
        };
        slots.count(&packet(7, 1, &[0x10, 0x10]));
        slots.count(&packet(7, 2, &[0x00, 0x10]));
        slots.count(&packet(8, 1, &[1]));
        slots.count(&packet(9, 1, &[1]));
        let meters = lock(&slots.meters);
        let tile = meters.video[3].counts();
        assert_eq!((tile.packets, tile.frames, tile.key_frames), (2, 1, 1));
        assert_eq!(meters.voices[1].counts().packets, 1);
        let all: u64 = meters.video.iter().map(|m| m.counts().packets).sum();
        assert_eq!(all, 2);
    }
}
