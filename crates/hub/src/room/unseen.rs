//! Links that came and went while nothing could be written. They come before the rules when it can be, each at its own time:
//! a speaker's clock has stood while its site was away, whatever the disk did.

use super::{Room, Round};
use diemcau_conference::{Event, Signal};
use diemcau_model::{EndpointKind, Millis, SiteId};
use std::collections::{BTreeMap, BTreeSet};

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
            self.unseen.decided = self.unseen.links.len();
            let events = self.conference.decide_signal(link.signal(), now);
            return self.happened(events, round);
        }
        // Its standby takes over, or it is back.
        self.close_now();
    }

    /// The links that were not seen, and what the clock brought before one of them went. Who came back is here, though the clock
    /// would have ended its absence meanwhile.
    pub(super) fn take_unseen(&mut self, round: &mut Round) {
        let now = self.clock.now();
        let links = self.unseen.undecided().to_vec();
        self.unseen.decided = self.unseen.links.len();
        let held = self.held_by_record();
        let mut goes_on = false;
        for (link, at) in links {
            let at = self.heard_from(link.site, at);
            if !link.is_up {
                goes_on |= self.take_past(at, round);
            }
            // What goes on begins now, for nobody heard it before: by this, or because the record had held it.
            let at = match goes_on || held.contains(&link.site) {
                true => now,
                false => at,
            };
            let mut events = self.conference.decide_signal(link.signal(), at);
            // Its absence begins where people can see it, and keep the turn.
            for event in &mut events {
                if let Event::TurnHeld { away_from, .. } = event {
                    *away_from = now;
                }
            }
            self.happened(events, round);
        }
    }

    /// When a link came or went, as far as anybody heard its site by then.
    pub(super) fn heard_from(&self, site: SiteId, at: Millis) -> Millis {
        let silent_until = self.late.silent_until(&self.conference, site);
        silent_until.map_or(at, |until| until.max(at))
    }

    /// What the clocks had brought by then; whether a speech goes on by it.
    fn take_past(&mut self, until: Millis, round: &mut Round) -> bool {
        let mut goes_on = false;
        loop {
            let events = self.conference.decide_past(until, self.clock.now());
            if events.is_empty() {
                return goes_on;
            }
            let is_taken_up = |event: &Event| matches!(event, Event::TurnTakenUp { .. });
            goes_on |= events.iter().any(is_taken_up);
            self.happened_in_time(events, round);
        }
    }

    fn held_by_record(&self) -> BTreeSet<SiteId> {
        let turns = self.conference.floor().turns.iter();
        turns
            .filter(|turn| turn.held)
            .map(|turn| turn.site)
            .collect()
    }
}
