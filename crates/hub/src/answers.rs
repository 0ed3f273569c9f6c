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

/// The answers of the last commands. Ids belong to a seat: nobody can take another's id.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    by_id: BTreeMap<(SeatId, String), Answer>,
    order: VecDeque<(SeatId, String)>,
}

impl Answers {
    pub(crate) fn get(&self, seat: SeatId, id: &str) -> Option<Answer> {
        self.by_id.get(&(seat, id.to_owned())).copied()
    }

    /// Remembers the answer that event number `seq`, journalled for a command, stands for.
    pub(crate) fn remember(&mut self, seat: SeatId, id: &str, seq: u64, event: &Event) {
        let answer = if let Event::CommandRefused { why } = event {
            Answer::Refused(*why)
        } else {
            Answer::Ok { seq }
        };
        let key = (seat, id.to_owned());
        if self.by_id.insert(key.clone(), answer).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > limits::ANSWERS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }
}
