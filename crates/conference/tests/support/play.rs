//! Plays in words: a clock, a name, and what they do.
//!
//! ```text
//! 00:00  chair       opens item 5
//! 00:10  Tháp Mười   requests
//! 00:20  chair       grants next 2   -> refused: stale
//! 00:30  Tháp Mười   room lost
//! 05:00  (time)
//! ```
//! "grants next" alone is a console that sees the floor as it is; "grants 2 after 1" says what it believes.
//! A refusal that the play does not foretell, or foretells wrongly, stops the test.

use super::{
    room::{BEGIN, Room, SITES, actor, people},
    say,
};
use diemcau_conference::{
    Command, CommentKind, CommentWords, Layout, RequestWords, Signal, SpeechType,
};
use diemcau_model::{
    CommentId, DraftId, EndpointKind, ItemId, Millis, ParagraphRef, SeatId, SiteId, TurnId,
};

/// Plays it, and tells what happened and how it stands at the end.
pub fn told(room: &mut Room, text: &str) -> String {
    let first = room.decisions.len();
    let mut refused = vec![];
    perform(room, text, &mut refused);
    let mut lines: Vec<(Millis, String)> = vec![];
    for decision in &room.decisions[first..] {
        let words: Vec<String> = decision
            .events
            .iter()
            .map(|event| say::event(&decision.after, event))
            .collect();
        lines.push((decision.at, words.join("; ")));
    }
    lines.extend(refused);
    // Stable: what was decided in one moment stays in its order.
    lines.sort_by_key(|(at, _)| *at);
    let mut story: String = lines
        .into_iter()
        .map(|(at, words)| format!("{}  {words}\n", say::clock(at)))
        .collect();
    story.push_str("--\n");
    story.push_str(&say::state(&room.live, room.now));
    story.push('\n');
    story
}

/// Plays it.
pub fn perform(room: &mut Room, text: &str, refused: &mut Vec<(Millis, String)>) {
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (deed, foretold) = match line.split_once("->") {
            Some((deed, foretold)) => (deed.trim(), Some(foretold.trim())),
            None => (line, None),
        };
        let (clock, deed) = deed.split_once(' ').expect(line);
        room.wait_until(read_clock(clock).expect(line));
        let answer = act(room, deed.trim()).unwrap_or_else(|| panic!("not understood: {line}"));
        assert_eq!(answer.as_deref(), foretold, "{line}");
        if let Some(answer) = answer {
            let who = name_in(deed.trim()).unwrap_or("?");
            refused.push((room.now, format!("{who} is {answer}")));
        }
    }
}

/// None: not understood. Some(None): done. Some(Some(words)): refused.
fn act(room: &mut Room, deed: &str) -> Option<Option<String>> {
    if deed == "(time)" {
        return Some(None);
    }
    if let Some(words) = deed.strip_prefix("(server)") {
        let last_alive = read_clock(words.trim().strip_prefix("restarts, last alive ")?)?;
        room.signal(Signal::Restarted { last_alive });
        return Some(None);
    }
    let name = name_in(deed)?;
    let words: Vec<&str> = deed.strip_prefix(name)?.split_whitespace().collect();
    if let Some(signal) = link(name, &words) {
        room.signal(signal);
        return Some(None);
    }
    let command = command(room, &words)?;
    let refused = room.ask(&actor(name)?, &command).err();
    Some(refused.map(|why| format!("refused: {}", say::refusal(why))))
}

fn name_in(deed: &str) -> Option<&'static str> {
    let fits = |name: &&str| deed.starts_with(name);
    people()
        .into_iter()
        .filter(fits)
        .max_by_key(|name| name.len())
}

fn link(name: &str, words: &[&str]) -> Option<Signal> {
    let site = SITES.iter().position(|site| *site == name)?;
    let site = SiteId(u16::try_from(site).ok()?);
    let kind = match *words.first()? {
        "room" => EndpointKind::Room,
        "standby" => EndpointKind::Standby,
        _ => return None,
    };
    match *words.get(1)? {
        "linked" => Some(Signal::LinkUp { site, kind }),
        "lost" => Some(Signal::LinkDown { site, kind }),
        _ => None,
    }
}

/// The command in these words.
fn command(room: &Room, words: &[&str]) -> Option<Command> {
    let floor = room.live.floor();
    let running = floor.turn.as_ref().map(|turn| turn.turn);
    let on_deck = floor.on_deck().map(|request| request.turn);
    Some(match words {
        ["opens", "item", n] => Command::StartItem { item: item(n)? },
        ["finishes", "item", n] => Command::FinishItem { item: item(n)? },
        ["goes", "on", "after", "nothing"] => Command::NextItem { after: None },
        ["goes", "on", "after", "item", n] => Command::NextItem {
            after: Some(item(n)?),
        },
        ["moves", "item", n, "last"] => Command::MoveItem {
            item: item(n)?,
            before: None,
        },
        ["moves", "item", n, "before", "item", m] => Command::MoveItem {
            item: item(n)?,
            before: Some(item(m)?),
        },
        ["opens", "the", "list"] => Command::SetList { open: true },
        ["closes", "the", "list"] => Command::SetList { open: false },
        ["opens", "the", "microphone"] => Command::SetHallMicrophone { open: true },
        ["closes", "the", "microphone"] => Command::SetHallMicrophone { open: false },
        ["shows", "the", "grid"] => Command::SetLayout {
            layout: Layout::Grid,
        },
        ["shows", "the", "speaker"] => Command::SetLayout {
            layout: Layout::Speaker,
        },
        ["requests"] => requests(SpeechType::Contribution, None, ""),
        ["requests", "a", "point", "of", "order"] => requests(SpeechType::PointOfOrder, None, ""),
        ["requests", "on", "paragraph", n] => {
            requests(SpeechType::Contribution, Some(paragraph(n)?), "")
        }
        ["requests", "with", n, "letters"] => {
            requests(SpeechType::Contribution, None, &letters(n)?)
        }
        ["withdraws", "comment", n] => Command::WithdrawComment {
            comment: comment(n)?,
        },
        ["holds", "comment", n] => Command::HoldComment {
            comment: comment(n)?,
        },
        ["publishes", "comment", n] => Command::PublishComment {
            comment: comment(n)?,
        },
        ["comments", "on", n, "with", letters_n, "letters"] => comments(n, &letters(letters_n)?)?,
        ["comments", "on", n, "with", "nothing"] => comments(n, " \t")?,
        ["comments", "on", n, text @ ..] => comments(n, &text.join(" "))?,
        ["withdraws", n] => Command::WithdrawRequest { turn: turn(n)? },
        ["accepts", n] => Command::AcceptRequest { turn: turn(n)? },
        ["denies", n, reason @ ..] => Command::DenyRequest {
            turn: turn(n)?,
            reason: reason.join(" "),
        },
        ["moves", n, "last"] => Command::MoveRequest {
            turn: turn(n)?,
            before: None,
        },
        ["moves", n, "before", m] => Command::MoveRequest {
            turn: turn(n)?,
            before: Some(turn(m)?),
        },
        ["prepares", n] => Command::Prepare { turn: turn(n)? },
        ["grants", "next"] => Command::GrantNext {
            after: running,
            expect: on_deck?,
        },
        ["grants", "next", n] => Command::GrantNext {
            after: running,
            expect: turn(n)?,
        },
        ["grants", "next", n, "after", m] => Command::GrantNext {
            after: turn_or_nothing(m)?,
            expect: turn(n)?,
        },
        ["grants", n] => Command::Grant {
            after: running,
            turn: turn(n)?,
        },
        ["grants", n, "after", m] => Command::Grant {
            after: turn_or_nothing(m)?,
            turn: turn(n)?,
        },
        ["pauses", n] => Command::PauseTurn { turn: turn(n)? },
        ["resumes", n] => Command::ResumeTurn { turn: turn(n)? },
        ["extends", n, "by", minutes] => Command::ExtendTurn {
            turn: turn(n)?,
            minutes: minutes.parse().ok()?,
        },
        ["ends", n] => Command::EndTurn { turn: turn(n)? },
        ["stops", n] => Command::RevokeTurn { turn: turn(n)? },
        ["revokes", "seat", n] => Command::RevokeSeat {
            seat: SeatId(n.parse().ok()?),
        },
        _ => return None,
    })
}

fn requests(speech: SpeechType, paragraph: Option<ParagraphRef>, topic: &str) -> Command {
    Command::RequestFloor {
        words: RequestWords {
            speech,
            delegate: String::new(),
            topic: topic.into(),
            paragraph,
        },
    }
}

fn comments(at: &str, text: &str) -> Option<Command> {
    Some(Command::PostComment {
        kind: CommentKind::Wording,
        words: CommentWords {
            at: paragraph(at)?,
            text: text.into(),
            proposed: String::new(),
            delegate: String::new(),
        },
    })
}

fn letters(n: &str) -> Option<String> {
    // Three bytes each in UTF-8: limits count what people see, not bytes.
    Some("ộ".repeat(n.parse().ok()?))
}

fn item(n: &str) -> Option<ItemId> {
    n.parse().ok().map(ItemId)
}

fn turn(n: &str) -> Option<TurnId> {
    n.parse().ok().map(TurnId)
}

fn turn_or_nothing(n: &str) -> Option<Option<TurnId>> {
    match n {
        "nothing" => Some(None),
        n => turn(n).map(Some),
    }
}

fn comment(n: &str) -> Option<CommentId> {
    n.parse().ok().map(CommentId)
}

fn paragraph(n: &str) -> Option<ParagraphRef> {
    Some(ParagraphRef {
        draft: DraftId(1),
        paragraph: n.parse().ok()?,
    })
}

/// "MM:SS" or "MM:SS.mmm" since the play began.
fn read_clock(text: &str) -> Option<Millis> {
    let (minutes, seconds) = text.split_once(':')?;
    let (seconds, millis) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let whole = minutes.parse::<u64>().ok()? * 60 + seconds.parse::<u64>().ok()?;
    Some(BEGIN.plus(whole * 1_000 + millis.parse::<u64>().ok()?))
}
