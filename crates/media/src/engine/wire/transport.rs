//! One secure way to a client: datagrams in, datagrams out, and the keys between.

use super::dtls::{Dtls, Fingerprint, Identity, Role, Step};
use super::ice::Ice;
use super::rtp::Header;
use super::srtp::{Opener, Sealer, TAG_BYTES};
use crate::demux::is_stun;
use bytes::BytesMut;
use rtc::shared::error::Error;
use std::net::SocketAddr;
use std::time::Instant;

/// Datagrams of the handshake and answers to checks between two drains; a further one is dropped like one lost on
/// the way.
const OUT_MAX: usize = 64;

pub struct Transport {
    pub ice: Ice,
    dtls: Dtls,
    keys: Option<(Sealer, Opener)>,
    closed: bool,
    out: Vec<(SocketAddr, Vec<u8>)>,
}

/// What came with a datagram.
pub enum Received {
    Nothing,
    Connected,
    Closed,
    /// Readable RTCP.
    Rtcp(BytesMut),
    /// RTP, protected as it came: `open_rtp` reads it, and a leg that expects none spends nothing on it.
    Rtp(BytesMut),
}

impl Transport {
    pub fn new(identity: Identity) -> Result<Self, Error> {
        Ok(Self {
            ice: Ice::new(std::sync::Arc::clone(&identity.provider))?,
            dtls: Dtls::new(identity),
            keys: None,
            closed: false,
            out: vec![],
        })
    }

    /// The client's description is known.
    pub fn described(
        &mut self,
        ufrag: &str,
        theirs: Fingerprint,
        role: Role,
        now: Instant,
    ) -> Result<Vec<Received>, Error> {
        self.ice.described(ufrag);
        let steps = self.dtls.begin(theirs, role, now)?;
        let received = steps.into_iter().map(|step| self.step(step)).collect();
        self.flush();
        Ok(received)
    }

    pub fn receive(&mut self, datagram: BytesMut, from: SocketAddr, now: Instant) -> Received {
        if is_stun(&datagram) {
            if let Some(answer) = self.ice.receive(&datagram, from) {
                self.push(from, answer);
                // A handshake of ours may have waited for a way.
                self.flush();
            }
            return Received::Nothing;
        }
        if !self.ice.is_proved(from) {
            return Received::Nothing;
        }
        match datagram.first() {
            // RFC 7983
            Some(20..64) => self.handshake(datagram, from, now),
            Some(128..192) => self.media(datagram),
            Some(_) | None => Received::Nothing,
        }
    }

    pub fn tick(&mut self, now: Instant) {
        if let Err(error) = self.dtls.tick(now) {
            tracing::debug!(%error, "a handshake took the time badly");
        }
        self.flush();
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.dtls.deadline()
    }

    /// Where media goes and what protects it; `None` while there is neither.
    pub fn way(&mut self) -> Option<(SocketAddr, &mut Sealer)> {
        if self.closed {
            return None;
        }
        let (sealer, _) = self.keys.as_mut()?;
        Some((self.ice.path()?, sealer))
    }

    /// Makes a packet readable where it lies, if it is genuine and new; gives its running number, in which sequence
    /// numbers do not wrap.
    pub fn open_rtp(
        &mut self,
        packet: &mut BytesMut,
        header: &Header,
        now: Instant,
    ) -> Option<u64> {
        let (_, opener) = self.keys.as_mut()?;
        let number = opener.open_rtp(packet, header, now)?;
        packet.truncate(packet.len() - TAG_BYTES);
        Some(number)
    }

    /// Whether a stream of theirs is still remembered.
    pub fn knows(&self, ssrc: u32) -> bool {
        let keys = self.keys.as_ref();
        keys.is_some_and(|(_, opener)| opener.knows(ssrc))
    }

    /// Protects a report and sends it where media goes, if there is a way.
    pub fn report(&mut self, mut packet: Vec<u8>) -> bool {
        let Some((to, sealer)) = self.way() else {
            return false;
        };
        match sealer.seal_rtcp(&mut packet) {
            Ok(()) => self.push(to, packet),
            Err(error) => tracing::error!(%error, "a report could not be protected"),
        }
        true
    }

    /// What is to be sent beside media.
    pub fn drain(&mut self) -> std::vec::Drain<'_, (SocketAddr, Vec<u8>)> {
        self.out.drain(..)
    }

    pub fn push(&mut self, to: SocketAddr, datagram: Vec<u8>) {
        if self.out.len() < OUT_MAX {
            self.out.push((to, datagram));
        }
    }

    /// Says good-bye.
    pub fn close(&mut self, now: Instant) {
        self.dtls.close(now);
        self.flush();
        self.closed = true;
    }

    /// As if a client had connected from an address.
    #[cfg(test)]
    pub fn open(&mut self, to: SocketAddr) {
        let _ = self
            .ice
            .receive(&super::tests::check(&self.ice, "them", true), to);
        self.key();
    }

    /// As if the handshake had given these keys.
    #[cfg(test)]
    pub fn key(&mut self) {
        use super::srtp::{MATERIAL_BYTES, contexts};
        let provider = super::tests::provider();
        self.keys = contexts(&[7; MATERIAL_BYTES], false, provider.crypto()).ok();
    }

    fn handshake(&mut self, datagram: BytesMut, from: SocketAddr, now: Instant) -> Received {
        self.ice.begins_at(from);
        let step = self.dtls.receive(datagram, now);
        let received = match step {
            Ok(Some(step)) => self.step(step),
            Ok(None) => Received::Nothing,
            Err(error) => {
                tracing::debug!(%error, "a datagram of a handshake was of no use");
                Received::Nothing
            }
        };
        self.flush();
        received
    }

    /// RTCP and RTP are told apart by their second byte (RFC 5761, 4).
    fn media(&mut self, mut datagram: BytesMut) -> Received {
        let Some((_, opener)) = &mut self.keys else {
            return Received::Nothing;
        };
        if !matches!(datagram.get(1), Some(192..224)) {
            return Received::Rtp(datagram);
        }
        let length = opener.open_rtcp(&mut datagram).map(<[u8]>::len);
        match length {
            Some(length) => {
                datagram.truncate(length);
                Received::Rtcp(datagram)
            }
            None => Received::Nothing,
        }
    }

    fn step(&mut self, step: Step) -> Received {
        match step {
            Step::Connected(keys) => {
                self.keys = Some(*keys);
                Received::Connected
            }
            Step::Closed => {
                self.closed = true;
                Received::Closed
            }
        }
    }

    fn flush(&mut self) {
        let Some(path) = self.ice.path() else { return };
        while let Some(datagram) = self.dtls.transmit() {
            self.push(path, datagram.to_vec());
        }
    }
}
