//! An endpoint against a server of a few lines: both connections over real sockets on this machine.

#![allow(clippy::unwrap_used, reason = "the helpers of a test are a test")]

use diemcau_endpoint::{EndpointConfig, EndpointError, Report, Topic, run};
use diemcau_model::SiteId;
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy};
use futures_util::{SinkExt, StreamExt};
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use webrtc::media_stream::Track;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCIceGatheringState, RTCSessionDescription, Registry, SettingEngineBuilder,
    register_default_interceptors,
};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn it_sends_receives_speaks_and_comes_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = EndpointConfig::new(link(&listener, "right"));
    config.report_every = Duration::from_millis(100);
    config.ask_floor = Some(Topic::on("Đường tỉnh 846"));
    config.speak_for = Some(Duration::from_millis(50));
    let (stop, stopped) = watch::channel(false);
    let (reports, seen) = watch::channel(Report::default());
    let endpoint = tokio::spawn(async move {
        run(config, stopped, |report| {
            reports.send_replace(report.clone());
        })
        .await
    });

    let mut first = Server::accept(&listener).await;
    let asked = first.command().await;
    let ClientCommand::RequestFloor { words, .. } = asked else {
        panic!("{asked:?} is no request");
    };
    assert_eq!(words.topic, "Đường tỉnh 846");
    first.media(Levels::Taken).await;
    first
        .say(json!({"type": "slots", "video": [5, null], "step": "full"}))
        .await;
    first.give_floor().await;
    assert!(matches!(first.command().await, ClientCommand::EndTurn { turn } if turn.0 == 9));
    first
        .until(&seen, |r| received(r) && r.sent.key_requests > 0)
        .await;
    let report = seen.borrow().clone();
    assert_eq!(
        (report.site, report.name.as_str()),
        (Some(SiteId(4)), "Sa Đéc")
    );
    assert_eq!(report.video[0].site, Some(SiteId(5)));
    assert!(
        report.to_string().contains("programme shows site 5"),
        "{report}"
    );
    assert_eq!(
        report.video[1].total.packets, 0,
        "nothing in the first tile"
    );

    // The line drops: the endpoint comes back by itself, and makes its media anew.
    let before = (report.video[0].total.frames, report.voices[2].total.packets);
    drop(first);
    let mut second = Server::accept(&listener).await;
    let again = second.command().await;
    assert!(
        matches!(again, ClientCommand::RequestFloor { .. }),
        "unanswered, so said again"
    );
    second.media(Levels::NotTaken).await;
    second
        .until(&seen, |r| {
            r.joined
                && r.video[0].total.frames > before.0 + 5
                && r.voices[2].total.packets > before.1 + 20
        })
        .await;
    assert_eq!(seen.borrow().lost_connections, 1);

    stop.send(true).unwrap();
    let last = tokio::time::timeout(PATIENCE, endpoint)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(!last.uplink || last.joined);
}

#[tokio::test]
async fn a_wrong_token_ends_it_with_the_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_stop, stopped) = watch::channel(false);
    let endpoint = tokio::spawn(run(
        EndpointConfig::new(link(&listener, "wrong")),
        stopped,
        |_| {},
    ));
    let (tcp, _) = listener.accept().await.unwrap();
    let mut socket = tokio_tungstenite::accept_async(tcp).await.unwrap();
    socket.next().await.unwrap().unwrap();
    let error = json!({"type": "error", "why": "not_admitted", "id": null,
        "text": "the token opens nothing", "fatal": true});
    socket.send(Message::text(error.to_string())).await.unwrap();
    let error = endpoint.await.unwrap().unwrap_err();
    assert!(
        matches!(
            &error,
            EndpointError::SentAway {
                why: ErrorWhy::NotAdmitted,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn https_needs_somebody_to_believe() {
    let (_stop, stopped) = watch::channel(false);
    let config = EndpointConfig::new("https://127.0.0.1:9/site#t");
    let error = run(config, stopped, |_| {}).await.unwrap_err();
    assert!(matches!(error, EndpointError::NoAuthority), "{error}");
}

fn link(listener: &TcpListener, token: &str) -> String {
    format!("http://{}/site#{token}", listener.local_addr().unwrap())
}

fn received(report: &Report) -> bool {
    let programme = report.video[0].total;
    programme.frames > 10 && programme.key_frames > 0 && report.voices[2].total.packets > 10
}

/// The server's part: what comes up goes down again, picture into the programme and sound into voice 2.
struct Server {
    socket: WebSocketStream<TcpStream>,
    up: Option<Arc<dyn PeerConnection>>,
    down: Option<Arc<dyn PeerConnection>>,
    waiting: Vec<ClientFrame>,
}

impl Server {
    async fn accept(listener: &TcpListener) -> Self {
        let (tcp, _) = tokio::time::timeout(PATIENCE, listener.accept())
            .await
            .unwrap()
            .unwrap();
        let socket = tokio_tungstenite::accept_async(tcp).await.unwrap();
        let mut server = Self {
            socket,
            up: None,
            down: None,
            waiting: Vec::new(),
        };
        let join = server.frame().await;
        assert!(matches!(join, ClientFrame::Join { protocol: 1, token } if token == "right"));
        server.say(welcome()).await;
        server
    }

    async fn say(&mut self, frame: Value) {
        self.socket
            .send(Message::text(frame.to_string()))
            .await
            .unwrap();
    }

    async fn frame(&mut self) -> ClientFrame {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            if let Message::Text(text) = message.unwrap().unwrap().unwrap() {
                let frame: ClientFrame = serde_json::from_str(&text).unwrap();
                if let ClientFrame::Ping { sent } = frame {
                    self.say(json!({"type": "pong", "sent": sent, "now": 1}))
                        .await;
                    continue;
                }
                return frame;
            }
        }
    }

    async fn wanted(&mut self, wanted: fn(&ClientFrame) -> bool) -> ClientFrame {
        if let Some(at) = self.waiting.iter().position(wanted) {
            return self.waiting.remove(at);
        }
        loop {
            let frame = self.frame().await;
            if wanted(&frame) {
                return frame;
            }
            self.waiting.push(frame);
        }
    }

    async fn command(&mut self) -> ClientCommand {
        let frame = self
            .wanted(|f| matches!(f, ClientFrame::Command { .. }))
            .await;
        let ClientFrame::Command { command, .. } = frame else {
            panic!("{frame:?} is no command");
        };
        command
    }

    async fn give_floor(&mut self) {
        let turn = json!({"turn": 9, "site": 4, "words": {"speech": "contribution", "delegate": "",
            "topic": "", "paragraph": null}, "about": null, "started": 1, "allotted_ms": 60_000, "used_ms": 0,
            "running_since": 1, "paused": false, "held": false, "interrupted": false, "silenced": false,
            "muted": false, "away_until": null, "warned_s": null});
        let floor = floor(turn);
        let fact = json!({"kind": "floor", "floor": floor});
        self.say(json!({"type": "facts", "seq": 2, "now": 1, "facts": [fact]}))
            .await;
    }

    async fn media(&mut self, levels: Levels) {
        let (programme, voice) = (
            track(RtpCodecKind::Video, 1_000),
            track(RtpCodecKind::Audio, 2_002),
        );
        let ClientFrame::UplinkOffer { sdp } = self
            .wanted(|f| matches!(f, ClientFrame::UplinkOffer { .. }))
            .await
        else {
            panic!("no offer");
        };
        let back = Back {
            programme: Arc::clone(&programme),
            voice: Arc::clone(&voice),
        };
        let (up, gathered) = connection(Some(back), levels).await;
        let offer = RTCSessionDescription::offer(sdp).unwrap();
        up.set_remote_description(offer).await.unwrap();
        let answer = up.create_answer(None).await.unwrap();
        up.set_local_description(answer).await.unwrap();
        let sdp = described(&*up, gathered).await;
        self.say(json!({"type": "uplink_answer", "sdp": sdp})).await;
        self.up = Some(up);

        self.wanted(|f| matches!(f, ClientFrame::OpenDownlink {}))
            .await;
        let (down, gathered) = connection(None, levels).await;
        for slot in 0..19_u32 {
            let track = match slot {
                0 => Arc::clone(&programme),
                1..=14 => track(RtpCodecKind::Video, 1_000 + slot),
                17 => Arc::clone(&voice),
                _ => track(RtpCodecKind::Audio, 2_000 + slot - 15),
            };
            let init = RTCRtpTransceiverInit {
                direction: RTCRtpTransceiverDirection::Sendonly,
                streams: vec![],
                send_encodings: track.codings().await,
            };
            down.add_transceiver_from_track(track as _, Some(init))
                .await
                .unwrap();
        }
        let offer = down.create_offer(None).await.unwrap();
        down.set_local_description(offer).await.unwrap();
        let sdp = described(&*down, gathered).await;
        self.say(json!({"type": "downlink_offer", "sdp": sdp}))
            .await;
        let ClientFrame::DownlinkAnswer { sdp } = self
            .wanted(|f| matches!(f, ClientFrame::DownlinkAnswer { .. }))
            .await
        else {
            panic!("no answer");
        };
        let answer = RTCSessionDescription::answer(sdp).unwrap();
        down.set_remote_description(answer).await.unwrap();
        self.down = Some(down);
    }

    /// Serves on until a report is as wanted.
    async fn until(&mut self, seen: &watch::Receiver<Report>, wanted: impl Fn(&Report) -> bool) {
        let last = seen.clone();
        let mut seen = seen.clone();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let done = |r: &Report| !r.video.is_empty() && wanted(r);
            tokio::select! {
                frame = self.frame() => self.waiting.push(frame),
                found = seen.wait_for(done) => {
                    found.unwrap();
                    return;
                }
                () = tokio::time::sleep_until(deadline) => {
                    panic!("never so; the last was {:?}", *last.borrow());
                }
            }
        }
    }
}

/// Whether the server understands the loudness of a packet (RFC 6464).
#[derive(Clone, Copy)]
enum Levels {
    Taken,
    NotTaken,
}

/// Sends back what comes up; asks for a key frame once.
struct Back {
    programme: Arc<TrackLocalStaticRTP>,
    voice: Arc<TrackLocalStaticRTP>,
}

struct Handler {
    back: Option<Arc<Back>>,
    gathered: mpsc::Sender<()>,
    asked: Mutex<bool>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _second_time = self.gathered.try_send(());
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let back = Arc::clone(self.back.as_ref().unwrap());
        let video = track.kind().await == RtpCodecKind::Video;
        let ask = video && !std::mem::replace(&mut *self.asked.lock().unwrap(), true);
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                let TrackRemoteEvent::OnRtpPacket(mut packet) = event else {
                    continue;
                };
                if ask && packet.header.sequence_number % 16 == 3 {
                    use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
                    let media_ssrc = packet.header.ssrc;
                    let wish = PictureLossIndication {
                        sender_ssrc: 1,
                        media_ssrc,
                    };
                    track.write_rtcp(vec![Box::new(wish)]).await.unwrap();
                }
                let (to, ssrc) = if video {
                    (&back.programme, 1_000)
                } else {
                    (&back.voice, 2_002)
                };
                packet.header = rtp::Header {
                    ssrc,
                    extension: false,
                    extensions: vec![],
                    ..packet.header
                };
                // Before the downlink works there is nobody to hear it.
                let _not_yet = to.write_rtp(packet).await;
            }
        });
    }
}

async fn connection(
    back: Option<Back>,
    levels: Levels,
) -> (Arc<dyn PeerConnection>, mpsc::Receiver<()>) {
    let mut engine = MediaEngine::default();
    engine.register_default_codecs().unwrap();
    match levels {
        Levels::Taken => {
            let uri = "urn:ietf:params:rtp-hdrext:ssrc-audio-level".to_owned();
            let level = RTCRtpHeaderExtensionCapability { uri };
            engine
                .register_header_extension(level, RtpCodecKind::Audio, None)
                .unwrap();
        }
        Levels::NotTaken => {}
    }
    let registry = register_default_interceptors(Registry::new(), &mut engine).unwrap();
    let (gathered, done) = mpsc::channel(1);
    let connection = PeerConnectionBuilder::new()
        .with_media_engine(engine)
        .with_interceptor_registry(registry)
        .with_setting_engine(
            SettingEngineBuilder::new()
                .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
                .with_include_loopback_candidate(true)
                .build(),
        )
        .with_handler(Arc::new(Handler {
            back: back.map(Arc::new),
            gathered,
            asked: Mutex::new(false),
        }))
        .with_udp_addrs(vec!["127.0.0.1:0"])
        .build()
        .await
        .unwrap();
    (Arc::new(connection), done)
}

async fn described(connection: &dyn PeerConnection, mut gathered: mpsc::Receiver<()>) -> String {
    tokio::time::timeout(PATIENCE, gathered.recv())
        .await
        .unwrap();
    connection.local_description().await.unwrap().sdp
}

fn track(kind: RtpCodecKind, ssrc: u32) -> Arc<TrackLocalStaticRTP> {
    use rtc::rtp_transceiver::rtp_sender::RTCRtpCodec;
    let (mime_type, clock_rate, channels, sdp_fmtp_line) = if kind == RtpCodecKind::Video {
        ("video/VP8", 90_000, 0, "")
    } else {
        ("audio/opus", 48_000, 2, "minptime=10;useinbandfec=1")
    };
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            ..Default::default()
        },
        codec: RTCRtpCodec {
            mime_type: mime_type.to_owned(),
            clock_rate,
            channels,
            sdp_fmtp_line: sdp_fmtp_line.to_owned(),
            rtcp_feedback: vec![],
        },
        ..Default::default()
    };
    let id = format!("slot-{ssrc}");
    Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
        id.clone(),
        id.clone(),
        id,
        kind,
        vec![encoding],
    )))
}

fn floor(turn: Value) -> Value {
    json!({"open": true, "turn": turn, "others": [], "queue": [], "pending": [], "kept": [], "on_deck": [], "next": null, "staged": [],
        "hall_microphone": false, "microphones_closed": false, "priority": false, "last": null, "denied": [], "used": [], "undo": null, "deputy": null})
}

fn welcome() -> Value {
    let site = json!({"id": 4, "name": "Thành phố Sa Đéc", "short": "Sa Đéc", "level": "TP", "hall": false, "summoned": 0});
    json!({"type": "welcome", "seq": 1, "now": 1,
        "me": {"seat": 3, "role": "moderator", "site": 4, "carries": "room", "label": "Máy phòng"},
        "view": {
            "fixed": {"title": "", "organizer": "", "starts": null, "sites": [site], "drafts": [], "kinds": []},
            "sites": [],
            "agenda": {"current": null, "next": null, "items": [], "on_break": null},
            "floor": floor(Value::Null),
            "stage": {"layout": "grid", "preview": null, "notice": "", "paragraph": null, "paragraph_chosen": false,
                "spotlight": null, "carousel": null, "page": 0, "pages": 1, "tiles": [4], "heard": [], "programme": null,
                "on_deck": [], "lower_third": null, "presentation": null, "presentation_asks": []},
            "feed": [], "speeches": [], "seats": [], "door": {"waiting": [], "banned": []},
            "attendance": {"calling": null, "since": null, "walks": false, "sites": [], "summoned": 0, "present": 0, "online": 0, "quorum": null},
            "prompts": []}})
}
