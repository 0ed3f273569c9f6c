//! The two connections: up goes the card and the tone, down come the slots.

use crate::encode::{FPS, Film, packetise};
use crate::report::{Meters, Sent};
use crate::tone::{self, PACKET_SAMPLES};
use bytes::Bytes;
use diemcau_model::Side;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{
    Interceptor, NackGeneratorBuilder, NackResponderBuilder, Packet, Slot, StreamInfo, TaggedPacket,
};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp;
use rtc::rtp::extension::HeaderExtension;
use rtc::rtp::extension::audio_level_extension::AudioLevelExtension;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters,
    RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use webrtc::error::Result;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCConfigurationBuilder, RTCIceGatheringState, RTCPeerConnectionState, RTCSessionDescription,
    Registry, SettingEngineBuilder, SrtpProtectionProfile, configure_rtcp_reports,
    configure_twcc_receiver_only,
};

const OPUS: u8 = 111;
const VP8: u8 = 96;
const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const VIDEO_CLOCK: u32 = 90_000;
const TICK: Duration = Duration::from_millis(20);
const TICKS_PER_FRAME: u64 = 1_000 / 20 / FPS as u64;
/// Frames from one key frame to the next when nobody asks.
const KEY_EVERY: u64 = 2 * FPS as u64;
const GATHERING_MAX: Duration = Duration::from_secs(5);
// More than one per lost packet, but never a storm: a packet that was repaired still counts as missing.
const NACKS_PER_PACKET: u16 = 3;

/// What a site sends: made once, sent round and round.
pub struct Show {
    /// Its picture.
    pub film: Film,
    /// Its sound.
    pub tone: Vec<tone::Packet>,
}

/// A change of one of the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which one.
    pub side: Side,
    /// Which making of it; changes of an older one are of no interest.
    pub making: u64,
    /// Whether it works now; if not, it is over.
    pub works: bool,
}

/// Where a connection lives and whom it tells.
#[derive(Clone)]
pub struct Place {
    /// This machine's address on the way to the server.
    pub local: IpAddr,
    /// Number of this making.
    pub making: u64,
    /// Changes. Full only if the session stands still; it would be dropped for its silence then.
    pub changes: mpsc::Sender<Change>,
}

/// The way up.
pub struct Uplink {
    connection: Arc<dyn PeerConnection>,
    making: u64,
    audio: Arc<TrackLocalStaticRTP>,
    video: Arc<TrackLocalStaticRTP>,
    ssrcs: (u32, u32),
    key_wanted: Arc<AtomicBool>,
    /// Whether the server takes the loudness beside the sound; it would lose the packet otherwise.
    levels: bool,
    sending: Option<JoinHandle<()>>,
}

impl Uplink {
    /// Makes the connection and its offer.
    ///
    /// # Errors
    ///
    /// If the connection cannot be made on this machine.
    pub async fn offer(place: Place) -> Result<(Self, String)> {
        let key_wanted = Arc::new(AtomicBool::new(false));
        let making = place.making;
        let (connection, gathered) =
            connect(place, Side::Uplink, Some(Arc::clone(&key_wanted)), None).await?;
        let ssrc = getrandom::u32().map_err(|e| Error::Other(e.to_string()))?;
        let ssrcs = (ssrc, ssrc ^ 1);
        let audio = local_track(RtpCodecKind::Audio, ssrcs.0, opus());
        let video = local_track(RtpCodecKind::Video, ssrcs.1, vp8());
        connection.add_track(Arc::clone(&audio) as _).await?;
        connection.add_track(Arc::clone(&video) as _).await?;
        let offer = connection.create_offer(None).await?;
        connection.set_local_description(offer).await?;
        let sdp = described(&*connection, gathered).await?;
        let uplink = Self {
            connection,
            making,
            audio,
            video,
            ssrcs,
            key_wanted,
            levels: false,
            sending: None,
        };
        Ok((uplink, sdp))
    }

    /// Takes the server's answer.
    ///
    /// # Errors
    ///
    /// If it does not fit the offer.
    pub async fn answered(&mut self, sdp: String) -> Result<()> {
        self.levels = sdp.contains(AUDIO_LEVEL_URI);
        let answer = RTCSessionDescription::answer(sdp)?;
        self.connection.set_remote_description(answer).await
    }

    /// Which making it is.
    #[must_use]
    pub fn making(&self) -> u64 {
        self.making
    }

    /// Begins to send; a second call changes nothing.
    pub fn send(&mut self, show: watch::Receiver<Option<Arc<Show>>>, sent: Arc<Mutex<Sent>>) {
        if self.sending.is_some() {
            return;
        }
        let pump = Pump {
            audio: Arc::clone(&self.audio),
            video: Arc::clone(&self.video),
            ssrcs: self.ssrcs,
            key_wanted: Arc::clone(&self.key_wanted),
            levels: self.levels,
            sent,
            audio_sequence: 0,
            video_sequence: 0,
            picture: 0,
        };
        self.sending = Some(tokio::spawn(pump.run(show)));
    }

    /// Ends it.
    pub async fn close(self) {
        close(&*self.connection).await;
    }
}

impl Drop for Uplink {
    fn drop(&mut self) {
        if let Some(sending) = &self.sending {
            sending.abort();
        }
    }
}

/// The way down.
pub struct Downlink {
    connection: Arc<dyn PeerConnection>,
    making: u64,
}

impl Downlink {
    /// Makes the connection that answers the server's offer; what arrives is counted in `meters`.
    ///
    /// # Errors
    ///
    /// If the connection cannot be made on this machine, or the offer cannot be understood.
    pub async fn answer(
        place: Place,
        offer: String,
        meters: Arc<Mutex<Meters>>,
    ) -> Result<(Self, String)> {
        let making = place.making;
        let slots = Slots {
            by_ssrc: slots_by_ssrc(&offer),
            meters,
        };
        let (connection, gathered) =
            connect(place, Side::Downlink, None, Some(Arc::new(slots))).await?;
        let offer = RTCSessionDescription::offer(offer)?;
        connection.set_remote_description(offer).await?;
        let answer = connection.create_answer(None).await?;
        connection.set_local_description(answer).await?;
        let sdp = described(&*connection, gathered).await?;
        Ok((Self { connection, making }, sdp))
    }

    /// Which making it is.
    #[must_use]
    pub fn making(&self) -> u64 {
        self.making
    }

    /// Ends it.
    pub async fn close(self) {
        close(&*self.connection).await;
    }
}

/// A slot of the downlink, by kind and place among its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DownSlot {
    Video(usize),
    Voice(usize),
}

/// The slots an offer declares. The first stream of an m-line is the slot; others carry repairs.
fn slots_by_ssrc(offer: &str) -> BTreeMap<u32, DownSlot> {
    let mut slots = BTreeMap::new();
    let (mut videos, mut voices) = (0, 0);
    let mut awaited = None;
    for line in offer.lines() {
        if line.starts_with("m=video") {
            awaited = Some(DownSlot::Video(videos));
            videos += 1;
        } else if line.starts_with("m=audio") {
            awaited = Some(DownSlot::Voice(voices));
            voices += 1;
        } else if line.starts_with("m=") {
            awaited = None;
        } else if let Some(rest) = line.strip_prefix("a=ssrc:")
            && let Some(slot) = awaited
            && let Some(ssrc) = rest.split(' ').next().and_then(|n| n.parse().ok())
        {
            slots.insert(ssrc, slot);
            awaited = None;
        }
    }
    slots
}

struct Slots {
    by_ssrc: BTreeMap<u32, DownSlot>,
    meters: Arc<Mutex<Meters>>,
}

impl Slots {
    fn count(&self, packet: &rtp::Packet) {
        let (sequence, payload) = (packet.header.sequence_number, &packet.payload);
        let mut meters = lock(&self.meters);
        match self.by_ssrc.get(&packet.header.ssrc) {
            Some(DownSlot::Video(slot)) => {
                if let Some(meter) = meters.video.get_mut(*slot) {
                    meter.video(sequence, payload);
                }
            }
            Some(DownSlot::Voice(slot)) => {
                if let Some(meter) = meters.voices.get_mut(*slot) {
                    meter.sound(sequence, payload);
                }
            }
            None => tracing::debug!(ssrc = packet.header.ssrc, "a packet of no slot"),
        }
    }
}

struct Handler {
    side: Side,
    making: u64,
    changes: mpsc::Sender<Change>,
    gathered: watch::Sender<bool>,
    slots: Option<Arc<Slots>>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.send_replace(true);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        tracing::debug!(side = ?self.side, %state, "connection");
        let works = state == RTCPeerConnectionState::Connected;
        let over = state == RTCPeerConnectionState::Failed;
        if works || over {
            let change = Change {
                side: self.side,
                making: self.making,
                works,
            };
            if self.changes.try_send(change).is_err() {
                tracing::warn!(side = ?self.side, "nobody takes a change of the connection");
            }
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let Some(slots) = self.slots.clone() else {
            return;
        };
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    slots.count(&packet);
                }
            }
        });
    }
}

async fn connect(
    place: Place,
    side: Side,
    key_wanted: Option<Arc<AtomicBool>>,
    slots: Option<Arc<Slots>>,
) -> Result<(Arc<dyn PeerConnection>, watch::Receiver<bool>)> {
    let mut engine = media_engine()?;
    let mut registry = Registry::new()
        .with(Slot::NackResponder, NackResponderBuilder::new().build())
        .with(
            Slot::NackGenerator,
            NackGeneratorBuilder::new()
                .with_max_nacks_per_packet(NACKS_PER_PACKET)
                .build(),
        );
    registry = configure_rtcp_reports(registry);
    registry = configure_twcc_receiver_only(registry, &mut engine)?;
    if let Some(wanted) = key_wanted {
        registry = registry.with(Slot::from(14_000), KeyframeTap::new(wanted));
    }
    let settings = SettingEngineBuilder::new()
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(true)
        .with_srtp_protection_profiles(vec![
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        ])
        .build();
    let (gathered_tx, gathered) = watch::channel(false);
    let handler = Handler {
        side,
        making: place.making,
        changes: place.changes,
        gathered: gathered_tx,
        slots,
    };
    let connection = PeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::default().build())
        .with_media_engine(engine)
        .with_setting_engine(settings)
        .with_interceptor_registry(registry)
        .with_handler(Arc::new(handler))
        .with_udp_addrs(vec![SocketAddr::new(place.local, 0)])
        .build()
        .await?;
    Ok((Arc::new(connection), gathered))
}

/// Opus and VP8 only, and no retransmission stream: repairs come on the stream itself.
fn media_engine() -> Result<MediaEngine> {
    let mut engine = MediaEngine::default();
    let codec = |rtp_codec, payload_type| RTCRtpCodecParameters {
        rtp_codec,
        payload_type,
    };
    engine.register_codec(codec(opus(), OPUS), RtpCodecKind::Audio)?;
    engine.register_codec(codec(vp8(), VP8), RtpCodecKind::Video)?;
    engine.register_header_extension(
        RTCRtpHeaderExtensionCapability {
            uri: AUDIO_LEVEL_URI.to_owned(),
        },
        RtpCodecKind::Audio,
        None,
    )?;
    Ok(engine)
}

fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: tone::SAMPLE_RATE,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: vec![],
    }
}

fn vp8() -> RTCRtpCodec {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback {
        typ: typ.to_owned(),
        parameter: parameter.to_owned(),
    };
    RTCRtpCodec {
        mime_type: MIME_TYPE_VP8.to_owned(),
        clock_rate: VIDEO_CLOCK,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: vec![
            feedback("ccm", "fir"),
            feedback("nack", ""),
            feedback("nack", "pli"),
        ],
    }
}

fn local_track(kind: RtpCodecKind, ssrc: u32, codec: RTCRtpCodec) -> Arc<TrackLocalStaticRTP> {
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            ..Default::default()
        },
        codec,
        ..Default::default()
    };
    Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
        "endpoint".to_owned(),
        format!("endpoint-{kind}"),
        format!("endpoint-{kind}"),
        kind,
        vec![encoding],
    )))
}

/// The local description with its candidates in it: nothing is trickled.
async fn described(
    connection: &dyn PeerConnection,
    mut gathered: watch::Receiver<bool>,
) -> Result<String> {
    let all = async { gathered.wait_for(|done| *done).await.is_ok() };
    if tokio::time::timeout(GATHERING_MAX, all).await != Ok(true) {
        tracing::warn!("not all addresses of this machine were found in time");
    }
    let description = connection.local_description().await;
    description
        .map(|d| d.sdp)
        .ok_or_else(|| Error::Other("there is no local description".to_owned()))
}

async fn close(connection: &dyn PeerConnection) {
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "a connection was gone before it was closed");
    }
}

/// Sends the show.
struct Pump {
    audio: Arc<TrackLocalStaticRTP>,
    video: Arc<TrackLocalStaticRTP>,
    ssrcs: (u32, u32),
    key_wanted: Arc<AtomicBool>,
    levels: bool,
    sent: Arc<Mutex<Sent>>,
    audio_sequence: u16,
    video_sequence: u16,
    picture: u16,
}

impl Pump {
    async fn run(mut self, mut show: watch::Receiver<Option<Arc<Show>>>) {
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

/// Notes that the server wants a key frame: the library keeps such wishes to itself.
struct KeyframeTap {
    wanted: Arc<AtomicBool>,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl KeyframeTap {
    fn new(wanted: Arc<AtomicBool>) -> Self {
        Self {
            wanted,
            inbound: VecDeque::new(),
            outbound: VecDeque::new(),
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for KeyframeTap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<()> {
        if let Packet::Rtcp(packets) = &message.message.packet {
            let wish = packets.iter().any(|p| {
                p.as_any().is::<PictureLossIndication>() || p.as_any().is::<FullIntraRequest>()
            });
            if wish {
                self.wanted.store(true, Ordering::Relaxed);
            }
        }
        self.inbound.push_back(message);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inbound.pop_front()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<()> {
        self.outbound.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }
}

impl Interceptor for KeyframeTap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

/// Figures stay usable whatever happened to the task that held them.
pub(crate) fn lock<T>(figures: &Mutex<T>) -> MutexGuard<'_, T> {
    figures.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_the_lines_of_the_offer_in_their_order() {
        let offer = "v=0\r\na=ssrc:1 cname:x\r\nm=video 9 x 96\r\na=ssrc:10 cname:a\r\na=ssrc:10 msid:a\r\n\
            a=ssrc:11 cname:repair\r\nm=video 9 x 96\r\na=ssrc:20 cname:a\r\nm=audio 9 x 111\r\n\
            a=ssrc:30 cname:a\r\nm=application 9 x\r\na=ssrc:40 cname:a\r\n";
        let expected = BTreeMap::from([
            (10, DownSlot::Video(0)),
            (20, DownSlot::Video(1)),
            (30, DownSlot::Voice(0)),
        ]);
        assert_eq!(slots_by_ssrc(offer), expected);
    }

    #[test]
    fn crafted_packets_are_counted_in_their_slots() {
        let slots = Slots {
            by_ssrc: BTreeMap::from([(7, DownSlot::Video(3)), (8, DownSlot::Voice(1))]),
            meters: Arc::default(),
        };
        let packet = |ssrc, sequence_number, payload: &'static [u8]| {
            let mut packet = rtp::Packet::default();
            packet.header.ssrc = ssrc;
            packet.header.sequence_number = sequence_number;
            packet.payload = Bytes::from_static(payload);
            packet
        };
        slots.count(&packet(7, 1, &[0x10, 0x10]));
        slots.count(&packet(7, 2, &[0x00, 0x10]));
        slots.count(&packet(8, 1, &[1]));
        slots.count(&packet(9, 1, &[1]));
        let meters = lock(&slots.meters);
        let tile = meters.video[3].counts();
        assert_eq!((tile.packets, tile.frames, tile.key_frames), (2, 1, 1));
        assert_eq!(meters.voices[1].counts().packets, 1);
        let all: u64 = meters.video.iter().map(|m| m.counts().packets).sum();
        assert_eq!(all, 2);
    }
}
