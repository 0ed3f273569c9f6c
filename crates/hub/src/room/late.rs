//! What nobody heard is no speaking time: what was decided before a write that took long, or failed, is heard when that is
//! over, and what was closed ahead of the record is silent from then on.

use super::{Closed, Room, Round};
use diemcau_conference::{Conference, Event, Opening, Openings, Turn};
use diemcau_model::{Millis, SiteId, TurnId};
use std::collections::BTreeMap;

/// How it was when the record began to fail, or to take long, and who is or was silent by it.
#[derive(Debug, Default)]
pub(super) struct Late {
    heard: Openings,
    since: Millis,
    /// Speeches that are closed ahead of the record, and since when.
    closed: BTreeMap<TurnId, Millis>,
    silent: Vec<Silence>,
    /// They are in the round, and not written yet.
    decided: bool,
}

/// A speech that nobody heard for a while, though it had the floor.
#[derive(Debug)]
struct Silence {
    turn: TurnId,
    from: Millis,
    until: Millis,
}

impl Late {
    /// From now on what is decided may be late.
    pub(super) fn begin(&mut self, heard: &Openings, now: Millis) {
        (self.heard, self.since) = (heard.clone(), now);
    }

    /// What is decided is heard from now on.
    pub(super) fn heard(&mut self, conference: &Conference, now: Millis) {
        for turn in conference.floor().turns.iter() {
            if turn.is_live() && !self.heard.opens(&Opening::Speech(turn.turn)) {
                self.note(turn.turn, self.since, now);
            }
        }
        self.heard = conference.openings();
    }

    /// These are closed ahead of the record.
    pub(super) fn closed(&mut self, closed: [&Closed; 2], now: Millis) {
        let is_closed = |turn| {
            let speech = Opening::Speech(turn);
            closed.iter().any(|closed| closed.contains(&speech))
        };
        self.closed.retain(|turn, _| is_closed(*turn));
        for opening in closed.into_iter().flatten() {
            if let Opening::Speech(turn) = opening {
                self.closed.entry(*turn).or_insert(now);
            }
        }
    }

    fn note(&mut self, turn: TurnId, from: Millis, until: Millis) {
        self.silent.push(Silence { turn, from, until });
    }

    /// Until when nobody heard a site, though it had the floor.
    pub(super) fn silent_until(&self, conference: &Conference, site: SiteId) -> Option<Millis> {
        let turns = &conference.floor().turns;
        let is_its = |silence: &&Silence| {
            let mut of_site = turns.iter().filter(|turn| turn.site == site);
            of_site.any(|turn| turn.turn == silence.turn)
        };
        let of_site = self.silent.iter().filter(is_its);
        of_site.map(|silence| silence.until).max()
    }

    /// What takes the silence out of their clocks.
    pub(super) fn events(&self, conference: &Conference) -> Vec<Event> {
        let mut after = conference.clone();
        let mut events = vec![];
        for silence in &self.silent {
            let turns = &after.floor().turns;
            let speech = turns.iter().find(|speech| speech.turn == silence.turn);
            for event in speech
                .and_then(|speech| silence.events(speech))
                .into_iter()
                .flatten()
            {
                after.apply(&event);
                events.push(event);
            }
        }
        events
    }

    /// What was decided is written.
    pub(super) fn written(&mut self) {
        if std::mem::take(&mut self.decided) {
            self.silent.clear();
        }
    }

    /// It is not: it comes before the rules again.
    pub(super) fn unwritten(&mut self) {
        self.decided = false;
    }
}

impl Silence {
    fn events(&self, speech: &Turn) -> Option<[Event; 2]> {
        let Self { turn, from, until } = *self;
        let at = speech.running_since?.max(from);
        let held = Event::TurnHeld {
            turn,
            at,
            away_from: until,
        };
        (at < until).then_some([held, Event::TurnUnheld { turn, at: until }])
    }
}

impl Room {
    /// Whoever was not heard has not spoken.
    pub(super) fn begin_late(&mut self, round: &mut Round) {
        let now = self.clock.now();
        for (turn, from) in std::mem::take(&mut self.late.closed) {
            self.late.note(turn, from, now);
        }
        let events = self.late.events(&self.conference);
        self.late.decided = true;
        self.happened(events, round);
    }
}
