//! What forwarding costs at least: receive, open, seal for each receiver, send. No ICE, no statistics, no rules.
//!
//! Its datagrams are as long as the others' and carry the same payloads; an own small header stands for RTP's.

pub mod client;
pub mod server;

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Says that an address is a site's uplink or downlink, or that the packet belongs to it.
pub const HELLO_UPLINK: u8 = 1;
pub const HELLO_DOWNLINK: u8 = 2;
pub const SOUND: u8 = 3;
pub const PICTURE: u8 = 4;
/// Kind, site, window stamp in the clear: as long as an RTP header with its extensions and a stamp.
pub const HEADER_BYTES: usize = 24;
pub const TAG_BYTES: usize = 16;

/// AES-128-GCM under a key that everybody knows: it is the cost that matters here.
pub struct Cipher(LessSafeKey);

impl Cipher {
    /// # Errors
    /// Never, as the key has its length.
    pub fn new() -> Result<Self> {
        let key = UnboundKey::new(&AES_128_GCM, &[7; 16]).map_err(|_| anyhow!("no key"))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Opens a datagram in place; gives its length without the tag.
    ///
    /// # Errors
    /// It is not ours.
    pub fn open(&self, datagram: &mut [u8]) -> Result<usize> {
        let (header, sealed) = datagram
            .split_at_mut_checked(HEADER_BYTES)
            .context("too short")?;
        let nonce = nonce(header);
        let opened = self.0.open_in_place(nonce, Aad::from(&*header), sealed);
        Ok(HEADER_BYTES + opened.map_err(|_| anyhow!("not ours"))?.len())
    }

    /// Seals what stands in `bytes` from `at`, header first; the tag is put behind it.
    ///
    /// # Errors
    /// It is too short to have a header.
    pub fn seal(&self, bytes: &mut Vec<u8>, at: usize) -> Result<()> {
        let datagram = bytes.get_mut(at..).context("no datagram")?;
        let (header, body) = datagram
            .split_at_mut_checked(HEADER_BYTES)
            .context("too short")?;
        let nonce = nonce(header);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(&*header), body);
        let tag = tag.map_err(|_| anyhow!("too long"))?;
        bytes.extend_from_slice(tag.as_ref());
        Ok(())
    }
}

/// From the header's first bytes, as SRTP makes it from SSRC and number (RFC 7714 section 8.1).
fn nonce(header: &[u8]) -> Nonce {
    let mut bytes = [0; 12];
    for (to, from) in bytes.iter_mut().zip(header) {
        *to = *from;
    }
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_and_nothing_else() {
        let cipher = Cipher::new().unwrap();
        let mut bytes = vec![9; 10];
        bytes.extend([5; HEADER_BYTES + 100]);
        cipher.seal(&mut bytes, 10).unwrap();
        assert_eq!(bytes.len(), 10 + HEADER_BYTES + 100 + TAG_BYTES);
        let mut datagram = bytes.split_off(10);
        let mut broken = datagram.clone();
        broken[40] ^= 1;
        assert!(cipher.open(&mut broken).is_err());
        assert_eq!(cipher.open(&mut datagram).unwrap(), HEADER_BYTES + 100);
        assert_eq!(datagram[HEADER_BYTES..HEADER_BYTES + 100], [5; 100]);
    }
}
