//! Figures of one peer, once a second.

use crate::engine::{Codec, Layer, RtpIn};
use diemcau_model::{LinkStats, LinkStep};
use std::time::{Duration, Instant};

/// How often the figures go out.
pub const STATS_INTERVAL: Duration = Duration::from_secs(1);
/// A round trip measured longer ago says nothing about now.
const ROUND_TRIP_LIFETIME: Duration = Duration::from_secs(15);
/// The loudness of silence.
const SILENCE_DBOV: i8 = -127;

#[derive(Debug)]
pub struct Meter {
    since: Instant,
    bytes_in: u64,
    bytes_out: u64,
    level: Option<i8>,
    frames: [u32; 3],
    round_trip: Option<(f32, Instant)>,
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
            level: None,
            frames: [0; 3],
            round_trip: None,
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

    pub fn packet(&mut self, packet: &RtpIn) {
        match packet.codec {
            Codec::Opus => {
                let level = packet.level_dbov;
                // The loudest moment of the second: an average would hide speech between pauses.
                self.level = level
                    .map(|level| level.max(self.level.unwrap_or(SILENCE_DBOV)))
                    .or(self.level);
            }
            Codec::Vp8 | Codec::H264 if packet.marker => self.frames[place(packet.layer)] += 1,
            Codec::Vp8 | Codec::H264 => {}
        }
        self.sequence(packet.ssrc, packet.seq);
    }

    /// The uplink is made anew: its streams begin anew.
    pub fn forget_streams(&mut self) {
        self.streams.clear();
    }

    /// The figures since the last reading.
    pub fn read(&mut self, now: Instant) -> LinkStats {
        let seconds = now
            .saturating_duration_since(self.since)
            .as_secs_f64()
            .max(0.001);
        let a_second = |count: u64| (count as f64 / seconds) as u64;
        let (mut expected, mut received) = (0, 0);
        for stream in &mut self.streams {
            expected += stream.expected;
            received += stream.received.min(stream.expected);
            (stream.expected, stream.received) = (0, 0);
        }
        let best = self.frames.iter().rev().find(|frames| **frames > 0);
        let fresh =
            |(_, at): &(f32, Instant)| now.saturating_duration_since(*at) < ROUND_TRIP_LIFETIME;
        let stats = LinkStats {
            loss_percent: (expected - received) as f32 * 100.0 / expected.max(1) as f32,
            rtt_ms: self.round_trip.filter(fresh).map(|(ms, _)| ms),
            level_dbov: self.level,
            up_bps: a_second(self.bytes_in * 8),
            down_bps: a_second(self.bytes_out * 8),
            fps: (f64::from(best.copied().unwrap_or(0)) / seconds) as f32,
            bears_bps: None,
            step: LinkStep::Full,
        };
        (self.since, self.bytes_in, self.bytes_out) = (now, 0, 0);
        (self.level, self.frames) = (None, [0; 3]);
        stats
    }

    fn sequence(&mut self, ssrc: u32, seq: u16) {
        let Some(stream) = self.streams.iter_mut().find(|stream| stream.ssrc == ssrc) else {
            self.streams.push(Stream {
                ssrc,
                newest: seq,
                expected: 1,
                received: 1,
            });
            return;
        };
        stream.received += 1;
        let ahead = seq.wrapping_sub(stream.newest);
        if ahead < 0x8000 {
            stream.newest = seq;
            stream.expected += u32::from(ahead);
        }
    }
}

fn place(layer: Layer) -> usize {
    match layer {
        Layer::Quarter => 0,
        Layer::Half => 1,
        Layer::Full | Layer::Presentation => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(codec: Codec, seq: u16, level_dbov: Option<i8>) -> RtpIn {
        RtpIn {
            codec,
            layer: Layer::Half,
            ssrc: 1,
            seq,
            timestamp: 0,
            marker: true,
            level_dbov,
            payload: bytes::Bytes::new(),
        }
    }

    #[test]
    fn counts_loss_loudness_and_frames() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        for seq in [65_534, 65_535, 2, 1] {
            meter.packet(&packet(Codec::Vp8, seq, None));
        }
        let mut loud = packet(Codec::Opus, 1, Some(-30));
        loud.ssrc = 2;
        meter.packet(&loud);
        meter.received(1_000);
        let stats = meter.read(start + Duration::from_secs(2));
        assert_eq!(stats.level_dbov, Some(-30));
        assert_eq!(stats.up_bps, 4_000);
        assert_eq!(stats.fps, 2.0);
        assert!(
            (stats.loss_percent - 100.0 / 6.0).abs() < 0.01,
            "one of six: {}",
            stats.loss_percent
        );
        assert_eq!(meter.read(start + Duration::from_secs(3)).level_dbov, None);
    }
}
