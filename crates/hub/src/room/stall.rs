//! A store that does not answer, as a disk that hangs: the room must not hang with it.
//!
//! Memory is ahead of the disk then, and whether what it holds will be written nobody knows. So nothing is decided, told
//! or acknowledged; what closes, and what needs no record, is done at once. The rest waits in its order.

use super::{Asked, Closed, Message, NoSeat, Owed, Room, Round};
use diemcau_model::{Alarm, PeerId, SeatId, limits};
use diemcau_protocol::ErrorWhy;
use std::{collections::VecDeque, future::Future, pin::pin, time::Duration};
use tokio::time::timeout;

/// How long the store may take before people are told.
const STALL: Duration = Duration::from_secs(1);

impl Room {
    /// What the store answers. `shutting` is what this round does if the answer is good, and must not wait for it.
    pub(super) async fn store_answers<T>(
        &mut self,
        answer: impl Future<Output = T>,
        shutting: &[Owed],
    ) -> T {
        let mut answer = pin!(answer);
        if let Ok(answer) = timeout(STALL, &mut answer).await {
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
                answer = &mut answer => return answer,
                _ = self.ticks.tick() => self.look_at_sites(),
                Some(say) = self.media.says.recv() => self.take_say(say),
                // The links themselves are looked at when memory may follow them.
                Some(report) = self.media.reports.recv() => self.take_report(report, &mut Round::default()),
                Some(message) = self.inbox.recv() => self.take_meanwhile(message).await,
            }
        }
    }

    /// What waits of a seat whose machine was changed is not done, also of a connection that has left since, but for the one
    /// that stays: their seat may ask again, so the rules would take it. What it has closed opens again, unless what
    /// still waits closes it too.
    pub(super) fn forget_waiting(&mut self, seat: SeatId, stays: Option<PeerId>) {
        let is_theirs = |message: &Message| matches!(message, Message::Waited(asked) if asked.actor.seat == seat && Some(asked.peer) != stays);
        let waited = self.waiting.len();
        self.waiting.retain(|message| !is_theirs(message));
        if self.waiting.len() == waited {
            return;
        }
        let closed = asked_of(&self.waiting).map(|asked| self.closes(asked).0);
        self.closed_waiting = closed.fold(Closed::default(), Closed::and);
        self.publish_stage();
    }

    /// What waited is in the record, or refused: the record alone says what is closed.
    pub(super) fn open_what_waited(&mut self) {
        if self.waiting.is_empty() && self.is_in_step() && self.closed_waiting.clear() {
            self.publish_stage();
        }
    }

    /// Takes what may not wait; the rest waits, as far as there is room.
    async fn take_meanwhile(&mut self, message: Message) {
        let has_room = self.waiting.len() < limits::INBOX_MAX;
        match message {
            Message::Command { peer, id, command } => {
                let Some(asked) = self.asked(peer, id, command) else {
                    return;
                };
                if has_room {
                    let (closed, shuts) = self.closes(&asked);
                    self.closed_waiting.add(closed);
                    self.close_now();
                    self.shut_out(&shuts).await;
                    self.waiting.push_back(Message::Waited(asked));
                } else {
                    let id = Some(asked.id.clone());
                    self.close_and_owe(asked).await;
                    self.members.error(peer, ErrorWhy::StorageFailed, id);
                }
            }
            Message::Join { reply, .. } if !has_room => {
                let _ = reply.send(Err(NoSeat::Unready));
            }
            Message::Join { .. } | Message::Waited(_) | Message::Stop { .. } => {
                self.waiting.push_back(message);
            }
            Message::Gone { .. }
            | Message::Media { .. }
            | Message::Acknowledge { .. }
            | Message::Leave { .. }
            | Message::Alarms { .. } => self.take(message, &mut Round::default()).await,
        }
    }
}

/// The commands among what waits.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "nothing else is a command whose sender is known"
)]
fn asked_of(waiting: &VecDeque<Message>) -> impl Iterator<Item = &Asked> {
    waiting.iter().filter_map(|message| match message {
        Message::Waited(asked) => Some(asked),
        _ => None,
    })
}
