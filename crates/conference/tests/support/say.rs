//! What happened and what is so, in words.

use super::room::BEGIN;
use diemcau_conference::{
    CallEnd, Conference, Event, Layout, Place, Readiness, Refusal, Request, Turn, TurnEnd, Waiting,
    Why,
};
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
    words(why)
}

pub fn event(conference: &Conference, event: &Event) -> String {
    let name = |site: &SiteId| site_name(conference, *site);
    match event {
        Event::ConferenceOpened { .. } => "the conference opens".into(),
        Event::CommandRefused { why } => format!("refused: {}", refusal(*why)),
        Event::ItemStarted { item, waiting, .. } => match waiting {
            Waiting::Carry => format!("item {item} begins"),
            Waiting::Keep => format!("item {item} begins, the list is kept"),
            Waiting::Clear => format!("item {item} begins, the list is cleared"),
        },
        Event::ItemFinished { item, .. } => format!("item {item} is over"),
        Event::BreakStarted { until, .. } => format!("a break until {}", clock(*until)),
        Event::BreakEnded { .. } => "the break is over".into(),
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
        Event::RequestDenied { turn, reason, .. } => format!("{turn} is not taken ({reason})"),
        Event::RequestMoved { turn, place, .. } => {
            format!("the chair puts {turn} at place {}", place + 1)
        }
        Event::Staged { turns } => match turns.is_empty() {
            true => "nobody is staged".into(),
            false => format!("staged: {}", list(turns.iter())),
        },
        Event::ReadinessSet { turn, ready } => match ready {
            Readiness::Ready => format!("{turn} is ready"),
            Readiness::NotReady => format!("{turn} is not ready"),
            Readiness::Unknown => format!("{turn} has not said whether it is ready"),
        },
        Event::MicrophoneHeard { turn, .. } => format!("the microphone of {turn} is heard"),
        Event::Called {
            turn, out_of_order, ..
        } => match out_of_order {
            true => format!("the chair calls {turn} out of order"),
            false => format!("the chair calls {turn}"),
        },
        Event::StepUndone { .. } => "the step is undone".into(),
        Event::TurnStarted {
            turn, allotted_ms, ..
        } => format!("{turn} has the floor for {}", minutes(*allotted_ms)),
        Event::TurnPaused { turn, .. } => format!("{turn} is paused"),
        Event::TurnResumed { turn, .. } => format!("{turn} goes on"),
        Event::TurnHeld { turn, at, .. } => format!("{turn} is held from {}", clock(*at)),
        Event::TurnInterrupted { turn, .. } => format!("{turn} is interrupted"),
        Event::TurnTakenUp { turn, .. } => format!("{turn} is taken up again"),
        Event::TurnKept { turn } => format!("{turn} is waited for"),
        Event::TurnUnheld { turn, .. } => format!("{turn} is held no more"),
        Event::TurnExtended { turn, by_ms, .. } => {
            format!("{turn} is given {} more", minutes(*by_ms))
        }
        Event::TurnWarned { turn, left_s } => format!("{turn} has {left_s} s left"),
        Event::TurnRanOut { turn } => format!("{turn} is out of time"),
        Event::TurnMuted { turn } => format!("{turn} is muted"),
        Event::TurnEnded { turn, how, at } => {
            let how = match how {
                TurnEnd::Released => String::new(),
                TurnEnd::Revoked => ", stopped by the chair".into(),
                TurnEnd::Succeeded => ", the next is called".into(),
                TurnEnd::TimeUp => ", time is up".into(),
                TurnEnd::ItemFinished => ", its item is over".into(),
                TurnEnd::Away => ", its site stayed away".into(),
            };
            format!("{turn} ends at {}{how}", clock(*at))
        }
        Event::CallReturned { turn, .. } => format!("the call of {turn} is given back"),
        Event::MicrophonesSet { open, .. } => match open {
            true => "microphones may open again".into(),
            false => "microphones stay closed".into(),
        },
        Event::HallMicrophoneSet { open } => match open {
            true => "the hall's microphone is open".into(),
            false => "the hall's microphone is closed".into(),
        },
        Event::PrioritySet { seat, .. } => match seat {
            Some(_) => "the chair holds priority".into(),
            None => "priority is let go".into(),
        },
        Event::ChairTaken { deputy, .. } => match deputy {
            Some(_) => "the deputy has the chair".into(),
            None => "the chair has the chair".into(),
        },
        Event::RollCallStarted { .. } => "the roll is called".into(),
        Event::SiteCalled { site, .. } => format!("{} is called", name(site)),
        Event::SiteHeard { site, heard } => {
            format!("{} is heard at {} dBov", name(site), heard.level_dbov)
        }
        Event::SiteAnswered { site, how, .. } => match how {
            CallEnd::Answered => format!("{} has answered", name(site)),
            CallEnd::NoAnswer => format!("{} has not answered", name(site)),
            CallEnd::PassedOver => format!("{} is passed over", name(site)),
        },
        Event::RollCallEnded { .. } => "the roll call is over".into(),
        Event::HeadcountSet {
            site, headcount, ..
        } => format!(
            "{}: {} summoned, {} present, {} online",
            name(site),
            headcount.summoned,
            headcount.present,
            headcount.online
        ),
        Event::Prompted {
            prompt, site, kind, ..
        } => format!("prompt {prompt}, {}: {}", name(site), words(kind)),
        Event::PromptHandled { prompt, .. } => format!("prompt {prompt} is seen to"),
        Event::LayoutSet { layout } => format!("the screens show {}", words(layout)),
        Event::LayoutPreviewed { layout } => match layout {
            Some(layout) => format!("{} is laid ready", words(layout)),
            None => "nothing is laid ready".into(),
        },
        Event::NoticeSet { text } => format!("the notice says {text:?}"),
        Event::ParagraphShown { at } => match at {
            Some(at) => format!("paragraph {} is chosen", at.paragraph),
            None => "the paragraph follows the speech".into(),
        },
        Event::SpotlightSet { site, .. } => match site {
            Some(site) => format!("{}'s picture is kept", name(site)),
            None => "the picture follows the floor".into(),
        },
        Event::CarouselSet { seconds, .. } => match seconds {
            Some(seconds) => format!("a carousel of {seconds} s"),
            None => "no carousel".into(),
        },
        Event::CarouselTurned { site, .. } => format!("the carousel shows {}", name(site)),
        Event::PresentationAsked { seat, .. } => format!("seat {seat} asks to present"),
        Event::PresentationGiven { seat, .. } => format!("seat {seat} presents"),
        Event::PresentationEnded { seat, .. } => {
            format!("seat {seat} presents no more, nor asks to")
        }
        Event::PageSet { page } => format!("page {} of the grid", page + 1),
        Event::CommentPosted { comment, site, .. } => {
            format!("comment {comment} of {}", name(site))
        }
        Event::CommentHeld { comment } => format!("comment {comment} is held"),
        Event::CommentPublished { comment } => format!("comment {comment} is published"),
        Event::CommentWithdrawn { comment } => format!("comment {comment} is withdrawn"),
        Event::SeatRevoked { seat } => format!("seat {seat} is revoked"),
        Event::SeatExpelled { seat, .. } => format!("seat {seat} is asked to leave"),
        Event::SeatRestored { seat, guarded, .. } => match guarded {
            false => format!("seat {seat} is as on the first day"),
            true => format!("seat {seat} is as on the first day, and guarded"),
        },
        Event::DeviceBound { seat, device, .. } => {
            format!("seat {seat} knows device {}", device.0[0])
        }
        Event::DeviceWaits {
            wait,
            seat,
            device,
            code,
            ..
        } => match device {
            Some(device) => format!(
                "{wait} device {} waits for seat {seat}: {code}",
                device.0[0]
            ),
            None => format!("{wait} a page without a key waits for seat {seat}: {code}"),
        },
        Event::DeviceGone { wait } => format!("{wait} waits no more"),
        Event::DeviceAdmitted { wait, .. } => format!("{wait} is let in"),
        Event::DeviceRefused { wait, .. } => format!("{wait} is sent away"),
        Event::DeviceBanned { device, .. } => format!("device {} is shut out", device.0[0]),
        Event::DeviceAllowed { device, .. } => format!("device {} may come again", device.0[0]),
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
    let on_deck = conference.on_deck();
    let named = |request: &Request| {
        let mark = match on_deck.iter().position(|turn| *turn == request.turn) {
            Some(0) => "*",
            Some(_) => "+",
            None => "",
        };
        let site = site_name(conference, request.site);
        let heard = if request.heard.is_some() {
            " (heard)"
        } else {
            ""
        };
        let about = request.about.map(|turn| format!(" to {turn}"));
        format!(
            "{} {site}{mark}{}{heard}{}",
            request.turn,
            about.unwrap_or_default(),
            readiness(request.ready)
        )
    };
    let in_line = |place: &Place<'_>| format!("{}{}", named(place.request), why(place.why));
    let mut lines = vec![];
    for (place, turn) in floor.turns.iter().rev().enumerate() {
        let word = if place == 0 { "floor" } else { "also" };
        lines.push(format!("{word}: {}", turn_words(conference, turn, now)));
    }
    if lines.is_empty() {
        lines.push("floor: free".to_owned());
    }
    let line = conference.line();
    lines.push(format!("waiting: {}", list(line.iter().map(in_line))));
    let pending: Vec<String> = floor.pending().map(named).collect();
    if !pending.is_empty() {
        lines.push(format!("pending: {}", list(pending.into_iter())));
    }
    let kept: Vec<String> = floor
        .kept()
        .map(|one| {
            let site = site_name(conference, one.site);
            format!("{} {site} for item {}", one.turn, one.item)
        })
        .collect();
    if !kept.is_empty() {
        lines.push(format!("kept: {}", kept.join(", ")));
    }
    let names =
        |sites: Vec<SiteId>| list(sites.into_iter().map(|site| site_name(conference, site)));
    lines.push(format!(
        "heard: {}; picture: {}",
        names(stage.heard.into_iter().collect()),
        names(stage.programme.into_iter().collect())
    ));
    if !conference.roll().headcounts.is_empty() {
        let all = conference.present();
        let mut there = format!("present: {} of {}", all.present + all.online, all.summoned);
        if let Some(quorum) = conference.quorum() {
            let word = if quorum.reached {
                "enough"
            } else {
                "not enough"
            };
            there += &format!(", {word}: {} of {}", quorum.there, quorum.of);
        }
        lines.push(there);
    }
    let presenting = conference.presenting();
    if let Some(shown) = presenting.shown {
        let site = site_name(conference, shown.site);
        lines.push(format!("seat {} presents for {site}", shown.seat));
    }
    if !presenting.asks.is_empty() {
        let seats = presenting.asks.iter().map(|ask| ask.seat.to_string());
        lines.push(format!("ask to present: {}", list(seats)));
    }
    let layout = conference.screen().layout;
    if layout != Layout::default() {
        lines.push(format!("the screens show {}", words(layout)));
    }
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

fn readiness(ready: Readiness) -> &'static str {
    match ready {
        Readiness::Unknown => "",
        Readiness::Ready => " (ready)",
        Readiness::NotReady => " (not ready)",
    }
}

/// Said only where it is not the order of arrival.
fn why(why: Why) -> String {
    match why {
        Why::Arrival => String::new(),
        Why::Staged => " [staged]".into(),
        Why::Chair => " [the chair]".into(),
        Why::Precedence => " [its kind]".into(),
        Why::Round { turns } => format!(" [turn {}]", turns + 1),
        Why::LeastTime { used_ms } => format!(" [used {}]", minutes(used_ms)),
        Why::Document => " [the draft]".into(),
    }
}

fn turn_words(conference: &Conference, turn: &Turn, now: Millis) -> String {
    let (used, allotted) = (minutes(turn.used_at(now)), minutes(turn.allotted_ms));
    let mut how = vec![];
    for (is, word) in [
        (turn.paused, "paused"),
        (turn.held, "held"),
        (turn.interrupted, "interrupted"),
        (turn.silenced, "silenced"),
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

/// A value of a fixed list as people say it.
fn words(value: impl serde::Serialize) -> String {
    let name = serde_json::to_value(value).unwrap();
    name.as_str().unwrap().replace('_', " ")
}

fn list<T: ToString>(words: impl Iterator<Item = T>) -> String {
    let words: Vec<String> = words.map(|word| word.to_string()).collect();
    match words.is_empty() {
        true => "nobody".into(),
        false => words.join(", "),
    }
}
