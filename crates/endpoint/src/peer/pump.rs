//! Sends the show, round and round.

use super::{OPUS, Show, VIDEO_CLOCK, VP8, lock};
use crate::encode::{FPS, Film, packetise};
use crate::report::Sent;
use crate::tone::{self, PACKET_SAMPLES};
use bytes::Bytes;
use rtc::rtp;
use rtc::rtp::extension::HeaderExtension;
use rtc::rtp::extension::audio_level_extension::AudioLevelExtension;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use webrtc::error::Result;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;

const TICK: Duration = Duration::from_millis(20);
const TICKS_PER_FRAME: u64 = 1_000 / 20 / FPS as u64;
/// Frames from one key frame to the next when nobody asks.
const KEY_EVERY: u64 = 2 * FPS as u64;

/// Sends the show.
pub struct Pump {
    pub audio: Arc<TrackLocalStaticRTP>,
    pub video: Arc<TrackLocalStaticRTP>,
    pub ssrcs: (u32, u32),
    pub key_wanted: Arc<AtomicBool>,
    pub levels: bool,
    pub sent: Arc<Mutex<Sent>>,
    pub audio_sequence: u16,
    pub video_sequence: u16,
    pub picture: u16,
}

impl Pump {
    /// Until the connection takes nothing any more.
    pub async fn run(mut self, mut show: watch::Receiver<Option<Arc<Show>>>) {
        let show = match show.wait_for(Option::is_some).await {
            Ok(show) => show.clone(),
            Err(_) => return, // it could not be made, or nobody waits for it any more
        };
        let Some(show) = show else { return };
        let begun = tokio::time::Instant::now();
        let mut ticks = tokio::time::interval_at(begun, TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut frame = None;
        loop {
            let now = ticks.tick().await;
            // Media time follows the clock, so that a busy machine leaves gaps and does not fall behind.
            let tick = (now.duration_since(begun).as_millis() / TICK.as_millis()) as u64;
            let sent = async {
                self.sound(&show.tone, tick).await?;
                let due = tick / TICKS_PER_FRAME;
                if frame != Some(due) {
                    frame = Some(due);
                    self.picture(&show.film, due).await?;
                }
                Result::Ok(())
            };
            if let Err(error) = sent.await {
                tracing::debug!(%error, "the uplink takes nothing any more");
                return;
            }
        }
    }

    async fn sound(&mut self, tone: &[tone::Packet], tick: u64) -> Result<()> {
        let Some(packet) = usize::try_from(tick)
            .ok()
            .and_then(|t| tone.get(t % tone.len().max(1)))
        else {
            return Ok(());
        };
        let mut rtp = rtp::Packet::default();
        rtp.header.version = 2;
        rtp.header.payload_type = OPUS;
        rtp.header.ssrc = self.ssrcs.0;
        rtp.header.sequence_number = self.audio_sequence;
        rtp.header.timestamp = (tick as u32).wrapping_mul(PACKET_SAMPLES);
        rtp.payload = packet.opus.clone();
        self.audio_sequence = self.audio_sequence.wrapping_add(1);
        lock(&self.sent).audio_packets += 1;
        if !self.levels {
            return self.audio.write_rtp(rtp).await;
        }
        let level = HeaderExtension::AudioLevel(AudioLevelExtension {
            level: packet.level,
            voice: packet.level < 127,
        });
        self.audio.write_rtp_with_extensions(rtp, &[level]).await
    }

    async fn picture(&mut self, film: &Film, number: u64) -> Result<()> {
        let time = (number as u32).wrapping_mul(VIDEO_CLOCK / FPS);
        let asked = self.key_wanted.swap(false, Ordering::Relaxed);
        if asked || number.is_multiple_of(KEY_EVERY) {
            {
                let mut sent = lock(&self.sent);
                sent.key_frames += 1;
                sent.key_requests += u64::from(asked);
            }
            self.frame(&film.key, time, false).await?;
        }
        let Some(frame) = usize::try_from(number)
            .ok()
            .and_then(|n| film.frames.get(n % film.frames.len().max(1)))
        else {
            return Ok(());
        };
        // A millisecond after the key frame, which has no hand and shall not be seen for long.
        self.frame(frame, time.wrapping_add(90), true).await
    }

    async fn frame(&mut self, frame: &Bytes, time: u32, disposable: bool) -> Result<()> {
        let payloads = packetise(frame, self.picture, disposable);
        self.picture = self.picture.wrapping_add(1) & 0x7FFF;
        let last = payloads.len().saturating_sub(1);
        for (n, payload) in payloads.into_iter().enumerate() {
            let mut rtp = rtp::Packet::default();
            rtp.header.version = 2;
            rtp.header.payload_type = VP8;
            rtp.header.ssrc = self.ssrcs.1;
            rtp.header.sequence_number = self.video_sequence;
            rtp.header.timestamp = time;
            rtp.header.marker = n == last;
            rtp.payload = payload;
            self.video_sequence = self.video_sequence.wrapping_add(1);
            lock(&self.sent).video_packets += 1;
            self.video.write_rtp(rtp).await?;
        }
        Ok(())
    }
}
