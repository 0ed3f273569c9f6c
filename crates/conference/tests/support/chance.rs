//! Runs left to chance, from fixed seeds: the gate never draws one. `SEED=n` tries another.

use super::room::{Room, actor, people, setup};
use diemcau_conference::{
    Actor, Command, CommentKind, CommentWords, Headcount, Layout, PromptKind, Readiness,
    RequestWords, Signal, SpeechType, Waiting, permits,
};
use diemcau_model::{
    CommentId, DeviceId, DraftId, EndpointKind, ItemId, ParagraphRef, PromptId, SeatId, SiteId,
    TurnId, WaitId,
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use std::{cell::RefCell, env};

/// A seed that found a bug joins the list with a word about it.
const SEEDS: [u64; 5] = [7, 41, 2021, 5, 2];
const CASES: u32 = 160;
const STEPS_MAX: usize = 160;

/// What may happen next. Numbers are picks: what they mean depends on how the conference stands.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Ask {
        who: u8,
        what: u8,
        a: u8,
        b: u8,
        yes: bool,
    },
    Wait(u64),
    Oversleep(u64),
    Link {
        site: u16,
        standby: bool,
        up: bool,
    },
    Restart {
        asleep_ms: u64,
    },
    Gone {
        seat: u32,
    },
    Measured {
        site: u16,
        level_dbov: i8,
    },
    /// A device comes to the door, or the first that waits goes; 0 makes no key.
    Knock {
        seat: u32,
        device: u8,
    },
    Walk,
}

/// How many times something was seen over all runs: a law that never met its case has proved nothing.
#[derive(Default)]
pub struct Tally(RefCell<std::collections::BTreeMap<String, u32>>);

impl Tally {
    pub fn saw(&self, what: impl Into<String>) {
        *self.0.borrow_mut().entry(what.into()).or_default() += 1;
    }

    pub fn of(&self, what: &str) -> u32 {
        self.0.borrow().get(what).copied().unwrap_or_default()
    }

    pub fn names(&self) -> Vec<String> {
        self.0.borrow().keys().cloned().collect()
    }
}

/// Tries many runs; `law` panics when one breaks it, and the shortest such run is told.
pub fn runs(law: impl Fn(u16, &[Step])) {
    try_runs(step().boxed(), &law);
}

/// Runs of a chair who is busy with the list and nothing else: steps upon steps, questions upon questions.
pub fn busy_runs(law: impl Fn(u16, &[Step])) {
    try_runs(busy_step().boxed(), &law);
}

fn try_runs(step: BoxedStrategy<Step>, law: &impl Fn(u16, &[Step])) {
    let given = env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = given.map_or(SEEDS.to_vec(), |seed| vec![seed]);
    for seed in seeds {
        let mut runner = TestRunner::new(Config {
            cases: CASES,
            rng_seed: RngSeed::Fixed(seed),
            failure_persistence: None,
            ..Config::default()
        });
        let run = (
            prop_oneof![2 => 1..=11_u16, 1 => Just(11)],
            prop::collection::vec(step.clone(), 0..STEPS_MAX),
        );
        let outcome = runner.run(&run, |(item, steps)| {
            law(item, &steps);
            Ok(())
        });
        if let Err(trouble) = outcome {
            panic!("seed {seed}: {trouble}");
        }
    }
}

/// A room in which an item has just begun.
pub fn begin(item: u16) -> Room {
    let mut room = Room::linked(setup());
    let item = ItemId(item);
    let waiting = None;
    room.ask(
        &actor("chair").unwrap(),
        &Command::StartItem { item, waiting },
    )
    .unwrap();
    room
}

/// Takes one step.
pub fn take(room: &mut Room, step: Step) {
    match step {
        Step::Ask { .. } => {
            let (actor, command) = asked(room, step).unwrap();
            let before = room.live.clone();
            if room.ask(&actor, &command).is_err() {
                assert!(room.live == before, "a refusal left something behind");
            }
        }
        Step::Wait(ms) => room.wait_until(room.now.plus(ms)),
        Step::Oversleep(ms) => room.oversleep(room.now.plus(ms)),
        Step::Link { site, standby, up } => {
            let site = SiteId(site);
            let kind = match standby {
                true => EndpointKind::Standby,
                false => EndpointKind::Room,
            };
            room.signal(match up {
                true => Signal::LinkUp { site, kind },
                false => Signal::LinkDown { site, kind },
            });
        }
        Step::Gone { seat } => {
            room.signal(Signal::SeatGone { seat: SeatId(seat) });
            room.signal(Signal::StayedAway { seat: SeatId(seat) });
        }
        Step::Measured { site, level_dbov } => room.signal(Signal::Measured {
            site: SiteId(site),
            level_dbov,
            rtt_ms: Some(20),
            loss_permille: 5,
        }),
        Step::Knock { seat, device } => room.signal(Signal::Knocked {
            seat: SeatId(seat),
            device: (device > 0).then(|| self::device(device)),
            code: 1_000 + u16::from(device),
        }),
        Step::Walk => {
            if let Some(visitor) = room.live.door().waiting.first() {
                let wait = visitor.id;
                room.signal(Signal::WaitOver { wait });
            }
        }
        Step::Restart { asleep_ms } => {
            // As after kill -9: the last sign of life is when the journal was last written, or a little later.
            let last_alive = room.now;
            room.now = room.now.plus(asleep_ms);
            room.signal(Signal::Restarted { last_alive });
        }
    }
}

/// Questions more often than they come in life: they are put into speeches.
const SPEECHES: [SpeechType; 11] = [
    SpeechType::Question,
    SpeechType::Question,
    SpeechType::Question,
    SpeechType::Paper,
    SpeechType::Contribution,
    SpeechType::Reply,
    SpeechType::Response,
    SpeechType::Question,
    SpeechType::PointOfOrder,
    SpeechType::Directing,
    SpeechType::Conclusion,
];

const PROMPTS: [PromptKind; 4] = [
    PromptKind::Slower,
    PromptKind::Prepare,
    PromptKind::NeedHelp,
    PromptKind::CannotHear,
];

/// Who asks for what in an `Ask`, as the conference stands.
pub fn asked(room: &Room, step: Step) -> Option<(Actor, Command)> {
    let Step::Ask {
        who,
        what,
        a,
        b,
        yes,
    } = step
    else {
        return None;
    };
    let command = command(room, what, a, b, yes);
    let everyone: Vec<Actor> = people().into_iter().filter_map(actor).collect();
    let able = everyone.iter().filter(|one| permits(one.role, &command));
    let able: Vec<Actor> = able.copied().collect();
    // One in eight asks for what it may not.
    let from = if who.is_multiple_of(8) {
        everyone
    } else {
        able
    };
    from.get(usize::from(who / 8) % from.len())
        .map(|actor| (*actor, command))
}

fn step() -> impl Strategy<Value = Step> {
    let common = prop_oneof![
        10 => Just(5_u8), 7 => Just(11), 4 => Just(12), 4 => 13..=18_u8, 2 => 13..=14_u8, 5 => 6..=10_u8,
        3 => Just(19), 4 => 20..=22_u8, 1 => Just(23), 1 => 0..=4_u8, 1 => Just(24), 3 => 25..=30_u8,
        6 => Just(26), 2 => 31..=38_u8, 2 => Just(37), 4 => 39..=48_u8, 5 => 49..=51_u8, 2 => 53..=54_u8, 2 => 40..=42_u8,
        5 => Just(52),
    ];
    let ask = (any::<u8>(), common, any::<u8>(), any::<u8>(), any::<bool>());
    let ask = ask.prop_map(|(who, what, a, b, yes)| Step::Ask {
        who,
        what,
        a,
        b,
        yes,
    });
    let link = (0..5_u16, any::<bool>(), any::<bool>());
    prop_oneof![
        20 => ask,
        3 => (1..5_000_u64).prop_map(Step::Wait),
        3 => (5_000..90_000_u64).prop_map(Step::Wait),
        1 => (90_000..500_000_u64).prop_map(Step::Wait),
        1 => (1..500_000_u64).prop_map(Step::Oversleep),
        4 => link.prop_map(|(site, standby, up)| Step::Link { site, standby, up }),
        1 => (0..60_000_u64).prop_map(|asleep_ms| Step::Restart { asleep_ms }),
        1 => (0..3_u32).prop_map(|seat| Step::Gone { seat }),
        6 => (5..10_u32, 0..7_u8).prop_map(|(seat, device)| Step::Knock { seat, device }),
        1 => Just(Step::Walk),
        2 => (0..5_u16, -90..-10_i8).prop_map(|(site, level_dbov)| Step::Measured { site, level_dbov }),
    ]
}

fn busy_step() -> impl Strategy<Value = Step> {
    let what = prop_oneof![
        8 => Just(5_u8), 3 => Just(6), 1 => Just(8), 4 => 9..=10_u8, 7 => Just(11), 3 => Just(12), 2 => Just(16), 5 => Just(26),
        1 => Just(25), 2 => Just(50),
    ];
    let who = (1..32_u8).prop_map(|who| who * 8 + 1);
    let ask = (who, what, any::<u8>(), any::<u8>(), any::<bool>());
    let ask = ask.prop_map(|(who, what, a, b, yes)| Step::Ask {
        who,
        what,
        a,
        b,
        yes,
    });
    prop_oneof![
        20 => ask,
        2 => (1..4_000_u64).prop_map(Step::Wait),
        1 => (1..90_000_u64).prop_map(Step::Wait),
    ]
}

fn command(room: &Room, what: u8, a: u8, b: u8, yes: bool) -> Command {
    let turn = pick_turn(room, a);
    let running = room.live.floor().turn().map(|turn| turn.turn);
    let after = if b.is_multiple_of(8) {
        Some(turn)
    } else {
        running
    };
    let item = ItemId(u16::from(a % 13));
    let waiting = [
        None,
        Some(Waiting::Keep),
        Some(Waiting::Clear),
        Some(Waiting::Carry),
    ];
    let waiting = waiting[usize::from(b % 4)];
    let site = SiteId(u16::from(a % 5));
    let layouts = [
        Layout::Waiting,
        Layout::Grid,
        Layout::Speaker,
        Layout::Document,
        Layout::Notice,
        Layout::Blank,
    ];
    let layout = layouts[usize::from(a) % layouts.len()];
    let called = room.live.roll().calling.map(|(site, _)| site);
    let called = called.filter(|_| !b.is_multiple_of(8)).unwrap_or(site);
    let comment = pick_comment(room, a);
    let seat = SeatId(6 + u32::from(a % 6));
    let visitor = room.live.door().waiting.first();
    let wait = visitor.map_or(WaitId(1), |visitor| visitor.id);
    match what {
        0 => Command::StartItem { item, waiting },
        1 => Command::FinishItem { item },
        2 => Command::NextItem {
            after: match yes {
                true => room.live.agenda().current,
                false => Some(item),
            },
            expect: room.live.agenda().next().unwrap_or(item),
            waiting,
        },
        3 => Command::MoveItem {
            item,
            before: yes.then(|| ItemId(u16::from(b % 12))),
        },
        4 => Command::SetList { open: yes },
        5 => Command::RequestFloor {
            item: b.is_multiple_of(31).then(|| ItemId(u16::from(a % 12))),
            words: RequestWords {
                speech: match yes {
                    true => SPEECHES[usize::from(a) % SPEECHES.len()],
                    false => SpeechType::Contribution,
                },
                delegate: match b % 3 {
                    0 => String::new(),
                    n => format!("Đại biểu {}", n + a % 4),
                },
                title: String::new(),
                minutes: (a % 5 == 1).then_some(u16::from(b) % 4),
                topic: "ộ".repeat(usize::from(b % 202)),
                paragraph: (a.is_multiple_of(4)).then(|| paragraph(b)),
            },
            about: (a.is_multiple_of(5)).then(|| pick_turn(room, b)),
        },
        6 => Command::WithdrawRequest { turn },
        7 => Command::AcceptRequest { turn },
        8 => Command::DenyRequest {
            turn,
            reason: String::new(),
        },
        9 => Command::MoveRequest {
            turn,
            before: yes.then(|| pick_turn(room, b)),
        },
        10 => Command::Stage {
            turns: match b % 3 {
                0 => vec![],
                1 => vec![turn],
                _ => vec![turn, pick_turn(room, b)],
            },
        },
        11 => Command::GrantNext {
            after,
            expect: match (room.live.next(), b % 8) {
                (Some(next), 1..) => next.turn(),
                (Some(_), 0) | (None, _) => turn,
            },
        },
        12 => Command::Grant { after, turn },
        13 => Command::PauseTurn {
            turn: running.unwrap_or(turn),
        },
        14 => Command::ResumeTurn {
            turn: running.unwrap_or(turn),
        },
        15 => Command::ExtendTurn {
            turn: running.unwrap_or(turn),
            minutes: u16::from(a % 4),
        },
        16 => Command::EndTurn { turn },
        17 => Command::RevokeTurn { turn },
        18 => Command::SetHallMicrophone {
            open: !room.live.screen().hall_microphone || yes,
        },
        19 => Command::PostComment {
            kind: CommentKind::Add,
            words: CommentWords {
                at: paragraph(a),
                text: if b.is_multiple_of(8) { "" } else { "Bổ sung" }.into(),
                proposed: String::new(),
                delegate: String::new(),
            },
        },
        20 => Command::HoldComment { comment },
        21 => Command::PublishComment { comment },
        22 => Command::WithdrawComment { comment },
        23 => Command::SetLayout { layout },
        25 => Command::SetReady {
            turn,
            ready: [Readiness::Unknown, Readiness::Ready, Readiness::NotReady][usize::from(b % 3)],
        },
        26 | 27 => Command::Undo {
            turn: room
                .live
                .floor()
                .step
                .as_ref()
                .map_or(turn, |step| step.request.turn),
        },
        28 => Command::KeepTurn {
            turn: running.unwrap_or(turn),
        },
        29 => Command::SetPriority { on: yes },
        30 => Command::CloseMicrophones,
        31 | 32 => Command::StartRollCall,
        33 | 34 => Command::CallNextSite { after: called },
        35 => Command::CallSite { site },
        36 => Command::PassOverSite { site: called },
        37 => Command::EndRollCall,
        38 => Command::SetHeadcount {
            site,
            headcount: Headcount {
                summoned: 10,
                present: u16::from(b % 12),
                ..Headcount::default()
            },
        },
        39 => match b % 3 {
            0 => Command::ReturnChair,
            _ => Command::TakeChair,
        },
        40 => Command::PromptSite {
            site,
            prompt: PROMPTS[usize::from(b) % PROMPTS.len()],
        },
        41 => Command::PromptDesks {
            prompt: PROMPTS[usize::from(b) % PROMPTS.len()],
        },
        42 => Command::HandlePrompt {
            prompt: PromptId(1 + u32::from(a % 3)),
        },
        43 => Command::PreviewLayout {
            layout: yes.then_some(layout),
        },
        44 => Command::TakePreview {
            expect: room.live.screen().preview.unwrap_or(layout),
        },
        45 => Command::ShowParagraph {
            at: yes.then(|| paragraph(b)),
        },
        46 => match b % 5 {
            0 | 1 => Command::SetSpotlight {
                site: yes.then_some(site),
            },
            2 => Command::AskToPresent,
            3 => Command::LetPresent { seat },
            _ => Command::EndPresentation { seat },
        },
        47 => Command::SetCarousel {
            seconds: yes.then_some(u16::from(b % 20)),
        },
        48 => match yes {
            true => Command::SetNotice {
                text: "Nghỉ".repeat(usize::from(b)),
            },
            false => Command::SetPage {
                page: u16::from(b % 2),
            },
        },
        49 => Command::OpenMicrophones,
        50 => Command::ReturnCall {
            turn: running.unwrap_or(turn),
        },
        52 => match b % 6 {
            0 | 1 => Command::AdmitDevice { wait },
            2 => Command::RefuseDevice {
                wait,
                ban: yes,
                present: vec![],
            },
            3 => Command::ExpelSeat {
                seat,
                ban: yes,
                present: vec![],
            },
            4 => Command::RestoreSeat {
                seat,
                is_there: yes,
            },
            _ => Command::AllowDevice { device: device(a) },
        },
        51 => Command::SetBlank { on: yes },
        53 => Command::StartBreak {
            minutes: u16::from(b % 20),
        },
        54 => Command::EndBreak,
        // Seats of sites only: a conference without its desks would do little more.
        _ => Command::RevokeSeat { seat },
    }
}

/// A turn that waits or speaks, or one that is over or was never there.
fn pick_turn(room: &Room, pick: u8) -> TurnId {
    let floor = room.live.floor();
    let waiting = floor.queue().chain(floor.pending());
    let mut turns: Vec<TurnId> = waiting.map(|request| request.turn).collect();
    turns.extend(floor.turns.iter().map(|turn| turn.turn));
    turns.push(TurnId(1));
    turns.push(TurnId(999));
    turns[usize::from(pick) % turns.len()]
}

/// A comment that is there, or one that is not.
fn pick_comment(room: &Room, pick: u8) -> CommentId {
    let mut comments: Vec<CommentId> = room.live.feed().comments.keys().copied().collect();
    comments.push(CommentId(999));
    comments[usize::from(pick) % comments.len()]
}

fn device(pick: u8) -> DeviceId {
    DeviceId([pick % 7; 32])
}

fn paragraph(pick: u8) -> ParagraphRef {
    ParagraphRef {
        draft: DraftId(1 + u16::from(pick.is_multiple_of(16))),
        paragraph: u16::from(pick % 4),
    }
}
