//! What people ask about the speeches that have the floor, and what the clock brings.

use super::{Floor, Request};
use crate::{
    Actor, AtZero, Event, PlannedItem, QueueMode, Refusal,
    precedence::Precedence,
    turn::{Deadline, Turn},
    words::{Next, TurnEnd},
};
use diemcau_model::{Millis, SeatId, SiteId, TurnId, limits};

impl Floor {
    /// What "next" does: it calls who is on deck; but behind what was put into a speech comes that speech, unless more
    /// is to be put into it first.
    pub(crate) fn next(&self, on_deck: &[TurnId]) -> Option<Next> {
        let on_deck = on_deck.first().and_then(|turn| self.find(*turn));
        let interposes = |request: &&Request| Precedence::of(request.words.speech).interposes;
        let call = |request: &Request| Next::Call { turn: request.turn };
        match self.stands_under_the_last() {
            Some(speech) => on_deck
                .filter(interposes)
                .map(call)
                .or(Some(Next::TakeUp { turn: speech.turn })),
            None => on_deck.map(call),
        }
    }

    /// Ends what was put into a speech, which goes on.
    pub(crate) fn decide_take_up(&self, now: Millis) -> Result<Vec<Event>, Refusal> {
        let last = self.turn().ok_or(Refusal::Stale)?;
        Ok(self.end(last.turn, TurnEnd::Released, now))
    }

    /// Gives the floor to a waiting request at the chair's word; `is_next` when it was to be called next anyway.
    pub(crate) fn decide_grant(
        &self,
        request: &Request,
        item: &PlannedItem,
        hall: Option<SiteId>,
        is_next: bool,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        let turn = request.turn;
        let is_open = open_microphones(item).is_some();
        // What cannot wait needs no free microphone, as long as everybody still hears all that are open; the hall's is one
        // all the same.
        let all_heard = self.turns.len() + 1 < limits::AUDIO_SLOTS;
        let presses = Precedence::of(request.words.speech).interposes
            && Some(request.site) != hall
            && all_heard;
        if is_open && !presses && !self.has_microphone_for(request.site, item, hall) {
            return Err(Refusal::MicrophonesFull);
        }
        let (stay, end) = match is_open {
            true => (&self.turns[..], &[][..]),
            false => self.turns.split_at(self.stay_under(request)),
        };
        let mut events = vec![Event::Called {
            turn,
            out_of_order: !is_next,
            replaces: end.iter().map(|speech| speech.turn).collect(),
            at: now,
        }];
        events.extend(ended(end, TurnEnd::Succeeded, now));
        let live = stay.last().filter(|under| !is_open && !under.interrupted);
        events.extend(live.map(|speech| Event::TurnInterrupted {
            turn: speech.turn,
            at: now,
        }));
        if request.pending {
            events.push(Event::RequestAccepted { turn });
        }
        events.push(start(turn, request.words.minutes, item, now));
        Ok(events)
    }

    /// In an open discussion the first of those who are there needs no word of the chair, until it has closed the
    /// microphones.
    pub(crate) fn decide_open<'a>(
        &self,
        item: &PlannedItem,
        hall: Option<SiteId>,
        mut there: impl Iterator<Item = &'a Request>,
        now: Millis,
    ) -> Option<Event> {
        if self.microphones_closed || open_microphones(item).is_none() {
            return None;
        }
        let request = there.find(|one| self.has_microphone_for(one.site, item, hall))?;
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

    /// Pauses every turn, or lets every paused one go on.
    pub(crate) fn pause_all(&self, paused: bool, at: Millis) -> impl Iterator<Item = Event> {
        let others = self.turns.iter().filter(move |turn| turn.paused != paused);
        others.map(move |speech| {
            let turn = speech.turn;
            match paused {
                true => Event::TurnPaused { turn, at },
                false => Event::TurnResumed { turn, at },
            }
        })
    }

    /// A call can be given back until the speech has begun in earnest.
    pub(crate) fn decide_return_call(
        &self,
        turn: TurnId,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        if self.current(turn)?.used_at(now) > limits::RETURN_CALL_MS {
            return Err(Refusal::SpeechBegun);
        }
        let mut events = vec![Event::CallReturned { turn, at: now }];
        events.extend(self.take_up_after(turn, now));
        Ok(events)
    }

    /// The key belongs to the seat that pressed it, and is let go when its last connection is gone.
    pub(crate) fn decide_priority(
        &self,
        actor: &Actor,
        on: bool,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        match self.priority {
            Some(_) if on => return Err(Refusal::AlreadySo),
            Some(holder) if holder != actor.seat => return Err(Refusal::PriorityHeld),
            None if !on => return Err(Refusal::AlreadySo),
            Some(_) | None => {}
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
    pub(crate) fn hold(&self, site: SiteId, at: Millis) -> Vec<Event> {
        let of_site = self.turns.iter().filter(|turn| turn.site == site);
        of_site
            .filter(|turn| !turn.held)
            .map(|turn| Event::TurnHeld {
                turn: turn.turn,
                at,
                away_from: at,
            })
            .collect()
    }

    /// Holds every turn through a time when nobody was there to see the links: what the server was away is nobody's absence.
    pub(crate) fn hold_all(&self, last_alive: Millis, now: Millis) -> Vec<Event> {
        let away = now.since(last_alive);
        let held_from = |turn: &Turn| match turn.held {
            false => Some(now),
            true => turn.away_from.map(|from| from.plus(away)),
        };
        let hold = |turn: &Turn| {
            Some(Event::TurnHeld {
                turn: turn.turn,
                at: last_alive,
                away_from: held_from(turn)?,
            })
        };
        self.turns.iter().filter_map(hold).collect()
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
        ended(&self.turns, how, at).collect()
    }

    /// Ends a speech; the one it was put into goes on.
    pub(crate) fn end(&self, turn: TurnId, how: TurnEnd, at: Millis) -> Vec<Event> {
        self.end_in_time(turn, how, at, at)
    }

    /// Ends a speech whose time was up at `at`; the one it was put into goes on from `now`: it may be late, and until then nobody heard it.
    fn end_in_time(&self, turn: TurnId, how: TurnEnd, at: Millis, now: Millis) -> Vec<Event> {
        let mut events = vec![Event::TurnEnded { turn, how, at }];
        events.extend(self.take_up_after(turn, now));
        events
    }

    /// The speech that goes on when `turn` is over: the one directly under it, if `turn` is what everybody looks at.
    pub(crate) fn take_up_after(&self, turn: TurnId, at: Millis) -> Option<Event> {
        let under = self
            .stands_under_the_last()
            .filter(|_| self.turn().is_some_and(|last| last.turn == turn))?;
        Some(Event::TurnTakenUp {
            turn: under.turn,
            at,
        })
    }

    /// The speech that stands because the last one was put into it.
    fn stands_under_the_last(&self) -> Option<&Turn> {
        let (_, under) = self.turns.split_last()?;
        under.last().filter(|speech| speech.interrupted)
    }

    /// How many of those who have the floor stay when `speech` is called: it is put into what ranks behind it, and takes
    /// the place of its like. A point of order is put into a question, a question ends the one before; but what is asked
    /// about a point of order is put into that.
    fn stay_under(&self, request: &Request) -> usize {
        let called = Precedence::of(request.words.speech);
        let goes_on = |turn: &Turn| {
            let rank = Precedence::of(turn.words.speech).rank;
            rank > called.rank || (rank < called.rank && request.about == Some(turn.turn))
        };
        match called.interposes {
            true => self
                .turns
                .iter()
                .rposition(goes_on)
                .map_or(0, |place| place + 1),
            false => 0,
        }
    }

    /// What the clocks brought until `due`, as it is decided `now`; empty when nothing was due.
    pub(crate) fn decide_time(&self, away_ms: Option<u64>, due: Millis, now: Millis) -> Vec<Event> {
        let Some((at, deadline, current)) = self.first_deadline(away_ms) else {
            return vec![];
        };
        let turn = current.turn;
        if at > due {
            return vec![];
        }
        match deadline {
            Deadline::Warning(left_s) => vec![Event::TurnWarned { turn, left_s }],
            Deadline::Grace => vec![Event::TurnMuted { turn }],
            Deadline::Away => self.end_in_time(turn, TurnEnd::Away, at, now),
            Deadline::Zero => {
                let mut events = vec![Event::TurnRanOut { turn }];
                if current.at_zero == AtZero::Cut {
                    events.extend(self.end_in_time(turn, TurnEnd::TimeUp, at, now));
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

    /// The hall's microphone is beside those that the item opens, and is one.
    fn has_microphone_for(&self, site: SiteId, item: &PlannedItem, hall: Option<SiteId>) -> bool {
        let is_hall = |turn: &&Turn| Some(turn.site) == hall;
        let of_hall = self.turns.iter().filter(is_hall).count();
        let of_sites = self.turns.len() - of_hall;
        match Some(site) == hall {
            true => of_hall == 0,
            false => open_microphones(item).is_some_and(|most| of_sites < most),
        }
    }

    pub(crate) fn check_after(&self, after: Option<TurnId>) -> Result<(), Refusal> {
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

/// How many microphones the item opens by itself; none unless it is an open discussion.
pub(crate) fn open_microphones(item: &PlannedItem) -> Option<usize> {
    match item.turns.queue {
        QueueMode::Open { microphones } => Some(usize::from(microphones)),
        QueueMode::ChairPicks
        | QueueMode::InOrder
        | QueueMode::RoundOfSites
        | QueueMode::LeastTime
        | QueueMode::ByDocument => None,
    }
}

/// The last one first, as they are taken from the floor.
fn ended(turns: &[Turn], how: TurnEnd, at: Millis) -> impl Iterator<Item = Event> {
    turns.iter().rev().map(move |turn| Event::TurnEnded {
        turn: turn.turn,
        how,
        at,
    })
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
