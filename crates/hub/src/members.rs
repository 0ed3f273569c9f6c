//! The connections of one conference, and telling them things: each fact is encoded once per class of viewers.
//!
//! Desks, sites and screens are told by the room itself, at once. Who only watches is told by the crowd's task.

use crate::{
    Frame, Metrics,
    crowd::Crowd,
    outlet::{Close, Offer, Outlet},
    room::{Came, Opened},
    snapshot::Snapshots,
};
use diemcau_conference::{Actor, Conference, Seat};
use diemcau_model::{Carries, DeviceId, Millis, PeerAsk, PeerId, Role, SeatId, SiteId, limits};
use diemcau_protocol::{ErrorWhy, Lane, Me, ServerFrame, SiteTelemetry, Slice, Viewer, facts};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::time::Instant;

#[derive(Debug)]
struct Member {
    actor: Actor,
    /// The device it proved to be; none on a seat that does not ask.
    device: Option<DeviceId>,
    came: Came,
    carries: Carries,
    viewer: Viewer,
    outlet: Arc<Outlet>,
}

/// A connection that is on its way out. Gone, it has no outlet.
#[derive(Debug)]
struct Closing {
    seat: SeatId,
    device: Option<DeviceId>,
    outlet: Weak<Outlet>,
}

/// Everyone who is connected.
#[derive(Debug)]
pub(crate) struct Members {
    /// Who takes part: seats of every role but the observers'.
    taking_part: BTreeMap<PeerId, Member>,
    /// Who only watches.
    watching: BTreeMap<PeerId, Member>,
    /// Who is neither, but whose connection may not be gone: it may be minutes until it has read what waits for it.
    closing: Vec<Closing>,
    crowd: Crowd,
    /// What newcomers see, for thousands may come at once. Nobody is welcomed while memory is ahead of the disk, so all
    /// that has changed was published.
    snapshots: Snapshots,
    /// How many connections each seat has; none has no entry.
    seats: BTreeMap<SeatId, usize>,
    next: u64,
    metrics: Metrics,
}

impl Members {
    pub(crate) fn new(metrics: Metrics, feed_window: Duration) -> Self {
        Self {
            taking_part: BTreeMap::new(),
            watching: BTreeMap::new(),
            closing: vec![],
            crowd: Crowd::spawn(feed_window, metrics.clone()),
            snapshots: Snapshots::new(metrics.snapshot_bytes.clone()),
            seats: BTreeMap::new(),
            next: 1,
            metrics,
        }
    }

    fn get(&self, peer: PeerId) -> Option<&Member> {
        let takes_part = self.taking_part.get(&peer);
        takes_part.or_else(|| self.watching.get(&peer))
    }

    fn all(&self) -> impl Iterator<Item = (&PeerId, &Member)> {
        self.taking_part.iter().chain(&self.watching)
    }

    pub(crate) fn contains(&self, peer: PeerId) -> bool {
        self.get(peer).is_some()
    }

    pub(crate) fn actor(&self, peer: PeerId) -> Option<Actor> {
        self.get(peer).map(|member| member.actor)
    }

    /// Whether a seat's machine may ask this of the media plane.
    pub(crate) fn may_ask(&self, peer: PeerId, ask: &PeerAsk) -> bool {
        let Some(member) = self.get(peer) else {
            return false;
        };
        match ask {
            PeerAsk::UplinkOffer { .. } => member.carries.endpoint().is_some(),
            PeerAsk::Screen { slots, .. } if slots.preview.is_some() => {
                member.carries != Carries::Nothing && member.viewer.sees_all_figures()
            }
            PeerAsk::PresentationOffer { .. }
            | PeerAsk::OpenDownlink { .. }
            | PeerAsk::DownlinkAnswer { .. }
            | PeerAsk::DownlinkOffer { .. }
            | PeerAsk::Screen { .. }
            | PeerAsk::Listen { .. } => member.carries != Carries::Nothing,
            PeerAsk::Admit { .. } | PeerAsk::Leave { .. } => false,
        }
    }

    pub(crate) fn of_seat(&self, seat: SeatId) -> Vec<PeerId> {
        self.all()
            .filter(|(_, member)| member.actor.seat == seat)
            .map(|(peer, _)| *peer)
            .collect()
    }

    /// When the latest of a seat's connections came, for one from this device: a machine's own newer connection is newer than
    /// its older one, though somebody has let that in meanwhile.
    pub(crate) fn newest(&self, seat: SeatId, device: Option<DeviceId>) -> Opened {
        let of_seat = self.all().filter(|(_, member)| member.actor.seat == seat);
        let came = of_seat.map(
            |(_, member)| match device.is_some() && member.device == device {
                true => member.came.opened,
                false => member.came.let_in.unwrap_or(member.came.opened),
            },
        );
        came.max().unwrap_or_default()
    }

    /// Whether a seat has a connection.
    pub(crate) fn has_seat(&self, seat: SeatId) -> bool {
        self.seats.contains_key(&seat)
    }

    /// The device a connection proved to be; none when it makes no key.
    pub(crate) fn device(&self, peer: PeerId) -> Option<DeviceId> {
        self.get(peer).and_then(|member| member.device)
    }

    /// The seats that take part, each with a device that is there for it.
    pub(crate) fn devices(&self) -> Vec<(SeatId, DeviceId)> {
        let members = self.taking_part.values();
        let devices = members.filter_map(|member| Some((member.actor.seat, member.device?)));
        devices.collect()
    }

    /// The connections whose seat and device are these.
    pub(crate) fn those(&self, are: impl Fn(SeatId, Option<DeviceId>) -> bool) -> Vec<PeerId> {
        self.all()
            .filter(|(_, member)| are(member.actor.seat, member.device))
            .map(|(peer, _)| *peer)
            .collect()
    }

    /// How many connections each site has.
    pub(crate) fn by_site(&self) -> BTreeMap<SiteId, u16> {
        let mut count = BTreeMap::new();
        for site in self.all().filter_map(|(_, member)| member.actor.site) {
            *count.entry(site).or_insert(0) += 1;
        }
        count
    }

    pub(crate) fn admit(
        &mut self,
        seat: &Seat,
        device: Option<DeviceId>,
        came: Came,
        outlet: Arc<Outlet>,
    ) -> PeerId {
        let peer = PeerId(self.next);
        self.next += 1;
        let actor = Actor {
            seat: seat.id,
            role: seat.role,
            site: seat.site,
        };
        let viewer = Viewer::of(seat.role, seat.site);
        let member = Member {
            actor,
            device,
            came,
            carries: seat.carries,
            viewer,
            outlet,
        };
        match seat.role {
            Role::Observer => self.watching.insert(peer, member),
            Role::Chair
            | Role::Deputy
            | Role::Secretary
            | Role::Moderator
            | Role::Technician
            | Role::Stage => self.taking_part.insert(peer, member),
        };
        *self.seats.entry(seat.id).or_insert(0) += 1;
        self.metrics.connections.inc();
        peer
    }

    /// Gives a newcomer its snapshot; from then on it hears every fact.
    pub(crate) fn welcome(&mut self, peer: PeerId, conference: &Conference, now: Millis) {
        let Some(viewer) = self.get(peer).map(|member| member.viewer) else {
            return;
        };
        let view = self.snapshots.view(conference, viewer);
        let Some(member) = self.get(peer) else {
            return;
        };
        let Some(seat) = conference.setup().seat(member.actor.seat) else {
            return;
        };
        let me = Me {
            seat: seat.id,
            role: seat.role,
            site: seat.site,
            carries: seat.carries,
            label: seat.label.clone(),
        };
        let welcome = Frame::welcome(&me, conference.seq(), now, &view);
        member.outlet.offer_snapshot(&welcome);
        if self.watching.contains_key(&peer) {
            self.crowd.admit(peer, Arc::clone(&member.outlet));
        }
    }

    /// The conference was read again: what it was before tells nothing.
    pub(crate) fn forget_snapshots(&mut self) {
        self.snapshots.forget();
    }

    /// Removes a connection; false if it was gone already.
    pub(crate) fn remove(&mut self, peer: PeerId) -> bool {
        self.crowd.remove(peer);
        let takes_part = self.taking_part.remove(&peer);
        let Some(member) = takes_part.or_else(|| self.watching.remove(&peer)) else {
            return false;
        };
        let seat = member.actor.seat;
        let left = self.seats.get(&seat).copied().unwrap_or(0);
        match left {
            0 | 1 => self.seats.remove(&seat),
            _ => self.seats.insert(seat, left - 1),
        };
        self.closing.push(Closing {
            seat,
            device: member.device,
            outlet: Arc::downgrade(&member.outlet),
        });
        self.metrics.connections.dec();
        true
    }

    /// Closes for a harder reason what is closing already.
    pub(crate) fn hasten(&self, are: impl Fn(SeatId, Option<DeviceId>) -> bool, why: ErrorWhy) {
        let those = self.closing.iter().filter(|one| are(one.seat, one.device));
        let outlets = those.filter_map(|one| one.outlet.upgrade());
        outlets.for_each(|outlet| outlet.close(Close::after(why)));
    }

    /// Forgets connections that are gone: once a second, so that they take no more room than those that may go in one.
    pub(crate) fn forget_gone(&mut self) {
        self.closing.retain(|one| one.outlet.strong_count() > 0);
    }

    /// Tells a connection why it must go, and over which command if over one, and closes it.
    pub(crate) fn dismiss(&mut self, peer: PeerId, why: ErrorWhy, id: Option<String>) {
        self.tell_error(peer, why, id, true);
        if let Some(member) = self.get(peer) {
            member.outlet.close(Close::after(why));
        }
        self.remove(peer);
    }

    /// Tells a connection that something cannot be done; it stays.
    pub(crate) fn error(&self, peer: PeerId, why: ErrorWhy, id: Option<String>) {
        self.tell_error(peer, why, id, false);
    }

    fn tell_error(&self, peer: PeerId, why: ErrorWhy, id: Option<String>, fatal: bool) {
        self.metrics.error(why);
        let text = why.to_string();
        let error = ServerFrame::Error {
            why,
            id,
            text,
            fatal,
        };
        self.tell(peer, &error);
    }

    pub(crate) fn tell(&self, peer: PeerId, frame: &ServerFrame) {
        if let Some(member) = self.get(peer) {
            self.offer(member, &Frame::of(frame));
        }
    }

    pub(crate) fn tell_all(&self, frame: &ServerFrame) {
        let frame = Frame::of(frame);
        self.all()
            .for_each(|(_, member)| self.offer(member, &frame));
    }

    /// Tells the desks that see to the installation.
    pub(crate) fn tell_desks(&self, frame: &ServerFrame) {
        let frame = Frame::of(frame);
        self.taking_part
            .values()
            .filter(|member| member.viewer.sees_all_figures())
            .for_each(|member| self.offer(member, &frame));
    }

    /// Tells the desks what is wrong with the sites.
    pub(crate) fn tell_health(&self, frame: &ServerFrame) {
        let frame = Frame::of(frame);
        self.taking_part
            .values()
            .filter(|member| member.viewer.hears_of_health())
            .for_each(|member| self.offer(member, &frame));
    }

    pub(crate) fn hears_of_health(&self, peer: PeerId) -> bool {
        let member = self.taking_part.get(&peer);
        member.is_some_and(|member| member.viewer.hears_of_health())
    }

    pub(crate) fn is_desk(&self, peer: PeerId) -> bool {
        let member = self.taking_part.get(&peer);
        member.is_some_and(|member| member.viewer.sees_all_figures())
    }

    pub(crate) fn close_all(&self, why: Close) {
        self.all().for_each(|(_, member)| member.outlet.close(why));
    }

    /// Tells everyone what changed, as each may see it.
    pub(crate) fn publish(
        &mut self,
        conference: &Conference,
        slices: &BTreeSet<Slice>,
        now: Millis,
    ) {
        self.crowd.touched(slices);
        self.snapshots.touched(slices);
        for slices in frames(slices) {
            self.tell_taking_part(conference, &slices, now);
        }
    }

    fn tell_taking_part(&self, conference: &Conference, slices: &BTreeSet<Slice>, now: Millis) {
        let mut encoded: BTreeMap<Viewer, Option<Frame>> = BTreeMap::new();
        for member in self.taking_part.values() {
            let frame = encoded.entry(member.viewer).or_insert_with(|| {
                let facts = facts(conference, slices, member.viewer);
                (!facts.is_empty()).then(|| {
                    Frame::of(&ServerFrame::Facts {
                        seq: conference.seq(),
                        now,
                        facts,
                    })
                })
            });
            if let Some(frame) = frame {
                self.offer(member, frame);
            }
        }
    }

    /// Hands over what those who only watch are to be told now. Only while memory holds what is on disk.
    pub(crate) fn advance(&mut self, conference: &Conference, now: Millis) {
        self.crowd.advance(conference, now);
    }

    /// When `advance` has something to do by itself.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.crowd.due()
    }

    /// Waits until `advance` may go on. Safe to cancel.
    pub(crate) async fn freed(&self) {
        self.crowd.freed().await;
    }

    /// Tells the desks every site's figures, and a site its own.
    pub(crate) fn tell_figures(&self, figures: &[SiteTelemetry]) {
        let chairs = self.chairs();
        let all = Frame::of(&ServerFrame::Telemetry {
            sites: figures.to_vec(),
            chairs,
        });
        let mut own: BTreeMap<SiteId, Frame> = BTreeMap::new();
        let members = self.taking_part.values();
        // A welcome takes minutes over a thin road, and its client reads all of what waits behind it.
        for member in members.filter(|member| !member.outlet.is_welcoming()) {
            if member.viewer.sees_all_figures() {
                self.offer(member, &all);
            } else if let Viewer::Site(site) = member.viewer {
                let frame = own.entry(site).or_insert_with(|| {
                    let sites = figures
                        .iter()
                        .filter(|figure| figure.site == site)
                        .cloned()
                        .collect();
                    Frame::of(&ServerFrame::Telemetry { sites, chairs })
                });
                self.offer(member, frame);
            }
        }
    }

    /// How many connections the chair's seats have.
    fn chairs(&self) -> u16 {
        let is_chair = |member: &&Member| member.actor.role == Role::Chair;
        let count = self.taking_part.values().filter(is_chair).count();
        u16::try_from(count).unwrap_or(u16::MAX)
    }

    fn offer(&self, member: &Member, frame: &Frame) {
        if member.outlet.offer(frame) == Offer::Lagging {
            self.metrics.lagging.inc();
        }
    }
}

/// What changed, as frames: the floor and everything beside it in one, the comments behind it.
fn frames(slices: &BTreeSet<Slice>) -> Vec<BTreeSet<Slice>> {
    let (floor, feed): (BTreeSet<Slice>, BTreeSet<Slice>) = slices
        .iter()
        .copied()
        .partition(|slice| slice.lane() == Lane::Floor);
    let mut frames: Vec<BTreeSet<Slice>> = feed
        .into_iter()
        .collect::<Vec<_>>()
        .chunks(limits::FEED_FRAME_MAX)
        .map(|some| some.iter().copied().collect())
        .collect();
    match frames.first_mut() {
        // One frame when it can be: most rounds are one decision.
        Some(first) if !floor.is_empty() => first.extend(floor),
        Some(_) => {}
        None => frames.push(floor),
    }
    frames
}
