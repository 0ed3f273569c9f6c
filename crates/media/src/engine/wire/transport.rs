//! One secure way to a client: datagrams in, datagrams out, and the keys between.

use super::dtls::{Dtls, Fingerprint, Identity, Role, Step};
use super::ice::Ice;
use super::rtp::Header;
use super::srtp::{Opened, Opener, RTCP_TAIL_BYTES, Sealer, TAG_BYTES};
use crate::demux::is_stun;
use crate::engine::Path;
use bytes::BytesMut;
use rtc::shared::error::Error;
use std::time::{Duration, Instant};

/// Datagrams of the handshake and answers to checks between two drains; a further one is dropped like one lost on
/// the way.
const OUT_MAX: usize = 64;

pub struct Transport {
    pub ice: Ice,
    dtls: Dtls,
    keys: Option<(Sealer, Opener)>,
    /// The client sends media here.
    takes_media: bool,
    closed: bool,
    /// When the client last said something: what anybody may send or repeat does not count.
    heard: Option<Instant>,
    out: Vec<(Path, Vec<u8>)>,
}

/// What came with a datagram.
pub enum Received {
    Nothing,
    Connected,
    Closed,
    /// Readable RTCP.
    Rtcp(BytesMut),
    /// Readable RTP with its header, and where it stands in its stream.
    Rtp(BytesMut, Header, Opened),
    /// The answer to a check of ours took so long.
    Answered(Duration),
}

impl Transport {
    pub fn new(identity: Identity) -> Result<Self, Error> {
        Ok(Self {
            ice: Ice::new(std::sync::Arc::clone(&identity.provider))?,
            dtls: Dtls::new(identity),
            keys: None,
            takes_media: false,
            closed: false,
            heard: None,
            out: vec![],
        })
    }

    /// Media is read, not only what is said of it.
    pub fn with_media(mut self) -> Self {
        self.takes_media = true;
        self
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

    pub fn receive(&mut self, datagram: BytesMut, from: Path, now: Instant) -> Received {
        if is_stun(&datagram) {
            if let Some(answer) = self.ice.receive(&datagram, from, now) {
                self.heard = self.heard.max(self.ice.checked());
                self.push(from, answer);
                // A handshake of ours may have waited for a way.
                self.flush();
            } else if let Some(took) = self.ice.answered(&datagram, from, now) {
                self.heard = Some(now);
                return Received::Answered(took);
            }
            return Received::Nothing;
        }
        if !self.ice.is_proved(from) {
            return Received::Nothing;
        }
        match datagram.first() {
            // RFC 7983
            Some(20..64) => self.handshake(datagram, from, now),
            Some(128..192) => self.media(datagram, from, now),
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
    pub fn way(&mut self) -> Option<(Path, &mut Sealer)> {
        if self.closed {
            return None;
        }
        let (sealer, _) = self.keys.as_mut()?;
        Some((self.ice.path()?, sealer))
    }

    /// When the client itself was last heard.
    pub fn heard(&self) -> Option<Instant> {
        self.heard
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

    /// Asks the client how far it is, if that is due.
    pub fn measure(&mut self, now: Instant) {
        if let Some((to, check)) = self.ice.ask(now) {
            self.push(to, check);
        }
    }

    /// What is to be sent beside media.
    pub fn drain(&mut self) -> std::vec::Drain<'_, (Path, Vec<u8>)> {
        self.out.drain(..)
    }

    pub fn push(&mut self, to: Path, datagram: Vec<u8>) {
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
    pub fn open(&mut self, to: impl Into<Path>) {
        let check = super::tests::check(&self.ice, "them", true);
        self.receive(check[..].into(), to.into(), Instant::now());
        self.key();
    }

    /// As if the handshake had given these keys.
    #[cfg(test)]
    pub fn key(&mut self) {
        use super::srtp::{MATERIAL_BYTES, contexts};
        let provider = super::tests::provider();
        self.keys = contexts(&[7; MATERIAL_BYTES], false, provider.crypto()).ok();
    }

    fn handshake(&mut self, datagram: BytesMut, from: Path, now: Instant) -> Received {
        self.ice.begins_at(from);
        let step = self.dtls.receive(datagram, now);
        let received = match step {
            Ok(Some(step)) => {
                // Of a handshake only its end is certain to be the client's.
                self.heard = Some(now);
                self.step(step)
            }
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
    fn media(&mut self, mut packet: BytesMut, from: Path, now: Instant) -> Received {
        let Some((_, opener)) = &mut self.keys else {
            return Received::Nothing;
        };
        let is_rtcp = matches!(packet.get(1), Some(192..224));
        let header = match is_rtcp {
            true => None,
            false => Header::read(&packet).filter(|_| self.takes_media),
        };
        let (opened, tail) = match &header {
            Some(header) => (opener.open_rtp(&mut packet, header, now), TAG_BYTES),
            None if is_rtcp => (opener.open_rtcp(&mut packet), RTCP_TAIL_BYTES),
            None => return Received::Nothing,
        };
        let Some(opened) = opened else {
            return Received::Nothing;
        };
        self.heard = Some(now);
        packet.truncate(packet.len() - tail);
        if opened.is_newest {
            self.ice.goes_on_at(from, now);
        }
        match header {
            Some(header) => Received::Rtp(packet, header, opened),
            None => Received::Rtcp(packet),
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
