//! What the hub asks for a client.

use super::Driver;
use crate::peers::{Down, Peer, Up};
use diemcau_model::{Carries, PeerAsk, PeerId, PeerSay, Side, SiteId};
use std::time::Instant;

/// Peers at one time; a further one is admitted to nothing and told so when it offers.
const PEERS_MAX: usize = 4_096;
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
            PeerAsk::Screen { peer, slots } => {
                if let Some(peer) = self.peers.get_mut(&peer) {
                    peer.screen = slots;
                    self.dirty = true;
                }
            }
            PeerAsk::Listen { peer, sound } => {
                if let Some(peer) = self.peers.get_mut(&peer) {
                    peer.listens = sound;
                    self.dirty = true;
                }
            }
            PeerAsk::Leave { peer } => self.leave(peer, now),
        }
    }

    fn admit(&mut self, peer: PeerId, site: Option<SiteId>, carries: Carries, now: Instant) {
        if self.peers.len() >= PEERS_MAX && !self.peers.contains_key(&peer) {
            tracing::error!(%peer, "the media plane is full");
            return;
        }
        // Admitted anew, perhaps as somebody else: nothing of the former life may stay.
        self.leave(peer, now);
        self.peers.insert(peer, Peer::new(site, carries, now));
    }

    fn uplink_offer(&mut self, id: PeerId, sdp: &str, now: Instant) {
        let leg = (id, Side::Uplink);
        let Some(peer) = self.peers.get_mut(&id) else {
            return self.say_failed(leg, "not admitted");
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
            sdp: answer,
        });
    }

    fn open_downlink(&mut self, id: PeerId, now: Instant) {
        let leg = (id, Side::Downlink);
        let Some(peer) = self.peers.get_mut(&id) else {
            return self.say_failed(leg, "not admitted");
        };
        if !crate::gate::receives(peer.carries) {
            return self.say_failed(leg, "this seat carries no media");
        }
        if !peer.may_try(Side::Downlink, now) {
            return self.say_failed(leg, TOO_MANY_TRIES);
        }
        let (made, offer) = match self.engine.offer_downlink() {
            Ok(made) => made,
            Err(error) => return self.say_failed(leg, &error.to_string()),
        };
        self.hang_up(leg, now);
        self.demux.add(leg, made.ufrag());
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.down = Some(Down::new(made, now));
            peer.told = None;
        }
        self.dirty = true;
        self.doors.says.send(PeerSay::Offer {
            peer: id,
            sdp: offer,
        });
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
        if self.peers.remove(&id).is_some() {
            self.dirty = true;
        }
    }
}
