//! Links that nobody handed out.

use crate::signalling::Link;
use diemcau_fuzz::{Fuzz, outcome};

#[test]
fn link() {
    let fuzz = Fuzz {
        name: "link",
        corpus: "corpus/link",
        words: &[
            "http://", "https://", "[", "]", ":", "@", "#", "/", "?", "65536",
        ],
        inputs: 100_000,
        longest: 256,
    };
    fuzz.run(|input| {
        let text = String::from_utf8_lossy(input);
        match text.parse::<Link>() {
            Ok(link) => {
                assert!(!link.host.is_empty() && !link.token.is_empty());
                let shown = format!("{link:?}");
                let told = shown.replace(&link.host, "");
                assert!(
                    link.token.len() < 8 || !told.contains(&link.token),
                    "{shown}"
                );
                outcome((link.tls, link.port == 0))
            }
            Err(error) => outcome(error.to_string()),
        }
    });
}
