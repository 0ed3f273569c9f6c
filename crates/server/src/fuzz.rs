//! Files that nobody meant.

use crate::{
    cli::Flags,
    conference_file::{self, Lock},
    settings::Settings,
};
use diemcau_conference::Conference;
use diemcau_fuzz::{Fuzz, outcome};
use std::fs;

#[test]
fn settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let fuzz = Fuzz {
        name: "settings",
        corpus: "corpus/settings",
        words: &[
            "listen = ",
            "media_port = ",
            "advertise = [",
            "\"",
            "\n",
            "[",
            "=",
            "'''",
            "nan",
            "1979-05-27",
        ],
        inputs: 3_000,
        longest: 4_096,
    };
    let flags = Flags {
        settings: Some(path.clone()),
        ..Flags::default()
    };
    fuzz.run(|input| {
        fs::write(&path, input).unwrap();
        match Settings::gather(&flags) {
            Ok(settings) => outcome((
                settings.lan,
                settings.listen.is_ipv6(),
                settings.names.len(),
            )),
            Err(error) => outcome(format!("{error:#}").len()),
        }
    });
}

#[test]
fn conference_file() {
    let fuzz = Fuzz {
        name: "conference_file",
        corpus: "corpus/conference_file",
        words: &[
            "[[sites]]\n",
            "[[seats]]\n",
            "[[agenda]]\n",
            "[[drafts]]\n",
            "[[drafts.paragraphs]]\n",
            "hall = true\n",
            "site = 1\n",
            "part_of = 1\n",
            "drafts = [1]\n",
            "microphones = 3\n",
            "queue = \"open\"\n",
            "starts = \"24:00\"\n",
        ],
        inputs: 100_000,
        longest: 4_096,
    };
    fuzz.run(|input| {
        let text = String::from_utf8_lossy(input);
        match conference_file::read(&text, |_, _| Lock::default()) {
            Ok(setup) => {
                // Whatever is taken, a conference begins with it.
                let mut conference = Conference::default();
                let setup = Box::new(setup);
                conference.apply(&diemcau_conference::Event::ConferenceOpened { setup });
                assert!(conference.setup().hall().is_some());
                let stage = conference.stage();
                outcome((stage.tiles.len(), conference.setup().seats.len()))
            }
            Err(error) => outcome(format!("{error:#}").len()),
        }
    });
}
