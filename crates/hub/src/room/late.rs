//! What was decided before a write that took long, or failed, is heard when that is over: until then nobody has spoken, and
//! no clock has run.

use super::{Room, Round};
use diemcau_conference::{Conference, Event, Opening, Openings};
use diemcau_model::{Millis, TurnId};

/// How it was when the record began to fail, or to take long, and who was silent by it.
#[derive(Debug, Default)]
pub(super) struct Late {
    heard: Openings,
    since: Millis,
    silent: Vec<Silence>,
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
                self.silent.push(Silence {
                    turn: turn.turn,
                    from: self.since,
                    until: now,
                });
            }
        }
        self.heard = conference.openings();
    }

    /// What takes the silence out of their clocks.
    pub(super) fn events(&self, conference: &Conference) -> Vec<Event> {
        let turns = &conference.floor().turns;
        let events = self.silent.iter().filter_map(|silence| {
            let Silence { turn, from, until } = *silence;
            let speech = turns.iter().find(|speech| speech.turn == turn)?;
            let at = speech.running_since?.max(from);
            let held = Event::TurnHeld {
                turn,
                at,
                away_from: until,
            };
            (at < until).then_some([held, Event::TurnUnheld { turn, at: until }])
        });
        events.flatten().collect()
    }

    /// The record has it.
    pub(super) fn written(&mut self) {
        self.silent.clear();
    }
}

impl Room {
    /// Whoever was not heard has not spoken.
    pub(super) fn begin_late(&mut self, round: &mut Round) {
        let events = self.late.events(&self.conference);
        self.happened(events, round);
    }
}
