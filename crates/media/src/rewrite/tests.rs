use super::*;
use crate::vp8::tests::payload;
use std::time::Duration;

struct Play {
    rewriter: Rewriter,
    now: Instant,
}

impl Play {
    fn new() -> Self {
        Self {
            rewriter: Rewriter::new(90_000),
            now: Instant::now(),
        }
    }

    fn switch(&mut self, seq: u16, timestamp: u32, picture: u16) -> Option<RtpOut> {
        let payload = payload(true, picture, picture as u8);
        let head = Head {
            codec: Codec::Vp8,
            seq,
            timestamp,
            marker: false,
        };
        self.rewriter
            .switch(head, vp8::read(&payload).as_ref(), self.now);
        self.packet(seq, timestamp, picture)
    }

    fn packet(&mut self, seq: u16, timestamp: u32, picture: u16) -> Option<RtpOut> {
        let payload = payload(false, picture, picture as u8);
        let head = Head {
            codec: Codec::Vp8,
            seq,
            timestamp,
            marker: false,
        };
        self.rewriter
            .rewrite(head, &payload, vp8::read(&payload).as_ref(), self.now)
    }
}

fn picture(packet: &RtpOut) -> (u16, u8) {
    let mut payload = packet.payload.to_vec();
    if let Some(numbers) = packet.numbers {
        numbers.write(&mut payload);
    }
    let vp8 = vp8::read(&payload).unwrap();
    (vp8.picture_id.unwrap().value, vp8.tl0.unwrap())
}

#[test]
fn the_first_source_passes_unchanged() {
    let mut play = Play::new();
    let out = play.switch(100, 9_000, 5).unwrap();
    assert_eq!(
        (out.seq, out.timestamp, picture(&out)),
        (100, 9_000, (5, 5))
    );
}

#[test]
fn a_switch_continues_every_number() {
    let mut play = Play::new();
    play.switch(65_535, u32::MAX, 0x7fff).unwrap();
    play.now += Duration::from_millis(100);

    let out = play.switch(40_000, 77, 200).unwrap();
    assert_eq!((out.seq, out.timestamp), (0x4000, 8_999));
    assert_eq!(picture(&out), (0, 0));

    let out = play.packet(40_002, 3_077, 201).unwrap();
    assert_eq!(
        (out.seq, out.timestamp, picture(&out)),
        (0x4002, 11_999, (1, 1))
    );
}

#[test]
fn a_late_packet_keeps_its_place_and_one_from_before_the_switch_is_dropped() {
    let mut play = Play::new();
    play.switch(10, 0, 1).unwrap();
    play.switch(500, 0, 9).unwrap();
    play.packet(503, 0, 10).unwrap();
    assert_eq!(play.packet(501, 0, 9).unwrap().seq, 12);
    assert_eq!(play.packet(499, 0, 8), None);
    assert_eq!(play.packet(504, 0, 10).unwrap().seq, 15);
}

#[test]
fn a_source_that_jumps_in_its_numbers_does_not_carry_the_receiver_along() {
    let mut play = Play::new();
    play.switch(10, 0, 1).unwrap();
    assert_eq!(play.packet(1_010, 0, 2).unwrap().seq, 1_010, "a short cut");
    assert_eq!(play.packet(31_010, 0, 3).unwrap().seq, 1_012);
    assert_eq!(play.packet(31_009, 0, 2), None, "from before the jump");
    assert_eq!(play.packet(31_011, 0, 3).unwrap().seq, 1_013);
    assert_eq!(play.packet(61_011, 0, 3).unwrap().seq, 1_015);
    play.switch(500, 0, 9).unwrap();
    assert_eq!(play.packet(501, 0, 9).unwrap().seq, 1_017);
}

#[test]
fn a_source_that_jumps_without_end_takes_the_receiver_no_further_than_a_cut_would() {
    let mut play = Play::new();
    let first = play.switch(0, 0, 1).unwrap().seq;
    let mut last = first;
    for n in 1..=100_u16 {
        play.now += Duration::from_millis(10);
        last = play
            .packet(n.wrapping_mul(1_000), u32::from(n) * 900, 1 + n)
            .unwrap()
            .seq;
    }
    let numbers = last.wrapping_sub(first);
    assert!(numbers < 0x4000, "{numbers} numbers of a hundred packets");

    play.now += Duration::from_secs(2);
    let cut = 101_u16.wrapping_mul(1_000).wrapping_sub(300);
    play.switch(cut, 0, 1).unwrap();
    let before = play.packet(cut + 1, 0, 1).unwrap().seq;
    let after = play.packet(cut + 400, 0, 2).unwrap().seq;
    assert_eq!(after.wrapping_sub(before), 399, "a cut is seen as it is");
}

#[test]
fn a_source_that_goes_back_or_far_ahead_before_it_leaves_takes_the_next_one_nowhere() {
    // What its last packets bear beyond its first: timestamp and picture id.
    let (back, second) = (|ticks: u32| 0_u32.wrapping_sub(ticks), 90_000);
    let id_back = |ids: u16| 0_u16.wrapping_sub(ids) & 0x7fff;
    for jumps in [
        vec![(back(1 << 30), id_back(16_000))],
        vec![(1 << 30, 16_000)],
        vec![(0, 12_000), (0, 24_000)],
        vec![(0, 24_000), (0, 12_000)],
        vec![(0x7000_0000, 0), (0xe000_0000, 0)],
        (1..40).map(|n| (n * 9 * second, n as u16 * 999)).collect(),
        (1..40).map(|n| (back(n * second * 9 / 10), 0)).collect(),
    ] {
        let mut play = Play::new();
        let (seq, timestamp, id) = (7, 5_000_u32, 300_u16);
        let start = play.switch(seq, timestamp, id).unwrap();
        for (n, (ticks, ids)) in (1..).zip(&jumps) {
            let id = (id + ids) & 0x7fff;
            let out = play.packet(seq + n, timestamp.wrapping_add(*ticks), id);
            assert_eq!(out.unwrap().seq, seq + n, "it is forwarded");
        }
        play.now += Duration::from_secs(1);
        let next = play.switch(40_000, 77, 9).unwrap();
        let moved = next.timestamp.wrapping_sub(start.timestamp);
        let limit = second..=second * 12;
        assert!(limit.contains(&moved), "{jumps:?}: {moved} ticks");
        let ids = picture(&next).0.wrapping_sub(picture(&start).0) & 0x7fff;
        assert!((1..=1_100).contains(&ids), "{jumps:?}: {ids} ids");
    }
}

#[test]
fn a_late_packet_that_lies_about_when_it_was_taken_is_not_forwarded() {
    let mut play = Play::new();
    play.switch(10, 90_000, 5).unwrap();
    play.packet(14, 180_000, 6).unwrap();
    for (timestamp, id) in [(1 << 30, 5), (90_000, 12_000), (90_000, 20_000)] {
        assert_eq!(play.packet(11, timestamp, id), None, "{timestamp} {id}");
    }
    assert_eq!(play.packet(11, 90_000, 5).unwrap().seq, 11);
}

#[test]
fn pictures_that_are_sent_in_another_order_than_they_are_shown_keep_their_times() {
    let mut play = Play::new();
    play.switch(10, 0, 1).unwrap();
    let times = [9_000, 3_000, 6_000, 18_000, 12_000, 15_000];
    for (n, timestamp) in (1..).zip(times) {
        play.now += Duration::from_millis(33);
        let out = play.packet(10 + n, timestamp, 1 + n).unwrap();
        assert_eq!(out.timestamp, timestamp);
    }
    play.now += Duration::from_millis(33);
    let next = play.switch(500, 0, 9).unwrap();
    assert!(next.timestamp > 18_000, "{}", next.timestamp);
}

#[test]
fn a_picture_that_stands_for_a_minute_or_a_slot_that_is_empty_for_a_day_goes_on() {
    let mut play = Play::new();
    let first = play.switch(10, 0, 1).unwrap();
    play.now += Duration::from_secs(60);
    let slide = play.packet(11, 60 * 90_000, 2).unwrap();
    assert_eq!((slide.timestamp, picture(&slide).0), (60 * 90_000, 2));
    // A lost part of the slide before is only noticed now.
    play.packet(14, 60 * 90_000, 2).unwrap();
    let late = play.packet(12, 0, 1).unwrap();
    assert_eq!((late.seq, late.timestamp), (12, first.timestamp));
    play.now += Duration::from_secs(24 * 3_600);
    let next = play.switch(500, 0, 9).unwrap();
    let moved = next.timestamp.wrapping_sub(slide.timestamp);
    assert!((1..0x8000_0000).contains(&moved), "{moved}");
}

#[test]
fn short_picture_ids_go_round_without_a_jump() {
    let (mut play, short) = (Play::new(), |id: u16| [0x90, 0x80, id as u8 & 0x7f, 1, 2]);
    let head = |seq| Head {
        codec: Codec::Vp8,
        seq,
        timestamp: u32::from(seq) * 3_000,
        marker: true,
    };
    for n in 0..1_000_u16 {
        play.now += Duration::from_millis(33);
        let payload = Bytes::copy_from_slice(&short(n));
        let vp8 = vp8::read(&payload);
        if n % 300 == 0 {
            play.rewriter.switch(head(n), vp8.as_ref(), play.now);
        }
        let rewriter = &mut play.rewriter;
        let out = rewriter.rewrite(head(n), &payload, vp8.as_ref(), play.now);
        let out = out.unwrap();
        let mut payload = out.payload.to_vec();
        if let Some(numbers) = out.numbers {
            numbers.write(&mut payload);
        }
        let id = vp8::read(&payload).unwrap().picture_id.unwrap();
        assert_eq!((id.value, id.long), (n & 0x7f, false));
    }
}

#[test]
fn the_border_of_a_switch_never_seems_to_lie_ahead() {
    let mut play = Play::new();
    play.switch(0, 0, 0).unwrap();
    for seq in (0..200_000_u32).step_by(100) {
        assert!(play.packet(seq as u16, seq, 0).is_some(), "at {seq}");
    }
}

proptest::proptest! {
    #[test]
    fn any_run_of_switches_gives_one_unbroken_stream(
        sources in proptest::collection::vec((0_u16.., 0_u32.., 0_u16..0x8000, 1_u16..40), 1..20)
    ) {
        let mut play = Play::new();
        let mut previous: Option<RtpOut> = None;
        for (seq, timestamp, first_picture, length) in sources {
            for step in 0..length {
                let at = (seq.wrapping_add(step), timestamp.wrapping_add(u32::from(step) * 3_000), (first_picture + step) & 0x7fff);
                let out = if step == 0 { play.switch(at.0, at.1, at.2) } else { play.packet(at.0, at.1, at.2) };
                let out = out.unwrap();
                if let Some(previous) = previous {
                    proptest::prop_assert_eq!(out.seq, previous.seq.wrapping_add(1));
                    proptest::prop_assert_eq!(picture(&out).0, (picture(&previous).0 + 1) & 0x7fff);
                    proptest::prop_assert!(out.timestamp.wrapping_sub(previous.timestamp) < 0x8000_0000);
                }
                previous = Some(out);
                play.now += Duration::from_millis(33);
            }
        }
    }

    /// Whatever numbers sources make up, a receiver that reads every packet, or loses some in a row, follows them all.
    #[test]
    fn whatever_sources_say_each_switch_goes_on_from_the_furthest_that_was_sent(
        sources in proptest::collection::vec(
            proptest::collection::vec((0_u16.., 0_u32.., 0_u16..0x8000, 0_u64..40), 1..40), 2..12)
    ) {
        let mut play = Play::new();
        let begun = play.now;
        // How far each number went since the first packet, counted on.
        let mut furthest: Option<(RtpOut, i64, i64, i64)> = None;
        let mut packets = 0_i64;
        for source in sources {
            for (n, (seq, timestamp, id, ms)) in source.into_iter().enumerate() {
                let out = match n {
                    0 => play.switch(seq, timestamp, id),
                    _ => play.packet(seq, timestamp, id),
                };
                if let Some(out) = out {
                    packets += 1;
                    let (last, seqs, ticks, ids) = furthest.take().unwrap_or((out.clone(), 0, 0, 0));
                    let id_step = i64::from(picture(&out).0.wrapping_sub(picture(&last).0) & 0x7fff);
                    let id_step = if id_step < 0x4000 { id_step } else { id_step - 0x8000 };
                    let steps = [
                        i64::from(out.seq.wrapping_sub(last.seq) as i16),
                        i64::from(out.timestamp.wrapping_sub(last.timestamp) as i32),
                        id_step,
                    ];
                    if n == 0 {
                        proptest::prop_assert!(packets == 1 || steps[0] == 1 && steps[1] > 0 && steps[2] == 1, "{:?}", steps);
                    }
                    let seconds = play.now.duration_since(begun).as_secs_f64();
                    let (seqs, ticks, ids) = (seqs + steps[0].max(0), ticks + steps[1].max(0), ids + steps[2].max(0));
                    proptest::prop_assert!(seqs as f64 <= 1_000.0 + 500.0 * seconds + 2.0 * packets as f64);
                    proptest::prop_assert!(ids as f64 <= 1_000.0 + 500.0 * seconds + packets as f64);
                    proptest::prop_assert!(ticks as f64 <= 90_000.0 * (10.0 + 1.2 * seconds) + packets as f64);
                    // The furthest of each by itself.
                    let furthest_of = RtpOut {
                        seq: last.seq.wrapping_add(steps[0].max(0) as u16),
                        timestamp: last.timestamp.wrapping_add(steps[1].max(0) as u32),
                        payload: if steps[2] > 0 { out.payload.clone() } else { last.payload.clone() },
                        numbers: if steps[2] > 0 { out.numbers } else { last.numbers },
                        ..out
                    };
                    furthest = Some((furthest_of, seqs, ticks, ids));
                }
                play.now += Duration::from_millis(ms);
            }
        }
    }
}
