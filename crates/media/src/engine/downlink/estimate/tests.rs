use super::road::START_BPS;
use super::*;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::{RecvDelta, StatusVectorChunk};
use std::collections::VecDeque;

/// A link with a rate, room for so much to wait, and loss of its own.
struct Link {
    bps: f64,
    room: f64,
    lost_of_hundred: u32,
    free_at: f64,
    count: u32,
    /// Where the client's clock stands at the start, in microseconds.
    clock: f64,
}

impl Link {
    /// When a packet that leaves now arrives, in microseconds.
    fn carry(&mut self, bytes: usize, now: f64) -> Option<f64> {
        self.count += 1;
        if self.count.wrapping_mul(2_654_435_761) % 100 < self.lost_of_hundred {
            return None;
        }
        let begins = self.free_at.max(now);
        if (begins - now) / 1e6 * self.bps / 8.0 > self.room {
            return None;
        }
        self.free_at = begins + bytes as f64 * 8.0 / self.bps * 1e6;
        Some(self.free_at + 20_000.0)
    }
}

pub fn estimate() -> Estimate {
    let mut estimate = Estimate::new();
    estimate.remember();
    estimate
}

pub fn feedback(packets: &[(u16, Option<f64>)]) -> TransportLayerCc {
    let base = packets[0].0;
    let first = packets.iter().find_map(|(_, at)| *at).unwrap_or(0.0);
    let reference = (first / 64_000.0) as i64;
    let mut clock = reference * 64_000;
    let mut symbol_list = vec![];
    let mut recv_deltas = vec![];
    for (_, at) in packets {
        symbol_list.push(match at {
            Some(_) => SymbolTypeTcc::PacketReceivedLargeDelta,
            None => SymbolTypeTcc::PacketNotReceived,
        });
        if let Some(at) = at {
            let delta = (*at as i64 - clock) / 250 * 250;
            clock += delta;
            recv_deltas.push(RecvDelta {
                delta,
                ..Default::default()
            });
        }
    }
    let vector = StatusVectorChunk {
        symbol_list,
        ..Default::default()
    };
    TransportLayerCc {
        base_sequence_number: base,
        packet_status_count: packets.len() as u16,
        reference_time: reference as u32 & 0xff_ffff,
        packet_chunks: vec![PacketStatusChunk::StatusVectorChunk(vector)],
        recv_deltas,
        ..Default::default()
    }
}

/// Sends what the estimate allows of `steps`, a step being a rate. Gives the rate sent in each second, and what
/// part of it arrived.
fn run(
    estimate: &mut Estimate,
    link: &mut Link,
    steps: &[f64],
    from: u64,
    seconds: u64,
    epoch: Instant,
) -> Vec<(f64, f64)> {
    let mut told: VecDeque<(u16, Option<f64>)> = VecDeque::new();
    let mut number = (from * 1_000) as u16;
    let mut figures = vec![];
    for second in from..from + seconds {
        let (mut sent, mut arrived) = (0.0, 0.0);
        let mut debt = 0.0;
        for ms in 0..1_000 {
            let us = (second * 1_000 + ms) as f64 * 1_000.0;
            let now = epoch + Duration::from_micros(us as u64);
            let bears = estimate.bears(now).map_or(START_BPS, |bps| bps as f64);
            let rate = steps
                .iter()
                .filter(|step| **step <= bears)
                .fold(steps[0], |a, b| a.max(*b));
            debt += rate / 8_000.0;
            while debt >= 500.0 {
                debt -= 500.0;
                estimate.sent(number, 500 - OVERHEAD_BYTES, Cargo::Picture, now);
                let at = link.carry(500, us);
                sent += 4_000.0;
                arrived += if at.is_some() { 4_000.0 } else { 0.0 };
                told.push_back((number, at));
                number = number.wrapping_add(1);
            }
            if ms % 50 == 0 {
                let known = told
                    .iter()
                    .take_while(|(_, at)| at.is_none_or(|at| at + 20_000.0 <= us))
                    .count();
                let told = told.drain(..known);
                let packets: Vec<_> = told
                    .map(|(number, at)| (number, at.map(|at| at + link.clock)))
                    .collect();
                if !packets.is_empty() {
                    estimate.arrived(&feedback(&packets), epoch, now);
                }
            }
        }
        figures.push((sent, arrived / f64::max(sent, 1.0)));
    }
    figures
}

const STEPS: [f64; 5] = [40_000.0, 140_000.0, 390_000.0, 1_540_000.0, 3_000_000.0];

fn link(bps: f64, room: f64) -> Link {
    Link {
        bps,
        room,
        lost_of_hundred: 0,
        free_at: 0.0,
        count: 0,
        clock: 0.0,
    }
}

#[test]
fn a_good_link_is_never_held_back_also_when_it_loses_a_tenth() {
    let epoch = Instant::now();
    for lost in [0, 5, 10] {
        let mut estimate = estimate();
        let mut link = Link {
            lost_of_hundred: lost,
            ..link(10e6, 100_000.0)
        };
        let figures = run(&mut estimate, &mut link, &STEPS, 0, 20, epoch);
        assert!(
            figures.iter().all(|(sent, _)| *sent > 2_900_000.0),
            "{figures:?}"
        );
    }
}

#[test]
fn a_thin_link_is_found_whether_packets_wait_or_are_lost_and_is_not_tried_again_and_again() {
    let epoch = Instant::now();
    // The clock of the second one is over after a second.
    for (room, clock) in [
        (60_000.0, 0),
        (4_000.0, 0),
        (60_000.0, 0xff_fff0),
        (4_000.0, 0xff_fff0),
    ] {
        let mut estimate = estimate();
        let mut link = Link {
            clock: f64::from(clock) * 64_000.0,
            ..link(256_000.0, room)
        };
        let figures = run(&mut estimate, &mut link, &STEPS, 0, 120, epoch);
        let settled = &figures[4..];
        let too_much = settled.iter().filter(|(sent, _)| *sent > 256_000.0).count();
        let used = settled
            .iter()
            .filter(|(sent, _)| *sent >= 120_000.0)
            .count();
        let arrived = settled.iter().filter(|(_, part)| *part > 0.95).count();
        println!(
            "room {room}: {too_much} seconds too much, {used} used, {arrived} whole of {}",
            settled.len()
        );
        assert!(
            too_much <= 12 && used >= 90 && arrived >= 105,
            "{figures:?}"
        );
        assert!(estimate.take_eased(), "it was full, and has room again");
        assert!(!estimate.take_eased(), "once");
    }
}

#[test]
fn a_link_that_becomes_good_is_used_again_and_a_cut_is_noticed_and_forgotten() {
    let epoch = Instant::now();
    let mut estimate = estimate();
    let mut narrow = link(256_000.0, 60_000.0);
    run(&mut estimate, &mut narrow, &STEPS, 0, 10, epoch);
    let mut wide = link(10e6, 100_000.0);
    let figures = run(&mut estimate, &mut wide, &STEPS, 10, 90, epoch);
    assert!(figures[89].0 > 1_500_000.0, "{figures:?}");

    let at = |tenths: u64| epoch + Duration::from_millis(100_000 + tenths * 100);
    let before = estimate.bears(at(0));
    let spoken = (0..=40_u64).filter(|tenths| tenths % 5 == 0);
    for tenths in spoken {
        estimate.sent(tenths as u16, 100, Cargo::Picture, at(tenths));
        let is_cut = estimate.bears(at(tenths)) == Some(0);
        assert_eq!(is_cut, tenths >= 30, "at {tenths}");
    }
    estimate.arrived(&feedback(&[(40, Some(104e6))]), epoch, at(41));
    assert_eq!(estimate.bears(at(41)), before);
}

#[test]
fn what_is_overtaken_is_not_lost_and_what_no_report_knows_is() {
    let epoch = Instant::now();
    let mut estimate = estimate();
    for number in 0..10 {
        estimate.sent(number, 100, Cargo::Picture, epoch);
    }
    let mut tell = |told: &[(u16, Option<f64>)]| estimate.arrived(&feedback(told), epoch, epoch);
    assert_eq!(
        tell(&[(0, Some(1e3)), (1, None), (2, None), (3, Some(2e3))]),
        (2, 0)
    );
    assert_eq!(
        tell(&[(2, Some(3e3)), (3, None), (4, Some(4e3))]),
        (3, 1),
        "1 is lost, 2 is here"
    );
    assert_eq!(tell(&[(5, Some(5e3))]), (1, 0));
}

#[test]
fn what_came_only_when_it_was_sent_again_was_lost_and_its_late_way_is_no_queue() {
    let epoch = Instant::now();
    let at = |ms: u64| epoch + Duration::from_millis(ms);
    let mut estimate = estimate();
    for number in 0..4 {
        estimate.sent(number, 100, Cargo::Picture, at(0));
    }
    estimate.arrived(&feedback(&[(0, Some(20e3))]), epoch, at(20));
    for number in [1, 2] {
        estimate.sent_again(number, at(40));
    }
    // 1 came of the second sending, 2 came before that can have arrived.
    let told = feedback(&[(1, Some(61e3)), (2, Some(45e3)), (3, Some(46e3))]);
    assert_eq!(estimate.arrived(&told, epoch, at(70)), (3, 1));
    assert_eq!(estimate.window.ways, 20_000 + 45_000 + 46_000);

    // What a report missed before it came again is one loss, and not two.
    estimate.sent(4, 100, Cargo::Picture, at(100));
    estimate.arrived(&feedback(&[(4, None)]), epoch, at(110));
    estimate.sent_again(4, at(120));
    assert_eq!(
        estimate.arrived(&feedback(&[(4, Some(145e3))]), epoch, at(150)),
        (1, 1)
    );
    assert_eq!(
        estimate.arrived(&feedback(&[(5, None)]), epoch, at(160)),
        (0, 0)
    );
}

#[test]
fn what_left_is_known_also_when_the_ticks_begin_anew() {
    let epoch = Instant::now();
    // The first packet leaves a while after the epoch; the others around the end of the ticks.
    let begun = Duration::from_secs(5);
    let over = begun + Duration::from_micros((1 << 32) * 250);
    let mut estimate = estimate();
    estimate.sent(0, 100, Cargo::Picture, epoch + begun);
    for (number, ms) in [(1, 0), (2, 1_000), (3, 2_000)] {
        let left = over - Duration::from_secs(1) + Duration::from_millis(ms);
        estimate.sent(number, 100, Cargo::Picture, epoch + left);
        let arrival = (left + Duration::from_millis(20)).as_micros() as f64;
        let told = feedback(&[(number, Some(arrival))]);
        estimate.arrived(&told, epoch, epoch + left + Duration::from_millis(40));
        // The client's clock has begun anew as well.
        let ways = estimate.window.ways.rem_euclid((1 << 24) * 64_000);
        assert_eq!(ways, i64::from(number) * 20_000);
    }
}

#[test]
fn a_clock_that_jumps_is_no_queue() {
    let epoch = Instant::now();
    let at = |ms: u64| epoch + Duration::from_millis(ms);
    for jump in [3_600e6, 5e6, -5e6] {
        let mut estimate = estimate();
        for round in 0..400_u64 {
            let jump = if round < 200 { 0.0 } else { jump };
            for number in 0..10 {
                estimate.sent(
                    (round * 10 + number) as u16,
                    1_000,
                    Cargo::Picture,
                    at(round * 50),
                );
            }
            let arrival = (round * 50_000 + 20_000) as f64 + jump;
            let told: Vec<_> = (0..10)
                .map(|number| ((round * 10 + number) as u16, Some(arrival)))
                .collect();
            estimate.arrived(&feedback(&told), epoch, at(round * 50 + 40));
            assert!(!estimate.is_full(), "{jump} at {round}");
        }
        let ahead = estimate.arrived_until.unwrap() - 400 * 50_000;
        assert!((ahead - jump as i64).abs() < 500_000, "{jump}: {ahead}");
    }
}

#[test]
fn reports_that_were_held_up_are_no_jump_of_the_clock() {
    let epoch = Instant::now();
    let at = |ms: u64| epoch + Duration::from_millis(ms);
    let mut estimate = estimate();
    for round in 0..200_u64 {
        let number = round as u16;
        estimate.sent(number, 1_000, Cargo::Picture, at(round * 50));
        let arrival = (round * 50_000 + 20_000) as f64;
        // The way back stands still for four seconds, and gives all at once what it has held.
        let told = match round {
            100..180 => 180 * 50,
            _ => round * 50 + 40,
        };
        estimate.arrived(&feedback(&[(number, Some(arrival))]), epoch, at(told));
        assert!(estimate.shortest.least().is_some(), "at {round}");
    }
}

#[test]
fn a_link_over_which_nothing_goes_is_tried_with_more() {
    let epoch = Instant::now();
    let mut estimate = estimate();
    let mut narrow = link(100_000.0, 4_000.0);
    run(&mut estimate, &mut narrow, &STEPS, 0, 10, epoch);
    let fifths = |n: u64| epoch + Duration::from_millis(10_000 + n * 200);
    assert!(estimate.bears(fifths(0)) < Some(170_000));
    let mut told = (0..600).map(|n| estimate.bears(fifths(n)));
    assert!(told.any(|bears| bears > Some(250_000)));
}

#[test]
fn a_last_word_that_nobody_answered_is_no_cut() {
    let epoch = Instant::now();
    let at = |second| epoch + Duration::from_secs(second);
    let mut estimate = estimate();
    estimate.sent(1, 100, Cargo::Picture, at(0));
    assert_eq!(estimate.bears(at(9)), None);
    estimate.sent(2, 100, Cargo::Picture, at(9));
    assert_eq!((estimate.bears(at(9)), estimate.cut(at(9))), (None, None));
}

#[test]
fn a_link_too_thin_for_sound_is_tried_again_and_found_better() {
    let epoch = Instant::now();
    let mut estimate = estimate();
    // Nothing is sent of what does not fit.
    let steps = [0.0, 50_000.0, 165_000.0, 390_000.0, 1_540_000.0];
    let mut narrow = link(20_000.0, 4_000.0);
    let figures = run(&mut estimate, &mut narrow, &steps, 0, 60, epoch);
    let quiet = figures.iter().filter(|(sent, _)| *sent == 0.0).count();
    assert!(quiet >= 30, "trials become rare: {figures:?}");
    let mut wide = link(10e6, 100_000.0);
    let figures = run(&mut estimate, &mut wide, &steps, 60, 120, epoch);
    assert!(figures[119].0 > 1_500_000.0, "{figures:?}");
}

#[test]
fn a_client_that_lies_about_more_than_was_sent_says_nothing() {
    let epoch = Instant::now();
    let mut estimate = estimate();
    let packets: Vec<_> = (0..5_000).map(|number| (number, None)).collect();
    for _ in 0..10 {
        estimate.arrived(&feedback(&packets), epoch, epoch + Duration::from_secs(1));
    }
    assert_eq!(estimate.bears(epoch), None);
}
