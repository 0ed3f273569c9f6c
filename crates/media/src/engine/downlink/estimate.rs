//! What a downlink bears, from when its packets arrived: pure.
//!
//! A link is taken to be good until it shows otherwise, and it shows it in two ways: packets wait ever longer on the
//! way, or many are lost. Then what did arrive is what it bears (`estimate/road.rs`). From there the figure grows slowly, so that a
//! better picture is tried again; each trial that fails doubles the wait for the next.

pub mod road;

use crate::engine::Cargo;
use road::{Road, Seen};
use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, SymbolTypeTcc, TransportLayerCc,
};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Packets whose way is remembered: at 2,500 packets a second, more than a second's.
pub const REMEMBERED: usize = 4_096;
/// What is remembered of one: each downlink that is told of arrivals holds as many, four in a line of the processor's cache.
const SENT_BYTES: usize = 16;
/// In what times are remembered: clients tell of no less.
const TICK_US: u32 = 250;
/// UDP, IP and Ethernet around a datagram: a line's rate counts them, and for a sound they are a third.
pub const OVERHEAD_BYTES: usize = 42;
/// Who has sent nothing for so long learns nothing: neither of a cut nor of a better link.
pub const IDLE: Duration = Duration::from_secs(1);
/// A judgement needs so much time and so many packets.
const WINDOW: Duration = Duration::from_millis(250);
const WINDOW_PACKETS: u32 = 8;
/// Packets that left together are taken to have left in so long.
const LEFT_LEAST: Duration = Duration::from_millis(1);
/// The shortest way is looked for in so long: clocks drift, and a path may change.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(10);
/// A client that told of no arrival for so long, while packets were sent, is behind a cut.
pub const SILENCE: Duration = Duration::from_secs(3);
/// For so long it may be late, on a far road that loses reports; after longer it has missed more than is sent again.
const CUT: Duration = Duration::from_millis(700);
/// A client tells the time in so many milliseconds; it runs beside ours. What it tells is when a packet arrived, so a queue
/// on the way down does not show in it: one that gains so much on ours between two reports, or goes back by so much, has
/// jumped. It falls back by as much where reports are held up on the way; by more than the last is a jump again.
const CLOCK_MS: i64 = 64;
const JUMP_MS: i64 = 2_000;
const HELD_UP_MS: i64 = 60_000;

pub struct Estimate {
    /// Empty for a client that tells no arrivals.
    sent: Vec<Option<Sent>>,
    /// When the first packet left: ticks count from then.
    begun: Option<Instant>,
    road: Road,
    window: Window,
    /// Packets the last report missed for the first time: lost, unless the next one knows them.
    missing: Missing,
    shortest: Shortest,
    /// When the last packet of the window before arrived, and when the last it speaks of left.
    arrived_until: Option<i64>,
    left_until: Option<i64>,
    /// Whether a window was judged since all that began anew after a cut.
    judged: bool,
    /// The client's clock at its last report, and when that came.
    clock: Option<(i64, Instant)>,
    /// The first packet sent since the client last told of arrivals, or since a pause of ours.
    unanswered: Option<Instant>,
    last_sent: Option<Instant>,
    /// The tick of it.
    tick: u32,
}

#[derive(Clone, Copy)]
struct Sent {
    number: u16,
    bytes: u16,
    cargo: Cargo,
    /// A report missed it.
    missed: bool,
    /// The tick it left at; they begin anew after twelve days.
    at: u32,
    /// When it was first sent again, by the same number: its very bytes (`stream.rs`).
    again: Option<NonZeroU32>,
}

const _: () = assert!(size_of::<Option<Sent>>() == SENT_BYTES);

/// What is being judged.
#[derive(Default)]
struct Window {
    since: Option<Instant>,
    arrived: u32,
    lost: u32,
    /// What arrived, and what was lost.
    bytes: u64,
    lost_bytes: u64,
    /// What of both was pictures.
    picture_bytes: u64,
    /// The sum of all ways, in microseconds beyond an arbitrary one.
    ways: i64,
    last_arrival: Option<i64>,
    last_left: Option<i64>,
}

/// Packets that did not arrive when they were first sent.
#[derive(Clone, Copy, Default)]
struct Missing {
    packets: u32,
    bytes: u64,
    picture_bytes: u64,
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
            sent: vec![],
            begun: None,
            road: Road::new(),
            window: Window::default(),
            missing: Missing::default(),
            shortest: Shortest::default(),
            arrived_until: None,
            left_until: None,
            judged: true,
            clock: None,
            unanswered: None,
            last_sent: None,
            tick: 0,
        }
    }

    /// The client is going to tell what arrives when.
    pub fn remember(&mut self) {
        self.sent.resize(REMEMBERED, None);
    }

    /// Whether the client has told of nothing for so long that nothing goes any more.
    fn is_silent(&self, now: Instant) -> bool {
        let since = self.unanswered.filter(|_| !self.is_idle(now));
        since.is_some_and(|since| now.saturating_duration_since(since) >= SILENCE)
    }

    fn is_idle(&self, now: Instant) -> bool {
        let passed = |at| now.saturating_duration_since(at) >= IDLE;
        self.last_sent.is_none_or(passed)
    }

    /// Whether the link has more to carry than it can, by the last judgement.
    pub fn is_full(&self) -> bool {
        self.road.is_full()
    }

    /// Whether a link that had lost what it could not carry has room again, once.
    pub fn take_eased(&mut self) -> bool {
        self.road.take_eased()
    }

    /// Since when the client has told of nothing, if that is so long that its road was cut.
    pub fn cut(&self, now: Instant) -> Option<Instant> {
        self.unanswered
            .filter(|since| now.saturating_duration_since(*since) >= CUT)
    }

    /// What may be sent in bits a second, 0 behind a cut; `None` while the link has shown no limit, or has grown out of it.
    pub fn bears(&mut self, now: Instant) -> Option<u64> {
        if self.is_idle(now) {
            self.road.idle(now);
        }
        match self.is_silent(now) {
            true => Some(0),
            false => self.road.limit().map(|bps| bps as u64),
        }
    }

    /// A packet leaves with this running number, in a datagram of so many bytes.
    pub fn sent(&mut self, number: u16, bytes: usize, cargo: Cargo, at: Instant) {
        // Most packets leave together with others.
        if self.last_sent != Some(at) {
            self.goes_on(at);
        }
        self.unanswered.get_or_insert(at);
        if let Some(place) = self.sent.get_mut(usize::from(number) % REMEMBERED) {
            let bytes = u16::try_from(bytes + OVERHEAD_BYTES).unwrap_or(u16::MAX);
            *place = Some(Sent {
                number,
                bytes,
                cargo,
                missed: false,
                at: self.tick,
                again: None,
            });
        }
    }

    fn goes_on(&mut self, at: Instant) {
        // The last word before a pause may go unanswered on a good road: its silence counts from the next one.
        if self.is_idle(at) {
            self.unanswered = None;
        }
        self.last_sent = Some(at);
        self.tick = ticks(*self.begun.get_or_insert(at), at) as u32;
    }

    /// The client asked for the packet of this number, and it leaves again.
    pub fn sent_again(&mut self, number: u16, at: Instant) {
        let Some(begun) = self.begun else { return };
        let place = self.sent.get_mut(usize::from(number) % REMEMBERED);
        let sent = place.and_then(Option::as_mut);
        if let Some(sent) = sent.filter(|sent| sent.number == number) {
            let again = NonZeroU32::new(ticks(begun, at) as u32);
            sent.again = sent.again.or(again).or(Some(NonZeroU32::MIN));
        }
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
        let clock = self.clock(feedback.reference_time, now);
        let was_cut = self.cut(now).is_some();
        let begun = self.begun.unwrap_or(now);
        let (begun_us, ticks_now) = (micros(begun, epoch), ticks(begun, now));
        let micros_of = |ticks| begun_us + whole(ticks, ticks_now) * i64::from(TICK_US);
        let mut came = 0;
        let (mut missing, mut came_again) = (Missing::default(), Missing::default());
        for (number, arrival) in arrivals(feedback, clock) {
            let Some(place) = self.sent.get_mut(usize::from(number) % REMEMBERED) else {
                continue;
            };
            let Some(sent) = place.filter(|sent| sent.number == number) else {
                continue;
            };
            let left = micros_of(sent.at);
            let window = &mut self.window;
            window.last_left = window.last_left.max(Some(left));
            let Some(arrival) = arrival else {
                if !sent.missed {
                    missing.add(&sent);
                }
                *place = Some(Sent {
                    missed: true,
                    ..sent
                });
                continue;
            };
            *place = None;
            self.unanswered = None;
            // What may have been on its way since it was sent again was lost before; what came sooner was only overtaken.
            let again = sent.again.map(|at| arrival - micros_of(at.get()));
            if again.is_some_and(|way| self.shortest.allows(way)) {
                if !sent.missed {
                    came_again.add(&sent);
                }
                continue;
            }
            came += 1;
            if sent.missed {
                self.missing.overtaken(&sent);
            }
            self.shortest.saw(arrival - left, now);
            window.arrived += 1;
            window.bytes += u64::from(sent.bytes);
            window.picture_bytes += sent.picture_bytes();
            window.ways += arrival - left;
            window.last_arrival = window.last_arrival.max(Some(arrival));
        }
        if was_cut && came + came_again.packets > 0 {
            self.after_cut();
        }
        let missed = std::mem::replace(&mut self.missing, missing);
        let lost = missed.packets + came_again.packets;
        self.window.lost += lost;
        self.window.lost_bytes += missed.bytes + came_again.bytes;
        self.window.picture_bytes += missed.picture_bytes + came_again.picture_bytes;
        self.judge(now);
        (came + lost, lost)
    }

    /// The client's clock, counted on beyond the 24 bits it is told in: they are over after twelve days. A clock that has
    /// jumped begins anew, for nothing that was known of it can be compared with it.
    fn clock(&mut self, told: u32, now: Instant) -> i64 {
        let Some((last, at)) = self.clock else {
            self.clock = Some((told.into(), now));
            return told.into();
        };
        let ahead = (told.wrapping_sub(last as u32) << 8) as i32 >> 8;
        let clock = last + i64::from(ahead);
        let passed = now.saturating_duration_since(at).as_millis() as i64;
        let ahead_ms = i64::from(ahead) * CLOCK_MS;
        let gained = ahead_ms - passed;
        if gained > JUMP_MS || ahead_ms < -JUMP_MS || gained < -HELD_UP_MS {
            self.begin_anew();
            self.shortest = Shortest::default();
        }
        self.clock = Some((clock, now));
        clock
    }

    /// What went into a cut is named missing by the first report after it, and is lost with the second: beside the time
    /// since, that would be far more than was ever sent, and most of it lost. The first window from here on is only where
    /// the next begins, so it is judged by nobody. A road so thin that it is silent again and again is no cut one.
    fn after_cut(&mut self) {
        if std::mem::take(&mut self.judged) {
            self.begin_anew();
        }
    }

    /// Nothing that was known of times can be compared with what comes.
    fn begin_anew(&mut self) {
        (self.arrived_until, self.left_until) = (None, None);
        self.window = Window::default();
    }

    fn judge(&mut self, now: Instant) {
        let since = *self.window.since.get_or_insert(now);
        let packets = self.window.arrived + self.window.lost;
        if now.saturating_duration_since(since) < WINDOW || packets < WINDOW_PACKETS {
            return;
        }
        let window = std::mem::take(&mut self.window);
        self.window.since = Some(now);
        let (from, left_from) = (self.arrived_until, self.left_until);
        self.arrived_until = self.arrived_until.max(window.last_arrival);
        self.left_until = self.left_until.max(window.last_left);
        let came = from.zip(window.last_arrival);
        let Some((came, left)) = came.zip(left_from.zip(window.last_left)) else {
            return;
        };
        // Over a pause of the sender a rate says nothing; it is then lower than what the link bears.
        let rate = |bytes: u64, (from, until): (i64, i64), least: Duration| {
            let span = (until - from).max(least.as_micros() as i64);
            bytes as f64 * 8e6 / span as f64
        };
        self.judged = true;
        let mean = window.ways / i64::from(window.arrived.max(1));
        let seen = Seen {
            sent: rate(window.bytes + window.lost_bytes, left, LEFT_LEAST),
            delivered: rate(window.bytes, came, WINDOW / 2),
            pictures: rate(window.picture_bytes, left, LEFT_LEAST),
            packets,
            lost: window.lost,
            queue_us: mean - self.shortest.least().unwrap_or(mean),
        };
        self.road.judge(&seen, now);
    }
}

impl Sent {
    fn picture_bytes(&self) -> u64 {
        match self.cargo {
            Cargo::Picture => self.bytes.into(),
            Cargo::Sound | Cargo::Words => 0,
        }
    }
}

impl Missing {
    fn add(&mut self, sent: &Sent) {
        self.packets += 1;
        self.bytes += u64::from(sent.bytes);
        self.picture_bytes += sent.picture_bytes();
    }

    /// One of them came all the same; one of a report before is counted already.
    fn overtaken(&mut self, sent: &Sent) {
        self.packets = self.packets.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(sent.bytes.into());
        self.picture_bytes = self.picture_bytes.saturating_sub(sent.picture_bytes());
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

    /// Whether a way is no shorter than can be; clients tell of quarters of a millisecond.
    fn allows(&self, way: i64) -> bool {
        self.least().is_none_or(|least| way + 1_000 >= least)
    }

    fn least(&self) -> Option<i64> {
        self.now.into_iter().chain(self.before).min()
    }
}

fn micros(at: Instant, epoch: Instant) -> i64 {
    at.saturating_duration_since(epoch).as_micros() as i64
}

/// How many ticks have passed.
fn ticks(begun: Instant, at: Instant) -> i64 {
    let passed = at.saturating_duration_since(begun);
    let in_second = passed.subsec_nanos() / (TICK_US * 1_000);
    (passed.as_secs() * u64::from(1_000_000 / TICK_US) + u64::from(in_second)) as i64
}

/// The tick whose lower bits were remembered, which is the nearest to now.
fn whole(ticks: u32, now: i64) -> i64 {
    now + i64::from(ticks.wrapping_sub(now as u32) as i32)
}

/// Each packet a feedback speaks of, and when it arrived on the client's clock, in microseconds
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1).
fn arrivals(feedback: &TransportLayerCc, clock: i64) -> impl Iterator<Item = (u16, Option<i64>)> {
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
    let mut clock = clock * CLOCK_MS * 1_000;
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
mod rooms;
#[cfg(test)]
mod tests;
