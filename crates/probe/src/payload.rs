//! What the synthetic packets carry: their origin, their number and the moment they were sent.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Packets of a frame.
pub const KEY_FRAME_PACKETS: u16 = 3;
/// A long picture id and a base layer number, as browsers send them.
const VP8_DESCRIPTOR_BYTES: usize = 6;
/// Payload of a video packet, so that bursts look like bursts.
const VIDEO_BYTES: usize = 900;

/// What is written into a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub from: u16,
    /// The place in `ProbeOptions::layers`.
    pub layer: u8,
    pub number: u32,
    pub sent: Instant,
    pub key_frame: bool,
    pub picture_id: u16,
}

pub fn audio(from: u16, number: u32) -> Vec<u8> {
    mark(from, 0, number)
}

pub fn video(
    from: u16,
    layer: u8,
    number: u32,
    picture_id: u16,
    key_frame: bool,
    first: bool,
) -> Vec<u8> {
    let id = picture_id.to_be_bytes();
    let start = if first { 0x90 } else { 0x80 };
    let mut bytes = vec![start, 0xe0, 0x80 | id[0], id[1], picture_id as u8, 0];
    bytes.push(u8::from(!(key_frame && first)));
    bytes.extend(mark(from, layer, number));
    bytes.resize(VIDEO_BYTES, 0);
    bytes
}

pub fn read(payload: &[u8], is_video: bool) -> Option<Mark> {
    let mut body = payload;
    let (mut key_frame, mut picture_id) = (false, 0);
    if is_video {
        key_frame = payload.first()? & 0x10 != 0 && payload.get(VP8_DESCRIPTOR_BYTES)? & 1 == 0;
        picture_id = u16::from_be_bytes([payload.get(2)? & 0x7f, *payload.get(3)?]);
        body = payload.get(VP8_DESCRIPTOR_BYTES + 1..)?;
    }
    let micros = u64::from_be_bytes(body.get(7..15)?.try_into().ok()?);
    Some(Mark {
        from: u16::from_be_bytes([body[0], body[1]]),
        layer: body[2],
        number: u32::from_be_bytes(body[3..7].try_into().ok()?),
        sent: epoch() + Duration::from_micros(micros),
        key_frame,
        picture_id,
    })
}

fn mark(from: u16, layer: u8, number: u32) -> Vec<u8> {
    let micros = epoch().elapsed().as_micros() as u64;
    let mut bytes = from.to_be_bytes().to_vec();
    bytes.push(layer);
    bytes.extend(number.to_be_bytes());
    bytes.extend(micros.to_be_bytes());
    bytes
}

/// One beginning of time for all peers of a process.
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}
