//! Packets of one picture that did not come: asked for again at the pace of the road, and given up in the end.
//!
//! A clock of its own, as usual generators have, would ask three times before the first answer can come on a road of
//! 200 ms. RTX is not negotiated: a lost packet is sent again on its own stream, so that it fills its own hole.

use super::RtpIn;
use crate::vp8::{PictureId, Vp8};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What comes out of order comes within so long.
const REORDER: Duration = Duration::from_millis(15);
/// A round trip, until one was measured.
const ROUND_TRIP_FIRST: Duration = Duration::from_millis(100);
const ROUND_TRIP_MAX: Duration = Duration::from_secs(1);
/// Between two questions for the same packet, at least.
const PACE_MIN: Duration = Duration::from_millis(20);
/// With as many questions at most, a road that loses one packet in twenty carries a twentieth more, and one that loses
/// every packet stays bounded.
const ASKS_MAX: u8 = 8;
/// A packet that was missing for so long is given up: a key frame is sooner there.
const GIVE_UP: Duration = Duration::from_secs(1);
/// And after so long if all questions are spent: for the answers of a road that has become far.
const ANSWER_LATEST: Duration = Duration::from_millis(600);
/// More packets missing at a time are no loss but a cut: none of them is asked for. One question holds as many.
const HOLES_MAX: usize = 250;
/// Nor are more than so many after nothing came for so long.
const CUT_PACKETS: u16 = 16;
const CUT_SILENCE: Duration = Duration::from_millis(500);

/// What is missing of one stream.
#[derive(Debug)]
pub struct Missing {
    /// Whether the sender sends a packet again.
    answers: bool,
    newest: Option<Newest>,
    /// By a running count, in the order they were missed: numbers wrap.
    holes: BTreeMap<u64, Hole>,
    missed: u64,
    round_trip: Option<Duration>,
    given_up: bool,
}

/// The furthest packet.
#[derive(Debug)]
struct Newest {
    seq: u16,
    at: Instant,
    mark: Mark,
}

/// What a packet says of the picture it belongs to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    timestamp: u32,
    picture: Option<PictureId>,
    first: bool,
    last: bool,
    key_frame: bool,
    /// It only fills a number: a browser that probes the road sends such between two pictures, and never again.
    empty: bool,
}

#[derive(Debug)]
struct Hole {
    seq: u16,
    /// Those that were missed together have one number, and these packets around them.
    gap: u64,
    before: Mark,
    after: Mark,
    since: Instant,
    first_asked: Option<Instant>,
    next_ask: Instant,
    asks: u8,
}

impl Mark {
    pub fn of(packet: &RtpIn, vp8: Option<&Vp8>) -> Self {
        Self {
            timestamp: packet.timestamp,
            picture: vp8.and_then(|vp8| vp8.picture_id),
            first: vp8.is_some_and(|vp8| vp8.first),
            last: packet.marker,
            key_frame: vp8.is_some_and(|vp8| vp8.key_frame),
            empty: packet.payload.is_empty(),
        }
    }

    /// Whether nothing of a picture can be missing between this packet and a later one.
    fn is_next(&self, later: &Self) -> bool {
        let between = self.last || self.empty;
        let follows = match later.empty {
            true => later.timestamp == self.timestamp,
            false => later.first && later.picture == self.picture.map(PictureId::next),
        };
        between && follows && self.picture.is_some()
    }
}

impl Missing {
    /// Of a sender that sends a packet again when it is asked, or not.
    pub fn new(answers: bool) -> Self {
        Self {
            answers,
            newest: None,
            holes: BTreeMap::new(),
            missed: 0,
            round_trip: None,
            given_up: false,
        }
    }

    /// A packet came, in its turn, late, or again; gives whether it had been asked for, so was lost on the way.
    pub fn came(&mut self, seq: u16, mut mark: Mark, now: Instant) -> bool {
        let ahead = match &self.newest {
            Some(newest) => seq.wrapping_sub(newest.seq),
            None => 1,
        };
        let mut was_lost = false;
        if ahead == 0 || ahead >= 0x8000 {
            was_lost = self.fill(seq, &mark, now);
        } else {
            if let Some(newest) = self.newest.take() {
                mark.picture = mark.picture.or(newest.mark.picture);
                if ahead > 1 && !newest.mark.is_next(&mark) {
                    self.miss(&newest, ahead, mark, now);
                }
            }
            self.newest = Some(Newest { seq, at: now, mark });
            self.given_up &= !mark.key_frame;
        }
        if mark.key_frame {
            // The picture begins anew: it goes on without what is missing before.
            self.holes
                .retain(|_, hole| hole.seq.wrapping_sub(seq) < 0x8000);
        }
        was_lost
    }

    /// The numbers to be asked for now; they count as asked.
    pub fn due(&mut self, now: Instant) -> Vec<u16> {
        let before = self.holes.len();
        let answers = self.answers;
        self.holes.retain(|_, hole| now < hole.ends(answers));
        self.given_up |= self.holes.len() < before;
        let pace = self.round_trip.unwrap_or(ROUND_TRIP_FIRST).max(PACE_MIN);
        let mut due = vec![];
        for hole in self.holes.values_mut() {
            if answers && hole.asks < ASKS_MAX && hole.next_ask <= now {
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
            ASKS_MAX.. => hole.ends(self.answers),
            _ => hole.next_ask.min(hole.ends(self.answers)),
        };
        self.holes.values().map(next).min()
    }

    /// Whether the picture cannot be made whole any more, once.
    pub fn take_given_up(&mut self) -> bool {
        std::mem::take(&mut self.given_up)
    }

    /// So many numbers before the newest packet, less one, did not come.
    fn miss(&mut self, newest: &Newest, ahead: u16, after: Mark, now: Instant) {
        let silence = now.saturating_duration_since(newest.at);
        let cut = ahead > CUT_PACKETS && silence > CUT_SILENCE;
        if cut || self.holes.len() + usize::from(ahead) > HOLES_MAX {
            self.holes.clear();
            self.given_up = true;
            return;
        }
        let gap = self.missed;
        for behind in 1..ahead {
            self.missed += 1;
            let hole = Hole {
                gap,
                before: newest.mark,
                after,
                seq: newest.seq.wrapping_add(behind),
                since: now,
                first_asked: None,
                next_ask: now + REORDER,
                asks: 0,
            };
            self.holes.insert(self.missed, hole);
        }
    }

    fn fill(&mut self, seq: u16, mark: &Mark, now: Instant) -> bool {
        let found = self.holes.iter().find(|(_, hole)| hole.seq == seq);
        let Some(number) = found.map(|(number, _)| *number) else {
            return false;
        };
        let Some(hole) = self.holes.remove(&number) else {
            return false;
        };
        // What lies between two pictures that follow each other was padding.
        let (padding_before, padding_after) =
            (hole.before.is_next(mark), mark.is_next(&hole.after));
        self.holes.retain(|of, other| {
            let padding = (padding_before && *of < number) || (padding_after && *of > number);
            other.gap != hole.gap || !padding
        });
        // Which question was answered is not known: the figure is a little long, and soon right on a road that became far.
        if let Some(asked) = hole.first_asked {
            let took = now.saturating_duration_since(asked).min(ROUND_TRIP_MAX);
            self.round_trip = Some(match self.round_trip {
                Some(known) => (known * 7 + took) / 8,
                None => took,
            });
        }
        hole.first_asked.is_some()
    }
}

impl Hole {
    /// When it is given up.
    fn ends(&self, answers: bool) -> Instant {
        match self.asks {
            _ if !answers => self.since + REORDER,
            // The last question was asked as long ago as an answer takes.
            ASKS_MAX.. => (self.since + ANSWER_LATEST)
                .max(self.next_ask)
                .min(self.since + GIVE_UP),
            _ => self.since + GIVE_UP,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diemcau_fuzz::Chance;

    fn came(missing: &mut Missing, seq: u16, now: Instant) {
        missing.came(seq, Mark::default(), now);
    }

    /// A packet of a picture; one of no parts is padding after it.
    fn mark(picture: u16, part: u16, parts: u16) -> Mark {
        Mark {
            timestamp: u32::from(picture) * 3_000,
            picture: (parts > 0).then_some(PictureId {
                value: picture,
                long: true,
            }),
            first: parts > 0 && part == 0,
            last: part + 1 == parts,
            key_frame: false,
            empty: parts == 0,
        }
    }

    #[test]
    fn what_was_asked_for_and_came_had_been_lost_and_what_came_a_little_late_had_not() {
        let start = Instant::now();
        let mut missing = Missing::new(true);
        for seq in [1, 4] {
            assert!(!missing.came(seq, Mark::default(), start));
        }
        assert!(!missing.came(3, Mark::default(), start), "late");
        assert_eq!(missing.due(start + REORDER), [2]);
        assert!(missing.came(2, Mark::default(), start + REORDER));
        assert!(!missing.came(2, Mark::default(), start + REORDER), "twice");
    }

    #[test]
    fn padding_that_is_lost_between_two_pictures_is_not_missed() {
        let start = Instant::now();
        let play = |packets: &[(u16, Mark)]| {
            let mut missing = Missing::new(true);
            for (seq, mark) in packets {
                missing.came(*seq, *mark, start);
            }
            missing.due(start + REORDER)
        };
        let (end, padding) = (mark(7, 1, 2), mark(7, 0, 0));
        assert!(play(&[(1, end), (4, mark(8, 0, 2))]).is_empty());
        assert!(play(&[(1, end), (2, padding), (5, padding), (8, mark(8, 0, 1))]).is_empty());
        assert_eq!(play(&[(1, end), (4, mark(9, 0, 2))]), [2, 3], "a picture");
        assert_eq!(
            play(&[(1, end), (4, mark(8, 1, 2))]),
            [2, 3],
            "its beginning"
        );
        assert_eq!(
            play(&[(1, mark(7, 0, 2)), (3, mark(8, 0, 1))]),
            [2],
            "an end"
        );
        assert_eq!(
            play(&[(1, end), (4, mark(8, 0, 0))]),
            [2, 3],
            "before padding"
        );
        let mut missing = Missing::new(true);
        for (seq, mark) in [(1, end), (5, mark(8, 1, 3)), (7, mark(8, 2, 3))] {
            missing.came(seq, mark, start);
        }
        missing.came(4, mark(8, 0, 3), start);
        assert_eq!(
            missing.due(start + REORDER),
            [6],
            "the beginning came again"
        );
        let last = PictureId {
            value: 0x7fff,
            long: true,
        };
        assert_eq!(last.next().value, 0);
    }

    #[test]
    fn a_key_frame_ends_what_is_missing_before_it() {
        let start = Instant::now();
        let mut missing = Missing::new(true);
        for seq in [1, 4, 8] {
            came(&mut missing, seq, start);
        }
        let key = Mark {
            key_frame: true,
            ..mark(9, 0, 3)
        };
        missing.came(6, key, start);
        assert_eq!(missing.due(start + REORDER), [7]);
        missing.came(300, key, start + GIVE_UP);
        assert!(!missing.take_given_up());
        assert_eq!(missing.deadline(), None);
    }

    #[test]
    fn who_does_not_send_again_is_not_asked_and_who_jumps_about_costs_little() {
        let start = Instant::now();
        let mut missing = Missing::new(false);
        for seq in [1, 3] {
            came(&mut missing, seq, start);
        }
        assert!(missing.due(start).is_empty());
        assert!(missing.due(missing.deadline().unwrap()).is_empty());
        assert!(missing.take_given_up());

        let mut missing = Missing::new(true);
        for packet in 0..2_000_u16 {
            came(&mut missing, packet.wrapping_mul(200), start);
            assert!(missing.holes.len() <= HOLES_MAX);
        }
    }

    /// A road: what is asked for is answered after its round trip, unless the road loses question or answer.
    fn road(
        round_trip: u64,
        seconds: u64,
        loses: impl Fn(u64, u16) -> bool,
    ) -> (Missing, u64, u64) {
        let start = Instant::now();
        let mut missing = Missing::new(true);
        let (mut sent, mut asked) = (0, 0);
        let mut answers: BTreeMap<u64, Vec<u16>> = BTreeMap::new();
        for ms in 0..seconds * 1_000 {
            let now = start + Duration::from_millis(ms);
            for seq in answers.remove(&ms).unwrap_or_default() {
                came(&mut missing, seq, now);
            }
            if ms % 5 == 0 {
                // Numbers wrap in the middle of it.
                let seq = (65_000 + sent) as u16;
                sent += 1;
                if !loses(0, seq) {
                    came(&mut missing, seq, now);
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
        let mut missing = Missing::new(true);
        for seq in [65_534, 0, 65_535, 2, 1] {
            came(&mut missing, seq, start);
        }
        assert_eq!(missing.deadline(), None);
        came(&mut missing, 5, start);
        came(&mut missing, 3, start + Duration::from_millis(10));
        assert_eq!(missing.due(start + REORDER), [4]);
    }

    #[test]
    fn every_hole_is_filled_for_about_as_many_questions_as_the_road_loses() {
        for round_trip in [2, 40, 200] {
            let loses = |salt: u64, seq: u16| Chance::new(salt << 16 | u64::from(seq)).percent(5);
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
            ..Missing::new(true)
        };
        let mut asked = vec![];
        for loss in 0..20_u16 {
            let (seq, at) = (
                loss * 2 + 2,
                start + Duration::from_millis(300) * loss.into(),
            );
            came(&mut missing, seq - 2, at);
            came(&mut missing, seq, at);
            let questions = (0..200).filter(|ms| {
                let now = at + REORDER + Duration::from_millis(*ms);
                !missing.due(now).is_empty()
            });
            asked.push(questions.count());
            came(
                &mut missing,
                seq - 1,
                at + REORDER + Duration::from_millis(200),
            );
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
            let mut missing = Missing::new(true);
            came(&mut missing, 1, start);
            came(
                &mut missing,
                1 + ahead,
                start + Duration::from_millis(later),
            );
            assert!(missing.take_given_up());
            assert_eq!(missing.deadline(), None, "{ahead} in {later} ms");
        }
    }
}
