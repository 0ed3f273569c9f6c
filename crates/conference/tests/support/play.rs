//! Plays in words: a clock, a name, and what they do.
//!
//! ```text
//! 00:00  chair       opens item 5
//! 00:10  Tháp Mười   requests
//! 00:20  chair       grants next 2   -> refused: stale
//! 00:30  Tháp Mười   room lost
//! 05:00  (time)
//! 06:00  (late)
//! ```
//! "(late)" is time at which nothing could be decided before, as while the disk fails: every deadline is met then.
//! "grants next" alone is a console that sees the floor as it is; "grants 2 after 1" says what it believes.
//! A refusal that the play does not foretell, or foretells wrongly, stops the test.

use super::{
    room::{BEGIN, Room, SITES, actor, people},
    say,
};
use diemcau_conference::{
    Command, CommentKind, CommentWords, Headcount, Knock, Layout, PromptKind, Readiness,
    RequestWords, Signal, SpeechType, Waiting,
};
use diemcau_model::{
    CommentId, DeviceId, DraftId, EndpointKind, ItemId, Millis, ParagraphRef, PromptId, SeatId,
    SiteId, TurnId, WaitId,
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
        let (at, deed) = (read_clock(clock).expect(line), deed.trim());
        match deed {
            "(late)" => room.oversleep(at),
            _ => room.wait_until(at),
        }
        let answer = act(room, deed).unwrap_or_else(|| panic!("not understood: {line}"));
        assert_eq!(answer.as_deref(), foretold, "{line}");
        if let Some(answer) = answer {
            let who = name_in(deed).unwrap_or("?");
            refused.push((room.now, format!("{who} is {answer}")));
        }
    }
}

/// None: not understood. Some(None): done. Some(Some(words)): refused.
fn act(room: &mut Room, deed: &str) -> Option<Option<String>> {
    if deed == "(time)" || deed == "(late)" {
        return Some(None);
    }
    if let Some(words) = deed.strip_prefix("(server)") {
        let last_alive = read_clock(words.trim().strip_prefix("restarts, last alive ")?)?;
        room.signal(Signal::Restarted { last_alive });
        return Some(None);
    }
    let name = name_in(deed)?;
    let words: Vec<&str> = deed.strip_prefix(name)?.split_whitespace().collect();
    if words == ["is", "gone"] {
        let seat = actor(name)?.seat;
        room.signal(Signal::SeatGone { seat });
        return Some(None);
    }
    if words == ["stays", "away"] {
        let seat = actor(name)?.seat;
        room.signal(Signal::StayedAway { seat });
        return Some(None);
    }
    if let ["is", "measured", "at", level] = words[..] {
        room.signal(Signal::Measured {
            site: site_of(&[name])?,
            level_dbov: level.parse().ok()?,
            rtt_ms: Some(20),
            loss_permille: 0,
        });
        return Some(None);
    }
    if let ["knocks", how @ .., "as", code] = &words[..] {
        return Some(knock(room, actor(name)?.seat, how, code.parse().ok()?));
    }
    if let ["goes", "from", "the", "door,", wait] = words[..] {
        let wait = WaitId(wait.parse().ok()?);
        room.signal(Signal::WaitOver { wait });
        return Some(None);
    }
    if let Some(signal) = link(name, &words) {
        room.signal(signal);
        return Some(None);
    }
    let command = command(room, &words)?;
    let refused = room.ask(&actor(name)?, &command).err();
    Some(refused.map(|why| format!("refused: {}", say::refusal(why))))
}

/// A device comes to the door. What needs no event is told as a refusal is.
fn knock(room: &mut Room, seat: SeatId, how: &[&str], code: u16) -> Option<String> {
    let device = match how {
        ["with", "device", n] => device(n),
        _ => None,
    };
    let becomes = room.live.knock(seat, device);
    room.signal(Signal::Knocked { seat, device, code });
    match becomes {
        Knock::Enters => Some("let in".into()),
        Knock::ShutOut => Some("shut out".into()),
        Knock::Full => Some("turned away".into()),
        Knock::Binds | Knock::Waits => None,
    }
}

fn device(n: &str) -> Option<DeviceId> {
    n.parse().ok().map(|n| DeviceId([n; 32]))
}

fn for_good(words: &[&str]) -> Option<bool> {
    match words {
        [] => Some(false),
        ["for", "good", ..] => Some(true),
        _ => None,
    }
}

/// Who is there with which device, as the hub sees it.
fn present(words: &[&str]) -> Option<Vec<(SeatId, DeviceId)>> {
    match words {
        [] | ["for", "good"] => Some(vec![]),
        ["for", "good", "with", "seat", seat, "on", n] => {
            Some(vec![(SeatId(seat.parse().ok()?), device(n)?)])
        }
        _ => None,
    }
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
    let running = floor.turn().map(|turn| turn.turn);
    let next = room.live.next().map(|next| next.turn());
    Some(match words {
        ["opens", "item", n] => Command::StartItem {
            item: item(n)?,
            waiting: None,
        },
        ["opens", "item", n, how] => Command::StartItem {
            item: item(n)?,
            waiting: Some(waiting(how)?),
        },
        ["finishes", "item", n] => Command::FinishItem { item: item(n)? },
        ["goes", "on", "after", "nothing"] => Command::NextItem {
            after: None,
            expect: room.live.agenda().next()?,
            waiting: None,
        },
        ["goes", "on", "after", "item", n] => Command::NextItem {
            after: Some(item(n)?),
            expect: room.live.agenda().next().unwrap_or_default(),
            waiting: None,
        },
        ["goes", "on", "after", "item", n, "to", "item", m] => Command::NextItem {
            after: Some(item(n)?),
            expect: item(m)?,
            waiting: None,
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
        ["shows", "the", "notice"] => Command::SetLayout {
            layout: Layout::Notice,
        },
        ["shows", "the", "grid"] => Command::SetLayout {
            layout: Layout::Grid,
        },
        ["shows", "the", "speaker"] => Command::SetLayout {
            layout: Layout::Speaker,
        },
        ["requests"] => requests(SpeechType::Contribution, None, ""),
        ["requests", "for", minutes, "minutes"] => {
            with_words(|words| words.minutes = minutes.parse().ok())
        }
        ["requests", "for", name] => with_words(|words| words.delegate = (*name).into()),
        ["requests", "in", "item", n] => in_item(item(n)?),
        ["requests", "as", name, "a", kind @ ..] => named(name, speech(&kind.join(" "))?),
        ["requests", "a", kind, "to", n] => about(speech(kind)?, turn(n)?),
        ["requests", "a", kind @ ..] => requests(speech(&kind.join(" "))?, None, ""),
        ["stages", "nobody"] => Command::Stage { turns: vec![] },
        ["stages", n] => Command::Stage {
            turns: vec![turn(n)?],
        },
        ["stages", n, "then", m] => Command::Stage {
            turns: vec![turn(n)?, turn(m)?],
        },
        ["is", "ready", "for", n] => ready(n, Readiness::Ready)?,
        ["is", "not", "ready", "for", n] => ready(n, Readiness::NotReady)?,
        ["passes", "over", n] => ready(n, Readiness::NotReady)?,
        ["undoes", n] => Command::Undo { turn: turn(n)? },
        ["waits", "for", n] => Command::KeepTurn { turn: turn(n)? },
        ["holds", "priority"] => Command::SetPriority { on: true },
        ["lets", "priority", "go"] => Command::SetPriority { on: false },
        ["closes", "all", "microphones"] => Command::CloseMicrophones,
        ["opens", "all", "microphones"] => Command::OpenMicrophones,
        ["gives", "back", n] | ["takes", "back", n] => Command::ReturnCall { turn: turn(n)? },
        ["takes", "the", "chair"] => Command::TakeChair,
        ["returns", "the", "chair"] => Command::ReturnChair,
        ["calls", "the", "roll"] => Command::StartRollCall,
        ["ends", "the", "roll", "call"] => Command::EndRollCall,
        ["calls", "the", "next", "after", name @ ..] => Command::CallNextSite {
            after: site_of(name)?,
        },
        ["calls", name @ ..] => Command::CallSite {
            site: site_of(name)?,
        },
        ["goes", "on", "without", name @ ..] => Command::PassOverSite {
            site: site_of(name)?,
        },
        ["reports", present, "of", summoned, "for", name @ ..] => Command::SetHeadcount {
            site: site_of(name)?,
            headcount: Headcount {
                summoned: summoned.parse().ok()?,
                present: present.parse().ok()?,
                ..Headcount::default()
            },
        },
        ["asks", "for", "help"] => Command::PromptDesks {
            prompt: PromptKind::NeedHelp,
        },
        ["tells", "slower", "to", name @ ..] => Command::PromptSite {
            site: site_of(name)?,
            prompt: PromptKind::Slower,
        },
        ["tells", "help", "to", name @ ..] => Command::PromptSite {
            site: site_of(name)?,
            prompt: PromptKind::NeedHelp,
        },
        ["sees", "to", "prompt", n] => Command::HandlePrompt {
            prompt: PromptId(n.parse().ok()?),
        },
        ["shows", "paragraph", n] => Command::ShowParagraph {
            at: Some(paragraph(n)?),
        },
        ["follows", "the", "speech"] => Command::ShowParagraph { at: None },
        ["keeps", "the", "picture", "of", name @ ..] => Command::SetSpotlight {
            site: Some(site_of(name)?),
        },
        ["follows", "the", "floor"] => Command::SetSpotlight { site: None },
        ["asks", "to", "present"] => Command::AskToPresent,
        ["lets", name @ .., "present"] => Command::LetPresent {
            seat: actor(&name.join(" "))?.seat,
        },
        ["ends", "the", "presentation", "of", name @ ..] => Command::EndPresentation {
            seat: actor(&name.join(" "))?.seat,
        },
        ["runs", "a", "carousel", "of", n] => Command::SetCarousel {
            seconds: Some(n.parse().ok()?),
        },
        ["stops", "the", "carousel"] => Command::SetCarousel { seconds: None },
        ["turns", "to", "page", n] => Command::SetPage {
            page: n.parse::<u16>().ok()?.checked_sub(1)?,
        },
        ["notes", text @ ..] => Command::SetNotice {
            text: text.join(" "),
        },
        ["lays", "ready", name] => Command::PreviewLayout {
            layout: Some(layout(name)?),
        },
        ["takes", name] => Command::TakePreview {
            expect: layout(name)?,
        },
        ["blanks", "the", "screens"] => Command::SetBlank { on: true },
        ["shows", "the", "screens", "again"] => Command::SetBlank { on: false },
        ["shows", "the", "waiting", "picture"] => Command::SetLayout {
            layout: Layout::Waiting,
        },
        ["breaks", "for", n] => Command::StartBreak {
            minutes: n.parse().ok()?,
        },
        ["ends", "the", "break"] => Command::EndBreak,
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
        ["grants", "next"] => Command::GrantNext {
            after: running,
            expect: next?,
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
        ["expels", "seat", n, more @ ..] => Command::ExpelSeat {
            seat: SeatId(n.parse().ok()?),
            ban: for_good(more)?,
            present: present(more)?,
        },
        ["restores", "seat", n, more @ ..] => Command::RestoreSeat {
            seat: SeatId(n.parse().ok()?),
            is_there: match more {
                [] => false,
                ["that", "is", "there"] => true,
                _ => return None,
            },
        },
        ["lets", n, "in"] => Command::AdmitDevice {
            wait: WaitId(n.parse().ok()?),
        },
        ["sends", n, "away", more @ ..] => Command::RefuseDevice {
            wait: WaitId(n.parse().ok()?),
            ban: for_good(more)?,
            present: present(more)?,
        },
        ["allows", "device", n] => Command::AllowDevice { device: device(n)? },
        _ => return None,
    })
}

fn requests(speech: SpeechType, paragraph: Option<ParagraphRef>, topic: &str) -> Command {
    Command::RequestFloor {
        item: None,
        words: RequestWords {
            speech,
            delegate: String::new(),
            topic: topic.into(),
            paragraph,
            title: String::new(),
            minutes: None,
        },
        about: None,
    }
}

fn about(speech: SpeechType, turn: TurnId) -> Command {
    let mut command = requests(speech, None, "");
    if let Command::RequestFloor { about, .. } = &mut command {
        *about = Some(turn);
    }
    command
}

fn in_item(of: ItemId) -> Command {
    let mut command = requests(SpeechType::Contribution, None, "");
    if let Command::RequestFloor { item, .. } = &mut command {
        *item = Some(of);
    }
    command
}

fn named(name: &str, speech: SpeechType) -> Command {
    with_words(|words| (words.delegate, words.speech) = (name.into(), speech))
}

fn with_words(edit: impl FnOnce(&mut RequestWords)) -> Command {
    let mut command = requests(SpeechType::Contribution, None, "");
    if let Command::RequestFloor { words, .. } = &mut command {
        edit(words);
    }
    command
}

fn speech(kind: &str) -> Option<SpeechType> {
    Some(match kind {
        "paper" => SpeechType::Paper,
        "contribution" => SpeechType::Contribution,
        "reply" => SpeechType::Reply,
        "response" => SpeechType::Response,
        "question" => SpeechType::Question,
        "point of order" => SpeechType::PointOfOrder,
        "directing speech" => SpeechType::Directing,
        "conclusion" => SpeechType::Conclusion,
        _ => return None,
    })
}

fn ready(n: &str, ready: Readiness) -> Option<Command> {
    Some(Command::SetReady {
        turn: turn(n)?,
        ready,
    })
}

fn waiting(how: &str) -> Option<Waiting> {
    Some(match how {
        "keeping" => Waiting::Keep,
        "clearing" => Waiting::Clear,
        "carrying" => Waiting::Carry,
        _ => return None,
    })
}

fn layout(name: &str) -> Option<Layout> {
    Some(match name {
        "waiting" => Layout::Waiting,
        "grid" => Layout::Grid,
        "document" => Layout::Document,
        "notice" => Layout::Notice,
        _ => return None,
    })
}

fn site_of(name: &[&str]) -> Option<SiteId> {
    let name = name.join(" ");
    let site = SITES.iter().position(|site| *site == name)?;
    u16::try_from(site).ok().map(SiteId)
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
