//! What arrives, counted per slot. Pure: packets in, figures out.

use diemcau_model::SiteId;
use diemcau_model::limits::{AUDIO_SLOTS, PICTURE_SLOTS};
use std::fmt;

/// Video slots of a downlink: the programme, the tiles, the presentation.
pub const VIDEO_SLOTS: usize = PICTURE_SLOTS;

/// A step in the sequence numbers larger than this is another source, not loss.
const GAP_MAX: i16 = 1_000;

/// What an endpoint sent and received since it began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The site it is; none before the first welcome.
    pub site: Option<SiteId>,
    /// The site's short name, or the seat's label.
    pub name: String,
    /// Whether the server has admitted it and the connection is open.
    pub joined: bool,
    /// Whether the uplink works.
    pub uplink: bool,
    /// Whether the downlink works.
    pub downlink: bool,
    /// Connections lost so far.
    pub lost_connections: u32,
    /// What was sent.
    pub sent: Sent,
    /// Video by slot: the programme, then the tiles.
    pub video: Vec<SlotReport>,
    /// Sound by slot.
    pub voices: Vec<SlotReport>,
}

/// What an endpoint sent since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Packets of sound.
    pub audio_packets: u64,
    /// Packets of video.
    pub video_packets: u64,
    /// Key frames.
    pub key_frames: u64,
    /// Key frames the server asked for; several wishes within one frame are one.
    pub key_requests: u64,
}

/// One slot of the downlink.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SlotReport {
    /// The site the server says it shows; always none for sound.
    pub site: Option<SiteId>,
    /// What arrived since the beginning.
    pub total: Counts,
    /// Packets a second since the report before.
    pub packets_per_s: f32,
    /// Frames a second since the report before.
    pub frames_per_s: f32,
}

/// Figures of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets with a payload.
    pub packets: u64,
    /// Video frames that began.
    pub frames: u64,
    /// Key frames among them.
    pub key_frames: u64,
    /// Sequence numbers that never came.
    pub lost: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = |works: bool| if works { "up" } else { "DOWN" };
        write!(
            f,
            "{}: server {}, uplink {}, downlink {}, sent {} + {} packets, {} key frames",
            self.name,
            state(self.joined),
            state(self.uplink),
            state(self.downlink),
            self.sent.audio_packets,
            self.sent.video_packets,
            self.sent.key_frames,
        )?;
        for (slot, video) in self.video.iter().enumerate() {
            // A tile that is not received is not worth a word; a silent programme is.
            if video.packets_per_s == 0.0 && (slot > 0 || video.site.is_none()) {
                continue;
            }
            match slot.checked_sub(1) {
                None => write!(f, "; programme")?,
                Some(tile) => write!(f, "; tile {tile}")?,
            }
            match video.site {
                Some(site) => write!(f, " shows site {site}")?,
                None => write!(f, " shows nobody")?,
            }
            let Counts {
                key_frames, lost, ..
            } = video.total;
            write!(
                f,
                ": {:.0} packets/s, {:.1} frames/s, {key_frames} key frames, {lost} lost",
                video.packets_per_s, video.frames_per_s,
            )?;
        }
        for (slot, voice) in self.voices.iter().enumerate() {
            if voice.packets_per_s > 0.0 {
                write!(f, "; voice {slot}: {:.0} packets/s", voice.packets_per_s)?;
            }
        }
        Ok(())
    }
}

/// Counts one stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter {
    counts: Counts,
    newest: Option<u16>,
}

impl Meter {
    /// What arrived so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// A packet of sound. One without payload is padding and only keeps the sequence whole.
    pub fn sound(&mut self, sequence: u16, payload: &[u8]) {
        self.follow(sequence);
        if !payload.is_empty() {
            self.counts.packets += 1;
        }
    }

    /// A packet of VP8.
    pub fn video(&mut self, sequence: u16, payload: &[u8]) {
        self.follow(sequence);
        if payload.is_empty() {
            return;
        }
        self.counts.packets += 1;
        if let Some(key) = frame_begins(payload) {
            self.counts.frames += 1;
            self.counts.key_frames += u64::from(key);
        }
    }

    fn follow(&mut self, sequence: u16) {
        let Some(newest) = self.newest else {
            self.newest = Some(sequence);
            return;
        };
        let step = sequence.wrapping_sub(newest).cast_signed();
        if step.saturating_abs() > GAP_MAX {
            self.newest = Some(sequence);
        } else if step > 0 {
            self.counts.lost += u64::from((step - 1).unsigned_abs());
            self.newest = Some(sequence);
        } else if step < 0 {
            self.counts.lost = self.counts.lost.saturating_sub(1); // late or sent again, not lost
        }
    }
}

/// Whether a VP8 payload (RFC 7741) begins a frame, and if so, whether it is a key frame.
fn frame_begins(payload: &[u8]) -> Option<bool> {
    let first = *payload.first()?;
    let (start, partition) = (first & 0x10 != 0, first & 0x0F);
    if !start || partition != 0 {
        return None;
    }
    let mut at = 1;
    if first & 0x80 != 0 {
        let extension = *payload.get(at)?;
        at += 1;
        if extension & 0x80 != 0 {
            at += if payload.get(at)? & 0x80 == 0 { 1 } else { 2 };
        }
        at += usize::from(extension & 0x40 != 0);
        at += usize::from(extension & 0x30 != 0);
    }
    Some(payload.get(at)? & 1 == 0)
}

/// All slots of a downlink.
#[derive(Clone, Debug)]
pub struct Meters {
    /// The programme, then the tiles.
    pub video: [Meter; VIDEO_SLOTS],
    /// Sound.
    pub voices: [Meter; AUDIO_SLOTS],
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            video: [Meter::default(); VIDEO_SLOTS],
            voices: [Meter::default(); AUDIO_SLOTS],
        }
    }
}

impl Meters {
    /// The streams will start anew with sequence numbers of their own.
    pub fn made_anew(&mut self) {
        for meter in self.video.iter_mut().chain(&mut self.voices) {
            meter.newest = None;
        }
    }
}

/// The figures of one slot now, with rates against the report before, `seconds` ago.
#[must_use]
pub fn slot_report(
    meter: &Meter,
    site: Option<SiteId>,
    before: Option<&SlotReport>,
    seconds: f32,
) -> SlotReport {
    let total = meter.counts();
    let was = before.map_or_else(Counts::default, |b| b.total);
    let rate = |now: u64, then: u64| now.saturating_sub(then) as f32 / seconds.max(0.001);
    SlotReport {
        site,
        total,
        packets_per_s: rate(total.packets, was.packets),
        frames_per_s: rate(total.frames, was.frames),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::packetise;
    use bytes::Bytes;

    fn frame(key: bool, length: usize) -> Bytes {
        let mut bytes = vec![u8::from(!key); length];
        bytes[0] |= 0x10;
        bytes.into()
    }

    #[test]
    fn frames_and_key_frames_are_counted_by_their_first_packet() {
        let mut meter = Meter::default();
        let mut sequence = 65_534_u16; // wraps on the way
        for (n, key) in [true, false, false, true, false].into_iter().enumerate() {
            for payload in packetise(&frame(key, 3_000), n as u16, !key) {
                meter.video(sequence, &payload);
                sequence = sequence.wrapping_add(1);
            }
        }
        let expected = Counts {
            packets: 15,
            frames: 5,
            key_frames: 2,
            lost: 0,
        };
        assert_eq!(meter.counts(), expected);
    }

    #[test]
    fn other_descriptors_are_understood() {
        assert_eq!(frame_begins(&[0x10, 0x10]), Some(true));
        assert_eq!(frame_begins(&[0x90, 0x80, 0x05, 0x11]), Some(false));
        assert_eq!(
            frame_begins(&[0x90, 0xE0, 0x81, 0x05, 7, 0x20, 0x10]),
            Some(true)
        );
        assert_eq!(frame_begins(&[0x00, 0x10]), None);
        assert_eq!(frame_begins(&[0x11, 0x10]), None);
        assert_eq!(frame_begins(&[0x90, 0x80]), None);
        assert_eq!(frame_begins(&[]), None);
    }

    #[test]
    fn loss_is_what_never_came() {
        let mut meter = Meter::default();
        for sequence in [65_533, 65_535, 2, 65_534, 3, 3] {
            meter.sound(sequence, &[1]);
        }
        assert_eq!(meter.counts().lost, 2, "0 and 1 lost, 3 came twice");
        meter.sound(40_000, &[1]);
        assert_eq!(meter.counts().lost, 2, "another source is no loss");
        meter.sound(40_001, &[]);
        assert_eq!(
            meter.counts().packets,
            7,
            "padding is not a packet of sound"
        );
    }

    #[test]
    fn rates_are_taken_between_reports() {
        let mut meter = Meter::default();
        let payload = packetise(&frame(true, 10), 0, false).remove(0);
        (0..10).for_each(|n| meter.video(n, &payload));
        let first = slot_report(&meter, Some(SiteId(2)), None, 5.0);
        (10..60).for_each(|n| meter.video(n, &payload));
        let second = slot_report(&meter, Some(SiteId(2)), Some(&first), 5.0);
        assert_eq!((first.packets_per_s, second.packets_per_s), (2.0, 10.0));
        let report = Report {
            name: "Sa Đéc".to_owned(),
            video: vec![second, SlotReport::default()],
            ..Report::default()
        };
        let line = report.to_string();
        assert!(line.contains("programme shows site 2: 10 packets/s, 10.0 frames/s, 60 key"));
        assert!(!line.contains("tile"), "{line}");
    }
}
