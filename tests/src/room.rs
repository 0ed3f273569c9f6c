//! A room: a seat on the WebSocket and a synthetic WebRTC peer beside it.
//!
//! Once connected it sends sound and picture without end and heeds nothing it is told: what others then hear of it is
//! the server's doing alone.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a room waits for one frame of many; what else comes is kept"
)]

use crate::{Client, Server};
use anyhow::{Context, Error, Result, bail, ensure};
use diemcau_model::{Carries, Role, ScreenSlots, Side, SiteId, limits};
use diemcau_probe::{Probe, ProbeOptions, Seen};
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy, Me, ServerFrame, View};
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{interval, sleep},
};

/// How long anything may take on a busy machine: a liveness bound, no measure.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(4);
/// How often a client pings, as the browser does.
const PING_EACH: Duration = Duration::from_secs(5);
/// The voice slots, behind the pictures.
pub const VOICES: Range<usize> = limits::PICTURE_SLOTS..limits::PICTURE_SLOTS + limits::AUDIO_SLOTS;

/// Command ids are used once in a process: a seat that joins again must not repeat one.
static COMMANDS: AtomicU64 = AtomicU64::new(1);

/// One picture without simulcast at 20 frames a second, a sound packet every 20 ms.
#[must_use]
pub fn plain(mark: u16) -> ProbeOptions {
    ProbeOptions {
        layers: vec![],
        ..ProbeOptions::new(mark)
    }
}

/// Waits for a condition.
///
/// # Errors
/// It does not come true.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while !condition() {
        ensure!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        sleep(GLANCE).await;
    }
    Ok(())
}

/// A connected room, standby, watcher or companion. Dropping it is pulling both plugs.
#[derive(Debug)]
pub struct Room {
    /// Who it is.
    pub me: Me,
    /// What is written into its packets.
    pub mark: u16,
    options: ProbeOptions,
    probe: Probe,
    frames: mpsc::UnboundedSender<ClientFrame>,
    told: Arc<Mutex<Told>>,
    task: JoinHandle<()>,
}

/// What the WebSocket brought so far.
#[derive(Debug)]
struct Told {
    view: View,
    answers: BTreeMap<String, Vec<ServerFrame>>,
    others: Vec<ServerFrame>,
    ended: Option<String>,
}

impl Room {
    /// Joins, and makes the connections its seat may have.
    ///
    /// # Errors
    /// Not admitted, or a connection was not made.
    pub async fn enter(server: &Server, token: &str, options: ProbeOptions) -> Result<Self> {
        let mut room = Self::join(server, token, options).await?;
        if room.me.carries.endpoint().is_some() {
            room.connect_uplink().await?;
        }
        if room.me.carries != Carries::Nothing {
            room.connect_downlink().await?;
        }
        Ok(room)
    }

    /// A site's standby machine, which links the site so that it can be called; its room's seat stays free.
    ///
    /// # Errors
    /// Not admitted, or a connection was not made.
    pub async fn standby(server: &Server, site: u16) -> Result<Self> {
        let carries = Some(Carries::Standby);
        let token = server.token(Role::Moderator, Some(SiteId(site)), carries)?;
        Self::enter(server, &token, plain(site)).await
    }

    /// Joins, without media.
    ///
    /// # Errors
    /// Not admitted.
    pub async fn join(server: &Server, token: &str, options: ProbeOptions) -> Result<Self> {
        let client = Client::join(&server.host, token).await?;
        let (frames, outgoing) = mpsc::unbounded_channel();
        let told = Arc::new(Mutex::new(Told {
            view: client.view.clone(),
            answers: BTreeMap::new(),
            others: vec![],
            ended: None,
        }));
        Ok(Self {
            me: client.me.clone(),
            mark: options.mark,
            probe: Probe::start(options.clone()),
            options,
            frames,
            told: Arc::clone(&told),
            task: tokio::spawn(serve(client, outgoing, told)),
        })
    }

    /// Makes the uplink, or makes it anew; from then on it sends.
    ///
    /// # Errors
    /// It was not made.
    pub async fn connect_uplink(&mut self) -> Result<()> {
        let sdp = self.probe.uplink_offer().await;
        self.send(ClientFrame::UplinkOffer { sdp })?;
        let answer = self
            .take("an answer to the uplink", |frame| match frame {
                ServerFrame::UplinkAnswer { sdp } => Some(sdp.clone()),
                _ => None,
            })
            .await?;
        self.probe.uplink_answer(answer);
        until("the uplink is connected", || self.seen().uplink_connected).await
    }

    /// Makes the downlink, or makes it anew.
    ///
    /// # Errors
    /// It was not made.
    pub async fn connect_downlink(&mut self) -> Result<()> {
        self.send(ClientFrame::OpenDownlink {})?;
        let offer = self
            .take("an offer of the downlink", |frame| match frame {
                ServerFrame::DownlinkOffer { sdp } => Some(sdp.clone()),
                _ => None,
            })
            .await?;
        let sdp = self.probe.downlink_offer(offer).await;
        self.send(ClientFrame::DownlinkAnswer { sdp })?;
        until("the downlink is connected", || {
            self.seen().downlink_connected
        })
        .await
    }

    /// Shows a screen to all, which sends under a mark of its own; gives what sends it.
    ///
    /// # Errors
    /// It was refused, or not made.
    pub async fn present(&self, mark: u16) -> Result<Probe> {
        let screen = Probe::start(ProbeOptions {
            sound: false,
            ..plain(mark)
        });
        let sdp = screen.uplink_offer().await;
        self.send(ClientFrame::PresentationOffer { sdp })?;
        let answer = self
            .take("an answer to the presentation", |frame| match frame {
                ServerFrame::PresentationAnswer { sdp } => Some(Ok(sdp.clone())),
                ServerFrame::MediaFailed {
                    side: Side::Presentation,
                    reason,
                } => Some(Err(reason.clone())),
                _ => None,
            })
            .await?;
        screen.uplink_answer(answer.map_err(Error::msg)?);
        until("the presentation is connected", || {
            screen.seen().uplink_connected
        })
        .await?;
        Ok(screen)
    }

    /// Asks for a connection without a right to it; gives what the server says.
    ///
    /// # Errors
    /// No word came.
    pub async fn ask_in_vain(&mut self, side: Side) -> Result<String> {
        let sdp = self.probe.uplink_offer().await;
        self.send(match side {
            Side::Uplink => ClientFrame::UplinkOffer { sdp },
            Side::Downlink => ClientFrame::OpenDownlink {},
            Side::Presentation => ClientFrame::PresentationOffer { sdp },
        })?;
        self.take("word that this is not for it", |frame| match frame {
            ServerFrame::Error {
                why: ErrorWhy::MediaRefused,
                text,
                ..
            } => Some(text.clone()),
            ServerFrame::MediaFailed {
                side: failed,
                reason,
            } if *failed == side => Some(reason.clone()),
            _ => None,
        })
        .await
    }

    /// Waits until the server says that a side has failed; gives the reason.
    ///
    /// # Errors
    /// No word came.
    pub async fn failed(&mut self, of: Side) -> Result<String> {
        self.take("word that a side failed", |frame| match frame {
            ServerFrame::MediaFailed { side, reason } if *side == of => Some(reason.clone()),
            _ => None,
        })
        .await
    }

    /// The cable of the media is pulled; the WebSocket stays.
    pub fn cut_cable(&mut self) {
        self.probe = Probe::start(self.options.clone());
    }

    /// What its screen shows, as heights.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn show(&self, programme: u16, tiles: &[u16]) -> Result<()> {
        let tiles = tiles.to_vec();
        self.shows(ScreenSlots {
            programme,
            tiles,
            ..ScreenSlots::default()
        })
    }

    /// What its screen shows, whole.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn shows(&self, slots: ScreenSlots) -> Result<()> {
        self.send(ClientFrame::Screen { slots })
    }

    /// Whether it plays sound.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn listen(&self, sound: bool) -> Result<()> {
        self.send(ClientFrame::Listen { sound })
    }

    /// Sends a command and waits until it took effect.
    ///
    /// # Errors
    /// It was refused, or no answer came.
    pub async fn command(&self, command: ClientCommand) -> Result<()> {
        let id = format!("floor-{}", COMMANDS.fetch_add(1, Ordering::Relaxed));
        self.send(ClientFrame::Command {
            id: id.clone(),
            command,
        })?;
        until("the command is answered", || {
            self.told().answers.contains_key(&id) || self.told().ended.is_some()
        })
        .await?;
        match self.told().answers.get(&id).and_then(|all| all.first()) {
            Some(ServerFrame::Ok { .. }) => Ok(()),
            other => bail!("not done: {other:?}"),
        }
    }

    /// What it sees of the conference.
    #[must_use]
    pub fn view(&self) -> View {
        self.told().view.clone()
    }

    /// Waits until its view is so; gives it.
    ///
    /// # Errors
    /// It does not come true.
    pub async fn sees(&self, what: &str, mut condition: impl FnMut(&View) -> bool) -> Result<View> {
        until(what, || condition(&self.told().view)).await?;
        Ok(self.view())
    }

    /// Waits until the server ends the connection; gives the reason it told.
    ///
    /// # Errors
    /// It does not end.
    pub async fn dismissed(&self) -> Result<ErrorWhy> {
        until("the connection ends", || self.told().ended.is_some()).await?;
        let told = self.told();
        let why = told.others.iter().rev().find_map(|frame| match frame {
            ServerFrame::Error {
                why, fatal: true, ..
            } => Some(*why),
            _ => None,
        });
        why.with_context(|| format!("ended without a reason: {:?}", told.ended))
    }

    /// What its peer has seen.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.probe.seen()
    }

    /// Sound packets it received, by mark.
    #[must_use]
    pub fn sounds(&self) -> BTreeMap<u16, u64> {
        let seen = self.seen();
        let mut sounds = BTreeMap::new();
        for (_, slot) in seen.slots.range(VOICES) {
            for ((mark, _), tally) in &slot.from {
                *sounds.entry(*mark).or_default() += tally.packets;
            }
        }
        sounds
    }

    /// Sound packets of one sender.
    #[must_use]
    pub fn sounds_of(&self, mark: u16) -> u64 {
        self.seen().packets_in(VOICES, mark)
    }

    /// Picture packets of a site in its tile.
    #[must_use]
    pub fn tile(&self, site: SiteId, mark: u16) -> u64 {
        self.seen().packets(1 + usize::from(site.0), mark)
    }

    /// When the first sound after `moment` came, if it began to sound then.
    #[must_use]
    pub fn sound_began(&self, moment: Instant) -> Option<Instant> {
        let seen = self.seen();
        let openings = seen
            .slots
            .range(VOICES)
            .flat_map(|(_, slot)| &slot.openings);
        openings.copied().filter(|at| *at >= moment).min()
    }

    /// When the last sound of a sender came.
    #[must_use]
    pub fn last_sound(&self, mark: u16) -> Option<Instant> {
        let seen = self.seen();
        let tallies = VOICES.filter_map(|slot| seen.tally(slot, mark, 0));
        tallies.map(|tally| tally.last_at).max()
    }

    fn send(&self, frame: ClientFrame) -> Result<()> {
        self.frames.send(frame).ok().context("the client has ended")
    }

    async fn take<T>(&self, what: &str, wanted: impl Fn(&ServerFrame) -> Option<T>) -> Result<T> {
        let mut found = None;
        until(what, || {
            let mut told = self.told();
            let place = told.others.iter().position(|frame| wanted(frame).is_some());
            found = place.and_then(|place| wanted(&told.others.remove(place)));
            found.is_some() || told.ended.is_some()
        })
        .await?;
        found.with_context(|| format!("no {what}: {:?}", self.told()))
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a client as a browser's page does: pings, folds, sends what it is given.
async fn serve(
    mut client: Client,
    mut outgoing: mpsc::UnboundedReceiver<ClientFrame>,
    told: Arc<Mutex<Told>>,
) {
    let mut ping = interval(PING_EACH);
    let ended = loop {
        let done = tokio::select! {
            frame = outgoing.recv() => match frame {
                Some(frame) => client.send(&frame).await.map(|()| true),
                None => return,
            },
            _ = ping.tick() => client.send(&ClientFrame::Ping { sent: 0.0 }).await.map(|()| true),
            heard = client.hear() => heard,
        };
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        told.view.clone_from(&client.view);
        told.answers.append(&mut client.answers);
        let frames = client.others.drain(..);
        told.others
            .extend(frames.filter(|frame| !matches!(frame, ServerFrame::Pong { .. })));
        match done {
            Ok(true) => {}
            Ok(false) => break "the server closed it".to_owned(),
            Err(error) => break format!("{error:#}"),
        }
    };
    told.lock().unwrap_or_else(PoisonError::into_inner).ended = Some(ended);
}
