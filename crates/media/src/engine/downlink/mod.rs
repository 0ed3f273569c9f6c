//! A downlink of our own: the fixed slots of one client.
//!
//! It carries twelve of thirteen packets, so nothing is done for a packet here but what it costs to write its header,
//! copy it once, protect it and hand it over. `send` only notes a packet; `drain_datagrams` writes all that was noted
//! since in as few calls as the kernel allows.

mod answer;
mod coarse;
mod estimate;
#[cfg(test)]
mod fuzz;
mod offer;
mod reports;
mod runs;
mod statuses;
mod stream;

use super::wire::{Received, Transport};
use super::{
    Cargo, Codec, Engine, EngineError, Layer, Leg, LegEvent, Names, Outlet, Path, Run, refused,
};
use crate::rewrite::RtpOut;
use bytes::BytesMut;
use coarse::Coarse;
use diemcau_model::limits::{AUDIO_SLOTS, PICTURE_SLOTS};
use estimate::Estimate;
use reports::{REPORT_INTERVAL, Reports, Said};
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
        let begun = leg
            .transport
            .described(&theirs.ufrag, theirs.fingerprint, theirs.role, now);
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
            Received::Rtcp(packet) => {
                let mut said = self.reports.read(&packet, now);
                self.events.append(&mut said.events);
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
        let pictures = self.streams.iter().take(VIDEO_SLOTS).enumerate();
        let went_on = pictures.filter(|(_, stream)| stream.sent_since(since));
        self.events
            .extend(went_on.map(|(slot, _)| LegEvent::KeyFrameWanted { slot }));
    }

    fn missed(&mut self, slot: usize, seq: u16, now: Instant) {
        let stream = self.streams.get_mut(slot);
        match stream.map(|stream| stream.missed(seq, now)) {
            Some(Missed::Again(number)) if self.may_send_again(slot, number, now) => {
                self.note(slot, number);
            }
            Some(Missed::ForGood) => {
                let wanted = LegEvent::KeyFrameWanted { slot };
                if !self.events.contains(&wanted) {
                    self.events.push(wanted);
                }
            }
            Some(Missed::Again(_) | Missed::Nothing) | None => {}
        }
    }

    /// What is sent again while packets wait on the way only makes them wait longer; the client asks once more. Who asks
    /// after a cut, before it has told what came, gets key frames as soon as it does.
    fn may_send_again(&mut self, slot: usize, number: u64, now: Instant) -> bool {
        let stream = self.streams.get(slot);
        let form = stream.and_then(|stream| stream.form(number, true));
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
        // Packets of one stream stand together and in their order; the order between streams means nothing.
        self.noted.sort_unstable();
        let mut rest = &self.noted[..];
        while !rest.is_empty() {
            let lengths = rest.iter().map_while(|(slot, number)| {
                let stream = self.streams.get(*slot)?;
                let form = stream.form(*number, self.twcc_ids[*slot].is_some())?;
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
                let Some(form) = stream.form(*number, twcc_id.is_some()) else {
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
        let received =
            self.transport
                .described(&answer.ufrag, answer.fingerprint, answer.role, now);
        for received in received.map_err(refused)? {
            self.received(received, now);
        }
        Ok(())
    }

    fn receive(&mut self, datagram: BytesMut, from: Path, now: Instant) -> bool {
        let received = self.transport.receive(datagram, from, now);
        self.received(received, now);
        self.transport.heard() == Some(now)
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
mod tests {
    use super::*;
    use crate::engine::wire::srtp::{MATERIAL_BYTES, contexts};
    use crate::engine::wire::tests::{check, provider};
    use crate::engine::{Addresses, VOICE_BPS};
    use rtc::rtcp::packet::{Packet, marshal};
    use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
    use rtc::rtcp::receiver_report::ReceiverReport;
    use rtc::rtcp::reception_report::ReceptionReport;
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
        PacketStatusChunk, RecvDelta, RunLengthChunk, StatusChunkTypeTcc, SymbolTypeTcc,
        TransportLayerCc,
    };
    use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
        TransportLayerNack, nack_pairs_from_sequence_numbers,
    };
    use std::net::SocketAddr;

    fn at(port: u16) -> Path {
        SocketAddr::from(([127, 0, 0, 1], port)).into()
    }

    fn open(to: Path, now: Instant) -> Downlink {
        let engine = Engine::new(Addresses(vec![at(7881).client]), now).unwrap();
        let (mut leg, _) = Downlink::offer(&engine).unwrap();
        leg.open(to);
        drain(&mut leg, now);
        leg
    }

    fn packet(seq: u16, bytes: usize) -> RtpOut {
        RtpOut {
            codec: Codec::Vp8,
            seq,
            timestamp: 0,
            marker: false,
            payload: vec![1; bytes].into(),
            numbers: None,
            key_frame: false,
        }
    }

    /// Where the next datagrams go, with the lengths of each run.
    fn drain(leg: &mut Downlink, now: Instant) -> Vec<(Path, usize, usize)> {
        let mut runs = vec![];
        leg.drain_datagrams(&mut Outlet {
            now,
            segments_max: 64,
            buffer: &mut vec![],
            send: &mut |run| runs.push((run.to, run.segment, run.bytes.len())),
        });
        runs
    }

    #[test]
    fn a_picture_of_many_parts_and_a_sound_leave_in_one_call() {
        let now = Instant::now();
        let mut leg = open(at(1), now);
        let codec = Codec::Opus;
        assert!(leg.send(
            VIDEO_SLOTS,
            RtpOut {
                codec,
                ..packet(1, 100)
            },
            now
        ));
        for seq in 1..=6 {
            assert!(leg.send(0, packet(seq, 1_000 + usize::from(seq > 3)), now));
        }
        let overhead = 12 + 8 + 16;
        let segment = 1_001 + overhead;
        assert_eq!(
            drain(&mut leg, now),
            [(at(1), segment, segment * 6 + 100 + overhead)]
        );
        assert_eq!(drain(&mut leg, now), []);
    }

    #[test]
    fn only_a_slot_that_takes_the_running_number_bears_one_and_the_numbers_have_no_gaps() {
        let now = Instant::now();
        let mut leg = open(at(1), now);
        leg.take_slot(1, offer::names_of(1), None);
        for (slot, extension) in [(0, 8), (1, 0), (0, 8)] {
            let seq = leg.running + 1;
            assert!(leg.send(slot, packet(seq, 100), now));
            let length = 12 + extension + 100 + 16;
            assert_eq!(drain(&mut leg, now).last(), Some(&(at(1), length, length)));
        }
        assert_eq!(leg.running, 2, "the client would take a gap for a loss");
    }

    #[test]
    fn what_is_sent_again_on_a_thin_link_is_a_part_of_what_it_bears() {
        let start = Instant::now();
        let mut again = Again::default();
        assert!(
            (0..1_000).all(|_| again.take(1_000, None, start)),
            "no limit"
        );
        let mut bytes = 0;
        for ms in 0..10_000 {
            let now = start + Duration::from_millis(ms);
            if again.take(1_000, Some(256_000), now) {
                bytes += 1_000;
            }
        }
        // Ten seconds, and the two that are saved.
        let bits = f64::from(bytes * 8);
        assert!(
            (350_000.0..=12.0 * 256_000.0 / AGAIN_PART).contains(&bits),
            "{bits}"
        );
    }

    /// A report of packets from this running number on: so many are missing, and behind them so many came at one moment.
    fn arrivals(base: u16, missing: u16, came: u16, ms: u64) -> Box<dyn Packet> {
        let run = |packet_status_symbol, run_length| {
            PacketStatusChunk::RunLengthChunk(RunLengthChunk {
                type_tcc: StatusChunkTypeTcc::RunLengthChunk,
                packet_status_symbol,
                run_length,
            })
        };
        let (lost, here) = (
            SymbolTypeTcc::PacketNotReceived,
            SymbolTypeTcc::PacketReceivedSmallDelta,
        );
        let delta = RecvDelta {
            type_tcc_packet: here,
            delta: 0,
        };
        Box::new(TransportLayerCc {
            base_sequence_number: base,
            packet_status_count: missing + came,
            reference_time: (ms / 64) as u32,
            packet_chunks: vec![run(lost, missing), run(here, came)],
            recv_deltas: vec![delta; came.into()],
            ..Default::default()
        })
    }

    #[test]
    fn what_a_cut_swallowed_is_not_sent_again_but_what_is_lost_after_it_is() {
        let start = Instant::now();
        let moment = |ms| start + Duration::from_millis(ms);
        let mut leg = open(at(1), start);
        let send = |leg: &mut Downlink, seq, ms| {
            assert!(leg.send(0, packet(seq, 1_000), moment(ms)));
            drain(leg, moment(ms));
        };
        let missed = |seqs: std::ops::Range<u16>| -> Box<dyn Packet> {
            Box::new(TransportLayerNack {
                sender_ssrc: 1,
                media_ssrc: ssrc_of(0),
                nacks: nack_pairs_from_sequence_numbers(&seqs.collect::<Vec<_>>()),
            })
        };
        // Hears them, and gives how many packets leave again, and what is wanted.
        let hear = |leg: &mut Downlink, said: Vec<Box<dyn Packet>>, ms| {
            leg.received(Received::Rtcp(marshal(&said).unwrap()), moment(ms));
            let runs = drain(leg, moment(ms));
            let mut events = vec![];
            leg.drain_events(&mut events);
            events.retain(|event| matches!(event, LegEvent::KeyFrameWanted { .. }));
            let again: usize = runs.iter().map(|run| run.2.div_ceil(run.1)).sum();
            (again, events)
        };
        for seq in 1..6 {
            send(&mut leg, seq, 0);
        }
        assert_eq!(hear(&mut leg, vec![arrivals(0, 0, 5, 20)], 60).0, 0);
        for seq in 6..206 {
            send(&mut leg, seq, 100 + u64::from(seq - 6) * 10);
        }
        // The road is there again: what it missed is asked for before it is said what came.
        send(&mut leg, 206, 2_100);
        assert_eq!(hear(&mut leg, vec![missed(6..206)], 2_120), (0, vec![]));
        let both = vec![missed(6..206), arrivals(5, 200, 1, 2_110)];
        let wanted = vec![LegEvent::KeyFrameWanted { slot: 0 }];
        assert_eq!(hear(&mut leg, both, 2_150), (0, wanted));
        assert_eq!(hear(&mut leg, vec![missed(6..206)], 2_200), (0, vec![]));
        send(&mut leg, 207, 2_210);
        assert_eq!(hear(&mut leg, vec![missed(207..208)], 2_260), (1, vec![]));
    }

    #[test]
    fn who_asks_too_often_or_comes_back_from_a_cut_needs_a_key_frame() {
        let start = Instant::now();
        let mut leg = open(at(1), start);
        for slot in [0, 2] {
            assert!(leg.send(slot, packet(1, 10), start));
        }
        drain(&mut leg, start);
        let mut events = vec![];
        for ms in 0..500 {
            leg.missed(0, 1, start + Duration::from_millis(ms));
        }
        leg.drain_events(&mut events);
        assert_eq!(events, [LegEvent::KeyFrameWanted { slot: 0 }]);
        assert_eq!(leg.estimate.cut(start + Duration::from_millis(500)), None);
        let since = leg.estimate.cut(start + Duration::from_secs(1)).unwrap();
        leg.begin_anew(since);
        events.clear();
        leg.drain_events(&mut events);
        let wanted = [0, 2].map(|slot| LegEvent::KeyFrameWanted { slot });
        assert_eq!(events, wanted);
    }

    /// Sends a voice and what fits of a picture to who takes no running number, and hears once a second which part of it was
    /// lost, and what the client thinks. Gives what the link bears in each second.
    fn watched(lost: fn(f64) -> f64, thinks: Option<u64>) -> Vec<Option<u64>> {
        let start = Instant::now();
        let mut leg = open(at(1), start);
        for slot in 0..SLOTS {
            leg.take_slot(slot, offer::names_of(slot), None);
        }
        let (mut bears, mut seqs, mut missed) = (vec![], [0_u16; 2], [0.0; 2]);
        for second in 0..30_u64 {
            let now = start + Duration::from_secs(second);
            let last = leg.bears(now);
            bears.push(last);
            let picture = match last.map(|bps| bps.saturating_sub(VOICE_BPS)) {
                None | Some(1_650_000..) => 8,
                Some(390_000..) => 2,
                Some(_) => 0,
            };
            for tick in 0..50 {
                let now = now + Duration::from_millis(tick * 20);
                for (seq, slot, packets) in [(0, 0, picture), (1, VIDEO_SLOTS, 1)] {
                    for _ in 0..packets {
                        seqs[seq] += 1;
                        let (codec, bytes) = match slot {
                            0 => (Codec::Vp8, 400),
                            _ => (Codec::Opus, 40),
                        };
                        let packet = packet(seqs[seq], bytes);
                        assert!(leg.send(slot, RtpOut { codec, ..packet }, now));
                    }
                }
                drain(&mut leg, now);
            }
            let now = now + Duration::from_millis(999);
            let part = lost(f64::from(picture) * 190_000.0 + 45_000.0);
            missed[0] += f64::from(picture) * 50.0 * part;
            missed[1] += 50.0 * part;
            let block = |(place, slot): (usize, usize)| ReceptionReport {
                ssrc: ssrc_of(slot),
                last_sequence_number: seqs[place].into(),
                total_lost: missed[place] as u32,
                ..Default::default()
            };
            let blocks = [(0, 0), (1, VIDEO_SLOTS)];
            let report = ReceiverReport {
                reports: blocks.map(block).to_vec(),
                ..Default::default()
            };
            let mut packets: Vec<Box<dyn Packet>> = vec![Box::new(report)];
            if let Some(bps) = thinks {
                packets.push(Box::new(ReceiverEstimatedMaximumBitrate {
                    bitrate: bps as f32,
                    ..Default::default()
                }));
            }
            let bytes = marshal(&packets).unwrap();
            leg.received(Received::Rtcp(bytes), now);
        }
        bears
    }

    /// What a player without a running number got that asks again for what it misses, over a road of 1 Mbit/s on which packets
    /// wait for 20 ms: what the link bore in each second, and what part of the sound came.
    fn asking(seconds: usize) -> Vec<(Option<u64>, f64)> {
        let start = Instant::now();
        let mut leg = open(at(1), start);
        for slot in 0..SLOTS {
            leg.take_slot(slot, offer::names_of(slot), None);
        }
        let (mut got, mut bears, mut sounds) = (vec![], None, 0);
        let (mut seqs, mut came, mut free_at) = ([0_u16; 2], [0_u32; 2], 0.0_f64);
        // When it asks again for what is missing, and how often it did.
        let mut missing = std::collections::BTreeMap::<u16, (usize, u32)>::new();
        for tick in 0..seconds * 50 {
            let now = start + Duration::from_millis(tick as u64 * 20);
            if tick % 50 == 0 {
                bears = leg.bears(now);
                sounds = came[1];
            }
            let picture = match bears.map(|bps| bps.saturating_sub(VOICE_BPS)) {
                None | Some(1_650_000..) => 8,
                Some(390_000..) => 2,
                Some(_) => 0,
            };
            let slots = [(0, 0, Codec::Vp8, 400), (1, VIDEO_SLOTS, Codec::Opus, 116)];
            for ((place, slot, codec, bytes), packets) in slots.into_iter().zip([picture, 1]) {
                for _ in 0..packets {
                    seqs[place] += 1;
                    let packet = packet(seqs[place], bytes);
                    assert!(leg.send(slot, RtpOut { codec, ..packet }, now));
                }
            }
            let ms = tick as f64 * 20.0;
            leg.drain_datagrams(&mut Outlet {
                now,
                segments_max: 64,
                buffer: &mut vec![],
                send: &mut |run| {
                    for packet in run.bytes.chunks(run.segment) {
                        let seq = u16::from_be_bytes([packet[2], packet[3]]);
                        let place = usize::from(cargo(packet) == Cargo::Sound);
                        if free_at - ms > 20.0 {
                            if place == 0 {
                                missing.entry(seq).or_insert((tick + 3, 0));
                            }
                            continue;
                        }
                        free_at = free_at.max(ms) + (packet.len() + 42) as f64 * 8.0 / 1e3;
                        came[place] += 1;
                        if place == 0 {
                            missing.remove(&seq);
                        }
                    }
                },
            });
            let mut asked = vec![];
            for (seq, (at, times)) in &mut missing {
                if *at <= tick && *times < 8 {
                    (*at, *times) = (tick + 3, *times + 1);
                    asked.push(*seq);
                }
            }
            let mut packets: Vec<Box<dyn Packet>> = vec![];
            if !asked.is_empty() {
                packets.push(Box::new(TransportLayerNack {
                    sender_ssrc: 1,
                    media_ssrc: ssrc_of(0),
                    nacks: nack_pairs_from_sequence_numbers(&asked),
                }));
            }
            if tick % 50 == 49 {
                let block = |(place, slot): (usize, usize)| ReceptionReport {
                    ssrc: ssrc_of(slot),
                    last_sequence_number: seqs[place].into(),
                    total_lost: u32::from(seqs[place]) - came[place],
                    ..Default::default()
                };
                packets.push(Box::new(ReceiverReport {
                    reports: [(0, 0), (1, VIDEO_SLOTS)].map(block).to_vec(),
                    ..Default::default()
                }));
                got.push((bears, f64::from(came[1] - sounds) / 50.0));
            }
            if !packets.is_empty() {
                leg.received(Received::Rtcp(marshal(&packets).unwrap()), now);
            }
        }
        got
    }

    #[test]
    fn who_tells_no_arrivals_and_asks_again_is_not_flooded() {
        let got = asking(60);
        let settled = &got[10..];
        let is_much = |(bears, _): &&(Option<u64>, f64)| bears.is_none_or(|bps| bps >= 1_700_000);
        let much = settled.iter().filter(is_much).count();
        assert!(much <= 12, "{got:?}");
        let sound: f64 = settled.iter().map(|(_, part)| part).sum();
        assert!(sound >= 0.85 * settled.len() as f64, "{got:?}");
    }

    #[test]
    fn who_tells_no_arrivals_gets_less_where_much_is_lost_and_keeps_its_sound() {
        let is_less = |bears: &Option<u64>| *bears < Some(1_700_000) && bears.is_some();
        let good = watched(|_| 0.05, None);
        assert!(good.iter().all(Option::is_none), "{good:?}");
        let lossy = watched(|_| 0.3, None);
        assert!(lossy.iter().any(is_less), "{lossy:?}");
        let thin = watched(|sent| (1.0 - 600_000.0 / sent).max(0.0), None);
        assert!(thin[5..15].iter().all(is_less), "{thin:?}");
        let told = watched(|_| 0.0, Some(700_000));
        assert!(told[5..10].iter().all(is_less), "{told:?}");
        let little = watched(|_| 0.0, Some(1));
        for bears in [lossy, thin, told, little] {
            let least = bears.iter().flatten().min();
            assert!(least >= Some(&VOICE_BPS), "{bears:?}");
        }
        let more = watched(|_| 0.0, Some(3_000_000));
        assert!(more.iter().all(Option::is_none), "more than was sent");
    }

    #[test]
    fn media_follows_a_client_to_its_new_address() {
        let now = Instant::now();
        let mut leg = open(at(1), now);
        leg.send(0, packet(1, 10), now);
        assert_eq!(drain(&mut leg, now).last().unwrap().0, at(1));
        let moves = check(&leg.transport.ice, "them", true);
        let mut forged = moves.clone();
        forged[30] ^= 1;
        leg.receive(BytesMut::from(&forged[..]), at(9), now);
        leg.send(0, packet(2, 10), now);
        assert!(drain(&mut leg, now).iter().all(|(to, ..)| *to == at(1)));
        leg.receive(BytesMut::from(&moves[..]), at(2), now);
        leg.send(0, packet(3, 10), now);
        assert!(drain(&mut leg, now).iter().all(|(to, ..)| *to == at(2)));

        // Or it only goes on elsewhere.
        let keys = contexts(&[7; MATERIAL_BYTES], true, provider().crypto());
        let mut report = vec![0x80, 201, 0, 1, 0, 0, 0, 7];
        keys.unwrap().0.seal_rtcp(&mut report).unwrap();
        let proves = check(&leg.transport.ice, "them", false);
        leg.receive(BytesMut::from(&proves[..]), at(3), now);
        leg.send(0, packet(4, 10), now);
        assert_eq!(drain(&mut leg, now).last().unwrap().0, at(2));
        for from in [at(3), at(2)] {
            leg.receive(BytesMut::from(&report[..]), from, now);
        }
        leg.send(0, packet(5, 10), now);
        assert_eq!(drain(&mut leg, now).last().unwrap().0, at(3));
    }

    #[test]
    fn an_answer_leaves_from_the_address_that_was_asked_and_media_from_the_one_in_use() {
        let now = Instant::now();
        let by = |ours: u8| Path {
            ours: Some([127, 0, 0, ours].into()),
            ..at(1)
        };
        let mut leg = open(by(2), now);
        drain(&mut leg, now);
        let (proves, names) = [false, true]
            .map(|names| check(&leg.transport.ice, "them", names))
            .into();
        for seq in 1..4 {
            leg.receive(BytesMut::from(&proves[..]), by(3), now);
            leg.send(0, packet(seq, 10), now);
            let to: Vec<Path> = drain(&mut leg, now).iter().map(|sent| sent.0).collect();
            assert_eq!(to, [by(3), by(2)]);
        }
        leg.receive(BytesMut::from(&names[..]), by(3), now);
        leg.send(0, packet(4, 10), now);
        assert_eq!(drain(&mut leg, now).last().unwrap().0, by(3));
    }

    #[test]
    fn what_the_client_did_not_take_or_had_already_is_not_sent() {
        let now = Instant::now();
        let mut leg = open(at(1), now);
        leg.taken[3] = false;
        assert!(!leg.send(3, packet(1, 10), now));
        assert!(!leg.send(SLOTS, packet(1, 10), now));
        assert!(leg.send(4, packet(1, 10), now));
        assert!(!leg.send(4, packet(1, 10), now), "the same number");
        leg.close(now);
        assert!(!leg.send(4, packet(2, 10), now));
    }

    proptest::proptest! {
        #[test]
        fn no_datagram_makes_it_stumble(mut bytes in proptest::collection::vec(0_u8.., 0..120), kind in 0_usize..6, known: bool) {
            let now = Instant::now();
            let mut leg = open(at(1), now);
            if let Some(first) = bytes.first_mut() {
                *first = [0, 1, 22, 128, 0x90, 255][kind];
            }
            let from = if known { at(1) } else { at(5) };
            leg.receive(BytesMut::from(&bytes[..]), from, now);
            let mut events = vec![];
            leg.drain_events(&mut events);
            proptest::prop_assert!(events.is_empty());
            proptest::prop_assert!(leg.send(0, packet(1, 10), now));
        }
    }
}
