//! An uplink on the sans-IO core of the `webrtc` project.

use super::missing::{Mark, Missing};
use super::rtc_build::{AUDIO_LEVEL_URI, connection};
use super::rtc_path::Path;
use super::{Addresses, Codec, EngineError, Layer, Leg, LegEvent, Outlet, RtpIn, Run, sdp};
use crate::rewrite::RtpOut;
use crate::{h264, vp8};
use bytes::BytesMut;
use rtc::peer_connection::RTCPeerConnection;
use rtc::peer_connection::event::{RTCPeerConnectionEvent, RTCTrackEvent, RTCTrackEventInit};
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::rtcp::Packet as Rtcp;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};
use rtc::rtp_transceiver::RTCRtpReceiverId;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use std::net::SocketAddr;
use std::time::Instant;

/// Streams of one uplink: a sound and three layers, and as many again if the sender restarts them. A further stream
/// is not read.
const STREAMS_MAX: usize = 8;
/// Who asks for key frames and lost packets.
const OUR_SSRC: u32 = 1;

pub struct RtcLeg {
    connection: RTCPeerConnection,
    addresses: Addresses,
    path: Path,
    level_id: Option<u8>,
    /// The payload types that are H.264; any other picture is VP8.
    h264: Vec<u8>,
    /// The client sends a packet again when it is asked (RFC 4585, 4.2).
    sends_again: bool,
    streams: Vec<Stream>,
    connected: bool,
    /// Something arrived on the way to the connection: the library acts on some of it only when given the time.
    stirred: bool,
    /// When something was received last.
    heard: Instant,
}

/// A stream the client sends.
struct Stream {
    ssrc: u32,
    is_picture: bool,
    layer: Layer,
    receiver: RTCRtpReceiverId,
    /// The payload type of its first packet; another one is a codec we did not agree on.
    payload_type: Option<u8>,
    /// Stays empty for sound, which is not sent again.
    missing: Missing,
}

impl RtcLeg {
    pub fn answer_uplink(
        offer: &str,
        addresses: &Addresses,
        now: Instant,
    ) -> Result<(Self, String), EngineError> {
        let mut connection = connection(addresses, now).map_err(refused)?;
        let theirs = sdp::ufrag(offer);
        let sends_again = sdp::sends_again(offer);
        let offer = RTCSessionDescription::offer(offer.to_owned()).map_err(refused)?;
        connection
            .set_remote_description(now, offer)
            .map_err(refused)?;
        let answer = connection.create_answer(None).map_err(refused)?;
        connection
            .set_local_description(now, answer)
            .map_err(refused)?;
        let described = connection.local_description();
        let text = described.ok_or(EngineError::Sdp("it led to nothing"))?.sdp;
        let leg = Self {
            path: Path::new(&text, theirs)?,
            level_id: sdp::extension_id(&text, AUDIO_LEVEL_URI),
            h264: sdp::payload_types(&text, "H264/90000").collect(),
            sends_again,
            connected: false,
            stirred: false,
            heard: now,
            connection,
            addresses: addresses.clone(),
            streams: vec![],
        };
        Ok((leg, text))
    }

    fn event(&mut self, event: RTCPeerConnectionEvent, into: &mut Vec<LegEvent>) {
        if let RTCPeerConnectionEvent::OnTrack(RTCTrackEvent::OnOpen(track)) = event {
            self.open_stream(&track);
        } else if let RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) = event {
            if state == RTCPeerConnectionState::Connected {
                self.connected = true;
                into.push(LegEvent::Connected);
            } else if state == RTCPeerConnectionState::Failed {
                into.push(failed("ICE or DTLS failed"));
            } else if state == RTCPeerConnectionState::Closed {
                into.push(failed("the client closed it"));
            }
            // Any other state is on its way; the time limits of the driver end what never arrives.
        }
    }

    fn open_stream(&mut self, track: &RTCTrackEventInit) {
        let known = self.streams.iter().any(|stream| stream.ssrc == track.ssrc);
        if known || self.streams.len() >= STREAMS_MAX {
            return;
        }
        let Some(receiver) = self.connection.rtp_receiver(track.receiver_id) else {
            return;
        };
        let kind = receiver.track().kind();
        let is_picture = kind == RtpCodecKind::Video;
        if !is_picture && kind != RtpCodecKind::Audio {
            return;
        }
        let layer = match track.rid.as_deref() {
            Some(rid) if !rid.is_empty() => Layer::from_rid(rid),
            Some(_) | None => Some(Layer::Full),
        };
        let Some(layer) = layer else { return };
        self.streams.push(Stream {
            ssrc: track.ssrc,
            is_picture,
            layer,
            receiver: track.receiver_id,
            payload_type: None,
            missing: Missing::new(self.sends_again),
        });
    }

    fn packet(&mut self, packet: rtc::rtp::Packet) -> Option<RtpIn> {
        let header = packet.header;
        let stream = self
            .streams
            .iter_mut()
            .find(|stream| stream.ssrc == header.ssrc)?;
        if *stream.payload_type.get_or_insert(header.payload_type) != header.payload_type {
            return None;
        }
        let level = self.level_id.and_then(|id| header.get_extension(id));
        let packet = RtpIn {
            codec: match stream.is_picture {
                false => Codec::Opus,
                true if self.h264.contains(&header.payload_type) => Codec::H264,
                true => Codec::Vp8,
            },
            layer: stream.layer,
            ssrc: header.ssrc,
            seq: header.sequence_number,
            timestamp: header.timestamp,
            marker: header.marker,
            // The first bit is "voice", the others are the loudness below full scale.
            level_dbov: level.and_then(|level| level.first().map(|byte| -((byte & 0x7f) as i8))),
            payload: packet.payload,
        };
        let read = match packet.codec {
            Codec::Opus => return Some(packet),
            Codec::Vp8 => vp8::read(&packet.payload),
            Codec::H264 => h264::read(&packet.payload),
        };
        let mark = Mark::of(&packet, read.as_ref());
        stream.missing.came(packet.seq, mark, self.heard);
        Some(packet)
    }

    fn ask_for_missing(&mut self, now: Instant) {
        for stream in &mut self.streams {
            let due = stream.missing.due(now);
            if due.is_empty() {
                continue;
            }
            let ask = TransportLayerNack {
                sender_ssrc: OUR_SSRC,
                media_ssrc: stream.ssrc,
                nacks: nack_pairs_from_sequence_numbers(&due),
            };
            write_rtcp(&mut self.connection, stream.receiver, Box::new(ask), now);
        }
    }

    fn read(&mut self, datagram: BytesMut, from: SocketAddr, now: Instant) {
        let Some(local_addr) = self.local_address(from) else {
            return;
        };
        let transport = TransportContext {
            local_addr,
            peer_addr: from,
            ecn: None,
            transport_protocol: TransportProtocol::UDP,
        };
        let datagram = TaggedBytesMut {
            now,
            transport,
            message: datagram,
        };
        if let Err(error) = self.connection.handle_read(datagram) {
            tracing::debug!(%error, "a datagram was of no use");
        }
    }

    /// Our own address as the client knows it, of the same family as the client's.
    fn local_address(&self, peer: SocketAddr) -> Option<SocketAddr> {
        let same = |ours: &&SocketAddr| ours.is_ipv4() == peer.is_ipv4();
        self.addresses
            .0
            .iter()
            .find(same)
            .or(self.addresses.0.first())
            .copied()
    }
}

impl Leg for RtcLeg {
    fn ufrag(&self) -> &str {
        self.path.ufrag()
    }

    fn accept_answer(&mut self, _: &str, _: Instant) -> Result<(), EngineError> {
        Err(EngineError::Sdp("an uplink is offered, not answered"))
    }

    fn receive(&mut self, datagram: BytesMut, from: SocketAddr, now: Instant) {
        self.heard = now;
        if self.connected {
            return self.read(datagram, from, now);
        }
        // Media is too early for the library, which would complain about each packet.
        if datagram
            .first()
            .is_some_and(|byte| (128..192).contains(byte))
        {
            return;
        }
        for datagram in self.path.receive(datagram, from) {
            self.read(datagram, from, now);
        }
        self.stirred = true;
    }

    fn takes(&self, _: usize, _: Codec) -> bool {
        false
    }

    fn send(&mut self, _: usize, _: RtpOut, _: Instant) -> bool {
        false
    }

    fn ask_key_frame(&mut self, layer: Layer, now: Instant) -> bool {
        // The newest stream of the layer: a sender that restarted has abandoned the older one.
        let wanted = |stream: &&Stream| stream.is_picture && stream.layer == layer;
        let Some(stream) = self.streams.iter().rev().find(wanted) else {
            return false;
        };
        let request = PictureLossIndication {
            sender_ssrc: OUR_SSRC,
            media_ssrc: stream.ssrc,
        };
        let receiver = stream.receiver;
        write_rtcp(&mut self.connection, receiver, Box::new(request), now)
    }

    fn bears(&mut self, _: Instant) -> Option<u64> {
        None
    }

    fn tick(&mut self, now: Instant) {
        self.stirred = false;
        self.ask_for_missing(now);
        if let Err(error) = self.connection.handle_timeout(now) {
            tracing::debug!(%error, "a leg took the time badly");
        }
    }

    fn deadline(&mut self) -> Option<Instant> {
        if self.stirred {
            return Some(Instant::now());
        }
        let missing = self.streams.iter().filter_map(|one| one.missing.deadline());
        missing.chain(self.connection.poll_timeout()).min()
    }

    fn drain_events(&mut self, into: &mut Vec<LegEvent>) {
        // Events before packets: the first packet of a stream is announced by an event.
        while let Some(event) = self.connection.poll_event() {
            self.event(event, into);
        }
        while let Some(message) = self.connection.poll_read() {
            if let RTCMessage::RtpPacket(_, packet) = message.message
                && let Some(packet) = self.packet(packet)
            {
                into.push(LegEvent::Rtp(packet));
            }
        }
        for stream in &mut self.streams {
            if stream.missing.take_given_up() {
                into.push(LegEvent::Lost {
                    layer: stream.layer,
                });
            }
        }
    }

    fn drain_datagrams(&mut self, out: &mut Outlet<'_>) {
        while let Some(datagram) = self.connection.poll_write() {
            (out.send)(Run::one(datagram.transport.peer_addr, &datagram.message));
        }
    }

    fn close(&mut self, _: Instant) {
        if let Err(error) = self.connection.close() {
            tracing::debug!(%error, "a leg closed badly");
        }
    }
}

fn write_rtcp(
    connection: &mut RTCPeerConnection,
    receiver: RTCRtpReceiverId,
    packet: Box<dyn Rtcp>,
    now: Instant,
) -> bool {
    let receiver = connection.rtp_receiver(receiver);
    receiver.is_some_and(|mut receiver| receiver.write_rtcp(now, vec![packet]).is_ok())
}

fn failed(why: &str) -> LegEvent {
    LegEvent::Failed(why.to_owned())
}

fn refused(error: Error) -> EngineError {
    EngineError::Refused(error.to_string())
}
