//! Who belongs here: sites, seats, and which endpoint of a site can send.

use crate::{Actor, Event, Refusal, Setup};
use diemcau_model::{EndpointKind, Millis, Role, SeatId, SiteId};
use std::collections::{BTreeMap, BTreeSet};

/// The part of the state that is about sites and seats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// The endpoints of each site that can send now, and since when its carrier is what it is.
    links: BTreeMap<SiteId, Link>,
    /// Seats whose link opens nothing any more.
    revoked: BTreeSet<SeatId>,
    /// The deputy who has the chair in the chair's place.
    pub deputy: Option<SeatId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Link {
    up: BTreeSet<EndpointKind>,
    since: Option<Millis>,
}

impl Roster {
    /// The endpoint that carries a site: the room's own whenever it is there.
    #[must_use]
    pub fn carrier(&self, site: SiteId) -> Option<EndpointKind> {
        // `EndpointKind::Room` sorts before `Standby`: the order of the type is the order of precedence.
        self.links.get(&site)?.up.first().copied()
    }

    /// Since when a site's carrier is what it is; none before it was ever linked.
    #[must_use]
    pub fn since(&self, site: SiteId) -> Option<Millis> {
        self.links.get(&site)?.since
    }

    /// Every linked site with its carrier.
    #[must_use]
    pub fn carriers(&self) -> BTreeMap<SiteId, EndpointKind> {
        self.links
            .keys()
            .filter_map(|site| Some((*site, self.carrier(*site)?)))
            .collect()
    }

    /// Whether a seat's link was revoked.
    #[must_use]
    pub fn is_revoked(&self, seat: SeatId) -> bool {
        self.revoked.contains(&seat)
    }

    /// A chair's seat is revoked by another chair only, and nobody revokes their own: so the last chair's seat stays.
    pub(crate) fn decide_revoke(&self, setup: &Setup, seat: SeatId) -> Result<Vec<Event>, Refusal> {
        setup.seat(seat).ok_or(Refusal::UnknownSeat)?;
        if self.is_revoked(seat) {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::SeatRevoked { seat }])
    }

    /// Whether an actor has the chair now.
    #[must_use]
    pub fn presides(&self, actor: &Actor) -> bool {
        match actor.role {
            Role::Chair => self.deputy.is_none(),
            Role::Deputy => self.deputy == Some(actor.seat),
            Role::Secretary | Role::Moderator | Role::Technician | Role::Observer | Role::Stage => {
                false
            }
        }
    }

    /// The deputy takes the chair, or the chair takes it back.
    pub(crate) fn decide_take_chair(
        &self,
        actor: &Actor,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        if self.presides(actor) {
            return Err(Refusal::AlreadySo);
        }
        let deputy = (actor.role == Role::Deputy).then_some(actor.seat);
        Ok(vec![Event::ChairTaken { deputy, at: now }])
    }

    pub(crate) fn decide_return_chair(&self, now: Millis) -> Result<Vec<Event>, Refusal> {
        Ok(vec![Event::ChairTaken {
            deputy: None,
            at: now,
        }])
    }

    /// The events of an endpoint coming up, none if it was up already.
    pub(crate) fn decide_up(&self, site: SiteId, kind: EndpointKind, now: Millis) -> Vec<Event> {
        match self.is_up(site, kind) {
            true => vec![],
            false => vec![Event::EndpointLinked {
                site,
                kind,
                at: now,
            }],
        }
    }

    /// The events of an endpoint going down, none if it was down already.
    pub(crate) fn decide_down(&self, site: SiteId, kind: EndpointKind, now: Millis) -> Vec<Event> {
        match self.is_up(site, kind) {
            true => vec![Event::EndpointLost {
                site,
                kind,
                at: now,
            }],
            false => vec![],
        }
    }

    /// Every endpoint is gone, as after a restart of the server.
    pub(crate) fn decide_all_down(&self, at: Millis) -> Vec<Event> {
        let lost = |(site, link): (&SiteId, &Link)| {
            let site = *site;
            link.up
                .iter()
                .map(move |kind| Event::EndpointLost {
                    site,
                    kind: *kind,
                    at,
                })
                .collect::<Vec<_>>()
        };
        self.links.iter().flat_map(lost).collect()
    }

    /// Whether losing `kind` would leave the site without any endpoint.
    pub(crate) fn is_last(&self, site: SiteId, kind: EndpointKind) -> bool {
        self.links
            .get(&site)
            .is_some_and(|link| link.up.len() == 1 && link.up.contains(&kind))
    }

    pub(crate) fn linked(&mut self, site: SiteId, kind: EndpointKind, at: Millis) {
        self.change(site, at, |up| up.insert(kind));
    }

    pub(crate) fn lost(&mut self, site: SiteId, kind: EndpointKind, at: Millis) {
        self.change(site, at, |up| up.remove(&kind));
    }

    pub(crate) fn revoke(&mut self, seat: SeatId) {
        self.revoked.insert(seat);
        self.leave_chair(seat);
    }

    pub(crate) fn restore(&mut self, seat: SeatId) {
        self.revoked.remove(&seat);
    }

    /// A deputy who is sent away has the chair no longer.
    pub(crate) fn leave_chair(&mut self, seat: SeatId) {
        self.deputy = self.deputy.filter(|deputy| *deputy != seat);
    }

    fn is_up(&self, site: SiteId, kind: EndpointKind) -> bool {
        self.links
            .get(&site)
            .is_some_and(|link| link.up.contains(&kind))
    }

    fn change(
        &mut self,
        site: SiteId,
        at: Millis,
        edit: impl FnOnce(&mut BTreeSet<EndpointKind>) -> bool,
    ) {
        let before = self.carrier(site);
        edit(&mut self.links.entry(site).or_default().up);
        let after = self.carrier(site);
        if before != after
            && let Some(link) = self.links.get_mut(&site)
        {
            link.since = Some(at);
        }
    }
}
