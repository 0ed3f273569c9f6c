//! Which role may ask for what, seen from outside: every command by every role.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use diemcau_conference::{
    Actor, Command, CommentKind, CommentWords, Headcount, Layout, PromptKind, Readiness, Refusal,
    RequestWords, SpeechType, permits,
};
use diemcau_model::{
    CommentId, DraftId, ItemId, ParagraphRef, PromptId, Role, SeatId, SiteId, TurnId,
};
use expect_test::expect;
use support::room::{Room, actor, setup};

const PEOPLE: [&str; 7] = [
    "chair",
    "deputy",
    "secretary",
    "Tháp Mười",
    "technician",
    "observer",
    "screen",
];

#[test]
fn every_role_and_every_command() {
    let mut table = String::from("chair deputy secretary moderator technician observer stage\n");
    for command in every_command() {
        for name in PEOPLE {
            let may = permits(actor(name).unwrap().role, &command);
            table.push(if may { 'x' } else { '.' });
        }
        table.push_str(&format!(" {}\n", name(&command)));
    }
    expect![[r#"
        chair deputy secretary moderator technician observer stage
        xx..... StartItem
        xx..... FinishItem
        xx..... NextItem
        xx..... MoveItem
        xx..... SetList
        ...x... RequestFloor
        ...x... WithdrawRequest
        xx..... AcceptRequest
        xx..... DenyRequest
        xx..... MoveRequest
        xxx.... Stage
        xx..... GrantNext
        xx..... Grant
        xx..... PauseTurn
        xx..... ResumeTurn
        xx..... ExtendTurn
        xx.x... EndTurn
        xx..... RevokeTurn
        xx..... SetHallMicrophone
        xx..x.. SetLayout
        ..xx... PostComment
        ..x.... HoldComment
        ..x.... PublishComment
        ..xx... WithdrawComment
        x...x.. RevokeSeat
        xx.x... SetReady
        xx..... Undo
        xx..... KeepTurn
        xx..... SetPriority
        xx..... CloseMicrophones
        xx..... TakeChair
        .x..... ReturnChair
        xx..... StartRollCall
        xx..... CallNextSite
        xx..... CallSite
        xx..... PassOverSite
        xx..... EndRollCall
        ..xx... SetHeadcount
        xxx.x.. PromptSite
        ...x... PromptDesks
        xxxxx.. HandlePrompt
        xx..x.. PreviewLayout
        xx..x.. TakePreview
        xx..x.. SetNotice
        xx..x.. ShowParagraph
        xx..x.. SetSpotlight
        xx..x.. SetCarousel
        xx..x.. SetPage
    "#]]
    .assert_eq(&table);
}

#[test]
fn who_may_not_is_told_so_before_anything_else() {
    let room = Room::linked(setup());
    for command in every_command() {
        for name in PEOPLE {
            let actor = actor(name).unwrap();
            let answer = room.live.decide(&actor, &command, room.now);
            let told_so = answer == Err(Refusal::NotAllowed);
            assert_eq!(
                told_so,
                !permits(actor.role, &command),
                "{name}: {command:?}"
            );
        }
    }
}

#[test]
fn a_moderator_without_a_site_speaks_for_nobody() {
    let room = Room::linked(setup());
    let homeless = Actor {
        site: None,
        ..actor("Tháp Mười").unwrap()
    };
    for command in every_command() {
        let asks = matches!(
            command,
            Command::RequestFloor { .. } | Command::PostComment { .. }
        );
        if asks {
            let answer = room.live.decide(&homeless, &command, room.now);
            assert_eq!(answer, Err(Refusal::NotAllowed), "{command:?}");
        }
    }
    // The secretary writes down what was said in the hall.
    let secretary = actor("secretary").unwrap();
    let comment = every_command()
        .into_iter()
        .find(|command| matches!(command, Command::PostComment { .. }))
        .unwrap();
    assert_eq!(secretary.role, Role::Secretary);
    assert!(room.live.decide(&secretary, &comment, room.now).is_ok());
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

fn every_command() -> Vec<Command> {
    let (item, turn, comment) = (ItemId(1), TurnId(1), CommentId(1));
    let (before, after) = (None, None);
    let words = RequestWords {
        speech: SpeechType::Contribution,
        delegate: String::new(),
        title: String::new(),
        topic: String::new(),
        paragraph: None,
        minutes: None,
    };
    let (site, waiting) = (SiteId(1), None);
    let said = CommentWords {
        at: ParagraphRef {
            draft: DraftId(1),
            paragraph: 1,
        },
        text: "Nhất trí".into(),
        proposed: String::new(),
        delegate: String::new(),
    };
    let all = vec![
        Command::StartItem { item, waiting },
        Command::FinishItem { item },
        Command::NextItem {
            after: None,
            expect: item,
            waiting,
        },
        Command::MoveItem { item, before: None },
        Command::SetList { open: false },
        Command::RequestFloor { words },
        Command::WithdrawRequest { turn },
        Command::AcceptRequest { turn },
        Command::DenyRequest {
            turn,
            reason: String::new(),
        },
        Command::MoveRequest { turn, before },
        Command::Stage { turns: vec![] },
        Command::GrantNext {
            after,
            expect: turn,
        },
        Command::Grant { after, turn },
        Command::PauseTurn { turn },
        Command::ResumeTurn { turn },
        Command::ExtendTurn { turn, minutes: 1 },
        Command::EndTurn { turn },
        Command::RevokeTurn { turn },
        Command::SetHallMicrophone { open: true },
        Command::SetLayout {
            layout: Layout::Grid,
        },
        Command::PostComment {
            kind: CommentKind::Agree,
            words: said,
        },
        Command::HoldComment { comment },
        Command::PublishComment { comment },
        Command::WithdrawComment { comment },
        Command::RevokeSeat { seat: SeatId(9) },
        Command::SetReady {
            turn,
            ready: Readiness::Ready,
        },
        Command::Undo { turn },
        Command::KeepTurn { turn },
        Command::SetPriority { on: true },
        Command::CloseMicrophones,
        Command::TakeChair,
        Command::ReturnChair,
        Command::StartRollCall,
        Command::CallNextSite { after: site },
        Command::CallSite { site },
        Command::PassOverSite { site },
        Command::EndRollCall,
        Command::SetHeadcount {
            site,
            headcount: Headcount::default(),
        },
        Command::PromptSite {
            site,
            prompt: PromptKind::Slower,
        },
        Command::PromptDesks {
            prompt: PromptKind::NeedHelp,
        },
        Command::HandlePrompt {
            prompt: PromptId(1),
        },
        Command::PreviewLayout { layout: None },
        Command::TakePreview {
            expect: Layout::Grid,
        },
        Command::SetNotice {
            text: String::new(),
        },
        Command::ShowParagraph { at: None },
        Command::SetSpotlight { site: None },
        Command::SetCarousel { seconds: None },
        Command::SetPage { page: 0 },
    ];
    let places: Vec<usize> = all.iter().map(place).collect();
    assert_eq!(
        places,
        (0..48).collect::<Vec<_>>(),
        "one of each, none forgotten"
    );
    all
}

/// The place in the list above. A new command does not compile until it is here, and fails until it is there.
fn place(command: &Command) -> usize {
    match command {
        Command::StartItem { .. } => 0,
        Command::FinishItem { .. } => 1,
        Command::NextItem { .. } => 2,
        Command::MoveItem { .. } => 3,
        Command::SetList { .. } => 4,
        Command::RequestFloor { .. } => 5,
        Command::WithdrawRequest { .. } => 6,
        Command::AcceptRequest { .. } => 7,
        Command::DenyRequest { .. } => 8,
        Command::MoveRequest { .. } => 9,
        Command::Stage { .. } => 10,
        Command::GrantNext { .. } => 11,
        Command::Grant { .. } => 12,
        Command::PauseTurn { .. } => 13,
        Command::ResumeTurn { .. } => 14,
        Command::ExtendTurn { .. } => 15,
        Command::EndTurn { .. } => 16,
        Command::RevokeTurn { .. } => 17,
        Command::SetHallMicrophone { .. } => 18,
        Command::SetLayout { .. } => 19,
        Command::PostComment { .. } => 20,
        Command::HoldComment { .. } => 21,
        Command::PublishComment { .. } => 22,
        Command::WithdrawComment { .. } => 23,
        Command::RevokeSeat { .. } => 24,
        Command::SetReady { .. } => 25,
        Command::Undo { .. } => 26,
        Command::KeepTurn { .. } => 27,
        Command::SetPriority { .. } => 28,
        Command::CloseMicrophones => 29,
        Command::TakeChair => 30,
        Command::ReturnChair => 31,
        Command::StartRollCall => 32,
        Command::CallNextSite { .. } => 33,
        Command::CallSite { .. } => 34,
        Command::PassOverSite { .. } => 35,
        Command::EndRollCall => 36,
        Command::SetHeadcount { .. } => 37,
        Command::PromptSite { .. } => 38,
        Command::PromptDesks { .. } => 39,
        Command::HandlePrompt { .. } => 40,
        Command::PreviewLayout { .. } => 41,
        Command::TakePreview { .. } => 42,
        Command::SetNotice { .. } => 43,
        Command::ShowParagraph { .. } => 44,
        Command::SetSpotlight { .. } => 45,
        Command::SetCarousel { .. } => 46,
        Command::SetPage { .. } => 47,
    }
}

fn name(command: &Command) -> String {
    let debug = format!("{command:?}");
    debug
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}
