//! Where the parts of a protected packet stand.

use super::Profile;

/// The flag of encryption and the running number behind an RTCP packet.
pub const INDEX_BYTES: usize = 4;
/// The part of an RTCP packet that stays readable: its first header and the sender.
pub const RTCP_CLEAR_BYTES: usize = 8;

/// A packet of RTP (RFC 3711, 3.1).
pub struct Rtp<'a> {
    pub seq: [u8; 2],
    pub ssrc: [u8; 4],
    /// It stays readable.
    pub header: &'a [u8],
    pub body: &'a mut [u8],
    pub tag: &'a mut [u8],
}

/// A packet of RTCP (RFC 3711, 3.4).
pub struct Rtcp<'a> {
    pub clear: &'a [u8; RTCP_CLEAR_BYTES],
    pub body: &'a mut [u8],
    pub word: &'a mut [u8; INDEX_BYTES],
    pub tag: &'a mut [u8],
}

impl<'a> Rtp<'a> {
    /// `header` bytes stay readable; `None` for what is too short.
    pub fn of(packet: &'a mut [u8], header: usize, profile: Profile) -> Option<Self> {
        let body = packet.len().checked_sub(profile.tag_bytes())?;
        let (packet, tag) = packet.split_at_mut_checked(body)?;
        let (header, body) = packet.split_at_mut_checked(header)?;
        let [_, _, s0, s1, _, _, _, _, n0, n1, n2, n3] = *header.first_chunk()?;
        Some(Self {
            seq: [s0, s1],
            ssrc: [n0, n1, n2, n3],
            header,
            body,
            tag,
        })
    }
}

impl<'a> Rtcp<'a> {
    /// `None` for what is too short.
    pub fn of(packet: &'a mut [u8], profile: Profile) -> Option<Self> {
        let body = packet.len().checked_sub(profile.rtcp_tail_bytes())?;
        let (packet, tail) = packet.split_at_mut_checked(body)?;
        let (word, tag) = match profile {
            // The tag is the end of what is encrypted (RFC 7714, 9.2).
            Profile::Gcm => {
                let (tag, word) = tail.split_last_chunk_mut()?;
                (word, tag)
            }
            Profile::Cm => tail.split_first_chunk_mut()?,
        };
        let (clear, body) = packet.split_first_chunk_mut()?;
        Some(Self {
            clear,
            body,
            word,
            tag,
        })
    }

    pub fn sender(&self) -> u32 {
        let [_, _, _, _, s0, s1, s2, s3] = *self.clear;
        u32::from_be_bytes([s0, s1, s2, s3])
    }
}
