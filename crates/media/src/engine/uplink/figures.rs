//! What a sender is told of each of its streams (RFC 3550, 6.4.1), and what it says of them.

use crate::engine::Codec;
use std::time::Instant;

const RECEIVER_REPORT: u8 = 201;
const SENDER_REPORT: u8 = 200;
/// Bytes of what is said of one stream.
const BLOCK_BYTES: usize = 24;
/// The sum of losses has 24 bits and a sign.
const LOST_MAX: i64 = 0x7f_ffff;

/// The figures of one stream.
#[derive(Debug)]
pub struct Figures {
    clock_hz: u32,
    /// When the clock of arrivals begins, and the packets.
    begun: Instant,
    first: u64,
    newest: u64,
    received: u64,
    /// Expected and received, as they were told last.
    told: (u64, u64),
    /// By how much the newest packet's arrival is behind its time, in units of the stream's clock.
    transit: Option<i64>,
    /// In sixteenths of a unit (RFC 3550, A.8).
    jitter: i64,
    /// The middle of the time in the sender's last report, and when that came.
    report: Option<(u32, Instant)>,
}

impl Figures {
    /// Of a stream whose first packet has this running number.
    pub fn new(codec: Codec, first: u64, now: Instant) -> Self {
        Self {
            clock_hz: match codec {
                Codec::Opus => 48_000,
                Codec::Vp8 | Codec::H264 => 90_000,
            },
            begun: now,
            first,
            newest: first,
            received: 0,
            told: (0, 0),
            transit: None,
            jitter: 0,
            report: None,
        }
    }

    pub fn came(&mut self, number: u64, timestamp: u32, now: Instant) {
        self.received += 1;
        self.first = self.first.min(number);
        // One that is late or comes again says nothing of the way's pace.
        if number < self.newest {
            return;
        }
        self.newest = number;
        let passed = now.saturating_duration_since(self.begun).as_micros();
        let arrival = (passed * u128::from(self.clock_hz) / 1_000_000) as u32;
        let transit = i64::from(arrival.wrapping_sub(timestamp));
        if let Some(before) = self.transit.replace(transit) {
            // Both clocks wrap.
            let off = i64::from((transit - before) as i32).abs();
            self.jitter += off - ((self.jitter + 8) >> 4);
        }
    }

    /// The sender's report came.
    pub fn reported(&mut self, middle: u32, now: Instant) {
        self.report = Some((middle, now));
    }

    /// The block about this stream, if a packet came since the last one.
    fn block(&mut self, ssrc: u32, now: Instant) -> Option<[u8; BLOCK_BYTES]> {
        let (expected, received) = (self.newest - self.first + 1, self.received);
        let (expected_before, received_before) =
            std::mem::replace(&mut self.told, (expected, received));
        if received == received_before {
            return None;
        }
        let expected_since = expected.saturating_sub(expected_before);
        let lost_since = expected_since.saturating_sub(received - received_before);
        let fraction = (lost_since * 256).checked_div(expected_since).unwrap_or(0);
        // A packet that came twice makes it negative.
        let lost = (expected as i64 - received as i64).clamp(-LOST_MAX - 1, LOST_MAX);
        let (middle, delay) = self.report.map_or((0, 0), |(middle, at)| {
            let held = now.saturating_duration_since(at).as_micros();
            (middle, (held * 65_536 / 1_000_000) as u32)
        });
        let words = [
            ssrc,
            (fraction.min(255) as u32) << 24 | (lost as u32 & 0xff_ffff),
            // The running number in 32 bits is the wraps and the sequence number.
            self.newest as u32,
            (self.jitter >> 4) as u32,
            middle,
            delay,
        ];
        let mut block = [0; BLOCK_BYTES];
        for (bytes, word) in block.chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        Some(block)
    }
}

/// A report of all streams that moved since the last one; `None` if none did.
pub fn write<'a>(
    sender: u32,
    streams: impl Iterator<Item = (u32, &'a mut Figures)>,
    now: Instant,
) -> Option<Vec<u8>> {
    let mut packet = vec![0x80, RECEIVER_REPORT, 0, 0];
    packet.extend(sender.to_be_bytes());
    let mut blocks = 0;
    for (ssrc, figures) in streams {
        if let Some(block) = figures.block(ssrc, now) {
            packet.extend(block);
            blocks += 1;
        }
    }
    packet[0] |= blocks;
    packet[3] = 1 + 6 * blocks;
    (blocks > 0).then_some(packet)
}

/// What a client's RTCP says of the time of its streams: the stream, and the middle of its time (RFC 3550, 6.4.1).
/// Everything else in it has no meaning here, and what is broken ends it.
pub fn sender_reports(packet: &[u8]) -> impl Iterator<Item = (u32, u32)> {
    let mut rest = packet;
    let parts = std::iter::from_fn(move || {
        let [_, kind, l0, l1, ..] = *rest else {
            return None;
        };
        let bytes = 4 * (usize::from(u16::from_be_bytes([l0, l1])) + 1);
        let (part, behind) = rest.split_at_checked(bytes)?;
        rest = behind;
        Some((kind, part))
    });
    parts.filter_map(|(kind, part)| {
        let [_, _, _, _, n0, n1, n2, n3, _, _, m0, m1, m2, m3, ..] = *part else {
            return None;
        };
        let said = (
            u32::from_be_bytes([n0, n1, n2, n3]),
            u32::from_be_bytes([m0, m1, m2, m3]),
        );
        (kind == SENDER_REPORT).then_some(said)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::rtcp::packet::{Packet, marshal, unmarshal};
    use rtc::rtcp::receiver_report::ReceiverReport;
    use rtc::rtcp::reception_report::ReceptionReport;
    use rtc::rtcp::sender_report::SenderReport;
    use rtc::rtcp::source_description::SourceDescription;
    use std::time::Duration;

    /// What the library reads in the report of one stream.
    fn told(figures: &mut Figures, now: Instant) -> Option<ReceptionReport> {
        let report = write(1, [(7, figures)].into_iter(), now)?;
        let read = unmarshal(&mut &report[..]).unwrap();
        let read: &ReceiverReport = read[0].as_any().downcast_ref().unwrap();
        assert_eq!(
            (read.ssrc, read.reports.len(), read.reports[0].ssrc),
            (1, 1, 7)
        );
        Some(read.reports[0].clone())
    }

    #[test]
    fn losses_are_told_as_a_share_since_the_last_report_and_as_a_sum() {
        let start = Instant::now();
        let mut figures = Figures::new(Codec::Opus, 65_501, start);
        for number in 65_501..65_600 {
            if number % 4 != 0 {
                figures.came(number, 0, start);
            }
        }
        let first = told(&mut figures, start).unwrap();
        assert_eq!((first.fraction_lost, first.total_lost), (62, 24), "of 99");
        assert_eq!(first.last_sequence_number, 1 << 16 | 63);
        assert_eq!(told(&mut figures, start), None, "nothing came");
        figures.came(65_504, 0, start);
        for number in 65_600..65_610 {
            figures.came(number, 0, start);
        }
        let second = told(&mut figures, start).unwrap();
        assert_eq!((second.fraction_lost, second.total_lost), (0, 23));
    }

    #[test]
    fn jitter_is_that_of_the_way_and_not_of_the_clocks() {
        let start = Instant::now();
        let play = |off: &dyn Fn(u64) -> u64| {
            let mut figures = Figures::new(Codec::Opus, 0, start);
            for number in 0..500 {
                let at = start + Duration::from_millis(number * 20 + off(number));
                let timestamp = (number as u32 * 960).wrapping_sub(9_000);
                figures.came(number, timestamp, at);
            }
            told(&mut figures, start).unwrap().jitter
        };
        assert_eq!(play(&|_| 0), 0);
        let units = play(&|number| number % 2 * 5);
        assert!((225..=255).contains(&units), "5 ms is 240 units: {units}");
    }

    #[test]
    fn the_senders_own_report_is_said_back_with_the_time_it_was_held() {
        let start = Instant::now();
        let report = SenderReport {
            ssrc: 7,
            ntp_time: 0x1111_2222_3333_4444,
            ..Default::default()
        };
        let all: Vec<Box<dyn Packet>> =
            vec![Box::new(SourceDescription::default()), Box::new(report)];
        let packet = marshal(&all).unwrap();
        let said: Vec<_> = sender_reports(&packet).collect();
        assert_eq!(said, [(7, 0x2222_3333)]);
        for length in 0..packet.len() {
            assert_eq!(sender_reports(&packet[..length]).count(), 0);
        }
        let mut figures = Figures::new(Codec::Vp8, 1, start);
        figures.came(1, 0, start);
        figures.reported(said[0].1, start);
        let told = told(&mut figures, start + Duration::from_millis(500)).unwrap();
        assert_eq!((told.last_sender_report, told.delay), (0x2222_3333, 32_768));
    }
}
