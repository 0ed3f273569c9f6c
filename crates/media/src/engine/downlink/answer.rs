//! The words of a downlink that the client makes: what we read in its offer, and our answer. A player takes one picture,
//! which is the programme, and one to four sounds.

use super::offer::{OPUS_FMTP, TWCC_URI, write_candidates, write_head};
use super::{Names, VIDEO_SLOTS, ssrc_of};
use crate::engine::wire::{Fingerprint, Ice, Role};
use crate::engine::{Addresses, EngineError, sdp};
use diemcau_model::limits::AUDIO_SLOTS;
use std::fmt::{self, Write};

/// The slot of the programme.
const PROGRAMME_SLOT: usize = 0;
/// Parts an offer may have; what we do not take is refused in the answer, but named.
const PARTS_MAX: usize = 8;

/// What an offer says.
#[derive(Debug, PartialEq, Eq)]
pub struct Offer {
    pub ufrag: String,
    pub fingerprint: Fingerprint,
    /// Ours in the handshake.
    pub role: Role,
    pub twcc_id: Option<u8>,
    parts: Vec<Part>,
}

/// One m-line.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// "audio", "video" or something else.
    kind: String,
    protocol: String,
    mid: String,
    /// What goes into it; nothing if it is refused.
    slot: Option<usize>,
    pub names: Names,
    twcc_id: Option<u8>,
    /// A number it names, for a part that is refused must name one.
    any: u8,
    /// What is said of the codecs it gets: their names, their settings, and the feedback it offers for them.
    about: String,
}

impl Offer {
    /// The slots the client takes.
    pub fn taken(&self) -> impl Iterator<Item = (usize, &Part)> {
        self.parts
            .iter()
            .filter_map(|part| Some((part.slot?, part)))
    }

    /// How many sounds it plays.
    pub fn ears(&self) -> usize {
        self.taken()
            .filter(|(slot, _)| *slot >= VIDEO_SLOTS)
            .count()
    }
}

pub fn read(offer: &str) -> Result<Offer, EngineError> {
    sdp::check_text(offer)?;
    let missing = |what| EngineError::Sdp(what);
    let role = match sdp::setup(offer) {
        Some("actpass" | "active") => Role::Server,
        Some("passive") => Role::Client,
        Some(_) | None => return Err(missing("it takes no side of the handshake")),
    };
    let mut parts: Vec<Part> = vec![];
    for text in sdp::parts(offer) {
        if parts.len() == PARTS_MAX {
            return Err(missing("it has too many parts"));
        }
        let part = part(text, &parts).ok_or(missing("one of its parts has no name"))?;
        parts.push(part);
    }
    let offer = Offer {
        ufrag: sdp::ufrag(offer)
            .ok_or(missing("it has no ICE user name"))?
            .to_owned(),
        fingerprint: sdp::fingerprint(offer).ok_or(missing("it has no SHA-256 fingerprint"))?,
        role,
        twcc_id: twcc_id(offer),
        parts,
    };
    if offer.taken().next().is_none() {
        return Err(missing(
            "it takes neither a picture in VP8 or H.264 nor a sound in Opus",
        ));
    }
    Ok(offer)
}

/// The number of the running number over all packets, if it is one of a short header (RFC 8285, 4.2).
fn twcc_id(text: &str) -> Option<u8> {
    sdp::extension_id(text, TWCC_URI).filter(|id| (1..=14).contains(id))
}

/// Reads a part; what goes into it follows from those before it.
fn part(text: &str, before: &[Part]) -> Option<Part> {
    let mut words = text.lines().next()?.strip_prefix("m=")?.split_whitespace();
    let (kind, port, protocol) = (words.next()?, words.next()?, words.next()?);
    let mid = sdp::attribute(text, "mid")?;
    let is_word = |text: &str| {
        !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if !is_word(mid) || !is_word(protocol) || !is_word(kind) {
        return None;
    }
    let any = words.find_map(|word| word.parse().ok()).unwrap_or(0);
    let names = match kind {
        "video" => Names {
            vp8: sdp::payload_types(text, "VP8/90000").next(),
            h264: h264(text),
            ..Names::default()
        },
        "audio" => Names {
            opus: sdp::payload_types(text, "opus/48000/2").next(),
            ..Names::default()
        },
        _ => Names::default(),
    };
    let receives = port != "0"
        && !["a=sendonly", "a=inactive"]
            .iter()
            .any(|no| text.lines().any(|line| line.trim() == *no));
    let taken = |of: fn(usize) -> bool| {
        let slots = before.iter().filter_map(|part| part.slot);
        slots.filter(|slot| of(*slot)).count()
    };
    let slot = match kind {
        "video" => Some(PROGRAMME_SLOT).filter(|_| taken(|slot| slot < VIDEO_SLOTS) == 0),
        _ => Some(taken(|slot| slot >= VIDEO_SLOTS))
            .filter(|ear| *ear < AUDIO_SLOTS)
            .map(|ear| VIDEO_SLOTS + ear),
    };
    Some(Part {
        kind: kind.to_owned(),
        protocol: protocol.to_owned(),
        mid: mid.to_owned(),
        slot: slot.filter(|_| receives && names.is_any()),
        names,
        twcc_id: twcc_id(text),
        any,
        about: about(text, names),
    })
}

/// The number of the H.264 that we forward: constrained baseline, in fragments.
fn h264(text: &str) -> Option<u8> {
    sdp::payload_types(text, "H264/90000").find(|pt| {
        let settings = settings_of(text, *pt).to_ascii_lowercase();
        settings.contains("packetization-mode=1") && settings.contains("profile-level-id=42e0")
    })
}

fn about(text: &str, names: Names) -> String {
    let mut about = String::new();
    // The level of H.264 is the client's to say, so its own settings are said back (RFC 6184, 8.2.2).
    let h264 = names.h264.map(|pt| settings_of(text, pt));
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

/// What a part says of a codec's settings.
fn settings_of(text: &str, pt: u8) -> String {
    let fmtp = format!("a=fmtp:{pt} ");
    let mut lines = text.lines();
    let settings = lines.find_map(|line| line.trim().strip_prefix(&fmtp));
    settings.unwrap_or_default().chars().take(128).collect()
}

/// What we understand of the feedback a part offers for a codec.
fn feedback(text: &str, payload_type: u8) -> Vec<String> {
    let ours = ["nack", "nack pli", "ccm fir", "transport-cc"];
    let offered = |what: &&str| {
        let own = format!("a=rtcp-fb:{payload_type} {what}");
        let all = format!("a=rtcp-fb:* {what}");
        text.lines()
            .map(str::trim)
            .any(|line| line == own || line == all)
    };
    ours.iter()
        .filter(|what| offered(what))
        .map(|what| (*what).to_owned())
        .collect()
}

/// The answer: part by part what the client gets.
pub fn write(
    offer: &Offer,
    ice: &Ice,
    fingerprint: Fingerprint,
    addresses: &Addresses,
    session: u64,
) -> String {
    let mut sdp = String::with_capacity(4 * 1024);
    // Writing to a string cannot fail.
    let _ = write_to(&mut sdp, offer, ice, fingerprint, addresses, session);
    sdp
}

fn write_to(
    sdp: &mut String,
    offer: &Offer,
    ice: &Ice,
    fingerprint: Fingerprint,
    addresses: &Addresses,
    session: u64,
) -> fmt::Result {
    let mids: Vec<&str> = offer.taken().map(|(_, part)| part.mid.as_str()).collect();
    write_head(sdp, &mids, fingerprint, session)?;
    let setup = match offer.role {
        Role::Server => "passive",
        Role::Client => "active",
    };
    for part in &offer.parts {
        let (kind, protocol, mid, any) = (&part.kind, &part.protocol, &part.mid, part.any);
        let Some(slot) = part.slot else {
            write!(
                sdp,
                "m={kind} 0 {protocol} {any}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=inactive\r\n"
            )?;
            continue;
        };
        let (ufrag, password, ssrc) = (ice.ufrag(), ice.password(), ssrc_of(slot));
        let Names { opus, vp8, h264 } = part.names;
        write!(sdp, "m={kind} 9 {protocol}")?;
        for pt in [opus, vp8, h264].into_iter().flatten() {
            write!(sdp, " {pt}")?;
        }
        write!(
            sdp,
            "\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n\
             a=setup:{setup}\r\na=mid:{mid}\r\na=sendonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
        )?;
        if let Some(id) = part.twcc_id {
            write!(sdp, "a=extmap:{id} {TWCC_URI}\r\n")?;
        }
        sdp.push_str(&part.about);
        write!(
            sdp,
            "a=msid:programme track-{slot}\r\na=ssrc:{ssrc} cname:programme\r\n"
        )?;
        // The first of the bundle, which is the one that names the way.
        if mids.first() == Some(&mid.as_str()) {
            write_candidates(sdp, addresses)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::wire::tests::provider;

    const HEAD: &str = "v=0\r\na=group:BUNDLE 0 1\r\na=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:\
        10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\na=setup:actpass\r\na=ice-ufrag:them\r\n";

    fn audio(mid: &str) -> String {
        format!(
            "m=audio 9 UDP/TLS/RTP/SAVPF 96 8\r\na=mid:{mid}\r\na=recvonly\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:8 PCMA/8000\r\n"
        )
    }

    fn video(mid: &str) -> String {
        format!(
            "m=video 9 UDP/TLS/RTP/SAVPF 97 98\r\na=mid:{mid}\r\na=recvonly\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=0;profile-level-id=42e01f\r\na=rtpmap:98 VP8/90000\r\n\
             a=rtcp-fb:98 nack\r\na=rtcp-fb:* ccm fir\r\na=rtcp-fb:98 goog-remb\r\na=extmap:3 {TWCC_URI}\r\n"
        )
    }

    fn answered(offer: &Offer) -> String {
        let ice = Ice::new(provider()).unwrap();
        let addresses = Addresses(vec!["192.0.2.1:7881".parse().unwrap()]);
        write(offer, &ice, Fingerprint([0xab; 32]), &addresses, 7)
    }

    #[test]
    fn a_player_gets_the_programme_by_its_own_numbers() {
        let offer = read(&[HEAD, &audio("0"), &video("1")].concat()).unwrap();
        let taken: Vec<_> = offer
            .taken()
            .map(|(slot, part)| (slot, part.names))
            .collect();
        let (opus, vp8) = (Some(96), Some(98));
        let sound = Names {
            opus,
            ..Names::default()
        };
        let picture = Names {
            vp8,
            ..Names::default()
        };
        assert_eq!(taken, [(VIDEO_SLOTS, sound), (PROGRAMME_SLOT, picture)]);
        assert_eq!(
            (offer.ears(), offer.twcc_id, offer.role),
            (1, Some(3), Role::Server)
        );
        let answer = answered(&offer);
        assert!(
            answer.contains("a=group:BUNDLE 0 1\r\n") && answer.contains("a=setup:passive\r\n")
        );
        assert!(answer.contains("a=rtcp-fb:98 nack\r\na=rtcp-fb:98 ccm fir\r\n"));
        assert!(!answer.contains("remb") && !answer.contains("H264"));
        assert_eq!(answer.matches(" typ host").count(), 1);
        let at = |text: &str| answer.find(text).unwrap();
        assert!(at("m=audio 9") < at("a=candidate") && at("a=candidate") < at("m=video 9"));
    }

    #[test]
    fn a_picture_may_be_h264_of_the_kind_that_everybody_reads() {
        let both = video("1").replace("packetization-mode=0", "packetization-mode=1");
        let offer = read(&[HEAD, &both].concat()).unwrap();
        let answer = answered(&offer);
        assert!(answer.contains("m=video 9 UDP/TLS/RTP/SAVPF 98 97\r\n"));
        assert!(answer.contains("a=fmtp:97 packetization-mode=1;profile-level-id=42e01f\r\n"));
    }

    #[test]
    fn what_is_not_taken_is_refused_by_its_name() {
        let more = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n";
        let offer = read(&[HEAD, &video("a"), &video("b"), more].concat()).unwrap();
        assert_eq!((offer.taken().count(), offer.ears()), (1, 0));
        let answer = answered(&offer);
        assert!(answer.contains("a=group:BUNDLE a\r\n"));
        assert!(answer.contains(
            "m=video 0 UDP/TLS/RTP/SAVPF 97\r\nc=IN IP4 0.0.0.0\r\na=mid:b\r\na=inactive\r\n"
        ));
        assert!(answer.contains("m=application 0 UDP/DTLS/SCTP 0\r\n"));
        let ears: String = (0..6).map(|n| audio(&n.to_string())).collect();
        assert_eq!(read(&[HEAD, &ears].concat()).unwrap().ears(), AUDIO_SLOTS);
    }

    #[test]
    fn what_is_no_offer_is_refused_with_a_reason() {
        for bad in [
            HEAD.to_owned(),
            [HEAD, &video("a").replace("VP8", "VP9")].concat(),
            [HEAD, &video("a").replace("recvonly", "sendonly")].concat(),
            [HEAD, &video("a").replace("a=mid:a", "a=mid:")].concat(),
            [
                &HEAD.replace("setup:actpass", "setup:holdconn"),
                &*video("a"),
            ]
            .concat(),
            [&HEAD.replace("sha-256", "md5"), &*video("a")].concat(),
            [HEAD, &audio("0").repeat(9)].concat(),
        ] {
            assert!(read(&bad).is_err(), "{bad}");
        }
    }
}
