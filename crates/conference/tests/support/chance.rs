//! Runs left to chance, from fixed seeds: the gate never draws one. `SEED=n` tries another.

use super::room::{Room, actor, people, setup};
use diemcau_conference::{
    Actor, Command, CommentKind, CommentWords, Layout, RequestWords, Signal, SpeechType, permits,
};
use diemcau_model::{
    CommentId, DraftId, EndpointKind, ItemId, ParagraphRef, SeatId, SiteId, TurnId,
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use std::{cell::RefCell, env};

/// A seed that found a bug joins the list with a word about it.
const SEEDS: [u64; 3] = [7, 41, 2021];
const CASES: u32 = 80;
const STEPS_MAX: usize = 60;

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
    let given = env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = given.map_or(SEEDS.to_vec(), |seed| vec![seed]);
    for seed in seeds {
        let mut runner = TestRunner::new(Config {
            cases: CASES,
            rng_seed: RngSeed::Fixed(seed),
            failure_persistence: None,
            ..Config::default()
        });
        let run = (1..=6_u16, prop::collection::vec(step(), 0..STEPS_MAX));
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
    room.ask(&actor("chair").unwrap(), &Command::StartItem { item })
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
        Step::Restart { asleep_ms } => {
            // As after kill -9: the last sign of life is when the journal was last written, or a little later.
            let last_alive = room.now;
            room.now = room.now.plus(asleep_ms);
            room.signal(Signal::Restarted { last_alive });
        }
    }
}

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
        8 => Just(5_u8), 6 => Just(11), 3 => Just(12), 3 => 13..=18_u8, 2 => 13..=14_u8, 3 => 6..=10_u8,
        3 => Just(19), 4 => 20..=22_u8, 1 => Just(23), 1 => 0..=4_u8, 1 => Just(24),
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
    ]
}

fn command(room: &Room, what: u8, a: u8, b: u8, yes: bool) -> Command {
    let turn = pick_turn(room, a);
    let running = room.live.floor().turn.as_ref().map(|turn| turn.turn);
    let after = if b.is_multiple_of(8) {
        Some(turn)
    } else {
        running
    };
    let item = ItemId(u16::from(a % 8));
    let comment = pick_comment(room, a);
    match what {
        0 => Command::StartItem { item },
        1 => Command::FinishItem { item },
        2 => Command::NextItem {
            after: match yes {
                true => room.live.agenda().current,
                false => Some(item),
            },
        },
        3 => Command::MoveItem {
            item,
            before: yes.then(|| ItemId(u16::from(b % 7))),
        },
        4 => Command::SetList { open: yes },
        5 => Command::RequestFloor {
            words: RequestWords {
                speech: match yes {
                    true => SpeechType::PointOfOrder,
                    false => SpeechType::Contribution,
                },
                delegate: "Bà Nguyễn Thị B".into(),
                topic: "ộ".repeat(usize::from(b % 202)),
                paragraph: (a.is_multiple_of(4)).then(|| paragraph(b)),
            },
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
        10 => Command::Prepare { turn },
        11 => Command::GrantNext {
            after,
            expect: match (room.live.floor().on_deck(), b % 8) {
                (Some(next), 1..) => next.turn,
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
        18 => Command::SetHallMicrophone { open: yes },
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
        23 => Command::SetLayout {
            layout: if yes { Layout::Grid } else { Layout::Speaker },
        },
        // Seats of sites only: a conference without its desks would do little more.
        _ => Command::RevokeSeat {
            seat: SeatId(6 + u32::from(a % 6)),
        },
    }
}

/// A turn that waits or speaks, or one that is over or was never there.
fn pick_turn(room: &Room, pick: u8) -> TurnId {
    let floor = room.live.floor();
    let waiting = floor.queue.iter().chain(&floor.pending);
    let mut turns: Vec<TurnId> = waiting.map(|request| request.turn).collect();
    turns.extend(floor.turn.as_ref().map(|turn| turn.turn));
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

fn paragraph(pick: u8) -> ParagraphRef {
    ParagraphRef {
        draft: DraftId(1 + u16::from(pick.is_multiple_of(16))),
        paragraph: u16::from(pick % 4),
    }
}
