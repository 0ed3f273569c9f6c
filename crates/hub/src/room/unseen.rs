//! Links that came and went while nothing could be written: a speaker's clock has stood while its site was away, whatever the
//! disk did.

use super::{Room, Round};
use diemcau_conference::Signal;
use diemcau_model::{EndpointKind, Millis, SiteId};
use std::collections::BTreeMap;

/// Beyond it only how links are at the end is seen.
const LINKS_MAX: usize = 256;

/// An endpoint of a site came or went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) site: SiteId,
    pub(super) kind: EndpointKind,
    pub(super) is_up: bool,
}

impl Link {
    pub(super) fn signal(self) -> Signal {
        let Self { site, kind, is_up } = self;
        match is_up {
            true => Signal::LinkUp { site, kind },
            false => Signal::LinkDown { site, kind },
        }
    }
}

/// The links of speaking sites that the rules have not seen come or go, or that no record has.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    /// In the order of their coming.
    links: Vec<(Link, Millis)>,
    /// So many of the first are decided, and not written yet.
    decided: usize,
}

impl Unseen {
    fn note(&mut self, link: Link, at: Millis) {
        if self.links.len() < LINKS_MAX {
            self.links.push((link, at));
        }
    }

    pub(super) fn undecided(&self) -> &[(Link, Millis)] {
        self.links.get(self.decided..).unwrap_or_default()
    }

    /// When the first of the sites that are not back went.
    pub(super) fn first_loss(&self, is_there: impl Fn(SiteId) -> bool) -> Option<Millis> {
        let lost: BTreeMap<SiteId, Millis> = self
            .links
            .iter()
            .filter(|(link, _)| !link.is_up && !is_there(link.site))
            .map(|(link, at)| (link.site, *at))
            .collect();
        lost.into_values().min()
    }

    /// The rules have all of them.
    pub(super) fn decide(&mut self) {
        self.decided = self.links.len();
    }

    /// What was decided is written.
    pub(super) fn written(&mut self) {
        self.links.drain(..self.decided);
        self.decided = 0;
    }

    /// It is not: it comes before the rules again.
    pub(super) fn unwritten(&mut self) {
        self.decided = 0;
    }
}

impl Room {
    /// A link has come or gone. Before a start is written nobody's time runs, and none is kept.
    pub(super) fn take_link(&mut self, link: Link, round: &mut Round) {
        let now = self.clock.now();
        let turns = &self.conference.floor().turns;
        if self.is_begun() && turns.iter().any(|turn| turn.site == link.site) {
            self.unseen.note(link, now);
        }
        // Behind those that were not seen.
        if self.may_write() && !self.missed {
            self.unseen.decide();
            let events = self.conference.decide_signal(link.signal(), now);
            return self.happened(events, round);
        }
        // Its standby takes over, or it is back.
        self.close_now();
    }
}
