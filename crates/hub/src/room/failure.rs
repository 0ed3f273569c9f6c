//! What a room does while its journal cannot be written: it acknowledges nothing, goes on showing what is on disk, and
//! still closes microphones and shuts people out (`shut.rs`). Nobody else is cut: what everyone sees is what the journal
//! says.

use super::{Asked, Closed, Owed, Room, Round, Shut, TICK};
use crate::replay::Replayed;
use diemcau_conference::Signal;
use diemcau_journal::JournalError;
use diemcau_model::{Alarm, EndpointKind, Millis, PeerId, SiteId};
use diemcau_protocol::ServerFrame;
use std::{collections::BTreeSet, mem};
use tokio::time::Instant;
use tracing::{error, info};

/// A write that failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// No write is tried before: a failing disk is not asked more than once a second.
    retry_at: Instant,
    /// Memory holds exactly what is on disk again.
    in_step: bool,
    /// What people are told.
    alarm: Alarm,
}

/// What follows from a start could not be written, or what it found may be on no disk.
#[derive(Debug)]
pub(crate) struct Unwritten {
    /// When the server was last alive before.
    pub(crate) last_alive: Millis,
    pub(crate) why: JournalError,
}

/// A start that is not written yet.
#[derive(Debug)]
pub(super) struct Restart {
    last_alive: Millis,
    /// It came before the rules, and waits for the disk.
    is_decided: bool,
}

impl Failure {
    pub(super) fn alarm(&self) -> Alarm {
        self.alarm
    }

    /// The next write is not waited for.
    pub(super) fn ask_now(&mut self) {
        self.retry_at = Instant::now();
    }
}

impl Room {
    /// Whether something may be decided: what is decided is written, and comes behind the start.
    pub(super) fn may_write(&self) -> bool {
        self.is_begun() && self.failure.is_none()
    }

    /// Whether the start is written, or is by this round.
    pub(super) fn is_begun(&self) -> bool {
        self.restart.as_ref().is_none_or(|start| start.is_decided)
    }

    /// When the disk is to be asked whether what failed can be done again.
    pub(super) fn asks_at(&self) -> Option<Instant> {
        let failure = self.failure.as_ref().filter(|failure| failure.in_step);
        failure.map(|failure| failure.retry_at)
    }

    /// Asks whether what failed can be done again, before anything is decided: what is decided and fails once more would have
    /// memory go back over the whole record. Nothing may be taken yet that it would keep waiting: it may hang.
    pub(super) async fn ask_disk(&mut self) {
        if self.asks_at().is_none_or(|at| at > Instant::now()) {
            return;
        }
        match self.store(vec![], &[]).await {
            Ok(()) => self.failure = None,
            // There was nothing that memory could be ahead by. What waited meanwhile is not written now either.
            Err(why) => {
                self.ahead.store_fails();
                self.fails(alarm_of(&why), true);
            }
        }
    }

    /// Whether memory holds what is on disk.
    pub(super) fn is_in_step(&self) -> bool {
        self.failure.as_ref().is_none_or(|failure| failure.in_step)
    }

    /// A write failed: memory goes back to what is on disk, and what was closed stays closed.
    pub(super) async fn failed(&mut self, failure: &JournalError, shutting: Vec<Owed>) {
        self.ahead.store_fails();
        self.out_of_step(alarm_of(failure));
        for owed in shutting {
            self.shut_out(&owed.shuts).await;
            self.owed.push(owed);
        }
        self.fall_back().await;
    }

    /// Memory is ahead of the disk: nothing is decided until they are the same again.
    pub(super) fn out_of_step(&mut self, alarm: Alarm) {
        self.fails(alarm, false);
    }

    /// What follows from the start could not be written: it is tried again as any other write, and nothing goes before it.
    pub(super) fn begin_unwritten(&mut self, unwritten: &Unwritten) {
        let Unwritten { last_alive, why } = unwritten;
        error!(
            error = why as &dyn std::error::Error,
            "the journal cannot be written: the conference begins with what it says"
        );
        self.metrics.commit_failures.inc();
        self.restart = Some(Restart {
            last_alive: *last_alive,
            is_decided: false,
        });
        self.fails(alarm_of(why), true);
    }

    /// The start that could not be written comes before the rules.
    pub(super) fn take_restart(&mut self, round: &mut Round) {
        let Some(restart) = &mut self.restart else {
            return;
        };
        restart.is_decided = true;
        let last_alive = restart.last_alive;
        let signal = Signal::Restarted { last_alive };
        let events = self.conference.decide_signal(signal, self.clock.now());
        if events.is_empty() {
            // Nothing follows from it, and the disk has answered.
            self.restart = None;
        }
        self.happened(events, round);
    }

    /// When the server was alive, as the record is to know it: while the start is unwritten, before that. The time between is
    /// nobody's speaking time, also if the server goes again before it could write so. Nor is it since the link of a
    /// speaker that is not back was lost, while no record has that.
    pub(super) fn alive(&self) -> Millis {
        let is_there = |site| {
            let kinds = [EndpointKind::Room, EndpointKind::Standby];
            kinds
                .into_iter()
                .any(|kind| self.senders.contains_key(&(site, kind)))
        };
        match (&self.restart, self.unseen.first_loss(is_there)) {
            (Some(restart), _) => restart.last_alive,
            (None, Some(lost)) => lost,
            (None, None) => self.clock.now(),
        }
    }

    fn fails(&mut self, alarm: Alarm, in_step: bool) {
        if !mem::replace(&mut self.missed, true) {
            self.late.begin(self.ahead.shown(), self.clock.now());
        }
        if let Some(restart) = &mut self.restart {
            restart.is_decided = false;
        }
        self.failure = Some(Failure {
            retry_at: Instant::now() + TICK,
            in_step,
            alarm,
        });
        self.tell_alarms();
    }

    /// What is wrong with the record now.
    pub(super) fn alarms(&self) -> BTreeSet<Alarm> {
        let mut alarms = self.writer.alarms();
        alarms.extend(self.failure.as_ref().map(|failure| failure.alarm));
        alarms
    }

    /// Tells the desks when something else is wrong than they were told.
    pub(super) fn tell_alarms(&mut self) {
        let alarms = self.alarms();
        if alarms == self.alarms_told {
            return;
        }
        for alarm in alarms.difference(&self.alarms_told) {
            error!(?alarm, "{}", alarm.words());
        }
        for alarm in self.alarms_told.difference(&alarms) {
            info!(?alarm, "this is over: {}", alarm.words());
        }
        self.metrics.alarms(&alarms);
        self.members.tell_desks(&ServerFrame::Alarms {
            alarms: alarms.clone(),
        });
        self.alarms_told = alarms;
    }

    /// Tells a newcomer what is wrong, if it is a desk's to know and anything is.
    pub(super) fn tell_alarms_to(&self, peer: PeerId) {
        if !self.alarms_told.is_empty() && self.members.is_desk(peer) {
            let alarms = self.alarms_told.clone();
            self.members.tell(peer, &ServerFrame::Alarms { alarms });
        }
    }

    /// Reads the journal again, so that memory holds exactly what is on disk.
    pub(super) async fn fall_back(&mut self) {
        let reading = self.writer.read_all();
        let records = match self.store_answers(reading, &[]).await {
            Ok(records) => records,
            Err(failure) => {
                error!(
                    error = &failure as &dyn std::error::Error,
                    "the journal cannot be read"
                );
                return;
            }
        };
        let mut replayed = Replayed::default();
        records.iter().for_each(|record| replayed.take(record));
        self.conference = replayed.conference;
        self.members.forget_snapshots();
        self.answers = replayed.answers;
        if let Some(failure) = &mut self.failure {
            failure.in_step = true;
        }
        self.publish_stage();
        info!(
            seq = self.conference.seq(),
            "memory is what the journal says; writing is tried again"
        );
    }

    /// What a command that is not written closes, and whom it shuts out.
    pub(super) fn closes(&self, asked: &Asked) -> (Closed, BTreeSet<Shut>) {
        // What was answered, or waits to be, has closed what it closes.
        if self.answers.get(asked.actor.seat, &asked.id).is_some() {
            return Default::default();
        }
        let Some(Ok(events)) = self.ask_rules(asked) else {
            return Default::default();
        };
        (
            self.closed_by(&events),
            Shut::all(&events, asked.actor.seat),
        )
    }

    /// Tells the rules which endpoints are there now; what they know already makes no event.
    pub(super) fn follow_links(&mut self, round: &mut Round) {
        self.take_unheard(round);
        let now = self.clock.now();
        let sites: Vec<SiteId> = self
            .conference
            .setup()
            .sites
            .iter()
            .map(|site| site.id)
            .collect();
        for site in sites {
            for kind in [EndpointKind::Room, EndpointKind::Standby] {
                let signal = match self.senders.contains_key(&(site, kind)) {
                    true => Signal::LinkUp { site, kind },
                    false => Signal::LinkDown { site, kind },
                };
                let events = self.conference.decide_signal(signal, now);
                self.happened(events, round);
            }
        }
    }
}

fn alarm_of(failure: &JournalError) -> Alarm {
    match matches!(failure, JournalError::Full) {
        true => Alarm::RecordFull,
        false => Alarm::RecordFails,
    }
}
