//! The few things we read in a session description, and what both directions say alike in theirs.

mod offered;

pub use offered::{
    OPUS_FMTP, Offered, Ours, Part, TWCC_URI, answer, offers, read, twcc_id, write_candidates,
    write_head,
};

use super::EngineError;
use super::wire::Fingerprint;

/// A longer description is refused before anything parses it. A browser's own has about 6 kB.
pub const SDP_MAX_BYTES: usize = 48 * 1024;
/// So is one of more lines, each of which is looked at dozens of times. A browser's offer has 170; its answer to ours 430.
const LINES_MAX: usize = 1_024;

/// Refuses what cannot be an uplink: one sound and one picture, nothing else.
pub fn check_uplink_offer(offer: &str) -> Result<(), EngineError> {
    check_text(offer)?;
    let sections = |kind: &str| lines(offer).filter(|line| line.starts_with(kind)).count();

    let (audio, video) = (sections("m=audio"), sections("m=video"));
    if audio > 1 || video > 1 || audio + video == 0 {
        return Err(EngineError::Sdp("an uplink is one sound and one picture"));
    }
    if sections("m=") != audio + video {
        return Err(EngineError::Sdp("an uplink carries sound and picture only"));
    }
    // A player's offer that went to the wrong address would take the place of a room that is seen and heard.
    let is_silent = |line: &str| matches!(line, "a=recvonly" | "a=inactive");
    if parts(offer).all(|part| lines(part).any(is_silent)) {
        return Err(EngineError::Sdp("an uplink sends, and this only receives"));
    }
    Ok(())
}

/// Refuses what cannot be a presentation: one picture in one size, and no sound, which comes from microphones alone.
pub fn check_presentation_offer(offer: &str) -> Result<(), EngineError> {
    check_text(offer)?;
    let mut kinds = sections(offer);
    let is_picture = kinds.next().is_some_and(|line| line.starts_with("m=video"));
    if !is_picture || kinds.next().is_some() || lines(offer).any(|line| line.starts_with("a=rid:"))
    {
        return Err(EngineError::Sdp(
            "a presentation is one picture in one size",
        ));
    }
    Ok(())
}

/// Refuses what no parser needs to see.
pub fn check_text(sdp: &str) -> Result<(), EngineError> {
    if sdp.len() > SDP_MAX_BYTES {
        return Err(EngineError::SdpTooLong);
    }
    if !sdp.starts_with("v=0") {
        return Err(EngineError::Sdp("it does not begin with v=0"));
    }
    if sdp.bytes().filter(|byte| *byte == b'\n').count() > LINES_MAX {
        return Err(EngineError::Sdp("it has more lines than any client writes"));
    }
    Ok(())
}

/// The user name fragment of a description.
pub fn ufrag(sdp: &str) -> Option<&str> {
    lines(sdp).find_map(|line| line.strip_prefix("a=ice-ufrag:"))
}

/// The password beside it.
pub fn password(sdp: &str) -> Option<&str> {
    lines(sdp).find_map(|line| line.strip_prefix("a=ice-pwd:"))
}

/// The SHA-256 of the certificate a description names.
pub fn fingerprint(sdp: &str) -> Option<Fingerprint> {
    let hex = lines(sdp).find_map(|line| {
        let (hash, hex) = line.strip_prefix("a=fingerprint:")?.split_once(' ')?;
        hash.eq_ignore_ascii_case("sha-256").then_some(hex)
    })?;
    let mut bytes = [0; 32];
    let mut parts = hex.trim().split(':');
    for byte in &mut bytes {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(Fingerprint(bytes))
}

/// The parts that share one way (RFC 8843).
pub fn bundle(sdp: &str) -> impl Iterator<Item = &str> {
    let group = lines(sdp).find_map(|line| line.strip_prefix("a=group:BUNDLE "));
    group.unwrap_or_default().split_whitespace()
}

/// Which side of the handshake a description takes.
pub fn setup(sdp: &str) -> Option<&str> {
    lines(sdp).find_map(|line| line.strip_prefix("a=setup:"))
}

/// The m-lines of a description, in order.
pub fn sections(sdp: &str) -> impl Iterator<Item = &str> {
    lines(sdp).filter(|line| line.starts_with("m="))
}

/// The parts of a description, each from its m-line to the next.
pub fn parts(sdp: &str) -> impl Iterator<Item = &str> {
    let begins = sdp
        .match_indices("m=")
        .map(|(at, _)| at)
        .filter(|at| *at == 0 || sdp.as_bytes().get(at - 1) == Some(&b'\n'));
    let begins: Vec<usize> = begins.collect();
    let ends: Vec<usize> = begins.iter().skip(1).copied().chain([sdp.len()]).collect();
    begins
        .into_iter()
        .zip(ends)
        .filter_map(|(from, to)| sdp.get(from..to))
}

/// The value of an attribute of a part.
pub fn attribute<'a>(part: &'a str, name: &str) -> Option<&'a str> {
    lines(part).find_map(|line| {
        line.strip_prefix("a=")?
            .strip_prefix(name)?
            .strip_prefix(':')
    })
}

/// The numbers a part, or all of a description, gives a codec.
pub fn payload_types<'a>(part: &'a str, codec: &'a str) -> impl Iterator<Item = u8> + 'a {
    lines(part).filter_map(move |line| {
        let (number, name) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
        let number = number.parse().ok().filter(|number| *number < 128)?;
        name.trim().eq_ignore_ascii_case(codec).then_some(number)
    })
}

/// Whether lost packets are sent again when they are asked for (RFC 4585, 4.2), of whichever codec.
pub fn sends_again(sdp: &str) -> bool {
    let feedback =
        |line: &str| Some(line.strip_prefix("a=rtcp-fb:")?.split_once(' ')?.1.trim() == "nack");
    lines(sdp).any(|line| feedback(line) == Some(true))
}

/// The number a header extension was negotiated to. None is 0, which is padding (RFC 8285, 4.2).
pub fn extension_id(sdp: &str, uri: &str) -> Option<u8> {
    lines(sdp).find_map(|line| {
        let (id, rest) = line.strip_prefix("a=extmap:")?.split_once(' ')?;
        if rest.split_whitespace().next() != Some(uri) {
            return None;
        }
        let id = id.split('/').next()?.parse().ok();
        id.filter(|id| *id > 0)
    })
}

/// The description with a candidate over TCP beside each over UDP: the client connects (RFC 6544, passive).
pub fn with_tcp(sdp: &str, port: u16) -> String {
    let mut with = String::with_capacity(sdp.len() + 256);
    let mut number = 0;
    for line in sdp.split_inclusive('\n') {
        with.push_str(line);
        let Some(ip) = udp_host(line) else { continue };
        let priority = tcp_priority(number);
        with.push_str(&format!(
            "a=candidate:tcp{number} 1 tcp {priority} {ip} {port} typ host tcptype passive\r\n"
        ));
        number += 1;
    }
    with
}

/// The address of a line that is a candidate over UDP.
fn udp_host(line: &str) -> Option<&str> {
    let mut words = line
        .strip_prefix("a=candidate:")?
        .split_whitespace()
        .skip(2);
    let is_udp = words.next()?.eq_ignore_ascii_case("udp");
    words.nth(1).filter(|_| is_udp)
}

/// Below every candidate over UDP, and the first address first (RFC 6544, section 4.2).
fn tcp_priority(number: u32) -> u32 {
    const HOST: u32 = 90;
    const PASSIVE: u32 = 2;
    let other = 8_191_u32.saturating_sub(number);
    HOST << 24 | (PASSIVE << 13 | other) << 8 | 255
}

fn lines(sdp: &str) -> impl Iterator<Item = &str> {
    sdp.lines().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uplink_is_one_sound_and_one_picture() {
        let offer = |lines: &str| check_uplink_offer(&format!("v=0\r\n{lines}"));
        assert!(offer("m=audio 9\r\nm=video 9\r\na=rid:q send\r\na=rid:f send\r\n").is_ok());
        assert!(offer("m=video 9\r\n").is_ok());
        assert!(offer("").is_err());
        assert!(offer("m=audio 9\r\nm=audio 9\r\n").is_err());
        assert!(offer("m=video 9\r\nm=application 9\r\n").is_err());
        assert!(offer("m=video 9\r\na=rid:huge send\r\n").is_ok());
        assert!(offer("m=audio 9\r\na=sendrecv\r\nm=video 9\r\na=inactive\r\n").is_ok());
        assert!(offer("m=audio 9\r\na=recvonly\r\nm=video 9\r\na=inactive\r\n").is_err());
        assert!(check_uplink_offer("hello").is_err());
        assert!(check_uplink_offer(&"v=0 ".repeat(SDP_MAX_BYTES)).is_err());
    }

    #[test]
    fn a_presentation_is_one_picture_in_one_size() {
        let offer = |lines: &str| check_presentation_offer(&format!("v=0\r\n{lines}"));
        assert!(offer("m=video 9\r\n").is_ok());
        assert!(offer("").is_err());
        assert!(offer("m=audio 9\r\n").is_err());
        assert!(offer("m=video 9\r\nm=audio 9\r\n").is_err());
        assert!(offer("m=video 9\r\na=rid:f send\r\n").is_err());
    }

    #[test]
    fn a_description_of_many_lines_is_not_read_whatever_stands_in_them() {
        let many = |good: &str| format!("{good}{}", "\n".repeat(30_000));
        let video = "v=0\r\nm=video 9\r\n";
        assert!(check_uplink_offer(video).is_ok() && check_uplink_offer(&many(video)).is_err());
        assert!(check_presentation_offer(&many(video)).is_err());
        assert!(check_text(&many("v=0")).is_err());
        let browsers = "v=0".to_owned() + &"\r\n".repeat(1_000);
        assert!(check_text(&browsers).is_ok());
    }

    #[test]
    fn each_candidate_over_udp_gets_one_over_tcp_that_comes_after_it() {
        let sdp = "m=audio 9\r\na=candidate:1 1 udp 2130706431 192.0.2.1 7881 typ host\r\n\
            a=candidate:2 1 UDP 2130706430 2001:db8::1 7881 typ host\r\na=end-of-candidates\r\n";
        let with = with_tcp(sdp, 443);
        let tcp: Vec<&str> = lines(&with)
            .filter(|line| line.ends_with("tcptype passive"))
            .collect();
        assert_eq!(tcp.len(), 2);
        assert!(tcp[0].contains(" 192.0.2.1 443 ") && tcp[1].contains(" 2001:db8::1 443 "));
        assert!(tcp_priority(0) > tcp_priority(1) && tcp_priority(0) < 2_130_706_430);
        let left: Vec<&str> = lines(&with).filter(|line| !tcp.contains(line)).collect();
        assert_eq!(left, lines(sdp).collect::<Vec<_>>());
    }

    #[test]
    fn reads_the_user_name_and_the_extension() {
        let sdp = "v=0\r\na=ice-ufrag:abc\r\na=extmap:4/recvonly urn:x\r\n";
        assert_eq!(ufrag(sdp), Some("abc"));
        assert_eq!(extension_id(sdp, "urn:x"), Some(4));
        assert_eq!(extension_id(sdp, "urn:y"), None);
    }
}
