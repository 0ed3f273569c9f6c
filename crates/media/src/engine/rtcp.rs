//! What every report begins and ends with (RFC 3550, 6.1): first what came or was sent, then who says it.

use super::{EngineError, refused_random};
use rtc::crypto::RTCCryptoProvider;

const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const CNAME: u8 = 1;

/// A name that nobody else in the world bears, for one connection (RFC 7022, 4.2).
pub fn random_cname(provider: &dyn RTCCryptoProvider) -> Result<String, EngineError> {
    let mut bytes = [0; 12];
    let drawn = provider.random().fill(&mut bytes);
    drawn.map_err(refused_random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A report about no stream (RFC 3550, 6.4.2): what else is said stands behind it where the other side reads only whole
/// ones.
pub fn empty_report(sender: u32) -> Vec<u8> {
    let mut packet = vec![0x80, RECEIVER_REPORT, 0, 1];
    packet.extend(sender.to_be_bytes());
    packet
}

/// Says who sends each of these streams, at most 31 (RFC 3550, 6.5).
pub fn push_names<N: AsRef<str>>(packet: &mut Vec<u8>, names: impl Iterator<Item = (u32, N)>) {
    let begin = packet.len();
    packet.extend([0x80, SOURCE_DESCRIPTION, 0, 0]);
    for (ssrc, name) in names {
        let name = name.as_ref().as_bytes();
        packet.extend(ssrc.to_be_bytes());
        packet.extend([CNAME, name.len() as u8]);
        packet.extend(name);
        // At least one zero ends it, and more fill its last word.
        let length = (packet.len() - begin + 1).next_multiple_of(4);
        packet.resize(begin + length, 0);
        packet[begin] += 1;
    }
    let words = (packet.len() - begin) / 4 - 1;
    packet[begin + 2..begin + 4].copy_from_slice(&(words as u16).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::wire::tests::provider;
    use rtc::rtcp::packet::unmarshal;
    use rtc::rtcp::source_description::{SdesType, SourceDescription};

    #[test]
    fn another_implementation_reads_who_sends() {
        for length in 0..9 {
            let name = "slot-12345"[..length].to_owned();
            let mut packet = empty_report(7);
            push_names(&mut packet, [(7, &*name), (9, "other")].into_iter());
            assert_eq!(packet.len() % 4, 0);
            let read = unmarshal(&mut &packet[..]).unwrap();
            assert_eq!(read.len(), 2);
            let names: &SourceDescription = read[1].as_any().downcast_ref().unwrap();
            let read = names.chunks.iter().map(|chunk| {
                let [item] = &chunk.items[..] else {
                    panic!("{chunk:?}")
                };
                assert_eq!(item.sdes_type, SdesType::SdesCname);
                (chunk.source, String::from_utf8_lossy(&item.text).into())
            });
            let read: Vec<(u32, String)> = read.collect();
            assert_eq!(read, [(7, name), (9, "other".to_owned())]);
        }
    }

    #[test]
    fn a_drawn_name_has_96_bits_and_is_another_each_time() {
        let provider = provider();
        let names = [(); 2].map(|()| random_cname(&*provider).unwrap());
        assert!(names.iter().all(|name| name.len() == 24) && names[0] != names[1]);
    }
}
