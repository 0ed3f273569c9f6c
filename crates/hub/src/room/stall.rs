//! A store that does not answer, as a disk that hangs: the room must not hang with it.
//!
//! Memory is ahead of the disk then, and whether what it holds will be written nobody knows. So nothing is decided, told
//! or acknowledged; what closes, and what needs no record, is done at once. The rest waits in its order.

use super::{Asked, Message, NoSeat, Owed, Room, Round};
use diemcau_model::{Alarm, PeerId, limits};
use diemcau_protocol::ErrorWhy;
use std::{collections::VecDeque, future::Future, mem, pin::pin, time::Duration};
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

    /// What waits of these machines is not done: their seat may ask again, so the rules would take it. What it has closed
    /// opens again, unless what still waits closes it too.
    pub(super) fn forget_waiting(&mut self, peers: &[PeerId]) {
        let is_theirs = |message: &Message| matches!(message, Message::Waited(asked) if peers.contains(&asked.peer));
        let waiting = mem::take(&mut self.waiting).into_iter();
        let (theirs, others): (VecDeque<_>, VecDeque<_>) = waiting.partition(is_theirs);
        if !theirs.is_empty() {
            for asked in asked_of(&theirs) {
                self.reopen_unwritten(asked);
            }
            for asked in asked_of(&others) {
                self.close_unwritten(asked);
            }
            self.publish_stage();
        }
        self.waiting = others;
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
                    let shuts = self.close_unwritten(&asked);
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
