//! One secure way to a client: datagrams in, datagrams out, and the keys between.

use super::dtls::{self, Dtls, Fingerprint, Identity, Role, Step};
use super::ice::Ice;
use super::rtp::Header;
use super::srtp::{Opened, Opener, Sealer};
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
    /// That a handshake was refused was told already.
    told_refused: bool,
    /// What came last is the client's own: what anybody may send or repeat is not.
    is_heard: bool,
    out: Vec<(Path, Vec<u8>)>,
}

/// What came with a datagram.
pub enum Received {
    Nothing,
    Connected,
    Closed,
    /// Somebody, perhaps the client, began a handshake that can come to nothing, and why.
    Refused(String),
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
            told_refused: false,
            is_heard: false,
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
        (ufrag, password): (&str, &str),
        theirs: Fingerprint,
        role: Role,
        now: Instant,
    ) -> Result<Vec<Received>, Error> {
        self.ice.described(ufrag, password);
        for (path, bytes) in self.ice.came_before() {
            self.ask_back(path, bytes);
        }
        let early = self.dtls.begin(theirs, role, now)?.into_iter();
        let received = early.map(|datagram| self.taken(datagram, now)).collect();
        self.flush();
        Ok(received)
    }

    pub fn receive(&mut self, datagram: BytesMut, from: Path, now: Instant) -> Received {
        self.is_heard = false;
        if is_stun(&datagram) {
            return self.stun(&datagram, from, now);
        }
        if !self.ice.is_proved(from) {
            return Received::Nothing;
        }
        self.ask_back(from, datagram.len());
        match datagram.first() {
            // RFC 7983
            Some(20..64) => self.handshake(datagram, from, now),
            Some(128..192) => self.media(datagram, from, now),
            Some(_) | None => Received::Nothing,
        }
    }

    fn stun(&mut self, datagram: &[u8], from: Path, now: Instant) -> Received {
        if let Some(answer) = self.ice.receive(datagram, from, now) {
            self.is_heard = self.ice.is_checked();
            self.push(from, answer);
            self.ask_back(from, datagram.len());
        } else if let Some(took) = self.ice.answered(datagram, from, now) {
            self.is_heard = true;
            return Received::Answered(took);
        }
        // A handshake of ours may have waited for a way.
        self.flush();
        Received::Nothing
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
        let path = self.path()?;
        let (sealer, _) = self.keys.as_mut()?;
        Some((path, sealer))
    }

    /// Where more may be sent than came. Who sends media is told little of it; who takes media must be there.
    fn path(&self) -> Option<Path> {
        let may_send = self.takes_media || self.ice.is_reached();
        self.ice.path().filter(|_| may_send)
    }

    /// There are keys, and what they would protect is held back.
    pub fn is_held(&self) -> bool {
        self.keys.is_some() && self.path().is_none()
    }

    /// Whether the client itself was heard in what came last.
    pub fn is_heard(&self) -> bool {
        self.is_heard
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

    fn ask_back(&mut self, from: Path, bytes: usize) {
        if !self.takes_media
            && let Some(check) = self.ice.ask_back(from, bytes)
        {
            self.push(from, check);
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
        use super::tests::{THEIR_PASSWORD, check};
        let to = to.into();
        self.ice.described("them", THEIR_PASSWORD);
        let check = check(&self.ice, "them", true);
        self.receive(check[..].into(), to, Instant::now());
        for (at, answer) in self.answers() {
            self.receive(answer, at, Instant::now());
        }
        self.key(super::srtp::Profile::Gcm);
    }

    /// How many pieces of a handshake it still takes; none when it is closed.
    #[cfg(test)]
    pub fn room(&self) -> usize {
        match self.closed {
            true => 0,
            false => self.dtls.room(),
        }
    }

    /// A client's answers to what it was asked, and where it was.
    #[cfg(test)]
    pub fn answers(&mut self) -> Vec<(Path, BytesMut)> {
        use super::tests::{THEIR_PASSWORD, answer_to};
        let is_check = |datagram: &[u8]| datagram.starts_with(&[0, 1]);
        let asked = self.out.extract_if(.., |(_, one)| is_check(one));
        let answer = |asked: &[u8]| answer_to(asked, THEIR_PASSWORD)[..].into();
        asked.map(|(at, asked)| (at, answer(&asked))).collect()
    }

    /// As if the handshake had given keys for this.
    #[cfg(test)]
    pub fn key(&mut self, profile: super::srtp::Profile) {
        self.keys = Some(super::tests::keys(profile, false));
    }

    fn handshake(&mut self, datagram: BytesMut, from: Path, now: Instant) -> Received {
        self.ice.begins_at(from);
        let received = self.taken(datagram, now);
        self.flush();
        received
    }

    /// Whoever proved its path may say this, so nothing that it says of a handshake ends the leg.
    fn taken(&mut self, datagram: BytesMut, now: Instant) -> Received {
        match self.dtls.receive(datagram, now) {
            Ok(Some(step)) => self.step(step),
            Ok(None) => Received::Nothing,
            Err(error) => {
                tracing::debug!(%error, "a datagram of a handshake was of no use");
                match dtls::is_refusal(&error) {
                    true => self.refused(error.to_string()),
                    false => Received::Nothing,
                }
            }
        }
    }

    /// That a handshake can come to nothing is told once: whoever writes the client's address can say so without end.
    fn refused(&mut self, why: String) -> Received {
        if std::mem::replace(&mut self.told_refused, true) {
            return Received::Nothing;
        }
        Received::Refused(why)
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
        let profile = opener.profile();
        let (opened, tail) = match &header {
            Some(header) => (
                opener.open_rtp(&mut packet, header, now),
                profile.tag_bytes(),
            ),
            None if is_rtcp => (opener.open_rtcp(&mut packet), profile.rtcp_tail_bytes()),
            None => return Received::Nothing,
        };
        let Some(opened) = opened else {
            return Received::Nothing;
        };
        self.is_heard = true;
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
        // Of a handshake only its end is certain to be the client's.
        self.is_heard = !matches!(step, Step::GivenUp(_));
        match step {
            Step::Connected(keys) => {
                self.keys = Some(*keys);
                Received::Connected
            }
            Step::Closed => {
                self.closed = true;
                Received::Closed
            }
            Step::GivenUp(why) => self.refused(format!("the client gave up with alert {why}")),
        }
    }

    fn flush(&mut self) {
        let Some(path) = self.path() else { return };
        while let Some(datagram) = self.dtls.transmit() {
            self.push(path, datagram.to_vec());
        }
    }
}
