//! Who sends what when: every site a frame of each layer and a sound in turn, the sites one after the other.

use crate::packets::{self, Stamp, VIDEO_BYTES_MIN, split_about_equally};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The longest payload: what Chromium puts into a packet.
pub const PAYLOAD_MAX_BYTES: usize = 1_200;
/// Between two sounds: Opus as browsers send it.
pub const SOUND_EACH: Duration = Duration::from_millis(20);
/// Samples of a sound at 48 kHz.
const SOUND_TICKS: u32 = 960;
const VIDEO_CLOCK_HZ: u32 = 90_000;
/// Frames differ by so much in length, up and down, so that not all packets of all sites are equally long.
const WOBBLE_PERCENT: usize = 3;

/// What each site sends.
#[derive(Clone, Debug)]
pub struct Programme {
    /// Frames a second.
    pub fps: u32,
    /// The layers with their bits a second, the smallest first; one without a name is no simulcast.
    pub layers: Vec<(Option<&'static str>, u64)>,
}

impl Programme {
    /// One picture without simulcast: 1.5 Mbit/s are six packets a frame.
    #[must_use]
    pub fn single(bits: u64) -> Self {
        Self {
            fps: 30,
            layers: vec![(None, bits)],
        }
    }

    /// Three layers as the client's page sends them.
    #[must_use]
    pub fn simulcast() -> Self {
        Self {
            fps: 30,
            layers: vec![
                (Some("q"), 100_000),
                (Some("h"), 350_000),
                (Some("f"), 1_500_000),
            ],
        }
    }
}

/// A packet to be sent.
#[derive(Debug)]
pub struct Packet {
    pub stamp: Stamp,
    /// Bytes of its payload.
    pub length: usize,
    /// Counts from 0 within the stream.
    pub number: u64,
    /// In the codec's clock.
    pub timestamp: u32,
    pub marker: bool,
}

impl Packet {
    #[must_use]
    pub fn is_video(&self) -> bool {
        self.stamp.parts > 0
    }

    /// The payload, stamped with the moment it is sent.
    pub fn payload(&mut self, now: Instant) -> Vec<u8> {
        self.stamp.sent = packets::micros(now);
        match self.is_video() {
            true => packets::video(&self.stamp, self.length),
            false => packets::sound(&self.stamp),
        }
    }
}

/// The sources and their next moments.
#[derive(Debug)]
pub struct Rhythm {
    programme: Programme,
    sources: Vec<Source>,
    /// Sounds and frames of those that stopped: a stamp's numbers go on when a connection is made anew.
    counted: BTreeMap<u16, (u32, Vec<u32>)>,
    /// The measuring window that is written into the stamps.
    pub window: u8,
}

#[derive(Debug)]
struct Source {
    site: u16,
    frame_at: Instant,
    sound_at: Instant,
    sounds: u32,
    sound_packets: u64,
    layers: Vec<Layer>,
}

#[derive(Clone, Debug)]
struct Layer {
    frames: u32,
    packets: u64,
    key_frame_due: bool,
}

impl Rhythm {
    #[must_use]
    pub fn new(programme: Programme) -> Self {
        Self {
            programme,
            sources: vec![],
            counted: BTreeMap::new(),
            window: 0,
        }
    }

    /// A site begins, its RTP streams at their beginning. Sites are spread over the frame's time by their number.
    pub fn start(&mut self, site: u16, now: Instant) {
        self.stop(site);
        let frame = Duration::from_secs(1) / self.programme.fps.max(1);
        let (sounds, frames) = self.counted.remove(&site).unwrap_or_default();
        let layers = (0..self.programme.layers.len()).map(|place| Layer {
            frames: frames.get(place).copied().unwrap_or_default(),
            packets: 0,
            key_frame_due: true,
        });
        self.sources.push(Source {
            site,
            frame_at: now + frame * u32::from(site % 13) / 13,
            sound_at: now + SOUND_EACH * u32::from(site % 13) / 13,
            sounds,
            sound_packets: 0,
            layers: layers.collect(),
        });
    }

    pub fn stop(&mut self, site: u16) {
        for source in self.sources.extract_if(.., |source| source.site == site) {
            let frames = source.layers.iter().map(|layer| layer.frames).collect();
            self.counted.insert(site, (source.sounds, frames));
        }
    }

    /// The next frame of the layer is a key frame.
    pub fn wish_key_frame(&mut self, site: u16, layer: usize) {
        let source = self.sources.iter_mut().find(|source| source.site == site);
        if let Some(layer) = source.and_then(|source| source.layers.get_mut(layer)) {
            layer.key_frame_due = true;
        }
    }

    /// The place of a layer's name.
    #[must_use]
    pub fn layer(&self, rid: Option<&str>) -> Option<usize> {
        self.programme
            .layers
            .iter()
            .position(|(name, _)| *name == rid)
    }

    /// The name of a layer.
    #[must_use]
    pub fn rid(&self, layer: u8) -> Option<&'static str> {
        let layer = self.programme.layers.get(usize::from(layer));
        layer.and_then(|(name, _)| *name)
    }

    /// When there is something to send again.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let each = self.sources.iter();
        each.map(|source| source.frame_at.min(source.sound_at))
            .min()
    }

    /// Hands out everything whose time has come.
    pub fn due(&mut self, now: Instant, mut send: impl FnMut(Packet)) {
        let frame = Duration::from_secs(1) / self.programme.fps.max(1);
        for source in &mut self.sources {
            while source.sound_at <= now {
                source.sound_at = next(source.sound_at, SOUND_EACH, now);
                send(source.sound(self.window));
            }
            while source.frame_at <= now {
                source.frame_at = next(source.frame_at, frame, now);
                for (place, (_, bits)) in self.programme.layers.iter().enumerate() {
                    source.frame(place, *bits, self.programme.fps, self.window, &mut send);
                }
            }
        }
    }
}

/// A generator that came late by more than a second does not run after it.
fn next(at: Instant, each: Duration, now: Instant) -> Instant {
    let next = at + each;
    match now.saturating_duration_since(next) > Duration::from_secs(1) {
        true => now,
        false => next,
    }
}

impl Source {
    fn sound(&mut self, window: u8) -> Packet {
        let number = self.sounds;
        self.sounds += 1;
        self.sound_packets += 1;
        let stamp = Stamp {
            site: self.site,
            window,
            frame: number,
            ..Stamp::default()
        };
        Packet {
            length: packets::SOUND_BYTES,
            stamp,
            number: self.sound_packets - 1,
            timestamp: number.wrapping_mul(SOUND_TICKS),
            marker: false,
        }
    }

    fn frame(
        &mut self,
        place: usize,
        bits: u64,
        fps: u32,
        window: u8,
        send: &mut impl FnMut(Packet),
    ) {
        let Some(layer) = self.layers.get_mut(place) else {
            return;
        };
        let bytes = frame_bytes(bits, fps, layer.frames);
        let parts = split_about_equally(bytes, PAYLOAD_MAX_BYTES).count();
        let timestamp = layer.frames.wrapping_mul(VIDEO_CLOCK_HZ / fps.max(1));
        for (part, length) in split_about_equally(bytes, PAYLOAD_MAX_BYTES).enumerate() {
            let stamp = Stamp {
                site: self.site,
                layer: place as u8,
                window,
                frame: layer.frames,
                part: part as u8,
                parts: parts as u8,
                key_frame: layer.key_frame_due,
                sent: 0,
            };
            send(Packet {
                length,
                stamp,
                number: layer.packets,
                timestamp,
                marker: part + 1 == parts,
            });
            layer.packets += 1;
        }
        layer.frames += 1;
        layer.key_frame_due = false;
    }
}

/// Frames go up and down around their mean, which is met over every two of them.
fn frame_bytes(bits: u64, fps: u32, frame: u32) -> usize {
    let mean = (bits / 8 / u64::from(fps.max(1))) as usize;
    let step = (frame / 2) as usize * 7 % 11;
    let off = mean * WOBBLE_PERCENT * step / 1_000;
    let bytes = match frame.is_multiple_of(2) {
        true => mean + off,
        false => mean - off,
    };
    bytes.max(VIDEO_BYTES_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_sends_its_rate_six_packets_a_frame_and_fifty_sounds_a_second() {
        let start = Instant::now();
        let mut rhythm = Rhythm::new(Programme::single(1_500_000));
        rhythm.start(3, start);
        let (mut frames, mut sounds, mut bytes, mut key_frames) = (vec![], 0, 0, 0);
        let mut now = start;
        while now < start + Duration::from_secs(10) {
            rhythm.due(now, |packet| {
                assert_eq!(packet.stamp.site, 3);
                if !packet.is_video() {
                    sounds += 1;
                    return;
                }
                bytes += packet.length;
                key_frames += u32::from(packet.stamp.key_frame && packet.marker);
                if packet.marker {
                    frames.push(packet.stamp.parts);
                }
            });
            now = rhythm.deadline().unwrap();
        }
        assert!((498..=501).contains(&sounds), "{sounds}");
        assert!((298..=301).contains(&frames.len()), "{}", frames.len());
        assert!(frames.iter().all(|parts| *parts == 6), "{frames:?}");
        let rate = bytes as f64 * 8.0 / 10.0;
        assert!((1.48e6..1.52e6).contains(&rate), "{rate}");
        assert_eq!(key_frames, 1);
    }

    #[test]
    fn a_site_that_begins_again_goes_on_counting_in_fresh_streams() {
        let start = Instant::now();
        let mut rhythm = Rhythm::new(Programme::single(1_500_000));
        let run = |from: u64, rhythm: &mut Rhythm| {
            rhythm.start(0, start + Duration::from_millis(from));
            let mut first = None;
            rhythm.due(start + Duration::from_millis(from + 500), |packet| {
                first = first.or(packet
                    .is_video()
                    .then_some((packet.stamp.frame, packet.number)));
            });
            first.unwrap()
        };
        assert_eq!(run(0, &mut rhythm), (0, 0));
        let (frame, number) = run(600, &mut rhythm);
        assert!((14..=17).contains(&frame), "{frame}");
        assert_eq!(number, 0);
    }

    #[test]
    fn a_wished_key_frame_is_the_next_frame_of_its_layer_alone() {
        let start = Instant::now();
        let mut rhythm = Rhythm::new(Programme::simulcast());
        rhythm.start(0, start);
        rhythm.due(start, |_| ());
        let half = rhythm.layer(Some("h")).unwrap();
        rhythm.wish_key_frame(0, half);
        let mut keys = vec![];
        rhythm.due(start + Duration::from_millis(34), |packet| {
            if packet.stamp.key_frame && packet.is_video() {
                keys.push(rhythm_layer(&packet));
            }
        });
        keys.dedup();
        assert_eq!(keys, [half as u8]);
    }

    fn rhythm_layer(packet: &Packet) -> u8 {
        packet.stamp.layer
    }
}
