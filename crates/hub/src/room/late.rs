//! What nobody heard is no speaking time: what was decided before a write that took long, or failed, is heard when that is
//! over, and what was closed ahead of the record is silent from then on.

use super::{Closed, unheard::Step};
use diemcau_conference::{Conference, Opening, Openings};
use diemcau_model::{Millis, TurnId};
use std::{collections::BTreeMap, mem};

/// How it was when the record began to fail, or to take long, and who is or was silent by it.
#[derive(Debug, Default)]
pub(super) struct Late {
    heard: Openings,
    since: Millis,
    /// Speeches that are closed ahead of the record, and since when.
    closed: BTreeMap<TurnId, Millis>,
    /// Speeches that nobody heard for a while, though they had the floor: from when until when.
    silent: Vec<(TurnId, Millis, Millis)>,
    /// These are in the round, and not written yet.
    decided: bool,
}

impl Late {
    /// From now on what is decided may be late.
    pub(super) fn begin(&mut self, heard: &Openings, now: Millis) {
        (self.heard, self.since) = (heard.clone(), now);
    }

    /// What is decided is heard from now on.
    pub(super) fn heard(&mut self, conference: &Conference, now: Millis) {
        let turns = conference.floor().turns.iter();
        let was_heard = |turn| self.heard.opens(&Opening::Speech(turn));
        let since = self.since;
        let late = turns.filter(|turn| turn.is_live() && !was_heard(turn.turn) && since < now);
        self.silent.extend(late.map(|turn| (turn.turn, since, now)));
        self.heard = conference.openings();
    }

    /// These are closed ahead of the record.
    pub(super) fn closed(&mut self, closed: &Closed, now: Millis) {
        for opening in closed {
            if let Opening::Speech(turn) = opening {
                self.closed.entry(*turn).or_insert(now);
            }
        }
    }

    /// These are closed yet, and what else was is not any more: the record closes it, or it is heard again.
    pub(super) fn closed_yet(&mut self, closed: [&Closed; 2]) -> Vec<(TurnId, Millis)> {
        let is_yet = |turn: &TurnId| {
            let speech = Opening::Speech(*turn);
            closed.iter().any(|closed| closed.contains(&speech))
        };
        self.closed
            .extract_if(.., |turn, _| !is_yet(turn))
            .collect()
    }

    /// These were closed since then, and are heard again.
    pub(super) fn opened(&mut self, closed: Vec<(TurnId, Millis)>, now: Millis) {
        let silent = closed.into_iter().map(|(turn, from)| (turn, from, now));
        self.silent.extend(silent);
    }

    /// When nobody heard whom, as far as the rules have not had it.
    pub(super) fn steps(&self, now: Millis) -> Vec<(Millis, Step)> {
        let closed = self.closed.iter().map(|(turn, from)| (*turn, *from, now));
        let silent = self.silent.iter().filter(|_| !self.decided);
        let silent = silent.copied().chain(closed);
        let silent = silent.filter(|(_, from, until)| from < until);
        let steps = silent.flat_map(|(turn, from, until)| {
            [(from, Step::Silent(turn)), (until, Step::Heard(turn))]
        });
        steps.collect()
    }

    /// The rules have it.
    pub(super) fn decide(&mut self) {
        self.decided = true;
    }

    /// What was decided is written.
    pub(super) fn written(&mut self) {
        if mem::take(&mut self.decided) {
            self.silent.clear();
        }
    }

    /// It is not: it comes before the rules again.
    pub(super) fn unwritten(&mut self) {
        self.decided = false;
    }
}
