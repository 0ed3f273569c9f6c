//! What opens the microphones and shows a presentation, each by itself: whoever closes one of them leaves open what another
//! opens.

use crate::{Conference, words::Layout};
use diemcau_model::{SeatId, SiteId, Stage, TurnId};
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

/// What is open, each with the site that is heard by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Openings(BTreeMap<Opening, Option<SiteId>>);

impl Openings {
    /// Whether this is among them.
    #[must_use]
    pub fn contains(&self, opening: &Opening) -> bool {
        self.0.contains_key(opening)
    }

    /// What of these the others lack.
    #[must_use]
    pub fn not_in(&self, others: &Self) -> BTreeSet<Opening> {
        let openings = self.0.keys().copied();
        openings.filter(|one| !others.contains(one)).collect()
    }

    /// Closes the others.
    pub fn retain(&mut self, stays: impl Fn(&Opening) -> bool) {
        self.0.retain(|opening, _| stays(opening));
    }

    /// Puts on a stage whom they let be heard, and takes off a presentation that is not among them.
    pub fn put_on(&self, stage: &mut Stage) {
        stage.heard = self.0.values().flatten().copied().collect();
        let shown = stage.presentation;
        stage.presentation =
            shown.filter(|shown| self.contains(&Opening::Presentation(shown.seat)));
    }
}

impl Conference {
    /// What is open by what was decided. Who has lost its link is among them: nobody has closed it.
    #[must_use]
    pub fn openings(&self) -> Openings {
        let (floor, roll, hall) = (self.floor(), self.roll(), self.setup().hall());
        let speeches = floor.turns.iter().filter(|turn| turn.is_open());
        let speeches = speeches.map(|turn| (Opening::Speech(turn.turn), Some(turn.site)));
        let key = floor.priority.map(|_| Opening::PriorityKey);
        let microphone = self.screen().hall_microphone;
        let microphone = microphone.then_some(Opening::HallMicrophone);
        let calling = roll.calling.map(|_| Opening::RollCall);
        let of_hall = key.into_iter().chain(microphone).chain(calling);
        let of_hall = of_hall.filter_map(|opening| Some((opening, Some(hall?))));
        let called = roll.calling.filter(|_| key.is_none() && !roll.closed);
        let called = called.map(|(site, _)| (Opening::Called(site), Some(site)));
        // Who blanks the screens in alarm means the presentation too, wherever it is seen.
        let shown = self.presenting().shown;
        let shown = shown.filter(|_| self.screen().layout != Layout::Blank);
        let shown = shown.map(|shown| (Opening::Presentation(shown.seat), None));
        let openings = speeches.chain(called).chain(of_hall).chain(shown);
        Openings(openings.collect())
    }

    /// Whether nothing but a decision keeps it closed: a speech or a called site that has lost its link is not heard meanwhile.
    #[must_use]
    pub fn is_carried(&self, opening: &Opening) -> bool {
        match opening {
            Opening::Speech(id) => {
                let mut turns = self.floor().turns.iter();
                turns.any(|turn| turn.turn == *id && !turn.held)
            }
            Opening::Called(site) => self.roster().carrier(*site).is_some(),
            Opening::RollCall
            | Opening::HallMicrophone
            | Opening::PriorityKey
            | Opening::Presentation(_) => true,
        }
    }
}
