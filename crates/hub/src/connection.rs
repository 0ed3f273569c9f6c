//! One connection, from its first frame to its close.

use crate::{
    Frame, Hub, Metrics,
    knock::Admitted,
    outlet::{Close, Outlet},
    room::{Message, NoSeat, RoomHandle},
};
use diemcau_model::{Carries, DeviceId, PeerAsk, PeerId, Role, limits};
use diemcau_protocol::{ClientFrame, ErrorWhy, ServerFrame, command, decode, id_of};
use futures_util::FutureExt;
use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tracing::{debug, error};

/// How long a client may be silent: it pings every 5 s.
pub(crate) const SILENT_MAX: Duration = Duration::from_secs(30);
/// How long the close, and what waits before it, may take to go out.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);
/// How long a client may take to answer the close.
const LINGER: Duration = Duration::from_secs(1);
/// Frames a second that are always taken.
const RATE: f64 = 50.0;
/// Frames taken at once after a silence: a client that comes back sends what it kept.
const BURST: f64 = 200.0;

/// Anything that carries texts both ways.
pub trait Socket: Send {
    /// The next thing the client sent; none when it is gone. Safe to cancel.
    fn recv(&mut self) -> impl Future<Output = Option<Inbound>> + Send;
    /// Reads on, and throws away, until the client has answered the close or is gone. Safe to cancel.
    fn read_out(&mut self) -> impl Future<Output = ()> + Send {
        async { while self.recv().await.is_some() {} }
    }
    /// The way out.
    fn outlet(&self) -> &Arc<Outlet>;
    /// Whether it may come to a seat at all; to one that may not, the link opens nothing.
    fn fits(&self, _role: Role, _carries: Carries) -> bool {
        true
    }
    /// The device this server vouches for: a client that cannot make a key because it lives here, on behalf of one that
    /// speaks another protocol.
    fn vouched(&self) -> Option<DeviceId> {
        None
    }
    /// Puts the close into the way out.
    fn close(&mut self, code: u16, reason: &'static str) -> impl Future<Output = ()> + Send;
}

/// What a client sent.
#[derive(Debug)]
pub enum Inbound {
    /// A text.
    Text(String),
    /// Something longer than `FRAME_MAX_BYTES`.
    TooLarge,
    /// One message in more pieces than any client makes, or pieces of the cipher without end.
    InPieces,
    /// Something that is no text.
    NotText,
    /// A ping or pong of the transport, which has answered it.
    Control,
}

impl Hub {
    /// Serves one connection until it ends. A panic in here drops this client and nobody else.
    pub async fn serve(&self, mut socket: impl Socket) {
        let _served = Served::count(&self.serving);
        let mut admitted = None;
        let served = AssertUnwindSafe(self.attend(&mut socket, &mut admitted))
            .catch_unwind()
            .await;
        if let Some((room, peer)) = admitted {
            room.tell(Message::Leave { peer }).await;
        }
        match served {
            Ok(()) => linger(&mut socket).await,
            Err(_) => {
                self.metrics.panics.inc();
                error!("a connection's task panicked; its client is dropped");
            }
        }
    }

    async fn attend(&self, socket: &mut impl Socket, admitted: &mut Option<(RoomHandle, PeerId)>) {
        let Admitted { room, peer, early } = match self.admit(socket).await {
            Ok(admitted) => admitted,
            Err(NotIn::Gone) => return,
            Err(NotIn::Refused(why)) => return turn_away(socket, &self.metrics, why).await,
            Err(NotIn::Stopping) => {
                say(socket, &ServerFrame::Stopping);
                return close(socket, Close::Stopping).await;
            }
        };
        let (room, peer) = admitted.insert((room, peer)).clone();
        let mut session = Session {
            room: &room,
            peer,
            metrics: &self.metrics,
            allowance: Allowance::new(),
        };
        let ending = session.run(socket, early).await;
        // From here on it is told and sent nothing, however long its goodbye takes.
        room.tell(Message::Leave { peer }).await;
        *admitted = None;
        match ending {
            Ending::Gone => {}
            Ending::TurnedAway(why) => turn_away(socket, &self.metrics, why).await,
            Ending::Closed(why) => close(socket, why).await,
        }
    }
}

/// How a session ended.
enum Ending {
    /// The client is gone.
    Gone,
    /// It did what ends a connection.
    TurnedAway(ErrorWhy),
    /// The room closes it, or it was silent for too long.
    Closed(Close),
}

struct Session<'a> {
    room: &'a RoomHandle,
    peer: PeerId,
    metrics: &'a Metrics,
    allowance: Allowance,
}

impl Session<'_> {
    async fn run(&mut self, socket: &mut impl Socket, early: Option<ClientFrame>) -> Ending {
        let outlet = Arc::clone(socket.outlet());
        if let Some(frame) = early
            && let Err(why) = self.take_frame(socket, frame).await
        {
            return Ending::TurnedAway(why);
        }
        let mut heard = Instant::now();
        loop {
            // No lot is drawn: what comes in is bounded by the allowance, so that it may go first.
            tokio::select! {
                biased;
                inbound = socket.recv() => {
                    heard = Instant::now();
                    match inbound {
                        None => return Ending::Gone,
                        Some(inbound) => if let Err(why) = self.take(socket, inbound).await {
                            return Ending::TurnedAway(why);
                        },
                    }
                }
                why = outlet.tend() => return Ending::Closed(why),
                // It speaks when it has its welcome; how long that may take, the way out knows.
                () = tokio::time::sleep_until(heard + SILENT_MAX) => match outlet.welcomed() {
                    Some(welcomed) if welcomed > heard => heard = welcomed,
                    Some(_) | None => return Ending::Closed(Close::Normal),
                },
            }
        }
    }

    /// Takes one thing the client sent; an error ends the connection.
    async fn take(&mut self, socket: &mut impl Socket, inbound: Inbound) -> Result<(), ErrorWhy> {
        self.metrics.frames.inc();
        if !self.allowance.take() {
            return Err(ErrorWhy::TooFast);
        }
        let text = match inbound {
            Inbound::Text(text) => text,
            Inbound::TooLarge => return Err(ErrorWhy::TooLarge),
            Inbound::InPieces => return Err(ErrorWhy::TooFast),
            Inbound::NotText => {
                let text = ErrorWhy::Malformed.to_string();
                self.complain(socket, ErrorWhy::Malformed, None, text);
                return Ok(());
            }
            Inbound::Control => return Ok(()),
        };
        match decode(&text) {
            Ok(frame) => self.take_frame(socket, frame).await,
            Err(bad) => {
                // What was wrong is told to its sender alone: the words of a parser may quote a token.
                debug!(peer = %self.peer, "malformed frame");
                self.complain(socket, ErrorWhy::Malformed, id_of(&text), bad.to_string());
                Ok(())
            }
        }
    }

    /// Tells that a frame could not be taken; the connection stays.
    fn complain(&self, socket: &impl Socket, why: ErrorWhy, id: Option<String>, text: String) {
        self.metrics.error(why);
        let fatal = false;
        let frame = ServerFrame::Error {
            why,
            id,
            text,
            fatal,
        };
        say(socket, &frame);
    }

    async fn take_frame(
        &self,
        socket: &mut impl Socket,
        frame: ClientFrame,
    ) -> Result<(), ErrorWhy> {
        let peer = self.peer;
        let message = match frame {
            ClientFrame::Join { .. } | ClientFrame::Proof { .. } => {
                return Err(ErrorWhy::JoinFirst);
            }
            ClientFrame::Ping { sent } => {
                let now = self.room.clock.now();
                say(socket, &ServerFrame::Pong { sent, now });
                return Ok(());
            }
            ClientFrame::Command { id, command: asked } => Message::Command {
                peer,
                id,
                command: command(asked),
            },
            ClientFrame::UplinkOffer { sdp } => media(peer, PeerAsk::UplinkOffer { peer, sdp }),
            ClientFrame::PresentationOffer { sdp } => {
                media(peer, PeerAsk::PresentationOffer { peer, sdp })
            }
            ClientFrame::OpenDownlink {} => media(peer, PeerAsk::OpenDownlink { peer }),
            ClientFrame::DownlinkAnswer { sdp } => {
                media(peer, PeerAsk::DownlinkAnswer { peer, sdp })
            }
            ClientFrame::DownlinkOffer { sdp } => media(peer, PeerAsk::DownlinkOffer { peer, sdp }),
            ClientFrame::Screen { slots } if slots.tiles.len() > limits::TILE_SLOTS => {
                let text = ErrorWhy::MediaRefused.to_string();
                self.complain(socket, ErrorWhy::MediaRefused, None, text);
                return Ok(());
            }
            ClientFrame::Screen { slots } => media(peer, PeerAsk::Screen { peer, slots }),
            ClientFrame::Listen { sound } => media(peer, PeerAsk::Listen { peer, sound }),
            ClientFrame::AcknowledgeHealth { alarm } => Message::Acknowledge { peer, alarm },
        };
        self.room.tell(message).await;
        Ok(())
    }
}

fn media(peer: PeerId, ask: PeerAsk) -> Message {
    Message::Media { peer, ask }
}

/// The first thing a client says. The transport's own pings, of which it may send a few, are none.
pub(crate) async fn first(socket: &mut impl Socket) -> Option<Inbound> {
    for _ in 0..BURST as usize {
        match socket.recv().await? {
            Inbound::Control => {}
            said
            @ (Inbound::Text(_) | Inbound::TooLarge | Inbound::InPieces | Inbound::NotText) => {
                return Some(said);
            }
        }
    }
    None
}

/// Why a connection was not let in.
pub(crate) enum NotIn {
    /// For this reason.
    Refused(ErrorWhy),
    /// It went away by itself.
    Gone,
    /// The server is stopping: the client joins again.
    Stopping,
}

impl From<ErrorWhy> for NotIn {
    fn from(why: ErrorWhy) -> Self {
        Self::Refused(why)
    }
}

impl From<NoSeat> for NotIn {
    fn from(why: NoSeat) -> Self {
        match why {
            NoSeat::ShutOut | NoSeat::Guarded => Self::Refused(ErrorWhy::NotAdmitted),
            NoSeat::Replaced => Self::Refused(ErrorWhy::Replaced),
            NoSeat::Expelled => Self::Refused(ErrorWhy::Expelled),
            NoSeat::NotLetIn => Self::Refused(ErrorWhy::NotLetIn),
            NoSeat::LobbyFull => Self::Refused(ErrorWhy::LobbyFull),
            NoSeat::Unready => Self::Refused(ErrorWhy::StorageFailed),
            NoSeat::Closed => Self::Stopping,
        }
    }
}

/// A connection that is being served, counted as long as it is.
struct Served<'a>(&'a watch::Sender<usize>);

impl<'a> Served<'a> {
    fn count(serving: &'a watch::Sender<usize>) -> Self {
        serving.send_modify(|count| *count += 1);
        Self(serving)
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

async fn turn_away(socket: &mut impl Socket, metrics: &Metrics, why: ErrorWhy) {
    metrics.error(why);
    let frame = ServerFrame::Error {
        why,
        id: None,
        text: why.to_string(),
        fatal: true,
    };
    say(socket, &frame);
    close(socket, Close::after(why)).await;
}

impl Close {
    /// How a connection is closed after this error.
    pub(crate) fn after(why: ErrorWhy) -> Self {
        match why {
            ErrorWhy::TooLarge => Self::TooLarge,
            ErrorWhy::StorageFailed | ErrorWhy::ServerFault => Self::Failed,
            ErrorWhy::Revoked | ErrorWhy::Expelled => Self::ShutOut,
            ErrorWhy::Malformed
            | ErrorWhy::NotAdmitted
            | ErrorWhy::NotLetIn
            | ErrorWhy::LobbyFull
            | ErrorWhy::Replaced
            | ErrorWhy::JoinFirst
            | ErrorWhy::WrongProtocol
            | ErrorWhy::TooFast
            | ErrorWhy::MediaRefused
            | ErrorWhy::NoSuchAlarm
            | ErrorWhy::NotForThisSeat => Self::Policy,
        }
    }
}

pub(crate) fn say(socket: &impl Socket, frame: &ServerFrame) {
    // A client that lags is cut by its outlet; the loop hears of it at its next turn.
    let _ = socket.outlet().offer(&Frame::of(frame));
}

/// Reads on until the client has answered the close. A socket that is dropped with something unread resets the
/// connection, and the client would never see why it was closed.
async fn linger(socket: &mut impl Socket) {
    let _ = timeout(LINGER, socket.read_out()).await;
}

async fn close(socket: &mut impl Socket, why: Close) {
    let reason = match why {
        Close::Normal => "",
        Close::Stopping => "the server is stopping",
        Close::Policy | Close::ShutOut => "see the last frame",
        Close::TooLarge => "the frame is too large",
        Close::Failed => "the server has failed",
        Close::Lagging => "join again for a fresh snapshot",
    };
    // Who is shut out in the middle of a long frame does not get the rest of it.
    if why.is_at_once() && socket.outlet().is_amid_a_frame() {
        return;
    }
    socket.close(why.code(), reason).await;
    let outlet = Arc::clone(socket.outlet());
    // A client that does not take it is dropped without, and so is one that is shut out meanwhile.
    tokio::select! {
        _ = timeout(CLOSE_WITHIN, outlet.drained()) => {}
        () = outlet.shut_out(), if !why.is_at_once() => {}
    }
}

/// A token bucket: a person cannot press fifty buttons a second.
pub(crate) struct Allowance {
    left: f64,
    at: Instant,
    burst: f64,
    rate: f64,
}

impl Allowance {
    pub(crate) fn new() -> Self {
        Self::of(BURST, RATE)
    }

    /// So many at once, and so many a second.
    pub(crate) fn of(burst: f64, rate: f64) -> Self {
        Self {
            left: burst,
            at: Instant::now(),
            burst,
            rate,
        }
    }

    pub(crate) fn take(&mut self) -> bool {
        let now = Instant::now();
        self.left = (self.left + (now - self.at).as_secs_f64() * self.rate).min(self.burst);
        self.at = now;
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}
