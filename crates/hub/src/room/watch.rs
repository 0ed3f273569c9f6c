//! The room's once-a-second look at its sites: figures to whom they concern, alarms to the desks.

use super::Room;
use crate::health::Seen;
use diemcau_model::{HealthId, PeerId, Role, SiteId};
use diemcau_protocol::{Acknowledged, ErrorWhy, HealthAlarm, ServerFrame, SiteTelemetry};
use tracing::info;

impl Room {
    /// Looks at every site, and tells what is there to be told.
    pub(super) fn look_at_sites(&mut self) {
        self.members.forget_gone();
        let seen: Vec<Seen> = self
            .sites()
            .into_iter()
            .map(|site| self.see(site))
            .collect();
        let turned = self.health.take(&seen, self.clock.now());
        for alarm in &turned.began {
            let HealthAlarm { site, kind, .. } = alarm;
            info!(%site, ?kind, value = alarm.value, limit = alarm.limit, step = ?alarm.step, "something is wrong with a site");
        }
        for HealthAlarm { site, kind, .. } in &turned.over {
            info!(%site, ?kind, "this is over");
        }
        self.metrics.health.set(&seen, &self.health.alarms());
        let connections = self.members.by_site();
        let figures: Vec<SiteTelemetry> = seen
            .iter()
            .map(|seen| {
                let verdict = self.health.verdict(seen.site);
                SiteTelemetry {
                    site: seen.site,
                    connections: connections.get(&seen.site).copied().unwrap_or(0),
                    bars: verdict.bars,
                    bad: verdict.bad,
                    link: seen.link,
                }
            })
            .collect();
        self.members.tell_figures(&figures);
        self.tell_health();
    }

    /// Tells a newcomer what is wrong, if it is a desk's to know and anything is.
    pub(super) fn tell_health_to(&self, peer: PeerId) {
        if !self.health_told.is_empty() && self.members.hears_of_health(peer) {
            let alarms = self.health_told.clone();
            self.members.tell(peer, &ServerFrame::Health { alarms });
        }
    }

    /// Somebody sees to an alarm: all desks know it from now on.
    pub(super) fn acknowledge(&mut self, peer: PeerId, alarm: HealthId) {
        let Some(actor) = self.members.actor(peer) else {
            return;
        };
        if !may_acknowledge(actor.role) {
            return self.members.error(peer, ErrorWhy::NotForThisSeat, None);
        }
        let seat = self.conference.setup().seat(actor.seat);
        let by = Acknowledged {
            seat: actor.seat,
            by: seat.map(|seat| seat.label.clone()).unwrap_or_default(),
            at: self.clock.now(),
        };
        if !self.health.acknowledge(alarm, by) {
            return self.members.error(peer, ErrorWhy::NoSuchAlarm, None);
        }
        info!(%alarm, seat = %actor.seat, "an alarm is seen to");
        self.tell_health();
    }

    /// Tells the desks when something else is wrong than they were told.
    fn tell_health(&mut self) {
        let alarms = self.health.alarms();
        if alarms == self.health_told {
            return;
        }
        self.health_told.clone_from(&alarms);
        self.members.tell_health(&ServerFrame::Health { alarms });
    }

    fn see(&self, site: SiteId) -> Seen {
        let roster = self.conference.roster();
        let carrier = roster.carrier(site);
        let peer = carrier.and_then(|kind| self.senders.get(&(site, kind)));
        Seen {
            site,
            lost: roster.since(site).filter(|_| carrier.is_none()),
            heard: self.media.stage.borrow().heard.contains(&site),
            link: peer.and_then(|peer| self.telemetry.of(*peer)),
        }
    }

    fn sites(&self) -> Vec<SiteId> {
        let sites = self.conference.setup().sites.iter();
        sites.map(|site| site.id).collect()
    }
}

/// Who sees to the installation during a conference.
fn may_acknowledge(role: Role) -> bool {
    match role {
        Role::Chair | Role::Technician => true,
        Role::Deputy | Role::Secretary | Role::Moderator | Role::Observer | Role::Stage => false,
    }
}
