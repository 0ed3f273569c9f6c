//! The connections of one conference, and telling them things: each fact is encoded once per class of viewers.

use crate::{
    Metrics,
    outbox::{Close, Inlet, Offer, Outbox, outbox},
};
use bytes::Bytes;
use diemcau_conference::{Actor, Conference, Seat};
use diemcau_model::{Carries, DeviceId, Millis, PeerAsk, PeerId, SeatId, SiteId};
use diemcau_protocol::{ErrorWhy, Me, ServerFrame, SiteTelemetry, Slice, Viewer, facts, view};
use std::collections::{BTreeMap, BTreeSet};
use tracing::error;

#[derive(Debug)]
struct Member {
    actor: Actor,
    /// The device it proved to be; none on a seat that does not ask.
    device: Option<DeviceId>,
    carries: Carries,
    viewer: Viewer,
    outbox: Outbox,
}

/// Everyone who is connected.
#[derive(Debug)]
pub(crate) struct Members {
    members: BTreeMap<PeerId, Member>,
    next: u64,
    metrics: Metrics,
}

impl Members {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self {
            members: BTreeMap::new(),
            next: 1,
            metrics,
        }
    }

    pub(crate) fn contains(&self, peer: PeerId) -> bool {
        self.members.contains_key(&peer)
    }

    pub(crate) fn actor(&self, peer: PeerId) -> Option<Actor> {
        self.members.get(&peer).map(|member| member.actor)
    }

    /// Whether a seat's machine may ask this of the media plane.
    pub(crate) fn may_ask(&self, peer: PeerId, ask: &PeerAsk) -> bool {
        let Some(member) = self.members.get(&peer) else {
            return false;
        };
        match ask {
            PeerAsk::UplinkOffer { .. } => member.carries.endpoint().is_some(),
            PeerAsk::OpenDownlink { .. }
            | PeerAsk::DownlinkAnswer { .. }
            | PeerAsk::Screen { .. }
            | PeerAsk::Listen { .. } => member.carries != Carries::Nothing,
            PeerAsk::Admit { .. } | PeerAsk::Leave { .. } => false,
        }
    }

    pub(crate) fn of_seat(&self, seat: SeatId) -> Vec<PeerId> {
        self.members
            .iter()
            .filter(|(_, member)| member.actor.seat == seat)
            .map(|(peer, _)| *peer)
            .collect()
    }

    pub(crate) fn of_device(&self, device: DeviceId) -> Vec<PeerId> {
        self.members
            .iter()
            .filter(|(_, member)| member.device == Some(device))
            .map(|(peer, _)| *peer)
            .collect()
    }

    /// How many connections each site has.
    pub(crate) fn by_site(&self) -> BTreeMap<SiteId, u16> {
        let mut count = BTreeMap::new();
        for site in self.members.values().filter_map(|member| member.actor.site) {
            *count.entry(site).or_insert(0) += 1;
        }
        count
    }

    pub(crate) fn admit(&mut self, seat: &Seat, device: Option<DeviceId>) -> (PeerId, Inlet) {
        let peer = PeerId(self.next);
        self.next += 1;
        let (outbox, inlet) = outbox();
        let actor = Actor {
            seat: seat.id,
            role: seat.role,
            site: seat.site,
        };
        let viewer = Viewer::of(seat.role, seat.site);
        self.members.insert(
            peer,
            Member {
                actor,
                device,
                carries: seat.carries,
                viewer,
                outbox,
            },
        );
        self.metrics.connections.inc();
        (peer, inlet)
    }

    pub(crate) fn welcome(&self, peer: PeerId, seat: &Seat, conference: &Conference, now: Millis) {
        let Some(member) = self.members.get(&peer) else {
            return;
        };
        let me = Me {
            seat: seat.id,
            role: seat.role,
            site: seat.site,
            carries: seat.carries,
            label: seat.label.clone(),
        };
        let view = Box::new(view(conference, member.viewer));
        let seq = conference.seq();
        let welcome = encode(&ServerFrame::Welcome { me, seq, now, view });
        member.outbox.offer_snapshot(welcome);
    }

    /// Removes a connection; false if it was gone already.
    pub(crate) fn remove(&mut self, peer: PeerId) -> bool {
        let gone = self.members.remove(&peer).is_some();
        if gone {
            self.metrics.connections.dec();
        }
        gone
    }

    /// Tells a connection why it must go, and closes it.
    pub(crate) fn dismiss(&mut self, peer: PeerId, why: ErrorWhy) {
        self.error(peer, why, None);
        if let Some(member) = self.members.get(&peer) {
            member.outbox.close(Close::Policy);
        }
        self.remove(peer);
    }

    pub(crate) fn error(&self, peer: PeerId, why: ErrorWhy, id: Option<String>) {
        self.metrics.error(why);
        let fatal = matches!(
            why,
            ErrorWhy::Revoked | ErrorWhy::Replaced | ErrorWhy::Expelled
        );
        self.tell(
            peer,
            &ServerFrame::Error {
                why,
                id,
                text: why.to_string(),
                fatal,
            },
        );
    }

    pub(crate) fn tell(&self, peer: PeerId, frame: &ServerFrame) {
        if let Some(member) = self.members.get(&peer) {
            self.offer(member, encode(frame));
        }
    }

    pub(crate) fn tell_all(&self, frame: &ServerFrame) {
        let frame = encode(frame);
        self.members
            .values()
            .for_each(|member| self.offer(member, frame.clone()));
    }

    /// Tells the desks that see to the installation.
    pub(crate) fn tell_desks(&self, frame: &ServerFrame) {
        let frame = encode(frame);
        self.members
            .values()
            .filter(|member| member.viewer.sees_all_figures())
            .for_each(|member| self.offer(member, frame.clone()));
    }

    pub(crate) fn is_desk(&self, peer: PeerId) -> bool {
        let member = self.members.get(&peer);
        member.is_some_and(|member| member.viewer.sees_all_figures())
    }

    pub(crate) fn close_all(&self, why: Close) {
        self.members
            .values()
            .for_each(|member| member.outbox.close(why));
    }

    /// Tells everyone what changed, as each may see it.
    pub(crate) fn publish(&self, conference: &Conference, slices: &BTreeSet<Slice>, now: Millis) {
        let mut encoded: BTreeMap<Viewer, Option<Bytes>> = BTreeMap::new();
        for member in self.members.values() {
            let frame = encoded.entry(member.viewer).or_insert_with(|| {
                let facts = facts(conference, slices, member.viewer);
                (!facts.is_empty()).then(|| {
                    encode(&ServerFrame::Facts {
                        seq: conference.seq(),
                        now,
                        facts,
                    })
                })
            });
            if let Some(frame) = frame {
                self.offer(member, frame.clone());
            }
        }
    }

    /// Tells the desks every site's figures, and a site its own.
    pub(crate) fn tell_figures(&self, figures: &[SiteTelemetry]) {
        let all = encode(&ServerFrame::Telemetry {
            sites: figures.to_vec(),
        });
        let mut own: BTreeMap<SiteId, Bytes> = BTreeMap::new();
        for member in self.members.values() {
            if member.viewer.sees_all_figures() {
                self.offer(member, all.clone());
            } else if let Viewer::Site(site) = member.viewer {
                let frame = own.entry(site).or_insert_with(|| {
                    let sites = figures
                        .iter()
                        .filter(|figure| figure.site == site)
                        .cloned()
                        .collect();
                    encode(&ServerFrame::Telemetry { sites })
                });
                self.offer(member, frame.clone());
            }
        }
    }

    fn offer(&self, member: &Member, frame: Bytes) {
        if member.outbox.offer(frame) == Offer::Lagging {
            self.metrics.lagging.inc();
        }
    }
}

fn encode(frame: &ServerFrame) -> Bytes {
    match serde_json::to_vec(frame) {
        Ok(text) => Bytes::from(text),
        Err(failure) => {
            // Our own types always encode; an empty frame would be seen at once in the tests.
            error!(
                error = &failure as &dyn std::error::Error,
                "a frame cannot be encoded"
            );
            Bytes::new()
        }
    }
}
