//! What every command was answered, by its id: the same command is answered the same way, however often it comes.

use diemcau_conference::{Event, Refusal};
use diemcau_model::SeatId;
use std::collections::BTreeMap;

/// What a command was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It took effect; its last event is this one.
    Ok { seq: u64 },
    /// It was refused.
    Refused(Refusal),
}

/// The answers of every command that is in the record. None is forgotten, or the command would take effect a second time,
/// or after it was refused. They grow with the record, and hold less of a command than it does.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    seats: BTreeMap<SeatId, BTreeMap<Box<str>, Answer>>,
}

impl Answers {
    pub(crate) fn get(&self, seat: SeatId, id: &str) -> Option<Answer> {
        self.seats.get(&seat)?.get(id).copied()
    }

    /// Remembers the answer that event number `seq`, journalled for a command, stands for.
    pub(crate) fn remember(&mut self, seat: SeatId, id: &str, seq: u64, event: &Event) {
        let answer = if let Event::CommandRefused { why } = event {
            Answer::Refused(*why)
        } else {
            Answer::Ok { seq }
        };
        let of_seat = self.seats.entry(seat).or_default();
        of_seat.insert(id.into(), answer);
    }
}
