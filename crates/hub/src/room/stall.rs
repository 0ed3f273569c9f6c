//! A store that does not answer, as a disk that hangs: the room must not hang with it.
//!
//! Memory is ahead of the disk then, and whether what it holds will be written nobody knows. So nothing is decided, told
//! or acknowledged; what closes, and what needs no record, is done at once. The rest waits in its order.

use super::{Asked, Closed, Message, NoSeat, Owed, Room, Round, Shut};
use diemcau_model::{Alarm, SeatId, limits};
use diemcau_protocol::ErrorWhy;
use std::{collections::BTreeSet, future::Future, pin::pin, time::Duration};
use tokio::time::{Instant, timeout_at};

/// How long what comes may wait for the store, whatever it is asked meanwhile; then people are told.
const STALL: Duration = Duration::from_secs(1);
/// A store that answers so soon does not hang, however long it was until it was asked.
const PROMPT: Duration = Duration::from_millis(100);

impl Room {
    /// What the store answers. `shutting` is what this round does if the answer is good, and must not wait for it.
    pub(super) async fn store_answers<T>(
        &mut self,
        answer: impl Future<Output = T>,
        shutting: &[Owed],
    ) -> T {
        let mut answer = pin!(answer);
        let hangs_at = (self.heard_at + STALL).max(Instant::now() + PROMPT);
        if let Ok(answer) = timeout_at(hangs_at, &mut answer).await {
            return answer;
        }
        let known = self.failure.as_ref().map(|failure| failure.alarm());
        self.out_of_step(known.unwrap_or(Alarm::RecordFails));
        for owed in shutting {
            self.shut_out(&owed.shuts).await;
        }
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => {
                    self.heard_at = Instant::now();
                    return answer;
                }
                _ = self.ticks.tick() => {
                    self.look_at_sites();
                    self.close_in_time();
                }
                Some(say) = self.media.says.recv() => self.take_say(say),
                // The links themselves are looked at when memory may follow them.
                Some(report) = self.media.reports.recv() => self.take_report(report, &mut Round::default()),
                Some(message) = self.inbox.recv() => self.take_meanwhile(message).await,
            }
        }
    }

    /// What waits of a machine that was sent away is not done, also of a connection that has left since: where its seat may ask
    /// again, the rules would take it. What it has closed opens again, unless what still waits closes it too.
    pub(super) fn forget_waiting(&mut self, is_its: impl Fn(&Asked) -> bool) {
        let is_its = |message: &Message| asked_of(message).is_some_and(&is_its);
        self.waiting.retain(|message| !is_its(message));
        self.open_what_waited();
    }

    /// Takes what may not wait; the rest waits, as far as there is room. Who comes takes no place of what is asked.
    async fn take_meanwhile(&mut self, message: Message) {
        match message {
            Message::Command { peer, id, command } => {
                if let Some(asked) = self.asked(peer, id, command) {
                    self.let_command_wait(asked).await;
                }
            }
            Message::Join { reply, .. } if self.come() >= limits::INBOX_MAX => {
                let _ = reply.send(Err(NoSeat::Unready));
            }
            Message::Join { .. } | Message::Waited { .. } | Message::Stop { .. } => {
                self.waiting.push_back(message);
            }
            Message::Gone { .. }
            | Message::Media { .. }
            | Message::Acknowledge { .. }
            | Message::Leave { .. }
            | Message::Alarms { .. } => {
                self.take(message, &mut Round::default()).await;
                self.let_key_fall();
            }
        }
    }

    /// Gives a command a place in the line, unless its role may never do it, or its seat has its share. Whom it shuts out stays
    /// out in the order in which that was asked: it has a place always, of which there are as many as seats and devices.
    async fn let_command_wait(&mut self, asked: Asked) {
        if self.refuses(&asked) || !self.is_in_pace(&asked) {
            return;
        }
        let (closed, shuts) = self.closes(&asked);
        let has_place = self.has_place(asked.actor.seat) || !shuts.is_subset(&self.shut);
        self.ahead.waiting.extend(&closed);
        self.close_now();
        self.shut_out(&shuts).await;
        if !has_place {
            let id = Some(asked.id);
            return self.members.error(asked.peer, ErrorWhy::StorageFailed, id);
        }
        self.waiting.push_back(Message::Waited {
            asked,
            closed,
            shuts,
        });
    }

    /// Whether one more command of a seat may wait.
    fn has_place(&self, seat: SeatId) -> bool {
        let (mut all, mut own) = (0, 0);
        for asked in self.waiting.iter().filter_map(asked_of) {
            all += 1;
            own += usize::from(asked.actor.seat == seat);
        }
        all < limits::INBOX_MAX && own < limits::WAITING_SHARE
    }

    /// How many wait to come in.
    fn come(&self) -> usize {
        let is_join = |message: &&Message| matches!(message, Message::Join { .. });
        self.waiting.iter().filter(is_join).count()
    }
}

/// The command that waits, if it is one.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "nothing else is a command whose sender is known"
)]
fn asked_of(message: &Message) -> Option<&Asked> {
    match message {
        Message::Waited { asked, .. } => Some(asked),
        _ => None,
    }
}

/// What a command that waits has closed.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "nothing else closes anything while it waits"
)]
pub(super) fn closed_by(message: &Message) -> Option<&Closed> {
    match message {
        Message::Waited { closed, .. } => Some(closed),
        _ => None,
    }
}

/// Whom a command that waits has shut out.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "nothing else shuts anybody out while it waits"
)]
pub(super) fn shuts_of(message: &Message) -> Option<&BTreeSet<Shut>> {
    match message {
        Message::Waited { shuts, .. } => Some(shuts),
        _ => None,
    }
}
