//! A key that is held falls with its seat's last connection, whoever let that go, and whatever the disk does.

use super::{Room, Round};
use diemcau_conference::{Event, Signal};
use diemcau_model::SeatId;

impl Room {
    /// Writes that a key has fallen. Looked at in every round: a connection that is cut at the end of one has its goodbye in
    /// the next. What fell while nothing could be written comes before what is asked: it happened before.
    pub(super) fn release_key(&mut self, round: &mut Round) {
        if !self.may_write() {
            return self.let_key_fall();
        }
        let fallen = self.fallen_key();
        round.keys_fell.append(&mut self.keys_fell);
        if let Some((seat, events)) = fallen {
            round.keys_fell.insert(seat);
            self.happened(events, round);
        }
    }

    /// Closes, ahead of the record, what falls with a key: in every round, for memory may have gone back to the record. That it
    /// fell is remembered: its seat may be back before it can be written, and does not hold it again.
    pub(super) fn let_key_fall(&mut self) {
        if let Some((seat, events)) = self.fallen_key() {
            self.keys_fell.insert(seat);
            let closed = self.closed_by(&events);
            self.ahead.unwritten.extend(closed);
            self.close_now();
        }
    }

    /// Whose key is held by nobody, and what that makes happen.
    fn fallen_key(&self) -> Option<(SeatId, Vec<Event>)> {
        let holder = self.conference.floor().priority?;
        let is_held = !self.keys_fell.contains(&holder) && self.members.has_seat(holder);
        let signal = Signal::SeatGone { seat: holder };
        (!is_held).then(|| {
            let events = self.conference.decide_signal(signal, self.clock.now());
            (holder, events)
        })
    }
}
