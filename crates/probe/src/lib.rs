//! A synthetic peer on str0m: publishes numbered audio and video packets, counts what it receives by slot and source. It
//! goes on when the server has said good-bye.
//!
//! str0m is another implementation than the one the server is made of, so what works here is evidence of
//! interoperation. Used by tests only, therefore it panics where a program would explain.

mod line;
pub mod payload;
mod seen;
mod task;

pub use payload::{KEY_FRAME_PACKETS, Mark};
pub use seen::{Seen, Slot, Tally};

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use task::Command;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// What the peer sends, and how bad its link is.
#[derive(Clone, Debug)]
pub struct ProbeOptions {
    /// Written into every packet, so that a receiver knows whose it is.
    pub mark: u16,
    /// Simulcast layers by rid; empty: one picture without simulcast.
    pub layers: Vec<&'static str>,
    /// Whether it has a microphone: a presentation has none.
    pub sound: bool,
    /// Time between audio packets.
    pub audio_interval: Duration,
    /// Time between video frames.
    pub frame_interval: Duration,
    /// Loudness of its sound in dBov.
    pub level_dbov: i8,
    /// Media packets thrown away on the way out, of a thousand.
    pub uplink_loss: u32,
    /// Media packets thrown away on the way in, of a thousand.
    pub downlink_loss: u32,
}

impl ProbeOptions {
    /// Three layers at 20 frames a second, a sound packet every 20 ms, no loss.
    #[must_use]
    pub fn new(mark: u16) -> Self {
        Self {
            mark,
            layers: vec!["q", "h", "f"],
            sound: true,
            audio_interval: Duration::from_millis(20),
            frame_interval: Duration::from_millis(50),
            level_dbov: -30,
            uplink_loss: 0,
            downlink_loss: 0,
        }
    }
}

/// A running peer; dropping it ends it without a word, like a pulled cable.
#[derive(Debug)]
pub struct Probe {
    commands: mpsc::UnboundedSender<Command>,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Probe {
    #[must_use]
    pub fn start(options: ProbeOptions) -> Self {
        let (commands, inbox) = mpsc::unbounded_channel();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let task = tokio::spawn(task::run(options, inbox, Arc::clone(&seen)));
        Self {
            commands,
            seen,
            task,
        }
    }

    /// A new uplink, made wholly anew; the former one goes on until the answer comes.
    pub async fn uplink_offer(&self) -> String {
        self.ask(Command::UplinkOffer).await
    }

    pub fn uplink_answer(&self, sdp: String) {
        self.tell(Command::UplinkAnswer(sdp));
    }

    /// Takes the server's offer of a downlink; gives the answer.
    pub async fn downlink_offer(&self, sdp: String) -> String {
        self.ask(|reply| Command::DownlinkOffer(sdp, reply)).await
    }

    /// Offers a downlink of its own making, as a player does: a picture in slot 0, a sound in slot 1.
    pub async fn player_offer(&self) -> String {
        self.ask(Command::PlayerOffer).await
    }

    pub fn player_answer(&self, sdp: String) {
        self.tell(Command::PlayerAnswer(sdp));
    }

    /// What has happened so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Asks the server for a key frame in a slot, as a browser does that lost its thread.
    pub fn wish_key_frame(&self, slot: usize) {
        self.tell(Command::WishKeyFrame(slot));
    }

    fn tell(&self, command: Command) {
        // A peer that has ended is a failed test already.
        let _ = self.commands.send(command);
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> T {
        let (reply, answer) = oneshot::channel();
        self.tell(command(reply));
        match answer.await {
            Ok(answer) => answer,
            Err(_) => panic!("the synthetic peer has ended"),
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.task.abort();
    }
}
