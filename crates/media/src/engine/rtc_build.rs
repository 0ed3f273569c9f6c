//! Builds a peer connection of `rtc`: codecs, header extensions, interceptors and candidates.
//!
//! Everything is registered by hand. `register_default_interceptors` would ask for a lost packet without end
//! (a storm at 5 % loss), and with an RTX codec a repaired packet still counts as missing there; so no RTX: a lost packet
//! is sent again on its own stream, and we ask for it ourselves (`missing.rs`).

use super::{Addresses, H264_FMTP, H264_PAYLOAD_TYPE, OPUS_PAYLOAD_TYPE, VP8_PAYLOAD_TYPE};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::Registry;
use rtc::peer_connection::configuration::interceptor_registry::{
    configure_rtcp_reports, configure_simulcast_extension_headers, configure_twcc_receiver_only,
};
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_H264, MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine,
};
use rtc::peer_connection::configuration::setting_engine::{SettingEngine, SettingEngineBuilder};
use rtc::peer_connection::transport::{
    CandidateConfig, CandidateHostConfig, RTCIceCandidate, RTCIceCandidateInit,
};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::shared::error::Error;
use std::time::Instant;

pub const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/// A packet may come so many packets late and is still opened. A key frame has more than the library's 64, and one that is
/// sent again on a far road comes more than a hundred late.
const REPLAY_WINDOW: usize = 4_096;

/// A connection with nothing in it yet.
pub fn connection(addresses: &Addresses, now: Instant) -> Result<RTCPeerConnection, Error> {
    let mut media = codecs()?;
    let mut connection = RTCPeerConnectionBuilder::new()
        .with_interceptor_registry(interceptors(&mut media)?)
        .with_media_engine(media)
        .with_setting_engine(settings())
        .build(now)?;
    for address in &addresses.0 {
        connection.add_local_candidate(candidate(*address)?)?;
    }
    connection.add_local_candidate(RTCIceCandidateInit::default())?;
    Ok(connection)
}

fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.into(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".into(),
        rtcp_feedback: vec![],
    }
}

fn picture(mime_type: &str, fmtp: &str) -> RTCRtpCodec {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback {
        typ: typ.into(),
        parameter: parameter.into(),
    };
    RTCRtpCodec {
        mime_type: mime_type.into(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: fmtp.into(),
        rtcp_feedback: vec![
            feedback("ccm", "fir"),
            feedback("nack", ""),
            feedback("nack", "pli"),
        ],
    }
}

fn codecs() -> Result<MediaEngine, Error> {
    let mut media = MediaEngine::default();
    let opus = RTCRtpCodecParameters {
        rtp_codec: opus(),
        payload_type: OPUS_PAYLOAD_TYPE,
    };
    let vp8 = RTCRtpCodecParameters {
        rtp_codec: picture(MIME_TYPE_VP8, ""),
        payload_type: VP8_PAYLOAD_TYPE,
    };
    let h264 = RTCRtpCodecParameters {
        rtp_codec: picture(MIME_TYPE_H264, H264_FMTP),
        payload_type: H264_PAYLOAD_TYPE,
    };
    media.register_codec(opus, RtpCodecKind::Audio)?;
    media.register_codec(vp8, RtpCodecKind::Video)?;
    media.register_codec(h264, RtpCodecKind::Video)?;
    let level = RTCRtpHeaderExtensionCapability {
        uri: AUDIO_LEVEL_URI.into(),
    };
    media.register_header_extension(level, RtpCodecKind::Audio, None)?;
    Ok(media)
}

fn interceptors(media: &mut MediaEngine) -> Result<Registry, Error> {
    configure_simulcast_extension_headers(media)?;
    let registry = configure_twcc_receiver_only(Registry::new(), media)?;
    Ok(configure_rtcp_reports(registry))
}

fn settings() -> SettingEngine {
    SettingEngineBuilder::new()
        .with_lite(true)
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_srtp_replay_protection_window(REPLAY_WINDOW)
        // GCM only: where the client opens DTLS, its order of preference wins, and browsers name the older cipher,
        // which costs twice as much per packet, first.
        .with_srtp_protection_profiles(vec![
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
        ])
        .build()
}

fn candidate(address: std::net::SocketAddr) -> Result<RTCIceCandidateInit, Error> {
    let host = CandidateHostConfig {
        base_config: CandidateConfig {
            network: "udp".into(),
            address: address.ip().to_string(),
            port: address.port(),
            component: 1,
            ..Default::default()
        },
        ..Default::default()
    };
    RTCIceCandidate::from(&host.new_candidate_host()?).to_json()
}
