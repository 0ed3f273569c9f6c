//! What a peer has seen, to be compared with what it should have.

use crate::Mark;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// A pause in a slot that makes the next packet an opening.
const OPENING_PAUSE: Duration = Duration::from_millis(10);

/// Everything a peer has seen since its start.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub uplink_connected: bool,
    pub downlink_connected: bool,
    /// By slot: the m-line of the downlink offer.
    pub slots: BTreeMap<usize, Slot>,
    /// Key frames the server asked for, by layer.
    pub key_frames_asked: BTreeMap<u8, u32>,
    /// Media packets sent, those thrown away included.
    pub sent: u64,
    /// Media packets thrown away on the way out.
    pub lost_on_the_way_out: u64,
    /// Lost packets the server asked for again, as far as str0m counts them.
    pub nacks: u64,
    /// Media packets thrown away on the way in.
    pub lost_on_the_way_in: u64,
    /// Datagrams of every kind that came on the downlink, since it was made.
    pub datagrams_down: u64,
}

/// What came through one slot.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    pub packets: u64,
    /// By mark and layer.
    pub from: BTreeMap<(u16, u8), Tally>,
    /// Sequence numbers that never came, between the first and the last.
    pub missing: BTreeSet<u64>,
    /// Packets that came more than once, or before the first.
    pub strays: u64,
    pub last_seq: Option<u64>,
    pub last_picture_id: Option<u16>,
    /// Steps of the picture id other than 0 and 1, on packets in order.
    pub picture_jumps: u64,
    /// The timestamp of the newest packet went backwards.
    pub time_jumps: u64,
    /// When a packet came after a pause of at least 10 ms: for sound, when the gate opened.
    pub openings: Vec<Instant>,
    /// The first packet of each sender or layer that took the slot over, and when it came.
    pub firsts: Vec<(Mark, Instant)>,
    last_at: Option<Instant>,
    last_timestamp: u32,
}

#[derive(Clone, Debug)]
pub struct Tally {
    pub packets: u64,
    pub key_frames: u64,
    pub first_number: u32,
    pub first_at: Instant,
    pub last_number: u32,
    pub last_at: Instant,
    /// When the newest packet was sent, by its sender's clock, which is ours.
    pub last_sent: Instant,
    /// When the first packet was sent.
    pub first_sent: Instant,
}

impl Seen {
    /// Packets of a sender in a slot, all layers together.
    #[must_use]
    pub fn packets(&self, slot: usize, mark: u16) -> u64 {
        let slot = self.slots.get(&slot);
        let tallies = slot
            .into_iter()
            .flat_map(|slot| slot.from.range((mark, 0)..=(mark, u8::MAX)));
        tallies.map(|(_, tally)| tally.packets).sum()
    }

    /// Packets of a sender in any of the slots.
    #[must_use]
    pub fn packets_in(&self, slots: impl IntoIterator<Item = usize>, mark: u16) -> u64 {
        slots.into_iter().map(|slot| self.packets(slot, mark)).sum()
    }

    #[must_use]
    pub fn tally(&self, slot: usize, mark: u16, layer: u8) -> Option<&Tally> {
        self.slots.get(&slot)?.from.get(&(mark, layer))
    }
}

impl Slot {
    pub(crate) fn packet(
        &mut self,
        seq: u64,
        timestamp: u32,
        mark: &Mark,
        is_video: bool,
        now: Instant,
    ) {
        self.packets += 1;
        let pause = self
            .last_at
            .replace(now)
            .map(|last| now.saturating_duration_since(last));
        if pause.is_none_or(|pause| pause >= OPENING_PAUSE) {
            self.openings.push(now);
        }
        let last = self.firsts.last().map(|(mark, _)| (mark.from, mark.layer));
        if last != Some((mark.from, mark.layer)) {
            self.firsts.push((*mark, now));
        }
        match self.last_seq {
            Some(last) if seq > last => {
                self.missing.extend(last + 1..seq);
                self.ahead(seq, timestamp, mark, is_video);
            }
            Some(_) => self.strays += u64::from(!self.missing.remove(&seq)),
            None => {
                self.last_timestamp = timestamp;
                self.ahead(seq, timestamp, mark, is_video);
            }
        }
        let tally = self.from.entry((mark.from, mark.layer)).or_insert(Tally {
            packets: 0,
            key_frames: 0,
            first_number: mark.number,
            first_at: now,
            last_number: mark.number,
            last_at: now,
            last_sent: mark.sent,
            first_sent: mark.sent,
        });
        tally.packets += 1;
        tally.key_frames += u64::from(mark.key_frame);
        tally.last_number = mark.number;
        tally.last_at = now;
        tally.last_sent = mark.sent;
    }

    fn ahead(&mut self, seq: u64, timestamp: u32, mark: &Mark, is_video: bool) {
        if is_video {
            let step = self
                .last_picture_id
                .map(|last| mark.picture_id.wrapping_sub(last) & 0x7fff);
            self.picture_jumps += u64::from(step.is_some_and(|step| step > 1));
            self.last_picture_id = Some(mark.picture_id);
        }
        self.time_jumps += u64::from(timestamp.wrapping_sub(self.last_timestamp) >= 0x8000_0000);
        self.last_timestamp = timestamp;
        self.last_seq = Some(seq);
    }
}
