//! One run as each class of viewers heard it. The browser folds the same facts and must come to the same views
//! (`web/tests`).
//!
//! A stale file fails; `UPDATE=1 cargo test -p diemcau-protocol --test transcripts` writes them anew.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "../../conference/tests/support/mod.rs"]
mod support;

use diemcau_conference::Setup;
use diemcau_model::SiteId;
use diemcau_protocol::{Viewer, facts, touches, view};
use serde_json::{Value, json};
use std::{collections::BTreeSet, env, fs, path::PathBuf};
use support::{
    play::perform,
    room::{Room, setup},
};

const VIEWERS: [(&str, Viewer); 5] = [
    ("chair", Viewer::Chair),
    ("secretary", Viewer::Secretary),
    ("technician", Viewer::Technician),
    ("site", Viewer::Site(SiteId(1))),
    ("public", Viewer::Public),
];

const BYTES_MAX: usize = 600 * 1024;

/// Every kind of fact, and every way a comment comes, changes and goes.
const PLAY: &str = "
    00:00  chair       opens item 4
    00:10  Tháp Mười   requests
    00:11  Sa Đéc      requests
    00:15  chair       accepts 2
    00:16  chair       accepts 1
    00:19  chair       tells slower to Tháp Mười
    00:20  secretary   stages 1
    00:25  chair       grants next
    00:30  Tháp Mười   comments on 2 Đề nghị sửa
    00:31  Sa Đéc      comments on 1 Nhất trí
    00:35  secretary   holds comment 1
    00:36  secretary   holds comment 2
    00:40  Tháp Mười   room lost
    00:50  Tháp Mười   standby linked
    01:00  secretary   publishes comment 1
    01:05  Sa Đéc      withdraws comment 2
    01:10  chair       opens the microphone
    01:30  technician  expels seat 4
    01:31  secretary   knocks with device 1 as 4711
    01:32  secretary   knocks with device 2 as 4712
    04:00  chair       extends 1 by 1
    05:10  chair       grants next
    05:15  chair       undoes 2
    05:16  chair       denies 2 hết thời gian
    05:17  chair       ends 1
    05:18  chair       calls the roll
    05:19  Tháp Mười   reports 9 of 10 for Tháp Mười
    05:20  chair       ends the roll call
    05:21  chair       goes on after item 4
";

#[test]
fn the_transcripts_are_what_viewers_hear_now() {
    let files: Vec<(PathBuf, String)> = VIEWERS
        .into_iter()
        .map(|(name, viewer)| (path(name), written(&record(name, viewer))))
        .collect();
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    assert!(bytes <= BYTES_MAX, "{bytes} bytes: play a shorter play");
    let update = env::var_os("UPDATE").is_some();
    for (path, text) in files {
        if update {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            continue;
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        // Compared as values: the order of fields in the text depends on features other crates may ask for.
        let committed: Value = serde_json::from_str(&committed).unwrap_or_default();
        assert!(
            committed == serde_json::from_str::<Value>(&text).unwrap(),
            "{} is stale; write it anew with: UPDATE=1 cargo test -p diemcau-protocol --test transcripts",
            path.display()
        );
    }
}

#[test]
fn the_transcripts_tell_every_kind_of_fact() {
    let told =
        written(&record("chair", Viewer::Chair)) + &written(&record("public", Viewer::Public));
    for kind in [
        "sites",
        "agenda",
        "floor",
        "stage",
        "comment",
        "comment_gone",
        "seats",
        "attendance",
        "prompts",
        "speech",
        "speech_gone",
        "door",
    ] {
        assert!(told.contains(&format!("\"kind\":\"{kind}\"")), "{kind}");
    }
}

fn record(name: &str, viewer: Viewer) -> Value {
    let mut room = Room::linked(small());
    let first = room.decisions.len();
    let start = view(&room.live, viewer);
    perform(&mut room, PLAY, &mut vec![]);
    let mut steps = vec![];
    for decision in &room.decisions[first..] {
        let slices: BTreeSet<_> = decision.events.iter().flat_map(touches).collect();
        let facts = facts(&decision.after, &slices, viewer);
        if !facts.is_empty() {
            // What never changes is told once, at the start.
            let mut end = serde_json::to_value(view(&decision.after, viewer)).unwrap();
            end.as_object_mut().unwrap().remove("fixed");
            steps.push(json!({ "facts": facts, "end": end }));
        }
    }
    json!({ "viewer": name, "start": start, "steps": steps })
}

/// Three sites, two items and five seats: a view is written after every step.
fn small() -> Setup {
    let mut setup = setup();
    setup.sites.truncate(3);
    setup.agenda.drain(..3);
    setup.agenda.truncate(2);
    setup.seats.retain(|seat| seat.id.0 < 5);
    // The secretary's.
    setup.seats[2].bound = true;
    setup
}

/// One step a line, so that a change is seen as a change of lines.
fn written(record: &Value) -> String {
    let steps: Vec<String> = record["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(Value::to_string)
        .collect();
    format!(
        "{{\"viewer\":{},\n\"start\":{},\n\"steps\":[\n{}\n]}}\n",
        record["viewer"],
        record["start"],
        steps.join(",\n")
    )
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/transcripts/{name}.json"))
}
