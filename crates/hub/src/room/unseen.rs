//! Links that came and went while nothing could be written. They come before the rules when it can be, each at its own time:
//! a speaker's clock has stood while its site was away, whatever the disk did.

use super::{Closed, Room, Round};
use diemcau_conference::{Conference, Signal};
use diemcau_model::{Millis, limits};

/// The links that the rules have not seen come or go.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    /// In the order of their coming. Beyond the bound only how they are at the end is seen.
    links: Vec<(Signal, Millis)>,
    /// So many of the first are decided, and not written yet.
    decided: usize,
}

impl Unseen {
    fn note(&mut self, link: Signal, at: Millis) {
        if self.links.len() < limits::INBOX_MAX {
            self.links.push((link, at));
        }
    }

    /// What was decided is written.
    pub(super) fn written(&mut self) {
        self.links.drain(..self.decided);
        self.decided = 0;
    }

    /// It is not.
    pub(super) fn unwritten(&mut self) {
        self.decided = 0;
    }
}

impl Room {
    /// Notes a link for when something can be written. Before a start is written nobody's time runs, and none need be noted.
    pub(super) fn see_later(&mut self, link: Signal) {
        if self.is_begun() {
            self.unseen.note(link, self.clock.now());
        }
    }

    /// The links that were not seen, and what the clock brought before one of them went. Who came back is here, though the clock
    /// would have ended its absence meanwhile.
    pub(super) fn take_unseen(&mut self, round: &mut Round) {
        let links = self.unseen.links.clone();
        for (link, at) in &links {
            while matches!(link, Signal::LinkDown { .. }) {
                let events = self.conference.decide_time(*at);
                if events.is_empty() {
                    break;
                }
                self.happened_in_time(events, round);
            }
            let events = self.conference.decide_signal(*link, *at);
            self.happened(events, round);
        }
        self.unseen.decided = links.len();
    }

    /// What the clock closes and no record has yet. Before a start is written nobody's time runs.
    pub(super) fn closed_by_time(&self) -> Closed {
        let now = self.clock.now();
        let is_due = self.conference.next_deadline().is_some_and(|at| at <= now);
        if self.restart.is_some() || !(is_due || self.links_are_unseen()) {
            return Closed::default();
        }
        let mut after = self.conference.clone();
        for (link, at) in &self.unseen.links {
            pass_time(&mut after, *at);
            for event in after.decide_signal(*link, *at) {
                after.apply(&event);
            }
        }
        pass_time(&mut after, now);
        self.conference.openings().closed_in(&after.openings())
    }

    fn links_are_unseen(&self) -> bool {
        !self.unseen.links.is_empty()
    }
}

/// Applies what the clock brings until then.
fn pass_time(conference: &mut Conference, until: Millis) {
    loop {
        let events = conference.decide_time(until);
        if events.is_empty() {
            return;
        }
        events.iter().for_each(|event| conference.apply(event));
    }
}
