//! Proofs that no device makes.

use crate::knock::held;
use diemcau_fuzz::{Fuzz, outcome};
use diemcau_protocol::DeviceProof;

/// A proof as a browser makes it: key, signature, challenge and token, a line each.
const GENUINE: &str = include_str!("../corpus/proof/genuine");

#[test]
fn proof() {
    let fuzz = Fuzz {
        name: "proof",
        corpus: "corpus/proof",
        words: &["\n", "=", "_", "-", "AAAA", "BAAA", "\u{0}", "ă"],
        inputs: 100_000,
        longest: 512,
    };
    let is_held = |text: &str| {
        let mut lines = text.splitn(4, '\n').map(str::to_owned);
        let mut line = || lines.next().unwrap_or_default();
        let (key, signature, challenge, token) = (line(), line(), line(), line());
        held(&DeviceProof { key, signature }, &challenge, &token).is_some()
    };
    assert!(is_held(GENUINE), "a genuine proof is one");
    fuzz.run(|input| {
        let text = String::from_utf8_lossy(input);
        let taken = is_held(&text);
        assert!(!taken || text == GENUINE, "a forgery was taken");
        outcome((taken, text.lines().next().map(str::len)))
    });
}
