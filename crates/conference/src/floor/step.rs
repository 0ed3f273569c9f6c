//! The chair's last step about the list, and taking it back.

use super::{Floor, LastTurn, Request};
use crate::{
    Event, Refusal,
    turn::Turn,
    words::{Denied, StepKind},
};
use diemcau_model::{Millis, SiteId, TurnId, limits};

/// A step, and how it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was done.
    pub kind: StepKind,
    /// The request as it was.
    pub request: Request,
    /// When.
    pub at: Millis,
    /// The list as it stood, and which of it stood where the chair had put them.
    list: Vec<TurnId>,
    put: Vec<TurnId>,
    /// Who was to be called next.
    staged: Vec<TurnId>,
    /// What its site had been told last.
    denied: Option<Denied>,
    /// What the call replaced, if it did.
    replaced: Option<Box<Replaced>>,
}

/// The floor before somebody was called in place of others; their clocks stand at the moment of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Replaced {
    /// Everyone who had the floor.
    turns: Vec<Turn>,
    /// Those of them whom the call ended.
    ended: Vec<TurnId>,
    last: Option<LastTurn>,
}

impl Step {
    /// Until when it can be undone.
    #[must_use]
    pub fn until(&self) -> Millis {
        self.at.plus(limits::UNDO_MS)
    }
}

impl Floor {
    /// The chair's last step, if nothing has happened since that stands in the way of taking it back.
    #[must_use]
    pub fn undoable(&self) -> Option<&Step> {
        self.step.as_ref().filter(|step| self.is_as_left(step))
    }

    /// A call is undone only while the called speech has the floor; nothing is undone when its request is somewhere else
    /// by now.
    pub(crate) fn decide_undo(
        &self,
        turn: TurnId,
        linked: impl Fn(SiteId) -> bool,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        let step = self.undoable().ok_or(Refusal::NothingToUndo)?;
        if step.request.turn != turn || now > step.until() {
            return Err(Refusal::NothingToUndo);
        }
        let back = step.replaced.as_ref().map(|before| before.ended.clone());
        let mut events = vec![Event::StepUndone {
            back: back.unwrap_or_default(),
            at: now,
        }];
        let Some(before) = &step.replaced else {
            if step.kind == StepKind::Called {
                events.extend(self.take_up_after(turn, now));
            }
            return Ok(events);
        };
        // A speaker who comes back may have lost its link meanwhile, or found it again.
        for turn in before.turns.iter().filter(|turn| before.ends(turn)) {
            match (turn.held, linked(turn.site)) {
                // Its absence counts from now: it could not speak while another did.
                (_, false) => events.push(Event::TurnHeld {
                    turn: turn.turn,
                    at: now,
                    away_from: now,
                }),
                (true, true) => events.push(Event::TurnUnheld {
                    turn: turn.turn,
                    at: now,
                }),
                (false, true) => {}
            }
        }
        Ok(events)
    }

    /// Remembers how it was before the chair's step: `list` as it stood, and whose speeches the step ends.
    pub(crate) fn note_step(
        &mut self,
        kind: StepKind,
        turn: TurnId,
        list: Vec<TurnId>,
        ends: &[TurnId],
        at: Millis,
    ) {
        let replaced = (!ends.is_empty()).then(|| {
            let mut turns = self.turns.clone();
            for turn in &mut turns {
                turn.used_ms = turn.used_at(at);
                turn.running_since = None;
            }
            Box::new(Replaced {
                turns,
                ended: ends.to_vec(),
                last: self.last,
            })
        });
        self.step = self.find(turn).cloned().map(|request| Step {
            kind,
            at,
            list,
            put: self.put().collect(),
            staged: self.staged.clone(),
            denied: self.denied.get(&request.site).cloned(),
            replaced,
            request,
        });
    }

    pub(crate) fn undone(&mut self, at: Millis) {
        let Some(step) = self.step.take() else {
            return;
        };
        let Request { turn, site, .. } = step.request;
        match step.kind {
            StepKind::Moved => {}
            StepKind::Denied => self.put_back(step.request),
            StepKind::Called => {
                self.turns.retain(|other| other.turn != turn);
                self.put_back(step.request);
                if let Some(before) = step.replaced {
                    self.restore(*before, at);
                }
            }
        }
        if step.kind != StepKind::Moved && !self.asked_since(site, step.at) {
            self.denied.remove(&site);
            self.denied.extend(step.denied.map(|denied| (site, denied)));
        }
        let mut list = step.list;
        list.retain(|turn| self.find(*turn).is_some());
        self.set_order(list, &step.put);
        // Whom somebody staged meanwhile stays staged.
        let mut staged = step.staged;
        staged.retain(|turn| self.find(*turn).is_some());
        let left = staged.iter().filter(|other| **other != turn);
        if left.eq(&self.staged) {
            self.staged = staged;
        }
    }

    /// Whether a site has asked again: then what it was told before is past.
    fn asked_since(&self, site: SiteId, at: Millis) -> bool {
        self.waiting().any(|one| one.site == site && one.at > at)
    }

    /// The speakers who were replaced go on; the time between is nobody's.
    fn restore(&mut self, before: Replaced, at: Millis) {
        let silenced = self.priority.is_some();
        let mut turns = vec![];
        for mut turn in before.turns.clone() {
            if before.ends(&turn) {
                turn.hold(at, |turn| turn.silenced = silenced);
                turns.push(turn);
            } else {
                turns.extend(self.turns.iter().find(|one| one.turn == turn.turn).cloned());
            }
        }
        self.turns = turns;
        self.speeches.retain(|turn, _| !before.ended.contains(turn));
        self.last = before.last;
    }

    fn is_as_left(&self, step: &Step) -> bool {
        let turn = step.request.turn;
        match (step.kind, &step.replaced) {
            (StepKind::Moved, _) => self.find(turn).is_some(),
            (StepKind::Denied, _) => true,
            (StepKind::Called, Some(before)) => {
                let stayed = before.turns.iter().filter(|other| !before.ends(other));
                let as_left = stayed.map(|other| other.turn).chain([turn]);
                self.turns.iter().map(|other| other.turn).eq(as_left)
            }
            (StepKind::Called, None) => self.speech(turn).is_some(),
        }
    }
}

impl Replaced {
    fn ends(&self, turn: &Turn) -> bool {
        self.ended.contains(&turn.turn)
    }
}
