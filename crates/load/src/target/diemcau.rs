//! Our server, joined as its clients join it.

use crate::Engine;
use crate::engine::LegId;
use anyhow::{Context, Result, bail, ensure};
use diemcau_conference::{RequestWords, SpeechType};
use diemcau_model::{Carries, Role, ScreenSlots, Side, SiteId};
use diemcau_protocol::{ClientCommand, ClientFrame, PROTOCOL, ServerFrame, View};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// How long anything may take while the machine is busy.
const PATIENCE: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(20);
/// As the page does.
const PING_EACH: Duration = Duration::from_secs(5);
/// A connection that failed is made anew after this, as the page does.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// And one that does not come up after so long, as the page does.
const CONNECT_MAX: Duration = Duration::from_secs(12);
/// Tiles are shown so high that a sender's best layer serves.
pub const TALL: u16 = 720;

/// A seat of the conference, as `links.json` tells it.
#[derive(Clone, Debug, Deserialize)]
pub struct Link {
    pub role: Role,
    pub site: Option<SiteId>,
    pub carries: Carries,
    pub url: String,
}

/// Reads a conference's links.
///
/// # Errors
/// The file is missing or is no list of links.
pub fn links(file: &Path) -> Result<Vec<Link>> {
    let text = std::fs::read(file).with_context(|| file.display().to_string())?;
    Ok(serde_json::from_slice(&text)?)
}

/// A seat that was taken: a WebSocket and the connections beside it.
pub struct Seat {
    /// Its site, as the generator counts.
    pub site: u16,
    frames: mpsc::UnboundedSender<ClientFrame>,
    told: Arc<Mutex<Told>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Told {
    view: Option<View>,
    answers: BTreeMap<String, ServerFrame>,
    connected: [bool; 3],
    ended: Option<String>,
    remade: u64,
    /// Both connections are to be made anew.
    renew: bool,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Seat {
    /// Joins and makes the connections the seat may have. `tiles` are the heights its screen shows.
    ///
    /// # Errors
    /// Not admitted, or a connection was not made.
    pub async fn take(
        engine: &Arc<Engine>,
        link: &Link,
        site: u16,
        programme: u16,
        tiles: Vec<u16>,
    ) -> Result<Self> {
        let (address, token) = link.url.split_once('#').context("a link without a token")?;
        let host = address.split('/').nth(2).context("a link without a host")?;
        let (mut socket, _) =
            connect_async_with_config(format!("ws://{host}/ws"), None, true).await?;
        let join = ClientFrame::Join {
            protocol: PROTOCOL,
            token: token.to_owned(),
        };
        say(&mut socket, &join).await?;
        let told = Arc::new(Mutex::new(Told::default()));
        let (frames, outgoing) = mpsc::unbounded_channel();
        let sends = link.carries.endpoint().is_some();
        let client = Client {
            engine: Arc::clone(engine),
            site,
            // Nobody here shows a screen.
            sides: [Making::new(sends), Making::new(true), Making::new(false)],
            told: Arc::clone(&told),
        };
        let slots = ScreenSlots {
            programme,
            tiles,
            ..ScreenSlots::default()
        };
        frames.send(ClientFrame::Screen { slots })?;
        frames.send(ClientFrame::Listen { sound: true })?;
        let seat = Self {
            site,
            frames,
            told,
            task: tokio::spawn(client.attend(socket, outgoing)),
        };
        let wanted = [sends, true, false];
        seat.until("its connections stand", |told| {
            (told.view.is_some() && told.connected == wanted).then_some(())
        })
        .await?;
        Ok(seat)
    }

    /// Sends a command and waits until it took effect.
    ///
    /// # Errors
    /// It was refused, or no answer came.
    pub async fn command(&self, command: ClientCommand) -> Result<()> {
        let id = format!("load-{}", crate::packets::micros(Instant::now()));
        let ask = ClientFrame::Command {
            id: id.clone(),
            command,
        };
        self.frames.send(ask)?;
        let answer = self
            .until("a command is answered", |told| {
                told.answers.get(&id).cloned()
            })
            .await?;
        let done = matches!(answer, ServerFrame::Ok { .. });
        ensure!(done, "not done: {answer:?}");
        Ok(())
    }

    /// Waits until its view says something.
    ///
    /// # Errors
    /// It does not.
    pub async fn sees<T>(&self, what: &str, find: impl Fn(&View) -> Option<T>) -> Result<T> {
        self.until(what, |told| told.view.as_ref().and_then(&find))
            .await
    }

    /// How often a connection had to be made anew.
    #[must_use]
    pub fn remade(&self) -> u64 {
        self.told().remade
    }

    /// Makes its connections anew, as a page that was loaded again does; the old ones go on until then.
    pub fn renew(&self) {
        self.told().renew = true;
    }

    async fn until<T>(&self, what: &str, find: impl Fn(&Told) -> Option<T>) -> Result<T> {
        let start = Instant::now();
        loop {
            {
                let told = self.told();
                if let Some(found) = find(&told) {
                    return Ok(found);
                }
                if let Some(why) = &told.ended {
                    bail!("site {}: {why}", self.site);
                }
            }
            let site = self.site;
            ensure!(
                start.elapsed() < PATIENCE,
                "site {site}: waited in vain until {what}"
            );
            sleep(GLANCE).await;
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens as many microphones as a conference has: the hall's, and three of an open discussion, the first item.
///
/// # Errors
/// A command was refused.
pub async fn open_microphones(seats: &[Seat], voices: usize) -> Result<()> {
    let chair = seats.first().context("a conference without a hall")?;
    let item = chair
        .sees("there is an agenda", |view| {
            view.agenda.items.first().map(|item| item.id)
        })
        .await?;
    let waiting = None;
    chair
        .command(ClientCommand::StartItem { item, waiting })
        .await?;
    if voices > 0 {
        chair
            .command(ClientCommand::SetHallMicrophone { open: true })
            .await?;
    }
    for (place, seat) in seats.iter().enumerate().take(voices).skip(1) {
        let words = RequestWords {
            speech: SpeechType::Contribution,
            delegate: String::new(),
            title: String::new(),
            topic: String::new(),
            paragraph: None,
            minutes: None,
        };
        seat.command(ClientCommand::RequestFloor {
            item: None,
            words,
            about: None,
        })
        .await?;
        // A free microphone of an open discussion opens by itself.
        let site = SiteId(place as u16);
        chair
            .sees("its microphone is open", |view| {
                view.stage.heard.contains(&site).then_some(())
            })
            .await?;
    }
    Ok(())
}

/// The client's side: keeps both connections alive.
struct Client {
    engine: Arc<Engine>,
    site: u16,
    sides: [Making; 3],
    told: Arc<Mutex<Told>>,
}

/// A connection on its way.
struct Making {
    wanted: bool,
    leg: Option<LegId>,
    /// The one that is being made, while the former goes on.
    next: Option<LegId>,
    due: Option<Instant>,
    connected: bool,
}

impl Making {
    fn new(wanted: bool) -> Self {
        Self {
            wanted,
            leg: None,
            next: None,
            due: wanted.then(Instant::now),
            connected: false,
        }
    }
}

impl Client {
    async fn attend(
        mut self,
        mut socket: Socket,
        mut outgoing: mpsc::UnboundedReceiver<ClientFrame>,
    ) {
        let (mut ping, mut glance) = (interval(PING_EACH), interval(GLANCE));
        let why = loop {
            let step = tokio::select! {
                frame = outgoing.recv() => match frame {
                    Some(frame) => say(&mut socket, &frame).await,
                    None => return,
                },
                _ = ping.tick() => say(&mut socket, &ClientFrame::Ping { sent: 0.0 }).await,
                _ = glance.tick() => self.look(&mut socket).await,
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.hear(&text, &mut socket).await,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break "the server closed it".to_owned(),
                    Some(Ok(_)) => Ok(()),
                },
            };
            if let Err(error) = step {
                break format!("{error:#}");
            }
        };
        self.told().ended = Some(why);
    }

    /// Makes what is due, and sees what has failed.
    async fn look(&mut self, socket: &mut Socket) -> Result<()> {
        let now = Instant::now();
        if std::mem::take(&mut self.told().renew) {
            let wanted = self.sides.iter_mut().filter(|making| making.wanted);
            wanted.for_each(|making| making.due = Some(now));
        }
        for side in Side::ALL {
            let making = &mut self.sides[place(side)];
            if making.due.is_some_and(|due| due <= now) {
                making.due = Some(now + CONNECT_MAX);
                let ask = match side {
                    Side::Uplink => {
                        let (leg, sdp) = self.engine.offer(self.site).await?;
                        self.replace(side, leg);
                        ClientFrame::UplinkOffer { sdp }
                    }
                    Side::Downlink => ClientFrame::OpenDownlink {},
                    Side::Presentation => continue,
                };
                say(socket, &ask).await?;
            }
            self.compare(side, now);
        }
        Ok(())
    }

    fn compare(&mut self, side: Side, now: Instant) {
        let legs = self.engine.state().legs.clone();
        let making = &mut self.sides[place(side)];
        let is_up = |leg: &LegId| legs.get(leg).copied().unwrap_or_default();
        if let Some(next) = making.next.filter(|next| is_up(next)) {
            if let Some(former) = making.leg.replace(next) {
                self.engine.close(former);
            }
            making.next = None;
            making.due = None;
        }
        let connected = making.leg.as_ref().is_some_and(is_up);
        if making.connected && !connected && making.due.is_none() {
            making.due = Some(now + AGAIN_AFTER);
        }
        making.connected = connected;
        self.told().connected[place(side)] = connected;
    }

    fn replace(&mut self, side: Side, leg: LegId) {
        let making = &mut self.sides[place(side)];
        if let Some(unfinished) = making.next.replace(leg) {
            self.engine.close(unfinished);
        }
        if making.leg.is_some() {
            self.told().remade += 1;
        }
    }

    async fn hear(&mut self, text: &str, socket: &mut Socket) -> Result<()> {
        let frame: ServerFrame = serde_json::from_str(text)?;
        match frame {
            ServerFrame::Welcome { view, .. } => self.told().view = Some(*view),
            ServerFrame::Facts { facts, .. } => {
                if let Some(view) = &mut self.told().view {
                    view.apply(&facts);
                }
            }
            ServerFrame::UplinkAnswer { sdp } => {
                if let Some(leg) = self.sides[place(Side::Uplink)].next {
                    self.engine.answer(leg, sdp).await?;
                }
            }
            ServerFrame::DownlinkOffer { sdp } => {
                let (leg, sdp) = self.engine.accept(self.site, sdp).await?;
                self.replace(Side::Downlink, leg);
                say(socket, &ClientFrame::DownlinkAnswer { sdp }).await?;
            }
            ServerFrame::MediaFailed { side, .. } => {
                let making = &mut self.sides[place(side)];
                if making.wanted {
                    making.due = Some(Instant::now() + AGAIN_AFTER);
                }
            }
            ServerFrame::Ok { ref id, .. }
            | ServerFrame::Refused { ref id, .. }
            | ServerFrame::Error {
                id: Some(ref id), ..
            } => {
                let id = id.clone();
                self.told().answers.insert(id, frame);
            }
            ServerFrame::Error { text, fatal, .. } => ensure!(!fatal, "{text}"),
            ServerFrame::Prove { .. } | ServerFrame::Waiting { .. } => {
                bail!("the links of a load are open: {frame:?}")
            }
            ServerFrame::Pong { .. }
            | ServerFrame::PresentationAnswer { .. }
            | ServerFrame::DownlinkAnswer { .. }
            | ServerFrame::Slots { .. }
            | ServerFrame::Telemetry { .. }
            | ServerFrame::Alarms { .. }
            | ServerFrame::Health { .. }
            | ServerFrame::Stopping => {}
        }
        Ok(())
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(side: Side) -> usize {
    match side {
        Side::Uplink => 0,
        Side::Downlink => 1,
        Side::Presentation => 2,
    }
}

async fn say(socket: &mut Socket, frame: &ClientFrame) -> Result<()> {
    Ok(socket
        .send(Message::text(serde_json::to_string(frame)?))
        .await?)
}
