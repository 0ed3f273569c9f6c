//! AEAD_AES_128_GCM (RFC 7714): the cheapest, and browsers know it.

use super::Cipher;
use super::keys::{KEY_BYTES, Labels, Master};
use super::parts::{Rtcp, Rtp};
use rtc::crypto::{AeadAlgorithm, AeadCipher, CryptoError, RTCCrypto};

pub const TAG_BYTES: usize = 16;
pub const SALT_BYTES: usize = 12;
/// What is authenticated of an RTCP packet beside its body.
const CLEAR_BYTES: usize = 12;

pub struct Gcm {
    cipher: Box<dyn AeadCipher>,
    salt: [u8; SALT_BYTES],
}

impl Gcm {
    pub fn new(
        master: Master<'_>,
        labels: Labels,
        crypto: &dyn RTCCrypto,
    ) -> Result<Self, CryptoError> {
        let key: [u8; KEY_BYTES] = master.derive(labels.key, crypto)?;
        Ok(Self {
            cipher: crypto.new_aead(AeadAlgorithm::Aes128Gcm, &key)?,
            salt: master.derive(labels.salt, crypto)?,
        })
    }

    fn nonce(&self, mut nonce: [u8; SALT_BYTES]) -> [u8; SALT_BYTES] {
        for (byte, salt) in nonce.iter_mut().zip(self.salt) {
            *byte ^= salt;
        }
        nonce
    }

    /// The nonce of an RTP packet (RFC 7714, 8.1).
    fn rtp_nonce(&self, packet: &Rtp<'_>, rollover: u32) -> [u8; SALT_BYTES] {
        let ([s0, s1], [n0, n1, n2, n3]) = (packet.seq, packet.ssrc);
        let [r0, r1, r2, r3] = rollover.to_be_bytes();
        self.nonce([0, 0, n0, n1, n2, n3, r0, r1, r2, r3, s0, s1])
    }

    /// The nonce of an RTCP packet, and what is authenticated beside its body (RFC 7714, 9.1 and 9.3).
    fn rtcp_nonce(&self, packet: &Rtcp<'_>) -> ([u8; SALT_BYTES], [u8; CLEAR_BYTES]) {
        let [c0, c1, c2, c3, s0, s1, s2, s3] = *packet.clear;
        let [w0, w1, w2, w3] = *packet.word;
        let nonce = self.nonce([0, 0, s0, s1, s2, s3, 0, 0, w0 & 0x7f, w1, w2, w3]);
        (nonce, [c0, c1, c2, c3, s0, s1, s2, s3, w0, w1, w2, w3])
    }
}

impl Cipher for Gcm {
    fn seal_rtp(&mut self, packet: Rtp<'_>, rollover: u32) -> Result<(), CryptoError> {
        let nonce = self.rtp_nonce(&packet, rollover);
        self.cipher
            .seal_in_place(&nonce, packet.header, packet.body, packet.tag)
    }

    fn open_rtp(&mut self, packet: Rtp<'_>, rollover: u32) -> Result<(), CryptoError> {
        let nonce = self.rtp_nonce(&packet, rollover);
        self.cipher
            .open_in_place(&nonce, packet.header, packet.body, packet.tag)
    }

    fn seal_rtcp(&mut self, packet: Rtcp<'_>) -> Result<(), CryptoError> {
        let (nonce, clear) = self.rtcp_nonce(&packet);
        self.cipher
            .seal_in_place(&nonce, &clear, packet.body, packet.tag)
    }

    fn open_rtcp(&mut self, packet: Rtcp<'_>) -> Result<(), CryptoError> {
        let (nonce, clear) = self.rtcp_nonce(&packet);
        self.cipher
            .open_in_place(&nonce, &clear, packet.body, packet.tag)
    }
}
