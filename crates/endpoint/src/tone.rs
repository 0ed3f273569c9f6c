//! What a site without people sounds like: three soft beeps every few seconds, at a pitch of its own, as Opus.

use crate::EndpointError;
use bytes::Bytes;
use diemcau_model::SiteId;
use opus_rs::{Application, OpusEncoder};

/// Samples a second.
pub const SAMPLE_RATE: u32 = 48_000;
/// Samples of one packet: 20 ms.
pub const PACKET_SAMPLES: u32 = 960;

const LOOP_PACKETS: usize = 200;
const BEEPS_AT_MS: [usize; 3] = [200, 450, 700];
const BEEP_MS: usize = 140;
const LOUDNESS: f32 = 0.12;
const OPUS_PACKET_MAX: usize = 1_000;

/// Twenty milliseconds of sound.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Opus.
    pub opus: Bytes,
    /// Loudness as RFC 6464 counts it: dB below full scale, 127 is silence.
    pub level: u8,
}

/// Encodes one round of the tone. The round may be repeated: it begins and ends in silence.
///
/// # Errors
///
/// If the encoder refuses.
pub fn encode(site: SiteId) -> Result<Vec<Packet>, EndpointError> {
    let mut encoder = OpusEncoder::new(SAMPLE_RATE as i32, 1, Application::Audio)
        .map_err(EndpointError::pattern)?;
    encoder.bitrate_bps = 24_000;
    samples(site)
        .chunks_exact(PACKET_SAMPLES as usize)
        .map(|chunk| {
            let mut buffer = [0; OPUS_PACKET_MAX];
            let length = encoder
                .encode(chunk, PACKET_SAMPLES as usize, &mut buffer)
                .map_err(EndpointError::pattern)?;
            let opus = buffer.get(..length).unwrap_or_default();
            Ok(Packet {
                opus: Bytes::copy_from_slice(opus),
                level: level(chunk),
            })
        })
        .collect()
}

/// A pentatonic scale: any two sites sound well together.
fn pitch(site: SiteId) -> f32 {
    const SCALE: [u16; 5] = [0, 2, 4, 7, 9];
    let step = SCALE[usize::from(site.0 % 5)] + 12 * (site.0 / 5 % 3);
    330.0 * 2_f32.powf(f32::from(step) / 12.0)
}

fn samples(site: SiteId) -> Vec<f32> {
    let per_ms = SAMPLE_RATE as usize / 1_000;
    let mut samples = vec![0.0; LOOP_PACKETS * PACKET_SAMPLES as usize];
    let length = BEEP_MS * per_ms;
    for start in BEEPS_AT_MS {
        for (n, sample) in samples
            .iter_mut()
            .skip(start * per_ms)
            .take(length)
            .enumerate()
        {
            let wave = (n as f32 / SAMPLE_RATE as f32 * pitch(site) * std::f32::consts::TAU).sin();
            // Swells and fades over the whole beep: no click at either end.
            let swell = (n as f32 / length as f32 * std::f32::consts::PI)
                .sin()
                .powi(2);
            *sample = wave * swell * LOUDNESS;
        }
    }
    samples
}

fn level(chunk: &[f32]) -> u8 {
    let power = chunk.iter().map(|s| s * s).sum::<f32>() / chunk.len() as f32;
    if power <= 0.0 {
        return 127;
    }
    (-10.0 * power.log10()).round().clamp(0.0, 127.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use opus_rs::OpusDecoder;

    #[test]
    fn the_tone_decodes_to_three_beeps_of_the_right_pitch() {
        for site in [SiteId(0), SiteId(7), SiteId(12)] {
            let packets = encode(site).unwrap();
            assert_eq!(packets.len(), LOOP_PACKETS);
            let mut decoder = OpusDecoder::new(SAMPLE_RATE as i32, 1).unwrap();
            let mut sound = Vec::new();
            for packet in &packets {
                let mut chunk = [0.0; PACKET_SAMPLES as usize];
                let got = decoder
                    .decode(&packet.opus, PACKET_SAMPLES as usize, &mut chunk)
                    .unwrap();
                assert_eq!(got, PACKET_SAMPLES as usize);
                sound.extend_from_slice(&chunk);
            }
            assert_eq!(beeps(&sound), 3, "site {site}");
            let heard = pitch_heard(&sound[210 * 48..330 * 48]);
            assert!((heard - pitch(site)).abs() < 12.0, "site {site}: {heard}");
        }
    }

    #[test]
    fn levels_tell_beeps_from_silence() {
        let levels: Vec<u8> = encode(SiteId(1)).unwrap().iter().map(|p| p.level).collect();
        assert_eq!(levels[0], 127);
        assert!(levels[13] < 40, "{}", levels[13]);
        assert_eq!(levels[LOOP_PACKETS - 1], 127);
    }

    fn beeps(sound: &[f32]) -> usize {
        let loud: Vec<bool> = sound
            .chunks(960)
            .map(|c| c.iter().any(|s| s.abs() > LOUDNESS / 3.0))
            .collect();
        loud.windows(2).filter(|w| !w[0] && w[1]).count()
    }

    /// Upward zero crossings a second.
    fn pitch_heard(sound: &[f32]) -> f32 {
        let ups = sound
            .windows(2)
            .filter(|w| w[0] <= 0.0 && w[1] > 0.0)
            .count();
        ups as f32 * SAMPLE_RATE as f32 / sound.len() as f32
    }
}
