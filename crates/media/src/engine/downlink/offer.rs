//! The words of a downlink: our offer with its fixed slots, and what we read in the client's answer.

use super::{Names, SLOTS, VIDEO_SLOTS, ssrc_of};
use crate::engine::sdp::{self, OPUS_FMTP, Ours, TWCC_URI, write_candidates, write_head};
use crate::engine::wire::{Fingerprint, Role};
use crate::engine::{
    EngineError, H264_FMTP, H264_PAYLOAD_TYPE, OPUS_PAYLOAD_TYPE, VP8_PAYLOAD_TYPE,
};
use std::fmt::{self, Write};

const TWCC_ID: u8 = 5;

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub ufrag: String,
    pub password: String,
    pub fingerprint: Fingerprint,
    /// Ours in the handshake.
    pub role: Role,
    /// What the client takes in each slot, and what it calls the running number over all packets there.
    pub slots: [(Names, Option<u8>); SLOTS],
}

/// The offer: one bundle, a slot an m-line, nothing the client could choose but whether it takes a slot.
pub fn write(ours: &Ours<'_>) -> String {
    let mut sdp = String::with_capacity(16 * 1024);
    // Writing to a string cannot fail.
    let _ = write_to(&mut sdp, ours);
    sdp
}

pub fn read(answer: &str) -> Result<Answer, EngineError> {
    sdp::check_text(answer)?;
    let missing = |what| EngineError::Sdp(what);
    let ufrag = sdp::ufrag(answer).ok_or(missing("it has no ICE user name"))?;
    let password = sdp::password(answer).ok_or(missing("it has no ICE password"))?;
    let fingerprint = sdp::fingerprint(answer).ok_or(missing("it has no SHA-256 fingerprint"))?;
    let role = match sdp::setup(answer) {
        Some("active") => Role::Server,
        Some("passive") => Role::Client,
        Some(_) | None => return Err(missing("it takes no side of the handshake")),
    };
    let mut slots = [(Names::default(), None); SLOTS];
    let mut sections = 0;
    for (slot, part) in sdp::parts(answer).enumerate() {
        let taken = slots
            .get_mut(slot)
            .ok_or(missing("it has too many parts"))?;
        let line = part.lines().next().unwrap_or_default();
        let names = accepted(line, names_of(slot));
        *taken = (names, sdp::twcc_id(part, names));
        sections += 1;
    }
    if sections != SLOTS {
        return Err(missing("it leaves out parts of the offer"));
    }
    if !slots.iter().any(|(names, _)| names.is_any()) {
        return Err(missing("it takes nothing that was offered"));
    }
    Ok(Answer {
        ufrag: ufrag.to_owned(),
        password: password.to_owned(),
        fingerprint,
        role,
        slots,
    })
}

/// What we call the codecs of a slot.
pub fn names_of(slot: usize) -> Names {
    match slot < VIDEO_SLOTS {
        true => Names {
            vp8: Some(VP8_PAYLOAD_TYPE),
            h264: Some(H264_PAYLOAD_TYPE),
            ..Names::default()
        },
        false => Names {
            opus: Some(OPUS_PAYLOAD_TYPE),
            ..Names::default()
        },
    }
}

/// Who sends a slot, as the offer and every report say.
pub fn cname(slot: usize) -> String {
    format!("slot-{slot}")
}

/// Those of the offered codecs that an m-line with a port names.
fn accepted(line: &str, offered: Names) -> Names {
    let mut words = line.split_whitespace();
    let is_off = words.nth(1).unwrap_or("0") == "0";
    let named: Vec<u8> = words.skip(1).filter_map(|word| word.parse().ok()).collect();
    let taken = |name: Option<u8>| name.filter(|name| !is_off && named.contains(name));
    Names {
        opus: taken(offered.opus),
        vp8: taken(offered.vp8),
        h264: taken(offered.h264),
    }
}

fn write_to(sdp: &mut String, ours: &Ours<'_>) -> fmt::Result {
    let mids: Vec<String> = (0..SLOTS).map(|slot| slot.to_string()).collect();
    write_head(sdp, &mids, ours.fingerprint, ours.session)?;
    for slot in 0..SLOTS {
        write_slot(sdp, slot, ours)?;
    }
    Ok(())
}

fn write_slot(sdp: &mut String, slot: usize, ours: &Ours<'_>) -> fmt::Result {
    let is_video = slot < VIDEO_SLOTS;
    let ssrc = ssrc_of(slot);
    let (ufrag, password) = (ours.ice.ufrag(), ours.ice.password());
    match is_video {
        true => write!(
            sdp,
            "m=video 9 UDP/TLS/RTP/SAVPF {VP8_PAYLOAD_TYPE} {H264_PAYLOAD_TYPE}\r\n"
        )?,
        false => write!(sdp, "m=audio 9 UDP/TLS/RTP/SAVPF {OPUS_PAYLOAD_TYPE}\r\n")?,
    }
    write!(
        sdp,
        "c=IN IP4 0.0.0.0\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n\
         a=setup:actpass\r\na=mid:{slot}\r\na=sendonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n\
         a=extmap:{TWCC_ID} {TWCC_URI}\r\n"
    )?;
    match is_video {
        true => {
            write_picture(sdp, VP8_PAYLOAD_TYPE, "VP8")?;
            write_picture(sdp, H264_PAYLOAD_TYPE, "H264")?;
            write!(sdp, "a=fmtp:{H264_PAYLOAD_TYPE} {H264_FMTP}\r\n")?;
        }
        false => write!(
            sdp,
            "a=rtpmap:{OPUS_PAYLOAD_TYPE} opus/48000/2\r\na=fmtp:{OPUS_PAYLOAD_TYPE} {OPUS_FMTP}\r\n\
             a=rtcp-fb:{OPUS_PAYLOAD_TYPE} transport-cc\r\n"
        )?,
    }
    write!(
        sdp,
        "a=msid:slot-{slot} track-{slot}\r\na=ssrc:{ssrc} cname:{}\r\n\
         a=ssrc:{ssrc} msid:slot-{slot} track-{slot}\r\n",
        cname(slot)
    )?;
    if slot == 0 {
        write_candidates(sdp, ours.addresses)?;
    }
    Ok(())
}

fn write_picture(sdp: &mut String, pt: u8, codec: &str) -> fmt::Result {
    write!(
        sdp,
        "a=rtpmap:{pt} {codec}/90000\r\na=rtcp-fb:{pt} ccm fir\r\na=rtcp-fb:{pt} nack\r\na=rtcp-fb:{pt} nack pli\r\n\
         a=rtcp-fb:{pt} transport-cc\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Addresses;
    use crate::engine::wire::Ice;
    use crate::engine::wire::tests::provider;

    fn answer() -> String {
        let mut answer = String::from(
            "v=0\r\na=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:\
             19:1A:1B:1C:1D:1E:1f\r\n",
        );
        for slot in 0..SLOTS {
            let (kind, pt) = if slot < VIDEO_SLOTS {
                ("video", 96)
            } else {
                ("audio", 111)
            };
            answer += &format!(
                "m={kind} 9 UDP/TLS/RTP/SAVPF {pt}\r\na=ice-ufrag:them\r\na=ice-pwd:their password\r\na=setup:active\r\na=extmap:5 {TWCC_URI}\r\n\
                 a=rtcp-fb:{pt} transport-cc\r\n"
            );
        }
        answer
    }

    #[test]
    fn an_answer_is_read() {
        let read = read(&answer()).unwrap();
        assert_eq!((read.ufrag.as_str(), read.role), ("them", Role::Server));
        assert_eq!(
            read.fingerprint,
            Fingerprint(std::array::from_fn(|n| n as u8))
        );
        assert!(
            read.slots
                .iter()
                .all(|(names, twcc)| names.is_any() && names.h264.is_none() && *twcc == Some(5))
        );
        let both = super::read(&answer().replace("SAVPF 96", "SAVPF 96 102")).unwrap();
        assert_eq!(
            both.slots,
            std::array::from_fn(|slot| (names_of(slot), Some(5)))
        );
    }

    #[test]
    fn a_refused_slot_is_left_out_and_the_others_go_on() {
        let refused = answer().replacen("m=video 9", "m=video 0", 1);
        let taken = |answer: &str| read(answer).unwrap().slots.map(|(names, _)| names.is_any());
        let mut slots = [true; SLOTS];
        slots[0] = false;
        assert_eq!(taken(&refused), slots);
        let other_codec = answer().replacen("SAVPF 96", "SAVPF 97", 1);
        assert_eq!(taken(&other_codec), slots);
        let named = |text: &str| read(text).unwrap().slots.map(|(_, twcc)| twcc);
        assert_eq!(
            named(&answer().replace("extmap:5", "extmap:6")),
            [Some(6); SLOTS]
        );
        assert_eq!(
            named(&answer().replace("extmap:5", "extmap:300")),
            [None; SLOTS]
        );
        // One part goes without it: its packets bear none.
        let mut without = [Some(5); SLOTS];
        without[0] = None;
        let first = format!("a=extmap:5 {TWCC_URI}\r\n");
        assert_eq!(named(&answer().replacen(&first, "", 1)), without);
        // Nor does one of which the client does not tell when its packets arrive.
        let tells = "a=rtcp-fb:96 transport-cc\r\n";
        assert_eq!(named(&answer().replacen(tells, "", 1)), without);
    }

    #[test]
    fn what_is_no_answer_is_refused_with_a_reason() {
        for bad in [
            "v=0\r\nnonsense".to_owned(),
            answer().replace("ice-ufrag", "ice-nothing"),
            answer().replace("ice-pwd", "ice-nothing"),
            answer().replace("sha-256", "md5"),
            answer().replace("00:01", "00:0x"),
            answer().replace("setup:active", "setup:holdconn"),
            answer().replace(" 9 ", " 0 "),
            answer() + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
            answer()[..600].to_owned(),
            answer() + &"\n".repeat(30_000),
        ] {
            assert!(read(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_offer_names_every_slot_once() {
        let ice = Ice::new(provider()).unwrap();
        let addresses = Addresses(vec![
            "192.0.2.1:7881".parse().unwrap(),
            "[2001:db8::1]:7881".parse().unwrap(),
        ]);
        let offer = write(&Ours {
            ice: &ice,
            fingerprint: Fingerprint([0xab; 32]),
            addresses: &addresses,
            session: u64::MAX,
        });
        assert_eq!(sdp::ufrag(&offer), Some(ice.ufrag()));
        assert_eq!(sdp::fingerprint(&offer), Some(Fingerprint([0xab; 32])));
        assert_eq!(sdp::sections(&offer).count(), SLOTS);
        assert_eq!(offer.matches(" typ host").count(), 2);
        for slot in 0..SLOTS {
            assert_eq!(offer.matches(&format!("a=mid:{slot}\r\n")).count(), 1);
            assert_eq!(
                offer
                    .matches(&format!("a=ssrc:{} cname", ssrc_of(slot)))
                    .count(),
                1
            );
        }
        assert!(offer.len() < sdp::SDP_MAX_BYTES);
    }
}
