//! The task of one peer.

use crate::line::{Line, Loss};
use crate::seen::Seen;
use crate::{KEY_FRAME_PACKETS, ProbeOptions, payload};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use str0m::Event;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{
    Direction, KeyframeRequestKind, MediaKind, Mid, Rid, Simulcast, SimulcastLayer,
};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

const OPUS: u8 = 111;
const VP8: u8 = 96;

pub enum Command {
    UplinkOffer(oneshot::Sender<String>),
    UplinkAnswer(String),
    DownlinkOffer(String, oneshot::Sender<String>),
    PlayerOffer(oneshot::Sender<String>),
    PlayerAnswer(String),
    WishKeyFrame(usize),
}

struct Peer {
    options: ProbeOptions,
    seen: Arc<Mutex<Seen>>,
    offered: Option<(Uplink, SdpPendingOffer)>,
    up: Option<Uplink>,
    offered_down: Option<(Downlink, SdpPendingOffer)>,
    down: Option<Downlink>,
}

struct Downlink {
    line: Line,
    /// By slot: the parts of the offer, whoever made it.
    slots: Vec<Mid>,
}

struct Uplink {
    line: Line,
    audio: Option<Mid>,
    video: Mid,
    connected: bool,
    sounds: u32,
    layers: Vec<Layer>,
}

struct Layer {
    rid: Option<Rid>,
    packets: u32,
    frames: u32,
    key_frame_due: bool,
}

pub async fn run(
    options: ProbeOptions,
    mut inbox: mpsc::UnboundedReceiver<Command>,
    seen: Arc<Mutex<Seen>>,
) {
    let mut sounds = interval(options.audio_interval);
    let mut frames = interval(options.frame_interval);
    let mut peer = Peer {
        options,
        seen,
        offered: None,
        up: None,
        offered_down: None,
        down: None,
    };
    loop {
        tokio::select! {
            command = inbox.recv() => match command {
                Some(command) => peer.command(command).await,
                None => return,
            },
            () = wait(peer.up.as_mut().map(|up| &mut up.line)) => {}
            () = wait(peer.down.as_mut().map(|down| &mut down.line)) => {}
            _ = sounds.tick() => peer.sound(),
            _ = frames.tick() => peer.frames().await,
        }
        peer.drain().await;
    }
}

impl Peer {
    async fn command(&mut self, command: Command) {
        match command {
            Command::UplinkOffer(reply) => {
                let (uplink, pending, offer) = self.offer().await;
                self.offered = Some((uplink, pending));
                let _ = reply.send(offer);
            }
            Command::UplinkAnswer(sdp) => {
                let Some((mut uplink, pending)) = self.offered.take() else {
                    panic!("an answer without an offer")
                };
                accept(&mut uplink.line, pending, &sdp);
                self.seen().uplink_connected = false;
                self.up = Some(uplink);
            }
            Command::DownlinkOffer(sdp, reply) => {
                let mut line = Line::new(Loss::new(0), Loss::new(self.options.downlink_loss)).await;
                let offer = SdpOffer::from_sdp_string(&sdp).map_err(|error| error.to_string());
                let answer = offer.and_then(|offer| {
                    let answer = line.rtc.sdp_api().accept_offer(offer);
                    answer.map_err(|error| error.to_string())
                });
                let answer = match answer {
                    Ok(answer) => answer.to_sdp_string(),
                    Err(error) => panic!("the offer is not good: {error}\n{sdp}"),
                };
                ask_for_lost_packets(&mut line, &sdp);
                line.wake();
                self.seen().downlink_connected = false;
                let slots = mids(&sdp);
                self.down = Some(Downlink { line, slots });
                let _ = reply.send(answer);
            }
            Command::PlayerOffer(reply) => {
                let (downlink, pending, offer) = self.player().await;
                self.offered_down = Some((downlink, pending));
                let _ = reply.send(offer);
            }
            Command::PlayerAnswer(sdp) => {
                let Some((mut downlink, pending)) = self.offered_down.take() else {
                    panic!("an answer without an offer")
                };
                accept(&mut downlink.line, pending, &sdp);
                self.seen().downlink_connected = false;
                self.down = Some(downlink);
            }
            Command::WishKeyFrame(slot) => {
                let Some(down) = &mut self.down else { return };
                let Some(mid) = down.slots.get(slot) else {
                    return;
                };
                let mut api = down.line.rtc.direct_api();
                if let Some(stream) = api.stream_rx_by_mid(*mid, None) {
                    stream.request_keyframe(KeyframeRequestKind::Pli);
                }
            }
        }
    }

    async fn offer(&self) -> (Uplink, SdpPendingOffer, String) {
        let mut line = Line::new(Loss::new(self.options.uplink_loss), Loss::new(0)).await;
        let simulcast = (!self.options.layers.is_empty()).then(|| {
            let mut simulcast = Simulcast::new();
            for rid in &self.options.layers {
                simulcast.add_send_layer(SimulcastLayer::new(rid));
            }
            simulcast
        });
        let mut api = line.rtc.sdp_api();
        let sound = self.options.sound;
        let audio =
            sound.then(|| api.add_media(MediaKind::Audio, Direction::SendOnly, None, None, None));
        let video = api.add_media(MediaKind::Video, Direction::SendOnly, None, None, simulcast);
        let Some((offer, pending)) = api.apply() else {
            panic!("nothing to offer")
        };
        let rids = self.options.layers.iter().map(|rid| Some(Rid::from(*rid)));
        let rids: Vec<_> = if self.options.layers.is_empty() {
            vec![None]
        } else {
            rids.collect()
        };
        let layers = rids.into_iter().map(|rid| Layer {
            rid,
            packets: 0,
            frames: 0,
            key_frame_due: true,
        });
        let uplink = Uplink {
            layers: layers.collect(),
            line,
            audio,
            video,
            connected: false,
            sounds: 0,
        };
        (uplink, pending, offer.to_sdp_string())
    }

    async fn player(&self) -> (Downlink, SdpPendingOffer, String) {
        let mut line = Line::new(Loss::new(0), Loss::new(self.options.downlink_loss)).await;
        let mut api = line.rtc.sdp_api();
        for kind in [MediaKind::Video, MediaKind::Audio] {
            api.add_media(kind, Direction::RecvOnly, None, None, None);
        }
        let Some((offer, pending)) = api.apply() else {
            panic!("nothing to offer")
        };
        let offer = offer.to_sdp_string();
        let slots = mids(&offer);
        (Downlink { line, slots }, pending, offer)
    }

    fn sound(&mut self) {
        let Some(up) = self.up.as_mut().filter(|up| up.connected) else {
            return;
        };
        let Some(audio) = up.audio else { return };
        let number = up.sounds;
        let mut api = up.line.rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(audio, None) else {
            return;
        };
        up.sounds += 1;
        let level = ExtensionValues {
            audio_level: Some(self.options.level_dbov),
            voice_activity: Some(true),
            ..Default::default()
        };
        let payload = payload::audio(self.options.mark, number);
        let packet = RtpWrite::new(
            OPUS.into(),
            (u64::from(number) + 1).into(),
            number.wrapping_mul(960),
            Instant::now(),
            payload,
        );
        stream.write_rtp(packet.ext_vals(level));
        self.seen().sent += 1;
    }

    async fn frames(&mut self) {
        let mark = self.options.mark;
        let Some(up) = self.up.as_mut().filter(|up| up.connected) else {
            return;
        };
        let mut sent = 0;
        for (place, layer) in up.layers.iter_mut().enumerate() {
            for part in 0..KEY_FRAME_PACKETS {
                let mut api = up.line.rtc.direct_api();
                let Some(stream) = api.stream_tx_by_mid(up.video, layer.rid) else {
                    continue;
                };
                let payload = payload::video(
                    mark,
                    place as u8,
                    layer.packets,
                    (layer.frames & 0x7fff) as u16,
                    layer.key_frame_due,
                    part == 0,
                );
                layer.packets += 1;
                let packet = RtpWrite::new(
                    VP8.into(),
                    u64::from(layer.packets).into(),
                    layer.frames.wrapping_mul(4_500),
                    Instant::now(),
                    payload,
                );
                stream.write_rtp(packet.marker(part + 1 == KEY_FRAME_PACKETS).nackable(true));
                sent += 1;
            }
            layer.frames += 1;
            layer.key_frame_due = false;
        }
        self.seen().sent += sent;
    }

    async fn drain(&mut self) {
        if let Some(up) = &mut self.up {
            let events = up.line.drain().await;
            let lost = up.line.lost_out;
            for event in events {
                self.uplink_event(event);
            }
            self.seen().lost_on_the_way_out = lost;
        }
        if let Some(down) = &mut self.down {
            let events = down.line.drain().await;
            let (lost, came) = (down.line.lost_in, down.line.came);
            for event in events {
                self.downlink_event(event);
            }
            let mut seen = self.seen();
            (seen.lost_on_the_way_in, seen.datagrams_down) = (lost, came);
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "str0m's events, not ours")]
    fn uplink_event(&mut self, event: Event) {
        let Some(up) = &mut self.up else { return };
        match event {
            Event::Connected => {
                up.connected = true;
                self.seen().uplink_connected = true;
            }
            Event::KeyframeRequest(request) => {
                let asked = up
                    .layers
                    .iter_mut()
                    .enumerate()
                    .find(|(_, layer)| layer.rid == request.rid);
                let Some((place, layer)) = asked else { return };
                layer.key_frame_due = true;
                *self.seen().key_frames_asked.entry(place as u8).or_default() += 1;
            }
            Event::MediaEgressStats(stats) => {
                let mut seen = self.seen();
                seen.nacks = seen.nacks.max(stats.nacks);
            }
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "str0m's events, not ours")]
    fn downlink_event(&mut self, event: Event) {
        match event {
            Event::Connected => self.seen().downlink_connected = true,
            Event::RtpPacket(packet) => self.received(&packet),
            _ => {}
        }
    }

    fn received(&mut self, packet: &RtpPacket) {
        let now = Instant::now();
        let Some(down) = &mut self.down else { return };
        let is_video = *packet.header.payload_type == VP8;
        let ssrc = packet.header.ssrc;
        let mut api = down.line.rtc.direct_api();
        let mid = api.stream_rx(&ssrc).map(|stream| stream.mid());
        let Some(slot) = down.slots.iter().position(|slot| Some(*slot) == mid) else {
            return;
        };
        let Some(mark) = payload::read(&packet.payload, is_video) else {
            return;
        };
        let mut seen = self.seen();
        let slot = seen.slots.entry(slot).or_default();
        slot.packet(
            *packet.seq_no,
            packet.header.timestamp,
            &mark,
            is_video,
            now,
        );
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the server's answer to what was offered.
fn accept(line: &mut Line, pending: SdpPendingOffer, sdp: &str) {
    let answer = SdpAnswer::from_sdp_string(sdp).map_err(|error| error.to_string());
    let accepted = answer.and_then(|answer| {
        let accepted = line.rtc.sdp_api().accept_answer(pending, answer);
        accepted.map_err(|error| error.to_string())
    });
    if let Err(error) = accepted {
        panic!("the answer is not good: {error}\n{sdp}");
    }
    line.wake();
}

/// The names of an offer's parts, in order.
fn mids(offer: &str) -> Vec<Mid> {
    let lines = offer.lines().map(str::trim);
    let mids = lines.filter_map(|line| line.strip_prefix("a=mid:"));
    mids.map(Mid::from).collect()
}

/// str0m does not ask for the lost packets of a stream declared without RTX; browsers do. Declared again by hand, it
/// does so too.
fn ask_for_lost_packets(line: &mut Line, offer: &str) {
    let mut mid = None;
    let mut is_video = false;
    for text in offer.lines().map(str::trim) {
        if text.starts_with("m=") {
            is_video = text.starts_with("m=video");
        } else if let Some(value) = text.strip_prefix("a=mid:") {
            mid = Some(Mid::from(value));
        }
        let ssrc = text
            .strip_prefix("a=ssrc:")
            .and_then(|rest| rest.split(' ').next());
        let ssrc = ssrc
            .and_then(|ssrc| ssrc.parse::<u32>().ok())
            .filter(|_| is_video);
        if let (Some(ssrc), Some(mid)) = (ssrc, mid) {
            let mut api = line.rtc.direct_api();
            api.remove_stream_rx(ssrc.into());
            api.expect_stream_rx(ssrc.into(), None, mid, None);
        }
    }
}

async fn wait(line: Option<&mut Line>) {
    match line {
        Some(line) => line.wait().await,
        None => std::future::pending().await,
    }
}

fn interval(each: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(each);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
