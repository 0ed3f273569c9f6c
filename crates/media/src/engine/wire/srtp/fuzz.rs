//! Packets that nobody protected, as anybody may send them.

use super::tests::{BOTH, ours};
use crate::engine::wire::rtp::Header;
use diemcau_fuzz::{Fuzz, outcome};
use std::time::Instant;

/// Whatever it is, no profile takes it for genuine.
#[test]
fn srtp() {
    let fuzz = Fuzz {
        name: "srtp",
        corpus: "corpus/srtp",
        words: &["\u{0}\u{0}\u{0}\u{1}"],
        inputs: 100_000,
        longest: 256,
    };
    let now = Instant::now();
    let mut openers = BOTH.map(|profile| ours(profile).1);
    fuzz.run(|input| {
        let header = Header::read(input);
        for opener in &mut openers {
            let mut packet = input.to_vec();
            assert!(opener.open_rtcp(&mut packet).is_none());
            let mut packet = input.to_vec();
            let opened = header.map(|header| opener.open_rtp(&mut packet, &header, now));
            assert!(opened.flatten().is_none());
        }
        outcome((header.map(|header| header.length), input.len()))
    });
}
