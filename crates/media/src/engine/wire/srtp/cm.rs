//! AES128_CM_HMAC_SHA1_80 (RFC 3711, 4.1.1 and 4.2.1): what every endpoint must know (RFC 8827, 6.5). It costs eight
//! times as much as the other, so it is for those that know nothing else, as encoders.

use super::Cipher;
use super::keys::{KEY_BYTES, Labels, Master};
use super::parts::{Rtcp, Rtp};
use rtc::crypto::{
    CryptoError, HmacAlgorithm, Mac, RTCCrypto, StreamCipher, StreamCipherAlgorithm,
    constant_time_eq,
};

/// So much of a hash goes with a packet.
pub const TAG_BYTES: usize = 10;
const HASH_BYTES: usize = 20;
pub const SALT_BYTES: usize = 14;
/// The last two bytes count the blocks of a packet.
const COUNTER_BYTES: usize = SALT_BYTES + 2;

pub struct Cm {
    cipher: Box<dyn StreamCipher>,
    mac: Box<dyn Mac>,
    salt: [u8; SALT_BYTES],
}

impl Cm {
    pub fn new(
        master: Master<'_>,
        labels: Labels,
        crypto: &dyn RTCCrypto,
    ) -> Result<Self, CryptoError> {
        let key: [u8; KEY_BYTES] = master.derive(labels.key, crypto)?;
        let authentication: [u8; HASH_BYTES] = master.derive(labels.authentication, crypto)?;
        Ok(Self {
            cipher: crypto.new_stream_cipher(StreamCipherAlgorithm::Aes128Ctr, &key)?,
            mac: crypto.new_hmac(HmacAlgorithm::Sha1, &authentication)?,
            salt: master.derive(labels.salt, crypto)?,
        })
    }

    /// Makes a body unreadable, or readable again; `index` is the packet's number, which must never be used twice.
    fn apply(
        &mut self,
        [n0, n1, n2, n3]: [u8; 4],
        [i0, i1, i2, i3, i4, i5]: [u8; 6],
        body: &mut [u8],
    ) -> Result<(), CryptoError> {
        let mut counter: [u8; COUNTER_BYTES] =
            [0, 0, 0, 0, n0, n1, n2, n3, i0, i1, i2, i3, i4, i5, 0, 0];
        for (byte, salt) in counter.iter_mut().zip(self.salt) {
            *byte ^= salt;
        }
        self.cipher.apply_keystream(&counter, body)
    }

    fn apply_rtp(&mut self, packet: &mut Rtp<'_>, rollover: u32) -> Result<(), CryptoError> {
        let ([s0, s1], [r0, r1, r2, r3]) = (packet.seq, rollover.to_be_bytes());
        self.apply(packet.ssrc, [r0, r1, r2, r3, s0, s1], packet.body)
    }

    fn apply_rtcp(&mut self, packet: &mut Rtcp<'_>) -> Result<(), CryptoError> {
        let [_, _, _, _, s0, s1, s2, s3] = *packet.clear;
        let [w0, w1, w2, w3] = *packet.word;
        let index = [0, 0, w0 & 0x7f, w1, w2, w3];
        self.apply([s0, s1, s2, s3], index, packet.body)
    }

    /// The tag of what is authenticated, once it is unreadable.
    fn tag(&mut self, authenticated: &[&[u8]]) -> Result<[u8; TAG_BYTES], CryptoError> {
        let mut hash = [0; HASH_BYTES];
        self.mac.sign(authenticated, &mut hash)?;
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&hash[..TAG_BYTES]);
        Ok(tag)
    }

    fn rtp_tag(&mut self, packet: &Rtp<'_>, rollover: u32) -> Result<[u8; TAG_BYTES], CryptoError> {
        self.tag(&[packet.header, packet.body, &rollover.to_be_bytes()])
    }

    fn rtcp_tag(&mut self, packet: &Rtcp<'_>) -> Result<[u8; TAG_BYTES], CryptoError> {
        self.tag(&[packet.clear, packet.body, packet.word])
    }
}

/// In a time that tells nothing of the bytes.
fn compare(came: &[u8], made: [u8; TAG_BYTES]) -> Result<(), CryptoError> {
    constant_time_eq(came, &made)
        .then_some(())
        .ok_or(CryptoError::AuthenticationFailed)
}

impl Cipher for Cm {
    fn seal_rtp(&mut self, mut packet: Rtp<'_>, rollover: u32) -> Result<(), CryptoError> {
        self.apply_rtp(&mut packet, rollover)?;
        let tag = self.rtp_tag(&packet, rollover)?;
        packet.tag.copy_from_slice(&tag);
        Ok(())
    }

    fn open_rtp(&mut self, mut packet: Rtp<'_>, rollover: u32) -> Result<(), CryptoError> {
        compare(packet.tag, self.rtp_tag(&packet, rollover)?)?;
        self.apply_rtp(&mut packet, rollover)
    }

    fn seal_rtcp(&mut self, mut packet: Rtcp<'_>) -> Result<(), CryptoError> {
        self.apply_rtcp(&mut packet)?;
        let tag = self.rtcp_tag(&packet)?;
        packet.tag.copy_from_slice(&tag);
        Ok(())
    }

    fn open_rtcp(&mut self, mut packet: Rtcp<'_>) -> Result<(), CryptoError> {
        compare(packet.tag, self.rtcp_tag(&packet)?)?;
        self.apply_rtcp(&mut packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::wire::tests::provider;

    /// RFC 3711, B.2: what an empty body becomes is the key stream.
    #[test]
    fn a_body_is_hidden_as_the_standard_says() {
        let provider = provider();
        let crypto = provider.crypto();
        let key = 0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes();
        let salt = 0xf0f1_f2f3_f4f5_f6f7_f8f9_fafb_fcfd_u128.to_be_bytes();
        let stream = crypto.new_stream_cipher(StreamCipherAlgorithm::Aes128Ctr, &key);
        let mut cm = Cm {
            cipher: stream.unwrap(),
            mac: crypto.new_hmac(HmacAlgorithm::Sha1, &[7; 20]).unwrap(),
            salt: *salt.last_chunk().unwrap(),
        };
        let mut body = [0; 48];
        cm.apply([0; 4], [0; 6], &mut body).unwrap();
        let expected = [
            0xe03e_ad09_35c9_5e80_e166_b16d_d92b_4eb4_u128,
            0xd235_1316_2b02_d0f7_2a43_a2fe_4a5f_97ab,
            0x41e9_5b3b_b0a2_e8dd_4779_01e4_fca8_94c0,
        ];
        assert_eq!(body[..], expected.map(u128::to_be_bytes).concat());
    }
}
