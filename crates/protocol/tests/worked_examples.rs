//! PROTOCOL.md tells the truth: its frames are read, its example is replayed, and nothing of the protocol is missing.
//!
//! `UPDATE=1 cargo test -p diemcau-protocol --test worked_examples` writes the answers of the example anew.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "../../conference/tests/support/mod.rs"]
mod support;

use diemcau_protocol::{
    ClientCommand, ClientFrame, ServerFrame, Slice, Viewer, command, decode, facts, touches,
    typescript,
};
use serde_json::Value;
use std::{collections::BTreeSet, env, fs};
use support::{
    chance::{Tally, asked, begin, runs, take},
    room::{Room, actor, setup},
};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/PROTOCOL.md");

#[test]
fn the_frames_of_a_client_are_read() {
    let frames: Vec<ClientFrame> = blocks()
        .into_iter()
        .filter(|(mark, _)| mark == "client" || mark.starts_with("said "))
        .map(|(_, text)| decode(&text).unwrap_or_else(|bad| panic!("{bad}: {text}")))
        .collect();
    let shown: BTreeSet<String> = frames.iter().map(tag).collect();
    let all: BTreeSet<String> = names("ClientFrame").into_iter().collect();
    assert_eq!(shown, all, "an example of each");
}

#[test]
fn the_frames_of_the_server_are_written_just_so() {
    for (_, text) in blocks().iter().filter(|(mark, _)| mark == "server") {
        let frame: ServerFrame = serde_json::from_str(text).unwrap();
        let written: Value = serde_json::to_value(frame).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(text).unwrap());
    }
}

#[test]
fn the_example_happens_as_told() {
    let told = fs::read_to_string(PATH).unwrap();
    let played = play(&told);
    if env::var_os("UPDATE").is_some() {
        fs::write(PATH, played).unwrap();
        return;
    }
    assert!(
        told == played,
        "the example is stale; write it anew with: UPDATE=1 cargo test -p diemcau-protocol --test worked_examples"
    );
}

#[test]
fn every_name_is_explained() {
    let told = fs::read_to_string(PATH).unwrap();
    for of in [
        "ClientFrame",
        "ClientCommand",
        "ServerFrame",
        "Fact",
        "Refusal",
        "ErrorWhy",
        "SpeechType",
        "CommentKind",
        "Layout",
        "PromptKind",
        "Waiting",
        "Readiness",
        "CallEnd",
    ] {
        let names = names(of);
        assert!(names.len() > 1, "no names of {of} were found");
        for name in names {
            assert!(told.contains(&format!("`{name}`")), "{of}: {name}");
        }
    }
}

#[test]
fn every_refusal_a_command_meets_stands_in_its_row() {
    let told = fs::read_to_string(PATH).unwrap();
    let seen = Tally::default();
    runs(|item, steps| {
        let mut room = begin(item);
        for step in steps {
            if let Some((actor, command)) = asked(&room, *step)
                && let Err(why) = room.live.decide(&actor, &command, room.now)
            {
                let why = serde_json::to_value(why).unwrap();
                let command = format!("{command:?}");
                let command = snake(command.split_whitespace().next().unwrap());
                seen.saw(format!("{command} {}", why.as_str().unwrap()));
            }
            take(&mut room, *step);
        }
    });
    assert!(seen.names().len() > 30, "{:?}", seen.names());
    for met in seen.names() {
        let (command, why) = met.split_once(' ').unwrap();
        let row = told
            .lines()
            .find(|line| line.starts_with(&format!("| `{command}` |")));
        let row = row.unwrap_or_else(|| panic!("no row for {command}"));
        // Said of all commands at once, above the table.
        let of_all = ["not_allowed", "deputy_presides", "not_presiding"];
        let known = of_all.contains(&why) || row.contains(&format!("`{why}`"));
        assert!(known, "{command} may be refused with {why}");
    }
}

/// The document with what is heard and answered written in.
fn play(told: &str) -> String {
    let mut room = Room::linked(setup());
    let mut slices = BTreeSet::new();
    let mut answer = None;
    let mut played = String::new();
    let mut lines = told.lines();
    while let Some(line) = lines.next() {
        played.push_str(line);
        played.push('\n');
        let Some(mark) = line.strip_prefix("```json ") else {
            continue;
        };
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let mut text = text.join("\n");
        if let Some(name) = mark.strip_prefix("said ") {
            let ClientFrame::Command { id, command } = decode(&text).unwrap() else {
                panic!("only commands are said: {text}");
            };
            (answer, slices) = say(&mut room, name, id, command);
        } else if let Some(name) = mark.strip_prefix("heard ") {
            let facts = facts(&room.live, &slices, viewer(name));
            let (seq, now) = (room.live.seq(), room.now);
            text = pretty(&ServerFrame::Facts { seq, now, facts });
        } else if mark == "answered" {
            text = pretty(answer.as_ref().unwrap());
        }
        played.push_str(&format!("{text}\n```\n"));
    }
    played
}

fn say(
    room: &mut Room,
    name: &str,
    id: String,
    asked: ClientCommand,
) -> (Option<ServerFrame>, BTreeSet<Slice>) {
    room.wait_until(room.now.plus(10_000));
    match room.ask(&actor(name).unwrap(), &command(asked)) {
        Ok(events) => {
            let seq = room.live.seq();
            let touched = events.iter().flat_map(touches).collect();
            (Some(ServerFrame::Ok { id, seq }), touched)
        }
        Err(why) => {
            let text = why.to_string();
            let refused = ServerFrame::Refused { id, why, text };
            (Some(refused), BTreeSet::new())
        }
    }
}

fn pretty(frame: &ServerFrame) -> String {
    serde_json::to_string_pretty(frame).unwrap()
}

fn viewer(name: &str) -> Viewer {
    match name {
        "public" => Viewer::Public,
        name => {
            let actor = actor(name).unwrap();
            Viewer::of(actor.role, actor.site)
        }
    }
}

/// The marked JSON blocks of the document.
fn blocks() -> Vec<(String, String)> {
    let told = fs::read_to_string(PATH).unwrap();
    let parts = told.split("```json ").skip(1);
    let block = |part: &str| {
        let (mark, rest) = part.split_once('\n').unwrap();
        let text = rest.split("```").next().unwrap();
        (mark.to_owned(), text.to_owned())
    };
    parts.map(block).collect()
}

/// The names of a type's cases, from the types written for the browser.
fn names(of: &str) -> Vec<String> {
    let types = typescript();
    let start = types.find(&format!("type {of} =")).unwrap();
    let declared = types[start..].split("\nexport").next().unwrap();
    let tags = ["\"type\": \"", "\"kind\": \""];
    let tagged: Vec<String> = tags
        .into_iter()
        .flat_map(|tag| declared.split(tag).skip(1))
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    if !tagged.is_empty() {
        return tagged;
    }
    let quoted = declared.split('"').skip(1).step_by(2);
    quoted
        .filter(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        .map(str::to_owned)
        .collect()
}

fn tag(frame: &ClientFrame) -> String {
    let written = serde_json::to_value(frame).unwrap();
    written["type"].as_str().unwrap().to_owned()
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
