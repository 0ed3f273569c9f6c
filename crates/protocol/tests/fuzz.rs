//! Frames that no client writes, and what they would do to a conference.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "../../conference/tests/support/mod.rs"]
mod support;

use diemcau_conference::{Actor, Conference, Event, Signal};
use diemcau_fuzz::{Fuzz, outcome};
use diemcau_model::{EndpointKind, Millis, SiteId};
use diemcau_protocol::{
    BadFrame, ClientCommand, ClientFrame, View, Viewer, command, decode, facts, id_of, touches,
    view,
};
use std::{collections::BTreeSet, str};
use support::room::{BEGIN, actor, people, setup};

const WORDS: &[&str] = &[
    "\"type\":",
    "\"id\":",
    "\"command\":",
    "null",
    "true",
    "\"turn\":1",
    "\"item\":5",
    "\\u0000",
    "\\ud800",
    "e\u{301}",
    "1e400",
    "-1",
    "[[[[",
    "{\"type\":",
];

#[test]
fn fuzz_client_frame() {
    let fuzz = Fuzz {
        name: "client_frame",
        corpus: "tests/corpus/client_frame",
        words: WORDS,
        inputs: 100_000,
        longest: 4_096,
    };
    fuzz.run(|input| {
        let Ok(text) = str::from_utf8(input) else {
            return 0;
        };
        let id = id_of(text);
        let fits = |id: &String| (1..=64).contains(&id.len()) && id.is_ascii();
        assert!(id.as_ref().is_none_or(fits), "{id:?}");
        match decode(text) {
            Ok(frame) => {
                // What was understood can be said again, and is understood as the same.
                let again = decode(&serde_json::to_string(&frame).unwrap()).unwrap();
                let is_number = matches!(frame, ClientFrame::Ping { .. });
                assert!(is_number || again == frame, "{frame:?} became {again:?}");
                outcome(shape(&format!("{frame:?}")))
            }
            Err(BadFrame::TooDeep) => 1,
            Err(BadFrame::BadId) => 2,
            Err(BadFrame::Malformed(error)) => outcome(shape(&error.to_string())),
        }
    });
}

#[test]
fn fuzz_intake() {
    let fuzz = Fuzz {
        name: "intake",
        corpus: "tests/corpus/intake",
        words: &[
            "\"turn\":1",
            "\"turn\":2",
            "\"item\":3",
            "\"item\":11",
            "\"before\":null",
            "null",
            "\"site\":1",
            "\n0 1 {\"type\":\"undo\",\"turn\":1}\n",
            "\n+ 1 1\n",
            "\n- 1 1\n",
            "\n! 9 0\n",
            "\n0 900 {\"type\":\"take_chair\"}\n",
        ],
        inputs: 5_000,
        longest: 2_048,
    };
    let people: Vec<Actor> = people().into_iter().filter_map(actor).collect();
    fuzz.run(|input| {
        let mut stage = Stage::new();
        for line in String::from_utf8_lossy(input).lines().take(64) {
            stage.play(line, &people);
        }
        stage.check()
    });
}

/// A conference that takes lines: who, after how many seconds, what. `+` and `-` move a site's link, `!` starts the
/// server again.
struct Stage {
    live: Conference,
    journal: Vec<Event>,
    now: Millis,
    /// What two viewers have folded.
    shown: [(Viewer, View); 2],
}

impl Stage {
    fn new() -> Self {
        let mut live = Conference::default();
        let opened = Event::ConferenceOpened {
            setup: Box::new(setup()),
        };
        live.apply(&opened);
        let shown = [Viewer::Chair, Viewer::Site(SiteId(1))].map(|of| (of, view(&live, of)));
        let mut stage = Self {
            live,
            journal: vec![opened],
            now: BEGIN,
            shown,
        };
        for site in 0..4 {
            stage.signal(Signal::LinkUp {
                site: SiteId(site),
                kind: EndpointKind::Room,
            });
        }
        stage
    }

    fn play(&mut self, line: &str, people: &[Actor]) {
        let mut parts = line.splitn(3, ' ');
        let (who, first) = (parts.next().unwrap_or_default(), parts.next());
        let first: u64 = first.and_then(|part| part.parse().ok()).unwrap_or_default();
        let what = parts.next().unwrap_or_default();
        let site = SiteId(u16::try_from(first % 6).unwrap());
        let kind = EndpointKind::Room;
        match who {
            "+" => return self.signal(Signal::LinkUp { site, kind }),
            "-" => return self.signal(Signal::LinkDown { site, kind }),
            "!" => {
                let last_alive = self.now;
                self.now = self.now.plus(first.min(100_000));
                return self.signal(Signal::Restarted { last_alive });
            }
            _ => {}
        }
        let seat: usize = who.parse().unwrap_or_default();
        let Ok(asked) = serde_json::from_str::<ClientCommand>(what) else {
            return;
        };
        self.now = self.now.plus(first.min(100_000) * 1_000);
        self.pass_time();
        let by = people[seat % people.len()];
        let by = people
            .iter()
            .find(|one| one.seat.0 as usize == seat)
            .unwrap_or(&by);
        let before = self.live.clone();
        match self.live.decide(by, &command(asked), self.now) {
            Ok(events) => {
                assert!(!events.is_empty(), "done, and nothing has happened");
                self.happen(events);
            }
            Err(_) => assert!(self.live == before, "a refusal left something behind"),
        }
        self.pass_time();
    }

    fn signal(&mut self, signal: Signal) {
        let events = self.live.decide_signal(signal, self.now);
        self.happen(events);
        self.pass_time();
    }

    fn pass_time(&mut self) {
        for round in 0.. {
            let events = self.live.decide_time(self.now);
            if events.is_empty() {
                return;
            }
            assert!(round < 64, "time never comes to rest: {events:?}");
            self.happen(events);
        }
    }

    fn happen(&mut self, events: Vec<Event>) {
        let mut slices = BTreeSet::new();
        for event in &events {
            self.live.apply(event);
            slices.extend(touches(event));
        }
        for (of, shown) in &mut self.shown {
            shown.apply(&facts(&self.live, &slices, *of));
        }
        self.journal.extend(events);
    }

    /// Played again it is the same, and everybody sees it as whoever joins now.
    fn check(self) -> u64 {
        let mut replayed = Conference::default();
        for event in &self.journal {
            let written = serde_json::to_string(event).unwrap();
            let read: Event = serde_json::from_str(&written).unwrap();
            assert_eq!(read, *event);
            replayed.apply(&read);
        }
        assert!(replayed == self.live, "played again it is another");
        for (of, shown) in &self.shown {
            assert_eq!(*shown, view(&self.live, *of));
        }
        let stage = self.live.stage();
        let floor = self.live.floor();
        outcome((
            self.journal.len(),
            stage.heard.len(),
            floor.turns.len(),
            self.live.line().len(),
            stage.on_deck.len(),
        ))
    }
}

/// A text without what varies from input to input: letters only, and not many.
fn shape(text: &str) -> String {
    let letters = text.chars().filter(|letter| letter.is_ascii_alphabetic());
    letters.take(48).collect()
}
