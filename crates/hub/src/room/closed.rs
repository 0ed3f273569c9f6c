//! What is closed ahead of the record: opening waits for the disk, closing does not.
//!
//! Each thing that opens a microphone or shows a presentation is closed by itself, so that what the record opens meanwhile,
//! or had open beside it, is heard by its own right alone.

use super::{Room, Round, stall::closed_by};
use diemcau_conference::{Conference, Event, Opening, Openings};
use diemcau_model::{EndpointKind, SiteId, Stage};
use diemcau_protocol::{Slice, touches};
use std::collections::{BTreeMap, BTreeSet};

/// What is not heard and not shown, whatever the rules say.
pub(crate) type Closed = BTreeSet<Opening>;

/// What is open, as it was told last, and what is closed ahead of the record, by whatever closed it.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// What the record opens.
    recorded: Openings,
    /// What of it the media plane was told to be open.
    shown: Openings,
    /// Which endpoint carries each site, by the record.
    carriers: BTreeMap<SiteId, EndpointKind>,
    /// By something that could not be written: until the record has closed it too.
    pub(super) unwritten: Closed,
    /// By what waits for the store: until that is decided.
    pub(super) waiting: Closed,
    /// By the clock, while nothing can be written.
    in_time: Closed,
}

impl Ahead {
    /// What is open, as it was told.
    pub(super) fn shown(&self) -> &Openings {
        &self.shown
    }

    /// A round that closed this is not written, and stays closed: but what was to be opened is not, and where nobody has asked for
    /// anything else, who had to make room is heard again.
    pub(super) fn round_fails(&mut self, closed: &Closed, made_room: &Closed, about_stage: usize) {
        let closed = closed.iter();
        let stays = closed.filter(|one| about_stage != 1 || !made_room.contains(one));
        self.unwritten.extend(stays.copied());
    }

    /// What waits for the store is not written now: what it closes stays closed.
    pub(super) fn store_fails(&mut self) {
        self.unwritten.append(&mut self.waiting);
    }

    /// The record opens this now, and the clock closes some of it.
    fn take_record(&mut self, opens: Openings, in_time: Closed) {
        self.unwritten.retain(|closed| opens.contains(closed));
        self.in_time = in_time;
        self.shown = opens.clone();
        self.recorded = opens;
    }

    /// Puts on a stage what is still open.
    fn put_on(&mut self, stage: &mut Stage) {
        let closed = [&self.unwritten, &self.waiting, &self.in_time];
        let is_open = |one: &Opening| closed.iter().all(|closed| !closed.contains(one));
        self.shown.retain(is_open);
        self.shown.put_on(stage);
    }
}

impl Room {
    /// Applies an event, and notes what of it the record closes too, if only until a later one opens it: it is heard again
    /// then. A link that is lost closes nothing: who comes back is not heard by that.
    pub(super) fn apply(&mut self, event: &Event, round: &mut Round) {
        let is_any = !self.ahead.unwritten.is_empty();
        let before = is_any.then(|| self.conference.openings());
        self.conference.apply(event);
        if let Some(before) = before {
            let closed = before.closed_in(&self.conference.openings());
            let closed = &self.ahead.unwritten & &closed;
            round.closed_by_record.extend(closed);
        }
    }

    /// Shows what the record says, without what is closed ahead of it.
    pub(super) fn publish_stage(&mut self) {
        if self.missed {
            self.late.heard(&self.conference, self.clock.now());
        }
        let in_time = self.closed_by_time();
        self.ahead.take_record(self.conference.openings(), in_time);
        let closed = [&self.ahead.unwritten, &self.ahead.waiting];
        let opened = self.late.closed_yet(closed);
        if self.missed {
            self.late.opened(opened, self.clock.now());
        }
        let stage = self.conference.stage();
        self.ahead.carriers.clone_from(&stage.carriers);
        self.show_open(stage);
    }

    /// Closes, ahead of the sync, whatever this round closes. Returns what was closed by a decision: the time that is up closes
    /// again by itself, and not for who was given more.
    pub(super) fn close_ahead(&mut self, by_time: &Closed) -> Closed {
        let wanted = self.conference.openings();
        self.ahead.shown.retain(|opening| wanted.opens(opening));
        self.close_now();
        &self.ahead.recorded.closed_in(&wanted) - by_time
    }

    /// Closes what is closed ahead of the record, and opens nothing: memory may be ahead of the disk, and what it would open
    /// nobody has written.
    pub(super) fn close_now(&mut self) {
        let stage = self.media.stage.borrow().clone();
        self.show_open(stage);
    }

    /// Shows a stage with what is open, by who is there: an endpoint that took over for its site is heard by what the site may,
    /// though the record cannot say yet that it did.
    fn show_open(&mut self, mut stage: Stage) {
        for closed in [&self.ahead.unwritten, &self.ahead.waiting] {
            self.late.closed(closed, self.clock.now());
        }
        self.ahead.put_on(&mut stage);
        let is_there = |site, kind| self.senders.contains_key(&(site, kind));
        let carriers = self.ahead.carriers.iter().map(|(site, recorded)| {
            let mut there = [*recorded, EndpointKind::Room, EndpointKind::Standby].into_iter();
            let carrier = there.find(|kind| is_there(*site, *kind));
            (*site, carrier.unwrap_or(*recorded))
        });
        stage.carriers = carriers.collect();
        self.media.stage.send_if_modified(|shown| {
            let modified = *shown != stage;
            *shown = stage;
            modified
        });
    }

    /// What events close that are not written. What only makes room for something is closed with the record, for that would not
    /// be open.
    pub(super) fn closed_by(&self, events: &[Event]) -> Closed {
        if !events.iter().any(shows) {
            return Closed::default();
        }
        let mut after = self.conference.clone();
        events.iter().for_each(|event| after.apply(event));
        let (before, after) = (self.conference.openings(), after.openings());
        match makes_room(events, &before, &after) {
            true => Closed::default(),
            false => before.closed_in(&after),
        }
    }

    /// Notes what the events of a command that were applied have closed to make room.
    pub(super) fn note_room(&self, events: &[Event], before: &Openings, round: &mut Round) {
        let is_refused = |event: &Event| matches!(event, Event::CommandRefused { .. });
        let after = self.conference.openings();
        let shuts = |event: &Event| {
            matches!(
                event,
                Event::SeatRevoked { .. } | Event::SeatExpelled { .. }
            )
        };
        if *before == after && !events.iter().any(|event| is_refused(event) || shuts(event)) {
            return;
        }
        round.about_stage += 1;
        if makes_room(events, before, &after) {
            round.made_room.extend(before.closed_in(&after));
        }
    }

    /// What was closed and could not be written is closed by the record too, so that everybody sees it and it can be opened
    /// again. What it holds already opens by a word alone.
    pub(super) fn write_closed(&mut self, round: &mut Round) {
        if self.ahead.unwritten.is_empty() {
            return;
        }
        let openings = self.conference.openings();
        let is_held = |opening: &Opening| openings.holds(opening);
        self.ahead.unwritten.retain(|opening| !is_held(opening));
        let closed = &self.ahead.unwritten;
        let events = self.conference.decide_closed(closed, self.clock.now());
        self.happened(events, round);
    }

    /// The hall in a roll call, which the record closes with the roll alone, is open again when it can be written, as everybody
    /// sees it.
    pub(super) fn open_roll_call(&mut self) {
        if self.failure.is_none() && self.ahead.unwritten.remove(&Opening::RollCall) {
            self.publish_stage();
        }
    }

    /// Closes, ahead of the record, what the clock closes while nothing can be written: whose time is up is heard no longer.
    pub(super) fn close_in_time(&mut self) {
        self.ahead.in_time = self.closed_by_time();
        self.close_now();
    }

    /// What the clock closes and no record has yet. Before a start is written nobody's time runs.
    fn closed_by_time(&self) -> Closed {
        let (now, unseen) = (self.clock.now(), self.unseen.undecided());
        let is_due = self.conference.next_deadline().is_some_and(|at| at <= now);
        if self.restart.is_some() || (!is_due && unseen.is_empty()) {
            return Closed::default();
        }
        let mut after = self.conference.clone();
        let happened = self.unheard().into_iter().flat_map(|(events, _)| events);
        happened.for_each(|event| after.apply(&event));
        // Who is away is heard by nobody, and may be back before it can be written that it stayed away too long.
        while applied(&mut after, |after| after.decide_past(now, now)) {}
        self.conference.openings().closed_in(&after.openings())
    }

    /// What waited is in the record, or refused, and what is written has come before the clock: the record and what still waits
    /// say what is closed.
    pub(super) fn open_what_waited(&mut self) {
        if !self.is_in_step() {
            return;
        }
        let waiting = self.waiting.iter().filter_map(closed_by);
        let waiting: Closed = waiting.flatten().copied().collect();
        if waiting != self.ahead.waiting || !self.ahead.in_time.is_empty() {
            self.ahead.waiting = waiting;
            self.publish_stage();
        }
    }
}

/// Whether an event may open or close something.
fn shows(event: &Event) -> bool {
    touches(event).contains(&Slice::Stage)
}

/// Whether what events close only makes room for what they open. What is undone is closed for its own sake.
fn makes_room(events: &[Event], before: &Openings, after: &Openings) -> bool {
    let is_undone = |event: &Event| matches!(event, Event::StepUndone { .. });
    before.gain_in(after) && !events.iter().any(is_undone)
}

/// Applies what is decided; whether that is anything.
fn applied(conference: &mut Conference, decide: impl Fn(&Conference) -> Vec<Event>) -> bool {
    let events = decide(conference);
    events.iter().for_each(|event| conference.apply(event));
    !events.is_empty()
}
