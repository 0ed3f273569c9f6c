//! What every command was answered, by its id: the same command is answered the same way, however often it comes.

use diemcau_conference::{Event, Refusal};
use diemcau_model::{SeatId, limits};
use std::collections::{BTreeMap, VecDeque};

/// What a command was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It took effect; its last event is this one.
    Ok { seq: u64 },
    /// It was refused.
    Refused(Refusal),
}

/// The answers of the last commands of every seat. Bounded by seat, so that nobody can make the server forget another's.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    seats: BTreeMap<SeatId, OfSeat>,
}

#[derive(Debug, Default)]
struct OfSeat {
    by_id: BTreeMap<String, Answer>,
    order: VecDeque<String>,
}

impl Answers {
    pub(crate) fn get(&self, seat: SeatId, id: &str) -> Option<Answer> {
        self.seats.get(&seat)?.by_id.get(id).copied()
    }

    /// Remembers the answer that event number `seq`, journalled for a command, stands for.
    pub(crate) fn remember(&mut self, seat: SeatId, id: &str, seq: u64, event: &Event) {
        let answer = if let Event::CommandRefused { why } = event {
            Answer::Refused(*why)
        } else {
            Answer::Ok { seq }
        };
        let of_seat = self.seats.entry(seat).or_default();
        if of_seat.by_id.insert(id.to_owned(), answer).is_none() {
            of_seat.order.push_back(id.to_owned());
        }
        if of_seat.order.len() > limits::ANSWERS_PER_SEAT_MAX
            && let Some(oldest) = of_seat.order.pop_front()
        {
            of_seat.by_id.remove(&oldest);
        }
    }
}
