//! A downlink of our own: the fixed slots of one client.
//!
//! It carries twelve of thirteen packets, so nothing is done for a packet here but what it costs to write its header,
//! copy it once, protect it and hand it over. `send` only notes a packet; `drain_datagrams` writes all that was noted
//! since in as few calls as the kernel allows.

mod answer;
mod asked;
mod coarse;
mod estimate;
#[cfg(test)]
mod fuzz;
mod offer;
mod reports;
mod runs;
mod statuses;
mod stream;

use super::wire::srtp::TAG_BYTES_MAX;
use super::wire::{Received, Transport};
use super::{
    Cargo, Codec, Engine, EngineError, Layer, Leg, LegEvent, Names, Outlet, Path, Run, refused,
};
use crate::rewrite::RtpOut;
use asked::Asked;
use bytes::BytesMut;
use coarse::Coarse;
use diemcau_model::limits::{AUDIO_SLOTS, PICTURE_SLOTS};
use estimate::Estimate;
use reports::{REPORT_INTERVAL, Reports, Said, Wishes};
use std::time::{Duration, Instant};
use stream::{Missed, Stamp, Stream};

/// Video slots come first in the offer: the programme, the tiles and the presentation.
const VIDEO_SLOTS: usize = PICTURE_SLOTS;
const SLOTS: usize = VIDEO_SLOTS + AUDIO_SLOTS;
/// The stream number of slot 0; the others follow.
const FIRST_SSRC: u32 = 0x0d1e_c000;

/// Packets noted between two drains; a further one is dropped like one lost on the way.
const NOTED_MAX: usize = 1_024;

/// A slot that sent nothing for so long shows nothing that moves.
const LATELY: Duration = Duration::from_secs(1);
/// Of what a link bears, one part of so many may be what is sent again: more would push out what is sent for the first time.
const AGAIN_PART: f64 = 8.0;
/// So many seconds of it may be sent again at once.
const AGAIN_SAVED: f64 = 2.0;

/// How much may still be sent again on a link that has shown its limit.
#[derive(Default)]
struct Again {
    bits: f64,
    at: Option<Instant>,
}

impl Again {
    /// Whether a packet may be sent again; if so, it counts. A link without a limit bears it.
    fn take(&mut self, bytes: usize, bears: Option<u64>, now: Instant) -> bool {
        let Some(bears) = bears else {
            self.at = None;
            return true;
        };
        let rate = bears as f64 / AGAIN_PART;
        let passed = self.at.replace(now);
        let passed = passed.map_or(AGAIN_SAVED, |at| {
            now.saturating_duration_since(at).as_secs_f64()
        });
        let bits = bytes as f64 * 8.0;
        self.bits = (self.bits + passed * rate).min(AGAIN_SAVED * rate);
        let may = self.bits >= bits;
        if may {
            self.bits -= bits;
        }
        may
    }
}

pub struct Downlink {
    transport: Transport,
    streams: Vec<Stream>,
    /// The slots the client takes.
    taken: [bool; SLOTS],
    /// What it calls the running number over all packets in each slot, where it takes one (RFC 8285, 5: of each part).
    twcc_ids: [Option<u8>; SLOTS],
    /// The running number of the next packet that bears one.
    running: u16,
    /// Slot and number of the packets that wait for the next drain.
    noted: Vec<(usize, u64)>,
    epoch: Instant,
    estimate: Estimate,
    /// The same for who takes no running number.
    coarse: Coarse,
    reports: Reports,
    report_at: Option<Instant>,
    again: Again,
    /// The client has told of something that arrived.
    tells_anything: bool,
    asked: Asked,
    wishes: Wishes,
    events: Vec<LegEvent>,
}

pub fn check_offer(offer: &str) -> Result<(), EngineError> {
    answer::read(offer).map(|_| ())
}

impl Downlink {
    /// A downlink with every slot, and the offer for the client.
    pub fn offer(engine: &Engine) -> Result<(Self, String), EngineError> {
        let leg = Self::new(engine, offer::cname)?;
        let offer = offer::write(&engine.ours(&leg.transport.ice)?);
        Ok((leg, offer))
    }

    /// The downlink that a client offers: how many sounds it takes, and the answer for it.
    pub fn answer(
        engine: &Engine,
        offer: &str,
        now: Instant,
    ) -> Result<(Self, usize, String), EngineError> {
        let offer = answer::read(offer)?;
        let mut leg = Self::new(engine, answer::cname)?;
        for (slot, part, twcc_id) in offer.taken() {
            leg.take_slot(slot, part.names, twcc_id);
        }
        let theirs = &offer.offered;
        let begun = leg.transport.described(
            (&theirs.ufrag, &theirs.password),
            theirs.fingerprint,
            theirs.role,
            now,
        );
        for received in begun.map_err(refused)? {
            leg.received(received, now);
        }
        let answer = answer::write(&offer, &engine.ours(&leg.transport.ice)?);
        Ok((leg, offer.ears(), answer))
    }

    fn new(engine: &Engine, cname: fn(usize) -> String) -> Result<Self, EngineError> {
        Ok(Self {
            transport: Transport::new(engine.identity.clone()).map_err(refused)?,
            streams: (0..SLOTS).map(Stream::new).collect(),
            taken: [false; SLOTS],
            twcc_ids: [None; SLOTS],
            running: 0,
            noted: vec![],
            epoch: engine.epoch,
            estimate: Estimate::new(),
            coarse: Coarse::new(),
            reports: Reports::new(engine.epoch, cname),
            report_at: None,
            again: Again::default(),
            tells_anything: false,
            asked: Asked::new(engine.epoch),
            wishes: Wishes::default(),
            events: vec![],
        })
    }

    #[cfg(test)]
    pub fn open(&mut self, to: impl Into<Path>) {
        self.transport.open(to);
        for slot in 0..SLOTS {
            self.take_slot(slot, offer::names_of(slot), Some(5));
        }
    }

    fn take_slot(&mut self, slot: usize, names: Names, twcc_id: Option<u8>) {
        self.taken[slot] = names.is_any();
        self.twcc_ids[slot] = twcc_id.filter(|_| names.is_any());
        if self.tells() {
            self.estimate.remember();
        }
        self.streams[slot].name(names);
    }

    fn received(&mut self, received: Received, now: Instant) {
        match received {
            Received::Nothing | Received::Rtp(..) | Received::Answered(_) => {}
            Received::Connected => {
                self.report_at = Some(now + REPORT_INTERVAL);
                self.events.push(LegEvent::Connected);
            }
            Received::Closed => {
                let why = "the client closed it".to_owned();
                self.events.push(LegEvent::Failed(why));
            }
            Received::Refused(why) => self.events.push(LegEvent::Refused(why)),
            Received::Rtcp(packet) => {
                let said = self.reports.read(&packet, now);
                self.wished(&said.wishes, now);
                let trip = said.trip_ms.map(|ms| LegEvent::RoundTrip { ms });
                self.events.extend(trip);
                if let Some(since) = self.estimate.cut(now).filter(|_| !said.arrivals.is_empty()) {
                    self.begin_anew(since);
                    // All it missed would leave at once, before the sound, and the key frames make it useless.
                    let went_on = self.streams.iter_mut();
                    let went_on = went_on.filter(|stream| stream.sent_since(since));
                    went_on.for_each(Stream::begin_anew);
                }
                self.told(&said, now);
                if self.estimate.take_eased() || self.coarse.take_eased() {
                    self.begin_anew(now - LATELY);
                }
                for (slot, seq) in said.missed {
                    self.missed(slot, seq, now);
                }
            }
        }
    }

    /// The client wishes for key frames.
    fn wished(&mut self, said: &Wishes, now: Instant) {
        for (slot, wish) in self.wishes.iter_mut().enumerate() {
            // What waits to be heard is one wish, however often it is said.
            if said[slot] && !*wish {
                *wish = self.asked.ask(slot, &self.streams[slot], now);
            }
        }
    }

    /// What the client says of what arrived: of the figures, and of what its road bears.
    fn told(&mut self, said: &Said, now: Instant) {
        let (mut spoken_of, mut lost) = (0, 0);
        // Who tells when packets arrive says more of the road: what was sent again was lost.
        let counted = said.counted.iter();
        for told in counted.filter(|(slot, ..)| self.twcc_ids[*slot].is_none()) {
            (spoken_of, lost) = (spoken_of + told.1, lost + told.2);
        }
        if !self.tells() {
            self.coarse.missed(spoken_of, lost, now);
            if let Some(bps) = said.bears {
                self.coarse.client_thinks(bps, now);
            }
        }
        for arrivals in &said.arrivals {
            let told = self.estimate.arrived(arrivals, self.epoch, now);
            (spoken_of, lost) = (spoken_of + told.0, lost + told.1);
        }
        if spoken_of > lost {
            self.tells_anything = true;
            self.streams.iter_mut().for_each(Stream::heard);
        }
        if spoken_of > 0 {
            self.events.push(LegEvent::Arrived { spoken_of, lost });
        }
    }

    /// Whether the client tells when packets arrive.
    fn tells(&self) -> bool {
        self.twcc_ids.iter().any(Option::is_some)
    }

    /// The client is back from a cut or a full link: what it missed is more than a key frame, and it would wait for
    /// seconds before it asks.
    fn begin_anew(&mut self, since: Instant) {
        for (wish, stream) in self.wishes.iter_mut().zip(&self.streams) {
            *wish |= stream.sent_since(since);
        }
    }

    fn missed(&mut self, slot: usize, seq: u16, now: Instant) {
        let stream = self.streams.get_mut(slot);
        match stream.map(|stream| stream.missed(seq, now)) {
            Some(Missed::Again(number)) if self.may_send_again(slot, number, now) => {
                self.note(slot, number);
            }
            Some(Missed::ForGood) => {
                if let Some(wish) = self.wishes.get_mut(slot) {
                    *wish = true;
                }
            }
            Some(Missed::Again(_) | Missed::Nothing) | None => {}
        }
    }

    /// What is sent again while packets wait on the way only makes them wait longer; the client asks once more. Who asks
    /// after a cut, before it has told what came, gets key frames as soon as it does.
    fn may_send_again(&mut self, slot: usize, number: u64, now: Instant) -> bool {
        let stream = self.streams.get(slot);
        let form = stream.and_then(|stream| stream.form(number, true, TAG_BYTES_MAX));
        let bytes = form.map(|form| form.length);
        let bears = self.bears(now);
        let waits = self.estimate.is_full() || self.coarse.is_full();
        let was_cut = self.estimate.cut(now).is_some();
        let may = !waits && !was_cut && self.again.take(bytes.unwrap_or(0), bears, now);
        let stream = self.streams.get_mut(slot).filter(|_| may);
        if let Some(running) = stream.and_then(|stream| stream.resent(number, now)) {
            self.estimate.sent_again(running, now);
        }
        may
    }

    fn note(&mut self, slot: usize, number: u64) {
        if self.noted.len() < NOTED_MAX {
            self.noted.push((slot, number));
        }
    }

    /// Writes what was noted, one run after the other.
    fn drain_packets(&mut self, out: &mut Outlet<'_>) {
        let Some((to, sealer)) = self.transport.way() else {
            self.noted.clear();
            return;
        };
        let tag = sealer.profile().tag_bytes();
        // Packets of one stream stand together and in their order; the order between streams means nothing.
        self.noted.sort_unstable();
        let mut rest = &self.noted[..];
        while !rest.is_empty() {
            let lengths = rest.iter().map_while(|(slot, number)| {
                let stream = self.streams.get(*slot)?;
                let form = stream.form(*number, self.twcc_ids[*slot].is_some(), tag)?;
                // One that leaves again has its form already: it goes alone.
                (!form.is_sealed).then_some(form.length)
            });
            let plan = runs::plan(lengths, out.segments_max);
            let packets = plan.map_or(1, |plan| plan.packets);
            let (run, later) = rest.split_at(packets);
            rest = later;
            out.buffer.clear();
            for (place, (slot, number)) in run.iter().enumerate() {
                let Some(stream) = self.streams.get_mut(*slot) else {
                    continue;
                };
                let twcc_id = self.twcc_ids[*slot];
                let Some(form) = stream.form(*number, twcc_id.is_some(), tag) else {
                    continue;
                };
                let stamp = Stamp {
                    twcc: twcc_id.map(|id| (id, self.running)),
                    length: plan.map_or(form.length, |plan| plan.length(place, form.length)),
                };
                let cargo = cargo_of(*slot);
                if twcc_id.is_none() {
                    self.coarse
                        .sent(stamp.length, cargo, form.is_sealed, out.now);
                } else if !form.is_sealed {
                    self.estimate
                        .sent(self.running, stamp.length, cargo, out.now);
                    self.running = self.running.wrapping_add(1);
                }
                if let Err(error) = stream.write(*number, &stamp, sealer, out.buffer) {
                    tracing::error!(%error, "a packet could not be protected");
                }
            }
            if !out.buffer.is_empty() {
                (out.send)(Run {
                    to,
                    segment: plan.map_or(out.buffer.len(), |plan| plan.segment),
                    bytes: out.buffer,
                });
            }
        }
        self.noted.clear();
    }

    fn report(&mut self, now: Instant) {
        if self.report_at.is_none_or(|at| now < at) {
            return;
        }
        self.report_at = Some(now + REPORT_INTERVAL);
        for (slot, wish) in self.wishes.iter_mut().enumerate() {
            *wish |= self.asked.is_due(slot, &self.streams[slot], now);
        }
        // It may be able to read nothing of a slot any more; made anew, it can.
        if self.tells_anything && self.streams.iter().any(Stream::is_out_of_reach) {
            let why = "it missed too much in a cut".to_owned();
            self.events.push(LegEvent::Failed(why));
        }
        if let Some(packet) = self.reports.write(&self.streams, now) {
            self.transport.report(packet);
        }
    }
}

impl Leg for Downlink {
    fn ufrag(&self) -> &str {
        self.transport.ice.ufrag()
    }

    fn accept_answer(&mut self, answer: &str, now: Instant) -> Result<(), EngineError> {
        let answer = offer::read(answer)?;
        for (slot, (names, twcc_id)) in answer.slots.into_iter().enumerate() {
            self.take_slot(slot, names, twcc_id);
        }
        let received = self.transport.described(
            (&answer.ufrag, &answer.password),
            answer.fingerprint,
            answer.role,
            now,
        );
        for received in received.map_err(refused)? {
            self.received(received, now);
        }
        Ok(())
    }

    fn receive(&mut self, datagram: BytesMut, from: Path, now: Instant) -> bool {
        let was_held = self.transport.is_held();
        let received = self.transport.receive(datagram, from, now);
        self.received(received, now);
        if was_held && !self.transport.is_held() {
            // Its pictures went on without it, also those that never left; what shows nothing asks for nothing.
            self.wishes.copy_from_slice(&self.taken[..VIDEO_SLOTS]);
        }
        self.transport.is_heard()
    }

    fn path(&self) -> Option<Path> {
        self.transport.ice.path()
    }

    fn takes(&self, slot: usize, codec: Codec) -> bool {
        let stream = self.streams.get(slot);
        self.taken.get(slot) == Some(&true) && stream.is_some_and(|stream| stream.takes(codec))
    }

    fn send(&mut self, slot: usize, packet: RtpOut, now: Instant) -> bool {
        if self.taken.get(slot) != Some(&true) || self.transport.way().is_none() {
            return false;
        }
        let Some(stream) = self.streams.get_mut(slot) else {
            return false;
        };
        let Some(number) = stream.take(packet, now) else {
            return false;
        };
        self.note(slot, number);
        true
    }

    fn ask_key_frame(&mut self, _: Layer, _: Instant) -> bool {
        false
    }

    fn measure(&mut self, _: Instant) {}

    fn bears(&mut self, now: Instant) -> Option<u64> {
        match self.tells() {
            true => self.estimate.bears(now),
            false => self.coarse.bears(now),
        }
    }

    fn tick(&mut self, now: Instant) {
        self.transport.tick(now);
        self.report(now);
    }

    fn deadline(&mut self) -> Option<Instant> {
        let handshake = self.transport.deadline();
        handshake.into_iter().chain(self.report_at).min()
    }

    fn drain_events(&mut self, into: &mut Vec<LegEvent>) {
        into.append(&mut self.events);
        let wishes = std::mem::take(&mut self.wishes).into_iter().enumerate();
        let wanted = wishes.filter(|(_, wish)| *wish);
        into.extend(wanted.map(|(slot, _)| LegEvent::KeyFrameWanted { slot }));
    }

    fn drain_datagrams(&mut self, out: &mut Outlet<'_>) {
        for (to, datagram) in self.transport.drain() {
            (out.send)(Run::one(to, &datagram));
        }
        self.drain_packets(out);
    }

    fn close(&mut self, now: Instant) {
        self.transport.close(now);
    }
}

fn ssrc_of(slot: usize) -> u32 {
    FIRST_SSRC + slot as u32
}

fn cargo_of(slot: usize) -> Cargo {
    match slot < VIDEO_SLOTS {
        true => Cargo::Picture,
        false => Cargo::Sound,
    }
}

/// What a packet of a downlink carries: each slot is a stream of its own.
pub fn cargo(packet: &[u8]) -> Cargo {
    let ssrc = packet.get(8..12).and_then(|ssrc| ssrc.try_into().ok());
    match ssrc.map(u32::from_be_bytes) {
        Some(ssrc) if ssrc >= ssrc_of(VIDEO_SLOTS) => Cargo::Sound,
        Some(_) | None => Cargo::Picture,
    }
}

#[cfg(test)]
mod tests;
