//! What the hub asks for a client.

use super::Driver;
use crate::peers::{Down, Peer, Up};
use diemcau_model::{Carries, PeerAsk, PeerId, PeerSay, Side, SiteId};
use std::time::Instant;

/// Peers with media at one time; a further one is told so when it offers.
const PEERS_MAX: usize = 4_096;
const FULL: &str = "as many machines have pictures as this server gives them to";
const TOO_MANY_TRIES: &str = "too many connections in a short time; try again in ten seconds";

impl Driver {
    pub(super) fn ask(&mut self, ask: PeerAsk, now: Instant) {
        match ask {
            PeerAsk::Admit {
                peer,
                site,
                carries,
            } => self.admit(peer, site, carries, now),
            PeerAsk::UplinkOffer { peer, sdp } => self.uplink_offer(peer, &sdp, now),
            PeerAsk::OpenDownlink { peer } => self.open_downlink(peer, now),
            PeerAsk::DownlinkAnswer { peer, sdp } => self.downlink_answer(peer, &sdp, now),
            PeerAsk::DownlinkOffer { peer, sdp } => self.downlink_offer(peer, &sdp, now),
            PeerAsk::Screen { peer, slots } => {
                if let Ok(peer) = self.peer(peer, now) {
                    peer.screen = slots;
                    self.dirty = true;
                }
            }
            PeerAsk::Listen { peer, sound } => {
                if let Ok(peer) = self.peer(peer, now) {
                    peer.listens = sound;
                    self.dirty = true;
                }
            }
            PeerAsk::Leave { peer } => self.leave(peer, now),
        }
    }

    fn admit(&mut self, peer: PeerId, site: Option<SiteId>, carries: Carries, now: Instant) {
        // Admitted anew, perhaps as somebody else: nothing of the former life may stay.
        self.leave(peer, now);
        self.admitted.insert(peer, (site, carries));
    }

    /// An admitted peer, from its first word about media on: ten thousand may watch without any, and cost nothing here.
    pub(super) fn peer(&mut self, id: PeerId, now: Instant) -> Result<&mut Peer, &'static str> {
        let (site, carries) = *self.admitted.get(&id).ok_or("not admitted")?;
        if self.peers.len() >= PEERS_MAX && !self.peers.contains_key(&id) {
            return Err(FULL);
        }
        let peer = self.peers.entry(id);
        Ok(peer.or_insert_with(|| Peer::new(site, carries, now)))
    }

    fn uplink_offer(&mut self, id: PeerId, sdp: &str, now: Instant) {
        let leg = (id, Side::Uplink);
        let peer = match self.peer(id, now) {
            Ok(peer) => peer,
            Err(why) => return self.say_failed(leg, why),
        };
        if peer.carries.endpoint().is_none() || peer.site.is_none() {
            return self.say_failed(leg, "this seat does not send");
        }
        if !peer.may_try(Side::Uplink, now) {
            return self.say_failed(leg, TOO_MANY_TRIES);
        }
        let (made, answer) = match self.engine.answer_uplink(sdp, now) {
            Ok(made) => made,
            // The uplink that is there, if any, goes on.
            Err(error) => return self.say_failed(leg, &error.to_string()),
        };
        self.hang_up(leg, now);
        self.demux.add(leg, made.ufrag());
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.up = Some(Up::new(made, now));
        }
        self.doors.says.send(PeerSay::Answer {
            peer: id,
            side: Side::Uplink,
            sdp: answer,
        });
    }

    fn open_downlink(&mut self, id: PeerId, now: Instant) {
        if !self.may_receive(id, now) {
            return;
        }
        match self.engine.offer_downlink() {
            Ok((made, sdp)) => {
                self.begin_downlink(id, Down::new(made, now), now);
                self.doors.says.send(PeerSay::Offer { peer: id, sdp });
            }
            Err(error) => self.say_failed((id, Side::Downlink), &error.to_string()),
        }
    }

    /// The client describes what it takes: one that follows nobody's slots, as a player does.
    fn downlink_offer(&mut self, id: PeerId, sdp: &str, now: Instant) {
        if !self.may_receive(id, now) {
            return;
        }
        let side = Side::Downlink;
        match self.engine.answer_downlink(sdp, now) {
            Ok((made, ears, sdp)) => {
                let down = Down::new(made, now).with_ears(ears);
                self.begin_downlink(id, down, now);
                let peer = id;
                self.doors.says.send(PeerSay::Answer { peer, side, sdp });
            }
            Err(error) => self.say_failed((id, side), &error.to_string()),
        }
    }

    /// Whether a peer may have a downlink made now; if so, it counts, and if not, it is told why.
    fn may_receive(&mut self, id: PeerId, now: Instant) -> bool {
        let why = match self.peer(id, now) {
            Err(why) => why,
            Ok(peer) if !crate::gate::receives(peer.carries) => "this seat carries no media",
            Ok(peer) => match peer.may_try(Side::Downlink, now) {
                true => return true,
                false => TOO_MANY_TRIES,
            },
        };
        self.say_failed((id, Side::Downlink), why);
        false
    }

    fn begin_downlink(&mut self, id: PeerId, mut down: Down, now: Instant) {
        let leg = (id, Side::Downlink);
        self.hang_up(leg, now);
        self.demux.add(leg, down.line.leg.ufrag());
        super::touch(&mut down.line, leg, &mut self.touched);
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.down = Some(down);
            peer.told = None;
        }
        self.dirty = true;
    }

    fn downlink_answer(&mut self, id: PeerId, sdp: &str, now: Instant) {
        let leg = (id, Side::Downlink);
        let Some(line) = self
            .peers
            .get_mut(&id)
            .and_then(|peer| peer.line(Side::Downlink))
        else {
            return self.say_failed(leg, "no downlink was offered");
        };
        let accepted = line.leg.accept_answer(sdp, now);
        super::touch(line, leg, &mut self.touched);
        if let Err(error) = accepted {
            self.fail(leg, &error.to_string(), now);
        }
    }

    pub(super) fn leave(&mut self, id: PeerId, now: Instant) {
        self.hang_up((id, Side::Uplink), now);
        self.hang_up((id, Side::Downlink), now);
        self.admitted.remove(&id);
        if self.peers.remove(&id).is_some() {
            self.dirty = true;
        }
    }
}
