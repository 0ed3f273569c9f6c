//! The server is killed in the middle of everything, again and again, and nothing that was acknowledged is lost.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one thing among many"
)]

use anyhow::{Context, Result, ensure};
use diemcau_conference::{Conference, Event};
use diemcau_journal::Record;
use diemcau_model::{CommentId, Millis, Role, SeatId, SiteId};
use diemcau_protocol::{ClientCommand, ServerFrame, View, Viewer, view};
use diemcau_tests::{
    Client, Room, Server,
    script::{DISCUSSION, call_next, comment, other_layout, request, start_item, taken},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::timeout,
};

/// One seed, one kill: it says after how many acknowledgements. Where in the traffic that falls is the machine's choice.
const SEEDS: [u64; 20] = [
    7, 41, 9_182, 3, 1_999, 12, 640, 88, 5, 71_003, 2_021, 27, 13, 530, 4_096, 19, 1_236, 86,
    2_540, 99,
];
const SITES: u16 = 8;
/// Sites that are linked, and can be called.
const LINKED: u16 = 3;
/// Commands a client has sent and not heard of.
const IN_FLIGHT: usize = 3;
/// A liveness bound: so many acknowledgements never take so long.
const TRAFFIC_WITHIN: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_twenty_kills() -> Result<()> {
    let begun = Instant::now();
    let mut server = Server::start().await?;
    let mut chair = server.chair().await?;
    let begin = start_item(DISCUSSION);
    taken(chair.command("begin", begin).await?)?;
    drop(chair);

    let mut rooms = linked(&server).await?;
    let day = Arc::new(Day::default());
    let mut people = JoinSet::new();
    let chair = server.token(Role::Chair, None, None)?;
    people.spawn(Person::new(&server.host, chair, 0).live(Arc::clone(&day)));
    for site in 1..=SITES {
        let token = server.moderator_token(SiteId(site))?;
        people.spawn(Person::new(&server.host, token, u64::from(site)).live(Arc::clone(&day)));
    }

    let (mut ready, mut went_on) = (vec![], 0);
    let mut before: Vec<Record> = vec![];
    let mut newcomer: Option<Newcomer> = None;
    for seed in SEEDS {
        let more = 40 + usize::try_from(Chance(seed).below(120))?;
        timeout(TRAFFIC_WITHIN, day.wait_for_answers(more))
            .await
            .context("the traffic stands still")?;
        server.kill().await?;

        let records = server.records()?;
        assert!(
            records.starts_with(&before),
            "seed {seed}: the past has changed"
        );
        assert!(records.len() > before.len());
        if let Some(newcomer) = newcomer.take() {
            newcomer.check(before.len(), &records)?;
        }
        let spoke = replay(&records).floor().turn().cloned();
        let last_at = records[records.len() - 1].at;
        let killed_at = Millis(u64::try_from(
            SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis(),
        )?);
        rooms.clear();

        let restart = Instant::now();
        server.restart().await?;
        ready.push(restart.elapsed());

        // Nobody is back yet: what a newcomer sees is what the record says, which is read after the next kill; the
        // speaker still has the floor, and its clock stands as it was at the kill.
        let observer = server.token(Role::Observer, None, None)?;
        let mut observer = Client::join(&server.host, &observer).await?;
        newcomer = Some(Newcomer {
            seq: observer.seq,
            view: observer.view.clone(),
        });
        let held = observer.view.floor.turn.clone();
        assert_eq!(
            held.as_ref().map(|turn| turn.turn),
            spoke.as_ref().map(|turn| turn.turn),
            "seed {seed}"
        );
        if let (Some(spoke), Some(held)) = (&spoke, &held) {
            assert!(held.held, "seed {seed}: {held:?}");
            assert_eq!(held.running_since, None, "seed {seed}");
            let possible = spoke.used_at(last_at)..=spoke.used_at(killed_at);
            assert!(
                possible.contains(&held.used_ms),
                "seed {seed}: {held:?} not in {possible:?}"
            );
        }
        before = records;

        // Its room is back: the turn that was running goes on from there, one that was paused stays so.
        rooms = linked(&server).await?;
        if let (Some(spoke), Some(held)) = (spoke, held) {
            let back = observer
                .until(|observer| observer.view.floor.turn.clone().filter(|turn| !turn.held))
                .await?;
            assert_eq!((back.turn, back.used_ms), (held.turn, held.used_ms));
            assert_eq!(back.paused, spoke.paused, "seed {seed}");
            assert_eq!(
                back.running_since.is_some(),
                spoke.running_since.is_some(),
                "seed {seed}: {back:?}"
            );
            went_on += usize::from(back.running_since.is_some());
        }
        day.next_epoch();
    }
    timeout(TRAFFIC_WITHIN, day.wait_for_answers(50))
        .await
        .context("the traffic stands still")?;
    day.end();
    let (mut told, mut resent) = (BTreeMap::new(), 0);
    while let Some(person) = people.join_next().await {
        let person = person??;
        ensure!(person.unanswered.is_empty(), "something stayed unanswered");
        resent += person.resent;
        told.insert(person.seat.context("never admitted")?, person.told);
    }

    let observer = server.token(Role::Observer, None, None)?;
    let observer = Client::join(&server.host, &observer).await?;
    server.stop().await?;
    let records = server.records()?;
    assert!(records.starts_with(&before));
    newcomer
        .context("nobody came after the last kill")?
        .check(before.len(), &records)?;
    assert_eq!(observer.view, view(&replay(&records), Viewer::Public));
    audit(&records, &told);

    ready.sort();
    assert!(resent > 0, "no kill met anything on its way");
    assert!(went_on > 0, "no kill met a speaker");
    let commands: usize = told.values().map(Vec::len).sum();
    println!(
        "{} kills, {went_on} in mid-speech, {commands} commands answered, {resent} of them said again, {} events, {:.1?}; ready after a restart: p50 {:.0?}, p99 {:.0?}",
        SEEDS.len(),
        records.len(),
        begun.elapsed(),
        ready[ready.len() / 2],
        ready[ready.len() - 1],
    );
    assert!(begun.elapsed() < Duration::from_secs(60));
    Ok(())
}

/// What was seen after a restart before anybody was back.
struct Newcomer {
    seq: u64,
    view: View,
}

impl Newcomer {
    /// It saw what the record says, to which the restart itself added nothing but that all links are lost.
    fn check(&self, at_kill: usize, records: &[Record]) -> Result<()> {
        let seen = usize::try_from(self.seq)?;
        let seen = records.get(..seen).context("what was seen is lost")?;
        assert_eq!(self.view, view(&replay(seen), Viewer::Public));
        for record in &seen[at_kill..] {
            assert!(
                matches!(
                    record.event,
                    Event::EndpointLost { .. } | Event::TurnHeld { .. }
                ),
                "a restart did {:?}",
                record.event
            );
        }
        Ok(())
    }
}

/// The rooms that are on the air, each with a peer that sends without end.
async fn linked(server: &Server) -> Result<Vec<Room>> {
    let mut rooms = vec![];
    for site in 1..=LINKED {
        rooms.push(Room::standby(server, site).await?);
    }
    Ok(rooms)
}

fn replay(records: &[Record]) -> Conference {
    let mut conference = Conference::default();
    records
        .iter()
        .for_each(|record| conference.apply(&record.event));
    conference
}

/// The record against what people were told. That it is whole and its hashes follow was checked as it was read.
fn audit(records: &[Record], told: &BTreeMap<SeatId, Vec<(String, ServerFrame)>>) {
    let numbers: Vec<u64> = records.iter().map(|record| record.number).collect();
    assert_eq!(numbers, (1..=records.len() as u64).collect::<Vec<_>>());

    // One unbroken run of events for each command, and no event without a command that changes the floor.
    let mut effects: BTreeMap<(SeatId, &str), Vec<&Record>> = BTreeMap::new();
    for record in records {
        match (record.seat, &record.command) {
            (Some(seat), Some(id)) => effects.entry((seat, id)).or_default().push(record),
            _ => assert!(
                matches!(
                    record.event,
                    Event::ConferenceOpened { .. }
                        | Event::EndpointLinked { .. }
                        | Event::EndpointLost { .. }
                        | Event::TurnHeld { .. }
                        | Event::TurnUnheld { .. }
                ),
                "nobody asked for {:?}",
                record.event
            ),
        }
    }
    for (command, effect) in &effects {
        let run = effect
            .windows(2)
            .all(|pair| pair[0].number + 1 == pair[1].number);
        assert!(run, "{command:?} was carried out in pieces, or twice");
    }

    let mut answered = BTreeSet::new();
    for (seat, answers) in told {
        let mut last = 0;
        for (id, answer) in answers {
            assert!(answered.insert((*seat, &**id)), "{id} was answered twice");
            let effect = effects.get(&(*seat, &**id));
            let effect =
                effect.unwrap_or_else(|| panic!("{id} of seat {seat} is lost: {answer:?}"));
            let end = effect[effect.len() - 1];
            match answer {
                ServerFrame::Ok { seq, .. } => {
                    assert_eq!(*seq, end.number, "{id} of seat {seat}");
                    assert!(*seq > last, "{id} of seat {seat} overtook");
                    last = *seq;
                    let refused =
                        |record: &&&Record| matches!(record.event, Event::CommandRefused { .. });
                    assert_eq!(effect.iter().find(refused), None);
                }
                ServerFrame::Refused { why, .. } => {
                    assert_eq!(effect.len(), 1);
                    assert_eq!(end.event, Event::CommandRefused { why: *why });
                }
                other => panic!("{id} of seat {seat}: {other:?}"),
            }
        }
    }
    for (seat, id) in effects.keys() {
        let known = answered.contains(&(*seat, *id)) || *id == "begin";
        assert!(known, "seat {seat} never sent {id}");
    }

    // Doubled or lost comments would show in their numbers or their words.
    let (mut words, mut comments, mut turns, mut starts) = (BTreeSet::new(), 0, 0, BTreeSet::new());
    for record in records {
        match &record.event {
            Event::CommentPosted {
                comment,
                words: said,
                ..
            } => {
                comments += 1;
                assert_eq!(*comment, CommentId(comments));
                assert!(words.insert(&said.text), "{} is there twice", said.text);
            }
            Event::FloorRequested { turn, .. } => {
                turns += 1;
                assert_eq!(turn.0, turns);
            }
            Event::TurnStarted { turn, .. } => assert!(starts.insert(*turn)),
            _ => {}
        }
    }
    assert!(
        comments > 100 && starts.len() > 20,
        "too quiet a day: {comments} comments, {} turns",
        starts.len()
    );
}

/// What everyone shares: how much was answered, and how often the server was started.
struct Day {
    answers: AtomicUsize,
    answered: Notify,
    epoch: watch::Sender<Epoch>,
}

#[derive(Clone, Copy, Default)]
struct Epoch {
    number: u32,
    ended: bool,
}

impl Default for Day {
    fn default() -> Self {
        Self {
            answers: AtomicUsize::new(0),
            answered: Notify::new(),
            epoch: watch::Sender::new(Epoch::default()),
        }
    }
}

impl Day {
    async fn wait_for_answers(&self, more: usize) {
        let enough = self.answers.load(Ordering::Acquire) + more;
        while self.answers.load(Ordering::Acquire) < enough {
            self.answered.notified().await;
        }
    }

    fn answer(&self) {
        self.answers.fetch_add(1, Ordering::Release);
        self.answered.notify_one();
    }

    fn next_epoch(&self) {
        self.epoch.send_modify(|epoch| epoch.number += 1);
    }

    fn end(&self) {
        self.epoch.send_modify(|epoch| epoch.ended = true);
    }
}

/// One desk: it says things, remembers what it was told, and says again what was not answered.
struct Person {
    host: String,
    token: String,
    seat: Option<SeatId>,
    chance: Chance,
    sent: u32,
    unanswered: VecDeque<(String, ClientCommand)>,
    /// How many commands it has said again because no answer had come.
    resent: usize,
    told: Vec<(String, ServerFrame)>,
    last: Option<(String, ClientCommand)>,
}

impl Person {
    fn new(host: &str, token: String, seed: u64) -> Self {
        Self {
            host: host.to_owned(),
            token,
            seat: None,
            chance: Chance(seed),
            sent: 0,
            unanswered: VecDeque::new(),
            resent: 0,
            told: vec![],
            last: None,
        }
    }

    async fn live(mut self, day: Arc<Day>) -> Result<Self> {
        let mut epochs = day.epoch.subscribe();
        loop {
            let epoch = *epochs.borrow_and_update();
            // A connection that breaks is no error here: the server was killed.
            if let Ok(mut client) = Client::join(&self.host, &self.token).await {
                self.seat = Some(client.me.seat);
                if self.repeat(&mut client).await?.is_some() {
                    self.talk(&mut client, &day).await?;
                }
            }
            if day.epoch.borrow().ended && self.unanswered.is_empty() {
                return Ok(self);
            }
            epochs
                .wait_for(|now| now.number > epoch.number || now.ended)
                .await?;
        }
    }

    /// Says again what was last answered, which must be answered the same, and then what was not.
    async fn repeat(&mut self, client: &mut Client) -> Result<Option<()>> {
        if let (Some((id, command)), Some((_, before))) = (&self.last, self.told.last()) {
            match client.command(id, command.clone()).await {
                Ok(again) => assert_eq!(again, *before, "another answer after a restart"),
                Err(_) => return Ok(None),
            }
        }
        for (id, command) in &self.unanswered {
            self.resent += 1;
            if client.ask(id, command.clone()).await.is_err() {
                return Ok(None);
            }
        }
        Ok(Some(()))
    }

    /// Talks until the connection breaks or the day ends.
    async fn talk(&mut self, client: &mut Client, day: &Day) -> Result<()> {
        loop {
            let ended = day.epoch.borrow().ended;
            if ended && self.unanswered.is_empty() {
                return Ok(());
            }
            while !ended && self.unanswered.len() < IN_FLIGHT {
                let command = self.choose(client);
                let id = format!("{}-{}", client.me.seat, self.sent);
                self.sent += 1;
                self.unanswered.push_back((id.clone(), command.clone()));
                if client.ask(&id, command).await.is_err() {
                    return Ok(());
                }
            }
            match client.hear().await {
                Ok(true) => self.take_answers(client, day),
                Ok(false) | Err(_) => return Ok(()),
            }
        }
    }

    /// Answers come in the order in which the commands were sent.
    fn take_answers(&mut self, client: &Client, day: &Day) {
        while let Some((id, _)) = self.unanswered.front() {
            let Some(answer) = client.answers.get(id).and_then(|answers| answers.first()) else {
                break;
            };
            self.told.push((id.clone(), answer.clone()));
            self.last = self.unanswered.pop_front();
            day.answer();
        }
        let overtaken = self
            .unanswered
            .iter()
            .any(|(id, _)| client.answers.contains_key(id));
        assert!(!overtaken, "an answer overtook another");
    }

    fn choose(&mut self, client: &Client) -> ClientCommand {
        match client.me.role {
            Role::Chair => self.preside(client),
            _ => self.contribute(client),
        }
    }

    fn preside(&mut self, client: &Client) -> ClientCommand {
        let floor = &client.view.floor;
        let dice = self.chance.below(6);
        match (&floor.turn, floor.on_deck.first().copied()) {
            (None, Some(next)) => call_next(None, next),
            (Some(turn), Some(next)) if dice == 0 => call_next(Some(turn.turn), next),
            (Some(turn), _) => {
                let turn = turn.turn;
                match dice {
                    1 => ClientCommand::PauseTurn { turn },
                    2 => ClientCommand::ResumeTurn { turn },
                    3 => ClientCommand::ExtendTurn { turn, minutes: 1 },
                    4 => ClientCommand::RevokeTurn { turn },
                    _ => ClientCommand::EndTurn { turn },
                }
            }
            (None, None) => other_layout(client.view.stage.layout),
        }
    }

    fn contribute(&mut self, client: &Client) -> ClientCommand {
        let own = |site| Some(site) == client.me.site;
        let floor = &client.view.floor;
        let waiting = floor.queue.iter().find(|request| own(request.site));
        let speaking = floor.turn.as_ref().filter(|turn| own(turn.site));
        match (self.chance.below(10), waiting, speaking) {
            (0, Some(request), _) => ClientCommand::WithdrawRequest { turn: request.turn },
            (1, _, Some(turn)) => ClientCommand::EndTurn { turn: turn.turn },
            (0..=4, _, _) => request(&format!("Chỉ tiêu {}", self.sent)),
            _ => comment(&format!("Ý kiến {} của {}", self.sent, client.me.label)),
        }
    }
}

/// SplitMix64: the same seed, the same day.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}
