//! What opens the microphones and shows a presentation, each by itself: whoever closes one of them leaves open what another
//! opens.

use crate::{Conference, Event, words::Layout};
use diemcau_model::{Millis, SeatId, SiteId, Stage, TurnId};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that opens a microphone, or shows a presentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opening {
    /// A speech that has the floor.
    Speech(TurnId),
    /// The site that is called in the roll.
    Called(SiteId),
    /// The roll is called: the hall is heard too.
    RollCall,
    /// The chair opened the hall's own microphone.
    HallMicrophone,
    /// A priority key is held: the hall is heard.
    PriorityKey,
    /// A seat presents.
    Presentation(SeatId),
}

/// How far it is open now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is heard, or shown.
    Open,
    /// It would be, and its link is lost: nobody has closed it.
    Away,
    /// It is held, and goes on when that is over.
    Stopped(Stops),
}

/// What holds it: somebody's hand, what was put in between, the priority key, the item's rule.
type Stops = [bool; 4];

/// What somebody's hand alone holds.
const BY_HAND: Stops = [true, false, false, false];

/// How one is open, and the site that is heard by it.
type Open = (State, Option<SiteId>);

/// What opens something now or later without a further word, each with its state and the site that is heard by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Openings(BTreeMap<Opening, Open>);

impl Openings {
    /// Whether this is among them, whatever its state.
    #[must_use]
    pub fn contains(&self, opening: &Opening) -> bool {
        self.0.contains_key(opening)
    }

    /// Whether it is heard, or shown.
    #[must_use]
    pub fn opens(&self, opening: &Opening) -> bool {
        let one = self.0.get(opening);
        one.is_some_and(|(state, _)| *state == State::Open)
    }

    /// Whether somebody's hand holds this microphone: it opens by a word alone. What blanks the screens is no word about who
    /// presents.
    #[must_use]
    pub fn holds(&self, opening: &Opening) -> bool {
        let one = self.0.get(opening);
        let by_hand = one.is_some_and(|(state, _)| matches!(state, State::Stopped([true, ..])));
        by_hand && !matches!(opening, Opening::Presentation(_))
    }

    /// What somebody or the time has closed on the way to these others. A link that is lost closes nothing.
    #[must_use]
    pub fn closed_in(&self, others: &Self) -> BTreeSet<Opening> {
        let is_closed = |(opening, (was, _)): &(&Opening, &Open)| {
            let is = others.0.get(opening).map(|(state, _)| *state);
            match (is, *was) {
                // By something else too, and not over when the first is.
                (Some(State::Stopped(is)), State::Stopped(was)) => {
                    is.iter().zip(was).any(|(is, was)| *is && !was)
                }
                (Some(State::Stopped(_)), State::Open | State::Away) => true,
                (Some(State::Open | State::Away), _) => false,
                (None, _) => true,
            }
        };
        let closed = self.0.iter().filter(is_closed);
        closed.map(|(opening, _)| *opening).collect()
    }

    /// Whether these others have something that is not among these: what they close makes room for it.
    #[must_use]
    pub fn gain_in(&self, others: &Self) -> bool {
        others.0.keys().any(|opening| !self.contains(opening))
    }

    /// Takes out all but these.
    pub fn retain(&mut self, stays: impl Fn(&Opening) -> bool) {
        self.0.retain(|opening, _| stays(opening));
    }

    /// Puts on a stage whom they let be heard, and takes off a presentation that they do not show.
    pub fn put_on(&self, stage: &mut Stage) {
        let open = self.0.values().filter(|(state, _)| *state == State::Open);
        stage.heard = open.filter_map(|(_, site)| *site).collect();
        let shown = stage.presentation;
        stage.presentation = shown.filter(|shown| self.opens(&Opening::Presentation(shown.seat)));
    }
}

impl Conference {
    /// What closes these in the record, each so that it can be opened again: nothing for what is closed there already, nor
    /// for the hall in a roll call, which is heard until that is over.
    #[must_use]
    pub fn decide_closed(&self, closed: &BTreeSet<Opening>, now: Millis) -> Vec<Event> {
        let events = closed.iter().map(|opening| match opening {
            Opening::Speech(turn) => self.floor().decide_pause(*turn, now).unwrap_or_default(),
            Opening::Presentation(seat) => self.presenting().release(*seat, now),
            Opening::PriorityKey => {
                let holder = self.floor().priority;
                holder.map_or(vec![], |seat| self.floor().release_priority(seat, now))
            }
            Opening::HallMicrophone if self.screen().hall_microphone => {
                vec![Event::HallMicrophoneSet { open: false }]
            }
            Opening::Called(_) if !self.microphones_closed() => {
                vec![Event::MicrophonesSet {
                    open: false,
                    at: now,
                }]
            }
            Opening::HallMicrophone | Opening::Called(_) | Opening::RollCall => vec![],
        });
        events.flatten().collect()
    }

    /// What opens a microphone or shows a presentation, by what was decided.
    #[must_use]
    pub fn openings(&self) -> Openings {
        let openings = self.speeches().chain(self.called());
        let openings = openings.chain(self.of_hall()).chain(self.presentation());
        Openings(openings.collect())
    }

    fn speeches(&self) -> impl Iterator<Item = (Opening, Open)> {
        self.floor().turns.iter().map(|turn| {
            let state = match (turn.is_live(), turn.is_open()) {
                (true, _) => State::Open,
                (false, true) => State::Away,
                (false, false) => {
                    State::Stopped([turn.paused, turn.interrupted, turn.silenced, turn.muted])
                }
            };
            (Opening::Speech(turn.turn), (state, Some(turn.site)))
        })
    }

    fn called(&self) -> impl Iterator<Item = (Opening, Open)> {
        let roll = self.roll();
        let is_silenced = self.floor().priority.is_some();
        let is_stopped = roll.closed || is_silenced;
        roll.calling.into_iter().map(move |(site, _)| {
            let state = match (is_stopped, self.roster().carrier(site)) {
                (true, _) => State::Stopped([roll.closed, false, is_silenced, false]),
                (false, Some(_)) => State::Open,
                (false, None) => State::Away,
            };
            (Opening::Called(site), (state, Some(site)))
        })
    }

    /// Whatever opens the hall's microphone.
    fn of_hall(&self) -> impl Iterator<Item = (Opening, Open)> {
        let key = self.floor().priority.map(|_| Opening::PriorityKey);
        let microphone = self.screen().hall_microphone;
        let microphone = microphone.then_some(Opening::HallMicrophone);
        let calling = self.roll().calling.map(|_| Opening::RollCall);
        let openings = key.into_iter().chain(microphone).chain(calling);
        let hall = self.setup().hall();
        openings.filter_map(move |opening| Some((opening, (State::Open, Some(hall?)))))
    }

    fn presentation(&self) -> impl Iterator<Item = (Opening, Open)> {
        let shown = self.presenting().shown.into_iter();
        shown.map(|shown| {
            // Who blanks the screens in alarm means the presentation too, wherever it is seen.
            let state = match self.screen().layout {
                Layout::Blank => State::Stopped(BY_HAND),
                Layout::Grid
                | Layout::Speaker
                | Layout::Document
                | Layout::Waiting
                | Layout::Notice => State::Open,
            };
            (Opening::Presentation(shown.seat), (state, None))
        })
    }
}
