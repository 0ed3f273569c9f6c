//! What a downlink bears, from when its packets arrived: pure.
//!
//! A link is taken to be good until it shows otherwise, and it shows it in two ways: packets wait ever longer on the
//! way, or many are lost. Then what did arrive is what it bears. From there the figure grows slowly, so that a better
//! picture is tried again; each trial that fails doubles the wait for the next.

use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, SymbolTypeTcc, TransportLayerCc,
};
use std::time::{Duration, Instant};

/// Packets whose way is remembered: at 2,500 packets a second, more than a second's.
const REMEMBERED: usize = 4_096;
/// UDP, IP and Ethernet around a datagram: a line's rate counts them, and for a sound they are a third.
const OVERHEAD_BYTES: usize = 42;
/// Before anything is known, and where a limit is forgotten: thirteen full pictures.
const START_BPS: f64 = 20_000_000.0;
/// Below what sound needs: nothing is sent then.
const LEAST_BPS: f64 = 24_000.0;
/// A voice and the smallest picture: what a link is tried with when nothing tells any more whether it has become better.
const TRIAL_BPS: f64 = 170_000.0;
/// Who has sent nothing for so long learns nothing: neither of a cut nor of a better link.
const IDLE: Duration = Duration::from_secs(1);
/// A judgement needs so much time and so many packets.
const WINDOW: Duration = Duration::from_millis(250);
const WINDOW_PACKETS: u32 = 8;
/// Waiting on the way beyond the shortest seen, in microseconds: more than a jittery radio link or a client that is
/// short of processor time makes.
const QUEUE_MAX_US: i64 = 300_000;
/// Windows in a row that must say the same before it is believed: a client that stood still for a moment is no full link.
const BELIEVED: u32 = 3;
/// What arrived in the best of so many windows is what the link bears: after a moment's stand the rest comes at once.
const WINDOWS: usize = 4;
/// Loss beyond what a bad radio link has by itself: the link is full.
const LOSS_MAX: f64 = 0.15;
/// Of what arrived, so much is used after a full link, so that what waits can drain.
const AFTER_QUEUE: f64 = 0.85;
const AFTER_LOSS: f64 = 0.95;
/// How fast the figure grows again, a second.
const GROWTH: f64 = 0.08;
/// How long it stays after the first full link, and after many in a row.
const PATIENCE_LEAST: Duration = Duration::from_secs(2);
const PATIENCE_MOST: Duration = Duration::from_secs(60);
/// The shortest way is looked for in so long: clocks drift, and a path may change.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(10);
/// A client that told of no arrival for so long, while packets were sent, is behind a cut.
pub const SILENCE: Duration = Duration::from_secs(3);
/// For so long it may be late, on a far road that loses reports; after longer it has missed more than is sent again.
const CUT: Duration = Duration::from_millis(700);

pub struct Estimate {
    sent: Vec<Option<Sent>>,
    bps: f64,
    window: Window,
    /// Packets the last report missed for the first time: lost, unless the next one knows them.
    missing: u32,
    shortest: Shortest,
    /// When the last packet of the window before arrived.
    arrived_until: Option<i64>,
    /// Bits a second that arrived in the last windows, the newest last.
    delivered: [f64; WINDOWS],
    /// Windows in a row that spoke of a full link.
    full_windows: u32,
    /// Packets wait on the way, or have been lost for so long that it is believed.
    full: bool,
    /// A full link has become free again since it was last asked.
    eased: bool,
    hold_until: Option<Instant>,
    patience: Duration,
    grown_at: Option<Instant>,
    /// The first packet sent since the client last told of arrivals, or since a pause of ours.
    unanswered: Option<Instant>,
    last_sent: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Sent {
    number: u16,
    bytes: u16,
    at: Instant,
    /// A report missed it.
    missed: bool,
}

/// What is being judged.
#[derive(Default)]
struct Window {
    since: Option<Instant>,
    arrived: u32,
    lost: u32,
    bytes: u64,
    /// The sum of all ways, in microseconds beyond an arbitrary one.
    ways: i64,
    last_arrival: Option<i64>,
}

/// The shortest way of late: two spans, so that one always has something to say.
#[derive(Default)]
struct Shortest {
    since: Option<Instant>,
    now: Option<i64>,
    before: Option<i64>,
}

impl Estimate {
    pub fn new() -> Self {
        Self {
            sent: vec![None; REMEMBERED],
            bps: START_BPS,
            window: Window::default(),
            missing: 0,
            shortest: Shortest::default(),
            arrived_until: None,
            delivered: [0.0; WINDOWS],
            full_windows: 0,
            full: false,
            eased: false,
            hold_until: None,
            patience: PATIENCE_LEAST,
            grown_at: None,
            unanswered: None,
            last_sent: None,
        }
    }

    /// What the link bears in bits a second; 0 behind a cut.
    pub fn bps(&self, now: Instant) -> u64 {
        let since = self.unanswered.filter(|_| !self.is_idle(now));
        let is_cut = since.is_some_and(|since| now.saturating_duration_since(since) >= SILENCE);
        if is_cut { 0 } else { self.bps as u64 }
    }

    fn is_idle(&self, now: Instant) -> bool {
        let passed = |at| now.saturating_duration_since(at) >= IDLE;
        self.last_sent.is_none_or(passed)
    }

    /// Whether the link has more to carry than it can, by the last judgement.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Whether a link that had lost what it could not carry has room again, once.
    pub fn take_eased(&mut self) -> bool {
        std::mem::take(&mut self.eased)
    }

    /// Since when the client has told of nothing, if that is so long that its road was cut.
    pub fn cut(&self, now: Instant) -> Option<Instant> {
        self.unanswered
            .filter(|since| now.saturating_duration_since(*since) >= CUT)
    }

    /// What may be sent; `None` while the link has shown no limit, or has grown out of it.
    pub fn bears(&mut self, now: Instant) -> Option<u64> {
        let is_held = self.hold_until.is_some_and(|until| now < until);
        if self.is_idle(now) && !is_held {
            self.bps = self.bps.max(TRIAL_BPS);
            // Nothing is sent that would show it, so what was known of it grows old.
            self.good(now);
        }
        Some(self.bps(now)).filter(|bps| *bps < START_BPS as u64)
    }

    /// A packet leaves with this running number, in a datagram of so many bytes.
    pub fn sent(&mut self, number: u16, bytes: usize, at: Instant) {
        if let Some(place) = self.sent.get_mut(usize::from(number) % REMEMBERED) {
            let bytes = u16::try_from(bytes + OVERHEAD_BYTES).unwrap_or(u16::MAX);
            *place = Some(Sent {
                number,
                bytes,
                at,
                missed: false,
            });
        }
        // The last word before a pause may go unanswered on a good road: its silence counts from the next one.
        if self.is_idle(at) {
            self.unanswered = None;
        }
        self.last_sent = Some(at);
        self.unanswered.get_or_insert(at);
    }

    /// The client tells what arrived when. `epoch` is any moment before the first packet. Gives of how many packets it is
    /// certain now what became of them, and how many of them are lost: one that is missed may only be overtaken, which the
    /// next report says.
    pub fn arrived(
        &mut self,
        feedback: &TransportLayerCc,
        epoch: Instant,
        now: Instant,
    ) -> (u32, u32) {
        let (mut came, mut missing, mut overtaken) = (0, 0, 0);
        for (number, arrival) in arrivals(feedback) {
            let Some(place) = self.sent.get_mut(usize::from(number) % REMEMBERED) else {
                continue;
            };
            let Some(sent) = place.filter(|sent| sent.number == number) else {
                continue;
            };
            let Some(arrival) = arrival else {
                missing += u32::from(!sent.missed);
                *place = Some(Sent {
                    missed: true,
                    ..sent
                });
                continue;
            };
            *place = None;
            came += 1;
            overtaken += u32::from(sent.missed);
            self.unanswered = None;
            let left = sent.at.saturating_duration_since(epoch).as_micros() as i64;
            self.shortest.saw(arrival - left, now);
            let window = &mut self.window;
            window.arrived += 1;
            window.bytes += u64::from(sent.bytes);
            window.ways += arrival - left;
            window.last_arrival = window.last_arrival.max(Some(arrival));
        }
        let lost = std::mem::replace(&mut self.missing, missing).saturating_sub(overtaken);
        self.window.lost += lost;
        self.judge(now);
        (came + lost, lost)
    }

    fn judge(&mut self, now: Instant) {
        let since = *self.window.since.get_or_insert(now);
        let packets = self.window.arrived + self.window.lost;
        if now.saturating_duration_since(since) < WINDOW || packets < WINDOW_PACKETS {
            return;
        }
        let window = std::mem::take(&mut self.window);
        self.window.since = Some(now);
        let from = self.arrived_until;
        self.arrived_until = self.arrived_until.max(window.last_arrival);
        let (Some(from), Some(until)) = (from, window.last_arrival) else {
            return;
        };
        // Over a pause of the sender the rate says nothing; it is then lower than what the link bears.
        let span = (until - from).max(WINDOW.as_micros() as i64 / 2) as f64 / 1e6;
        self.delivered.rotate_left(1);
        self.delivered[WINDOWS - 1] = window.bytes as f64 * 8.0 / span;
        let delivered = self.delivered.iter().copied().fold(0.0, f64::max);
        let mean = window.ways / i64::from(window.arrived.max(1));
        let queue = mean - self.shortest.least().unwrap_or(mean);
        let loss = f64::from(window.lost) / f64::from(packets);
        let waits = queue > QUEUE_MAX_US;
        if !waits && loss <= LOSS_MAX {
            self.full = false;
            self.eased |= self.full_windows >= BELIEVED;
            self.full_windows = 0;
            return self.good(now);
        }
        self.full_windows += 1;
        self.full = waits || self.full_windows >= BELIEVED;
        if self.full_windows >= BELIEVED {
            let part = if waits { AFTER_QUEUE } else { AFTER_LOSS };
            self.full(delivered * part, now);
        }
    }

    fn full(&mut self, bears: f64, now: Instant) {
        // What waits on the way drains for a while: the same trouble, not a new one.
        if self.hold_until.is_none_or(|until| now >= until) {
            let again = self.hold_until.is_some();
            self.patience = match again {
                true => (self.patience * 2).min(PATIENCE_MOST),
                false => PATIENCE_LEAST,
            };
            self.hold_until = Some(now + self.patience);
        }
        self.bps = self.bps.min(bears).max(LEAST_BPS);
        self.grown_at = None;
    }

    fn good(&mut self, now: Instant) {
        let Some(until) = self.hold_until else { return };
        if now < until {
            return;
        }
        let last = self.grown_at.replace(now).unwrap_or(now);
        let passed = now.saturating_duration_since(last).as_secs_f64();
        self.bps = (self.bps * (1.0 + GROWTH * passed)).min(START_BPS);
        if self.bps >= START_BPS {
            self.hold_until = None;
        }
    }
}

impl Shortest {
    fn saw(&mut self, way: i64, now: Instant) {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) >= SHORTEST_LIFETIME {
            self.since = Some(now);
            self.before = self.now.take();
        }
        self.now = Some(self.now.map_or(way, |least| least.min(way)));
    }

    fn least(&self) -> Option<i64> {
        self.now.into_iter().chain(self.before).min()
    }
}

/// Each packet a feedback speaks of, and when it arrived on the client's clock, in microseconds
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1).
fn arrivals(feedback: &TransportLayerCc) -> impl Iterator<Item = (u16, Option<i64>)> {
    let symbols = feedback.packet_chunks.iter().flat_map(|chunk| {
        let (run, list) = match chunk {
            PacketStatusChunk::RunLengthChunk(run) => {
                let run = std::iter::repeat_n(run.packet_status_symbol, run.run_length.into());
                (Some(run), &[][..])
            }
            PacketStatusChunk::StatusVectorChunk(vector) => (None, &vector.symbol_list[..]),
        };
        run.into_iter().flatten().chain(list.iter().copied())
    });
    // A client may say more than we remember; it is not worth reading.
    let count = usize::from(feedback.packet_status_count).min(REMEMBERED);
    let mut clock = i64::from(feedback.reference_time) * 64_000;
    let mut deltas = feedback.recv_deltas.iter();
    (0_u16..)
        .zip(symbols.take(count))
        .map(move |(place, symbol)| {
            let number = feedback.base_sequence_number.wrapping_add(place);
            let has_delta = symbol == SymbolTypeTcc::PacketReceivedSmallDelta
                || symbol == SymbolTypeTcc::PacketReceivedLargeDelta;
            let delta = has_delta.then(|| deltas.next()).flatten();
            let arrival = delta.map(|delta| {
                clock += delta.delta;
                clock
            });
            (number, arrival)
        })
}

#[cfg(test)]
mod tests {
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

    fn feedback(packets: &[(u16, Option<f64>)]) -> TransportLayerCc {
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
            reference_time: reference as u32,
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
                    estimate.sent(number, 500 - OVERHEAD_BYTES, now);
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
                    let packets: Vec<_> = told.drain(..known).collect();
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
        }
    }

    #[test]
    fn a_good_link_is_never_held_back_also_when_it_loses_a_tenth() {
        let epoch = Instant::now();
        for lost in [0, 5, 10] {
            let mut estimate = Estimate::new();
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
        for room in [60_000.0, 4_000.0] {
            let mut estimate = Estimate::new();
            let mut link = link(256_000.0, room);
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
        let mut estimate = Estimate::new();
        let mut narrow = link(256_000.0, 60_000.0);
        run(&mut estimate, &mut narrow, &STEPS, 0, 10, epoch);
        let mut wide = link(10e6, 100_000.0);
        let figures = run(&mut estimate, &mut wide, &STEPS, 10, 90, epoch);
        assert!(figures[89].0 > 1_500_000.0, "{figures:?}");

        let at = |tenths: u64| epoch + Duration::from_millis(100_000 + tenths * 100);
        let before = estimate.bps(at(0));
        let spoken = (0..=40_u64).filter(|tenths| tenths % 5 == 0);
        for tenths in spoken {
            estimate.sent(tenths as u16, 100, at(tenths));
            assert_eq!(estimate.bps(at(tenths)) == 0, tenths >= 30, "at {tenths}");
        }
        estimate.arrived(&feedback(&[(40, Some(104e6))]), epoch, at(41));
        assert_eq!(estimate.bps(at(41)), before);
    }

    #[test]
    fn what_is_overtaken_is_not_lost_and_what_no_report_knows_is() {
        let epoch = Instant::now();
        let mut estimate = Estimate::new();
        for number in 0..10 {
            estimate.sent(number, 100, epoch);
        }
        let mut tell =
            |told: &[(u16, Option<f64>)]| estimate.arrived(&feedback(told), epoch, epoch);
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
    fn a_link_over_which_nothing_goes_is_tried_with_more() {
        let epoch = Instant::now();
        let mut estimate = Estimate::new();
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
        let mut estimate = Estimate::new();
        estimate.sent(1, 100, at(0));
        assert_eq!(estimate.bears(at(9)), None);
        estimate.sent(2, 100, at(9));
        assert_eq!((estimate.bears(at(9)), estimate.cut(at(9))), (None, None));
    }

    #[test]
    fn a_link_too_thin_for_sound_is_tried_again_and_found_better() {
        let epoch = Instant::now();
        let mut estimate = Estimate::new();
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
        let mut estimate = Estimate::new();
        let packets: Vec<_> = (0..5_000).map(|number| (number, None)).collect();
        for _ in 0..10 {
            estimate.arrived(&feedback(&packets), epoch, epoch + Duration::from_secs(1));
        }
        assert_eq!(estimate.bps(epoch), START_BPS as u64);
    }
}
