//! A peer written by hand on the library's lower crates: it has the keys of its uplink and sends under them whatever a
//! test likes, where every finished peer would send what is right.

use super::{Hall, PATIENCE};
use bytes::BytesMut;
use diemcau_model::{Carries, LinkReport, PeerAsk, PeerId, PeerSay};
use rtc::crypto::{HashAlgorithm, RTCCryptoProvider};
use rtc::dtls::config::{ConfigBuilder, ExtendedMasterSecretType};
use rtc::dtls::crypto::Certificate;
use rtc::dtls::endpoint::{Endpoint, EndpointEvent};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::rtp::header::Header;
use rtc::shared::TransportProtocol;
use rtc::shared::marshal::{MarshalSize, Unmarshal};
use rtc::srtp::config::LABEL_EXTRACTOR_DTLS_SRTP;
use rtc::srtp::context::Context;
use rtc::srtp::protection_profile::ProtectionProfile;
use rtc::stun::attributes::{ATTR_USE_CANDIDATE, ATTR_USERNAME};
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, Message, Setter, TransactionId};
use rtc::stun::textattrs::Username;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// A sound and three layers, with the numbers below.
const OFFER: &str = include_str!("../../corpus/sdp_offer/simulcast");
pub const OPUS: u8 = 111;
pub const VP8: u8 = 96;
pub const LEVEL: u8 = 1;
pub const MID: u8 = 4;
pub const RID: u8 = 10;

const KEY_BYTES: usize = 16;
/// How long an answer is waited for before the question is asked again.
const AGAIN: Duration = Duration::from_millis(50);
const SOMEWHERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

pub struct Keyed {
    pub socket: UdpSocket,
    keys: Context,
}

/// What it knows to protect media with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Gcm,
    Cm,
}

/// Its side of the handshake.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    Active,
    Passive,
}

/// A packet in the clear.
pub struct Out<'a> {
    pub ssrc: u32,
    pub seq: u16,
    pub payload_type: u8,
    pub extensions: &'a [(u8, &'a [u8])],
    pub payload: &'a [u8],
}

impl Out<'_> {
    pub fn write(&self) -> Vec<u8> {
        let mut packet = vec![0x90, self.payload_type];
        packet.extend(self.seq.to_be_bytes());
        packet.extend((u32::from(self.seq) * 960).to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        let mut extensions = vec![];
        for (id, value) in self.extensions {
            extensions.push(id << 4 | u8::try_from(value.len() - 1).unwrap());
            extensions.extend_from_slice(value);
        }
        extensions.resize(extensions.len().next_multiple_of(4), 0);
        let words = u8::try_from(extensions.len() / 4).unwrap();
        packet.extend([0xbe, 0xde, 0, words]);
        packet.extend(extensions);
        packet.extend(self.payload);
        packet
    }
}

impl Keyed {
    /// Admits it to a site's room and connects its uplink.
    pub async fn enter(hall: &mut Hall, peer: u64, site: u16, setup: Setup) -> Self {
        Self::enter_with(hall, peer, site, setup, Profile::Gcm).await
    }

    pub async fn enter_with(
        hall: &mut Hall,
        peer: u64,
        site: u16,
        setup: Setup,
        profile: Profile,
    ) -> Self {
        hall.admit(peer, Some(site), Carries::Room).await;
        let provider = rtc::crypto::default_provider().unwrap();
        let certificate =
            Certificate::generate_self_signed(vec!["keyed".to_owned()], provider.crypto());
        let certificate = certificate.unwrap();
        let (id, sdp) = (PeerId(peer), offer(&certificate, setup, &*provider));
        hall.ask(PeerAsk::UplinkOffer { peer: id, sdp }).await;
        let answer = hall
            .said(|say| match say {
                PeerSay::Answer { peer, sdp, .. } if *peer == id => Some(sdp.clone()),
                _ => None,
            })
            .await;
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(hall.media.local_addr()).await.unwrap();
        prove(&socket, &answer, &*provider).await;
        let keys = handshake(&socket, certificate, (setup, profile), provider).await;
        hall.reported(|report| matches!(report, LinkReport::Up { peer, .. } if *peer == id))
            .await;
        Self { socket, keys }
    }

    /// A packet as it goes over the road; nothing of one that the library cannot even protect.
    pub fn sealed(&mut self, packet: &[u8]) -> Option<BytesMut> {
        match packet.get(1)? {
            192..224 => self.keys.encrypt_rtcp(packet).ok(),
            _ => {
                // It takes a broken header for a longer one than is there, and panics behind the end.
                let header = Header::unmarshal(&mut &*packet).ok()?;
                let is_there = header.marshal_size() <= packet.len();
                is_there.then(|| self.keys.encrypt_rtp(packet).ok())?
            }
        }
    }

    /// Gives whether it was sent.
    pub async fn send(&mut self, packet: &[u8]) -> bool {
        let Some(sealed) = self.sealed(packet) else {
            return false;
        };
        // A full buffer is loss like any other.
        self.socket.send(&sealed).await.is_ok()
    }
}

fn offer(certificate: &Certificate, setup: Setup, provider: &dyn RTCCryptoProvider) -> String {
    let der = certificate.certificate.first().unwrap();
    let hash = provider.crypto().hash(HashAlgorithm::Sha256, der).unwrap();
    let hex: Vec<String> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
    let line = |line: &str| match line.split_once(':') {
        Some(("a=fingerprint", _)) => format!("a=fingerprint:sha-256 {}\r\n", hex.join(":")),
        Some(("a=setup", _)) if setup == Setup::Passive => "a=setup:passive\r\n".to_owned(),
        _ => format!("{line}\r\n"),
    };
    OFFER.lines().map(line).collect()
}

/// Shows the server where we are, until it says that it has seen it.
async fn prove(socket: &UdpSocket, answer: &str, provider: &dyn RTCCryptoProvider) {
    let value = |name: &str| {
        let mut lines = answer.lines();
        lines.find_map(|line| line.strip_prefix(name)).unwrap()
    };
    let user = format!("{}:abcd", value("a=ice-ufrag:"));
    let password = value("a=ice-pwd:").to_owned();
    let mut heard = [0; 2_048];
    loop {
        let check = check(&user, &password, provider);
        socket.send(&check).await.unwrap();
        if timeout(AGAIN, socket.recv(&mut heard)).await.is_ok() {
            return;
        }
    }
}

/// A check that names its path.
fn check(user: &str, password: &str, provider: &dyn RTCCryptoProvider) -> Vec<u8> {
    struct Naming;
    impl Setter for Naming {
        fn add_to(&self, message: &mut Message) -> rtc::shared::error::Result<()> {
            message.add(ATTR_USE_CANDIDATE, &[]);
            Ok(())
        }
    }
    let mut message = Message::new();
    let password = password.to_owned();
    let built = message.build(&[
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId::new()),
        Box::new(Username::new(ATTR_USERNAME, user.to_owned())),
        Box::new(Naming),
        Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
            password,
            provider.crypto(),
        )),
        Box::new(FINGERPRINT),
    ]);
    built.unwrap();
    message.raw
}

/// The handshake; gives what protects the client's packets.
async fn handshake(
    socket: &UdpSocket,
    certificate: Certificate,
    (setup, profile): (Setup, Profile),
    provider: Arc<dyn RTCCryptoProvider>,
) -> Context {
    let profiles = match profile {
        Profile::Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
        Profile::Cm => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
    };
    let config = ConfigBuilder::default()
        .with_crypto_provider(Arc::clone(&provider))
        .with_certificates(vec![certificate])
        .with_srtp_protection_profiles(vec![profiles])
        .with_insecure_skip_verify(true)
        .with_extended_master_secret(ExtendedMasterSecretType::Require)
        .build(setup == Setup::Active, None);
    let config = Arc::new(config.unwrap());
    let serves = (setup == Setup::Passive).then(|| Arc::clone(&config));
    let (start, mut heard) = (Instant::now(), [0; 2_048]);
    let mut endpoint = Endpoint::new(SOMEWHERE, TransportProtocol::UDP, serves);
    if setup == Setup::Active {
        let begun = endpoint.connect(start, SOMEWHERE, config, None);
        begun.unwrap();
    }
    let mut done = false;
    loop {
        assert!(start.elapsed() < PATIENCE, "the handshake does not end");
        while let Some(transmit) = endpoint.poll_transmit() {
            socket.send(&transmit.message).await.unwrap();
        }
        if done {
            return keys(&endpoint, (setup, profile), &*provider);
        }
        let Ok(length) = timeout(AGAIN, socket.recv(&mut heard)).await else {
            let _ = endpoint.handle_timeout(SOMEWHERE, Instant::now());
            continue;
        };
        let datagram = &heard[..length.unwrap()];
        if !matches!(datagram.first(), Some(20..64)) {
            continue;
        }
        let events = endpoint.read(Instant::now(), SOMEWHERE, None, BytesMut::from(datagram));
        let is_done = |event: &EndpointEvent| matches!(event, EndpointEvent::HandshakeComplete);
        done = events.unwrap().iter().any(is_done);
    }
}

fn keys(
    endpoint: &Endpoint,
    (setup, profile): (Setup, Profile),
    provider: &dyn RTCCryptoProvider,
) -> Context {
    let (theirs, salt) = match profile {
        Profile::Gcm => (ProtectionProfile::AeadAes128Gcm, 12),
        Profile::Cm => (ProtectionProfile::Aes128CmHmacSha1_80, 14),
    };
    let state = endpoint.get_connection_state(SOMEWHERE).unwrap();
    let bytes = 2 * (KEY_BYTES + salt);
    let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], bytes);
    let material = material.unwrap();
    let (keys, salts) = material.as_ref().split_at(2 * KEY_BYTES);
    // Who opens the handshake has the first half of each.
    let half = usize::from(setup == Setup::Passive);
    let context = Context::new(
        &keys[half * KEY_BYTES..][..KEY_BYTES],
        &salts[half * salt..][..salt],
        theirs,
        None,
        None,
        provider.crypto(),
    );
    context.unwrap()
}
