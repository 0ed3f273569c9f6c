//! The way to a conference's task: what is told to it, and what it answers.

use super::{Closed, lobby::Claim, shut::Shut};
use crate::{Clock, outlet::Outlet};
use diemcau_conference::{Actor, Command};
use diemcau_model::{Alarm, DeviceId, HealthId, PeerAsk, PeerId, SeatId, WaitId};
use diemcau_protocol::ServerFrame;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::timeout,
};

/// How long the task may take to say what is wrong: who asks whether the server is well gets an answer.
const ALARMS_WITHIN: Duration = Duration::from_secs(2);

/// The way to a conference's task.
#[derive(Clone, Debug)]
pub(crate) struct RoomHandle {
    pub(super) inbox: mpsc::Sender<Message>,
    /// A copy of the room's clock, so that a `pong` does not wait for a commit.
    pub(crate) clock: Clock,
    pub(super) task: AbortHandle,
}

/// What arrives at the task.
#[derive(Debug)]
pub(crate) enum Message {
    Join {
        seat: SeatId,
        /// Who it has proved to be; none before it was asked.
        claim: Option<Claim>,
        opened: Opened,
        outlet: Arc<Outlet>,
        reply: oneshot::Sender<Result<Admission, NoSeat>>,
    },
    /// A command that waited for the store. Who gave it may be gone by now: it came before.
    Waited {
        asked: Asked,
        /// What it has closed meanwhile, ...
        closed: Closed,
        /// ... and whom it has shut out.
        shuts: BTreeSet<Shut>,
    },
    /// A connection that waited at the door is gone.
    Gone {
        wait: WaitId,
    },
    Command {
        peer: PeerId,
        id: String,
        command: Command,
    },
    Media {
        peer: PeerId,
        ask: PeerAsk,
    },
    /// Somebody sees to an alarm about a site.
    Acknowledge {
        peer: PeerId,
        alarm: HealthId,
    },
    Leave {
        peer: PeerId,
    },
    Alarms {
        reply: oneshot::Sender<BTreeSet<Alarm>>,
    },
    Stop {
        reply: oneshot::Sender<()>,
    },
}

/// A command, and who gave it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(super) peer: PeerId,
    pub(super) actor: Actor,
    /// The device its connection proved to be; none when it makes no key.
    pub(super) device: Option<DeviceId>,
    pub(super) id: String,
    pub(super) command: Command,
}

/// Why a seat could not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSeat {
    /// There is none, it was revoked, the device is shut out, or the PIN is wrong.
    ShutOut,
    /// Who comes must first say who it is.
    Guarded,
    /// It was asked to leave at this moment.
    Expelled,
    /// A connection that was opened later has the seat.
    Replaced,
    /// The waiting device was sent away.
    NotLetIn,
    /// Too many wait at the door.
    LobbyFull,
    /// The record cannot be written: nobody is let in until it can.
    Unready,
    /// The conference is closed.
    Closed,
}

/// What becomes of a connection that may come.
#[derive(Debug)]
pub(crate) enum Admission {
    /// It was let in. The first frame is the welcome.
    In(PeerId),
    /// It waits until somebody decides.
    Waits(InLobby),
}

/// A connection that waits.
#[derive(Debug)]
pub(crate) struct InLobby {
    pub(crate) wait: WaitId,
    /// What it is told meanwhile.
    pub(crate) words: ServerFrame,
    pub(crate) outcome: oneshot::Receiver<Result<PeerId, NoSeat>>,
}

impl RoomHandle {
    /// Takes a seat, or waits for it.
    pub(crate) async fn join(
        &self,
        seat: SeatId,
        claim: Option<Claim>,
        opened: Opened,
        outlet: Arc<Outlet>,
    ) -> Result<Admission, NoSeat> {
        let (reply, joined) = oneshot::channel();
        self.tell(Message::Join {
            seat,
            claim,
            opened,
            outlet,
            reply,
        })
        .await;
        // The task drops what it has not read when it ends.
        joined.await.unwrap_or(Err(NoSeat::Closed))
    }

    /// Hands something over; waits while the inbox is full. False when the conference is closed.
    pub(crate) async fn tell(&self, message: Message) -> bool {
        self.inbox.send(message).await.is_ok()
    }

    /// What is wrong with the record now. A task that does not answer writes nothing.
    pub(crate) async fn alarms(&self) -> BTreeSet<Alarm> {
        let (reply, alarms) = oneshot::channel();
        let asked = async {
            self.tell(Message::Alarms { reply }).await;
            alarms.await.ok()
        };
        let alarms = timeout(ALARMS_WITHIN, asked).await.ok().flatten();
        alarms.unwrap_or([Alarm::RecordFails].into())
    }

    /// Waits until the conference's task has ended, for whatever reason.
    pub(crate) async fn ended(&self) {
        self.inbox.closed().await;
    }

    pub(crate) async fn stop(&self) {
        let (reply, stopped) = oneshot::channel();
        if self.tell(Message::Stop { reply }).await {
            let _ = stopped.await;
        }
    }

    /// Ends the task in the middle of whatever it waits for: what it has acknowledged is in the record.
    pub(crate) fn give_up(&self) {
        self.task.abort();
    }
}

/// Which of two connections was opened first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Opened(u64);

/// When a connection came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Came {
    pub(crate) opened: Opened,
    /// Somebody has decided for it then: it comes later than whoever was on the way.
    pub(crate) let_in: Option<Opened>,
}

impl From<Opened> for Came {
    fn from(opened: Opened) -> Self {
        let let_in = None;
        Self { opened, let_in }
    }
}

/// Numbers the connections in the order of their opening.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order(Arc<AtomicU64>);

impl Order {
    /// Later than all before.
    pub(crate) fn next(&self) -> Opened {
        Opened(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diemcau_model::Millis;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_answer_writes_nothing_and_that_is_said_in_time() {
        let (inbox, never_read) = mpsc::channel(1);
        let clock = Clock::from(Millis(0), Millis(0));
        let task = tokio::spawn(async {}).abort_handle();
        let room = RoomHandle { inbox, clock, task };
        let begun = tokio::time::Instant::now();
        // The second finds no room in the inbox.
        for _ in 0..2 {
            assert_eq!(room.alarms().await, [Alarm::RecordFails].into());
        }
        assert_eq!(begun.elapsed(), 2 * ALARMS_WITHIN);
        drop(never_read);
    }
}
