//! What the rest of this crate needs from a WebRTC engine, in plain types.
//!
//! A *leg* is one peer connection: an uplink or a downlink. It does no input or output of its own and reads no
//! clock: datagrams, packets and the time come in as arguments. No type of the library behind it leaves this folder,
//! so the library can be exchanged by writing one more `Leg`.

mod downlink;
mod guarded;
mod missing;
mod rtcp;
mod sdp;
mod uplink;
mod wire;

pub use sdp::ufrag as ice_ufrag;
pub use wire::STILL;
#[cfg(test)]
pub use wire::tests::check_of;

use crate::rewrite::RtpOut;
use bytes::{Bytes, BytesMut};
use rtc::shared::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// Bits a second of a voice with all that carries it.
pub const VOICE_BPS: u64 = 50_000;

pub const OPUS_PAYLOAD_TYPE: u8 = 111;
pub const VP8_PAYLOAD_TYPE: u8 = 96;
pub const H264_PAYLOAD_TYPE: u8 = 102;
/// Constrained baseline, in whole and fragmented units: what every WebRTC client reads (RFC 7742, section 6.2).
pub const H264_FMTP: &str =
    "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";

/// The addresses our offers and answers name as candidates; the first of the right family is our own address.
#[derive(Clone, Debug)]
pub struct Addresses(pub Vec<SocketAddr>);

/// What every leg of a server shares.
pub struct Engine {
    addresses: Addresses,
    /// Where media may come over TCP.
    tcp: Option<u16>,
    identity: wire::Identity,
    /// The clock of our reports begins here.
    epoch: Instant,
}

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// Sound.
    Opus,
    /// A picture.
    Vp8,
    /// A picture; what encoders without a browser send.
    H264,
}

/// What a client calls the codecs of a part of its description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub opus: Option<u8>,
    pub vp8: Option<u8>,
    pub h264: Option<u8>,
}

impl Names {
    pub fn of(self, codec: Codec) -> Option<u8> {
        match codec {
            Codec::Opus => self.opus,
            Codec::Vp8 => self.vp8,
            Codec::H264 => self.h264,
        }
    }

    pub fn codec(self, name: u8) -> Option<Codec> {
        let all = [Codec::Opus, Codec::Vp8, Codec::H264];
        all.into_iter().find(|codec| self.of(*codec) == Some(name))
    }

    pub fn is_any(self) -> bool {
        self != Self::default()
    }
}

/// A simulcast layer, from the smallest picture to the largest. A picture sent without simulcast is `Full`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    Quarter,
    Half,
    Full,
    /// The one picture of a presentation, which comes on a connection of its own.
    Presentation,
}

impl Layer {
    /// Those of a camera.
    pub const ALL: [Self; 3] = [Self::Quarter, Self::Half, Self::Full];

    pub fn from_rid(rid: &str) -> Option<Self> {
        match rid {
            "q" => Some(Self::Quarter),
            "h" => Some(Self::Half),
            "f" => Some(Self::Full),
            _ => None,
        }
    }
}

/// A packet of an uplink, decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpIn {
    pub codec: Codec,
    /// `Full` for sound.
    pub layer: Layer,
    pub ssrc: u32,
    pub seq: u16,
    pub timestamp: u32,
    pub marker: bool,
    /// Loudness in dBov, when the sender says it (RFC 6464).
    pub level_dbov: Option<i8>,
    /// None of its stream came that was sent later.
    pub is_newest: bool,
    /// Lost on the way, and sent again when it was asked for.
    pub was_lost: bool,
    pub payload: Bytes,
}

/// What a leg has to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum LegEvent {
    /// ICE and DTLS are up.
    Connected,
    /// The leg is of no use any more.
    Failed(String),
    /// Somebody, perhaps the client, began a handshake that can come to nothing, and why; told once.
    Refused(String),
    /// A packet of an uplink.
    Rtp(RtpIn),
    /// The receiver of a downlink asks for a key frame in a slot.
    KeyFrameWanted { slot: usize },
    /// Packets of an uplink's picture are lost for good: whoever sees it needs a key frame.
    Lost { layer: Layer },
    /// A round trip to the client took so long.
    RoundTrip { ms: f32 },
    /// The receiver of a downlink told of so many packets, of which so many did not arrive.
    Arrived { spoken_of: u32, lost: u32 },
}

/// Between a client and us; RFC 8445 calls it a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    pub client: SocketAddr,
    /// Which address of ours it leads to, if we listen on all: a client takes an answer from no other, and its router may
    /// let none through.
    pub ours: Option<IpAddr>,
}

impl From<SocketAddr> for Path {
    fn from(client: SocketAddr) -> Self {
        Self { client, ours: None }
    }
}

/// Datagrams that leave in one call: equally long, only the last may be shorter.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    pub to: Path,
    pub segment: usize,
    pub bytes: &'a [u8],
}

/// What a datagram carries that a leg hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cargo {
    /// A check, a part of a handshake or a report.
    Words,
    Sound,
    Picture,
}

impl Cargo {
    /// Told from outside: the header of a packet is protected, not hidden.
    pub fn of(datagram: &[u8]) -> Self {
        // RFC 7983 and RFC 5761, section 4.
        match datagram {
            [128..192, 0..192 | 224.., ..] => downlink::cargo(datagram),
            _ => Self::Words,
        }
    }
}

/// Where a leg hands out its datagrams.
pub struct Outlet<'a> {
    pub now: Instant,
    /// Datagrams the kernel takes in one call.
    pub segments_max: usize,
    /// Room to write a run in; what it holds before and after means nothing.
    pub buffer: &'a mut Vec<u8>,
    pub send: &'a mut dyn FnMut(Run<'_>),
}

impl<'a> Run<'a> {
    pub fn one(to: impl Into<Path>, bytes: &'a [u8]) -> Self {
        Self {
            to: to.into(),
            segment: bytes.len(),
            bytes,
        }
    }
}

/// Why a leg could not be made; the words go to the client.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("the session description is longer than {} bytes", sdp::SDP_MAX_BYTES)]
    SdpTooLong,
    #[error("not a usable session description: {0}")]
    Sdp(&'static str),
    #[error("not a usable session description: {0}")]
    Refused(String),
    #[error("the engine gave up on this peer")]
    Panicked,
}

/// One peer connection.
pub trait Leg: Send {
    /// The user name fragment by which the first datagrams of this leg are known.
    fn ufrag(&self) -> &str;
    /// The client's answer to our offer (downlink only).
    fn accept_answer(&mut self, answer: &str, now: Instant) -> Result<(), EngineError>;
    /// A datagram that came from the network; gives whether the client itself was heard, and not only somebody who knows
    /// its name.
    fn receive(&mut self, datagram: BytesMut, from: Path, now: Instant) -> bool;
    /// Where the client's packets go and come from, once it has shown the way.
    fn path(&self) -> Option<Path>;
    /// Whether the client takes a codec in a slot (downlink only).
    fn takes(&self, slot: usize, codec: Codec) -> bool;
    /// A packet for one of the slots (downlink only). Nothing leaves before `drain_datagrams`. False if it has no place
    /// there: the client does not take the slot, is not connected, or had the packet's number already.
    fn send(&mut self, slot: usize, packet: RtpOut, now: Instant) -> bool;
    /// Asks the sender for a key frame of a layer (uplink only); false if the layer has not been seen.
    fn ask_key_frame(&mut self, layer: Layer, now: Instant) -> bool;
    /// Asks the client how far it is, from time to time: `RoundTrip` follows (uplink only; a downlink hears it in reports, while it
    /// is sent enough).
    fn measure(&mut self, now: Instant);
    /// What the way to the client bears in bits a second, 0 behind a cut, if the client tells when packets arrive (downlink
    /// only).
    fn bears(&mut self, now: Instant) -> Option<u64>;
    /// Time has passed up to `deadline`.
    fn tick(&mut self, now: Instant);
    /// When `tick` is due.
    fn deadline(&mut self) -> Option<Instant>;
    /// Appends what happened since.
    fn drain_events(&mut self, into: &mut Vec<LegEvent>);
    /// Hands out the datagrams to be sent.
    fn drain_datagrams(&mut self, out: &mut Outlet<'_>);
    /// Says good-bye; the last datagrams are drained afterwards.
    fn close(&mut self, now: Instant);
    /// How many pieces of a handshake it still takes: anybody who writes a client's address uses them up.
    #[cfg(test)]
    fn room(&self) -> usize {
        0
    }
}

/// Whether an offer may be an uplink's; why not goes to the client.
pub fn check_uplink_offer(offer: &str) -> Result<(), EngineError> {
    sdp::check_uplink_offer(offer)
}

/// Whether an offer may be a player's; why not goes to the client.
pub fn check_player_offer(offer: &str) -> Result<(), EngineError> {
    downlink::check_offer(offer)
}

impl Engine {
    /// Makes the certificate of this server's legs.
    pub fn new(addresses: Addresses, epoch: Instant) -> Result<Self, EngineError> {
        let identity = guarded::run(wire::Identity::generate)?;
        Ok(Self {
            addresses,
            tcp: None,
            identity: identity.map_err(refused)?,
            epoch,
        })
    }

    /// Offers and answers name this port for media over TCP too.
    pub fn with_tcp(mut self, port: u16) -> Self {
        self.tcp = Some(port);
        self
    }

    /// Makes the uplink of a presentation; gives the answer beside it.
    pub fn answer_presentation(
        &self,
        offer: &str,
        now: Instant,
    ) -> Result<(Box<dyn Leg>, String), EngineError> {
        sdp::check_presentation_offer(offer)?;
        self.answer_uplink(offer, now)
    }

    /// Our side of a description, of a session that nobody guesses: a positive number of 63 bits (RFC 9429, 5.2.1).
    fn ours<'a>(&'a self, ice: &'a wire::Ice) -> Result<sdp::Ours<'a>, EngineError> {
        let mut session = [0; 8];
        let random = self.identity.provider.random().fill(&mut session);
        random.map_err(refused_random)?;
        Ok(sdp::Ours {
            ice,
            fingerprint: self.identity.fingerprint,
            addresses: &self.addresses,
            session: u64::from_be_bytes(session) >> 1,
        })
    }

    fn described(&self, sdp: String) -> String {
        match self.tcp {
            Some(port) => sdp::with_tcp(&sdp, port),
            None => sdp,
        }
    }

    /// Makes the uplink a client offers; gives the answer beside it.
    pub fn answer_uplink(
        &self,
        offer: &str,
        now: Instant,
    ) -> Result<(Box<dyn Leg>, String), EngineError> {
        sdp::check_uplink_offer(offer)?;
        let made = guarded::run(|| uplink::Uplink::answer(self, offer, now));
        let (leg, answer) = made??;
        Ok((Box::new(guarded::Guarded::new(leg)), self.described(answer)))
    }

    /// Makes a downlink with its fixed slots; gives the offer beside it.
    pub fn offer_downlink(&self) -> Result<(Box<dyn Leg>, String), EngineError> {
        let (leg, offer) = guarded::run(|| downlink::Downlink::offer(self))??;
        Ok((Box::new(guarded::Guarded::new(leg)), self.described(offer)))
    }

    /// Makes the downlink a client offers; gives how many sounds it takes, and the answer beside it.
    pub fn answer_downlink(
        &self,
        offer: &str,
        now: Instant,
    ) -> Result<(Box<dyn Leg>, usize, String), EngineError> {
        let made = guarded::run(|| downlink::Downlink::answer(self, offer, now));
        let (leg, ears, answer) = made??;
        let leg = Box::new(guarded::Guarded::new(leg));
        Ok((leg, ears, self.described(answer)))
    }

    /// A downlink as if its client had connected from an address, with keys nobody else has.
    #[cfg(test)]
    pub fn open_downlink(&self, to: SocketAddr) -> Result<Box<dyn Leg>, EngineError> {
        let (mut leg, _) = downlink::Downlink::offer(self)?;
        leg.open(to);
        Ok(Box::new(guarded::Guarded::new(leg)))
    }
}

fn refused_random(error: impl std::fmt::Display) -> EngineError {
    EngineError::Refused(error.to_string())
}

fn refused(error: Error) -> EngineError {
    EngineError::Refused(error.to_string())
}
