//! RTCP of a downlink: what we report of our streams, and what the client says of them.

use super::{SLOTS, VIDEO_SLOTS, statuses::Statuses, stream::Stream};
use crate::allowance::Allowance;
use crate::engine::rtcp;
use rtc::rtcp::packet::unmarshal;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How often the client hears where our clocks stand.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Reports remembered for the round trip; an older one gives no figure.
const REPORTS_MAX: usize = 16;
/// Lost packets named in one datagram that are looked at; further ones are asked for again.
pub const NACKS_MAX: usize = 256;
/// And in a second, or at once after one, whether or not they are sent again: who is refused asks for the same without end. A full
/// downlink is 2,500 packets a second; where three in ten are lost, and each is asked for ten times, which is when a browser
/// gives it up, these are 7,500.
const NACKS_A_SECOND: f64 = 8_192.0;

/// What we reported and when.
pub struct Reports {
    epoch: Instant,
    /// What our description calls the sender of a slot.
    cname: fn(usize) -> String,
    sent: VecDeque<(u32, Instant)>,
    /// The packets each stream had at the last report.
    reported: [u32; SLOTS],
    /// The furthest packet of each stream that the client knew of, and how many it missed, when it last said so.
    said_last: [Option<(u32, i32)>; SLOTS],
    statuses: Statuses,
    asks: Allowance,
}

/// The slots of which a key frame is wanted: however often that is said, it is one wish.
pub type Wishes = [bool; VIDEO_SLOTS];

/// What a client said.
#[derive(Default)]
pub struct Said {
    /// The round trip in milliseconds.
    pub trip_ms: Option<f32>,
    pub wishes: Wishes,
    /// Slot and number of packets that did not arrive.
    pub missed: Vec<(usize, u16)>,
    pub arrivals: Vec<TransportLayerCc>,
    /// Slot, packets since the client last spoke of it, and those of them that did not arrive. Of pictures it counts what
    /// was sent again as arrived.
    pub counted: Vec<(usize, u32, u32)>,
    /// What it thinks its road bears, in bits a second.
    pub bears: Option<u64>,
}

impl Reports {
    /// All reports count their time from `epoch`.
    pub fn new(epoch: Instant, cname: fn(usize) -> String) -> Self {
        Self {
            epoch,
            cname,
            sent: VecDeque::new(),
            reported: [0; SLOTS],
            said_last: [None; SLOTS],
            statuses: Statuses::default(),
            asks: Allowance::new(NACKS_A_SECOND, NACKS_A_SECOND, epoch),
        }
    }

    /// A report for every stream that moved since the last one, and the names of these, in one packet (RFC 3550, 6.1);
    /// `None` if none did.
    pub fn write(&mut self, streams: &[Stream], now: Instant) -> Option<Vec<u8>> {
        let passed = now.saturating_duration_since(self.epoch);
        let seconds = passed.as_secs() as u32;
        let fraction = ((u64::from(passed.subsec_nanos()) << 32) / 1_000_000_000) as u32;
        let (mut bytes, mut moved) = (vec![], vec![]);
        for (slot, (stream, reported)) in streams.iter().zip(&mut self.reported).enumerate() {
            if stream.packets == *reported {
                continue;
            }
            let Some(timestamp) = stream.timestamp(now) else {
                continue;
            };
            *reported = stream.packets;
            moved.push((stream.ssrc(), (self.cname)(slot)));
            bytes.extend([0x80, 200, 0, 6]);
            for word in [
                stream.ssrc(),
                seconds,
                fraction,
                timestamp,
                stream.packets,
                stream.octets,
            ] {
                bytes.extend(word.to_be_bytes());
            }
        }
        if bytes.is_empty() {
            return None;
        }
        rtcp::push_names(&mut bytes, moved.into_iter());
        // A client names a report by the middle of its time.
        let name = seconds << 16 | fraction >> 16;
        self.sent.push_back((name, now));
        if self.sent.len() > REPORTS_MAX {
            self.sent.pop_front();
        }
        Some(bytes)
    }

    /// Reads what a client sent; what makes no sense says nothing.
    pub fn read(&mut self, packet: &[u8], now: Instant) -> Said {
        let mut said = Said::default();
        let packet = self.statuses.sift(packet, now);
        let Ok(packets) = unmarshal(&mut &packet[..]) else {
            return said;
        };
        for packet in packets {
            let packet = packet.as_any();
            if let Some(pli) = packet.downcast_ref::<PictureLossIndication>() {
                said.key_frame(pli.media_ssrc);
            } else if let Some(fir) = packet.downcast_ref::<FullIntraRequest>() {
                fir.fir.iter().for_each(|entry| said.key_frame(entry.ssrc));
            } else if let Some(nack) = packet.downcast_ref::<TransportLayerNack>() {
                said.missed(nack);
            } else if let Some(arrivals) = packet.downcast_ref::<TransportLayerCc>() {
                said.arrivals.push(arrivals.clone());
            } else if let Some(remb) = packet.downcast_ref::<ReceiverEstimatedMaximumBitrate>() {
                said.bears = Some(remb.bitrate as u64);
            } else if let Some(report) = packet.downcast_ref::<ReceiverReport>() {
                let trip = report
                    .reports
                    .iter()
                    .find_map(|report| self.trip(report, now));
                said.trip_ms = said.trip_ms.or(trip);
                let counted = report.reports.iter().filter_map(|one| self.count(one));
                said.counted.extend(counted);
            }
        }
        let may_ask = self.asks.take_of(said.missed.len(), now);
        said.missed.truncate(may_ask);
        said
    }

    /// What a client says of one stream beyond what it said before (RFC 3550, A.3).
    fn count(&mut self, report: &ReceptionReport) -> Option<(usize, u32, u32)> {
        let slot = slot_of(report.ssrc)?;
        // 24 bits with a sign: a packet that came twice was not missed.
        let missed = ((report.total_lost << 8) as i32) >> 8;
        let said = (report.last_sequence_number, missed);
        let before = self.said_last[slot].replace(said)?;
        let expected = said.0.wrapping_sub(before.0);
        // A client that counts anew says nothing of what was sent.
        if expected == 0 || expected > u32::from(u16::MAX) {
            return None;
        }
        let lost = u32::try_from(missed.saturating_sub(before.1)).unwrap_or(0);
        Some((slot, expected, lost.min(expected)))
    }

    /// The round trip in milliseconds (RFC 3550, 6.4.1).
    fn trip(&self, report: &ReceptionReport, now: Instant) -> Option<f32> {
        if report.last_sender_report == 0 {
            return None;
        }
        let named = |(name, _): &&(u32, Instant)| *name == report.last_sender_report;
        let (_, sent) = self.sent.iter().find(named)?;
        let held = Duration::from_secs_f64(f64::from(report.delay) / 65_536.0);
        let trip = now.saturating_duration_since(*sent).saturating_sub(held);
        Some(trip.as_secs_f32() * 1_000.0)
    }
}

impl Said {
    fn key_frame(&mut self, ssrc: u32) {
        let wish = slot_of(ssrc).and_then(|slot| self.wishes.get_mut(slot));
        if let Some(wish) = wish {
            *wish = true;
        }
    }

    fn missed(&mut self, nack: &TransportLayerNack) {
        let Some(slot) = slot_of(nack.media_ssrc).filter(|slot| *slot < VIDEO_SLOTS) else {
            return;
        };
        let seqs = nack.nacks.iter().flat_map(|pair| pair.packet_list());
        let room = NACKS_MAX.saturating_sub(self.missed.len());
        self.missed.extend(seqs.take(room).map(|seq| (slot, seq)));
    }
}

fn slot_of(ssrc: u32) -> Option<usize> {
    let slot = ssrc.wrapping_sub(super::FIRST_SSRC) as usize;
    (slot < SLOTS).then_some(slot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Codec;
    use crate::engine::downlink::estimate::REMEMBERED;
    use crate::engine::downlink::offer::cname;
    use crate::engine::downlink::ssrc_of;
    use crate::rewrite::RtpOut;
    use rtc::rtcp::packet::Packet;
    use rtc::rtcp::sender_report::SenderReport;
    use rtc::rtcp::source_description::SourceDescription;
    use rtc::rtcp::transport_feedbacks::transport_layer_nack::nack_pairs_from_sequence_numbers;

    fn marshal(packets: Vec<Box<dyn Packet>>) -> Vec<u8> {
        rtc::rtcp::packet::marshal(&packets).unwrap().to_vec()
    }

    #[test]
    fn another_implementation_reads_our_report_and_its_answer_gives_the_round_trip() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut streams: Vec<Stream> = (0..SLOTS).map(Stream::new).collect();
        let mut reports = Reports::new(start, cname);
        assert_eq!(reports.write(&streams, start), None, "nothing was sent");
        let packet = RtpOut {
            codec: Codec::Vp8,
            seq: 1,
            timestamp: 90_000,
            marker: false,
            payload: bytes::Bytes::new(),
            numbers: None,
            key_frame: false,
        };
        streams[1].take(packet, at(100));
        (streams[1].packets, streams[1].octets) = (3, 1_000);

        let bytes = reports.write(&streams, at(1_600)).unwrap();
        let read = unmarshal(&mut &bytes[..]).unwrap();
        let report: &SenderReport = read[0].as_any().downcast_ref().unwrap();
        assert_eq!(
            (report.ssrc, report.packet_count, report.octet_count),
            (ssrc_of(1), 3, 1_000)
        );
        assert_eq!(report.rtp_time, 90_000 + 1_500 * 90);
        let names: &SourceDescription = read[1].as_any().downcast_ref().unwrap();
        let [name] = &names.chunks[..] else {
            panic!("{names:?}")
        };
        assert_eq!(
            (name.source, &name.items[0].text[..]),
            (ssrc_of(1), &b"slot-1"[..])
        );
        assert_eq!(
            reports.write(&streams, at(1_700)),
            None,
            "nothing has moved"
        );

        let block = ReceptionReport {
            ssrc: ssrc_of(1),
            last_sender_report: (report.ntp_time >> 16) as u32,
            delay: 65_536 / 2,
            ..Default::default()
        };
        let answer = ReceiverReport {
            reports: vec![block],
            ..Default::default()
        };
        let said = reports.read(&marshal(vec![Box::new(answer)]), at(2_140));
        let ms = said.trip_ms.unwrap();
        assert!((ms - 40.0).abs() < 1.0, "{ms}");
    }

    #[test]
    fn what_a_client_missed_since_its_last_report_is_counted_by_stream() {
        let mut reports = Reports::new(Instant::now(), cname);
        let mut counted = |ssrc, last_sequence_number, total_lost| {
            let block = ReceptionReport {
                ssrc,
                last_sequence_number,
                total_lost,
                ..Default::default()
            };
            let report = ReceiverReport {
                reports: vec![block],
                ..Default::default()
            };
            reports
                .read(&marshal(vec![Box::new(report)]), Instant::now())
                .counted
        };
        let (one, other) = (ssrc_of(VIDEO_SLOTS), ssrc_of(0));
        assert_eq!(counted(one, 1_000, 7), [], "since when?");
        assert_eq!(counted(other, 50, 0), []);
        assert_eq!(counted(one, 1_050, 12), [(VIDEO_SLOTS, 50, 5)]);
        assert_eq!(counted(one, 1_050, 12), [], "nothing new");
        assert_eq!(
            counted(other, 70, 0xff_fffe),
            [(0, 20, 0)],
            "some came twice"
        );
        assert_eq!(
            counted(other, 80, 0x7f_ffff),
            [(0, 10, 10)],
            "no more than all"
        );
        assert_eq!(counted(one, 3, 0), [], "it counts anew");
        assert_eq!(counted(1, 5, 5), [], "of no stream of ours");
    }

    #[test]
    fn wishes_and_misses_are_known_by_their_stream() {
        let mut reports = Reports::new(Instant::now(), cname);
        let pli = |ssrc| -> Box<dyn Packet> {
            Box::new(PictureLossIndication {
                sender_ssrc: 1,
                media_ssrc: ssrc,
            })
        };
        let nack = TransportLayerNack {
            sender_ssrc: 1,
            media_ssrc: ssrc_of(3),
            nacks: nack_pairs_from_sequence_numbers(&[9, 11]),
        };
        let packet = marshal(vec![
            pli(ssrc_of(2)),
            pli(5),
            pli(ssrc_of(VIDEO_SLOTS)),
            Box::new(nack),
        ]);
        let said = reports.read(&packet, Instant::now());
        let slots = 0..VIDEO_SLOTS;
        assert!(
            slots
                .into_iter()
                .all(|slot| said.wishes[slot] == (slot == 2))
        );
        assert_eq!(said.missed, [(3, 9), (3, 11)]);
        for length in 0..packet.len() {
            reports.read(&packet[..length], Instant::now());
        }
    }

    /// A report of arrivals: of how many packets from which on, in these chunks, and the times of those that arrived.
    fn arrivals(base: u16, count: u16, chunks: &[u16], times: usize) -> Vec<u8> {
        let mut report = vec![0x8f, 205, 0, 0];
        report.extend([0; 8]);
        report.extend(base.to_be_bytes());
        report.extend(count.to_be_bytes());
        report.extend([0; 4]);
        report.extend(chunks.iter().flat_map(|chunk| chunk.to_be_bytes()));
        report.resize(report.len() + times, 1);
        // The library wants something behind the last chunk.
        report.resize((report.len() + 1).next_multiple_of(4), 0);
        let words = (report.len() / 4 - 1) as u16;
        report[2..4].copy_from_slice(&words.to_be_bytes());
        report
    }

    /// Steps that what was read will cost.
    fn steps(said: &Said) -> usize {
        let counts = said.arrivals.iter().map(|one| one.packet_status_count);
        counts.map(|count| usize::from(count).min(REMEMBERED)).sum()
    }

    #[test]
    fn few_bytes_that_tell_of_much_cost_little_however_often_they_come() {
        let begun = Instant::now();
        let mut reports = Reports::new(begun, cname);
        let datagram = arrivals(0, 4_096, &[4_096], 0).repeat(84);
        assert_eq!(datagram.len(), 84 * 24);
        let mut taken = 0;
        for place in 0..4_000 {
            let said = reports.read(&datagram, begun + Duration::from_micros(250) * place);
            let steps = steps(&said);
            assert!(steps <= 8_192, "{steps} steps for a datagram");
            taken += steps;
        }
        assert!(
            (60_000..=80_000).contains(&taken),
            "{taken} steps in a second"
        );
        let later = begun + Duration::from_secs(2);
        assert_eq!(
            steps(&reports.read(&datagram, later)),
            8_192,
            "it is heard again"
        );
    }

    /// One that misses so many packets of a picture.
    fn misses(count: u16) -> Vec<u8> {
        let numbers: Vec<u16> = (0..count).collect();
        marshal(vec![Box::new(TransportLayerNack {
            sender_ssrc: 1,
            media_ssrc: ssrc_of(0),
            nacks: nack_pairs_from_sequence_numbers(&numbers),
        })])
    }

    #[test]
    fn who_asks_for_what_is_lost_without_end_is_heard_so_often_and_then_again() {
        let begun = Instant::now();
        let mut reports = Reports::new(begun, cname);
        let datagram = misses(256);
        let mut ask = |us| {
            let now = begun + Duration::from_micros(us);
            reports.read(&datagram, now).missed.len()
        };
        let asked: usize = (0..4_000).map(|place| ask(250 * place)).sum();
        assert!((15_000..=20_000).contains(&asked), "{asked} in a second");
        assert_eq!(ask(3_000_000), 256, "it is heard again");
    }

    #[test]
    fn a_client_behind_a_road_that_loses_three_in_ten_is_heard_in_full() {
        let begun = Instant::now();
        let mut reports = Reports::new(begun, cname);
        // Of 2,500 packets a second, each ten times, told of every 20 ms.
        let datagram = misses(150);
        for place in 0..500 {
            let now = begun + Duration::from_millis(20) * place;
            assert_eq!(reports.read(&datagram, now).missed.len(), 150);
        }
    }

    #[test]
    fn a_client_with_much_to_tell_is_read_in_full() {
        let begun = Instant::now();
        let mut reports = Reports::new(begun, cname);
        // 2,500 packets a second, of each of which it speaks ten times, in chunks of seven.
        let report = arrivals(0, 1_250, &[0xd555; 179], 1_253);
        for place in 0..200 {
            let said = reports.read(&report, begun + Duration::from_millis(50) * place);
            assert_eq!(said.arrivals[0].recv_deltas.len(), 1_253);
        }
        // What came before a cut of five seconds, and the first behind it.
        let cut = arrivals(0, 12_502, &[0x2001, 0x1fff, 4_309, 0x2001], 2);
        let said = reports.read(&cut, begun + Duration::from_secs(60));
        assert_eq!(said.arrivals[0].recv_deltas.len(), 2);
    }
}
