//! What is closed ahead of the record: opening waits for the disk, closing does not.
//!
//! Each thing that opens a microphone or shows a presentation is closed by itself, so that what the record opens meanwhile,
//! or had open beside it, is heard by its own right alone.

use super::{Room, Round};
use diemcau_conference::{Event, Opening};
use diemcau_model::Stage;
use diemcau_protocol::{Slice, touches};
use std::{collections::BTreeSet, mem};

/// What is not heard and not shown, whatever the rules say.
pub(crate) type Closed = BTreeSet<Opening>;

impl Room {
    /// Notes what of it an event of this round closes in the record too, if only until a later one opens it: it is heard again
    /// then. A link that is lost closes nothing: who comes back is not heard by that.
    pub(super) fn note_closed(&self, round: &mut Round) {
        if !self.closed.is_empty() {
            let openings = self.conference.openings();
            let closed = self.closed.iter().filter(|one| !openings.contains(one));
            round.closed.extend(closed);
        }
    }

    /// Shows what the record says, without what is closed ahead of it.
    pub(super) fn publish_stage(&mut self) {
        let mut openings = self.conference.openings();
        self.closed.retain(|closed| openings.contains(closed));
        openings.retain(|opening| self.conference.is_carried(opening));
        self.shown = openings;
        let stage = self.conference.stage();
        self.show_open(stage);
    }

    /// Closes, ahead of the sync, whatever this round closes. Returns what was closed by a decision.
    pub(super) fn close_ahead(&mut self) -> Closed {
        let wanted = self.conference.openings();
        let closed = self.shown.not_in(&wanted);
        let is_carried = |opening: &Opening| self.conference.is_carried(opening);
        let stays = |opening: &Opening| wanted.contains(opening) && is_carried(opening);
        self.shown.retain(stays);
        self.close_now();
        closed
    }

    /// Closes what is closed ahead of the record, and opens nothing: memory may be ahead of the disk, and what it would open
    /// nobody has written.
    pub(super) fn close_now(&mut self) {
        let stage = self.media.stage.borrow().clone();
        self.show_open(stage);
    }

    /// Shows a stage with what is open.
    fn show_open(&mut self, mut stage: Stage) {
        let (closed, waiting) = (&self.closed, &self.closed_waiting);
        self.shown
            .retain(|one| !closed.contains(one) && !waiting.contains(one));
        self.shown.put_on(&mut stage);
        self.media.stage.send_if_modified(|shown| {
            let modified = *shown != stage;
            *shown = stage;
            modified
        });
    }

    /// What events close that are not written.
    pub(super) fn closed_by(&self, events: &[Event]) -> Closed {
        let shows = |event: &Event| touches(event).contains(&Slice::Stage);
        if !events.iter().any(shows) {
            return Closed::default();
        }
        let mut after = self.conference.clone();
        events.iter().for_each(|event| after.apply(event));
        self.conference.openings().not_in(&after.openings())
    }

    /// Closes, ahead of the record, what the clock closes while nothing can be written: whose time is up is heard no longer.
    /// Before a start is written nobody's time runs.
    pub(super) fn close_in_time(&mut self) {
        let now = self.clock.now();
        let is_due = self.conference.next_deadline().is_some_and(|at| at <= now);
        if !is_due || self.restart.is_some() {
            return;
        }
        let mut after = self.conference.clone();
        loop {
            let events = after.decide_time(now);
            if events.is_empty() {
                break;
            }
            events.iter().for_each(|event| after.apply(event));
        }
        let closed = self.conference.openings().not_in(&after.openings());
        self.closed.extend(closed);
        self.close_now();
    }

    /// What waited is in the record, or refused: the record alone says what is closed.
    pub(super) fn open_what_waited(&mut self) {
        if !self.waiting.is_empty() || !self.is_in_step() {
            return;
        }
        if !mem::take(&mut self.closed_waiting).is_empty() {
            self.publish_stage();
        }
    }
}
