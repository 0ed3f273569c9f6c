//! What a microphone's stream tells of itself: how loud it is, and how unevenly it arrives.

use crate::engine::RtpIn;
use std::time::{Duration, Instant};

/// The loudness of silence.
const SILENCE_DBOV: i8 = -127;
/// Packets of a second whose loudness makes it loud: a tenth of what Opus sends.
const LOUD_PACKETS: usize = 5;
/// Opus counts its time in parts of a second of this size, whatever it was sampled at (RFC 7587).
const CLOCK_HZ: i64 = 48_000;
/// Two packets farther apart than this are not one stream's: its clock jumped, and a jump is no jitter.
const JUMP_MS: f32 = 2_000.0;

/// The sound of one second.
#[derive(Debug, Default)]
pub struct Sound {
    came: bool,
    /// The loudest packets of the second, the loudest first; none is louder than what has no place here.
    loudest: [Option<i8>; LOUD_PACKETS],
    jitter: Jitter,
}

/// RFC 3550, section 6.4.1 and appendix A.8.
#[derive(Debug, Default)]
struct Jitter {
    last: Option<(u32, u32, Instant)>,
    ms: f32,
}

impl Sound {
    pub fn packet(&mut self, packet: &RtpIn, now: Instant) {
        self.came = true;
        self.jitter.packet(packet, now);
        if let Some(level) = packet.level_dbov {
            self.level(level.max(SILENCE_DBOV));
        }
    }

    /// The stream is made anew: what comes next cannot be early or late.
    pub fn forget(&mut self) {
        self.jitter = Jitter::default();
    }

    /// Jitter in milliseconds, the loudest moment, and what a tenth of the second reached; begins the next second.
    pub fn read(&mut self) -> (Option<f32>, Option<i8>, Option<i8>) {
        let jitter = std::mem::take(&mut self.came).then_some(self.jitter.ms);
        let loudest = std::mem::take(&mut self.loudest);
        (jitter, loudest[0], loudest[LOUD_PACKETS - 1])
    }

    fn level(&mut self, level: i8) {
        let mut level = Some(level);
        for place in &mut self.loudest {
            if level > *place {
                std::mem::swap(&mut level, place);
            }
        }
    }
}

impl Jitter {
    fn packet(&mut self, packet: &RtpIn, now: Instant) {
        let last = self.last.replace((packet.ssrc, packet.timestamp, now));
        let Some((ssrc, timestamp, at)) = last else {
            return;
        };
        if ssrc != packet.ssrc {
            return;
        }
        let sent = i64::from(packet.timestamp.wrapping_sub(timestamp).cast_signed());
        let arrived = now.saturating_duration_since(at);
        let apart = ms(arrived) - (sent * 1_000) as f32 / CLOCK_HZ as f32;
        if apart.abs() < JUMP_MS {
            self.ms += (apart.abs() - self.ms) / 16.0;
        }
    }
}

fn ms(time: Duration) -> f32 {
    time.as_secs_f32() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::tests::sound;

    /// Plays packets that were sent every 20 ms and arrive at these milliseconds.
    fn jitter(arrivals: impl IntoIterator<Item = u64>) -> f32 {
        let start = Instant::now();
        let mut heard = Sound::default();
        for (at, number) in arrivals.into_iter().zip(0_u32..) {
            let packet = sound(number as u16, number.wrapping_mul(960), None);
            heard.packet(&packet, start + Duration::from_millis(at));
        }
        heard.read().0.unwrap()
    }

    #[test]
    fn sound_that_comes_as_it_was_sent_has_no_jitter() {
        assert!(jitter((0..100).map(|number| number * 20 + 7)) < 0.01);
    }

    #[test]
    fn jitter_is_the_mean_of_what_comes_early_and_late() {
        // Every other packet 10 ms late: each is 10 ms nearer to or farther from the one before.
        let uneven = jitter((0..200).map(|number| number * 20 + number % 2 * 10));
        assert!((uneven - 10.0).abs() < 0.1, "{uneven}");
    }

    #[test]
    fn a_silence_the_encoder_leaves_out_and_a_clock_that_jumps_are_no_jitter() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut heard = Sound::default();
        // Opus with DTX: nothing for 400 ms, and its clock goes on.
        heard.packet(&sound(1, 0, None), at(0));
        heard.packet(&sound(2, 19_200, None), at(400));
        assert_eq!(heard.read().0, Some(0.0));
        heard.packet(&sound(3, 19_200 + 48_000 * 3_600, None), at(420));
        assert_eq!(heard.read().0, Some(0.0));
        // Out of order: early by as much as the numbers say it is.
        heard.packet(&sound(5, 19_200 + 48_000 * 3_600 + 1_920, None), at(460));
        heard.packet(&sound(4, 19_200 + 48_000 * 3_600 + 960, None), at(461));
        let late = heard.read().0.unwrap();
        assert!((late - 21.0 / 16.0).abs() < 0.01, "{late}");
    }

    #[test]
    fn no_sound_has_no_figures() {
        let mut heard = Sound::default();
        heard.packet(&sound(1, 0, Some(-20)), Instant::now());
        assert_eq!(heard.read(), (Some(0.0), Some(-20), None));
        assert_eq!(heard.read(), (None, None, None));
    }

    #[test]
    fn one_clap_is_loud_and_does_not_clip() {
        let now = Instant::now();
        let mut heard = Sound::default();
        for number in 0..50 {
            let level = if number == 20 { 0 } else { -40 };
            heard.packet(&sound(number, u32::from(number) * 960, Some(level)), now);
        }
        let (_, level, loud) = heard.read();
        assert_eq!((level, loud), (Some(0), Some(-40)));
        for number in 0..50 {
            let level = if number % 10 == 0 { -1 } else { -40 };
            heard.packet(&sound(number, u32::from(number) * 960, Some(level)), now);
        }
        let (_, level, loud) = heard.read();
        assert_eq!((level, loud), (Some(-1), Some(-1)));
    }
}
