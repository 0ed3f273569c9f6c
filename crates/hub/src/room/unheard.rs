//! What happened while nothing could be written comes before the rules in the order of its times: links that came and went,
//! speeches that nobody heard, and what the clocks brought between.

use super::{Room, Round, unseen::Link};
use diemcau_conference::{Conference, Event, Turn};
use diemcau_model::{Millis, SiteId, TurnId};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Link(Link),
    /// From here on nobody hears a speech that has the floor, ...
    Silent(TurnId),
    /// ... and from here on everybody does.
    Heard(TurnId),
}

/// Events, and whether the clock alone brought them.
type Part = (Vec<Event>, bool);

/// The rules as they follow what happened.
struct Play {
    after: Conference,
    now: Millis,
    /// Sites whose speech the record held.
    held: BTreeSet<SiteId>,
    /// Speeches that are silent: by how many reasons, and the moment to which their clocks have run.
    silent: BTreeMap<TurnId, (usize, Millis)>,
    /// The clock took up a speech.
    goes_on: bool,
    parts: Vec<Part>,
}

impl Room {
    /// Takes what happened while nothing could be written.
    pub(super) fn take_unheard(&mut self, round: &mut Round) {
        let parts = self.unheard();
        self.unseen.decide();
        self.late.decide();
        for (events, is_in_time) in parts {
            match is_in_time {
                true => self.happened_in_time(events, round),
                false => self.happened(events, round),
            }
        }
    }

    /// What the rules say to it.
    pub(super) fn unheard(&self) -> Vec<Part> {
        let now = self.clock.now();
        let turns = self.conference.floor().turns.iter();
        let held = turns.filter(|turn| turn.held).map(|turn| turn.site);
        let mut play = Play {
            after: self.conference.clone(),
            now,
            held: held.collect(),
            silent: BTreeMap::new(),
            goes_on: false,
            parts: vec![],
        };
        let links = self.unseen.undecided().iter();
        let mut steps: Vec<_> = links.map(|(link, at)| (*at, Step::Link(*link))).collect();
        steps.extend(self.late.steps(now));
        steps.sort_by_key(|(at, _)| *at);
        for (at, step) in steps {
            match step {
                Step::Link(link) => play.link(link, at),
                Step::Silent(turn) => play.silent(turn, at),
                Step::Heard(turn) => play.heard(turn, at),
            }
        }
        play.parts
    }
}

impl Play {
    /// Who came back is here, though the clock would have ended its absence meanwhile.
    fn link(&mut self, link: Link, at: Millis) {
        if !link.is_up {
            self.run_until(at);
        }
        // What goes on begins now, for nobody heard it before: by this, or because the record had held it.
        let at = match self.goes_on || self.held.contains(&link.site) {
            true => self.now,
            false => at,
        };
        let mut events = self.after.decide_signal(link.signal(), at);
        let is_silent = |turn: &TurnId| self.silent.contains_key(turn);
        events.retain(|event| !matches!(event, Event::TurnUnheld { turn, .. } if is_silent(turn)));
        // Its absence begins where people can see it, and keep the turn.
        for event in &mut events {
            if let Event::TurnHeld { away_from, .. } = event {
                *away_from = self.now;
            }
        }
        self.push(events, false);
    }

    fn silent(&mut self, turn: TurnId, at: Millis) {
        self.run_until(at);
        let running = self.speech(turn).and_then(|speech| speech.running_since);
        let at = running.map_or(at, |since| since.max(at));
        self.silent.entry(turn).or_insert((0, at)).0 += 1;
        if running.is_some() {
            let away_from = self.now;
            let held = Event::TurnHeld {
                turn,
                at,
                away_from,
            };
            self.push(vec![held], false);
        }
    }

    fn heard(&mut self, turn: TurnId, at: Millis) {
        let Some((reasons, ran_to)) = self.silent.remove(&turn) else {
            return;
        };
        if reasons > 1 {
            self.silent.insert(turn, (reasons - 1, ran_to));
            return;
        }
        let at = at.max(ran_to);
        let is_there = |speech: &&Turn| self.after.roster().carrier(speech.site).is_some();
        let is_held = self
            .speech(turn)
            .filter(is_there)
            .is_some_and(|speech| speech.held);
        if is_held {
            self.push(vec![Event::TurnUnheld { turn, at }], false);
        }
    }

    /// What the clocks had brought by then.
    fn run_until(&mut self, at: Millis) {
        loop {
            let events = self.after.decide_past(at, self.now);
            if events.is_empty() {
                return;
            }
            let is_taken_up = |event: &Event| matches!(event, Event::TurnTakenUp { .. });
            self.goes_on |= events.iter().any(is_taken_up);
            self.push(events, true);
        }
    }

    fn speech(&self, turn: TurnId) -> Option<&Turn> {
        let mut turns = self.after.floor().turns.iter();
        turns.find(|speech| speech.turn == turn)
    }

    fn push(&mut self, events: Vec<Event>, is_in_time: bool) {
        events.iter().for_each(|event| self.after.apply(event));
        self.parts.push((events, is_in_time));
    }
}
