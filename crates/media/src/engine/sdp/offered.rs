//! What a client offers, read alike for both directions, and the answer around what each says of its own.

use super::{
    attribute, bundle, check_text, extension_id, fingerprint, parts, password, payload_types,
    setup, ufrag,
};
use crate::engine::wire::{Fingerprint, Ice, Role};
use crate::engine::{Addresses, EngineError, Names};
use std::fmt::{self, Write};

/// Parts an offer may have; what we do not take is refused in the answer, but named.
const PARTS_MAX: usize = 8;
/// Letters of a part's name, kind or protocol.
const WORD_MAX: usize = 32;
/// Kinds of a codec that are looked at; Chromium names six of H.264.
const KINDS_MAX: usize = 32;
/// Settings of a codec that are looked at.
const SETTINGS_MAX: usize = 32;
/// The highest priority of a host's only component (RFC 8445, 5.1.2).
const CANDIDATE_PRIORITY: u32 = 2_130_706_431;

/// The running number over all packets of a connection, by which its receiver tells when each arrived.
pub const TWCC_URI: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// Repaired by the packet after it, and nothing sent in silence.
pub const OPUS_FMTP: &str = "minptime=10;useinbandfec=1;usedtx=1";

/// What an offer says.
#[derive(Debug, PartialEq, Eq)]
pub struct Offered {
    pub ufrag: String,
    pub password: String,
    pub fingerprint: Fingerprint,
    /// Ours in the handshake (RFC 8842, 5.3).
    pub role: Role,
    pub parts: Vec<Part>,
}

/// One m-line.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// "audio", "video" or something else.
    pub kind: String,
    protocol: String,
    pub mid: String,
    /// It has a port, or that of the bundle (RFC 8843, 6).
    pub is_open: bool,
    /// It shares one way with others (RFC 8843).
    is_bundled: bool,
    /// Its reports come on the way of its packets, or the way is another part's to describe (RFC 8829, 5.2.1).
    is_muxed: bool,
    pub sends: bool,
    pub receives: bool,
    pub names: Names,
    /// A number it names, for a part that is refused must name one.
    any: u8,
    /// It takes reports of less than RFC 3550 wants in each (RFC 5506).
    takes_short_reports: bool,
    /// What is said of the codecs it gets: their names, their settings, and the feedback it offers for them.
    about: String,
}

/// Our side of an answer.
pub struct Ours<'a> {
    pub ice: &'a Ice,
    pub fingerprint: Fingerprint,
    pub addresses: &'a Addresses,
    pub session: u64,
}

impl Offered {
    /// Whether all that comes to the client may be short: what we say is of all its parts.
    pub fn takes_short_reports(&self) -> bool {
        let mut ours = self.parts.iter().filter(|part| part.is_ours());
        ours.all(|part| part.takes_short_reports)
    }
}

pub fn read(offer: &str) -> Result<Offered, EngineError> {
    check_text(offer)?;
    let missing = |what| EngineError::Sdp(what);
    let role = match setup(offer) {
        Some("actpass" | "active") => Role::Server,
        Some("passive") => Role::Client,
        Some(_) | None => return Err(missing("it takes no side of the handshake")),
    };
    let mut read = vec![];
    for text in parts(offer) {
        if read.len() == PARTS_MAX {
            return Err(missing("it has too many parts"));
        }
        let mut part = part(text).ok_or(missing("one of its parts has no name"))?;
        part.is_bundled = bundle(offer).take(PARTS_MAX).any(|mid| mid == part.mid);
        read.push(part);
    }
    check_way(&read)?;
    Ok(Offered {
        ufrag: ufrag(offer)
            .ok_or(missing("it has no ICE user name"))?
            .to_owned(),
        password: password(offer)
            .ok_or(missing("it has no ICE password"))?
            .to_owned(),
        fingerprint: fingerprint(offer).ok_or(missing("it has no SHA-256 fingerprint"))?,
        role,
        parts: read,
    })
}

/// Refuses parts we could take that do not come on one way: we have no other.
fn check_way(parts: &[Part]) -> Result<(), EngineError> {
    let ours = || parts.iter().filter(|part| part.is_ours());
    if ours().count() > 1 && !ours().all(|part| part.is_bundled) {
        return Err(EngineError::Sdp("its parts are not all in one BUNDLE"));
    }
    if !ours().all(|part| part.is_muxed) {
        return Err(EngineError::Sdp("one of its parts has no rtcp-mux"));
    }
    Ok(())
}

fn part(text: &str) -> Option<Part> {
    let mut words = text.lines().next()?.strip_prefix("m=")?.split_whitespace();
    let (kind, port, protocol) = (words.next()?, words.next()?, words.next()?);
    let mid = attribute(text, "mid")?;
    let is_word = |text: &str| {
        let fits = !text.is_empty() && text.len() <= WORD_MAX;
        fits && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if !is_word(mid) || !is_word(protocol) || !is_word(kind) {
        return None;
    }
    let says = |what: &str| text.lines().any(|line| line.trim() == what);
    let names = match kind {
        "video" => Names {
            vp8: payload_types(text, "VP8/90000").next(),
            h264: h264(text).map(|(pt, _)| pt),
            ..Names::default()
        },
        "audio" => Names {
            opus: payload_types(text, "opus/48000/2").next(),
            ..Names::default()
        },
        _ => Names::default(),
    };
    Some(Part {
        kind: kind.to_owned(),
        protocol: protocol.to_owned(),
        mid: mid.to_owned(),
        is_open: port != "0" || says("a=bundle-only"),
        is_bundled: false,
        is_muxed: says("a=rtcp-mux") || says("a=bundle-only"),
        sends: !says("a=recvonly") && !says("a=inactive"),
        receives: !says("a=sendonly") && !says("a=inactive"),
        names,
        any: words.find_map(|word| word.parse().ok()).unwrap_or(0),
        takes_short_reports: says("a=rtcp-rsize"),
        about: about(text, names),
    })
}

impl Part {
    /// We could take it.
    fn is_ours(&self) -> bool {
        self.is_open && self.names.is_any()
    }

    /// Leaves its picture one codec: who was answered two may change from one to the other within a stream, and no
    /// picture of it would be known for what it is. VP8, which is sent in layers by all; H.264 of who has no other.
    pub fn keep_one_picture(&mut self, text: &str) {
        if self.names.vp8.is_some() && self.names.h264.take().is_some() {
            self.about = about(text, self.names);
        }
    }
}

/// The number of the running number over all packets, if it is one of a short header (RFC 8285, 4.2) and the client tells of
/// a codec that it takes when its packets arrive: who only names the number says nothing, and would be behind a cut.
pub fn twcc_id(text: &str, names: Names) -> Option<u8> {
    let id = extension_id(text, TWCC_URI).filter(|id| (1..=14).contains(id))?;
    let Names { opus, vp8, h264 } = names;
    let mut taken = [opus, vp8, h264].into_iter().flatten();
    taken
        .any(|pt| offers(text, pt, "transport-cc"))
        .then_some(id)
}

/// The number of the H.264 that we forward, and its profile and level: constrained baseline, in fragments.
fn h264(text: &str) -> Option<(u8, &str)> {
    let numbers = payload_types(text, "H264/90000").take(KINDS_MAX);
    let settings = settings(text);
    let mut kinds = numbers.filter_map(|pt| {
        let said = (*settings.get(usize::from(pt))?)?;
        let is_fragmented = setting(said, "packetization-mode") == Some("1");
        Some((pt, setting(said, "profile-level-id")?)).filter(|_| is_fragmented)
    });
    kinds.find(|(_, profile)| is_constrained_baseline(profile))
}

/// Three profiles are it, if the bits behind them say that nothing of theirs beyond it is used (RFC 6184, table 5).
fn is_constrained_baseline(profile: &str) -> bool {
    let digits = profile.bytes().filter(u8::is_ascii_hexdigit).count();
    if digits != 6 || profile.len() != 6 {
        return false;
    }
    match u32::from_str_radix(profile, 16).map(u32::to_be_bytes) {
        Ok([_, 0x42, set, _]) => set & 0x4f == 0x40,
        Ok([_, 0x4d, set, _]) => set & 0x8f == 0x80,
        Ok([_, 0x58, set, _]) => set & 0xcf == 0xc0,
        Ok(_) | Err(_) => false,
    }
}

fn about(text: &str, names: Names) -> String {
    let mut about = String::new();
    // The profile is said back as it was offered, the level is the client's to say (RFC 6184, 8.2.2). The rest of its
    // settings tell of its own stream.
    let h264 = h264(text).map(|(_, profile)| {
        format!("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile}")
    });
    let codecs = [
        (names.vp8, "VP8/90000", String::new()),
        (names.h264, "H264/90000", h264.unwrap_or_default()),
        (names.opus, "opus/48000/2", OPUS_FMTP.to_owned()),
    ];
    for (pt, codec, settings) in codecs {
        let Some(pt) = pt else { continue };
        about += &format!("a=rtpmap:{pt} {codec}\r\n");
        if !settings.is_empty() {
            about += &format!("a=fmtp:{pt} {settings}\r\n");
        }
        for what in feedback(text, pt) {
            about += &format!("a=rtcp-fb:{pt} {what}\r\n");
        }
    }
    about
}

/// What a part says first of each codec's settings, by the codec's number: read at once for all that it names.
fn settings(text: &str) -> [Option<&str>; 128] {
    let mut settings = [None; 128];
    for line in text.lines() {
        let said = line.trim().strip_prefix("a=fmtp:");
        let Some((pt, said)) = said.and_then(|said| said.split_once(' ')) else {
            continue;
        };
        let place = pt.parse().ok().and_then(|pt: usize| settings.get_mut(pt));
        if let Some(first) = place {
            first.get_or_insert(said);
        }
    }
    settings
}

/// One of a codec's settings.
fn setting<'a>(settings: &'a str, name: &str) -> Option<&'a str> {
    settings.split(';').take(SETTINGS_MAX).find_map(|setting| {
        let (said, value) = setting.split_once('=')?;
        said.trim()
            .eq_ignore_ascii_case(name)
            .then_some(value.trim())
    })
}

/// What we understand of the feedback a part offers for a codec.
fn feedback(text: &str, payload_type: u8) -> impl Iterator<Item = &'static str> {
    let ours = ["nack", "nack pli", "ccm fir", "transport-cc"];
    ours.into_iter()
        .filter(move |what| offers(text, payload_type, what))
}

/// Whether a part offers some feedback for a codec.
pub fn offers(text: &str, payload_type: u8, what: &str) -> bool {
    let own = format!("a=rtcp-fb:{payload_type} {what}");
    let all = format!("a=rtcp-fb:* {what}");
    let mut lines = text.lines().map(str::trim);
    lines.any(|line| line == own || line == all)
}

/// The answer: part by part the lines its direction has for it; a part without any is refused.
pub fn answer(offered: &Offered, own: &[Option<String>], ours: &Ours<'_>) -> String {
    let mut sdp = String::with_capacity(4 * 1024);
    // Writing to a string cannot fail.
    let _ = write(&mut sdp, offered, own, ours);
    sdp
}

fn write(
    sdp: &mut String,
    offered: &Offered,
    own: &[Option<String>],
    ours: &Ours<'_>,
) -> fmt::Result {
    let parts = || offered.parts.iter().zip(own);
    let taken = parts().filter(|(part, own)| own.is_some() && part.is_bundled);
    let mids: Vec<&str> = taken.map(|(part, _)| part.mid.as_str()).collect();
    write_head(sdp, &mids, ours.fingerprint, ours.session)?;
    let setup = match offered.role {
        Role::Server => "passive",
        Role::Client => "active",
    };
    let (ufrag, password) = (ours.ice.ufrag(), ours.ice.password());
    let mut is_first = true;
    for (part, own) in parts() {
        let (kind, protocol, mid) = (&part.kind, &part.protocol, &part.mid);
        let Some(own) = own else {
            let any = part.any;
            write!(
                sdp,
                "m={kind} 0 {protocol} {any}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=inactive\r\n"
            )?;
            continue;
        };
        write!(sdp, "m={kind} 9 {protocol}")?;
        let Names { opus, vp8, h264 } = part.names;
        for pt in [opus, vp8, h264].into_iter().flatten() {
            write!(sdp, " {pt}")?;
        }
        write!(
            sdp,
            "\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n\
             a=setup:{setup}\r\na=mid:{mid}\r\na=rtcp-mux\r\n"
        )?;
        if part.takes_short_reports {
            write!(sdp, "a=rtcp-rsize\r\n")?;
        }
        write!(sdp, "{own}{}", part.about)?;
        // The first of the bundle is the one that names the way.
        if std::mem::take(&mut is_first) {
            write_candidates(sdp, ours.addresses)?;
        }
    }
    Ok(())
}

/// What stands before the parts: the session, the bundle, the certificate.
pub fn write_head(
    sdp: &mut String,
    bundle: &[impl AsRef<str>],
    Fingerprint(fingerprint): Fingerprint,
    session: u64,
) -> fmt::Result {
    write!(
        sdp,
        "v=0\r\no=- {session} 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
    )?;
    write!(sdp, "a=ice-lite\r\na=extmap-allow-mixed\r\n")?;
    for (place, mid) in bundle.iter().enumerate() {
        let before = if place == 0 { "a=group:BUNDLE " } else { " " };
        write!(sdp, "{before}{}", mid.as_ref())?;
    }
    let after = if bundle.is_empty() { "" } else { "\r\n" };
    write!(sdp, "{after}a=fingerprint:sha-256 ")?;
    for (place, byte) in fingerprint.iter().enumerate() {
        let colon = if place == 0 { "" } else { ":" };
        write!(sdp, "{colon}{byte:02X}")?;
    }
    write!(sdp, "\r\n")
}

/// Where we are reached. One way for all: only the first part of a bundle needs it.
pub fn write_candidates(sdp: &mut String, addresses: &Addresses) -> fmt::Result {
    for (number, address) in addresses.0.iter().enumerate() {
        let (ip, port) = (address.ip(), address.port());
        let priority = CANDIDATE_PRIORITY - number as u32;
        write!(
            sdp,
            "a=candidate:{number} 1 udp {priority} {ip} {port} typ host\r\n"
        )?;
    }
    write!(sdp, "a=end-of-candidates\r\n")
}
