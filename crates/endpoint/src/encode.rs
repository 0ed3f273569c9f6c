//! The card as VP8, encoded once and sent for ever.
//!
//! One key frame shows the card without its hand; every other frame is the difference to that key frame alone
//! and leaves no trace in the decoder. So any of them may follow any other, a lost one harms nobody, and a key
//! frame can be sent whenever it is asked for.

use crate::EndpointError;
use crate::pattern::{Card, HEIGHT, Picture, WIDTH};
use bytes::{BufMut, Bytes, BytesMut};
use oxideav_vp8::encoder::{
    I420Frame, KeyframeParams, RefreshControls, encode_keyframe_with_reconstruction,
    encode_p_frame_multi_ref_with_refresh,
};
use std::sync::{Mutex, PoisonError};

/// Frames a second.
pub const FPS: u32 = 10;
/// Frames of one round of the hand.
const LOOP_FRAMES: u16 = 40;
/// Finer than a camera would be coded: a card has sharp letters and costs few bytes.
const QUANTISER: u8 = 20;
/// Bytes of VP8 in one packet; with every header on top it stays below 1,280.
const FRAGMENT_MAX: usize = 1_150;

/// A whole round of the card, ready to send.
#[derive(Clone, Debug)]
pub struct Film {
    /// The card without its hand.
    pub key: Bytes,
    /// The card with its hand, all the way round. Each needs `key` and nothing else.
    pub frames: Vec<Bytes>,
}

impl Film {
    /// Encodes a card. The first call of a process takes seconds: not for a task that others wait on.
    ///
    /// # Errors
    ///
    /// If the encoder refuses a picture.
    pub fn encode(card: &Card) -> Result<Self, EndpointError> {
        let (key, _) = encode_keyframe_with_reconstruction(&view(&card.still()), &params())
            .map_err(EndpointError::pattern)?;
        Ok(Self {
            key: key.into(),
            frames: hands()?,
        })
    }
}

/// The frames with the hand, for any card: they say how the dial differs and leave all else as it is. The dial
/// looks the same on every card, so they are encoded once a process, however many sites it plays.
fn hands() -> Result<Vec<Bytes>, EndpointError> {
    static HANDS: Mutex<Option<Vec<Bytes>>> = Mutex::new(None);
    let mut hands = HANDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(frames) = &*hands {
        return Ok(frames.clone());
    }
    let frames = encode_hands()?;
    *hands = Some(frames.clone());
    Ok(frames)
}

fn encode_hands() -> Result<Vec<Bytes>, EndpointError> {
    let leaves_no_trace = RefreshControls {
        refresh_last: false,
        ..RefreshControls::default()
    };
    let card = Card::blank();
    let (_, reference) = encode_keyframe_with_reconstruction(&view(&card.still()), &params())
        .map_err(EndpointError::pattern)?;
    (0..LOOP_FRAMES)
        .map(|n| {
            let picture = card.with_hand(f32::from(n) / f32::from(LOOP_FRAMES));
            let (frame, _) = encode_p_frame_multi_ref_with_refresh(
                &view(&picture),
                &reference,
                None,
                None,
                &params(),
                &leaves_no_trace,
            )
            .map_err(EndpointError::pattern)?;
            Ok(frame.into())
        })
        .collect()
}

fn params() -> KeyframeParams {
    KeyframeParams {
        y_ac_qi: QUANTISER,
        ..KeyframeParams::default()
    }
}

/// Cuts a frame into the payloads of RTP packets (RFC 7741), with a picture id of 15 bits.
#[must_use]
pub fn packetise(frame: &Bytes, picture_id: u16, disposable: bool) -> Vec<Bytes> {
    // About equal sizes, as browsers cut: the last packet of a frame is not a crumb.
    let count = frame.len().div_ceil(FRAGMENT_MAX).max(1);
    let size = frame.len().div_ceil(count).max(1);
    let fragments = frame.chunks(size).enumerate();
    fragments
        .map(|(n, fragment)| {
            let start = if n == 0 { 0x10 } else { 0 };
            let unreferenced = if disposable { 0x20 } else { 0 };
            let mut payload = BytesMut::with_capacity(4 + fragment.len());
            payload.put_u8(0x80 | start | unreferenced);
            payload.put_u8(0x80);
            payload.put_u16(0x8000 | (picture_id & 0x7FFF));
            payload.put_slice(fragment);
            payload.freeze()
        })
        .collect()
}

fn view(picture: &Picture) -> I420Frame<'_> {
    I420Frame::packed(WIDTH, HEIGHT, &picture.y, &picture.u, &picture.v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use diemcau_model::SiteId;
    use oxideav_vp8::Vp8DecoderState;

    fn card() -> Card {
        Card::draw(SiteId(4), "Thành phố Sa Đéc").unwrap()
    }

    /// Mean square error of the luma, in steps of 1/255.
    fn error(a: &[u8], b: &[u8]) -> f64 {
        let sum: f64 = a
            .iter()
            .zip(b)
            .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
            .sum();
        sum / a.len() as f64
    }

    #[test]
    fn frames_decode_in_any_order_after_the_key_frame() {
        let card = card();
        let film = Film::encode(&card).unwrap();
        let mut decoder = Vp8DecoderState::new();
        decoder.decode_frame(&film.key).unwrap();
        for n in [0_u16, 1, 2, 31, 7, 39, 7] {
            let shown = decoder.decode_frame(&film.frames[usize::from(n)]).unwrap();
            let meant = card.with_hand(f32::from(n) / f32::from(LOOP_FRAMES));
            assert!(error(&shown.y, &meant.y) < 12.0, "frame {n} is the card");
            let other = card.with_hand(f32::from(n) / f32::from(LOOP_FRAMES) + 0.5);
            assert!(
                error(&shown.y, &other.y) > error(&shown.y, &meant.y) * 2.0,
                "frame {n} has its own hand"
            );
        }
    }

    #[test]
    fn the_film_is_small_enough_for_a_dozen_sites() {
        let film = Film::encode(&card()).unwrap();
        assert!(film.key.len() < 24_000, "key frame of {}", film.key.len());
        let largest = film.frames.iter().map(Bytes::len).max().unwrap();
        assert!(largest < 3_000, "frame of {largest}");
        assert_eq!(film.key[0] & 1, 0);
        assert!(film.frames.iter().all(|f| f[0] & 1 == 1));
    }

    #[test]
    fn packets_carry_the_frame_whole() {
        let frame = Bytes::from((0..3_000_u32).map(|n| n as u8).collect::<Vec<_>>());
        let packets = packetise(&frame, 0x8123, true);
        assert_eq!(packets.len(), 3);
        assert_eq!(packets[0][..4], [0xB0, 0x80, 0x81, 0x23]);
        assert_eq!(packets[1][..4], [0xA0, 0x80, 0x81, 0x23]);
        let whole: Vec<u8> = packets.iter().flat_map(|p| p[4..].to_vec()).collect();
        assert_eq!(whole, frame);
    }
}
