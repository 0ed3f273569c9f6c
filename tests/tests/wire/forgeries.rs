//! What is not one's own, asked for over the real wire: other sites' objects, other roles' commands, other seats' ids,
//! fields that say who one is, tokens put together from others. Drawn from a seed; none may succeed.
//!
//! Each is refused for what it is and for nothing else: what is asked for is there, and somebody may do it. So a command
//! that a seat may not give is refused by its right and not because it comes too late, and a field too many is the only
//! thing that is wrong with a command of one's own: without it, it is done (`done_without`).
//!
//! `FORGERIES=10000 SEED=7 cargo test --workspace --test wire -- nothing_forged_succeeds --nocapture`

use anyhow::{Context, Result, bail, ensure};
use diemcau_conference::{Event, Headcount, Layout, PromptKind, Readiness, Refusal};
use diemcau_fuzz::Chance;
use diemcau_journal::Record;
use diemcau_model::{Carries, CommentId, DeviceId, PromptId, Role, SeatId, SiteId, TurnId, WaitId};
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy, Me, ServerFrame};
use diemcau_tests::{
    Client, Device, Room, Server,
    client::{Line, next_frame},
    knock::{knock, say},
    script::{DISCUSSION, call_next, comment, request, start_item, taken},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
};

/// In the gate; `FORGERIES` says otherwise.
const COUNT: u64 = 1_000;
const SEED: u64 = 7;
/// One connection says so many at most: fewer than what is taken at once after a silence.
const A_CONNECTION: u64 = 150;
/// One in so many knocks with a token that is nobody's instead.
const TOKENS: usize = 20;
/// One in so many of the others says who it is from.
const SAYS_WHO: usize = 4;

/// Whose request waits, whose turn runs, whose comment stands.
const THEIRS: SiteId = SiteId(3);
/// One of its links opens for the first device only.
const GUARDED: SiteId = SiteId(8);
/// The sites of the forgers.
const FORGERS: [SiteId; 4] = [SiteId(1), SiteId(2), SiteId(7), SiteId(12)];

/// What a forgery may be refused with; nothing else may.
const BY_RIGHT: [Refusal; 3] = [
    Refusal::NotAllowed,
    Refusal::OtherSite,
    Refusal::NotPresiding,
];
/// Where a frame may say who it is from.
const FIELDS: [&str; 4] = ["seat", "seq", "seat_of", "actor"];
const NOBODYS_TOKEN: &str = "a token of nobody";
const OTHERS_ID: &str = "another seat's id";

#[tokio::test]
async fn nothing_forged_succeeds() -> Result<()> {
    let (count, seed) = (setting("FORGERIES", COUNT)?, setting("SEED", SEED)?);
    let mut server = Server::start_with(with_a_guarded_link).await?;
    let mut scene = set_the_scene(&server).await?;

    let mut chance = Chance::new(seed);
    let forgers = forgers(&server)?;
    let (mut told, mut counts) = (0, Counts::default());
    let each = A_CONNECTION.min(count.div_ceil(forgers.len() as u64));
    // In turns: nobody has more refusals than a seat may have written.
    for token in forgers.iter().cycle() {
        if told == count {
            break;
        }
        scene.still_waits().await?;
        let mut forger = enter(&server, token).await?;
        for n in 0..each.min(count - told) {
            told += 1;
            if chance.below(TOKENS) == 0 {
                knock_in_vain(&server, &mixed(&mut chance, &forgers)).await?;
                counts.of(NOBODYS_TOKEN);
                continue;
            }
            let forged = Forged::draw(&mut chance, &forger.me, &scene, &format!("{told}-{n}"));
            let class = forged.refused(&mut forger).await;
            counts.of(&class.with_context(|| forged.frame.to_string())?);
            counts.asked(&forged.command);
        }
    }
    let end = enter(&server, &forgers[0]).await?.seq;
    println!("{told} forgeries of seed {seed}, 0 succeeded: {counts}");
    counts.none_is_missing(&scene)?;
    scene.still_waits().await?;
    done_without(&server, &forgers, &scene).await?;

    server.stop().await?;
    let records = server.records()?;
    let meanwhile = scene.seq as usize..end as usize;
    let meanwhile = records.get(meanwhile).context("the record is too short")?;
    meanwhile.iter().try_for_each(is_harmless)
}

fn is_harmless(record: &Record) -> Result<()> {
    let harmless = match &record.event {
        Event::CommandRefused { why } => BY_RIGHT.contains(why),
        event => matches!(event, Event::EndpointLost { .. }),
    };
    ensure!(harmless, "a forgery did something: {record:?}");
    Ok(())
}

fn setting(name: &str, otherwise: u64) -> Result<u64> {
    let given = env::var(name).ok();
    let given = given.map(|text| text.parse().with_context(|| format!("{name}={text}")));
    Ok(given.transpose()?.unwrap_or(otherwise))
}

/// How many forgeries there were of each kind, and of each command.
#[derive(Default)]
struct Counts {
    classes: BTreeMap<String, u64>,
    commands: BTreeMap<String, u64>,
}

impl Counts {
    fn of(&mut self, class: &str) {
        *self.classes.entry(class.to_owned()).or_default() += 1;
    }

    fn asked(&mut self, command: &ClientCommand) {
        *self.commands.entry(name(command)).or_default() += 1;
    }

    fn none_is_missing(&self, scene: &Scene) -> Result<()> {
        let fields = FIELDS.map(too_many);
        let rights = BY_RIGHT.map(|why| format!("{why:?}"));
        let classes = fields.into_iter().chain(rights);
        for class in classes.chain([OTHERS_ID.into(), NOBODYS_TOKEN.into()]) {
            ensure!(self.classes.contains_key(&class), "none was {class}");
        }
        for command in scene.commands(SiteId(0), scene.guarded) {
            let name = name(&command);
            ensure!(self.commands.contains_key(&name), "none was {name}");
        }
        Ok(())
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (classes, commands) = (&self.classes, &self.commands);
        write!(out, "{classes:?}, by command {commands:?}")
    }
}

fn too_many(field: &str) -> String {
    format!("a field too many: {field}")
}

/// A command's name on the wire.
fn name(command: &ClientCommand) -> String {
    let frame = serde_json::to_value(command).unwrap_or_default();
    frame["type"].as_str().unwrap_or_default().to_owned()
}

/// What is there to be asked for.
struct Scene {
    /// Turns of site 3: the one that has the floor, and one that waits in the list.
    speaks: TurnId,
    waits: TurnId,
    comment: CommentId,
    /// Prompts that site 3 was sent and has sent.
    to_site: PromptId,
    from_site: PromptId,
    /// Who waits at the door, with whose link, and who was shut out.
    wait: WaitId,
    guarded: SeatId,
    banned: DeviceId,
    chairs: Vec<SeatId>,
    /// The last event that belongs to it.
    seq: u64,
    visitor: Line,
    /// Keeps site 3 on the line.
    _room: Room,
}

/// The demo's conference, open for everybody but with one link.
fn with_a_guarded_link(demo: &str) -> String {
    let seat = "label = \"Huyện Tháp Mười – Điện thoại\"\n";
    demo.replacen(seat, &format!("{seat}admission = \"bound\"\n"), 1)
}

async fn set_the_scene(server: &Server) -> Result<Scene> {
    let room = Room::standby(server, THEIRS.0).await?;
    let mut chair = server.chair().await?;
    let mut site = server.moderator(THEIRS.0).await?;
    let technician = server.token(Role::Technician, None, None)?;
    let mut technician = Client::join(&server.host, &technician).await?;

    taken(chair.command("item", start_item(DISCUSSION)).await?)?;
    taken(site.command("request", request("Phát biểu")).await?)?;
    let on_deck = |client: &Client| client.view.floor.on_deck.first().copied();
    let speaks = chair.until(on_deck).await?;
    taken(chair.command("call", call_next(None, speaks)).await?)?;
    // Its clock stands, so that time changes nothing.
    let pause = ClientCommand::PauseTurn { turn: speaks };
    taken(chair.command("pause", pause).await?)?;
    taken(site.command("next", request("Còn chờ")).await?)?;
    // Its microphone is tried while it waits: that comes by itself, and must not come later.
    let is_tried = |desk: &Client| {
        let mut queue = desk.view.floor.queue.iter();
        queue.find(|one| one.heard.is_some()).map(|one| one.turn)
    };
    let waits = chair.until(is_tried).await?;

    let (site_id, prompt) = (THEIRS, PromptKind::Slower);
    let prompt = ClientCommand::PromptSite {
        site: site_id,
        prompt,
    };
    taken(chair.command("prompt", prompt).await?)?;
    let prompt = PromptKind::NeedHelp;
    taken(
        site.command("help", ClientCommand::PromptDesks { prompt })
            .await?,
    )?;
    let both = |site: &Client| match &site.view.prompts[..] {
        [one, other] => Some((one.id, other.id)),
        _ => None,
    };
    let (to_site, from_site) = site.until(both).await?;

    let seats = technician.view.seats.iter();
    let chairs = seats.filter(|seat| seat.role == Role::Chair);
    let chairs = chairs.map(|seat| seat.id).collect();
    let (visitor, at_the_door) = set_the_door(server, &mut technician).await?;
    let seq = taken(site.command("comment", comment("Của điểm cầu 3")).await?)?;
    let comment = site.until(|site| site.view.feed.first().map(|one| one.id));
    Ok(Scene {
        speaks,
        waits,
        comment: comment.await?,
        to_site,
        from_site,
        wait: at_the_door.0,
        guarded: at_the_door.1,
        banned: at_the_door.2,
        chairs,
        seq,
        visitor,
        _room: room,
    })
}

/// Of three machines with one link the first is let in, the second shut out, and the third waits. From here on everybody
/// is asked for a key, and comes in without one.
async fn set_the_door(
    server: &Server,
    desk: &mut Client,
) -> Result<(Line, (WaitId, SeatId, DeviceId))> {
    let token = server.token(Role::Moderator, Some(GUARDED), Some(Carries::Nothing))?;
    let host = &server.host;
    knock(host, &token, Some(&Device::new()?), None)
        .await?
        .entered()?;
    let waiting = |desk: &Client| match &desk.view.door.waiting[..] {
        [visitor] => Some((visitor.wait, visitor.seat)),
        _ => None,
    };
    let second = knock(host, &token, Some(&Device::new()?), None).await?;
    let (wait, _) = desk.until(waiting).await?;
    let refuse = ClientCommand::RefuseDevice { wait, ban: true };
    taken(desk.command("refuse", refuse).await?)?;
    drop(second.waits()?);
    let banned = desk.until(|desk| desk.view.door.banned.first().map(|one| one.device));
    let banned = banned.await?;
    let third = knock(host, &token, Some(&Device::new()?), None).await?;
    let (wait, seat) = desk.until(waiting).await?;
    Ok((third.waits()?.0, (wait, seat, banned)))
}

impl Scene {
    /// Whoever waits is neither let in nor sent away; saying so also keeps it waiting.
    async fn still_waits(&mut self) -> Result<()> {
        say(&mut self.visitor, &ClientFrame::Ping { sent: 1.0 }).await?;
        match next_frame(&mut self.visitor).await? {
            Some(ServerFrame::Pong { .. }) => Ok(()),
            other => bail!("the door changed: {other:?}"),
        }
    }

    /// Everything that is asked for; `site` and `seat` for what may be about any.
    fn commands(&self, site: SiteId, seat: SeatId) -> Vec<ClientCommand> {
        let (speaks, waits, item) = (self.speaks, self.waits, DISCUSSION);
        let (comment_id, wait, device) = (self.comment, self.wait, self.banned);
        let (after, reason, ban) = (Some(speaks), String::new(), true);
        let headcount = Headcount {
            summoned: 9,
            present: 5,
            ..Headcount::default()
        };
        vec![
            start_item(item),
            ClientCommand::FinishItem { item },
            ClientCommand::SetList { open: false },
            ClientCommand::AcceptRequest { turn: waits },
            ClientCommand::DenyRequest {
                turn: waits,
                reason,
            },
            ClientCommand::MoveRequest {
                turn: waits,
                before: None,
            },
            call_next(after, waits),
            ClientCommand::Grant { after, turn: waits },
            ClientCommand::RevokeTurn { turn: speaks },
            ClientCommand::SetHallMicrophone { open: true },
            ClientCommand::StartRollCall {},
            ClientCommand::SetLayout {
                layout: Layout::Blank,
            },
            request("Của ai"),
            comment("Của ai"),
            ClientCommand::SetHeadcount { site, headcount },
            ClientCommand::PromptSite {
                site,
                prompt: PromptKind::Prepare,
            },
            ClientCommand::PromptDesks {
                prompt: PromptKind::CannotHear,
            },
            ClientCommand::HandlePrompt {
                prompt: self.from_site,
            },
            ClientCommand::HandlePrompt {
                prompt: self.to_site,
            },
            ClientCommand::HoldComment {
                comment: comment_id,
            },
            ClientCommand::WithdrawComment {
                comment: comment_id,
            },
            ClientCommand::SetReady {
                turn: waits,
                ready: Readiness::Ready,
            },
            ClientCommand::WithdrawRequest { turn: waits },
            ClientCommand::EndTurn { turn: speaks },
            ClientCommand::AdmitDevice { wait },
            ClientCommand::AllowDevice { device },
            ClientCommand::ExpelSeat { seat, ban },
            ClientCommand::RevokeSeat { seat },
            ClientCommand::TakeChair {},
        ]
    }

    /// Why a seat may not give one of these commands, said here once more and not taken from the table that is tested;
    /// none if it may.
    fn forbids(&self, me: &Me, command: &ClientCommand) -> Option<Refusal> {
        let only = |roles: &[Role]| {
            let is_one = roles.contains(&me.role);
            (!is_one).then_some(Refusal::NotAllowed)
        };
        // Chair's, and the deputy's that has taken the chair.
        let presides = match me.role {
            Role::Deputy => Refusal::NotPresiding,
            _ => Refusal::NotAllowed,
        };
        let own_site = |site: SiteId| match me.role {
            Role::Moderator => (me.site != Some(site)).then_some(Refusal::OtherSite),
            _ => Some(Refusal::NotAllowed),
        };
        match (command, me.role) {
            (ClientCommand::RequestFloor { .. }, _) => {
                only(&[Role::Deputy, Role::Secretary, Role::Moderator])
            }
            (ClientCommand::PostComment { .. }, _) => only(&[Role::Secretary, Role::Moderator]),
            (ClientCommand::PromptDesks { .. }, _) => only(&[Role::Moderator]),
            (ClientCommand::PromptSite { .. }, _) => {
                only(&[Role::Deputy, Role::Secretary, Role::Technician])
            }
            (ClientCommand::HandlePrompt { prompt }, _) if *prompt == self.from_site => {
                only(&[Role::Deputy, Role::Secretary, Role::Technician])
            }
            (ClientCommand::HandlePrompt { .. } | ClientCommand::WithdrawRequest { .. }, _) => {
                own_site(THEIRS)
            }
            (ClientCommand::SetReady { .. } | ClientCommand::EndTurn { .. }, Role::Moderator) => {
                own_site(THEIRS)
            }
            (
                ClientCommand::SetHeadcount { .. } | ClientCommand::WithdrawComment { .. },
                Role::Secretary,
            ) => None,
            (ClientCommand::SetHeadcount { site, .. }, _) => own_site(*site),
            (ClientCommand::WithdrawComment { .. }, _) => own_site(THEIRS),
            (ClientCommand::HoldComment { .. }, _) => only(&[Role::Secretary]),
            (ClientCommand::TakeChair {}, _) => only(&[Role::Deputy]),
            (ClientCommand::RevokeSeat { seat } | ClientCommand::ExpelSeat { seat, .. }, _)
                if *seat == me.seat || self.chairs.contains(seat) =>
            {
                Some(Refusal::NotAllowed)
            }
            (ClientCommand::RevokeSeat { .. } | ClientCommand::AllowDevice { .. }, _) => {
                only(&[Role::Technician])
            }
            (
                ClientCommand::SetLayout { .. }
                | ClientCommand::AdmitDevice { .. }
                | ClientCommand::ExpelSeat { .. },
                Role::Technician,
            ) => None,
            _ => Some(presides),
        }
    }
}

/// One of each that has not the chair, and other sites than the third.
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
    for site in FORGERS {
        tokens.push(server.moderator_token(site)?);
    }
    tokens.push(server.token(Role::Deputy, None, None)?);
    Ok(tokens)
}

/// Comes in with an open link, and without a key.
async fn enter(server: &Server, token: &str) -> Result<Client> {
    knock(&server.host, token, None, None).await?.entered()
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
    let why = knock(&server.host, token, None, None).await?.away()?;
    ensure!(why == ErrorWhy::NotAdmitted, "{why:?} with {token}");
    ensure!(server.errors(ErrorWhy::NotAdmitted).await? == before + 1.0);
    Ok(())
}

/// A frame that may not do anything.
struct Forged {
    frame: Value,
    command: ClientCommand,
    wrong: Wrong,
}

/// What is wrong with it, and nothing else is.
enum Wrong {
    /// It says who it is from.
    Field(&'static str),
    /// The seat may not.
    Right(Refusal),
    /// The seat may not, and another seat has used the id.
    OthersId,
}

impl Forged {
    fn draw(chance: &mut Chance, me: &Me, scene: &Scene, id: &str) -> Self {
        let (site, seat) = (
            SiteId(chance.below(13) as u16),
            SeatId(chance.below(40) as u32),
        );
        let all = scene.commands(site, seat).into_iter();
        let all = all.map(|command| (scene.forbids(me, &command), command));
        let (own, others): (Vec<_>, Vec<_>) = all.partition(|(why, _)| why.is_none());
        let says_who = chance.below(SAYS_WHO) == 0 && !own.is_empty();
        let from = if says_who { own } else { others };
        let (why, command) = from[chance.below(from.len())].clone();
        let mut frame = json!({ "type": "command", "id": id, "command": command });
        let wrong = match why {
            None => Wrong::Field(say_who(chance, &mut frame)),
            Some(_) if chance.below(8) == 0 => {
                frame["id"] = json!(["item", "request", "comment"][chance.below(3)]);
                Wrong::OthersId
            }
            Some(why) => Wrong::Right(why),
        };
        Self {
            frame,
            command,
            wrong,
        }
    }

    /// Says it, and tells for what it was refused.
    async fn refused(&self, forger: &mut Client) -> Result<String> {
        let answer = answer(forger, &self.frame).await?;
        let refused = match answer {
            ServerFrame::Refused { why, .. } => Some(why),
            _ => None,
        };
        Ok(match self.wrong {
            Wrong::Field(field) => {
                let malformed = matches!(
                    answer,
                    ServerFrame::Error {
                        why: ErrorWhy::Malformed,
                        fatal: false,
                        ..
                    }
                );
                ensure!(malformed, "with {field}: {answer:?}");
                too_many(field)
            }
            Wrong::Right(why) => {
                ensure!(refused == Some(why), "not {why:?} but {answer:?}");
                format!("{why:?}")
            }
            // What this seat was told of an id before, it is told of it again.
            Wrong::OthersId => {
                let by_right = refused.is_some_and(|why| BY_RIGHT.contains(&why));
                ensure!(by_right, "not by right: {answer:?}");
                OTHERS_ID.to_owned()
            }
        })
    }
}

/// Who one is stands nowhere in a frame.
fn say_who(chance: &mut Chance, frame: &mut Value) -> &'static str {
    let field = FIELDS[chance.below(FIELDS.len())];
    let seat = chance.below(40);
    match field {
        "actor" => frame["command"][field] = json!({ "seat": seat, "role": "chair" }),
        "seat_of" => frame["command"][field] = json!(seat),
        _ => frame[field] = json!(seat),
    }
    field
}

/// Says a frame, and waits for its answer.
async fn answer(forger: &mut Client, frame: &Value) -> Result<ServerFrame> {
    let id = frame["id"].as_str().unwrap_or_default().to_owned();
    let before = forger.answers.get(&id).map_or(0, Vec::len);
    forger.send_text(frame.to_string()).await?;
    forger
        .until(|forger| forger.answers.get(&id)?.get(before).cloned())
        .await
}

/// The other side: each command of one's own is done when nothing is wrong with it, by one of those who may at least, for
/// some can be done once only; and what is site 3's, by site 3. So what was refused before was refused for what was wrong.
async fn done_without(server: &Server, forgers: &[String], scene: &Scene) -> Result<()> {
    let (mut asked, mut done) = (BTreeSet::new(), BTreeSet::new());
    let theirs = server.moderator_token(THEIRS)?;
    for token in forgers.iter().chain([&theirs]) {
        let mut seat = enter(server, token).await?;
        let site = seat.me.site.unwrap_or(SiteId(0));
        let all = scene.commands(site, scene.guarded).into_iter();
        let own = all.filter(|command| scene.forbids(&seat.me, command).is_none());
        for (n, command) in own.collect::<Vec<_>>().into_iter().enumerate() {
            let what = format!("{command:?}");
            match seat.command(&format!("own-{n}"), command).await? {
                ServerFrame::Ok { .. } => drop(done.insert(what.clone())),
                ServerFrame::Refused { why, .. } if !BY_RIGHT.contains(&why) => {}
                other => bail!("{what} of {:?}: {other:?}", seat.me),
            }
            asked.insert(what);
        }
    }
    let missing: Vec<_> = asked.difference(&done).collect();
    ensure!(missing.is_empty(), "done by nobody: {missing:?}");
    println!("{} commands were done by who may", done.len());
    Ok(())
}
