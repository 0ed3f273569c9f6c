//! The few bytes of a VP8 payload descriptor (RFC 7741) that forwarding must read and rewrite.

/// Picture ids of the long form have 15 bits.
const PICTURE_ID_MASK: u16 = 0x7fff;

/// What the descriptor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vp8 {
    /// The first packet of a picture.
    pub first: bool,
    /// The first packet of a key frame.
    pub key_frame: bool,
    pub picture_id: Option<PictureId>,
    /// The running number of base layer pictures.
    pub tl0: Option<u8>,
    tl0_at: usize,
    /// Where the descriptor ends and the picture begins.
    head_at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureId {
    pub value: u16,
    /// 15 bits rather than 7.
    pub long: bool,
}

impl PictureId {
    /// That of the picture after it.
    pub fn next(self) -> Self {
        Self {
            value: self.value.wrapping_add(1) & self.mask(),
            ..self
        }
    }

    /// The highest value of its form.
    pub fn mask(self) -> u16 {
        if self.long { PICTURE_ID_MASK } else { 0x7f }
    }
}

impl Vp8 {
    /// A picture of another codec, which numbers nothing itself.
    pub fn without_numbers(key_frame: bool) -> Self {
        Self {
            first: key_frame,
            key_frame,
            picture_id: None,
            tl0: None,
            tl0_at: 0,
            head_at: 0,
        }
    }

    /// The size of a key frame (RFC 6386, 9.1): three bytes of tag and three of a code stand before it.
    pub fn pixels(&self, payload: &[u8]) -> Option<u32> {
        let [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = *payload.get(self.head_at..)? else {
            return None;
        };
        let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
        Some(side(w0, w1) * side(h0, h1))
    }
}

/// Reads the descriptor; `None` if the payload is not VP8.
pub fn read(payload: &[u8]) -> Option<Vp8> {
    let first = *payload.first()?;
    let mut at = 1;
    let mut picture_id = None;
    let mut tl0 = None;
    let mut tl0_at = 0;
    if first & 0x80 != 0 {
        let extended = *payload.get(at)?;
        at += 1;
        if extended & 0x80 != 0 {
            let high = *payload.get(at)?;
            let long = high & 0x80 != 0;
            let value = if long {
                u16::from_be_bytes([high & 0x7f, *payload.get(at + 1)?])
            } else {
                u16::from(high)
            };
            at += if long { 2 } else { 1 };
            picture_id = Some(PictureId { value, long });
        }
        if extended & 0x40 != 0 {
            tl0 = Some(*payload.get(at)?);
            tl0_at = at;
            at += 1;
        }
        if extended & 0x30 != 0 {
            at += 1;
        }
    }
    // The start of partition 0, whose first bit is "not a key frame".
    let starts_picture = first & 0x17 == 0x10;
    let head = *payload.get(at)?;
    Some(Vp8 {
        first: starts_picture,
        key_frame: starts_picture && head & 1 == 0,
        picture_id,
        tl0,
        tl0_at,
        head_at: at,
    })
}

/// The numbers a payload is to leave with, written into it when it is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    picture_id: Option<PictureId>,
    /// Where the running number stands, and its value.
    tl0: Option<(usize, u8)>,
}

/// The numbers of a payload moved on; `None` if they stay as they are.
pub fn moved(vp8: &Vp8, picture_id_offset: u16, tl0_offset: u8) -> Option<Numbers> {
    if picture_id_offset == 0 && tl0_offset == 0 {
        return None;
    }
    let picture_id = vp8.picture_id.map(|id| PictureId {
        value: id.value.wrapping_add(picture_id_offset) & PICTURE_ID_MASK,
        long: id.long,
    });
    let tl0 = vp8
        .tl0
        .map(|tl0| (vp8.tl0_at, tl0.wrapping_add(tl0_offset)));
    Some(Numbers { picture_id, tl0 })
}

impl Numbers {
    /// Writes them into a copy of the payload they were read from.
    pub fn write(&self, payload: &mut [u8]) {
        // A picture id always stands right behind the two fixed bytes.
        match (self.picture_id, &mut *payload) {
            (Some(PictureId { value, long: true }), [_, _, high, low, ..]) => {
                *high = 0x80 | (value >> 8) as u8;
                *low = value as u8;
            }
            (Some(PictureId { value, long: false }), [_, _, low, ..]) => *low = value as u8 & 0x7f,
            (Some(_) | None, _) => {}
        }
        if let Some((at, tl0)) = self.tl0
            && let Some(byte) = payload.get_mut(at)
        {
            *byte = tl0;
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use bytes::Bytes;

    /// A payload with a long picture id and a base layer number.
    pub fn payload(key_frame: bool, picture_id: u16, tl0: u8) -> Bytes {
        let id = picture_id.to_be_bytes();
        let head = if key_frame { 0 } else { 1 };
        Bytes::copy_from_slice(&[0x90, 0xe0, 0x80 | id[0], id[1], tl0, 0, head, 1, 2, 3])
    }

    #[test]
    fn reads_key_frames_and_numbers() {
        let vp8 = read(&payload(true, 300, 7)).unwrap();
        assert!(vp8.key_frame);
        assert_eq!(vp8.picture_id.unwrap().value, 300);
        assert_eq!(vp8.tl0, Some(7));
        assert!(!read(&payload(false, 300, 7)).unwrap().key_frame);
        assert!(read(&[0x10, 0]).unwrap().key_frame);
        assert!(
            !read(&[0x00, 0]).unwrap().key_frame,
            "a later packet of the picture"
        );
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[0x90, 0x80, 0x81]), None);
    }

    #[test]
    fn a_key_frame_says_how_large_it_is() {
        let mut picture = payload(true, 300, 7).to_vec();
        picture.truncate(7);
        // The two bits above a side say how it is to be shown.
        picture.extend([0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02 | 0x40, 0x68, 0x01]);
        let pixels = |payload: &[u8]| read(payload).and_then(|vp8| vp8.pixels(payload));
        assert_eq!(pixels(&picture), Some(640 * 360));
        for length in 0..picture.len() {
            assert_eq!(pixels(&picture[..length]), None);
        }
        picture[9] = 0;
        assert_eq!(pixels(&picture), None);
    }

    #[test]
    fn moves_the_numbers_and_nothing_else() {
        let before = payload(false, 0x7fff, 255);
        let mut after = before.to_vec();
        moved(&read(&before).unwrap(), 2, 3)
            .unwrap()
            .write(&mut after);
        let vp8 = read(&after).unwrap();
        assert_eq!(vp8.picture_id.unwrap().value, 1);
        assert_eq!(vp8.tl0, Some(2));
        assert_eq!(after[5..], before[5..]);
    }

    #[test]
    fn a_short_picture_id_stays_short() {
        let before = Bytes::from_static(&[0x90, 0x80, 0x7f, 0x01]);
        let mut after = before.to_vec();
        moved(&read(&before).unwrap(), 2, 0)
            .unwrap()
            .write(&mut after);
        assert_eq!(&after[..], &[0x90, 0x80, 0x01, 0x01]);
    }
}
