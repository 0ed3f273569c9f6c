//! What happened and what is so, in words.

use super::room::BEGIN;
use diemcau_conference::{Conference, Event, Refusal, Request, Turn};
use diemcau_model::{EndpointKind, Millis, SiteId};

/// A moment as minutes and seconds since the play began.
pub fn clock(at: Millis) -> String {
    minutes(at.since(BEGIN))
}

pub fn minutes(ms: u64) -> String {
    let (whole, rest) = (ms / 1_000, ms % 1_000);
    let text = format!("{:02}:{:02}", whole / 60, whole % 60);
    match rest {
        0 => text,
        rest => format!("{text}.{rest:03}"),
    }
}

pub fn refusal(why: Refusal) -> String {
    let name = serde_json::to_value(why).unwrap();
    name.as_str().unwrap().replace('_', " ")
}

pub fn event(conference: &Conference, event: &Event) -> String {
    let name = |site: &SiteId| site_name(conference, *site);
    match event {
        Event::ConferenceOpened { .. } => "the conference opens".into(),
        Event::CommandRefused { why } => format!("refused: {}", refusal(*why)),
        Event::ItemStarted { item, .. } => format!("item {item} begins"),
        Event::ItemFinished { item, .. } => format!("item {item} is over"),
        Event::ItemMoved { item, before } => match before {
            Some(before) => format!("item {item} is put before item {before}"),
            None => format!("item {item} is put last"),
        },
        Event::ListSet { open } => match open {
            true => "the list is open".into(),
            false => "the list is closed".into(),
        },
        Event::FloorRequested {
            turn,
            site,
            pending,
            ..
        } => match pending {
            true => format!("{turn} {} waits for the chair's word", name(site)),
            false => format!("{turn} {} is in the list", name(site)),
        },
        Event::RequestWithdrawn { turn } => format!("{turn} is withdrawn"),
        Event::RequestAccepted { turn } => format!("{turn} joins the list"),
        Event::RequestDenied { turn, reason } => format!("{turn} is not taken ({reason})"),
        Event::RequestMoved { turn, before } => match before {
            Some(before) => format!("{turn} is put before {before}"),
            None => format!("{turn} is put last"),
        },
        Event::RequestPrepared { turn } => format!("{turn} prepares"),
        Event::TurnStarted {
            turn, allotted_ms, ..
        } => format!("{turn} has the floor for {}", minutes(*allotted_ms)),
        Event::TurnPaused { turn, .. } => format!("{turn} is paused"),
        Event::TurnResumed { turn, .. } => format!("{turn} goes on"),
        Event::TurnHeld { turn, at } => format!("{turn} is held from {}", clock(*at)),
        Event::TurnUnheld { turn, .. } => format!("{turn} is held no more"),
        Event::TurnExtended { turn, by_ms, .. } => {
            format!("{turn} is given {} more", minutes(*by_ms))
        }
        Event::TurnWarned { turn, left_s } => format!("{turn} has {left_s} s left"),
        Event::TurnRanOut { turn } => format!("{turn} is out of time"),
        Event::TurnMuted { turn } => format!("{turn} is muted"),
        Event::TurnEnded { turn, how, at } => format!("{turn} ends at {}: {how:?}", clock(*at)),
        Event::HallMicrophoneSet { open } => match open {
            true => "the hall's microphone is open".into(),
            false => "the hall's microphone is closed".into(),
        },
        Event::LayoutSet { layout } => format!("the screens show {layout:?}"),
        Event::CommentPosted { comment, site, .. } => {
            format!("comment {comment} of {}", name(site))
        }
        Event::CommentHeld { comment } => format!("comment {comment} is held"),
        Event::CommentPublished { comment } => format!("comment {comment} is published"),
        Event::CommentWithdrawn { comment } => format!("comment {comment} is withdrawn"),
        Event::SeatRevoked { seat } => format!("seat {seat} is revoked"),
        Event::EndpointLinked { site, kind, .. } => {
            format!("{}'s {} is linked", name(site), endpoint(*kind))
        }
        Event::EndpointLost { site, kind, .. } => {
            format!("{}'s {} is lost", name(site), endpoint(*kind))
        }
    }
}

/// The floor, the stage and the feed as they are now.
pub fn state(conference: &Conference, now: Millis) -> String {
    let (floor, stage) = (conference.floor(), conference.stage());
    let on_deck = floor.on_deck().map(|request| request.turn);
    let waiting = |request: &Request| {
        let mark = if on_deck == Some(request.turn) {
            "*"
        } else {
            ""
        };
        let site = site_name(conference, request.site);
        format!("{} {site}{mark}", request.turn)
    };
    let mut lines = vec![match &floor.turn {
        Some(turn) => format!("floor: {}", turn_words(conference, turn, now)),
        None => "floor: free".to_owned(),
    }];
    lines.push(format!(
        "waiting: {}",
        list(floor.queue.iter().map(&waiting))
    ));
    if !floor.pending.is_empty() {
        let pending = floor.pending.iter().map(&waiting);
        lines.push(format!("pending: {}", list(pending)));
    }
    lines.push(format!(
        "heard: {}; picture: {}",
        list(stage.heard.iter().map(|site| site_name(conference, *site))),
        list(
            stage
                .programme
                .iter()
                .map(|site| site_name(conference, *site))
        )
    ));
    for comment in conference.feed().comments.values() {
        let site = site_name(conference, comment.site);
        let held = if comment.held { ", held" } else { "" };
        lines.push(format!(
            "comment {}: {site}, \"{}\"{held}",
            comment.id, comment.words.text
        ));
    }
    lines.join("\n")
}

fn turn_words(conference: &Conference, turn: &Turn, now: Millis) -> String {
    let (used, allotted) = (minutes(turn.used_at(now)), minutes(turn.allotted_ms));
    let mut how = vec![];
    for (is, word) in [
        (turn.paused, "paused"),
        (turn.held, "held"),
        (turn.muted, "muted"),
    ] {
        how.extend(is.then_some(word));
    }
    how.push(match turn.running_since {
        Some(_) => "clock runs",
        None => "clock stands",
    });
    let site = site_name(conference, turn.site);
    format!(
        "{} {site}, {used} of {allotted}, {}",
        turn.turn,
        how.join(", ")
    )
}

fn site_name(conference: &Conference, site: SiteId) -> String {
    conference
        .setup()
        .site(site)
        .map_or_else(|| "?".into(), |site| site.short.clone())
}

fn endpoint(kind: EndpointKind) -> &'static str {
    match kind {
        EndpointKind::Room => "room",
        EndpointKind::Standby => "standby",
    }
}

fn list(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.is_empty() {
        true => "nobody".into(),
        false => words.join(", "),
    }
}
