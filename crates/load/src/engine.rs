//! The one thread that sends, receives and counts for all sites, and how it is talked to.

mod hot;

use crate::rhythm::Programme;
use crate::road::Road;
use crate::tally::{Outcome, Stream};
use crate::watch::Watch;
use anyhow::{Context, Result};
use hot::Hot;
use mio::{Poll, Token, Waker};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use tokio::sync::oneshot;

const WAKER: Token = Token(usize::MAX);

/// A connection of the generator.
pub type LegId = usize;

/// The running thread; it ends when this is dropped.
pub struct Engine {
    commands: Sender<Command>,
    waker: Arc<Waker>,
    /// What can be read at any time.
    state: Arc<Mutex<State>>,
}

/// What the thread has seen of its legs.
#[derive(Debug, Default)]
pub struct State {
    /// Whether a leg is connected, by leg; a leg that failed is gone.
    pub legs: BTreeMap<LegId, bool>,
    /// By receiving and sending site, once watching was asked for.
    pub watches: BTreeMap<(u16, u16), Watch>,
    /// Picture and sound packets written for a site's uplink.
    pub written: BTreeMap<u16, u64>,
    /// RTP packets that left on it, those sent again included.
    pub left: BTreeMap<u16, u64>,
    /// Key frames the server asked a site for.
    pub key_frames_asked: BTreeMap<u16, u64>,
}

type Reply<T> = oneshot::Sender<Result<T>>;

enum Command {
    Offer(u16, Reply<(LegId, String)>),
    Answer(LegId, String, Reply<()>),
    Accept(u16, String, Reply<(LegId, String)>),
    Close(LegId),
    Roads {
        site: u16,
        is_uplink: bool,
        out: Road,
        back: Road,
    },
    Watch,
    Window(u8),
    Outcome(u16, Shown, oneshot::Sender<Outcome>),
}

type Shown = Box<dyn Fn(Stream, u16) -> bool + Send>;

impl Engine {
    /// Starts the thread; its sockets are on `ip`, its luck follows from the seed.
    ///
    /// # Errors
    /// The system gives no poll or no thread.
    pub fn start(ip: IpAddr, programme: Programme, seed: u64) -> Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let (commands, inbox) = channel();
        let state = Arc::new(Mutex::new(State::default()));
        let hot = Hot::new(ip, programme, seed, poll, Arc::clone(&state));
        thread::Builder::new()
            .name("load".to_owned())
            .spawn(move || hot.run(&inbox))?;
        Ok(Self {
            commands,
            waker,
            state,
        })
    }

    /// A new uplink of a site; gives its offer.
    ///
    /// # Errors
    /// No socket is to be had.
    pub async fn offer(&self, site: u16) -> Result<(LegId, String)> {
        self.ask(|reply| Command::Offer(site, reply)).await
    }

    /// The server's answer to an uplink's offer; it sends once connected.
    ///
    /// # Errors
    /// The answer is not good.
    pub async fn answer(&self, leg: LegId, sdp: String) -> Result<()> {
        self.ask(|reply| Command::Answer(leg, sdp, reply)).await
    }

    /// Takes the server's offer of a downlink; gives the answer.
    ///
    /// # Errors
    /// The offer is not good.
    pub async fn accept(&self, site: u16, sdp: String) -> Result<(LegId, String)> {
        self.ask(|reply| Command::Accept(site, sdp, reply)).await
    }

    /// Forgets a leg without a word.
    pub fn close(&self, leg: LegId) {
        self.tell(Command::Close(leg));
    }

    /// How the roads of a site's uplink or downlinks are from now on, those made later included.
    pub fn roads(&self, site: u16, is_uplink: bool, out: Road, back: Road) {
        self.tell(Command::Roads {
            site,
            is_uplink,
            out,
            back,
        });
    }

    /// From now on what every room sees of every site is kept.
    pub fn watch(&self) {
        self.tell(Command::Watch);
    }

    /// Begins a measuring window; 0 ends it.
    pub fn window(&self, window: u8) {
        self.tell(Command::Window(window));
    }

    /// What came of the last window.
    ///
    /// # Errors
    /// The thread has ended.
    pub async fn outcome(
        &self,
        sites: u16,
        shown: impl Fn(Stream, u16) -> bool + Send + 'static,
    ) -> Result<Outcome> {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Outcome(sites, Box::new(shown), reply));
        answer.await.context("the load thread has ended")
    }

    /// What the thread has seen.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.tell(command(reply));
        answer.await.context("the load thread has ended")?
    }

    fn tell(&self, command: Command) {
        // Without a thread the next question fails.
        let _ = self.commands.send(command);
        let _ = self.waker.wake();
    }
}
