//! Whose datagram is it? One port serves everybody: a STUN request names its leg by the user name fragment, everything
//! else goes by the address it comes from.
//!
//! An address belongs to the leg that *answered* a STUN request from it. The engine answers only who knows the
//! password of the leg, so nobody can draw a leg's packets, or push packets into it, by naming it. Nor by naming a leg of
//! its own from another client's address: the driver leaves that to whom it hears there.

use diemcau_model::{PeerId, Side};
use std::collections::HashMap;
use std::net::SocketAddr;

/// One of the two connections of a peer.
pub type LegId = (PeerId, Side);

/// Addresses kept for one leg; a further one takes the place of the one that was longest not answered, but never of the
/// leg's path: who repeats a client's check from many addresses drives nobody out.
pub const ADDRESSES_PER_LEG_MAX: usize = 8;

#[derive(Debug, Default)]
pub struct Demux {
    by_ufrag: HashMap<String, LegId>,
    by_address: HashMap<SocketAddr, LegId>,
    addresses: HashMap<LegId, Vec<SocketAddr>>,
}

impl Demux {
    pub fn add(&mut self, leg: LegId, ufrag: &str) {
        self.by_ufrag.insert(ufrag.to_owned(), leg);
    }

    /// Gives the addresses that were its.
    pub fn remove(&mut self, leg: LegId) -> Vec<SocketAddr> {
        self.by_ufrag.retain(|_, of| *of != leg);
        let addresses = self.addresses.remove(&leg).unwrap_or_default();
        let own = addresses
            .into_iter()
            .filter(|address| self.by_address.get(address) == Some(&leg));
        let own: Vec<SocketAddr> = own.collect();
        for address in &own {
            self.by_address.remove(address);
        }
        own
    }

    /// The leg a received datagram is for.
    pub fn find(&self, datagram: &[u8], from: SocketAddr) -> Option<LegId> {
        let named = stun_ufrag(datagram).and_then(|ufrag| self.by_ufrag.get(ufrag));
        named.or_else(|| self.by_address.get(&from)).copied()
    }

    /// The leg that an address belongs to.
    pub fn owner(&self, address: SocketAddr) -> Option<LegId> {
        self.by_address.get(&address).copied()
    }

    /// A leg, whose packets go along a path if it has one, answered at an address: it is the leg's. Gives the address that
    /// is not any more.
    pub fn answered(
        &mut self,
        leg: LegId,
        to: SocketAddr,
        path: Option<SocketAddr>,
    ) -> Option<SocketAddr> {
        self.by_address.insert(to, leg);
        let addresses = self.addresses.entry(leg).or_default();
        addresses.retain(|address| *address != to);
        addresses.push(to);
        if addresses.len() <= ADDRESSES_PER_LEG_MAX {
            return None;
        }
        let oldest = addresses.iter().position(|one| Some(*one) != path);
        let oldest = addresses.remove(oldest.unwrap_or(0));
        if self.by_address.get(&oldest) != Some(&leg) {
            return None;
        }
        self.by_address.remove(&oldest);
        Some(oldest)
    }
}

/// Whether a datagram is STUN rather than DTLS or media (RFC 7983).
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= 20 && datagram[0] <= 3 && datagram[4..8] == [0x21, 0x12, 0xa4, 0x42]
}

/// The part of a STUN request's user name that is ours.
fn stun_ufrag(datagram: &[u8]) -> Option<&str> {
    const USERNAME: u16 = 0x0006;
    if !is_stun(datagram) {
        return None;
    }
    let mut rest = &datagram[20..];
    while let [t0, t1, l0, l1, body @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        if u16::from_be_bytes([*t0, *t1]) == USERNAME {
            return std::str::from_utf8(body.get(..length)?)
                .ok()?
                .split(':')
                .next();
        }
        rest = body.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEG: LegId = (PeerId(1), Side::Uplink);
    const OTHER: LegId = (PeerId(2), Side::Uplink);

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn binding(user: &str) -> Vec<u8> {
        let mut stun = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        stun.extend([0; 12]);
        stun.extend([0x80, 0x22, 0, 3, 1, 2, 3, 0]);
        stun.extend([0, 6, 0, user.len() as u8]);
        stun.extend(user.as_bytes());
        stun
    }

    #[test]
    fn stun_goes_by_name_and_media_by_the_address_that_was_answered() {
        let mut demux = Demux::default();
        demux.add(LEG, "abc");
        assert_eq!(demux.find(&binding("abc:xyz"), address(1)), Some(LEG));
        assert_eq!(
            demux.find(&[0x80; 30], address(1)),
            None,
            "not answered yet"
        );
        demux.answered(LEG, address(1), None);
        assert_eq!(demux.find(&[0x80; 30], address(1)), Some(LEG));
        assert_eq!(demux.find(&binding("nobody:xyz"), address(2)), None);
        demux.remove(LEG);
        assert_eq!(demux.find(&[0x80; 30], address(1)), None);
        assert_eq!(demux.find(&binding("abc:xyz"), address(1)), None);
    }

    #[test]
    fn an_address_can_change_hands_and_a_leg_keeps_only_the_newest() {
        let mut demux = Demux::default();
        for port in 1..=9 {
            demux.answered(LEG, address(port), None);
            // One that goes on checking is none of the oldest.
            demux.answered(LEG, address(100), None);
        }
        assert_eq!(demux.find(&[0x80; 30], address(100)), Some(LEG));
        assert_eq!(demux.find(&[0x80; 30], address(1)), None);
        assert_eq!(demux.find(&[0x80; 30], address(9)), Some(LEG));
        demux.answered(OTHER, address(9), None);
        assert_eq!(demux.find(&[0x80; 30], address(9)), Some(OTHER));
        demux.remove(LEG);
        assert_eq!(demux.find(&[0x80; 30], address(9)), Some(OTHER));
    }

    #[test]
    fn who_repeats_a_check_from_many_addresses_does_not_drive_out_the_path() {
        let (mut demux, path) = (Demux::default(), Some(address(1)));
        demux.answered(LEG, address(1), path);
        let mut left = vec![];
        for port in 2..30 {
            left.extend(demux.answered(LEG, address(port), path));
        }
        assert_eq!(demux.find(&[0x80; 30], address(1)), Some(LEG));
        assert_eq!(left, (2..23).map(address).collect::<Vec<_>>());
        assert_eq!(demux.addresses[&LEG].len(), ADDRESSES_PER_LEG_MAX);
    }

    proptest::proptest! {
        #[test]
        fn no_datagram_makes_it_stumble(mut bytes in proptest::collection::vec(0_u8.., 0..80), stun: bool) {
            if stun && bytes.len() >= 20 {
                bytes[..8].copy_from_slice(&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
            }
            let _ = stun_ufrag(&bytes);
            let _ = crate::vp8::read(&bytes);
        }
    }
}
