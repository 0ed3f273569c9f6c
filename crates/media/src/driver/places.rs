//! Who has a place among those with media: a picture that is sent costs memory and time, whoever looks at it.

use diemcau_model::{Carries, SeatId};
use std::collections::BTreeMap;

/// Those who only watch, at one time, and the first machine of each seat beside them; a further one is told that there is
/// no place when it asks for pictures, and may still follow the page. What a downlink remembers of its packets is 0.07 MB as
/// soon as anything goes over it, and 0.06 MB more for each picture that does.
pub const WATCHERS_MAX: usize = 1_024;

/// Counts those who only watch. Rooms, standbys and who presents have a place always: the hub lets one machine of each be.
#[derive(Debug, Default)]
pub struct Places {
    watchers: usize,
    of_seat: BTreeMap<SeatId, usize>,
}

impl Places {
    /// Takes a place for one more; false if there is none for it. `presents` is said of a seat that may present now.
    pub fn take(&mut self, seat: SeatId, carries: Carries, presents: bool) -> bool {
        if !only_watches(carries) {
            return true;
        }
        // Nobody can take the chair's desk its pictures by opening a thousand others.
        let is_first = !self.of_seat.contains_key(&seat);
        if self.watchers >= WATCHERS_MAX && !is_first && !presents {
            return false;
        }
        self.watchers += 1;
        *self.of_seat.entry(seat).or_default() += 1;
        true
    }

    /// Somebody who had a place is gone.
    pub fn give_back(&mut self, seat: SeatId, carries: Carries) {
        if !only_watches(carries) {
            return;
        }
        self.watchers = self.watchers.saturating_sub(1);
        if let Some(count) = self.of_seat.get_mut(&seat) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.of_seat.remove(&seat);
            }
        }
    }
}

fn only_watches(carries: Carries) -> bool {
    carries.endpoint().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CROWD: SeatId = SeatId(1);

    #[test]
    fn who_only_watches_takes_no_place_of_anybody_else() {
        let mut places = Places::default();
        let mut take = |seat, carries, presents| places.take(seat, carries, presents);
        for _ in 0..WATCHERS_MAX {
            assert!(take(CROWD, Carries::Watch, false));
        }
        assert!(!take(CROWD, Carries::Watch, false), "one too many");
        assert!(take(CROWD, Carries::Watch, true), "it presents");
        assert!(
            take(SeatId(2), Carries::Watch, false),
            "the first of a seat"
        );
        assert!(!take(SeatId(2), Carries::Watch, false), "its second");
        for carries in [Carries::Room, Carries::Standby] {
            assert!(take(CROWD, carries, false));
        }
        places.give_back(CROWD, Carries::Room);
        assert!(!places.take(CROWD, Carries::Watch, false), "not its place");
        for seat in [CROWD, CROWD, SeatId(2)] {
            places.give_back(seat, Carries::Watch);
        }
        assert!(places.take(CROWD, Carries::Watch, false), "free again");
        assert!(!places.take(CROWD, Carries::Watch, false));
        assert!(places.take(SeatId(2), Carries::Watch, false));
    }
}
