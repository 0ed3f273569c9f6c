//! Who presents and has lost its line keeps the presentation for a while.

use super::{Room, Round};
use diemcau_conference::Signal;
use diemcau_model::{SeatId, limits};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Since when seats that present, or would like to, have had no connection.
pub(super) type Absent = BTreeMap<SeatId, Instant>;

const AWAY: Duration = Duration::from_secs(limits::PRESENTER_AWAY_S);

impl Room {
    /// Looked at in every round; the tick makes one a second.
    pub(super) fn release_absent(&mut self, round: &mut Round) {
        let seats = self.conference.presenting().seats();
        let gone: Vec<SeatId> = seats.filter(|seat| !self.members.has_seat(*seat)).collect();
        self.absent.retain(|seat, _| gone.contains(seat));
        for seat in gone {
            let since = *self.absent.entry(seat).or_insert_with(Instant::now);
            if since.elapsed() >= AWAY && self.may_write() {
                let signal = Signal::StayedAway { seat };
                let events = self.conference.decide_signal(signal, self.clock.now());
                self.happened_in_time(events, round);
            }
        }
    }
}
