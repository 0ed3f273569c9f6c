//! What people ask about the list.

use super::{Floor, Request};
use crate::{
    Actor, Event, PlannedItem, Refusal, Setup,
    precedence::Precedence,
    share::Sharer,
    words::{Readiness, RequestWords, SpeechType},
};
use diemcau_model::{ItemId, Millis, Role, SiteId, TurnId, limits};

impl Floor {
    pub(crate) fn decide_list(&self, open: bool) -> Result<Vec<Event>, Refusal> {
        if self.open == open {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::ListSet { open }])
    }

    pub(crate) fn decide_request(
        &self,
        actor: &Actor,
        setup: &Setup,
        item: Option<&PlannedItem>,
        words: &RequestWords,
        about: Option<TurnId>,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        // A desk registers who speaks in the main hall; nobody but its moderator asks for a site.
        let is_of_site = actor.role == Role::Moderator;
        let site = match is_of_site {
            true => actor.site,
            false => setup.hall(),
        };
        let site = site.ok_or(Refusal::NotAllowed)?;
        check_words(setup, words)?;
        let item = item.ok_or(Refusal::NoItem)?;
        let precedence = Precedence::of(words.speech);
        // A closed list takes no more sites; what answers and concludes is what it was closed for.
        if !self.open && is_of_site && !precedence.though_closed {
            return Err(Refusal::ListClosed);
        }
        let is_alike = |one: &&Request| is_alike(one.words.speech, words.speech);
        let of_site = self.waiting().filter(|one| one.site == site);
        let of_site = of_site.filter(is_alike).count();
        let is_full = self.waiting().count() >= limits::QUEUE_MAX
            || of_site >= limits::QUEUE_PER_SITE_MAX
            || self.next > limits::TURNS_MAX;
        if is_full {
            return Err(Refusal::QueueFull);
        }
        let asked = self.asked.get(&Sharer::of(setup, actor.seat, site));
        if asked.is_some_and(|asked| *asked >= limits::TURNS_SHARE) {
            return Err(Refusal::ShareUsed);
        }
        if self.delegate_waits(site, words) {
            return Err(Refusal::DelegateWaits);
        }
        let about = match precedence.under_a_speech {
            true => Some(self.speech_about(item, about).ok_or(Refusal::NoSpeech)?),
            false => None,
        };
        Ok(vec![Event::FloorRequested {
            turn: TurnId(self.next),
            site,
            seat: actor.seat,
            item: item.id,
            words: words.clone(),
            pending: item.turns.approval,
            about,
            at: now,
        }])
    }

    /// Also one that is kept with another item.
    pub(crate) fn decide_withdraw(&self, turn: TurnId) -> Result<Vec<Event>, Refusal> {
        self.request(turn).ok_or(Refusal::UnknownTurn)?;
        Ok(vec![Event::RequestWithdrawn { turn }])
    }

    pub(crate) fn decide_accept(&self, turn: TurnId) -> Result<Vec<Event>, Refusal> {
        if !self.waits(turn)?.pending {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::RequestAccepted { turn }])
    }

    pub(crate) fn decide_deny(
        &self,
        turn: TurnId,
        reason: &str,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        self.waits(turn)?;
        check_length(reason, limits::TOPIC_MAX_CHARS)?;
        Ok(vec![Event::RequestDenied {
            turn,
            reason: reason.to_owned(),
            at: now,
        }])
    }

    pub(crate) fn decide_move(
        &self,
        list: &[&Request],
        turn: TurnId,
        before: Option<TurnId>,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        let peers = peers(list, turn);
        let from = peers.iter().position(|other| *other == turn);
        let from = from.ok_or(Refusal::UnknownTurn)?;
        let others: Vec<TurnId> = peers.into_iter().filter(|other| *other != turn).collect();
        let to = match before {
            None => others.len(),
            Some(before) if before == turn => return Err(Refusal::AlreadySo),
            Some(before) if self.staged.contains(&before) => return Err(Refusal::StagedFirst),
            Some(before) => match others.iter().position(|other| *other == before) {
                Some(to) => to,
                None if list.iter().any(|request| request.turn == before) => {
                    return Err(Refusal::PointsOfOrderFirst);
                }
                None => return Err(Refusal::UnknownTurn),
            },
        };
        let is_staged = self.staged.contains(&turn);
        if to == from && !is_staged {
            return Err(Refusal::AlreadySo);
        }
        let place = u16::try_from(to).unwrap_or(u16::MAX);
        let mut events = vec![Event::RequestMoved {
            turn,
            place,
            at: now,
        }];
        if is_staged {
            // Whom the chair puts into the list is not to be called before it any more.
            let stay = self.staged.iter().copied().filter(|other| *other != turn);
            let turns = stay.collect();
            events.push(Event::Staged { turns });
        }
        Ok(events)
    }

    pub(crate) fn decide_stage(&self, turns: &[TurnId]) -> Result<Vec<Event>, Refusal> {
        if turns.len() > limits::ON_DECK_MAX {
            return Err(Refusal::OutOfRange);
        }
        let is_queued = |turn: &TurnId| self.queue().any(|request| request.turn == *turn);
        let is_twice = |(at, turn): (usize, &TurnId)| turns[..at].contains(turn);
        if !turns.iter().all(is_queued) || turns.iter().enumerate().any(is_twice) {
            return Err(Refusal::UnknownTurn);
        }
        if turns == self.staged {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::Staged {
            turns: turns.to_vec(),
        }])
    }

    /// A moderator speaks for its own site; whoever presides may pass any over.
    pub(crate) fn decide_ready(
        &self,
        turn: TurnId,
        ready: Readiness,
    ) -> Result<Vec<Event>, Refusal> {
        if self.waits(turn)?.ready == ready {
            return Err(Refusal::AlreadySo);
        }
        Ok(vec![Event::ReadinessSet { turn, ready }])
    }

    /// Whether the present list is this item's.
    pub(crate) fn is_list_of(&self, item: ItemId) -> bool {
        self.item == Some(item)
    }

    /// Whether anybody waits in the present list.
    pub(crate) fn is_waited_in(&self) -> bool {
        self.waiting().next().is_some()
    }

    pub(crate) fn waits(&self, turn: TurnId) -> Result<&Request, Refusal> {
        self.find(turn).ok_or(Refusal::UnknownTurn)
    }

    /// One delegate waits once to speak, and once with each thing that cannot wait; who is not named may be anybody.
    fn delegate_waits(&self, site: SiteId, words: &RequestWords) -> bool {
        let name = words.delegate.to_lowercase();
        let is_same = |one: &Request| one.site == site && one.words.delegate.to_lowercase() == name;
        let mut alike = self
            .waiting()
            .filter(|one| is_alike(one.words.speech, words.speech));
        !name.is_empty() && alike.any(is_same)
    }

    /// The speech a reply is about: the one it names, if it is of this item; else the one that has the floor, or the last.
    fn speech_about(&self, item: &PlannedItem, named: Option<TurnId>) -> Option<TurnId> {
        if let Some(named) = named {
            let over = self.speeches.get(&named).map(|speech| speech.item);
            let of_item = self.speech(named).map(|turn| turn.item).or(over);
            return of_item.filter(|of| *of == item.id).map(|_| named);
        }
        let last = self.last.filter(|last| last.item == item.id);
        self.turn()
            .map(|turn| turn.turn)
            .or(last.map(|last| last.turn))
    }
}

/// Whether two kinds of speech count together where a site or a delegate may wait only so often: what is put into a speech
/// is its own kind, everything else is one.
fn is_alike(one: SpeechType, other: SpeechType) -> bool {
    let interposes = |speech| Precedence::of(speech).interposes;
    one == other || (!interposes(one) && !interposes(other))
}

/// The requests of the list that may change places with `turn`, in their order.
fn peers(list: &[&Request], turn: TurnId) -> Vec<TurnId> {
    let is_first = |request: &&&Request| Precedence::of(request.words.speech).is_first();
    let own = list.iter().find(|request| request.turn == turn);
    let own = own.as_ref().map(is_first);
    let peers = list.iter().filter(|other| Some(is_first(other)) == own);
    peers.map(|request| request.turn).collect()
}

fn check_words(setup: &Setup, words: &RequestWords) -> Result<(), Refusal> {
    check_length(&words.delegate, limits::NAME_MAX_CHARS)?;
    check_length(&words.title, limits::NAME_MAX_CHARS)?;
    check_length(&words.topic, limits::TOPIC_MAX_CHARS)?;
    if words
        .minutes
        .is_some_and(|minutes| !(1..=limits::TURN_MINUTES_MAX).contains(&minutes))
    {
        return Err(Refusal::OutOfRange);
    }
    match words.paragraph {
        Some(at) if !setup.has_paragraph(at) => Err(Refusal::UnknownParagraph),
        Some(_) | None => Ok(()),
    }
}

pub(crate) fn check_length(text: &str, max_chars: usize) -> Result<(), Refusal> {
    match text.chars().count() > max_chars {
        true => Err(Refusal::TextTooLong),
        false => Ok(()),
    }
}
