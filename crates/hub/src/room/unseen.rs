//! Links that came and went while nothing could be written. They come before the rules when it can be, each at its own time:
//! a speaker's clock has stood while its site was away, whatever the disk did.

use super::{Closed, Room, Round};
use diemcau_conference::{Conference, Event, Signal};
use diemcau_model::{Millis, limits};

/// The links that the rules have not seen come or go, or that no record has.
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

    fn undecided(&self) -> &[(Signal, Millis)] {
        self.links.get(self.decided..).unwrap_or_default()
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
    pub(super) fn take_link(&mut self, link: Signal, round: &mut Round) {
        let now = self.clock.now();
        if self.is_begun() {
            self.unseen.note(link, now);
        }
        // Behind those that were not seen.
        if self.may_write() && !self.missed {
            self.unseen.decided = self.unseen.links.len();
            let events = self.conference.decide_signal(link, now);
            self.happened(events, round);
        }
    }

    /// The links that were not seen, and what the clock brought before one of them went. Who came back is here, though the clock
    /// would have ended its absence meanwhile.
    pub(super) fn take_unseen(&mut self, round: &mut Round) {
        let now = self.clock.now();
        let links = self.unseen.undecided().to_vec();
        self.unseen.decided = self.unseen.links.len();
        let mut goes_on = false;
        for (link, at) in links {
            // What goes on begins now: nothing of it was before.
            let at = if goes_on { now } else { at };
            while is_lost(link) {
                let events = self.conference.decide_past(at, now);
                if events.is_empty() {
                    break;
                }
                goes_on |= events
                    .iter()
                    .any(|event| matches!(event, Event::TurnTakenUp { .. }));
                self.happened_in_time(events, round);
            }
            let events = self.conference.decide_signal(link, at);
            self.happened(events, round);
        }
    }

    /// What the clock closes and no record has yet. Before a start is written nobody's time runs.
    pub(super) fn closed_by_time(&self) -> Closed {
        let (now, unseen) = (self.clock.now(), self.unseen.undecided());
        let is_due = self.conference.next_deadline().is_some_and(|at| at <= now);
        if self.restart.is_some() || (!is_due && unseen.is_empty()) {
            return Closed::default();
        }
        let mut after = self.conference.clone();
        for (link, at) in unseen {
            if is_lost(*link) {
                pass_time(&mut after, *at);
            }
            for event in after.decide_signal(*link, *at) {
                after.apply(&event);
            }
        }
        pass_time(&mut after, now);
        self.conference.openings().closed_in(&after.openings())
    }
}

fn is_lost(link: Signal) -> bool {
    matches!(link, Signal::LinkDown { .. })
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
