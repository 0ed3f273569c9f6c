//! SRTP (RFC 3711), in place: nothing is copied or allocated for a packet.
//!
//! `Sealer` and `Opener` know streams and numbers; what a packet is protected with is behind `Cipher`.

mod cm;
mod gcm;
mod keys;
mod open;
mod parts;
mod window;

pub use open::{Opened, Opener};

use cm::Cm;
use gcm::Gcm;
use keys::{KEY_BYTES, Labels, Master};
use parts::{INDEX_BYTES, Rtcp, Rtp};
use rtc::crypto::{CryptoError, RTCCrypto};

/// What protection adds to an RTP packet at most.
pub const TAG_BYTES_MAX: usize = gcm::TAG_BYTES;
/// The numbers of RTCP have 31 bits, the last is the flag of encryption.
const RTCP_INDEX_MAX: u32 = 0x7fff_ffff;

/// What a handshake may agree on (RFC 5764, 4.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    Gcm,
    Cm,
}

/// What protects the packets of one kind in one direction. A packet that is not genuine is refused with an error; only
/// `Profile::spoils` says whether it is still what it was then.
trait Cipher: Send {
    fn seal_rtp(&mut self, packet: Rtp<'_>, rollover: u32) -> Result<(), CryptoError>;
    fn open_rtp(&mut self, packet: Rtp<'_>, rollover: u32) -> Result<(), CryptoError>;
    fn seal_rtcp(&mut self, packet: Rtcp<'_>) -> Result<(), CryptoError>;
    fn open_rtcp(&mut self, packet: Rtcp<'_>) -> Result<(), CryptoError>;
}

/// Protects what we send.
pub struct Sealer {
    profile: Profile,
    rtp: Box<dyn Cipher>,
    rtcp: Box<dyn Cipher>,
    rtcp_index: u32,
}

/// Both directions, from what the handshake gave: both sides' keys, then both sides' salts (RFC 5764, 4.2), which are
/// `material_bytes` of the profile. `is_client` says which half of it is ours.
pub fn contexts(
    profile: Profile,
    material: &[u8],
    is_client: bool,
    crypto: &dyn RTCCrypto,
) -> Result<(Sealer, Opener), CryptoError> {
    let masters = profile.masters(material);
    let (client, server) = masters.ok_or(CryptoError::InvalidKeyLength {
        expected: profile.material_bytes(),
        actual: material.len(),
    })?;
    let (ours, theirs) = match is_client {
        true => (client, server),
        false => (server, client),
    };
    let sealer = Sealer {
        profile,
        rtp: profile.cipher(ours, keys::RTP, crypto)?,
        rtcp: profile.cipher(ours, keys::RTCP, crypto)?,
        rtcp_index: 0,
    };
    let opener = Opener::new(
        profile,
        profile.cipher(theirs, keys::RTP, crypto)?,
        profile.cipher(theirs, keys::RTCP, crypto)?,
    );
    Ok((sealer, opener))
}

impl Profile {
    /// What protection adds to an RTP packet.
    pub fn tag_bytes(self) -> usize {
        match self {
            Self::Gcm => gcm::TAG_BYTES,
            Self::Cm => cm::TAG_BYTES,
        }
    }

    /// What protection adds to an RTCP packet.
    pub fn rtcp_tail_bytes(self) -> usize {
        self.tag_bytes() + INDEX_BYTES
    }

    /// What a handshake must give.
    pub fn material_bytes(self) -> usize {
        2 * (KEY_BYTES + self.salt_bytes())
    }

    fn salt_bytes(self) -> usize {
        match self {
            Self::Gcm => gcm::SALT_BYTES,
            Self::Cm => cm::SALT_BYTES,
        }
    }

    /// Whether a packet that was opened in vain is changed by it.
    fn spoils(self) -> bool {
        match self {
            Self::Gcm => true,
            // Its tag is compared first.
            Self::Cm => false,
        }
    }

    /// The client's and the server's; `None` if there is too little or too much.
    fn masters(self, material: &[u8]) -> Option<(Master<'_>, Master<'_>)> {
        if material.len() != self.material_bytes() {
            return None;
        }
        let (keys, salts) = material.split_at_checked(2 * KEY_BYTES)?;
        let (client, server) = keys.split_at_checked(KEY_BYTES)?;
        let (client_salt, server_salt) = salts.split_at_checked(self.salt_bytes())?;
        let master = |key, salt| Master { key, salt };
        Some((master(client, client_salt), master(server, server_salt)))
    }

    fn cipher(
        self,
        master: Master<'_>,
        labels: Labels,
        crypto: &dyn RTCCrypto,
    ) -> Result<Box<dyn Cipher>, CryptoError> {
        Ok(match self {
            Self::Gcm => Box::new(Gcm::new(master, labels, crypto)?),
            Self::Cm => Box::new(Cm::new(master, labels, crypto)?),
        })
    }
}

impl Sealer {
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Protects a packet whose last `tag_bytes` are free for the tag; `header` bytes stay readable. A number of a
    /// stream, with its `rollover`, must never be used for two different packets: that would give the key away.
    pub fn seal_rtp(
        &mut self,
        packet: &mut [u8],
        header: usize,
        rollover: u32,
    ) -> Result<(), CryptoError> {
        let packet = Rtp::of(packet, header, self.profile);
        let packet = packet.ok_or(CryptoError::AuthenticationFailed)?;
        self.rtp.seal_rtp(packet, rollover)
    }

    /// Protects an RTCP packet and appends what belongs behind it.
    pub fn seal_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), CryptoError> {
        self.rtcp_index = (self.rtcp_index + 1) & RTCP_INDEX_MAX;
        packet.resize(packet.len() + self.profile.rtcp_tail_bytes(), 0);
        let packet = Rtcp::of(packet, self.profile);
        let packet = packet.ok_or(CryptoError::AuthenticationFailed)?;
        *packet.word = (self.rtcp_index | !RTCP_INDEX_MAX).to_be_bytes();
        self.rtcp.seal_rtcp(packet)
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
pub mod tests;
