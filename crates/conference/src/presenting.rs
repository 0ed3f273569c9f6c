//! Who shows a screen or a window to all rooms: one at a time, and those who asked for it.

use crate::{Actor, Event, Refusal, Setup};
use diemcau_model::{Carries, Millis, Presentation, SeatId};

/// The part of the state that is about presentations. One seat presents or none; nobody's picture is shown without it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presenting {
    /// Whose presentation is shown.
    pub shown: Option<Presentation>,
    /// Since when.
    pub since: Millis,
    /// The seats that asked, in the order of asking, each once.
    pub asks: Vec<Ask>,
}

/// A seat that would like to present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Which.
    pub seat: SeatId,
    /// Since when.
    pub at: Millis,
}

impl Presenting {
    /// Whoever presides asks nobody: it presents, in the place of another if need be.
    pub(crate) fn decide_ask(
        &self,
        setup: &Setup,
        actor: &Actor,
        presides: bool,
        now: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        let seat = setup.seat(actor.seat).ok_or(Refusal::UnknownSeat)?;
        if seat.carries == Carries::Nothing {
            return Err(Refusal::CarriesNothing);
        }
        if self.holds(seat.id) || self.asked(seat.id) && !presides {
            return Err(Refusal::AlreadySo);
        }
        Ok(match presides {
            true => vec![given(seat.id, now)],
            false => vec![Event::PresentationAsked {
                seat: seat.id,
                at: now,
            }],
        })
    }

    pub(crate) fn decide_give(&self, seat: SeatId, now: Millis) -> Result<Vec<Event>, Refusal> {
        match self.asked(seat) {
            true => Ok(vec![given(seat, now)]),
            // It took its wish back meanwhile, or another desk gave it.
            false => Err(Refusal::Stale),
        }
    }

    /// A presentation ends, or a wish for one.
    pub(crate) fn decide_end(&self, seat: SeatId, now: Millis) -> Result<Vec<Event>, Refusal> {
        match self.release(seat, now) {
            events if events.is_empty() => Err(Refusal::Stale),
            events => Ok(events),
        }
    }

    /// Who presents, and who would like to.
    pub fn seats(&self) -> impl Iterator<Item = SeatId> {
        let asks = self.asks.iter().map(|ask| ask.seat);
        self.shown.into_iter().map(|shown| shown.seat).chain(asks)
    }

    /// The seat has no connection for too long, or may not come any more.
    pub(crate) fn release(&self, seat: SeatId, now: Millis) -> Vec<Event> {
        match self.holds(seat) || self.asked(seat) {
            true => vec![Event::PresentationEnded { seat, at: now }],
            false => vec![],
        }
    }

    fn holds(&self, seat: SeatId) -> bool {
        self.shown.is_some_and(|shown| shown.seat == seat)
    }

    fn asked(&self, seat: SeatId) -> bool {
        self.asks.iter().any(|ask| ask.seat == seat)
    }

    pub(crate) fn ask(&mut self, seat: SeatId, at: Millis) {
        self.asks.push(Ask { seat, at });
    }

    /// Who has no site of its own presents for the hall.
    pub(crate) fn give(&mut self, setup: &Setup, seat: SeatId, at: Millis) {
        let own = setup.seat(seat).and_then(|seat| seat.site);
        self.shown = own.or(setup.hall()).map(|site| Presentation { seat, site });
        self.since = at;
        self.asks.retain(|ask| ask.seat != seat);
    }

    pub(crate) fn end(&mut self, seat: SeatId) {
        self.shown = self.shown.filter(|shown| shown.seat != seat);
        self.asks.retain(|ask| ask.seat != seat);
    }
}

fn given(seat: SeatId, at: Millis) -> Event {
    Event::PresentationGiven { seat, at }
}
