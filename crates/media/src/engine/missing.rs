//! Packets of one picture that did not come: asked for again at the pace of the road, and given up in the end.
//!
//! The library has a generator of its own, which asks by a clock of 100 ms and three times, however far the sender
//! is: on a road of 200 ms all three questions leave before the first answer can come.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What comes out of order comes within so long.
const REORDER: Duration = Duration::from_millis(15);
/// A round trip, until one was measured (RFC 8834 leaves it open; browsers begin with the same).
const ROUND_TRIP_FIRST: Duration = Duration::from_millis(100);
const ROUND_TRIP_MAX: Duration = Duration::from_secs(1);
/// Between two questions for the same packet, at least.
const PACE_MIN: Duration = Duration::from_millis(20);
/// With as many questions at most, a road that loses one packet in twenty carries a twentieth more, and one that loses
/// every packet stays bounded.
const ASKS_MAX: u8 = 8;
/// A packet that was missing for so long is given up: a key frame is sooner there.
const GIVE_UP: Duration = Duration::from_secs(1);
/// So many packets missing at once, or nothing for so long, is no loss but a cut: nothing of it is asked for again.
const GAP_MAX: u16 = 256;
const SILENCE_MAX: Duration = Duration::from_millis(500);

/// What is missing of one stream.
#[derive(Debug, Default)]
pub struct Missing {
    newest: Option<(u16, Instant)>,
    /// By how far behind the newest they were when they were missed, in the order they were missed: numbers wrap.
    holes: BTreeMap<u64, Hole>,
    missed: u64,
    round_trip: Option<Duration>,
    given_up: bool,
}

#[derive(Debug)]
struct Hole {
    seq: u16,
    since: Instant,
    first_asked: Option<Instant>,
    next_ask: Instant,
    asks: u8,
}

impl Missing {
    /// A packet came, in its turn, late, or again.
    pub fn came(&mut self, seq: u16, now: Instant) {
        let Some((newest, at)) = self.newest else {
            self.newest = Some((seq, now));
            return;
        };
        let ahead = seq.wrapping_sub(newest);
        if ahead == 0 || ahead >= 0x8000 {
            return self.fill(seq, now);
        }
        self.newest = Some((seq, now));
        if ahead > GAP_MAX || (ahead > 1 && now.saturating_duration_since(at) > SILENCE_MAX) {
            self.holes.clear();
            self.given_up = true;
            return;
        }
        for behind in 1..ahead {
            self.missed += 1;
            let hole = Hole {
                seq: newest.wrapping_add(behind),
                since: now,
                first_asked: None,
                next_ask: now + REORDER,
                asks: 0,
            };
            self.holes.insert(self.missed, hole);
        }
    }

    /// The numbers to be asked for now; they count as asked.
    pub fn due(&mut self, now: Instant) -> Vec<u16> {
        let before = self.holes.len();
        self.holes
            .retain(|_, hole| now.saturating_duration_since(hole.since) < GIVE_UP);
        self.given_up |= self.holes.len() < before;
        let pace = self.round_trip.unwrap_or(ROUND_TRIP_FIRST).max(PACE_MIN);
        let mut due = vec![];
        for hole in self.holes.values_mut() {
            if hole.asks < ASKS_MAX && hole.next_ask <= now {
                hole.first_asked.get_or_insert(now);
                hole.asks += 1;
                // A little more than the round trip: the answer to the question before is then not still on its way.
                hole.next_ask = now + pace + pace / 8;
                due.push(hole.seq);
            }
        }
        due
    }

    /// When `due` has something to do next.
    pub fn deadline(&self) -> Option<Instant> {
        let next = |hole: &Hole| match hole.asks {
            ASKS_MAX.. => hole.since + GIVE_UP,
            _ => hole.next_ask.min(hole.since + GIVE_UP),
        };
        self.holes.values().map(next).min()
    }

    /// Whether the picture cannot be made whole any more, once.
    pub fn take_given_up(&mut self) -> bool {
        std::mem::take(&mut self.given_up)
    }

    fn fill(&mut self, seq: u16, now: Instant) {
        let found = self.holes.iter().find(|(_, hole)| hole.seq == seq);
        let Some(number) = found.map(|(number, _)| *number) else {
            return;
        };
        let Some(hole) = self.holes.remove(&number) else {
            return;
        };
        // Which question was answered is not known: the figure is a little long, and soon right on a road that became far.
        if let Some(asked) = hole.first_asked {
            let took = now.saturating_duration_since(asked).min(ROUND_TRIP_MAX);
            self.round_trip = Some(match self.round_trip {
                Some(known) => (known * 7 + took) / 8,
                None => took,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A road: what is asked for is answered after its round trip, unless the road loses question or answer.
    fn road(
        round_trip: u64,
        seconds: u64,
        loses: impl Fn(u64, u16) -> bool,
    ) -> (Missing, u64, u64) {
        let start = Instant::now();
        let mut missing = Missing::default();
        let (mut sent, mut asked) = (0, 0);
        let mut answers: BTreeMap<u64, Vec<u16>> = BTreeMap::new();
        for ms in 0..seconds * 1_000 {
            let now = start + Duration::from_millis(ms);
            for seq in answers.remove(&ms).unwrap_or_default() {
                missing.came(seq, now);
            }
            if ms % 5 == 0 {
                // Numbers wrap in the middle of it.
                let seq = (65_000 + sent) as u16;
                sent += 1;
                if !loses(0, seq) {
                    missing.came(seq, now);
                }
            }
            for (n, seq) in missing.due(now).into_iter().enumerate() {
                asked += 1;
                if !loses(ms + n as u64 + 1, seq) {
                    answers.entry(ms + round_trip).or_default().push(seq);
                }
            }
        }
        (missing, sent, asked)
    }

    #[test]
    fn what_comes_a_little_late_is_not_asked_for() {
        let start = Instant::now();
        let mut missing = Missing::default();
        for seq in [65_534, 0, 65_535, 2, 1] {
            missing.came(seq, start);
        }
        assert_eq!(missing.deadline(), None);
        missing.came(5, start);
        missing.came(3, start + Duration::from_millis(10));
        assert_eq!(missing.due(start + REORDER), [4]);
    }

    #[test]
    fn every_hole_is_filled_for_about_as_many_questions_as_the_road_loses() {
        for round_trip in [2, 40, 200] {
            // SplitMix64 of what is lost: one in twenty.
            let loses = |salt: u64, seq: u16| {
                let mut z = (salt << 16 | u64::from(seq)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (z ^ (z >> 31)).is_multiple_of(20)
            };
            let (mut missing, sent, asked) = road(round_trip, 30, loses);
            let share = asked as f64 / sent as f64;
            assert!((0.03..0.08).contains(&share), "{round_trip} ms: {share}");
            assert!(!missing.take_given_up(), "{round_trip} ms");
        }
    }

    #[test]
    fn a_far_sender_is_not_asked_again_before_it_can_answer() {
        let first_only = |salt: u64, seq: u16| salt == 0 && seq.is_multiple_of(100);
        let (_, sent, asked) = road(200, 20, first_only);
        let lost = sent / 100;
        // Twice while the round trip is not known, once afterwards.
        assert!(asked < lost * 13 / 10, "{asked} of {lost}");
    }

    #[test]
    fn a_road_that_becomes_far_is_learnt_from_the_answers() {
        let start = Instant::now();
        let mut missing = Missing {
            round_trip: Some(Duration::from_millis(2)),
            ..Missing::default()
        };
        let mut asked = vec![];
        for loss in 0..20_u16 {
            let (seq, at) = (
                loss * 2 + 2,
                start + Duration::from_millis(300) * loss.into(),
            );
            missing.came(seq - 2, at);
            missing.came(seq, at);
            let questions = (0..200).filter(|ms| {
                let now = at + REORDER + Duration::from_millis(*ms);
                !missing.due(now).is_empty()
            });
            asked.push(questions.count());
            missing.came(seq - 1, at + REORDER + Duration::from_millis(200));
        }
        assert_eq!((asked[0], asked[19]), (8, 1), "{asked:?}");
    }

    #[test]
    fn what_does_not_come_is_given_up_once_and_the_questions_end() {
        let (mut missing, sent, asked) = road(40, 10, |_, seq| seq.is_multiple_of(500));
        let lost = sent / 500;
        assert!(asked <= lost * u64::from(ASKS_MAX), "{asked} of {lost}");
        assert!(missing.take_given_up());
        assert!(!missing.take_given_up());
    }

    #[test]
    fn after_a_cut_nothing_is_asked_for_again() {
        let start = Instant::now();
        for (ahead, later) in [(40, 600), (300, 10)] {
            let mut missing = Missing::default();
            missing.came(1, start);
            missing.came(1 + ahead, start + Duration::from_millis(later));
            assert!(missing.take_given_up());
            assert_eq!(missing.deadline(), None, "{ahead} in {later} ms");
        }
    }
}
