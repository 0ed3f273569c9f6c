//! SRTP with AEAD_AES_128_GCM (RFC 3711, RFC 7714), in place: nothing is copied or allocated for a packet.
//!
//! The other ciphers cost twice as much a packet, and every client we serve knows this one.

mod open;
mod window;

pub use open::{Opened, Opener};

use rtc::crypto::{AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CryptoError, RTCCrypto};

/// What protection adds to an RTP packet.
pub const TAG_BYTES: usize = 16;
/// The flag of encryption and the running number behind an RTCP packet.
const INDEX_BYTES: usize = 4;
/// What protection adds to an RTCP packet.
pub const RTCP_TAIL_BYTES: usize = TAG_BYTES + INDEX_BYTES;
const KEY_BYTES: usize = 16;
const SALT_BYTES: usize = 12;
/// What a handshake must give: both sides' keys, then both sides' salts (RFC 5764, 4.2).
pub const MATERIAL_BYTES: usize = 2 * (KEY_BYTES + SALT_BYTES);
/// The part of an RTCP packet that stays readable: its first header and the sender.
const RTCP_CLEAR_BYTES: usize = 8;
/// The numbers of RTCP have 31 bits, the last is the flag of encryption.
const RTCP_INDEX_MAX: u32 = 0x7fff_ffff;

/// Labels of the key derivation (RFC 3711, 4.3.2).
const RTP_KEY: u8 = 0;
const RTP_SALT: u8 = 2;
const RTCP_KEY: u8 = 3;
const RTCP_SALT: u8 = 5;

/// Protects what we send.
pub struct Sealer {
    rtp: Half,
    rtcp: Half,
    rtcp_index: u32,
}

struct Half {
    cipher: Box<dyn AeadCipher>,
    salt: [u8; SALT_BYTES],
}

/// Both directions, from what the handshake gave; `is_client` says which half of it is ours.
pub fn contexts(
    material: &[u8; MATERIAL_BYTES],
    is_client: bool,
    crypto: &dyn RTCCrypto,
) -> Result<(Sealer, Opener), CryptoError> {
    let (keys, salts) = material.split_at(2 * KEY_BYTES);
    let client = (&keys[..KEY_BYTES], &salts[..SALT_BYTES]);
    let server = (&keys[KEY_BYTES..], &salts[SALT_BYTES..]);
    let (ours, theirs) = match is_client {
        true => (client, server),
        false => (server, client),
    };
    let sealer = Sealer {
        rtp: Half::new(ours, RTP_KEY, RTP_SALT, crypto)?,
        rtcp: Half::new(ours, RTCP_KEY, RTCP_SALT, crypto)?,
        rtcp_index: 0,
    };
    let opener = Opener::new(
        Half::new(theirs, RTP_KEY, RTP_SALT, crypto)?,
        Half::new(theirs, RTCP_KEY, RTCP_SALT, crypto)?,
    );
    Ok((sealer, opener))
}

impl Sealer {
    /// Protects a packet whose last `TAG_BYTES` are free for the tag; `header` bytes stay readable. A number of a
    /// stream, with its `rollover`, must never be used for two different packets: that would give the key away.
    pub fn seal_rtp(
        &mut self,
        packet: &mut [u8],
        header: usize,
        rollover: u32,
    ) -> Result<(), CryptoError> {
        let body = packet.len().saturating_sub(TAG_BYTES);
        let (packet, tag) = packet.split_at_mut(body);
        let (header, body) = packet
            .split_at_mut_checked(header)
            .ok_or(CryptoError::AuthenticationFailed)?;
        let nonce = self
            .rtp
            .rtp_nonce(header, rollover)
            .ok_or(CryptoError::AuthenticationFailed)?;
        self.rtp.cipher.seal_in_place(&nonce, header, body, tag)
    }

    /// Protects an RTCP packet and appends what belongs behind it.
    pub fn seal_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), CryptoError> {
        self.rtcp_index = (self.rtcp_index + 1) & RTCP_INDEX_MAX;
        let word = (self.rtcp_index | !RTCP_INDEX_MAX).to_be_bytes();
        let (nonce, aad) = self
            .rtcp
            .rtcp_nonce(packet, word)
            .ok_or(CryptoError::AuthenticationFailed)?;
        let mut tag = [0; TAG_BYTES];
        let body = &mut packet[RTCP_CLEAR_BYTES..];
        self.rtcp
            .cipher
            .seal_in_place(&nonce, &aad, body, &mut tag)?;
        packet.extend_from_slice(&tag);
        packet.extend_from_slice(&word);
        Ok(())
    }
}

impl Half {
    fn new(
        (key, salt): (&[u8], &[u8]),
        key_label: u8,
        salt_label: u8,
        crypto: &dyn RTCCrypto,
    ) -> Result<Self, CryptoError> {
        let derived = |label: u8| {
            let mut block = [0; KEY_BYTES];
            block[..SALT_BYTES].copy_from_slice(salt);
            block[7] ^= label;
            crypto.block_encrypt(BlockCipherAlgorithm::Aes128, key, &mut block)?;
            Ok(block)
        };
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(&derived(salt_label)?[..SALT_BYTES]);
        let cipher = crypto.new_aead(AeadAlgorithm::Aes128Gcm, &derived(key_label)?)?;
        Ok(Self { cipher, salt })
    }

    fn nonce(&self, mut nonce: [u8; SALT_BYTES]) -> [u8; SALT_BYTES] {
        for (byte, salt) in nonce.iter_mut().zip(self.salt) {
            *byte ^= salt;
        }
        nonce
    }

    /// The nonce of an RTP packet (RFC 7714, 8.1).
    fn rtp_nonce(&self, header: &[u8], rollover: u32) -> Option<[u8; SALT_BYTES]> {
        let [_, _, s0, s1, _, _, _, _, n0, n1, n2, n3] = *header.first_chunk()?;
        let [r0, r1, r2, r3] = rollover.to_be_bytes();
        Some(self.nonce([0, 0, n0, n1, n2, n3, r0, r1, r2, r3, s0, s1]))
    }

    /// The nonce of an RTCP packet, and what is authenticated beside its body (RFC 7714, 9.1 and 9.3).
    fn rtcp_nonce(
        &self,
        packet: &[u8],
        word: [u8; INDEX_BYTES],
    ) -> Option<([u8; SALT_BYTES], [u8; SALT_BYTES])> {
        let clear: [u8; RTCP_CLEAR_BYTES] = packet.get(..RTCP_CLEAR_BYTES)?.try_into().ok()?;
        let [_, _, _, _, s0, s1, s2, s3] = clear;
        let [w0, w1, w2, w3] = word;
        let nonce = self.nonce([0, 0, s0, s1, s2, s3, 0, 0, w0 & 0x7f, w1, w2, w3]);
        let mut aad = [0; SALT_BYTES];
        aad[..RTCP_CLEAR_BYTES].copy_from_slice(&clear);
        aad[RTCP_CLEAR_BYTES..].copy_from_slice(&word);
        Some((nonce, aad))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use rtc::srtp::context::Context;
    use rtc::srtp::option::{srtcp_replay_protection, srtp_replay_protection};
    use rtc::srtp::protection_profile::ProtectionProfile;

    fn material() -> [u8; MATERIAL_BYTES] {
        std::array::from_fn(|place| place as u8 ^ 0x5a)
    }

    /// The library's own reading of what our server side sends, and its writing of what a client sends.
    pub fn library() -> (Context, Context) {
        let provider = rtc::crypto::default_provider().unwrap();
        let material = material();
        let context = |key: &[u8], salt: &[u8]| {
            Context::new(
                key,
                salt,
                ProtectionProfile::AeadAes128Gcm,
                Some(srtp_replay_protection(64)),
                Some(srtcp_replay_protection(64)),
                provider.crypto(),
            )
            .unwrap()
        };
        let reads = context(&material[16..32], &material[44..]);
        let writes = context(&material[..16], &material[32..44]);
        (reads, writes)
    }

    pub fn ours() -> (Sealer, Opener) {
        let provider = rtc::crypto::default_provider().unwrap();
        contexts(&material(), false, provider.crypto()).unwrap()
    }

    #[test]
    fn another_implementation_reads_our_packets_also_past_the_rollover() {
        let (mut reads, _) = library();
        let (mut sealer, _) = ours();
        for (seq, rollover) in [(65_534_u16, 0), (65_535, 0), (0, 1), (1, 1)] {
            let mut packet = vec![0x80, 96];
            packet.extend(seq.to_be_bytes());
            packet.extend([0, 0, 0, 9, 1, 2, 3, 4]);
            packet.extend(b"a picture");
            let plain = packet.clone();
            packet.extend([0; TAG_BYTES]);
            sealer.seal_rtp(&mut packet, 12, rollover).unwrap();
            assert_ne!(packet[12..21], plain[12..]);
            assert_eq!(reads.decrypt_rtp(&packet).unwrap()[..], plain);
        }
        assert!(sealer.seal_rtp(&mut [0; 20], 12, 0).is_err(), "too short");
    }

    #[test]
    fn rtcp_goes_both_ways_and_a_repeated_or_changed_packet_is_refused() {
        let (mut reads, mut writes) = library();
        let (mut sealer, mut opener) = ours();
        let report = [0x80, 201, 0, 1, 0, 0, 0, 7];

        let mut packet = report.to_vec();
        sealer.seal_rtcp(&mut packet).unwrap();
        assert_eq!(reads.decrypt_rtcp(&packet).unwrap()[..], report);

        let (first, second) = (
            writes.encrypt_rtcp(&report).unwrap(),
            writes.encrypt_rtcp(&report).unwrap(),
        );
        let mut open = |packet: &[u8]| {
            let mut packet = packet.to_vec();
            let opened = opener.open_rtcp(&mut packet)?;
            packet.truncate(packet.len() - RTCP_TAIL_BYTES);
            Some((packet, opened.is_newest))
        };
        assert_eq!(open(&second), Some((report.to_vec(), true)));
        assert_eq!(
            open(&first),
            Some((report.to_vec(), false)),
            "a little late"
        );
        assert_eq!(open(&first), None, "repeated");
        for place in 0..first.len() {
            let mut changed = writes.encrypt_rtcp(&report).unwrap();
            changed[place] ^= 1;
            assert_eq!(open(&changed), None, "changed at {place}");
        }
        for length in 0..first.len() {
            assert_eq!(open(&first[..length]), None);
        }
    }
}
