//! Who may ask for what: every row of the table by every asker, about the own site and others', in every state named
//! here, against the rules as they run. `UPDATE=1 cargo test -p diemcau-conference --test permits` writes PERMISSIONS.md.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use diemcau_conference::{
    Actor, Command, CommentKind, CommentWords, Conference, Deed, Headcount, Layout, May,
    PromptKind, ROLES, Readiness, Refusal, RequestWords, SpeechType, Waiting, permissions_page,
};
use diemcau_model::{
    CommentId, DeviceId, DraftId, ItemId, ParagraphRef, PromptId, Role, SeatId, SiteId, TurnId,
    WaitId,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    path::Path,
};
use support::{
    play::perform,
    room::{Room, actor, people, setup},
};

/// A conference at work: turns wait in two sites, one speaks, comments stand and are held, prompts go both ways.
const AT_WORK: &str = "
    00:00  chair       opens item 5
    00:01  Tháp Mười   requests
    00:02  Sa Đéc      requests
    00:03  Tháp Mười   requests
    00:04  hall        requests
    00:05  Tháp Mười   comments on 1 Nhất trí
    00:06  Sa Đéc      comments on 2 Bổ sung
    00:07  secretary   holds comment 2
    00:08  chair       tells slower to Tháp Mười
    00:09  Sa Đéc      asks for help
    00:10  technician  lays ready grid
    00:11  Sa Đéc      knocks with device 1 as 1111
    00:12  Sa Đéc      knocks with device 3 as 3333
    00:13  technician  sends 1 away for good
    00:14  Sa Đéc      knocks with device 2 as 2222
    00:15  chair       expels seat 1
    00:16  chair       expels seat 5";

/// The states a right could depend on, each as what happened before. The clock goes on behind the last line.
const STATES: [(&str, &str, &str); 14] = [
    ("nothing has begun", "", ""),
    ("an item runs", "", "00:20 chair opens item 5"),
    (
        "requests wait for the chair's word",
        "",
        "00:20 chair opens item 4
        00:20 Tháp Mười requests
        00:20 Sa Đéc requests",
    ),
    ("at work", AT_WORK, ""),
    ("a speech", AT_WORK, "00:20 chair grants 1"),
    (
        "the speech is paused",
        AT_WORK,
        "00:20 chair grants 1
        00:20 chair pauses 1",
    ),
    (
        "the speech is held",
        AT_WORK,
        "00:20 chair grants 1
        00:20 Tháp Mười room lost",
    ),
    (
        "a request was moved",
        AT_WORK,
        "00:20 chair moves 3 before 2",
    ),
    ("a break", AT_WORK, "00:20 chair breaks for 5"),
    ("the list is closed", AT_WORK, "00:20 chair closes the list"),
    ("the roll is called", AT_WORK, "00:20 chair calls the roll"),
    (
        "the screens are in hand",
        AT_WORK,
        "00:20 chair opens the microphone
        00:20 technician keeps the picture of Sa Đéc
        00:20 technician runs a carousel of 5
        00:20 technician shows paragraph 1",
    ),
    (
        "many would like to present",
        AT_WORK,
        "00:20 chair asks to present
        00:20 deputy asks to present
        00:20 secretary asks to present
        00:20 technician asks to present
        00:20 Sa Đéc asks to present
        00:20 Tháp Mười asks to present",
    ),
    (
        "the last item is over",
        "",
        "00:20 chair opens item 11
        00:20 chair finishes item 11",
    ),
];

/// What a cell may refuse with; nothing else may.
const BY_RIGHT: [Refusal; 4] = [
    Refusal::NotAllowed,
    Refusal::OtherSite,
    Refusal::DeputyPresides,
    Refusal::NotPresiding,
];

#[test]
fn every_cell_in_every_state() {
    let (mut cells, mut done, mut cases) = (BTreeSet::new(), BTreeSet::new(), 0);
    for (state, room, presider) in rooms() {
        for asker in askers() {
            for (deed, about, command) in commands(&room.live, &asker) {
                let found = room.live.decide(&asker, &command, room.now);
                let why = format!("{state}, {presider} presides: {asker:?} {command:?}: {found:?}");
                assert_eq!(room.live.deed(&asker, &command), deed, "{why}");
                let right = found.as_ref().err().filter(|why| BY_RIGHT.contains(why));
                let wanted = wanted(deed, &asker, about, presider);
                assert_eq!(right.copied(), wanted, "{why}");
                let relation = about.map(|site| Some(site) == asker.site);
                cells.insert((deed, column(asker.role), relation, state, presider));
                if found.is_ok() {
                    done.insert((deed, column(asker.role)));
                }
                cases += 1;
            }
        }
    }
    let of_a_site = [
        Deed::WithdrawRequest,
        Deed::SetReady,
        Deed::EndTurn,
        Deed::ReturnCall,
        Deed::SetHeadcount,
        Deed::HandleToSite,
        Deed::WithdrawComment,
    ];
    for deed in of_a_site {
        let moderator = column(Role::Moderator);
        let ran = |own: bool| {
            cells
                .iter()
                .any(|cell| (cell.0, cell.1, cell.2) == (deed, moderator, Some(own)))
        };
        assert!(
            ran(true) && ran(false),
            "{deed:?} of the own and of another site"
        );
    }
    for deed in Deed::ALL {
        for role in ROLES {
            let runs = cells
                .iter()
                .filter(|cell| (cell.0, cell.1) == (*deed, column(role)));
            let (runs, expected) = (runs.count(), 2 * STATES.len());
            // The chair's own seat, and a site's objects, are not there in every state.
            assert!(
                runs >= expected || is_about_something(*deed),
                "{deed:?} by {role:?} ran {runs} times"
            );
            // A "never" says little beside which nothing is ever done.
            let may = deed.may(role) != May::Never;
            assert_eq!(
                done.contains(&(*deed, column(role))),
                may,
                "{deed:?} by {role:?}"
            );
        }
    }
    println!("{} cells, {cases} cases, 0 unexpected", cells.len());
}

#[test]
fn a_revoked_seat_may_nothing_in_any_state() {
    for (state, mut room, _) in rooms() {
        let technician = actor("technician").unwrap();
        let askers = askers()
            .into_iter()
            .filter(|one| !matches!(one.role, Role::Chair | Role::Technician));
        for asker in askers {
            let revoke = Command::RevokeSeat { seat: asker.seat };
            room.ask(&technician, &revoke).ok();
            for (_, _, command) in commands(&room.live, &asker) {
                let answer = room.live.decide(&asker, &command, room.now);
                assert_eq!(
                    answer,
                    Err(Refusal::NotAllowed),
                    "{state}: {asker:?} {command:?}"
                );
            }
        }
    }
}

#[test]
fn the_page_shows_the_table_and_what_was_done_in_each_state() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("PERMISSIONS.md");
    let page = format!("{}{}", permissions_page(), states_page());
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "PERMISSIONS.md is stale: UPDATE=1 cargo test -p diemcau-conference --test permits"
    );
}

#[test]
fn whoever_revokes_whatever_a_chair_remains() {
    for first in support::room::people() {
        let mut room = Room::linked(setup());
        let others = support::room::people();
        for name in std::iter::once(first).chain(others) {
            let actor = actor(name).unwrap();
            for seat in room.live.setup().seats.clone() {
                let revoke = Command::RevokeSeat { seat: seat.id };
                // Most are refused; what is left is what counts.
                room.ask(&actor, &revoke).ok();
            }
        }
        let seats = &room.live.setup().seats;
        let chairs = seats
            .iter()
            .filter(|seat| seat.role == Role::Chair && !room.live.roster().is_revoked(seat.id));
        assert_eq!(chairs.count(), 1, "{first}");
    }
}

const STATES_HEAD: &str = "
## In which state

What the rules do with it, which the table above does not decide: for each state of `tests/permits.rs` by whom the command was
carried out there, once with the chair presiding and once with the deputy, about whatever was there for it. C chair, D deputy, S
secretary, M moderator, T technician; a dot: by nobody, it was refused for what it is. Rows that are nobody's are left out.

";

/// The axis of the states, as the rules were seen to decide.
fn states_page() -> String {
    let done = done_in_states();
    let mut page = String::from(STATES_HEAD);
    for (n, (state, _, _)) in (1..).zip(STATES) {
        writeln!(page, "{n}. {state}").unwrap();
    }
    let columns: Vec<String> = (1..=STATES.len()).map(|n| n.to_string()).collect();
    let (columns, rule) = (columns.join(" | "), "|---".repeat(STATES.len() + 1));
    writeln!(page, "\n| command | {columns} |\n{rule}|").unwrap();
    let anybodys = |deed: &&Deed| ROLES.iter().any(|role| deed.may(*role) != May::Never);
    for deed in Deed::ALL.iter().filter(anybodys) {
        let (command, rest) = deed.name().split_once(' ').unwrap_or((deed.name(), ""));
        write!(page, "| `{command}` {rest}").unwrap();
        for (state, _, _) in STATES {
            let by = done.get(&(*deed, state));
            let letters: String = by
                .into_iter()
                .flatten()
                .map(|role| LETTERS[*role])
                .collect();
            let shown = if letters.is_empty() {
                "·"
            } else {
                letters.as_str()
            };
            write!(page, " | {shown}").unwrap();
        }
        page.push_str(" |\n");
    }
    page
}

/// As in `ROLES`; the last two may nothing.
const LETTERS: [char; 7] = ['C', 'D', 'S', 'M', 'T', 'O', 'W'];

/// Who carried what out in which state, by place in `ROLES`.
fn done_in_states() -> BTreeMap<(Deed, &'static str), BTreeSet<usize>> {
    let mut done: BTreeMap<_, BTreeSet<usize>> = BTreeMap::new();
    for (state, room, _) in rooms() {
        for asker in askers() {
            for (deed, _, command) in commands(&room.live, &asker) {
                if room.live.decide(&asker, &command, room.now).is_ok() {
                    let by = done.entry((deed, state)).or_default();
                    by.insert(column(asker.role));
                }
            }
        }
    }
    done
}

/// Every state twice: the chair presides, and the deputy.
fn rooms() -> Vec<(&'static str, Room, &'static str)> {
    let mut rooms = vec![];
    for (state, before, then) in STATES {
        for presider in ["chair", "deputy"] {
            let mut setup = setup();
            let mut many = setup.sites.clone();
            // So many sites that the grid has a second page.
            for id in 4..16 {
                let mut site = many[1].clone();
                site.id = SiteId(id);
                many.push(site);
            }
            setup.sites = many;
            let mut room = Room::linked(setup);
            perform(&mut room, before, &mut vec![]);
            perform(&mut room, then, &mut vec![]);
            if presider == "deputy" {
                perform(&mut room, "00:21 deputy takes the chair", &mut vec![]);
            }
            rooms.push((state, room, presider));
        }
    }
    rooms
}

/// Everybody, and a moderator whom the settings file gave no site.
fn askers() -> Vec<Actor> {
    let mut askers: Vec<Actor> = people().into_iter().filter_map(actor).collect();
    let homeless = Actor {
        site: None,
        ..actor("Tháp Mười").unwrap()
    };
    askers.push(homeless);
    askers
}

/// What the table says of a case.
fn wanted(deed: Deed, asker: &Actor, about: Option<SiteId>, presider: &str) -> Option<Refusal> {
    match deed.may(asker.role) {
        May::Never => Some(Refusal::NotAllowed),
        May::Always => None,
        May::OwnSite => match (asker.site, about) {
            (None, _) => Some(Refusal::NotAllowed),
            (Some(own), Some(site)) if own != site => Some(Refusal::OtherSite),
            (Some(_), _) => None,
        },
        May::Presiding => match (asker.role, presider) {
            (Role::Chair, "chair") | (Role::Deputy, "deputy") => None,
            (Role::Chair, _) => Some(Refusal::DeputyPresides),
            (_, _) => Some(Refusal::NotPresiding),
        },
    }
}

/// Rows that are there only while something of their kind is.
fn is_about_something(deed: Deed) -> bool {
    matches!(
        deed,
        Deed::HandleToSite | Deed::HandleFromSite | Deed::WithdrawForHall
    )
}

fn column(role: Role) -> usize {
    ROLES.iter().position(|one| *one == role).unwrap()
}

/// Every row, about everything that is there and something that is not: the row, the site it is about, the command.
fn commands(live: &Conference, asker: &Actor) -> Vec<(Deed, Option<SiteId>, Command)> {
    let mut all = vec![];
    about_items(live, &mut all);
    about_turns(live, &mut all);
    about_sites(live, &mut all);
    about_prompts(live, asker, &mut all);
    about_comments(live, &mut all);
    about_screens(live, &mut all);
    for seat in &live.setup().seats {
        let deed = match (seat.id == asker.seat, seat.role) {
            (true, _) => Deed::RevokeOwnSeat,
            (false, Role::Chair) => Deed::RevokeChair,
            (false, _) => Deed::RevokeSeat,
        };
        all.push((deed, None, Command::RevokeSeat { seat: seat.id }));
    }
    all.push((Deed::AskToPresent, None, Command::AskToPresent));
    for seat in live.setup().seats.iter().map(|seat| seat.id) {
        let end = match seat == asker.seat {
            true => Deed::EndOwn,
            false => Deed::EndPresentation,
        };
        all.extend([
            (Deed::LetPresent, None, Command::LetPresent { seat }),
            (end, None, Command::EndPresentation { seat }),
        ]);
    }
    for seat in &live.setup().seats {
        let (id, ban) = (seat.id, false);
        let (expel, restore) = match (id == asker.seat, seat.role) {
            (true, Role::Chair) => (Deed::ExpelOwnSeat, Deed::RestoreChair),
            (true, _) => (Deed::ExpelOwnSeat, Deed::RestoreSeat),
            (false, Role::Chair) => (Deed::ExpelChair, Deed::RestoreChair),
            (false, _) => (Deed::ExpelSeat, Deed::RestoreSeat),
        };
        let (seat, present) = (id, vec![]);
        all.push((expel, None, Command::ExpelSeat { seat, ban, present }));
        all.push((
            restore,
            None,
            Command::RestoreSeat {
                seat: id,
                is_there: false,
            },
        ));
    }
    for (wait, device) in [(2, 3), (99, 99)] {
        let (wait, device, ban) = (WaitId(wait), DeviceId([device; 32]), true);
        all.extend([
            (Deed::AdmitDevice, None, Command::AdmitDevice { wait }),
            (
                Deed::RefuseDevice,
                None,
                Command::RefuseDevice {
                    wait,
                    ban,
                    present: vec![],
                },
            ),
            (Deed::AllowDevice, None, Command::AllowDevice { device }),
        ]);
    }
    let nobody = SeatId(999);
    all.push((Deed::RevokeSeat, None, Command::RevokeSeat { seat: nobody }));
    all.push((Deed::TakeChair, None, Command::TakeChair));
    all.push((Deed::ReturnChair, None, Command::ReturnChair));
    all
}

type Rows = Vec<(Deed, Option<SiteId>, Command)>;

fn about_items(live: &Conference, all: &mut Rows) {
    let waiting = Some(Waiting::Keep);
    let after = live.agenda().current;
    for item in [1, 6, 99].map(ItemId) {
        let before = None;
        all.push((Deed::StartItem, None, Command::StartItem { item, waiting }));
        all.push((Deed::MoveItem, None, Command::MoveItem { item, before }));
    }
    let minutes = 5;
    all.push((Deed::StartBreak, None, Command::StartBreak { minutes }));
    all.push((Deed::EndBreak, None, Command::EndBreak));
    let item = after.unwrap_or(ItemId(1));
    all.push((Deed::FinishItem, None, Command::FinishItem { item }));
    let expect = live.agenda().next().unwrap_or(ItemId(1));
    let next = Command::NextItem {
        after,
        expect,
        waiting,
    };
    all.push((Deed::NextItem, None, next));
}

fn about_turns(live: &Conference, all: &mut Rows) {
    let floor = live.floor();
    let after = floor.turn().map(|turn| turn.turn);
    let waits = floor.queue().chain(floor.pending());
    let waits: Vec<(TurnId, SiteId)> = waits.map(|one| (one.turn, one.site)).collect();
    let speaks = floor.turns.iter().map(|turn| (turn.turn, turn.site));
    let speaks: Vec<(TurnId, SiteId)> = speaks.collect();
    let nobody = (TurnId(999), SiteId(999));
    for (turn, site) in waits.iter().chain(&speaks).chain([&nobody]).copied() {
        let waits = waits.contains(&(turn, site)).then_some(site);
        let speaks = speaks.contains(&(turn, site)).then_some(site);
        let (ready, before) = (Readiness::Ready, None);
        let reason = String::new();
        all.extend([
            (
                match waits == live.setup().hall() && waits.is_some() {
                    true => Deed::WithdrawForHall,
                    false => Deed::WithdrawRequest,
                },
                waits,
                Command::WithdrawRequest { turn },
            ),
            (Deed::SetReady, waits, Command::SetReady { turn, ready }),
            (Deed::EndTurn, speaks, Command::EndTurn { turn }),
            (Deed::ReturnCall, speaks, Command::ReturnCall { turn }),
            (Deed::AcceptRequest, None, Command::AcceptRequest { turn }),
            (
                Deed::DenyRequest,
                None,
                Command::DenyRequest { turn, reason },
            ),
            (
                Deed::MoveRequest,
                None,
                Command::MoveRequest { turn, before },
            ),
            (Deed::Stage, None, Command::Stage { turns: vec![turn] }),
            (
                Deed::GrantNext,
                None,
                Command::GrantNext {
                    after,
                    expect: turn,
                },
            ),
            (Deed::Grant, None, Command::Grant { after, turn }),
            (Deed::Undo, None, Command::Undo { turn }),
            (Deed::PauseTurn, None, Command::PauseTurn { turn }),
            (Deed::ResumeTurn, None, Command::ResumeTurn { turn }),
            (
                Deed::ExtendTurn,
                None,
                Command::ExtendTurn { turn, minutes: 1 },
            ),
            (Deed::KeepTurn, None, Command::KeepTurn { turn }),
            (Deed::RevokeTurn, None, Command::RevokeTurn { turn }),
        ]);
    }
    let words = RequestWords {
        speech: SpeechType::Contribution,
        delegate: String::new(),
        title: String::new(),
        topic: String::new(),
        paragraph: None,
        minutes: None,
    };
    let on = floor.priority.is_none();
    let open = !live.screen().hall_microphone;
    all.extend([
        (
            Deed::RequestFloor,
            None,
            Command::RequestFloor {
                item: None,
                words,
                about: None,
            },
        ),
        (Deed::SetList, None, Command::SetList { open: !floor.open }),
        (
            Deed::SetHallMicrophone,
            None,
            Command::SetHallMicrophone { open },
        ),
        (Deed::SetPriority, None, Command::SetPriority { on }),
        (Deed::CloseMicrophones, None, Command::CloseMicrophones),
        (Deed::OpenMicrophones, None, Command::OpenMicrophones),
    ]);
}

fn about_sites(live: &Conference, all: &mut Rows) {
    all.push((Deed::StartRollCall, None, Command::StartRollCall));
    all.push((Deed::EndRollCall, None, Command::EndRollCall));
    for site in [0, 1, 2, 999].map(SiteId) {
        let about = live.setup().site(site).map(|site| site.id);
        let headcount = Headcount {
            summoned: 9,
            present: 5,
            ..Headcount::default()
        };
        let (after, prompt) = (site, PromptKind::Prepare);
        all.extend([
            (
                Deed::SetHeadcount,
                about,
                Command::SetHeadcount { site, headcount },
            ),
            (Deed::CallNextSite, None, Command::CallNextSite { after }),
            (Deed::CallSite, None, Command::CallSite { site }),
            (Deed::PassOverSite, None, Command::PassOverSite { site }),
            (Deed::PromptSite, None, Command::PromptSite { site, prompt }),
        ]);
        let prompt = PromptKind::NeedHelp;
        all.push((
            Deed::PromptSiteAsSite,
            None,
            Command::PromptSite { site, prompt },
        ));
    }
}

fn about_prompts(live: &Conference, asker: &Actor, all: &mut Rows) {
    let (theirs, ours) = (PromptKind::CannotHear, PromptKind::Slower);
    all.push((
        Deed::PromptDesks,
        None,
        Command::PromptDesks { prompt: theirs },
    ));
    all.push((
        Deed::PromptDesksAsDesk,
        None,
        Command::PromptDesks { prompt: ours },
    ));
    for prompt in &live.prompts().prompts {
        let deed = match prompt.kind == ours {
            true => Deed::HandleToSite,
            false => Deed::HandleFromSite,
        };
        all.push((
            deed,
            Some(prompt.site),
            Command::HandlePrompt { prompt: prompt.id },
        ));
    }
    let deed = match asker.role == Role::Moderator {
        true => Deed::HandleToSite,
        false => Deed::HandleFromSite,
    };
    let prompt = PromptId(999);
    all.push((deed, None, Command::HandlePrompt { prompt }));
}

fn about_comments(live: &Conference, all: &mut Rows) {
    let words = CommentWords {
        at: ParagraphRef {
            draft: DraftId(1),
            paragraph: 1,
        },
        text: "Nhất trí".into(),
        proposed: String::new(),
        delegate: String::new(),
    };
    let kind = CommentKind::Agree;
    all.push((
        Deed::PostComment,
        None,
        Command::PostComment { kind, words },
    ));
    let there = live.feed().comments.values();
    let there = there.map(|comment| (comment.id, Some(comment.site)));
    for (comment, site) in there.chain([(CommentId(999), None)]) {
        all.extend([
            (Deed::HoldComment, None, Command::HoldComment { comment }),
            (
                Deed::PublishComment,
                None,
                Command::PublishComment { comment },
            ),
            (
                Deed::WithdrawComment,
                site,
                Command::WithdrawComment { comment },
            ),
        ]);
    }
}

fn about_screens(live: &Conference, all: &mut Rows) {
    let screen = live.screen();
    for layout in [Layout::Grid, Layout::Document, Layout::Blank] {
        let laid = Some(layout);
        all.extend([
            (Deed::SetLayout, None, Command::SetLayout { layout }),
            (
                Deed::PreviewLayout,
                None,
                Command::PreviewLayout { layout: laid },
            ),
            (
                Deed::TakePreview,
                None,
                Command::TakePreview { expect: layout },
            ),
        ]);
    }
    let on = screen.layout != Layout::Blank;
    all.push((Deed::SetBlank, None, Command::SetBlank { on }));
    let at = Some(ParagraphRef {
        draft: DraftId(1),
        paragraph: 2,
    });
    let text = format!("{}.", screen.notice);
    let (site, seconds) = (Some(SiteId(1)), Some(9));
    all.extend([
        (Deed::SetNotice, None, Command::SetNotice { text }),
        (Deed::ShowParagraph, None, Command::ShowParagraph { at }),
        (Deed::SetSpotlight, None, Command::SetSpotlight { site }),
        (Deed::SetCarousel, None, Command::SetCarousel { seconds }),
        (Deed::SetPage, None, Command::SetPage { page: 1 }),
    ]);
}
