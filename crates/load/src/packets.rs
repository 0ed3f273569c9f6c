//! What the generator sends: pictures cut into packets the way libwebrtc cuts them, and a stamp in every payload that
//! says whose it is and when it was sent.

use std::sync::OnceLock;
use std::time::Instant;

/// Bytes of an Opus packet at 32 kbit/s.
pub const SOUND_BYTES: usize = 80;
/// A long picture id and a base layer number, as browsers send them (RFC 7741 section 4.2).
const VP8_DESCRIPTOR_BYTES: usize = 6;
/// The first byte of a VP8 frame, whose lowest bit is 0 in a key frame (RFC 6386 section 9.1).
const VP8_FRAME_BYTES: usize = 1;
const STAMP_BYTES: usize = 21;
/// A packet is never cut shorter, so that its stamp has room.
pub const VIDEO_BYTES_MIN: usize = VP8_DESCRIPTOR_BYTES + VP8_FRAME_BYTES + STAMP_BYTES;

/// Written into a payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The sender.
    pub site: u16,
    /// Its simulcast layer, 0 the smallest; a sender without simulcast has one.
    pub layer: u8,
    /// The measuring window it was sent in; 0 is none.
    pub window: u8,
    /// Counts the frames of a layer, or the sounds.
    pub frame: u32,
    /// Its place within the frame.
    pub part: u8,
    /// Packets of the frame; 0: it is sound.
    pub parts: u8,
    pub key_frame: bool,
    /// When it was sent, by `micros`.
    pub sent: u64,
}

/// Cuts `bytes` into packets of at most `most`: as few as possible, of about equal length, and the last ones a byte
/// longer. So does libwebrtc (`RtpPacketizer::SplitAboutEqually`), so a frame is two runs of equal packets.
pub fn split_about_equally(bytes: usize, most: usize) -> impl Iterator<Item = usize> {
    let count = bytes.div_ceil(most.max(1));
    let (each, longer) = match count {
        0 => (0, 0),
        count => (bytes / count, bytes % count),
    };
    (0..count).map(move |at| each + usize::from(at >= count - longer))
}

/// A video payload of `length` bytes.
pub fn video(stamp: &Stamp, length: usize) -> Vec<u8> {
    let id = (stamp.frame & 0x7fff) as u16 | 0x8000;
    let id = id.to_be_bytes();
    let first = stamp.part == 0;
    let start = if first { 0x90 } else { 0x80 };
    let mut bytes = Vec::with_capacity(length.max(VIDEO_BYTES_MIN));
    bytes.extend([start, 0xe0, id[0], id[1], stamp.frame as u8, 0]);
    bytes.push(u8::from(!(stamp.key_frame && first)));
    write(stamp, &mut bytes);
    bytes.resize(length.max(VIDEO_BYTES_MIN), 0);
    bytes
}

/// An Opus payload.
pub fn sound(stamp: &Stamp) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SOUND_BYTES);
    write(stamp, &mut bytes);
    bytes.resize(SOUND_BYTES, 0);
    bytes
}

/// Reads the stamp of a payload; none if there is none, as in padding.
pub fn read(payload: &[u8], is_video: bool) -> Option<Stamp> {
    let body = match is_video {
        true => payload.get(VP8_DESCRIPTOR_BYTES + VP8_FRAME_BYTES..)?,
        false => payload,
    };
    read_bare(body)
}

/// Reads a stamp that nothing stands before.
pub fn read_bare(body: &[u8]) -> Option<Stamp> {
    let body: &[u8; STAMP_BYTES] = body.get(..STAMP_BYTES)?.try_into().ok()?;
    let number = |from: usize, to: usize| {
        body[from..to]
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    Some(Stamp {
        site: number(0, 2) as u16,
        layer: body[2],
        window: body[3],
        frame: number(4, 8) as u32,
        part: body[8],
        parts: body[9],
        key_frame: body[10] != 0,
        sent: number(11, 19),
    })
}

/// Writes a stamp and nothing else.
pub fn write(stamp: &Stamp, bytes: &mut Vec<u8>) {
    bytes.extend(stamp.site.to_be_bytes());
    bytes.extend([stamp.layer, stamp.window]);
    bytes.extend(stamp.frame.to_be_bytes());
    bytes.extend([stamp.part, stamp.parts, u8::from(stamp.key_frame)]);
    bytes.extend(stamp.sent.to_be_bytes());
    bytes.extend([0; 2]);
}

/// Microseconds since the process began to count, for all its sites the same.
pub fn micros(now: Instant) -> u64 {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    let epoch = *EPOCH.get_or_init(|| now);
    now.saturating_duration_since(epoch).as_micros() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_cut_as_libwebrtc_cuts_it() {
        let cut = |bytes, most| split_about_equally(bytes, most).collect::<Vec<_>>();
        assert_eq!(
            cut(6_250, 1_200),
            [1_041, 1_041, 1_042, 1_042, 1_042, 1_042]
        );
        assert_eq!(cut(2_400, 1_200), [1_200, 1_200]);
        assert_eq!(cut(2_401, 1_200), [800, 800, 801]);
        assert_eq!(cut(7, 1_200), [7]);
        assert_eq!(cut(0, 1_200), Vec::<usize>::new());
        for bytes in 1..9_000 {
            let cut = cut(bytes, 1_200);
            assert_eq!(cut.iter().sum::<usize>(), bytes);
            assert_eq!(cut.len(), bytes.div_ceil(1_200));
            assert!(cut.is_sorted() && cut[cut.len() - 1] <= cut[0] + 1);
        }
    }

    #[test]
    fn a_stamp_comes_out_as_it_went_in() {
        let stamp = Stamp {
            site: 300,
            layer: 2,
            window: 7,
            frame: 70_000,
            part: 5,
            parts: 6,
            key_frame: true,
            sent: 1 << 40,
        };
        let payload = video(&stamp, 1_041);
        assert_eq!((payload.len(), read(&payload, true)), (1_041, Some(stamp)));
        assert_eq!(read(&sound(&stamp), false), Some(stamp));
        assert_eq!(read(&payload[..20], true), None);
    }
}
