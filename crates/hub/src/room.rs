//! The one task that owns a conference: everything that happens to it happens here, one thing after the other.
//!
//! A round takes what has arrived (at most `COMMIT_BATCH_MAX`), decides it in the order of arrival, journals all of it
//! under one sync, and only then tells anyone: the stage, the facts, the answers, the newcomers.

mod closed;
mod commands;
mod failure;
mod handle;
mod key;
mod late;
mod lobby;
mod news;
mod pace;
mod presenters;
mod shut;
mod stall;
mod unheard;
mod unseen;
mod watch;

use crate::{
    Clock, MediaLines, Metrics,
    answers::{Answer, Answers},
    health::{Health, HealthLimits},
    members::Members,
    outlet::{Close, Outlet},
    replay::Replayed,
    telemetry::Telemetry,
};
use closed::Ahead;
pub(crate) use closed::Closed;
use diemcau_conference::{Conference, Event};
use diemcau_journal::{Entry, JournalError, Writer};
use diemcau_model::{
    Alarm, DeviceId, EndpointKind, PeerAsk, PeerId, SeatId, SiteId, WaitId, limits,
};
use diemcau_protocol::{ErrorWhy, HealthAlarm, ServerFrame, touches};
pub(crate) use failure::Unwritten;
use failure::{Failure, Restart};
pub(crate) use handle::{
    Admission, Asked, Came, InLobby, Message, NoSeat, Opened, Order, RoomHandle,
};
use late::Late;
pub(crate) use lobby::Claim;
use lobby::{ToLobby, TurnedAway, Waiter};
use pace::Pace;
use presenters::Absent;
use shut::{Owed, Shut};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::ready,
    mem,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, Interval, MissedTickBehavior, interval, sleep_until},
};
use tracing::{Instrument, debug, error, info, info_span};
use unseen::Unseen;

/// How often figures are told and the journal is touched.
const TICK: Duration = Duration::from_secs(1);

pub(crate) struct Room {
    inbox: mpsc::Receiver<Message>,
    ticks: Interval,
    /// When it last looked at what came: whatever the store is asked, nobody waits longer than `STALL` behind it.
    heard_at: Instant,
    /// What came while the store did not answer and waits for it, in the order of its coming: goes before the inbox.
    waiting: VecDeque<Message>,
    conference: Conference,
    answers: Answers,
    writer: Writer,
    clock: Clock,
    order: Order,
    media: MediaLines,
    metrics: Metrics,
    members: Members,
    telemetry: Telemetry,
    health: Health,
    /// What the desks know of it.
    health_told: Vec<HealthAlarm>,
    /// Which connection is the endpoint that can send.
    senders: BTreeMap<(SiteId, EndpointKind), PeerId>,
    /// The journal cannot be written now.
    failure: Option<Failure>,
    /// What happened by itself meanwhile has not come before the rules.
    missed: bool,
    /// Links among it, with their times.
    unseen: Unseen,
    /// Who was not heard by it.
    late: Late,
    /// The start has not come before the rules either, and goes before everything else.
    restart: Option<Restart>,
    /// Who was shut out by something that is not written: their door stays shut until nothing is owed any more.
    shut: BTreeSet<Shut>,
    /// What shut them out and could not be written: carried out again as soon as it can be.
    owed: Vec<Owed>,
    /// What the desks know of it.
    alarms_told: BTreeSet<Alarm>,
    /// Connections that enter when this round is written: also while that takes its time they count as coming.
    joins: Vec<Join>,
    /// Connections that wait at the door.
    lobby: BTreeMap<WaitId, Waiter>,
    /// What is closed ahead of the record.
    ahead: Ahead,
    /// Seats that present or would like to, and have no connection now.
    absent: Absent,
    /// Whose keys have fallen, which is not written.
    keys_fell: BTreeSet<SeatId>,
    /// How fast each seat may make the record longer.
    paces: BTreeMap<SeatId, Pace>,
}

/// A conference as its record has it, and who writes that on.
pub(crate) struct Begun {
    pub(crate) replayed: Replayed,
    pub(crate) writer: Writer,
    pub(crate) clock: Clock,
    pub(crate) order: Order,
    pub(crate) unwritten: Option<Unwritten>,
}

/// What one round decided and has not told anyone yet.
#[derive(Default)]
struct Round {
    entries: Vec<Entry>,
    /// Commands decided in this round: who asked, which id, what to answer.
    answers: Vec<(PeerId, String, Answer)>,
    to_lobby: Vec<ToLobby>,
    turned_away: Vec<TurnedAway>,
    /// Seats that were sent away in this round, also by a change of their machine, and the one connection of theirs that stays,
    /// if one does: what the others still had in line is not carried out.
    sent_away: BTreeMap<SeatId, Option<PeerId>>,
    /// Devices that were shut out in this round: what they had in line by whatever link is not carried out either.
    banned: BTreeSet<DeviceId>,
    /// Their commands: answered if sending them away could not be written.
    unheard: Vec<(PeerId, String)>,
    /// What was closed ahead of the record and this round's events closed too, if only until a later one of them opened it.
    closed_by_record: Closed,
    /// What the clock closed, as this round writes.
    closed_in_time: Closed,
    /// What a command closed to make room for what it opens.
    made_room: Closed,
    /// How many commands were about what is open, or may have been.
    about_stage: usize,
    /// Commands of this round that shut somebody out: owed if they cannot be written.
    shutting: Vec<Owed>,
    /// Whose keys fell, as this round writes.
    keys_fell: BTreeSet<SeatId>,
    stop: Option<oneshot::Sender<()>>,
}

/// A connection that enters when the round is written.
struct Join {
    seat: SeatId,
    claim: Option<Claim>,
    opened: Opened,
    outlet: Arc<Outlet>,
    reply: oneshot::Sender<Result<Admission, NoSeat>>,
}

impl Room {
    pub(crate) fn spawn(
        begun: Begun,
        media: MediaLines,
        metrics: Metrics,
        feed_window: Duration,
        limits: HealthLimits,
    ) -> RoomHandle {
        let Begun {
            replayed,
            writer,
            clock,
            order,
            unwritten,
        } = begun;
        let (handle, inbox) = mpsc::channel(limits::INBOX_MAX);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut room = Self {
            inbox,
            ticks,
            heard_at: Instant::now(),
            waiting: VecDeque::new(),
            conference: replayed.conference,
            answers: replayed.answers,
            writer,
            clock,
            order,
            media,
            members: Members::new(metrics.clone(), feed_window),
            metrics,
            telemetry: Telemetry::default(),
            health: Health::new(limits),
            health_told: vec![],
            senders: BTreeMap::new(),
            failure: None,
            missed: false,
            unseen: Unseen::default(),
            late: Late::default(),
            restart: None,
            shut: BTreeSet::new(),
            owed: vec![],
            alarms_told: BTreeSet::new(),
            joins: vec![],
            lobby: BTreeMap::new(),
            ahead: Ahead::default(),
            keys_fell: BTreeSet::new(),
            absent: Absent::default(),
            paces: BTreeMap::new(),
        };
        if let Some(unwritten) = unwritten {
            room.begin_unwritten(&unwritten);
        }
        let task = tokio::spawn(room.run().instrument(info_span!("room")));
        RoomHandle {
            inbox: handle,
            clock,
            task: task.abort_handle(),
        }
    }

    async fn run(mut self) {
        let mut batch = Vec::with_capacity(limits::COMMIT_BATCH_MAX);
        self.publish_stage();
        loop {
            let mut round = Round::default();
            let deadline = self.next_wake();
            // No lot is drawn, so that a simulation's run can be run again: what comes seldom goes first, and below
            // every round takes messages, whatever woke it.
            tokio::select! {
                biased;
                _ = self.ticks.tick() => self.tick().await,
                () = sleep_until(deadline) => {}
                () = self.members.freed() => {}
                Some(say) = self.media.says.recv() => self.take_say(say),
                report = self.media.reports.recv() => match report {
                    Some(report) => self.take_report(report, &mut round),
                    None => break error!("the media plane has stopped: the room closes"),
                },
                () = ready(()), if !self.waiting.is_empty() => {}
                count = self.inbox.recv_many(&mut batch, limits::COMMIT_BATCH_MAX) => {
                    if count == 0 {
                        break;
                    }
                }
            }
            self.heard_at = Instant::now();
            if batch.is_empty() {
                self.ask_disk().await;
            }
            self.gather(&mut batch);
            self.take_news(&mut round);
            self.catch_up(&mut round);
            self.sweep_lobby(&mut round);
            self.release_absent(&mut round);
            self.take_time(&mut round);
            for message in batch.drain(..) {
                self.take(message, &mut round).await;
            }
            self.release_key(&mut round);
            if let Some(stopped) = self.finish(round).await {
                self.close(stopped).await;
                return;
            }
            if self.is_in_step() {
                self.members.advance(&self.conference, self.clock.now());
            }
        }
    }

    /// What this round takes: what waited for the store first, then what has come since.
    fn gather(&mut self, batch: &mut Vec<Message>) {
        self.heard_at = Instant::now();
        while batch.len() < limits::COMMIT_BATCH_MAX {
            let waited = self.waiting.pop_front();
            let Some(message) = waited.or_else(|| self.inbox.try_recv().ok()) else {
                return;
            };
            batch.push(message);
        }
    }

    /// What happened, and what is owed, while nothing could be written.
    fn catch_up(&mut self, round: &mut Round) {
        if self.failure.is_some() {
            return;
        }
        self.take_restart(round);
        if mem::take(&mut self.missed) {
            self.follow_links(round);
        }
        self.release_key(round);
        self.repay(round);
        self.write_closed(round);
    }

    /// The single sleep: until the next thing that happens by itself.
    fn next_wake(&self) -> Instant {
        const FAR: Duration = Duration::from_secs(3_600);
        let own = match (&self.failure, self.conference.next_deadline()) {
            (Some(_), _) => self.asks_at(),
            (None, at) => at.map(|at| self.clock.instant(at)),
        };
        let own = own.unwrap_or_else(|| Instant::now() + FAR);
        let due = self.members.due().filter(|_| self.is_in_step());
        due.map_or(own, |due| due.min(own))
    }

    async fn take(&mut self, message: Message, round: &mut Round) {
        match message {
            Message::Join {
                seat,
                claim,
                opened,
                outlet,
                reply,
            } => {
                let join = Join {
                    seat,
                    claim,
                    opened,
                    outlet,
                    reply,
                };
                self.take_knock(join, round);
            }
            Message::Gone { wait } => {
                self.lobby.remove(&wait);
                self.sweep_lobby(round);
            }
            Message::Command { peer, id, command } => {
                if let Some(asked) = self.asked(peer, id, command) {
                    self.take_command(asked, round).await;
                }
            }
            Message::Waited { asked, shuts, .. } => self.take_waited(asked, &shuts, round).await,
            Message::Media { peer, ask } => {
                // A media plane that lags stops nobody's conference: the note is refused, and may be sent again.
                if self.members.may_ask(peer, &ask) && self.media.asks.try_send(ask).is_ok() {
                    return;
                }
                if self.members.contains(peer) {
                    self.members.error(peer, ErrorWhy::MediaRefused, None);
                }
            }
            Message::Acknowledge { peer, alarm } => self.acknowledge(peer, alarm),
            Message::Leave { peer } => self.leave(peer).await,
            Message::Alarms { reply } => {
                let _ = reply.send(self.alarms());
            }
            Message::Stop { reply } => round.stop = Some(reply),
        }
    }

    /// Applies what nobody asked for: time and links.
    fn happened(&mut self, events: Vec<Event>, round: &mut Round) {
        let at = self.clock.now();
        for event in events {
            self.apply(&event, round);
            round.entries.push(Entry {
                at,
                seat: None,
                command: None,
                event,
            });
        }
    }

    /// Applies what time alone brings: where that cannot be written it is found anew, or not, when it can.
    fn happened_in_time(&mut self, events: Vec<Event>, round: &mut Round) {
        let before = self.conference.openings();
        self.happened(events, round);
        let closed = before.closed_in(&self.conference.openings());
        round.closed_in_time.extend(closed);
    }

    fn take_time(&mut self, round: &mut Round) {
        while self.may_write() {
            let events = self.conference.decide_time(self.clock.now());
            if events.is_empty() {
                return;
            }
            self.happened_in_time(events, round);
        }
        self.close_in_time();
    }

    /// Makes the round durable, then tells it. Returns the request to stop, if there was one.
    async fn finish(&mut self, round: Round) -> Option<oneshot::Sender<()>> {
        let Round {
            entries,
            answers,
            to_lobby,
            turned_away,
            sent_away,
            banned: _,
            unheard,
            closed_by_record,
            closed_in_time,
            made_room,
            about_stage,
            shutting,
            mut keys_fell,
            stop,
        } = round;
        let ahead = self.close_ahead(&closed_in_time);
        // What is closed while the store takes its time is no part of what this round writes.
        let closed = mem::take(&mut self.ahead.unwritten);
        let committed = match entries.is_empty() {
            true => Ok(()),
            false => self.commit(&entries, &shutting).await,
        };
        let is_written = committed.is_ok();
        match committed {
            Ok(()) => {
                self.ahead.unwritten.extend(&closed - &closed_by_record);
                self.unseen.written();
                self.late.written();
                self.open_roll_call();
                self.publish(&entries);
                for (peer, id, answer) in answers {
                    self.answer(peer, id, answer);
                }
                self.heed(&entries, &sent_away).await;
                self.open_what_waited();
                self.shut_no_longer();
            }
            Err(failure) => {
                self.ahead.unwritten.extend(closed);
                self.ahead.round_fails(&ahead, &made_room, about_stage);
                self.unseen.unwritten();
                self.late.unwritten();
                self.failed(&failure, shutting).await;
                self.keys_fell.append(&mut keys_fell);
                let decided = answers.into_iter().map(|(peer, id, _)| (peer, id));
                for (peer, id) in decided.chain(unheard) {
                    self.members.error(peer, ErrorWhy::StorageFailed, Some(id));
                }
            }
        }
        self.tell_alarms();
        self.let_wait(to_lobby, is_written).await;
        self.turn_away(turned_away, is_written);
        for join in mem::take(&mut self.joins) {
            self.enter(join).await;
        }
        stop
    }

    async fn commit(&mut self, entries: &[Entry], shutting: &[Owed]) -> Result<(), JournalError> {
        let begun = Instant::now();
        self.store(entries.to_vec(), shutting).await?;
        self.metrics
            .commit_seconds
            .observe(begun.elapsed().as_secs_f64());
        (self.failure, self.restart) = (None, None);
        Ok(())
    }

    async fn store(&mut self, entries: Vec<Entry>, shutting: &[Owed]) -> Result<(), JournalError> {
        let append = self.writer.append(entries);
        let stored = self.store_answers(append, shutting).await;
        if let Err(failure) = &stored {
            error!(
                error = failure as &dyn std::error::Error,
                "the journal cannot be written"
            );
            self.metrics.commit_failures.inc();
        }
        stored.map(drop)
    }

    fn publish(&mut self, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        self.publish_stage();
        let slices: BTreeSet<_> = entries
            .iter()
            .flat_map(|entry| touches(&entry.event))
            .collect();
        self.members
            .publish(&self.conference, &slices, self.clock.now());
    }

    fn answer(&self, peer: PeerId, id: String, answer: Answer) {
        let frame = match answer {
            Answer::Ok { seq } => {
                self.metrics.accepted.inc();
                ServerFrame::Ok { id, seq }
            }
            Answer::Refused(why) => {
                self.metrics.refused.inc();
                debug!(%peer, %why, "refused");
                ServerFrame::Refused {
                    id,
                    why,
                    text: why.to_string(),
                }
            }
        };
        self.members.tell(peer, &frame);
    }

    async fn leave(&mut self, peer: PeerId) {
        if self.members.remove(peer) {
            info!(%peer, "left");
            self.forget(peer).await;
        }
    }

    async fn forget(&mut self, peer: PeerId) {
        self.telemetry.forget(peer);
        self.ask(PeerAsk::Leave { peer }).await;
    }

    async fn ask(&self, ask: PeerAsk) {
        if self.media.asks.send(ask).await.is_err() {
            error!("the media plane has stopped");
        }
    }

    async fn tick(&mut self) {
        if !self.is_in_step() {
            self.heard_at = Instant::now();
            self.fall_back().await;
        }
        self.writer.touch(self.alive());
        self.look_at_sites();
    }

    async fn close(mut self, stopped: oneshot::Sender<()>) {
        self.members.tell_all(&ServerFrame::Stopping);
        self.members.close_all(Close::Stopping);
        self.repay_at_last().await;
        self.writer.close().await;
        let _ = stopped.send(());
    }
}
