//! What the one task remembers of each admitted peer.

use crate::allowance::Allowance;
use crate::demux::is_stun;
use crate::driver::Recent;
use crate::engine::{Layer, Leg, Path, RtpIn, STILL};
use crate::forward::{PictureSlot, VoiceSlot};
use crate::gate::{Costs, FIRST_VOICE_SLOT, Presenter, Screen, Source};
use crate::rates::Rate;
use crate::stats::Meter;
use bytes::BytesMut;
use diemcau_model::limits::AUDIO_SLOTS;
use diemcau_model::{Carries, LinkStep, PeerId, ScreenSlots, SeatId, Side, SiteId};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A layer that brought nothing for so long does not arrive any more.
const LAYER_LIFETIME: Duration = Duration::from_millis(1_500);
/// Datagrams a second a client may send on each side, about ten times what a room with three layers needs; a further one
/// is thrown away unread, so that one client cannot take the time of all.
const RATE_MAX: f64 = 4_000.0;
/// So many may come at once.
const BURST_MAX: f64 = 2_000.0;
/// The same for checks from addresses that have not been answered: a browser makes some tens while it connects.
const STRANGERS_RATE_MAX: f64 = 100.0;
const STRANGERS_BURST_MAX: f64 = 200.0;
/// Answers that a downlink takes until it has keys: one to its own offer, and those to offers before it that were on their
/// way when it was made, for an answer does not say which offer it is to. There are four offers in ten seconds (`tries.rs`).
const ANSWERS_MAX: usize = 4;
/// Of what a link bears, a change by less than one part of so many changes no route.
const BEARS_STEPS: u64 = 25;

pub struct Peer {
    pub seat: SeatId,
    pub site: Option<SiteId>,
    pub carries: Carries,
    pub listens: bool,
    pub screen: ScreenSlots,
    pub up: Option<Up>,
    pub down: Option<Down>,
    pub presents: Option<Up>,
    /// What it was last told its slots show, and its link makes of them.
    pub told: Option<(Vec<Option<SiteId>>, LinkStep)>,
    pub meter: Meter,
    /// Its own downlinks, if others may watch with its seat too.
    pub tries: Recent,
}

pub struct Up {
    pub line: Line,
    /// Grows with each connection; 0 while not connected.
    pub order: u64,
    seen: [Option<Seen>; 3],
    arriving: Vec<Layer>,
    rates: [Rate; 3],
    /// The same of what is presented.
    presented: Rate,
    /// What each of its layers costs, as the routes were made.
    costs: Costs,
    /// Since when it is connected and no picture arrives.
    waits_since: Option<Instant>,
    dark: bool,
}

/// The furthest packet of a layer's pictures.
struct Seen {
    ssrc: u32,
    seq: u16,
    at: Instant,
}

pub struct Down {
    pub line: Line,
    pub pictures: Vec<PictureSlot>,
    pub voices: Vec<VoiceSlot>,
    /// How many voices it plays: fewer than there are slots if the client made the downlink itself.
    pub ears: usize,
    /// What the link bears in bits a second, as the routes were made.
    pub bears: Option<u64>,
    pub step: LinkStep,
    /// The slots whose pictures have no room on it.
    pub without: Vec<usize>,
    answers_left: usize,
}

/// A leg and what the loop must know about it.
pub struct Line {
    allowance: Allowance,
    /// The same for addresses that are not the client's, or not yet.
    of_strangers: Allowance,
    pub leg: Box<dyn Leg>,
    pub connected: bool,
    pub made: Instant,
    /// When the last datagram came.
    pub heard: Instant,
    pub deadline: Option<Instant>,
    /// It received something: its events wait to be drained.
    pub touched: bool,
    /// It may have datagrams to send.
    pub wet: bool,
    /// A STUN request came, so the next STUN answer shows whose the address is.
    pub asked_by_stun: bool,
    /// The last check that was answered came over TCP. Who can be reached by UDP checks TCP no further.
    pub over_tcp: bool,
    /// Why a handshake with somebody there can come to nothing.
    pub refused: Option<String>,
}

impl Peer {
    pub fn new(seat: SeatId, site: Option<SiteId>, carries: Carries, now: Instant) -> Self {
        Self {
            seat,
            site,
            carries,
            // Rooms hear each other from the start; a desk that only watches sits in a room that hears already.
            listens: carries.endpoint().is_some(),
            screen: ScreenSlots::default(),
            up: None,
            down: None,
            presents: None,
            told: None,
            meter: Meter::new(now),
            tries: Recent::default(),
        }
    }

    pub fn line(&mut self, side: Side) -> Option<&mut Line> {
        self.line_and_meter(side).map(|(line, _)| line)
    }

    /// A line, and the meter of what goes over it.
    pub fn line_and_meter(&mut self, side: Side) -> Option<(&mut Line, &mut Meter)> {
        let line = match side {
            Side::Uplink => self.up.as_mut().map(|up| &mut up.line),
            Side::Downlink => self.down.as_mut().map(|down| &mut down.line),
            Side::Presentation => self.presents.as_mut().map(|up| &mut up.line),
        };
        Some((line?, &mut self.meter))
    }

    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        let up = self.up.as_ref().map(|up| &up.line);
        let down = self.down.as_ref().map(|down| &down.line);
        let presents = self.presents.as_ref().map(|up| &up.line);
        up.into_iter().chain(down).chain(presents)
    }

    pub fn take_line(&mut self, side: Side) -> Option<Line> {
        match side {
            Side::Uplink => self.up.take().map(|up| up.line),
            Side::Downlink => self.down.take().map(|down| down.line),
            Side::Presentation => self.presents.take().map(|up| up.line),
        }
    }

    /// A packet of a picture came; true if its layer is new.
    pub fn saw(&mut self, packet: &RtpIn, now: Instant) -> bool {
        match packet.layer {
            Layer::Presentation => {
                if let Some(up) = self.presents.as_mut() {
                    up.presented(packet);
                }
                false
            }
            Layer::Quarter | Layer::Half | Layer::Full => {
                let up = self.up.as_mut();
                up.is_some_and(|up| up.saw(packet, now))
            }
        }
    }

    /// As the gate sees it sending.
    pub fn source(&self, peer: PeerId) -> Option<Source> {
        let up = self.up.as_ref().filter(|up| up.line.connected)?;
        Some(Source {
            peer,
            site: self.site?,
            kind: self.carries.endpoint()?,
            order: up.order,
            layers: up.arriving.clone(),
            costs: up.costs,
        })
    }

    /// As the gate sees it presenting.
    pub fn presenter(&self, peer: PeerId) -> Option<Presenter> {
        let up = self.presents.as_ref().filter(|up| up.line.connected)?;
        Some(Presenter {
            peer,
            seat: self.seat,
            order: up.order,
            costs: up.costs,
        })
    }

    /// As the gate sees it receiving.
    pub fn screen(&self, peer: PeerId) -> Option<Screen> {
        let down = self.down.as_ref().filter(|down| down.line.connected)?;
        Some(Screen {
            peer,
            site: self.site,
            carries: self.carries,
            listens: self.listens,
            slots: self.screen.clone(),
            ears: down.ears,
            bears: down.bears,
        })
    }
}

impl Up {
    pub fn new(leg: Box<dyn Leg>, now: Instant) -> Self {
        Self {
            line: Line::new(leg, now),
            order: 0,
            seen: [const { None }; 3],
            arriving: vec![],
            rates: Default::default(),
            presented: Rate::default(),
            costs: Costs::PLANNED,
            waits_since: None,
            dark: false,
        }
    }

    /// A packet came; true if its layer is new. A layer that a browser has given up for want of room still brings
    /// padding, and old packets again.
    pub fn saw(&mut self, packet: &RtpIn, now: Instant) -> bool {
        let layer = packet.layer;
        let Some(place) = Layer::ALL.iter().position(|known| *known == layer) else {
            return false;
        };
        let is_old = |seen: &Seen| {
            let ahead = packet.seq.wrapping_sub(seen.seq);
            seen.ssrc == packet.ssrc && (ahead == 0 || ahead >= 0x8000)
        };
        if packet.payload.is_empty() || self.seen[place].as_ref().is_some_and(is_old) {
            return false;
        }
        self.seen[place] = Some(Seen {
            ssrc: packet.ssrc,
            seq: packet.seq,
            at: now,
        });
        self.rates[place].came(packet.payload.len());
        if self.arriving.contains(&layer) {
            return false;
        }
        self.arriving.push(layer);
        (self.waits_since, self.dark) = (None, false);
        true
    }

    /// A packet of what is presented came. Its padding is not forwarded.
    fn presented(&mut self, packet: &RtpIn) {
        if !packet.payload.is_empty() {
            self.presented.came(packet.payload.len());
        }
    }

    /// Weighs what is presented; true if the routes must be made anew, for it brings much more or less.
    pub fn weigh(&mut self, now: Instant) -> bool {
        self.presented.weigh(now);
        let costs = Costs::presented(self.presented.bps());
        std::mem::replace(&mut self.costs, costs) != costs
    }

    /// Whether its site is here and its picture is not: the camera has stopped, or never began. One that has only just
    /// connected is not dark yet.
    pub fn is_dark(&self) -> bool {
        self.dark
    }

    /// Forgets layers that stopped, and weighs the others; true if the routes must be made anew: a layer or the whole picture
    /// is missing from now on, or brings much more or less.
    pub fn age(&mut self, now: Instant) -> bool {
        let before = self.arriving.len();
        let fresh = |seen: &Option<Seen>| {
            let at = seen.as_ref().map(|seen| seen.at);
            at.is_some_and(|at| now.saturating_duration_since(at) < LAYER_LIFETIME)
        };
        let layers = Layer::ALL.iter().zip(&self.seen);
        let alive: Vec<Layer> = layers
            .filter(|(_, seen)| fresh(seen))
            .map(|(layer, _)| *layer)
            .collect();
        self.arriving.retain(|layer| alive.contains(layer));
        let mut changed = self.arriving.len() < before;
        for (layer, rate) in Layer::ALL.iter().zip(&mut self.rates) {
            match self.arriving.contains(layer) {
                true => rate.weigh(now),
                false => *rate = Rate::default(),
            }
        }
        let costs = Costs::measured(&self.arriving, self.rates.each_ref().map(Rate::bps));
        changed |= std::mem::replace(&mut self.costs, costs) != costs;
        let stopped = before > 0;
        let was_dark = self.dark;
        if self.line.connected && self.arriving.is_empty() {
            let since = *self.waits_since.get_or_insert(now);
            let waited = now.saturating_duration_since(since) >= LAYER_LIFETIME;
            self.dark |= stopped || waited;
        }
        changed || self.dark != was_dark
    }
}

impl Down {
    pub fn new(leg: Box<dyn Leg>, now: Instant) -> Self {
        Self {
            line: Line::new(leg, now),
            pictures: (0..FIRST_VOICE_SLOT).map(|_| PictureSlot::new()).collect(),
            voices: (0..AUDIO_SLOTS).map(|_| VoiceSlot::new()).collect(),
            ears: AUDIO_SLOTS,
            bears: None,
            step: LinkStep::Full,
            without: vec![],
            answers_left: ANSWERS_MAX,
        }
    }

    /// One that its client has offered, which plays so many sounds: it has its answer from us.
    pub fn with_ears(mut self, ears: usize) -> Self {
        (self.ears, self.answers_left) = (ears, 0);
        self
    }

    /// Whether its client may answer now; if so, it counts. Each answer begins the handshake anew, and what has keys needs none.
    pub fn takes_answer(&mut self) -> bool {
        let may = !self.line.connected && self.answers_left > 0;
        self.answers_left -= usize::from(may);
        may
    }

    /// Asks what the link bears; true if that has changed so much that the routes must be made anew.
    pub fn weigh(&mut self, now: Instant) -> bool {
        let bears = self.line.leg.bears(now);
        let changed = match (self.bears, bears) {
            (Some(former), Some(bears)) => former.abs_diff(bears) * BEARS_STEPS > former.max(bears),
            (former, bears) => former != bears,
        };
        if changed {
            self.bears = bears;
        }
        changed
    }
}

impl Line {
    /// Takes a datagram; false if it is thrown away unread. Who only knows the leg's name, or repeats a check of the client's,
    /// takes nothing of what the client may send. Nor does the client of what strangers may, once keys have shown it at a
    /// new address.
    pub fn comes(&mut self, datagram: &[u8], from: Path, now: Instant) -> bool {
        let is_there = self.leg.path() == Some(from);
        let allowance = match is_there {
            true => &mut self.allowance,
            false => &mut self.of_strangers,
        };
        if !allowance.take(now) {
            return false;
        }
        self.asked_by_stun |= is_stun(datagram);
        if self.leg.receive(BytesMut::from(datagram), from, now) {
            self.heard = now;
            if !is_there && self.allowance.take(now) {
                self.of_strangers.give_back();
            }
        }
        true
    }

    /// Its client is at an address, and was heard just now.
    pub fn is_at(&self, client: SocketAddr, now: Instant) -> bool {
        let path = self.leg.path().map(|path| path.client);
        path == Some(client) && now.saturating_duration_since(self.heard) < STILL
    }

    /// Why it did not connect.
    pub fn why_not(&self) -> String {
        let mut why = "it did not connect in time".to_owned();
        if let Some(refused) = &self.refused {
            why.push_str(": ");
            why.push_str(refused);
        }
        why
    }

    pub fn new(leg: Box<dyn Leg>, now: Instant) -> Self {
        Self {
            allowance: Allowance::new(RATE_MAX, BURST_MAX, now),
            of_strangers: Allowance::new(STRANGERS_RATE_MAX, STRANGERS_BURST_MAX, now),
            leg,
            connected: false,
            made: now,
            heard: now,
            deadline: Some(now),
            touched: false,
            wet: false,
            asked_by_stun: false,
            over_tcp: false,
            refused: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_read_and_a_flood_is_not() {
        let start = Instant::now();
        let mut allowance = Allowance::new(RATE_MAX, BURST_MAX, start);
        let mut read = |from_us: u64, count: u64, each_us: u64| {
            let at = |n| start + Duration::from_micros(from_us + n * each_us);
            (0..count).filter(|n| allowance.take(at(*n))).count()
        };
        assert_eq!(read(0, 1_500, 0), 1_500, "a burst");
        assert_eq!(read(1_000_000, 1_000, 1_000), 1_000, "a room");
        let flood = read(2_000_000, 100_000, 20);
        assert!(
            (9_000..=10_100).contains(&flood),
            "of 50,000 a second: {flood}"
        );
    }

    #[test]
    fn only_what_comes_along_the_path_is_of_what_the_client_may_send() {
        let now = Instant::now();
        let at = |port: u16| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let engine = crate::engine::Engine::new(crate::engine::Addresses(vec![]), now).unwrap();
        let mut line = Line::new(engine.open_downlink(at(1)).unwrap(), now);
        let mut read = |from| {
            (0..10_000)
                .filter(|_| line.comes(&[], at(from).into(), now))
                .count()
        };
        assert_eq!(read(2), STRANGERS_BURST_MAX as usize);
        assert_eq!(read(1), BURST_MAX as usize);
    }

    #[test]
    fn a_layer_that_brings_only_padding_and_old_packets_has_stopped() {
        let start = Instant::now();
        let engine = crate::engine::Engine::new(crate::engine::Addresses(vec![]), start).unwrap();
        let mut up = Up::new(engine.offer_downlink().unwrap().0, start);
        let packet = |seq: u16, bytes: usize| RtpIn {
            codec: crate::engine::Codec::Vp8,
            layer: Layer::Full,
            ssrc: 1,
            seq,
            timestamp: 0,
            marker: false,
            level_dbov: None,
            is_newest: true,
            was_lost: false,
            payload: vec![0; bytes].into(),
        };
        let at = |ms| start + Duration::from_millis(ms);
        for part in 0..40_u16 {
            let now = at(u64::from(part) * 60);
            let is_new = up.saw(&packet(65_530_u16.wrapping_add(part), 9), now);
            assert_eq!(is_new, part == 0, "one long picture on a thin link");
            up.age(now);
            assert_eq!(up.arriving, [Layer::Full]);
        }
        let newest = 65_530_u16.wrapping_add(39);
        for ms in 2_400..4_000 {
            up.saw(&packet(newest, 9), at(ms));
            up.saw(&packet(newest - 5, 9), at(ms));
            up.saw(&packet(newest + (ms - 2_399) as u16, 0), at(ms));
        }
        assert!(up.age(at(4_000)), "it has stopped");
        assert!(!up.saw(&packet(newest, 9), at(4_000)), "sent again");
        let back = newest + 2_000;
        assert!(up.saw(&packet(back, 9), at(4_000)), "it is back");
        let anew = RtpIn {
            ssrc: 2,
            ..packet(5, 9)
        };
        up.saw(&anew, at(6_000));
        assert!(!up.age(at(7_000)), "another stream of it");
    }

    #[test]
    fn a_presentation_costs_what_was_planned_and_what_it_brings_if_that_is_more() {
        let start = Instant::now();
        let engine = crate::engine::Engine::new(crate::engine::Addresses(vec![]), start).unwrap();
        let mut peer = Peer::new(SeatId(0), None, Carries::Watch, start);
        peer.presents = Some(Up::new(engine.offer_downlink().unwrap().0, start));
        let mut ms = 0;
        let mut pass = |fifths: u32, packets: u16| {
            let mut changed = 0;
            for _ in 0..fifths {
                ms += 200;
                let now = start + Duration::from_millis(ms);
                for seq in 0..packets {
                    let packet = RtpIn {
                        codec: crate::engine::Codec::Vp8,
                        layer: Layer::Presentation,
                        ssrc: 1,
                        seq,
                        timestamp: 0,
                        marker: false,
                        level_dbov: None,
                        is_newest: true,
                        was_lost: false,
                        payload: vec![0; 1_172].into(),
                    };
                    assert!(!peer.saw(&packet, now));
                }
                let up = peer.presents.as_mut().unwrap();
                changed += usize::from(up.weigh(now));
            }
            let costs = peer.presents.as_ref().unwrap().costs;
            (changed, costs.of(Layer::Presentation))
        };
        let planned = Costs::PLANNED.of(Layer::Presentation);
        assert_eq!(pass(20, 2), (0, planned), "a slide that stands still");
        let (changed, flood) = pass(21, 100);
        assert_eq!(changed, 1);
        assert!((4_500_000..5_500_000).contains(&flood), "{flood}");
    }

    #[test]
    fn a_room_is_dark_when_its_last_layer_stops_or_none_ever_came_and_not_while_it_connects() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let engine = crate::engine::Engine::new(crate::engine::Addresses(vec![]), start).unwrap();
        let mut up = Up::new(engine.offer_downlink().unwrap().0, start);
        let packet = |layer| RtpIn {
            codec: crate::engine::Codec::Vp8,
            layer,
            ssrc: 1,
            seq: 1,
            timestamp: 0,
            marker: false,
            level_dbov: None,
            is_newest: true,
            was_lost: false,
            payload: vec![0].into(),
        };
        assert!(!up.age(at(9_000)) && !up.is_dark(), "not connected");
        up.line.connected = true;
        assert!(!up.age(at(9_200)) && !up.is_dark(), "just connected");
        assert!(up.age(at(10_700)) && up.is_dark(), "nothing ever came");
        assert!(!up.age(at(10_900)) && up.is_dark(), "told once");
        assert!(up.saw(&packet(Layer::Full), at(11_000)) && !up.is_dark());
        up.saw(&packet(Layer::Quarter), at(12_000));
        assert!(
            up.age(at(12_600)) && !up.is_dark(),
            "only one layer stopped"
        );
        assert!(up.age(at(13_600)) && up.is_dark(), "the last one");
    }
}
