//! Figures of one peer, once a second.

mod pictures;
mod sound;

use crate::engine::{Codec, Layer, RtpIn};
use diemcau_model::{LinkStats, LinkStep};
use pictures::Pictures;
use sound::Sound;
use std::time::{Duration, Instant};

/// How often the figures go out.
pub const STATS_INTERVAL: Duration = Duration::from_secs(1);
/// A round trip measured longer ago says nothing about now.
const ROUND_TRIP_LIFETIME: Duration = Duration::from_secs(15);
/// Measured longer ago, it is asked for: who is sent nearly nothing reports nearly nothing.
const ROUND_TRIP_OLD: Duration = Duration::from_secs(8);

#[derive(Debug)]
pub struct Meter {
    since: Instant,
    bytes_in: u64,
    bytes_out: u64,
    sound: Sound,
    pictures: Pictures,
    round_trip: Option<(f32, Instant)>,
    /// Of the packets sent to the client, those it has spoken of, and those of them that did not arrive.
    spoken_of: u32,
    lost_down: u32,
    streams: Vec<Stream>,
}

/// The sequence numbers of one stream.
#[derive(Debug)]
struct Stream {
    ssrc: u32,
    newest: u16,
    expected: u32,
    received: u32,
}

impl Meter {
    pub fn new(now: Instant) -> Self {
        Self {
            since: now,
            bytes_in: 0,
            bytes_out: 0,
            sound: Sound::default(),
            pictures: Pictures::default(),
            round_trip: None,
            spoken_of: 0,
            lost_down: 0,
            streams: vec![],
        }
    }

    pub fn received(&mut self, bytes: usize) {
        self.bytes_in += bytes as u64;
    }

    pub fn sent(&mut self, bytes: usize) {
        self.bytes_out += bytes as u64;
    }

    pub fn round_trip(&mut self, ms: f32, now: Instant) {
        self.round_trip = Some((ms, now));
    }

    /// Whether it is not known how far the client is, or soon will not be.
    pub fn wants_round_trip(&self, now: Instant) -> bool {
        self.round_trip
            .is_none_or(|(_, at)| now.saturating_duration_since(at) >= ROUND_TRIP_OLD)
    }

    /// The client told of so many packets sent to it, and that so many of them are lost.
    pub fn arrived(&mut self, spoken_of: u32, lost: u32) {
        self.spoken_of = self.spoken_of.saturating_add(spoken_of);
        self.lost_down = self.lost_down.saturating_add(lost);
    }

    pub fn packet(&mut self, packet: &RtpIn, now: Instant) {
        match packet.codec {
            Codec::Opus => self.sound.packet(packet, now),
            // What is presented may stand still as long as it likes: the figures are the camera's.
            Codec::Vp8 | Codec::H264 if packet.layer == Layer::Presentation => {}
            Codec::Vp8 | Codec::H264 if packet.marker => self.pictures.frame(packet.layer, now),
            Codec::Vp8 | Codec::H264 => {}
        }
        self.sequence(packet);
    }

    /// The uplink is made anew: its streams begin anew.
    pub fn forget_streams(&mut self) {
        self.streams.clear();
        self.sound.forget();
        self.pictures.forget();
    }

    /// The figures since the last reading.
    pub fn read(&mut self, now: Instant) -> LinkStats {
        let seconds = now
            .saturating_duration_since(self.since)
            .as_secs_f64()
            .max(0.001);
        let a_second = |count: u64| (count as f64 / seconds) as u64;
        let fresh =
            |(_, at): &(f32, Instant)| now.saturating_duration_since(*at) < ROUND_TRIP_LIFETIME;
        let (jitter_ms, level_dbov, loud_dbov) = self.sound.read();
        let (frames, freezes) = self.pictures.read(now);
        let stats = LinkStats {
            loss_percent: self.loss(),
            down_loss_percent: (self.spoken_of > 0)
                .then(|| self.lost_down as f32 * 100.0 / self.spoken_of as f32),
            rtt_ms: self.round_trip.filter(fresh).map(|(ms, _)| ms),
            jitter_ms,
            level_dbov,
            loud_dbov,
            up_bps: a_second(self.bytes_in * 8),
            down_bps: a_second(self.bytes_out * 8),
            fps: (f64::from(frames) / seconds) as f32,
            freezes,
            bears_bps: None,
            step: LinkStep::Full,
        };
        (self.since, self.bytes_in, self.bytes_out) = (now, 0, 0);
        (self.spoken_of, self.lost_down) = (0, 0);
        stats
    }

    /// Percent of the packets expected since the last reading that did not come.
    fn loss(&mut self) -> f32 {
        let (mut expected, mut received) = (0, 0);
        for stream in &mut self.streams {
            expected += stream.expected;
            received += stream.received.min(stream.expected);
            (stream.expected, stream.received) = (0, 0);
        }
        (expected - received) as f32 * 100.0 / expected.max(1) as f32
    }

    fn sequence(&mut self, packet: &RtpIn) {
        let (ssrc, seq) = (packet.ssrc, packet.seq);
        let Some(stream) = self.streams.iter_mut().find(|stream| stream.ssrc == ssrc) else {
            self.streams.push(Stream {
                ssrc,
                newest: seq,
                expected: 1,
                received: 1,
            });
            return;
        };
        // What the road lost is lost, though it was repaired: that is what somebody can mend.
        stream.received += u32::from(!packet.was_lost);
        let ahead = seq.wrapping_sub(stream.newest);
        if ahead < 0x8000 {
            stream.newest = seq;
            stream.expected += u32::from(ahead);
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn sound(seq: u16, timestamp: u32, level_dbov: Option<i8>) -> RtpIn {
        RtpIn {
            codec: Codec::Opus,
            layer: Layer::Full,
            ssrc: 2,
            seq,
            timestamp,
            marker: false,
            level_dbov,
            is_newest: true,
            was_lost: false,
            payload: bytes::Bytes::new(),
        }
    }

    fn picture(seq: u16) -> RtpIn {
        RtpIn {
            codec: Codec::Vp8,
            layer: Layer::Half,
            ssrc: 1,
            marker: true,
            ..sound(seq, 0, None)
        }
    }

    #[test]
    fn a_presentation_is_no_camera_that_stands_still() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        for seq in 1..4 {
            let presented = RtpIn {
                layer: Layer::Presentation,
                ..picture(seq)
            };
            meter.packet(&presented, start);
        }
        let stats = meter.read(start + Duration::from_secs(5));
        assert_eq!((stats.fps, stats.freezes), (0.0, 0));
    }

    #[test]
    fn what_was_sent_again_was_lost_nonetheless() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        for seq in [1, 2, 4, 5] {
            meter.packet(&picture(seq), start);
        }
        let again = RtpIn {
            was_lost: true,
            ..picture(3)
        };
        meter.packet(&again, start);
        assert_eq!(meter.read(start).loss_percent, 20.0);
    }

    #[test]
    fn what_is_lost_on_the_way_down_is_a_figure_of_its_own() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        assert_eq!(meter.read(start).down_loss_percent, None, "nobody told");
        meter.arrived(30, 0);
        meter.arrived(10, 4);
        let stats = meter.read(start);
        assert_eq!(
            (stats.down_loss_percent, stats.loss_percent),
            (Some(10.0), 0.0)
        );
        meter.arrived(10, 0);
        assert_eq!(meter.read(start).down_loss_percent, Some(0.0));
    }

    #[test]
    fn counts_loss_loudness_and_frames() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        for seq in [65_534, 65_535, 2, 1] {
            meter.packet(&picture(seq), start);
        }
        meter.packet(&sound(1, 0, Some(-30)), start);
        meter.received(1_000);
        let stats = meter.read(start + Duration::from_secs(2));
        assert_eq!(stats.level_dbov, Some(-30));
        assert_eq!(stats.up_bps, 4_000);
        assert_eq!(stats.fps, 2.0);
        assert_eq!(
            (stats.jitter_ms, stats.freezes),
            (Some(0.0), 1),
            "it stands for two seconds"
        );
        assert!(
            (stats.loss_percent - 100.0 / 6.0).abs() < 0.01,
            "one of six: {}",
            stats.loss_percent
        );
        assert_eq!(meter.read(start + Duration::from_secs(3)).level_dbov, None);
    }
}
