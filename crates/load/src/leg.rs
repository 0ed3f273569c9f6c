//! One connection of a site: str0m, its socket, and the road between.

use crate::road::{Road, Way};
use anyhow::{Context, Result};
use mio::net::UdpSocket;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use str0m::media::{Direction, MediaKind, Mid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive};
use str0m::rtp::Ssrc;
use str0m::{Candidate, Event, Input, Output, Rtc};

/// Bursts of twenty-five sites must fit while the one thread is elsewhere.
const SOCKET_BUFFER_BYTES: usize = 2 * 1024 * 1024;
const DATAGRAM_MAX_BYTES: usize = 2_048;
/// Packets kept for being sent again: two seconds of picture.
const KEPT_MAX: usize = 600;

/// What a leg is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It sends a site's sound and picture.
    Uplink { audio: Mid, video: Mid },
    /// It receives what a site is shown.
    Downlink,
}

/// A packet that may be asked for again.
#[derive(Clone)]
pub struct Kept {
    pub ssrc: Ssrc,
    pub number: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: Vec<u8>,
}

pub struct Leg {
    pub site: u16,
    pub role: Role,
    pub rtc: Rtc,
    pub connected: bool,
    pub deadline: Instant,
    pub out: Way,
    pub back: Way,
    /// RTP packets that left, those sent again included.
    pub rtp_out: u64,
    /// What was sent last. str0m sends again by RTX alone; browsers without it do so in the stream itself.
    pub kept: VecDeque<Kept>,
    /// Where the picture of a site comes in.
    pub slots: BTreeMap<u16, Mid>,
    pub socket: UdpSocket,
    address: SocketAddr,
    remote: Option<SocketAddr>,
}

impl Leg {
    /// A leg on a fresh port of this address. One that `repairs` is told which packets are missing.
    pub fn new(site: u16, ip: IpAddr, seed: u64, repairs: bool, now: Instant) -> Result<Self> {
        let socket = UdpSocket::bind(SocketAddr::new(ip, 0)).context("no UDP port for a site")?;
        let sized = socket2::SockRef::from(&socket);
        sized.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
        sized.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
        let address = socket.local_addr()?;
        let mut rtc = Rtc::builder()
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .set_rtp_mode(true)
            .enable_raw_packets(repairs)
            .build(now);
        let candidate = Candidate::host(address, "udp").context("no candidate")?;
        rtc.add_local_candidate(candidate);
        Ok(Self {
            site,
            role: Role::Downlink,
            rtc,
            connected: false,
            deadline: now,
            out: Way::new(seed),
            back: Way::new(seed.wrapping_add(1)),
            rtp_out: 0,
            kept: VecDeque::new(),
            slots: BTreeMap::new(),
            socket,
            address,
            remote: None,
        })
    }

    /// Makes it an uplink; gives the offer.
    pub fn offer(
        &mut self,
        layers: &[Option<&'static str>],
    ) -> Result<(String, str0m::change::SdpPendingOffer)> {
        let mut simulcast = Simulcast::new();
        for rid in layers.iter().flatten() {
            simulcast.add_send_layer(SimulcastLayer::new(rid));
        }
        let simulcast = layers.iter().any(Option::is_some).then_some(simulcast);
        let mut api = self.rtc.sdp_api();
        let audio = api.add_media(MediaKind::Audio, Direction::SendOnly, None, None, None);
        let video = api.add_media(MediaKind::Video, Direction::SendOnly, None, None, simulcast);
        let (offer, pending) = api.apply().context("nothing to offer")?;
        self.role = Role::Uplink { audio, video };
        Ok((offer.to_sdp_string(), pending))
    }

    pub fn set_roads(&mut self, out: Road, back: Road) {
        self.out.set(out);
        self.back.set(back);
    }

    /// Must follow every change of the session, or str0m sends nothing.
    pub fn wake(&mut self, now: Instant) {
        self.input(Input::Timeout(now));
    }

    /// Reads a datagram that has come; none when there is none.
    pub fn read(&mut self, buffer: &mut [u8; DATAGRAM_MAX_BYTES], now: Instant) -> bool {
        let (length, from) = match self.socket.recv_from(buffer) {
            Ok(read) => read,
            Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
        };
        let Some(datagram) = buffer.get(..length) else {
            return true;
        };
        self.remote = Some(from);
        if self.back.is_open() {
            self.take(datagram, from, now);
        } else {
            self.back.enter(datagram, now);
        }
        true
    }

    /// Sends what the road out has brought to its end.
    pub fn send_arrived(&mut self, now: Instant) {
        while let Some(datagram) = self.out.leave(now) {
            self.send(&datagram);
        }
    }

    /// Takes in one datagram that the road back has brought; str0m must be drained after each.
    pub fn take_arrived(&mut self, now: Instant) -> bool {
        let arrived = self.back.leave(now);
        if let (Some(datagram), Some(from)) = (&arrived, self.remote) {
            self.take(datagram, from, now);
        }
        arrived.is_some()
    }

    /// A sent packet may be asked for again.
    pub fn keep(&mut self, packet: Kept) {
        self.kept.push_back(packet);
        if self.kept.len() > KEPT_MAX {
            self.kept.pop_front();
        }
    }

    /// Sends what is to be sent; tells what happened.
    pub fn drain(&mut self, mut tell: impl FnMut(Event)) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.deadline = at;
                    return;
                }
                Ok(Output::Transmit(transmit)) => {
                    self.remote = Some(transmit.destination);
                    self.rtp_out += u64::from(is_rtp(&transmit.contents));
                    if self.out.is_open() {
                        self.send(&transmit.contents);
                    } else {
                        self.out.enter(&transmit.contents, Instant::now());
                    }
                }
                Ok(Output::Event(event)) => tell(event),
                Err(_) => {
                    self.rtc.disconnect();
                    self.deadline = Instant::now() + Duration::from_secs(3_600);
                    return;
                }
            }
        }
    }

    /// When it wants to be looked at.
    pub fn due(&self) -> Instant {
        let roads = self.back.deadline().into_iter().chain(self.out.deadline());
        roads.fold(self.deadline, Instant::min)
    }

    fn take(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) {
        if let Ok(receive) = Receive::new(Protocol::Udp, from, self.address, datagram) {
            self.input(Input::Receive(now, receive));
        }
    }

    fn send(&self, datagram: &[u8]) {
        if let Some(to) = self.remote {
            // A full buffer is loss like any other.
            let _ = self.socket.send_to(datagram, to);
        }
    }

    fn input(&mut self, input: Input<'_>) {
        if self.rtc.handle_input(input).is_err() {
            self.rtc.disconnect();
        }
    }
}

/// RTP by its first bytes, RTCP left out (RFC 5761 section 4).
fn is_rtp(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, kind, ..] if !(192..224).contains(kind))
}
