//! What people ask about the speeches that have the floor, and what the clock brings.

use super::Floor;
use crate::{
    Actor, AtZero, Event, PlannedItem, QueueMode, Refusal,
    precedence::Precedence,
    turn::{Deadline, Turn},
    words::TurnEnd,
};
use diemcau_model::{Millis, SeatId, SiteId, TurnId, limits};

impl Floor {
    /// The site on deck, if the asker sees the floor as it is: two consoles may press at once.
    pub(crate) fn decide_next(
        &self,
        after: Option<TurnId>,
        expect: TurnId,
        on_deck: &[TurnId],
    ) -> Result<TurnId, Refusal> {
        self.check_after(after)?;
        let next = on_deck.first().ok_or(Refusal::NobodyWaiting)?;
        if *next != expect {
            return Err(Refusal::Stale);
        }
        Ok(*next)
    }

    /// Gives the floor to a waiting request at the chair's word. `linked` says whether a site can send.
    pub(crate) fn decide_grant(
        &self,
        after: Option<TurnId>,
        turn: TurnId,
        item: Option<&PlannedItem>,
        on_deck: &[TurnId],
        linked: impl Fn(SiteId) -> bool,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        self.check_after(after)?;
        let request = self.waits(turn)?;
        let item = item.ok_or(Refusal::NoItem)?;
        if !linked(request.site) {
            return Err(Refusal::NotLinked);
        }
        let interposes = Precedence::of(request.words.speech).interposes && !self.turns.is_empty();
        let is_open = self.open_microphones(item).is_some();
        if is_open && !self.has_free_microphone(item) {
            return Err(Refusal::MicrophonesFull);
        }
        let replaces = !interposes && !is_open && !self.turns.is_empty();
        let mut events = vec![Event::Called {
            turn,
            out_of_order: on_deck.first() != Some(&turn),
            replaces,
            at: now,
        }];
        if replaces {
            events.extend(self.end_all(TurnEnd::Succeeded, now));
        } else if interposes && !is_open {
            events.extend(self.turn().map(|speech| Event::TurnInterrupted {
                turn: speech.turn,
                at: now,
            }));
        }
        if request.pending {
            events.push(Event::RequestAccepted { turn });
        }
        events.push(start(turn, request.words.minutes, item, now));
        Ok(events)
    }

    /// In an open discussion the next one needs no word of the chair.
    pub(crate) fn decide_open(
        &self,
        item: Option<&PlannedItem>,
        on_deck: &[TurnId],
        now: Millis,
    ) -> Option<Event> {
        let item = item.filter(|item| self.has_free_microphone(item))?;
        let request = self.find(*on_deck.first()?)?;
        Some(start(request.turn, request.words.minutes, item, now))
    }

    pub(crate) fn decide_pause(&self, turn: TurnId, now: Millis) -> Result<Vec<Event>, Refusal> {
        if self.current(turn)?.paused {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::TurnPaused { turn, at: now }])
    }

    pub(crate) fn decide_resume(&self, turn: TurnId, now: Millis) -> Result<Vec<Event>, Refusal> {
        if !self.current(turn)?.paused {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::TurnResumed { turn, at: now }])
    }

    pub(crate) fn decide_extend(
        &self,
        turn: TurnId,
        minutes: u16,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        let current = self.current(turn)?;
        if minutes == 0 || minutes > limits::TURN_MINUTES_MAX {
            return Err(Refusal::OutOfRange);
        }
        // A minute given to a speaker who is over time counts from now: otherwise it would be used up already.
        let over_ms = current.used_at(now).saturating_sub(current.allotted_ms);
        Ok(vec![Event::TurnExtended {
            turn,
            by_ms: over_ms + u64::from(minutes) * 60_000,
            at: now,
        }])
    }

    pub(crate) fn decide_keep(&self, turn: TurnId) -> Result<Vec<Event>, Refusal> {
        let current = self.current(turn)?;
        if current.kept || !current.held {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::TurnKept { turn }])
    }

    pub(crate) fn decide_end(
        &self,
        turn: TurnId,
        how: TurnEnd,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        self.current(turn)?;
        Ok(self.end(turn, how, now))
    }

    pub(crate) fn decide_close_all(&self, now: Millis) -> Result<Vec<Event>, Refusal> {
        let open = self.turns.iter().filter(|turn| !turn.paused);
        let events: Vec<Event> = open
            .map(|turn| Event::TurnPaused {
                turn: turn.turn,
                at: now,
            })
            .collect();
        match events.is_empty() {
            true => Err(Refusal::AlreadySo),
            false => Ok(events),
        }
    }

    /// The key belongs to the seat that pressed it, and is let go when its last connection is gone.
    pub(crate) fn decide_priority(
        &self,
        actor: &Actor,
        on: bool,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        if self.priority.is_some() == on {
            return Err(Refusal::AlreadySo);
        }
        let seat = on.then_some(actor.seat);
        Ok(vec![Event::PrioritySet { seat, at: now }])
    }

    pub(crate) fn release_priority(&self, seat: SeatId, now: Millis) -> Vec<Event> {
        match self.priority == Some(seat) {
            true => vec![Event::PrioritySet {
                seat: None,
                at: now,
            }],
            false => vec![],
        }
    }

    /// Holds the turns of a site that has no endpoint left.
    pub(crate) fn hold(&self, site: SiteId, at: Millis, away_from: Millis) -> Vec<Event> {
        let of_site = self.turns.iter().filter(|turn| turn.site == site);
        of_site
            .filter(|turn| !turn.held)
            .map(|turn| Event::TurnHeld {
                turn: turn.turn,
                at,
                away_from,
            })
            .collect()
    }

    /// Lets its turns go on when a site can send again.
    pub(crate) fn unhold(&self, site: SiteId, at: Millis) -> Vec<Event> {
        let of_site = self.turns.iter().filter(|turn| turn.site == site);
        of_site
            .filter(|turn| turn.held)
            .map(|turn| Event::TurnUnheld {
                turn: turn.turn,
                at,
            })
            .collect()
    }

    /// Ends every speech that has the floor.
    pub(crate) fn end_all(&self, how: TurnEnd, at: Millis) -> Vec<Event> {
        let turns = self.turns.iter().rev();
        turns
            .map(|turn| Event::TurnEnded {
                turn: turn.turn,
                how,
                at,
            })
            .collect()
    }

    /// Ends a speech; the one it was put into goes on.
    pub(crate) fn end(&self, turn: TurnId, how: TurnEnd, at: Millis) -> Vec<Event> {
        let mut events = vec![Event::TurnEnded { turn, how, at }];
        events.extend(self.take_up_after(turn, at));
        events
    }

    /// The speech that stands because `turn` was put in between.
    pub(crate) fn take_up_after(&self, turn: TurnId, at: Millis) -> Option<Event> {
        let place = self.turns.iter().position(|other| other.turn == turn)?;
        let under = self.turns[..place].last().filter(|under| under.interrupted);
        under.map(|under| Event::TurnTakenUp {
            turn: under.turn,
            at,
        })
    }

    /// What the clocks bring at `now`; empty when nothing is due.
    pub(crate) fn decide_time(&self, away_ms: Option<u64>, now: Millis) -> Vec<Event> {
        let Some((at, deadline, current)) = self.first_deadline(away_ms) else {
            return vec![];
        };
        let turn = current.turn;
        if at > now {
            return vec![];
        }
        match deadline {
            Deadline::Warning(left_s) => vec![Event::TurnWarned { turn, left_s }],
            Deadline::Grace => vec![Event::TurnMuted { turn }],
            Deadline::Away => self.end(turn, TurnEnd::Away, at),
            Deadline::Zero => {
                let mut events = vec![Event::TurnRanOut { turn }];
                if current.at_zero == AtZero::Cut {
                    events.extend(self.end(turn, TurnEnd::TimeUp, at));
                }
                events
            }
        }
    }

    pub(crate) fn next_deadline(&self, away_ms: Option<u64>) -> Option<Millis> {
        self.first_deadline(away_ms).map(|(at, ..)| at)
    }

    fn first_deadline(&self, away_ms: Option<u64>) -> Option<(Millis, Deadline, &Turn)> {
        let due = |turn| {
            let (at, deadline) = Turn::next_deadline(turn, away_ms)?;
            Some((at, deadline, turn))
        };
        self.turns.iter().filter_map(due).min_by_key(|(at, ..)| *at)
    }

    /// How many microphones the item opens by itself; none unless it is an open discussion.
    fn open_microphones(&self, item: &PlannedItem) -> Option<usize> {
        match item.turns.queue {
            QueueMode::Open { microphones } => Some(usize::from(microphones)),
            QueueMode::ChairPicks
            | QueueMode::InOrder
            | QueueMode::RoundOfSites
            | QueueMode::LeastTime
            | QueueMode::ByDocument => None,
        }
    }

    fn has_free_microphone(&self, item: &PlannedItem) -> bool {
        self.open_microphones(item)
            .is_some_and(|most| self.turns.len() < most)
    }

    fn check_after(&self, after: Option<TurnId>) -> Result<(), Refusal> {
        match self.turn().map(|turn| turn.turn) == after {
            true => Ok(()),
            false => Err(Refusal::Stale),
        }
    }

    fn current(&self, turn: TurnId) -> Result<&Turn, Refusal> {
        match self.turns.is_empty() {
            true => Err(Refusal::UnknownTurn),
            false => self.speech(turn).ok_or(Refusal::Stale),
        }
    }
}

/// A speech gets what it asks for, but no more than the item gives.
fn start(turn: TurnId, asked: Option<u16>, item: &PlannedItem, at: Millis) -> Event {
    let minutes = asked.map_or(item.turns.minutes, |asked| asked.min(item.turns.minutes));
    Event::TurnStarted {
        turn,
        item: item.id,
        allotted_ms: u64::from(minutes) * 60_000,
        at_zero: item.turns.at_zero,
        at,
    }
}
