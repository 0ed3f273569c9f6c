//! An uplink of our own: what one client sends, whether of a room or of a screen it presents.
//!
//! A packet is opened where it lies and its payload handed on in the storage it came in. What a stream is follows from
//! its first packet that says so, and stays: a client can change nothing but its own.

mod arrivals;
#[cfg(test)]
mod budget;
mod figures;
#[cfg(test)]
mod fuzz;
mod layers;
mod offer;
#[cfg(test)]
mod tests;

use super::missing::{Mark, Missing};
use super::rtcp;
use super::wire::rtp::Header;
use super::wire::{Opened, Received, Transport};
use super::{Codec, Engine, EngineError, Layer, Leg, LegEvent, Outlet, Path, RtpIn, Run, refused};
use crate::rewrite::RtpOut;
use crate::{h264, vp8};
use arrivals::Arrivals;
use bytes::{Buf, BytesMut};
use figures::Figures;
use layers::{Named, Places};
use offer::{Meaning, Offer};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};
use rtc::shared::marshal::Marshal;
use std::time::{Duration, Instant};

/// How often the client hears how its streams arrive.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Sound that comes so many packets late, more than a second, is of another moment: nobody may hear it now.
const LATE_SOUND: u64 = 64;
/// Who reports, and asks for key frames and lost packets.
const OUR_SSRC: u32 = 1;

pub struct Uplink {
    transport: Transport,
    offer: Offer,
    streams: Vec<Stream>,
    places: Places,
    /// `None` if packets have no running number over all of them.
    arrivals: Option<Arrivals>,
    /// Who we are; it ends each of our reports.
    names: Vec<u8>,
    /// What goes before feedback: nothing, if the client reads it alone (RFC 5506).
    before_feedback: Vec<u8>,
    /// The stream of the newest packet.
    newest: u32,
    report_at: Option<Instant>,
    events: Vec<LegEvent>,
}

/// A stream the client sends.
struct Stream {
    ssrc: u32,
    /// That of its first packet; another one is a codec we did not agree on.
    payload_type: u8,
    codec: Codec,
    named: Named,
    layer: Layer,
    /// Its furthest packet, in which numbers do not wrap.
    furthest: u64,
    figures: Figures,
    /// Stays empty for sound, which is not sent again.
    missing: Missing,
}

impl Uplink {
    /// The uplink that a client offers, and the answer for it.
    pub fn answer(
        engine: &Engine,
        offer: &str,
        now: Instant,
    ) -> Result<(Self, String), EngineError> {
        let offer = offer::read(offer)?;
        let transport = Transport::new(engine.identity.clone()).map_err(refused)?;
        let transport = transport.with_media();
        let answer = offer::answer(&offer, &engine.ours(&transport.ice)?);
        let cname = rtcp::random_cname(&*engine.identity.provider)?;
        let mut names = vec![];
        rtcp::push_names(&mut names, [(OUR_SSRC, cname)].into_iter());
        let before_feedback = match offer.offered.takes_short_reports() {
            true => vec![],
            false => [rtcp::empty_report(OUR_SSRC), names.clone()].concat(),
        };
        let mut leg = Self {
            places: Places::new(offer.layers()),
            arrivals: offer.counts_all().then(|| Arrivals::new(engine.epoch)),
            transport,
            offer,
            streams: vec![],
            names,
            before_feedback,
            newest: 0,
            report_at: None,
            events: vec![],
        };
        let theirs = &leg.offer.offered;
        let begun = leg.transport.described(
            (&theirs.ufrag, &theirs.password),
            theirs.fingerprint,
            theirs.role,
            now,
        );
        for received in begun.map_err(refused)? {
            leg.received(received, now);
        }
        Ok((leg, answer))
    }

    fn received(&mut self, received: Received, now: Instant) {
        match received {
            Received::Nothing => {}
            Received::Answered(took) => {
                let ms = took.as_secs_f32() * 1_000.0;
                self.events.push(LegEvent::RoundTrip { ms });
            }
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
                for (ssrc, middle) in figures::sender_reports(&packet) {
                    let stream = self.streams.iter_mut().find(|stream| stream.ssrc == ssrc);
                    if let Some(stream) = stream {
                        stream.figures.reported(middle, now);
                    }
                }
            }
            Received::Rtp(packet, header, opened) => {
                let read = self.packet(packet, &header, opened, now);
                self.events.extend(read.map(LegEvent::Rtp));
            }
        }
    }

    /// What a genuine packet carries; `None` if it is of no stream of ours.
    fn packet(
        &mut self,
        mut packet: BytesMut,
        header: &Header,
        opened: Opened,
        now: Instant,
    ) -> Option<RtpIn> {
        let Opened { number, is_newest } = opened;
        let says = self.offer.says(header, &packet);
        if let (Some(arrivals), Some(running)) = (&mut self.arrivals, says.twcc) {
            arrivals.came(running, now);
        }
        let known = self.streams.iter().position(|one| one.ssrc == header.ssrc);
        let at = match known {
            Some(at) => at,
            None => {
                let meaning = self.offer.meaning(header, &says)?;
                self.open_stream(header, meaning, number, now)
            }
        };
        let stream = self.streams.get_mut(at)?;
        if stream.payload_type != header.payload_type {
            return None;
        }
        stream.furthest = stream.furthest.max(number);
        if stream.codec == Codec::Opus && stream.furthest - number > LATE_SOUND {
            return None;
        }
        self.newest = header.ssrc;
        let level_dbov = says.level_dbov;
        let end = header.payload_end(&packet)?;
        packet.truncate(end);
        packet.advance(header.length);
        let mut packet = RtpIn {
            codec: stream.codec,
            layer: stream.layer,
            ssrc: header.ssrc,
            seq: header.seq,
            timestamp: header.timestamp,
            marker: header.marker,
            level_dbov,
            is_newest,
            was_lost: false,
            payload: packet.freeze(),
        };
        let came = stream.came(&packet, number, now);
        packet.was_lost = came.was_lost;
        if let Some(pixels) = came.pixels
            && self.places.measured(stream.named, pixels)
        {
            for stream in &mut self.streams {
                stream.layer = self.places.layer(stream.named);
            }
            packet.layer = self.streams.get(at)?.layer;
        }
        Some(packet)
    }

    /// Gives the place of a stream that was not known.
    fn open_stream(
        &mut self,
        header: &Header,
        meaning: Meaning,
        number: u64,
        now: Instant,
    ) -> usize {
        // One that has given way in the transport never comes back, so there are as few here as there.
        let Self {
            transport,
            streams,
            places,
            ..
        } = self;
        streams.retain(|stream| transport.knows(stream.ssrc));
        streams.push(Stream {
            ssrc: header.ssrc,
            payload_type: header.payload_type,
            codec: meaning.codec,
            named: meaning.layer,
            layer: places.layer(meaning.layer),
            furthest: number,
            figures: Figures::new(meaning.codec, number, now),
            missing: Missing::new(meaning.sends_again),
        });
        streams.len() - 1
    }

    fn ask_for_missing(&mut self, now: Instant) {
        let Self {
            transport,
            streams,
            before_feedback,
            ..
        } = self;
        for stream in streams {
            let due = stream.missing.due(now);
            if due.is_empty() {
                continue;
            }
            let ask = TransportLayerNack {
                sender_ssrc: OUR_SSRC,
                media_ssrc: stream.ssrc,
                nacks: nack_pairs_from_sequence_numbers(&due),
            };
            feed_back(transport, before_feedback, &ask);
        }
    }

    fn report_streams(&mut self, now: Instant) {
        if self.report_at.is_none_or(|at| now < at) {
            return;
        }
        self.report_at = Some(now + REPORT_INTERVAL);
        let streams = self.streams.iter_mut();
        let figures = streams.map(|stream| (stream.ssrc, &mut stream.figures));
        if let Some(mut packet) = figures::write(OUR_SSRC, figures, now) {
            packet.extend(&self.names);
            self.transport.report(packet);
        }
    }

    fn report_arrivals(&mut self, now: Instant) {
        let Some(arrivals) = &mut self.arrivals else {
            return;
        };
        while let Some(packet) = arrivals.report(OUR_SSRC, self.newest, now) {
            self.transport
                .report([&self.before_feedback[..], &packet].concat());
        }
    }
}

/// What a packet told beyond what it carries.
#[derive(Default)]
struct Came {
    was_lost: bool,
    /// The size of the key frame it begins, where that tells which layer it is.
    pixels: Option<u32>,
}

impl Stream {
    fn came(&mut self, packet: &RtpIn, number: u64, now: Instant) -> Came {
        self.figures.came(number, packet.timestamp, now);
        let read = match packet.codec {
            Codec::Opus => return Came::default(),
            Codec::Vp8 => vp8::read(&packet.payload),
            Codec::H264 => h264::read(&packet.payload),
        };
        let mark = Mark::of(packet, read.as_ref());
        let is_asked = matches!(self.named, Named::Place(_)) && packet.codec == Codec::Vp8;
        let key_frame = read.filter(|read| is_asked && read.key_frame);
        Came {
            was_lost: self.missing.came(packet.seq, mark, now),
            pixels: key_frame.and_then(|read| read.pixels(&packet.payload)),
        }
    }
}

impl Leg for Uplink {
    fn ufrag(&self) -> &str {
        self.transport.ice.ufrag()
    }

    fn accept_answer(&mut self, _: &str, _: Instant) -> Result<(), EngineError> {
        Err(EngineError::Sdp("an uplink is offered, not answered"))
    }

    fn receive(&mut self, datagram: BytesMut, from: Path, now: Instant) -> bool {
        let received = self.transport.receive(datagram, from, now);
        self.received(received, now);
        self.transport.is_heard()
    }

    #[cfg(test)]
    fn room(&self) -> usize {
        self.transport.room()
    }

    fn path(&self) -> Option<Path> {
        self.transport.ice.path()
    }

    fn takes(&self, _: usize, _: Codec) -> bool {
        false
    }

    fn send(&mut self, _: usize, _: RtpOut, _: Instant) -> bool {
        false
    }

    fn ask_key_frame(&mut self, layer: Layer, _: Instant) -> bool {
        // The newest stream of the layer: a sender that restarted has abandoned the older one.
        let wanted = |stream: &&Stream| stream.codec != Codec::Opus && stream.layer == layer;
        let Some(stream) = self.streams.iter().rev().find(wanted) else {
            return false;
        };
        let ask = PictureLossIndication {
            sender_ssrc: OUR_SSRC,
            media_ssrc: stream.ssrc,
        };
        feed_back(&mut self.transport, &self.before_feedback, &ask)
    }

    fn measure(&mut self, now: Instant) {
        self.transport.measure(now);
    }

    fn bears(&mut self, _: Instant) -> Option<u64> {
        None
    }

    fn tick(&mut self, now: Instant) {
        self.transport.tick(now);
        self.ask_for_missing(now);
        self.report_arrivals(now);
        self.report_streams(now);
    }

    fn deadline(&mut self) -> Option<Instant> {
        let missing = self.streams.iter().filter_map(|one| one.missing.deadline());
        let arrivals = self.arrivals.as_ref().and_then(Arrivals::deadline);
        let others = [self.transport.deadline(), self.report_at, arrivals];
        missing.chain(others.into_iter().flatten()).min()
    }

    fn drain_events(&mut self, into: &mut Vec<LegEvent>) {
        into.append(&mut self.events);
        for stream in &mut self.streams {
            if stream.missing.take_given_up() {
                into.push(LegEvent::Lost {
                    layer: stream.layer,
                });
            }
        }
    }

    fn drain_datagrams(&mut self, out: &mut Outlet<'_>) {
        for (to, datagram) in self.transport.drain() {
            (out.send)(Run::one(to, &datagram));
        }
    }

    fn close(&mut self, now: Instant) {
        self.transport.close(now);
    }
}

/// Says something of a stream to its sender, if there is a way to it.
fn feed_back(transport: &mut Transport, before: &[u8], packet: &impl Marshal) -> bool {
    match packet.marshal() {
        Ok(bytes) => transport.report([before, &bytes].concat()),
        Err(error) => {
            tracing::error!(%error, "a report could not be written");
            false
        }
    }
}
