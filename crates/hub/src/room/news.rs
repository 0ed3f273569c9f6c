//! What the media plane tells: links that come and go, figures, and what it has to say to a page.

use super::{Room, Round, unseen::Link};
use diemcau_conference::Signal;
use diemcau_model::{LinkReport, LinkStats, PeerId, PeerSay, Side, SiteId, limits};
use diemcau_protocol::ServerFrame;

impl Room {
    /// Takes all that the media plane has to tell: a round may cost a sync, and one word a round would keep a link that came or
    /// went, or an answer, behind everybody's figures.
    pub(super) fn take_news(&mut self, round: &mut Round) {
        for _ in 0..limits::INBOX_MAX {
            let Ok(say) = self.media.says.try_recv() else {
                break;
            };
            self.take_say(say);
        }
        for _ in 0..limits::INBOX_MAX {
            let Ok(report) = self.media.reports.try_recv() else {
                break;
            };
            self.take_report(report, round);
        }
    }

    pub(super) fn take_report(&mut self, report: LinkReport, round: &mut Round) {
        let link = match report {
            LinkReport::Stats { peer, site, stats } => {
                if self.members.contains(peer) {
                    self.telemetry.seen(peer, stats);
                    self.take_measures(peer, site, stats, round);
                }
                return;
            }
            LinkReport::Up { site, kind, peer } => {
                self.senders.insert((site, kind), peer);
                Link {
                    site,
                    kind,
                    is_up: true,
                }
            }
            LinkReport::Down { site, kind, peer } => {
                // A newer connection may be the endpoint by now: the older one's end changes nothing.
                if self.senders.get(&(site, kind)) != Some(&peer) {
                    return;
                }
                self.senders.remove(&(site, kind));
                Link {
                    site,
                    kind,
                    is_up: false,
                }
            }
        };
        self.take_link(link, round);
    }

    /// The site that is called is heard, or not: its figures count for the roll.
    fn take_measures(
        &mut self,
        peer: PeerId,
        site: Option<SiteId>,
        stats: LinkStats,
        round: &mut Round,
    ) {
        let Some(site) = site.filter(|site| self.is_carrier(*site, peer)) else {
            return;
        };
        let Some(level_dbov) = stats.level_dbov.filter(|_| self.may_write()) else {
            return;
        };
        let signal = Signal::Measured {
            site,
            level_dbov,
            rtt_ms: stats.rtt_ms.map(|ms| ms as u16),
            loss_permille: (stats.loss_percent * 10.0) as u16,
        };
        let events = self.conference.decide_signal(signal, self.clock.now());
        self.happened(events, round);
    }

    fn is_carrier(&self, site: SiteId, peer: PeerId) -> bool {
        let kind = self.conference.roster().carrier(site);
        kind.is_some_and(|kind| self.senders.get(&(site, kind)) == Some(&peer))
    }

    pub(super) fn take_say(&mut self, say: PeerSay) {
        let (peer, frame) = match say {
            PeerSay::Answer { peer, side, sdp } => match side {
                Side::Uplink => (peer, ServerFrame::UplinkAnswer { sdp }),
                Side::Downlink => (peer, ServerFrame::DownlinkAnswer { sdp }),
                Side::Presentation => (peer, ServerFrame::PresentationAnswer { sdp }),
            },
            PeerSay::Offer { peer, sdp } => (peer, ServerFrame::DownlinkOffer { sdp }),
            PeerSay::Slots { peer, video, step } => (peer, ServerFrame::Slots { video, step }),
            PeerSay::Failed { peer, side, reason } => {
                (peer, ServerFrame::MediaFailed { side, reason })
            }
        };
        self.members.tell(peer, &frame);
    }
}
