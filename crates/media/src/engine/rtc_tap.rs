//! Sees the RTCP of a leg on its way.
//!
//! `rtc` ends inbound RTCP inside its interceptor chain, so a receiver's wish for a key frame would never arrive.
//! This interceptor sits nearest to the wire and copies what we need: key frame requests, and what the round trip
//! can be computed from.

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Sightings between two drains of a leg; a further one is lost. A lost wish for a key frame is repeated by the
/// receiver, a lost round trip is followed by the next.
const SIGHTINGS_MAX: usize = 256;
/// Sender reports remembered for the round trip; an older one gives no figure.
const REPORTS_MAX: usize = 64;

pub enum Sighting {
    KeyFrameWanted { ssrc: u32 },
    RoundTrip { ms: f32 },
}

pub struct Tap {
    sightings: SyncSender<Sighting>,
    reports: VecDeque<(u32, Instant)>,
    read: VecDeque<TaggedPacket>,
    write: VecDeque<TaggedPacket>,
}

impl Tap {
    pub fn new() -> (Self, Receiver<Sighting>) {
        let (sightings, seen) = sync_channel(SIGHTINGS_MAX);
        let tap = Self {
            sightings,
            reports: VecDeque::new(),
            read: VecDeque::new(),
            write: VecDeque::new(),
        };
        (tap, seen)
    }

    fn saw(&self, sighting: Sighting) {
        // Full or nobody left to tell: see `SIGHTINGS_MAX`.
        let _ = self.sightings.try_send(sighting);
    }

    fn saw_report(&self, report: &ReceptionReport, now: Instant) {
        if report.last_sender_report == 0 {
            return;
        }
        let sent = self
            .reports
            .iter()
            .find(|(id, _)| *id == report.last_sender_report);
        let Some((_, sent)) = sent else { return };
        let held = Duration::from_secs_f64(f64::from(report.delay) / 65_536.0);
        let trip = now.saturating_duration_since(*sent).saturating_sub(held);
        self.saw(Sighting::RoundTrip {
            ms: trip.as_secs_f32() * 1_000.0,
        });
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Tap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(compound) = &packet.message.packet {
            for rtcp in compound {
                let rtcp = rtcp.as_any();
                if let Some(pli) = rtcp.downcast_ref::<PictureLossIndication>() {
                    self.saw(Sighting::KeyFrameWanted {
                        ssrc: pli.media_ssrc,
                    });
                } else if let Some(fir) = rtcp.downcast_ref::<FullIntraRequest>() {
                    for entry in &fir.fir {
                        self.saw(Sighting::KeyFrameWanted { ssrc: entry.ssrc });
                    }
                } else if let Some(report) = rtcp.downcast_ref::<ReceiverReport>()
                    && let Some(report) = report.reports.first()
                {
                    self.saw_report(report, packet.now);
                }
            }
        }
        self.read.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.read.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(compound) = &packet.message.packet {
            for report in compound
                .iter()
                .filter_map(|rtcp| rtcp.as_any().downcast_ref::<SenderReport>())
            {
                // A receiver names a sender report by the middle 32 bits of its time.
                self.reports
                    .push_back(((report.ntp_time >> 16) as u32, packet.now));
                if self.reports.len() > REPORTS_MAX {
                    self.reports.pop_front();
                }
            }
        }
        self.write.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.write.pop_front()
    }
}

impl Interceptor for Tap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
