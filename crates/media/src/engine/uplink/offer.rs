//! The words of an uplink: what we read in the client's offer, and our answer.

use super::layers::{self, Named, Rid};
use crate::engine::sdp::{self, Offered, Ours, Part, TWCC_URI};
use crate::engine::wire::rtp::Header;
use crate::engine::{Codec, EngineError, Layer};

const MID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
pub const RID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
const LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/// Layers and streams of a part that are looked at; a browser names three of each, and as many that repair them.
const NAMES_MAX: usize = 16;

/// What an offer says.
#[derive(Debug, PartialEq, Eq)]
pub struct Offer {
    pub offered: Offered,
    /// What we say of each part; nothing of one that is refused.
    own: Vec<Option<String>>,
    sources: Vec<Source>,
    ids: Ids,
}

/// A part that sends.
#[derive(Debug, PartialEq, Eq)]
struct Source {
    /// Its place among the parts.
    part: usize,
    /// Its layers by name; none if it sends one stream.
    rids: Vec<Rid>,
    /// The streams it names before they come (RFC 5576).
    ssrcs: Vec<u32>,
    /// It sends a packet again when it is asked (RFC 4585, 4.2).
    sends_again: bool,
}

/// What the client calls the header extensions that we read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ids {
    mid: Option<u8>,
    rid: Option<u8>,
    level: Option<u8>,
    twcc: Option<u8>,
}

/// What a packet says of itself in its header extensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Says<'a> {
    mid: Option<&'a [u8]>,
    rid: Option<&'a [u8]>,
    /// Loudness in dBov (RFC 6464).
    pub level_dbov: Option<i8>,
    /// Its running number over all packets.
    pub twcc: Option<u16>,
}

/// What a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    pub codec: Codec,
    pub layer: Named,
    pub sends_again: bool,
}

pub fn read(text: &str) -> Result<Offer, EngineError> {
    let mut offered = sdp::read(text)?;
    for (part, text) in offered.parts.iter_mut().zip(sdp::parts(text)) {
        part.keep_one_picture(text);
    }
    let id = |uri| sdp::extension_id(text, uri);
    let ids = Ids {
        mid: id(MID_URI),
        rid: id(RID_URI),
        level: id(LEVEL_URI),
        twcc: id(TWCC_URI),
    };
    let (mut own, mut sources) = (vec![], vec![]);
    for (at, (part, text)) in offered.parts.iter().zip(sdp::parts(text)).enumerate() {
        if !part.is_open || !part.names.is_any() {
            own.push(None);
            continue;
        }
        let source = Source::read(at, part, text);
        own.push(Some(lines(part, &source, text)));
        sources.extend(part.sends.then_some(source));
    }
    if sources.is_empty() {
        return Err(EngineError::Sdp(
            "it sends neither a picture in VP8 or H.264 nor a sound in Opus",
        ));
    }
    Ok(Offer {
        offered,
        own,
        sources,
        ids,
    })
}

pub fn answer(offer: &Offer, ours: &Ours<'_>) -> String {
    sdp::answer(&offer.offered, &offer.own, ours)
}

impl Source {
    fn read(at: usize, part: &Part, text: &str) -> Self {
        let ssrc = |line: &str| {
            let (ssrc, _) = line.strip_prefix("a=ssrc:")?.split_once(' ')?;
            ssrc.parse().ok()
        };
        Self {
            part: at,
            rids: layers::read(part.names, text),
            ssrcs: text.lines().filter_map(ssrc).take(NAMES_MAX).collect(),
            sends_again: sdp::sends_again(text),
        }
    }
}

/// What the answer says of a part that is taken.
fn lines(part: &Part, source: &Source, text: &str) -> String {
    let mut lines = match part.sends {
        true => "a=recvonly\r\n".to_owned(),
        false => "a=inactive\r\n".to_owned(),
    };
    for uri in [MID_URI, RID_URI, LEVEL_URI, TWCC_URI] {
        if let Some(id) = sdp::extension_id(text, uri) {
            lines += &format!("a=extmap:{id} {uri}\r\n");
        }
    }
    if part.sends && !source.rids.is_empty() {
        let rids: Vec<&str> = source.rids.iter().map(|rid| rid.name.as_str()).collect();
        for Rid { name, limits, .. } in &source.rids {
            let space = if limits.is_empty() { "" } else { " " };
            lines += &format!("a=rid:{name} recv{space}{limits}\r\n");
        }
        lines += &format!("a=simulcast:recv {}\r\n", rids.join(";"));
    }
    lines
}

impl Offer {
    /// Whether packets have a running number over all of them.
    pub fn counts_all(&self) -> bool {
        self.ids.twcc.is_some()
    }

    /// How many layers its picture has.
    pub fn layers(&self) -> usize {
        self.sources.iter().map(|source| source.rids.len()).sum()
    }

    /// Reads the extensions of a packet.
    pub fn says<'a>(&self, header: &Header, packet: &'a [u8]) -> Says<'a> {
        let mut says = Says::default();
        for (id, value) in header.extensions(packet) {
            let id = Some(id);
            if id == self.ids.mid {
                says.mid = Some(value);
            } else if id == self.ids.rid {
                says.rid = Some(value);
            } else if id == self.ids.level {
                // The first bit is "voice", the others are the loudness below full scale.
                says.level_dbov = value.first().map(|byte| -((byte & 0x7f) as i8));
            } else if id == self.ids.twcc {
                says.twcc = value.try_into().ok().map(u16::from_be_bytes);
            }
        }
        says
    }

    /// What the stream of a first packet is (RFC 8843, 9.2); `None` for one that is not ours, or does not say yet which
    /// of its layers it is.
    pub fn meaning(&self, header: &Header, says: &Says<'_>) -> Option<Meaning> {
        let source = self.source(header, says)?;
        let codec = self.names_codec(source, header.payload_type)?;
        let layer = match source.rids.as_slice() {
            [] => Named::As(Layer::Full),
            rids => {
                let said = says.rid?;
                let found = rids.iter().find(|rid| rid.name.as_bytes() == said);
                found?.layer
            }
        };
        Some(Meaning {
            codec,
            layer,
            sends_again: source.sends_again,
        })
    }

    fn source(&self, header: &Header, says: &Says<'_>) -> Option<&Source> {
        if let Some(mid) = says.mid {
            let named = |source: &&Source| {
                let part = self.offered.parts.get(source.part);
                part.is_some_and(|part| part.mid.as_bytes() == mid)
            };
            return self.sources.iter().find(named);
        }
        let named = |source: &&Source| source.ssrcs.contains(&header.ssrc);
        if let Some(source) = self.sources.iter().find(named) {
            return Some(source);
        }
        let named = |source: &&Source| self.names_codec(source, header.payload_type).is_some();
        let mut named = self.sources.iter().filter(named);
        // A number that means something in two parts tells them not apart.
        named.next().filter(|_| named.next().is_none())
    }

    fn names_codec(&self, source: &Source, payload_type: u8) -> Option<Codec> {
        let part = self.offered.parts.get(source.part)?;
        part.names.codec(payload_type)
    }
}
