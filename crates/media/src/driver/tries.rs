//! How often connections may be asked for: each costs us a key and eighteen m-lines, and a room's two events that
//! everybody is told of. Who joins anew is another peer and the same seat, so the seat counts.

use crate::allowance::Allowance;
use crate::peers::Peer;
use diemcau_model::{SeatId, Side};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Connections of one machine on each side within `WINDOW`; a further one fails with a reason, and the one that is there
/// goes on. A room whose link flaps makes two in that time.
const MACHINE_MAX: usize = 4;
const WINDOW: Duration = Duration::from_secs(10);
/// Those of all who only watch with one link, at once: as many as have a place come back together when the server does. Then
/// so many a second: people come and go, and who joins anew without end is held by nothing else, for nothing tells it from
/// another.
const CROWD: f64 = super::places::WATCHERS_MAX as f64;
const CROWD_A_SECOND: f64 = 10.0;

/// What the seats have asked for; a conference has so many of them.
#[derive(Default)]
pub struct Tries {
    /// Of one machine a seat: a room's or standby's, and the one that presents.
    alone: BTreeMap<SeatId, Sides>,
    crowds: BTreeMap<SeatId, Allowance>,
}

#[derive(Default)]
struct Sides {
    uplink: Recent,
    downlink: Recent,
    presentation: Recent,
}

/// When connections were last asked for, the oldest first.
#[derive(Default)]
pub struct Recent([Option<Instant>; MACHINE_MAX]);

impl Tries {
    /// Whether a peer may have a new connection now; if so, it counts.
    pub fn take(&mut self, peer: &mut Peer, side: Side, now: Instant) -> bool {
        if side == Side::Presentation || peer.carries.endpoint().is_some() {
            let of_seat = self.alone.entry(peer.seat).or_default();
            return match side {
                Side::Uplink => of_seat.uplink.take(now),
                Side::Downlink => of_seat.downlink.take(now),
                Side::Presentation => of_seat.presentation.take(now),
            };
        }
        let crowd = self.crowds.entry(peer.seat);
        let crowd = crowd.or_insert_with(|| Allowance::new(CROWD_A_SECOND, CROWD, now));
        // A refusal by one costs nothing of the other.
        peer.tries.may(now) && crowd.take(now) && peer.tries.take(now)
    }
}

impl Recent {
    fn may(&self, now: Instant) -> bool {
        let passed = |at| now.saturating_duration_since(at) >= WINDOW;
        self.0[0].is_none_or(passed)
    }

    fn take(&mut self, now: Instant) -> bool {
        if !self.may(now) {
            return false;
        }
        self.0.rotate_left(1);
        self.0[MACHINE_MAX - 1] = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diemcau_model::Carries;

    fn peer(seat: u32, carries: Carries) -> Peer {
        Peer::new(SeatId(seat), None, carries, Instant::now())
    }

    #[test]
    fn four_connections_in_ten_seconds_and_a_fifth_when_the_first_is_that_old() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        for carries in [Carries::Room, Carries::Standby, Carries::Watch] {
            let (mut tries, mut peer) = (Tries::default(), peer(0, carries));
            let mut may_try = |side, second| tries.take(&mut peer, side, at(second));
            for second in [0, 0, 3, 9] {
                assert!(may_try(Side::Downlink, second));
            }
            assert!(!may_try(Side::Downlink, 9));
            assert!(may_try(Side::Presentation, 9), "the other side is its own");
            assert!(may_try(Side::Downlink, 10));
            assert!(may_try(Side::Downlink, 10));
            assert!(!may_try(Side::Downlink, 12), "a refusal costs nothing");
            assert!(may_try(Side::Downlink, 13));
        }
    }

    #[test]
    fn who_joins_anew_has_no_tries_of_its_own() {
        let now = Instant::now();
        for (carries, side) in [
            (Carries::Room, Side::Uplink),
            (Carries::Standby, Side::Downlink),
            (Carries::Watch, Side::Presentation),
        ] {
            let mut tries = Tries::default();
            let mut anew = |seat| tries.take(&mut peer(seat, carries), side, now);
            assert_eq!((0..200).filter(|_| anew(1)).count(), MACHINE_MAX);
            assert!(anew(2), "another seat notices nothing");
        }
    }

    #[test]
    fn as_many_as_have_a_place_may_come_back_together_with_one_link_and_not_without_end() {
        let start = Instant::now();
        let mut tries = Tries::default();
        let mut come = |count: usize, at| {
            let mut anew = |_: &usize| tries.take(&mut peer(1, Carries::Watch), Side::Downlink, at);
            (0..count).filter(|n| anew(n)).count()
        };
        assert_eq!(come(5_000, start), CROWD as usize);
        let second = Duration::from_secs(1);
        assert_eq!(come(5_000, start + second), 10);
        assert_eq!(come(5_000, start + 2 * second), 10);
        let later = start + 120 * second;
        assert_eq!(come(5_000, later), CROWD as usize);
    }

    #[test]
    fn whom_the_crowd_has_left_nothing_still_has_its_own_tries_and_the_other_way_round() {
        let (mut tries, start) = (Tries::default(), Instant::now());
        let second = Duration::from_secs(1);
        let mut try_one = |peer: &mut Peer, at| tries.take(peer, Side::Downlink, at);
        for _ in 0..CROWD as usize {
            assert!(try_one(&mut peer(1, Carries::Watch), start));
        }
        let mut refused = peer(1, Carries::Watch);
        for _ in 0..100 {
            assert!(!try_one(&mut refused, start), "others have taken all");
        }
        for _ in 0..MACHINE_MAX {
            assert!(try_one(&mut refused, start + second), "none was lost");
        }
        for _ in 0..100 {
            assert!(!try_one(&mut refused, start + second), "its own four");
        }
        let mut another = || try_one(&mut peer(1, Carries::Watch), start + second);
        let left = (0..100).filter(|_| another()).count();
        assert_eq!(left, 10 - MACHINE_MAX, "those took nothing of the crowd's");
    }
}
