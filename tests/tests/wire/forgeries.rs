//! What is not one's own, asked for over the real wire: other sites' objects, other roles' commands, other seats' ids,
//! fields that say who one is, tokens put together from others. Drawn from a seed; none may succeed.
//!
//! `FORGERIES=10000 SEED=7 cargo test -p diemcau-tests --test wire forgeries -- --nocapture`

use anyhow::{Context, Result, ensure};
use diemcau_conference::{Event, Headcount, Layout, PromptKind, Readiness};
use diemcau_fuzz::Chance;
use diemcau_model::{CommentId, DeviceId, ItemId, PromptId, Role, SeatId, SiteId, TurnId, WaitId};
use diemcau_protocol::{ClientCommand, ErrorWhy, ServerFrame};
use diemcau_tests::{
    Client, Server,
    script::{DISCUSSION, comment, request, start_item, taken},
};
use serde_json::{Value, json};
use std::env;

/// In the gate; `FORGERIES` says otherwise.
const COUNT: u64 = 1_000;
const SEED: u64 = 7;
/// One connection says so many: fewer than what is taken at once after a silence.
const A_CONNECTION: u64 = 150;
/// One in so many knocks with a token that is nobody's instead.
const TOKENS: usize = 20;

#[tokio::test]
async fn nothing_forged_succeeds() -> Result<()> {
    let (count, seed) = (setting("FORGERIES", COUNT)?, setting("SEED", SEED)?);
    ensure!(count > 0, "no forgery proves nothing");
    let mut server = Server::start().await?;
    let turn = set_the_scene(&server).await?;

    let mut chance = Chance::new(seed);
    let forgers = forgers(&server)?;
    let mut told = 0;
    while told < count {
        let token = &forgers[chance.below(forgers.len())];
        let mut forger = Client::join(&server.host, token).await?;
        for n in 0..A_CONNECTION.min(count - told) {
            told += 1;
            if chance.below(TOKENS) == 0 {
                knock_in_vain(&server, &mixed(&mut chance, &forgers)).await?;
                continue;
            }
            let frame = forged(&mut chance, &forger, turn, &format!("{told}-{n}"));
            refused(&mut forger, &frame)
                .await
                .with_context(|| frame.to_string())?;
        }
    }
    println!("{told} forgeries of seed {seed}, 0 succeeded");

    server.stop().await?;
    let after_the_scene = |event: &Event| matches!(event, Event::CommentPosted { .. });
    let records = server.records()?;
    let scene = records
        .iter()
        .rposition(|record| after_the_scene(&record.event));
    for record in &records[scene.context("the scene was set")? + 1..] {
        let harmless = matches!(
            record.event,
            Event::CommandRefused { .. } | Event::EndpointLost { .. }
        );
        ensure!(harmless, "a forgery did something: {record:?}");
    }
    Ok(())
}

fn setting(name: &str, otherwise: u64) -> Result<u64> {
    let given = env::var(name).ok();
    let given = given.map(|text| text.parse().with_context(|| format!("{name}={text}")));
    Ok(given.transpose()?.unwrap_or(otherwise))
}

/// Site 3 waits in the list, and has said something; its comment is the last thing that is done.
async fn set_the_scene(server: &Server) -> Result<TurnId> {
    let mut chair = server.chair().await?;
    taken(chair.command("item", start_item(DISCUSSION)).await?)?;
    let mut site = server.moderator(3).await?;
    taken(site.command("request", request("Của điểm cầu 3")).await?)?;
    let floor = |client: &Client| client.view.floor.queue.first().map(|waits| waits.turn);
    let turn = site.until(floor).await?;
    taken(site.command("comment", comment("Của điểm cầu 3")).await?)?;
    Ok(turn)
}

/// One of each that is not the chair, and other sites than the third.
fn forgers(server: &Server) -> Result<Vec<String>> {
    let mut tokens = vec![];
    for role in [
        Role::Secretary,
        Role::Technician,
        Role::Observer,
        Role::Stage,
    ] {
        tokens.push(server.token(role, None, None)?);
    }
    for site in [1, 2, 7, 12] {
        tokens.push(server.moderator_token(SiteId(site))?);
    }
    Ok(tokens)
}

/// A token put together from pieces of real ones, or nearly a real one.
fn mixed(chance: &mut Chance, tokens: &[String]) -> String {
    let mut pick = || &tokens[chance.below(tokens.len())];
    let (one, other) = (pick().clone(), pick().clone());
    let at = 1 + chance.below(one.len() - 2);
    match chance.below(4) {
        0 if one != other => format!("{}{}", &one[..at], &other[at..]),
        1 => one[..at].to_owned(),
        2 => format!("{one}{}", &other[..at]),
        _ => {
            let turned = if one.as_bytes()[at] == b'A' { "B" } else { "A" };
            format!("{}{turned}{}", &one[..at], &one[at + 1..])
        }
    }
}

async fn knock_in_vain(server: &Server, token: &str) -> Result<()> {
    let before = server.errors(ErrorWhy::NotAdmitted).await?;
    let answer = Client::join(&server.host, token).await;
    ensure!(answer.is_err(), "let in with {token}");
    ensure!(server.errors(ErrorWhy::NotAdmitted).await? == before + 1.0);
    Ok(())
}

/// A command that this seat may not, or a frame that says who it is from.
fn forged(chance: &mut Chance, forger: &Client, turn: TurnId, id: &str) -> Value {
    let command = loop {
        let drawn = drawn(chance, turn);
        if is_forgery(forger, &drawn) {
            break serde_json::to_value(drawn).unwrap_or_default();
        }
    };
    let mut frame = json!({ "type": "command", "id": id, "command": command });
    let seat = chance.below(40);
    match chance.below(8) {
        // Who one is stands nowhere in a frame.
        0 => frame["seat"] = json!(seat),
        1 => frame["command"]["seat_of"] = json!(seat),
        2 => frame["command"]["actor"] = json!({ "seat": seat, "role": "chair" }),
        3 => frame["seq"] = json!(chance.below(1_000)),
        // An id that another seat has used is answered for this seat.
        4 => frame["id"] = json!(["item", "request", "comment"][chance.below(3)]),
        _ => {}
    }
    frame
}

fn drawn(chance: &mut Chance, turn: TurnId) -> ClientCommand {
    let turn = match chance.below(3) {
        0 => TurnId(chance.below(u32::MAX as usize) as u32),
        _ => turn,
    };
    let site = SiteId(chance.below(14) as u16);
    let seat = SeatId(chance.below(40) as u32);
    let item = ItemId(chance.below(10) as u16);
    let ban = chance.below(2) == 0;
    let wait = WaitId(chance.below(5) as u32);
    match chance.below(24) {
        0 => start_item(item),
        1 => ClientCommand::FinishItem { item },
        2 => ClientCommand::SetList { open: ban },
        3 => ClientCommand::WithdrawRequest { turn },
        4 => ClientCommand::AcceptRequest { turn },
        5 => ClientCommand::DenyRequest {
            turn,
            reason: String::new(),
        },
        6 => ClientCommand::MoveRequest { turn, before: None },
        7 => ClientCommand::SetReady {
            turn,
            ready: Readiness::Ready,
        },
        8 => ClientCommand::GrantNext {
            after: None,
            expect: turn,
        },
        9 => ClientCommand::Grant { after: None, turn },
        10 => ClientCommand::EndTurn { turn },
        11 => ClientCommand::SetHallMicrophone { open: true },
        12 => ClientCommand::TakeChair {},
        13 => ClientCommand::StartRollCall {},
        14 => ClientCommand::SetHeadcount {
            site,
            headcount: Headcount::default(),
        },
        15 => ClientCommand::PromptSite {
            site,
            prompt: PromptKind::Slower,
        },
        16 => ClientCommand::HandlePrompt {
            prompt: PromptId(1),
        },
        17 => ClientCommand::SetLayout {
            layout: Layout::Blank,
        },
        18 => ClientCommand::HoldComment {
            comment: CommentId(1),
        },
        19 => ClientCommand::WithdrawComment {
            comment: CommentId(1),
        },
        20 => ClientCommand::RevokeSeat { seat },
        21 => ClientCommand::ExpelSeat { seat, ban },
        22 => ClientCommand::AdmitDevice { wait },
        _ => ClientCommand::AllowDevice {
            device: DeviceId([chance.below(256) as u8; 32]),
        },
    }
}

/// What a seat has no right to, said here once more and not taken from the table that is tested. What would be
/// somebody's right is not drawn: it might well be done.
fn is_forgery(forger: &Client, command: &ClientCommand) -> bool {
    let role = forger.me.role;
    match command {
        ClientCommand::SetHeadcount { site, .. } if role == Role::Moderator => {
            Some(*site) != forger.me.site
        }
        ClientCommand::SetHeadcount { .. } => role != Role::Secretary,
        ClientCommand::PromptSite { .. } => !matches!(role, Role::Secretary | Role::Technician),
        ClientCommand::SetLayout { .. } => role != Role::Technician,
        ClientCommand::HoldComment { .. } | ClientCommand::WithdrawComment { .. } => {
            role != Role::Secretary
        }
        ClientCommand::RevokeSeat { .. }
        | ClientCommand::ExpelSeat { .. }
        | ClientCommand::AdmitDevice { .. }
        | ClientCommand::AllowDevice { .. } => role != Role::Technician,
        // The chair's alone, or about what only site 3 has.
        _ => true,
    }
}

/// Says it, and waits for an answer that is no `ok`.
async fn refused(forger: &mut Client, frame: &Value) -> Result<()> {
    let id = frame["id"].as_str().unwrap_or_default().to_owned();
    let before = forger.answers.get(&id).map_or(0, Vec::len);
    forger.send_text(frame.to_string()).await?;
    let answer = forger
        .until(|forger| forger.answers.get(&id)?.get(before).cloned())
        .await?;
    let no = matches!(
        answer,
        ServerFrame::Refused { .. } | ServerFrame::Error { .. }
    );
    ensure!(no, "it succeeded: {answer:?}");
    Ok(())
}
