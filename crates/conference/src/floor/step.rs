//! The chair's last step about the list, and taking it back.

use super::{Floor, LastTurn, Request};
use crate::{Event, Refusal, line::Used, turn::Turn, words::StepKind};
use diemcau_model::{ItemId, Millis, SiteId, TurnId, limits};
use std::collections::BTreeMap;

/// A step, and how it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was done.
    pub kind: StepKind,
    /// The request as it was.
    pub request: Request,
    /// When.
    pub at: Millis,
    /// What the call replaced, if it did.
    replaced: Option<Box<Replaced>>,
}

/// The floor before somebody was called in place of others; their clocks stand at the moment of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Replaced {
    turns: Vec<Turn>,
    used: BTreeMap<(ItemId, SiteId), Used>,
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
    /// A call is undone only while the called speech alone has the floor; nothing is undone when its request is
    /// somewhere else by now.
    pub(crate) fn decide_undo(
        &self,
        turn: TurnId,
        linked: impl Fn(SiteId) -> bool,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        let step = self.step.as_ref().ok_or(Refusal::NothingToUndo)?;
        if step.request.turn != turn || now > step.until() || !self.is_as_left(step) {
            return Err(Refusal::NothingToUndo);
        }
        let mut events = vec![Event::StepUndone { at: now }];
        if step.kind == StepKind::Called {
            events.extend(self.take_up_after(turn, now));
        }
        // A speaker who comes back may have lost its link meanwhile, or found it again.
        for turn in step.replaced.iter().flat_map(|before| &before.turns) {
            match (turn.held, linked(turn.site)) {
                (false, false) => events.push(Event::TurnHeld {
                    turn: turn.turn,
                    at: now,
                    away_from: now,
                }),
                (true, true) => events.push(Event::TurnUnheld {
                    turn: turn.turn,
                    at: now,
                }),
                (true, false) | (false, true) => {}
            }
        }
        Ok(events)
    }

    /// Remembers how it was before the chair's step.
    pub(crate) fn note_step(&mut self, kind: StepKind, turn: TurnId, replaces: bool, at: Millis) {
        let replaced = replaces.then(|| {
            let mut turns = self.turns.clone();
            for turn in &mut turns {
                turn.used_ms = turn.used_at(at);
                turn.running_since = None;
            }
            Box::new(Replaced {
                turns,
                used: self.used.clone(),
                last: self.last,
            })
        });
        self.step = self.find(turn).cloned().map(|request| Step {
            kind,
            request,
            at,
            replaced,
        });
    }

    pub(crate) fn undone(&mut self, at: Millis) {
        let Some(step) = self.step.take() else {
            return;
        };
        match step.kind {
            StepKind::Moved => {
                self.edit(step.request.turn, |request| {
                    request.put_at = step.request.put_at;
                    request.put_when = step.request.put_when;
                });
            }
            StepKind::Denied => {
                self.denied.remove(&step.request.site);
                self.put_back(step.request);
            }
            StepKind::Called => {
                let turn = step.request.turn;
                self.turns.retain(|other| other.turn != turn);
                self.put_back(step.request);
                if let Some(before) = step.replaced {
                    self.restore(*before, at);
                }
            }
        }
    }

    /// The speakers who were replaced go on; the time between is nobody's.
    fn restore(&mut self, before: Replaced, at: Millis) {
        let silenced = self.priority.is_some();
        self.turns = before.turns;
        self.used = before.used;
        self.last = before.last;
        for turn in &mut self.turns {
            turn.hold(at, |turn| turn.silenced = silenced);
        }
    }

    fn is_as_left(&self, step: &Step) -> bool {
        let turn = step.request.turn;
        match step.kind {
            StepKind::Moved => self.find(turn).is_some(),
            StepKind::Denied => true,
            StepKind::Called if step.replaced.is_some() => {
                self.turns.iter().map(|other| other.turn).eq([turn])
            }
            StepKind::Called => self.turns.iter().any(|other| other.turn == turn),
        }
    }
}
