//! The words of a downlink that the client makes: what we read in its offer, and our answer. A player takes one picture,
//! which is the programme, and one to four sounds.

use super::{VIDEO_SLOTS, ssrc_of};
use crate::engine::sdp::{self, Offered, Ours, Part, TWCC_URI};
use crate::engine::{EngineError, Names};
use diemcau_model::limits::AUDIO_SLOTS;

/// The slot of the programme.
const PROGRAMME_SLOT: usize = 0;

/// What an offer says.
#[derive(Debug, PartialEq, Eq)]
pub struct Offer {
    pub offered: Offered,
    /// What goes into each part; nothing if it is refused.
    slots: Vec<Option<usize>>,
    /// What each part calls the running number over all packets.
    twcc_ids: Vec<Option<u8>>,
    /// The codecs of each part about which its client says what it thinks its road bears.
    remb: Vec<Vec<u8>>,
}

impl Offer {
    /// The slots the client takes, and what it calls the running number there.
    pub fn taken(&self) -> impl Iterator<Item = (usize, &Part, Option<u8>)> {
        let parts = self.slots.iter().zip(&self.offered.parts);
        let parts = parts.zip(&self.twcc_ids);
        parts.filter_map(|((slot, part), twcc_id)| Some(((*slot)?, part, *twcc_id)))
    }

    /// How many sounds it plays.
    pub fn ears(&self) -> usize {
        let sounds = self.taken().filter(|(slot, ..)| *slot >= VIDEO_SLOTS);
        sounds.count()
    }
}

pub fn read(text: &str) -> Result<Offer, EngineError> {
    let offered = sdp::read(text)?;
    let (mut slots, mut ears) = (vec![], 0);
    for part in &offered.parts {
        let slot = match part.kind.as_str() {
            _ if !part.is_open || !part.receives || !part.names.is_any() => None,
            "video" => Some(PROGRAMME_SLOT).filter(|slot| !slots.contains(&Some(*slot))),
            _ => Some(VIDEO_SLOTS + ears).filter(|_| ears < AUDIO_SLOTS),
        };
        ears += usize::from(slot.is_some_and(|slot| slot >= VIDEO_SLOTS));
        slots.push(slot);
    }
    let parts = || sdp::parts(text).zip(&offered.parts);
    let twcc_id = |(text, part): (&str, &Part)| sdp::twcc_id(text, part.names);
    let offer = Offer {
        twcc_ids: parts().map(twcc_id).collect(),
        remb: parts().map(remb).collect(),
        offered,
        slots,
    };
    if offer.taken().next().is_none() {
        return Err(EngineError::Sdp(
            "it takes neither a picture in VP8 or H.264 nor a sound in Opus",
        ));
    }
    Ok(offer)
}

/// Who sends: a player hears and sees one programme.
pub fn cname(_: usize) -> String {
    "programme".to_owned()
}

/// What a client thinks of its road is asked for only where it does not tell what arrives when.
fn remb((text, part): (&str, &Part)) -> Vec<u8> {
    let Names { opus, vp8, h264 } = part.names;
    let names = [opus, vp8, h264].into_iter().flatten();
    let mut remb: Vec<u8> = names
        .filter(|pt| sdp::offers(text, *pt, "goog-remb"))
        .collect();
    if sdp::twcc_id(text, part.names).is_some() {
        remb.clear();
    }
    remb
}

/// The answer: part by part what the client gets.
pub fn write(offer: &Offer, ours: &Ours<'_>) -> String {
    let own = |((slot, twcc), remb): ((&Option<usize>, &Option<u8>), &Vec<u8>)| {
        let slot = (*slot)?;
        let remb: String = remb
            .iter()
            .map(|pt| format!("a=rtcp-fb:{pt} goog-remb\r\n"))
            .collect();
        let ssrc = ssrc_of(slot);
        let twcc = twcc.map(|id| format!("a=extmap:{id} {TWCC_URI}\r\n"));
        let twcc = twcc.unwrap_or_default();
        let cname = cname(slot);
        Some(format!(
            "a=sendonly\r\n{twcc}{remb}a=msid:programme track-{slot}\r\na=ssrc:{ssrc} cname:{cname}\r\n"
        ))
    };
    let parts = offer.slots.iter().zip(&offer.twcc_ids).zip(&offer.remb);
    let own: Vec<_> = parts.map(own).collect();
    sdp::answer(&offer.offered, &own, ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Addresses;
    use crate::engine::wire::tests::provider;
    use crate::engine::wire::{Fingerprint, Ice, Role};

    const HEAD: &str = "v=0\r\na=group:BUNDLE 0 1 2 3 4 5 a b\r\na=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:\
        10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\na=setup:actpass\r\na=ice-ufrag:them\r\na=ice-pwd:their password\r\n";

    fn audio(mid: &str) -> String {
        format!(
            "m=audio 9 UDP/TLS/RTP/SAVPF 96 8\r\na=mid:{mid}\r\na=rtcp-mux\r\na=recvonly\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:8 PCMA/8000\r\n"
        )
    }

    fn video(mid: &str) -> String {
        format!(
            "m=video 9 UDP/TLS/RTP/SAVPF 97 98\r\na=mid:{mid}\r\na=rtcp-mux\r\na=recvonly\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=0;profile-level-id=42e01f\r\na=rtpmap:98 VP8/90000\r\n\
             a=rtcp-fb:98 nack\r\na=rtcp-fb:* ccm fir\r\na=rtcp-fb:98 goog-remb\r\na=rtcp-fb:98 transport-cc\r\na=extmap:3 {TWCC_URI}\r\n"
        )
    }

    fn answered(offer: &Offer) -> String {
        let ice = Ice::new(provider()).unwrap();
        let addresses = Addresses(vec!["192.0.2.1:7881".parse().unwrap()]);
        let ours = Ours {
            ice: &ice,
            fingerprint: Fingerprint([0xab; 32]),
            addresses: &addresses,
            session: 7,
        };
        write(offer, &ours)
    }

    #[test]
    fn a_player_gets_the_programme_by_its_own_numbers() {
        let offer = read(&[HEAD, &audio("0"), &video("1")].concat()).unwrap();
        let taken: Vec<_> = offer
            .taken()
            .map(|(slot, part, twcc_id)| (slot, part.names, twcc_id))
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
        assert_eq!(
            taken,
            [
                (VIDEO_SLOTS, sound, None),
                (PROGRAMME_SLOT, picture, Some(3))
            ],
            "the running number only where it was offered"
        );
        assert_eq!((offer.ears(), offer.offered.role), (1, Role::Server));
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
    fn who_tells_no_arrivals_is_asked_what_it_thinks_of_its_road() {
        let without = video("1").replace(&format!("a=extmap:3 {TWCC_URI}\r\n"), "");
        let answer = answered(&read(&[HEAD, &audio("0"), &without].concat()).unwrap());
        assert_eq!(answer.matches("a=rtcp-fb:98 goog-remb\r\n").count(), 1);
        assert_eq!(
            answer.matches("remb").count(),
            1,
            "only where it was offered"
        );
    }

    #[test]
    fn who_names_the_running_number_and_tells_no_arrivals_gets_none() {
        for tells_of in ["97", "99"] {
            let other = format!("a=rtcp-fb:{tells_of} transport-cc");
            let video = video("1").replace("a=rtcp-fb:98 transport-cc", &other);
            let offer = read(&[HEAD, &audio("0"), &video].concat()).unwrap();
            assert!(offer.taken().all(|(.., twcc_id)| twcc_id.is_none()));
            let answer = answered(&offer);
            assert!(!answer.contains(TWCC_URI));
            assert_eq!(answer.matches("a=rtcp-fb:98 goog-remb\r\n").count(), 1);
        }
        let all = video("1").replace("a=rtcp-fb:98 transport-cc", "a=rtcp-fb:* transport-cc");
        let offer = read(&[HEAD, &all].concat()).unwrap();
        assert!(offer.taken().all(|(.., twcc_id)| twcc_id == Some(3)));
    }

    #[test]
    fn a_picture_may_be_h264_of_the_kind_that_everybody_reads() {
        let both = video("1").replace("packetization-mode=0", "packetization-mode=1");
        let offer = read(&[HEAD, &both].concat()).unwrap();
        let answer = answered(&offer);
        assert!(answer.contains("m=video 9 UDP/TLS/RTP/SAVPF 98 97\r\n"));
        assert!(answer.contains(
            "a=fmtp:97 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
        ));
    }

    #[test]
    fn a_part_without_a_port_of_its_own_is_taken_if_it_has_that_of_the_bundle() {
        let without = video("1").replace("m=video 9", "m=video 0");
        assert!(read(&[HEAD, &without].concat()).is_err());
        let bundled = without + "a=bundle-only\r\n";
        let offer = read(&[HEAD, &audio("0"), &bundled].concat()).unwrap();
        assert_eq!(offer.taken().count(), 2);
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
            [HEAD, &audio("0"), &"\n".repeat(30_000)].concat(),
        ] {
            assert!(read(&bad).is_err(), "{bad}");
        }
    }
}
