//! The two connections: up goes the card and the tone, down come the slots.

mod pump;
mod slots;
mod wish;

use pump::Pump;
use slots::Slots;
use wish::KeyframeTap;

use crate::encode::Film;
use crate::report::{Meters, Sent};
use crate::tone;
use diemcau_model::Side;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{NackGeneratorBuilder, NackResponderBuilder, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters,
    RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::shared::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use webrtc::error::Result;
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
        let slots = Slots::of(&offer, meters);
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

/// Figures stay usable whatever happened to the task that held them.
pub(crate) fn lock<T>(figures: &Mutex<T>) -> MutexGuard<'_, T> {
    figures.lock().unwrap_or_else(PoisonError::into_inner)
}
