//! The floor: who waits, who is on deck, who has it.

use crate::{
    Actor, AtZero, Event, PlannedItem, Refusal,
    agenda::moved,
    turn::{Deadline, Turn},
    words::{RequestWords, SpeechType, TurnEnd},
};
use diemcau_model::{Millis, Role, SeatId, SiteId, TurnId, limits};

/// The part of the state that is about the floor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Whether the list takes requests.
    pub open: bool,
    /// The turn that has the floor.
    pub turn: Option<Turn>,
    /// Accepted requests in the order of the list: the order in which the server took them, unless the chair moved one.
    pub queue: Vec<Request>,
    /// Requests waiting for the chair's word.
    pub pending: Vec<Request>,
    /// The request the chair told to prepare out of order.
    prepared: Option<TurnId>,
    /// How the last turn ended.
    pub last: Option<LastTurn>,
    /// The rule at zero of the item the turn was granted in.
    at_zero: AtZero,
    next: u32,
}

/// A waiting request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub turn: TurnId,
    /// The site.
    pub site: SiteId,
    /// The seat that asked.
    pub seat: SeatId,
    /// Who, on what.
    pub words: RequestWords,
    /// When the server took it.
    pub at: Millis,
}

/// How the last turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastTurn {
    /// The turn.
    pub turn: TurnId,
    /// Its site.
    pub site: SiteId,
    /// How.
    pub how: TurnEnd,
}

impl Default for Floor {
    fn default() -> Self {
        let (turn, prepared, last) = (None, None, None);
        Self {
            open: true,
            turn,
            queue: vec![],
            pending: vec![],
            prepared,
            last,
            at_zero: AtZero::Warn,
            next: 1,
        }
    }
}

impl Floor {
    /// The request that is told to prepare: the one the chair chose, else the head of the list.
    #[must_use]
    pub fn on_deck(&self) -> Option<&Request> {
        let chosen = |request: &&Request| Some(request.turn) == self.prepared;
        self.queue
            .iter()
            .find(chosen)
            .or_else(|| self.queue.first())
    }

    pub(crate) fn decide_list(&self, open: bool) -> Result<Vec<Event>, Refusal> {
        if self.open == open {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::ListSet { open }])
    }

    pub(crate) fn decide_request(
        &self,
        actor: &Actor,
        item: Option<&PlannedItem>,
        words: &RequestWords,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        let site = actor.site.ok_or(Refusal::NotAllowed)?;
        check_length(&words.delegate, limits::NAME_MAX_CHARS)?;
        check_length(&words.topic, limits::TOPIC_MAX_CHARS)?;
        let item = item.ok_or(Refusal::NoItem)?;
        if !self.open && words.speech != SpeechType::PointOfOrder {
            return Err(Refusal::ListClosed);
        }
        let of_site = self
            .waiting()
            .filter(|request| request.site == site)
            .count();
        if self.waiting().count() >= limits::QUEUE_MAX || of_site >= limits::QUEUE_PER_SITE_MAX {
            return Err(Refusal::QueueFull);
        }
        Ok(vec![Event::FloorRequested {
            turn: TurnId(self.next),
            site,
            seat: actor.seat,
            item: item.id,
            words: words.clone(),
            pending: item.turns.approval,
            at: now,
        }])
    }

    pub(crate) fn decide_withdraw(
        &self,
        actor: &Actor,
        turn: TurnId,
    ) -> Result<Vec<Event>, Refusal> {
        let request = self.find(turn)?;
        if Some(request.site) != actor.site {
            return Err(Refusal::OtherSite);
        }
        Ok(vec![Event::RequestWithdrawn { turn }])
    }

    pub(crate) fn decide_accept(&self, turn: TurnId) -> Result<Vec<Event>, Refusal> {
        self.find(turn)?;
        if self.is_queued(turn) {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::RequestAccepted { turn }])
    }

    pub(crate) fn decide_deny(&self, turn: TurnId, reason: &str) -> Result<Vec<Event>, Refusal> {
        self.find(turn)?;
        check_length(reason, limits::TOPIC_MAX_CHARS)?;
        Ok(vec![Event::RequestDenied {
            turn,
            reason: reason.to_owned(),
        }])
    }

    pub(crate) fn decide_move(
        &self,
        turn: TurnId,
        before: Option<TurnId>,
    ) -> Result<Vec<Event>, Refusal> {
        if !self.is_queued(turn) || before.is_some_and(|before| !self.is_queued(before)) {
            return Err(Refusal::UnknownTurn);
        }
        let order = self.order();
        if moved(&order, turn, before) == order {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::RequestMoved { turn, before }])
    }

    pub(crate) fn decide_prepare(&self, turn: TurnId) -> Result<Vec<Event>, Refusal> {
        if !self.is_queued(turn) {
            return Err(Refusal::UnknownTurn);
        }
        if self.on_deck().is_some_and(|request| request.turn == turn) {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::RequestPrepared { turn }])
    }

    /// The site on deck, if the asker sees the floor as it is: two consoles may press at once.
    pub(crate) fn decide_next(
        &self,
        after: Option<TurnId>,
        expect: TurnId,
    ) -> Result<TurnId, Refusal> {
        self.check_after(after)?;
        let next = self.on_deck().ok_or(Refusal::NobodyWaiting)?;
        if next.turn != expect {
            return Err(Refusal::Stale);
        }
        Ok(next.turn)
    }

    /// Gives the floor to a waiting request; the turn that had it ends. `linked` says whether its site can send.
    pub(crate) fn decide_grant(
        &self,
        after: Option<TurnId>,
        turn: TurnId,
        item: Option<&PlannedItem>,
        linked: impl Fn(SiteId) -> bool,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        self.check_after(after)?;
        let request = self.find(turn)?;
        let item = item.ok_or(Refusal::NoItem)?;

        let mut events: Vec<Event> = self.end(TurnEnd::Succeeded, now).into_iter().collect();
        if !self.is_queued(turn) {
            events.push(Event::RequestAccepted { turn });
        }
        let allotted_ms = u64::from(item.turns.minutes) * 60_000;
        events.push(Event::TurnStarted {
            turn,
            allotted_ms,
            at_zero: item.turns.at_zero,
            at: now,
        });
        if !linked(request.site) {
            events.push(Event::TurnHeld { turn, at: now });
        }
        Ok(events)
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

    pub(crate) fn decide_end(
        &self,
        actor: &Actor,
        turn: TurnId,
        how: TurnEnd,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        let current = self.current(turn)?;
        if actor.role != Role::Chair && actor.site != Some(current.site) {
            return Err(Refusal::OtherSite);
        }
        Ok(vec![Event::TurnEnded { turn, how, at: now }])
    }

    /// Holds the turn when its site has no endpoint left.
    pub(crate) fn hold(&self, site: SiteId, at: Millis) -> Option<Event> {
        let turn = self
            .turn
            .as_ref()
            .filter(|turn| turn.site == site && !turn.held)?;
        Some(Event::TurnHeld {
            turn: turn.turn,
            at,
        })
    }

    /// Lets the turn go on when its site can send again.
    pub(crate) fn unhold(&self, site: SiteId, at: Millis) -> Option<Event> {
        let turn = self
            .turn
            .as_ref()
            .filter(|turn| turn.site == site && turn.held)?;
        Some(Event::TurnUnheld {
            turn: turn.turn,
            at,
        })
    }

    /// Ends the turn that has the floor, if one has.
    pub(crate) fn end(&self, how: TurnEnd, at: Millis) -> Option<Event> {
        self.turn.as_ref().map(|turn| Event::TurnEnded {
            turn: turn.turn,
            how,
            at,
        })
    }

    /// What the clock brings at `now`; empty when nothing is due.
    pub(crate) fn decide_time(&self, now: Millis) -> Vec<Event> {
        let Some(current) = &self.turn else {
            return vec![];
        };
        let turn = current.turn;
        match current
            .next_deadline(self.at_zero)
            .filter(|(due, _)| *due <= now)
        {
            None => vec![],
            Some((_, Deadline::Warning(left_s))) => vec![Event::TurnWarned { turn, left_s }],
            Some((_, Deadline::Grace)) => vec![Event::TurnMuted { turn }],
            Some((at, Deadline::Zero)) => match self.at_zero {
                AtZero::Warn | AtZero::Mute { .. } => vec![Event::TurnRanOut { turn }],
                AtZero::Cut => {
                    vec![
                        Event::TurnRanOut { turn },
                        Event::TurnEnded {
                            turn,
                            how: TurnEnd::TimeUp,
                            at,
                        },
                    ]
                }
            },
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.turn
            .as_ref()?
            .next_deadline(self.at_zero)
            .map(|(at, _)| at)
    }

    pub(crate) fn requested(&mut self, request: Request, pending: bool) {
        self.next = self.next.max(request.turn.0 + 1);
        match pending {
            true => self.pending.push(request),
            false => self.queue.push(request),
        }
    }

    pub(crate) fn accepted(&mut self, turn: TurnId) {
        if let Some(at) = self.pending.iter().position(|request| request.turn == turn) {
            let request = self.pending.remove(at);
            self.queue.push(request);
        }
    }

    pub(crate) fn gone(&mut self, turn: TurnId) {
        self.take(turn);
    }

    pub(crate) fn reordered(&mut self, turn: TurnId, before: Option<TurnId>) {
        let order = moved(&self.order(), turn, before);
        self.queue
            .sort_by_key(|request| order.iter().position(|id| *id == request.turn));
    }

    pub(crate) fn prepared(&mut self, turn: TurnId) {
        self.prepared = Some(turn);
    }

    pub(crate) fn started(&mut self, turn: TurnId, allotted_ms: u64, at_zero: AtZero, at: Millis) {
        let request = self.take(turn);
        assert!(self.turn.is_none(), "a turn starts only on a free floor");
        self.at_zero = at_zero;
        self.turn = request.map(|request| {
            let mut turn = Turn {
                turn,
                site: request.site,
                words: request.words,
                started: at,
                allotted_ms,
                used_ms: 0,
                running_since: Some(at),
                paused: false,
                held: false,
                muted: false,
                warned_s: None,
            };
            turn.set_warned(at);
            turn
        });
    }

    pub(crate) fn ended(&mut self, how: TurnEnd) {
        self.last = self.turn.take().map(|turn| LastTurn {
            turn: turn.turn,
            site: turn.site,
            how,
        });
    }

    /// Applies a change to the turn `turn`; an event about another one changes nothing.
    pub(crate) fn change(&mut self, turn: TurnId, edit: impl FnOnce(&mut Turn)) {
        if let Some(current) = self.turn.as_mut().filter(|current| current.turn == turn) {
            edit(current);
        }
    }

    fn waiting(&self) -> impl Iterator<Item = &Request> {
        self.queue.iter().chain(&self.pending)
    }

    fn find(&self, turn: TurnId) -> Result<&Request, Refusal> {
        self.waiting()
            .find(|request| request.turn == turn)
            .ok_or(Refusal::UnknownTurn)
    }

    fn is_queued(&self, turn: TurnId) -> bool {
        self.queue.iter().any(|request| request.turn == turn)
    }

    fn order(&self) -> Vec<TurnId> {
        self.queue.iter().map(|request| request.turn).collect()
    }

    fn check_after(&self, after: Option<TurnId>) -> Result<(), Refusal> {
        match self.turn.as_ref().map(|turn| turn.turn) == after {
            true => Ok(()),
            false => Err(Refusal::Stale),
        }
    }

    fn current(&self, turn: TurnId) -> Result<&Turn, Refusal> {
        match &self.turn {
            Some(current) if current.turn == turn => Ok(current),
            Some(_) => Err(Refusal::Stale),
            None => Err(Refusal::UnknownTurn),
        }
    }

    fn take(&mut self, turn: TurnId) -> Option<Request> {
        if self.prepared == Some(turn) {
            self.prepared = None;
        }
        for list in [&mut self.queue, &mut self.pending] {
            if let Some(at) = list.iter().position(|request| request.turn == turn) {
                return Some(list.remove(at));
            }
        }
        None
    }
}

pub(crate) fn check_length(text: &str, max_chars: usize) -> Result<(), Refusal> {
    match text.chars().count() > max_chars {
        true => Err(Refusal::TextTooLong),
        false => Ok(()),
    }
}
