//! The desks of the conference: the chair follows the morning's script, the sites answer, ask for the floor and comment,
//! the technician keeps the guarded door; whatever a kill left unanswered is said again under its id.

use crate::{
    crowd::Patience,
    door::is_about_it,
    heard::{Ear, Heard},
};
use anyhow::Result;
use diemcau_conference::Headcount;
use diemcau_fuzz::Chance;
use diemcau_model::{DraftId, ItemId, ParagraphRef, Role, SeatId, SiteId};
use diemcau_protocol::{ClientCommand, ServerFrame, View};
use diemcau_tests::{
    Client,
    script::{DISCUSSION, SITES, call_next, comment, other_layout, request, start_item, wording},
};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Notify, watch};

/// Commands a client has sent and not heard of.
const IN_FLIGHT: usize = 3;

/// What everyone shares: how much was answered, and how often the server was started.
pub struct Day {
    /// How often the server was killed.
    lives: AtomicUsize,
    answers: AtomicUsize,
    answered: Notify,
    epoch: watch::Sender<Epoch>,
    /// A desk was answered about the door, or the server is there again: whoever is outside may come.
    pub calls: watch::Sender<()>,
}

/// A command, and what the server said to it.
pub struct Told {
    pub id: String,
    pub command: ClientCommand,
    pub answer: ServerFrame,
}

#[derive(Clone, Copy, Default)]
pub struct Epoch {
    /// How often they were let in again.
    number: usize,
    ended: bool,
    /// The restart since which everybody knocks; else the desks wait until they are let.
    at_once: Option<Instant>,
}

impl Default for Day {
    fn default() -> Self {
        Self {
            lives: AtomicUsize::new(0),
            answers: AtomicUsize::new(0),
            answered: Notify::new(),
            epoch: watch::Sender::new(Epoch::default()),
            calls: watch::Sender::new(()),
        }
    }
}

impl Day {
    pub async fn wait_for_answers(&self, more: usize) {
        let enough = self.answers.load(Ordering::Acquire) + more;
        while self.answers.load(Ordering::Acquire) < enough {
            self.answered.notified().await;
        }
    }

    pub fn answer(&self) {
        self.answers.fetch_add(1, Ordering::Release);
        self.answered.notify_one();
    }

    /// The server is dead.
    pub fn life_ends(&self) {
        self.lives.fetch_add(1, Ordering::Release);
    }

    fn life(&self) -> usize {
        self.lives.load(Ordering::Acquire)
    }

    /// The desks may come back; `at_once`, they do so by themselves from the restart on.
    pub fn next_epoch(&self, at_once: Option<Instant>) {
        self.epoch.send_modify(|epoch| {
            epoch.number += 1;
            epoch.at_once = at_once;
        });
        self.calls.send_replace(());
    }

    /// Whether people may come: from the restart on, or when they are let.
    pub fn is_open(&self) -> bool {
        self.epoch.borrow().number == self.life()
    }

    pub fn end(&self) {
        self.epoch.send_modify(|epoch| epoch.ended = true);
    }
}

/// One desk: it says things, remembers what it was told, and says again what was not answered.
pub struct Person {
    host: String,
    token: String,
    pub seat: Option<SeatId>,
    chance: Chance,
    ear: Ear,
    sent: u32,
    pub unanswered: VecDeque<(String, ClientCommand)>,
    /// What it has said on its connection.
    said: BTreeSet<String>,
    /// What it had said and not been answered when the server died, and in which of its lives.
    pub on_the_way: Vec<(usize, String)>,
    pub told: Vec<Told>,
    /// How long each way back took, from when the desks were let in again.
    pub back_after: Vec<Duration>,
    /// The same from the restart on, when nobody was held back.
    pub back_at_once: Vec<Duration>,
    /// How far the chair is in the morning's script.
    act: usize,
}

impl Person {
    pub fn new(host: &str, token: String, seed: u64, heard: &Arc<Heard>) -> Self {
        Self {
            host: host.to_owned(),
            token,
            seat: None,
            chance: Chance::new(seed),
            ear: Ear::new(heard),
            sent: 0,
            unanswered: VecDeque::new(),
            said: BTreeSet::new(),
            on_the_way: vec![],
            told: vec![],
            back_after: vec![],
            back_at_once: vec![],
            act: 0,
        }
    }

    pub async fn live(mut self, day: Arc<Day>) -> Result<Self> {
        let mut epochs = day.epoch.subscribe();
        loop {
            let epoch = *epochs.borrow_and_update();
            let life = day.life();
            if let Some(mut client) = self.enter(epoch).await {
                self.seat = Some(client.me.seat);
                self.ear.is_welcomed(client.seq)?;
                if self.repeat(&mut client).await?.is_some() {
                    self.talk(&mut client, &day).await?;
                }
                self.ear.hears(client.seq);
                self.note_on_the_way(life);
            }
            if day.epoch.borrow().ended && self.unanswered.is_empty() {
                return Ok(self);
            }
            epochs
                .wait_for(|now| now.number > epoch.number || now.ended)
                .await?;
        }
    }

    /// What was said in this life of the server, which is over, and not answered.
    fn note_on_the_way(&mut self, life: usize) {
        let said = std::mem::take(&mut self.said);
        let unanswered = self.unanswered.iter().map(|(id, _)| id.clone());
        let on_the_way = unanswered.filter(|id| said.contains(id));
        self.on_the_way.extend(on_the_way.map(|id| (life, id)));
    }

    /// A connection that breaks is no error here: the server was killed.
    async fn enter(&mut self, epoch: Epoch) -> Option<Client> {
        let Some(since) = epoch.at_once else {
            let knocks = Instant::now();
            let client = Client::join(&self.host, &self.token).await.ok()?;
            if epoch.number > 0 {
                self.back_after.push(knocks.elapsed());
            }
            return Some(client);
        };
        let mut patience = Patience::default();
        loop {
            if let Ok(client) = Client::join(&self.host, &self.token).await {
                self.back_at_once.push(since.elapsed());
                return Some(client);
            }
            patience.pause(&mut self.chance).await;
        }
    }

    /// Says again what was last answered, which must be answered the same, and then what was not.
    async fn repeat(&mut self, client: &mut Client) -> Result<Option<()>> {
        if let Some(last) = self.told.last() {
            match client.command(&last.id, last.command.clone()).await {
                Ok(again) => assert_eq!(again, last.answer, "another answer after a restart"),
                Err(_) => return Ok(None),
            }
        }
        for (id, command) in &self.unanswered {
            if client.ask(id, command.clone()).await.is_err() {
                return Ok(None);
            }
            self.said.insert(id.clone());
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
            while !ended && self.unanswered.len() < self.at_once(client.me.role) {
                let command = self.choose(client);
                let id = format!("{}-{}", client.me.seat, self.sent);
                self.sent += 1;
                self.unanswered.push_back((id.clone(), command.clone()));
                if client.ask(&id, command).await.is_err() {
                    return Ok(());
                }
                self.said.insert(id);
            }
            match client.hear().await {
                Ok(true) => self.take_answers(client, day),
                Ok(false) | Err(_) => return Ok(()),
            }
        }
    }

    /// Answers come in the order in which the commands were sent.
    fn take_answers(&mut self, client: &Client, day: &Day) {
        let answer = |id: &str| client.answers.get(id)?.first().cloned();
        while let Some(answer) = self.unanswered.front().and_then(|(id, _)| answer(id)) {
            let Some((id, command)) = self.unanswered.pop_front() else {
                break;
            };
            if is_about_it(&command) {
                day.calls.send_replace(());
            }
            self.told.push(Told {
                id,
                command,
                answer,
            });
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
            Role::Technician => self.keep_the_door(client),
            _ => self.contribute(client),
        }
    }

    /// The script goes step by step: each order is given in the sight of what the one before did.
    fn at_once(&self, role: Role) -> usize {
        match role == Role::Chair && self.act < MORNING {
            true => 1,
            false => IN_FLIGHT,
        }
    }

    fn preside(&mut self, client: &Client) -> ClientCommand {
        if self.act < MORNING {
            self.act += 1;
            return morning(self.act, &client.view);
        }
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
        if let Some(site) = client.view.attendance.calling.filter(|site| own(*site)) {
            return present(site);
        }
        let floor = &client.view.floor;
        let waiting = floor.queue.iter().find(|request| own(request.site));
        let speaking = floor.turn.as_ref().filter(|turn| own(turn.site));
        match (self.chance.below(10), waiting, speaking) {
            (0, Some(request), _) => ClientCommand::WithdrawRequest { turn: request.turn },
            (1, _, Some(turn)) => ClientCommand::EndTurn { turn: turn.turn },
            (0..=4, _, _) => request(&format!("Chỉ tiêu {}", self.sent)),
            (5 | 6, _, _) => wording(
                &self.says(client),
                "Mỗi chi bộ khóm, ấp hằng năm kết nạp ít nhất 02 đảng viên.",
            ),
            _ => comment(&self.says(client)),
        }
    }

    /// Whoever waits is mostly let in; now and then somebody is put out or shut out, and is let come again.
    fn keep_the_door(&mut self, client: &Client) -> ClientCommand {
        let door = &client.view.door;
        let visitor = door.waiting.get(self.chance.below(door.waiting.len()));
        let banned = door.banned.get(self.chance.below(door.banned.len()));
        let links = || client.view.seats.iter().filter(|seat| seat.bound);
        let link = links().nth(self.chance.below(links().count()));
        let ban = self.chance.below(2) == 0;
        match (self.chance.below(20), visitor, banned, link) {
            (0..=7, Some(visitor), ..) => {
                let wait = visitor.wait;
                ClientCommand::AdmitDevice { wait }
            }
            (8, Some(visitor), ..) => {
                let wait = visitor.wait;
                ClientCommand::RefuseDevice { wait, ban }
            }
            (9, _, Some(banned), _) => {
                let device = banned.device;
                ClientCommand::AllowDevice { device }
            }
            (10, .., Some(link)) => ClientCommand::ExpelSeat { seat: link.id, ban },
            (11, .., Some(link)) => ClientCommand::RevokeSeat { seat: link.id },
            (12, .., Some(link)) => ClientCommand::RestoreSeat { seat: link.id },
            (13 | 14, .., Some(link)) if link.revoked => {
                ClientCommand::RestoreSeat { seat: link.id }
            }
            _ => other_layout(client.view.stage.layout),
        }
    }

    fn says(&self, client: &Client) -> String {
        format!("Ý kiến {} của {}", self.sent, client.me.label)
    }
}

/// Steps of the chair before the discussion: the roll of the sites, and three items presented from the hall.
const MORNING: usize = 3 + SITES as usize + 3 * 3 + 1;

/// The morning of the demo conference, step by step.
fn morning(step: usize, view: &View) -> ClientCommand {
    const CALLED: usize = 2 + SITES as usize;
    let shown = |step: usize| ParagraphRef {
        draft: DraftId(1 + (step / 3) as u16),
        paragraph: 1 + (step % 3) as u16,
    };
    match step {
        1 => start_item(ItemId(1)),
        2 => ClientCommand::StartRollCall {},
        step if step <= CALLED => match view.attendance.calling {
            Some(after) => ClientCommand::CallNextSite { after },
            None => ClientCommand::CallSite { site: SiteId(1) },
        },
        step if step == CALLED + 1 => ClientCommand::EndRollCall {},
        MORNING => start_item(DISCUSSION),
        step => match step - CALLED - 2 {
            place if place.is_multiple_of(3) => start_item(ItemId(2 + (place / 3) as u16)),
            place => ClientCommand::ShowParagraph {
                at: Some(shown(place)),
            },
        },
    }
}

fn present(site: SiteId) -> ClientCommand {
    let headcount = Headcount {
        summoned: 20,
        present: 17,
        online: 1,
        absent: "02 đồng chí đi công tác".into(),
    };
    ClientCommand::SetHeadcount { site, headcount }
}
