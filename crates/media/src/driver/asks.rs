//! What the hub asks for a client.

use super::Driver;
use crate::{
    demux::LegId,
    engine::{EngineError, Leg},
    gate,
    peers::{Down, Peer, Up},
};
use diemcau_model::{PeerAsk, PeerId, PeerSay, Side};
use std::collections::btree_map::Entry;
use std::time::Instant;

/// One that only watches hears it when all places are taken.
const FULL: &str = "as many machines have pictures as this server gives them to";
/// A client that hears it does not try again.
const ANOTHER_PRESENTS: &str = "another machine of this seat presents";
/// Nothing changes for who hears it.
pub(super) const ANSWERED: &str = "this downlink was answered already";
/// A client that hears it keeps what it has, and may try again then.
pub const TOO_MANY_TRIES: &str = "too many connections in a short time; try again in ten seconds";

impl Driver {
    pub(super) fn ask(&mut self, ask: PeerAsk, now: Instant) {
        match ask {
            PeerAsk::Admit {
                peer,
                seat,
                site,
                carries,
            } => {
                // Admitted anew, perhaps as somebody else: nothing of the former life may stay.
                self.leave(peer, now);
                self.admitted.insert(peer, (seat, site, carries));
            }
            PeerAsk::UplinkOffer { peer, sdp } => self.uplink_offer(peer, &sdp, now),
            PeerAsk::PresentationOffer { peer, sdp } => self.presentation_offer(peer, &sdp, now),
            PeerAsk::OpenDownlink { peer } => self.open_downlink(peer, now),
            PeerAsk::DownlinkAnswer { peer, sdp } => self.downlink_answer(peer, &sdp, now),
            PeerAsk::DownlinkOffer { peer, sdp } => self.downlink_offer(peer, &sdp, now),
            PeerAsk::Screen { peer, slots } => {
                if let Ok(peer) = self.peer(peer, now)
                    && peer.screen != slots
                {
                    peer.screen = slots;
                    self.dirty = true;
                }
            }
            PeerAsk::Listen { peer, sound } => {
                if let Ok(peer) = self.peer(peer, now)
                    && peer.listens != sound
                {
                    peer.listens = sound;
                    self.dirty = true;
                }
            }
            PeerAsk::Leave { peer } => self.leave(peer, now),
        }
    }

    /// An admitted peer, from its first word about media on: ten thousand may watch without any, and cost nothing here.
    pub(super) fn peer(&mut self, id: PeerId, now: Instant) -> Result<&mut Peer, &'static str> {
        let (seat, site, carries) = *self.admitted.get(&id).ok_or("not admitted")?;
        let presents = self
            .stage
            .presentation
            .is_some_and(|shown| shown.seat == seat);
        match self.peers.entry(id) {
            Entry::Occupied(peer) => Ok(peer.into_mut()),
            Entry::Vacant(place) => match self.places.take(seat, carries, presents) {
                true => Ok(place.insert(Peer::new(seat, site, carries, now))),
                false => Err(FULL),
            },
        }
    }

    fn uplink_offer(&mut self, id: PeerId, sdp: &str, now: Instant) {
        let leg = (id, Side::Uplink);
        let peer = match self.peer(id, now) {
            Ok(peer) => peer,
            Err(why) => return self.refuse(leg, why, now),
        };
        if peer.carries.endpoint().is_none() || peer.site.is_none() {
            return self.refuse(leg, "this seat does not send", now);
        }
        if !self.may_try(leg, now) {
            return self.refuse(leg, TOO_MANY_TRIES, now);
        }
        let made = self.engine.answer_uplink(sdp, now);
        self.begin_uplink(leg, made, now);
    }

    /// A presentation comes from the seat that the rules name, and is not even taken from another.
    fn presentation_offer(&mut self, id: PeerId, sdp: &str, now: Instant) {
        let leg = (id, Side::Presentation);
        let shown = self.stage.presentation;
        let peer = match self.peer(id, now) {
            Ok(peer) => peer,
            Err(why) => return self.refuse(leg, why, now),
        };
        if shown.is_none_or(|shown| shown.seat != peer.seat) || !gate::receives(peer.carries) {
            return self.refuse(leg, "this seat does not present", now);
        }
        if !self.may_try(leg, now) {
            return self.refuse(leg, TOO_MANY_TRIES, now);
        }
        self.end_other_presentations(id, now);
        let made = self.engine.answer_presentation(sdp, now);
        self.begin_uplink(leg, made, now);
    }

    fn begin_uplink(
        &mut self,
        leg: LegId,
        made: Result<(Box<dyn Leg>, String), EngineError>,
        now: Instant,
    ) {
        let (made, sdp) = match made {
            Ok(made) => made,
            // The one that is there, if any, goes on.
            Err(error) => return self.refuse(leg, &error.to_string(), now),
        };
        self.hang_up(leg, now);
        self.demux.add(leg, made.ufrag());
        let (peer, side) = leg;
        if let Some(peer) = self.peers.get_mut(&peer) {
            let up = Some(Up::new(made, now));
            match side {
                Side::Presentation => peer.presents = up,
                Side::Uplink | Side::Downlink => peer.up = up,
            }
        }
        self.doors.says.send(PeerSay::Answer { peer, side, sdp });
    }

    /// Of the machines of one seat the one presents that was last told to; the others stop, and do not come back by
    /// themselves.
    fn end_other_presentations(&mut self, of: PeerId, now: Instant) {
        let seat = self.peers.get(&of).map(|peer| peer.seat);
        let other = |(id, peer): (&PeerId, &Peer)| {
            (*id != of && peer.presents.is_some() && Some(peer.seat) == seat).then_some(*id)
        };
        let others: Vec<PeerId> = self.peers.iter().filter_map(other).collect();
        for peer in others {
            self.fail((peer, Side::Presentation), ANOTHER_PRESENTS, now);
        }
    }

    /// Who presents no longer sends no longer.
    pub(super) fn end_presentations(&mut self, now: Instant) {
        let seat = self.stage.presentation.map(|shown| shown.seat);
        let over = |(id, peer): (&PeerId, &Peer)| {
            (peer.presents.is_some() && Some(peer.seat) != seat).then_some(*id)
        };
        let over: Vec<PeerId> = self.peers.iter().filter_map(over).collect();
        for peer in over {
            self.hang_up((peer, Side::Presentation), now);
        }
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
            Err(error) => self.refuse((id, Side::Downlink), &error.to_string(), now),
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
            Err(error) => self.refuse((id, side), &error.to_string(), now),
        }
    }

    /// Whether a peer may have a downlink made now; if so, it counts, and if not, it is told why.
    fn may_receive(&mut self, id: PeerId, now: Instant) -> bool {
        let why = match self.peer(id, now) {
            Err(why) => why,
            Ok(peer) if !gate::receives(peer.carries) => "this seat carries no media",
            Ok(_) => match self.may_try((id, Side::Downlink), now) {
                true => return true,
                false => TOO_MANY_TRIES,
            },
        };
        self.refuse((id, Side::Downlink), why, now);
        false
    }

    /// Whether a leg may be made now; if so, it counts.
    fn may_try(&mut self, (peer, side): LegId, now: Instant) -> bool {
        let peer = self.peers.get_mut(&peer);
        peer.is_some_and(|peer| self.tries.take(peer, side, now))
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
        let peer = self.peers.get_mut(&id);
        let Some(down) = peer.and_then(|peer| peer.down.as_mut()) else {
            return self.refuse(leg, "no downlink was offered", now);
        };
        if !down.takes_answer() {
            return self.refuse(leg, ANSWERED, now);
        }
        let accepted = down.line.leg.accept_answer(sdp, now);
        super::touch(&mut down.line, leg, &mut self.touched);
        if let Err(error) = accepted {
            self.fail(leg, &error.to_string(), now);
        }
    }

    pub(super) fn leave(&mut self, id: PeerId, now: Instant) {
        for side in Side::ALL {
            self.hang_up((id, side), now);
        }
        self.admitted.remove(&id);
        if let Some(peer) = self.peers.remove(&id) {
            self.places.give_back(peer.seat, peer.carries);
            self.dirty = true;
        }
    }
}
