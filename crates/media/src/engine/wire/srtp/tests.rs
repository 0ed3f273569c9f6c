//! Both profiles against another implementation.

use super::*;
use crate::engine::wire::tests::provider;
use rtc::srtp::context::Context;
use rtc::srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc::srtp::protection_profile::ProtectionProfile;

pub const BOTH: [Profile; 2] = [Profile::Gcm, Profile::Cm];

fn material(profile: Profile) -> Vec<u8> {
    let bytes = 0..profile.material_bytes();
    bytes.map(|place| place as u8 ^ 0x5a).collect()
}

/// The library's own reading of what our server side sends, and its writing of what a client sends.
pub fn library(profile: Profile) -> (Context, Context) {
    let (theirs, salt) = match profile {
        Profile::Gcm => (ProtectionProfile::AeadAes128Gcm, 12),
        Profile::Cm => (ProtectionProfile::Aes128CmHmacSha1_80, 14),
    };
    let material = material(profile);
    let context = |key: usize, from: usize| {
        Context::new(
            &material[key..key + 16],
            &material[from..from + salt],
            theirs,
            Some(srtp_replay_protection(64)),
            Some(srtcp_replay_protection(64)),
            provider().crypto(),
        )
        .unwrap()
    };
    (context(16, 32 + salt), context(0, 32))
}

pub fn ours(profile: Profile) -> (Sealer, Opener) {
    contexts(profile, &material(profile), false, provider().crypto()).unwrap()
}

#[test]
fn keys_of_another_length_are_none() {
    for profile in BOTH {
        for bytes in (0..100).filter(|bytes| *bytes != profile.material_bytes()) {
            let made = contexts(profile, &vec![7; bytes], false, provider().crypto());
            assert!(made.is_err(), "{bytes} bytes");
        }
    }
}

#[test]
fn another_implementation_reads_our_packets_also_past_the_rollover() {
    for profile in BOTH {
        let (mut reads, _) = library(profile);
        let (mut sealer, _) = ours(profile);
        for (seq, rollover) in [(65_534_u16, 0), (65_535, 0), (0, 1), (1, 1)] {
            let mut packet = vec![0x80, 96];
            packet.extend(seq.to_be_bytes());
            packet.extend([0, 0, 0, 9, 1, 2, 3, 4]);
            packet.extend(b"a picture of more than one block");
            let plain = packet.clone();
            packet.resize(plain.len() + profile.tag_bytes(), 0);
            sealer.seal_rtp(&mut packet, 12, rollover).unwrap();
            assert_ne!(packet[12..plain.len()], plain[12..]);
            assert_eq!(reads.decrypt_rtp(&packet).unwrap()[..], plain);
        }
        let mut short = vec![0; 12 + profile.tag_bytes() - 1];
        assert!(sealer.seal_rtp(&mut short, 12, 0).is_err());
        assert!(sealer.seal_rtcp(&mut vec![0; 7]).is_err());
    }
}

#[test]
fn rtcp_goes_both_ways_and_a_repeated_or_changed_packet_is_refused() {
    for profile in BOTH {
        let (mut reads, mut writes) = library(profile);
        let (mut sealer, mut opener) = ours(profile);
        let report = [0x80, 201, 0, 2, 0, 0, 0, 7, 1, 2, 3, 4];

        for _ in 0..2 {
            let mut packet = report.to_vec();
            sealer.seal_rtcp(&mut packet).unwrap();
            assert_ne!(packet[8..12], report[8..]);
            assert_eq!(reads.decrypt_rtcp(&packet).unwrap()[..], report);
        }

        let (first, second) = (
            writes.encrypt_rtcp(&report).unwrap(),
            writes.encrypt_rtcp(&report).unwrap(),
        );
        let mut open = |packet: &[u8]| {
            let mut packet = packet.to_vec();
            let opened = opener.open_rtcp(&mut packet)?;
            packet.truncate(packet.len() - profile.rtcp_tail_bytes());
            Some((packet, opened.is_newest))
        };
        assert_eq!(open(&second), Some((report.to_vec(), true)));
        assert_eq!(
            open(&first),
            Some((report.to_vec(), false)),
            "a little late"
        );
        assert_eq!(open(&first), None, "repeated");
        for place in 0..first.len() {
            for bit in 0..8 {
                let mut changed = writes.encrypt_rtcp(&report).unwrap();
                changed[place] ^= 1 << bit;
                assert_eq!(open(&changed), None, "bit {bit} of {place}");
            }
        }
        for length in 0..first.len() {
            assert_eq!(open(&first[..length]), None);
        }
    }
}
