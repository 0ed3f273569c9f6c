//! One connection, from its first frame to its close.

use crate::{
    Hub, Metrics,
    outbox::{Close, Inlet, Outgoing},
    room::{Joined, Message, NoSeat, RoomHandle},
};
use bytes::Bytes;
use diemcau_model::{PeerAsk, PeerId, limits};
use diemcau_protocol::{ClientFrame, ErrorWhy, ServerFrame, command, decode, id_of};
use std::{future::Future, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tracing::debug;

/// How long a client may be silent: it pings every 5 s.
pub(crate) const SILENT_MAX: Duration = Duration::from_secs(30);
/// How long one frame may take to go out.
const SEND_WITHIN: Duration = Duration::from_secs(10);
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
    /// Sends one text, given as UTF-8.
    fn send(&mut self, text: Bytes) -> impl Future<Output = bool> + Send;
    /// Sends the close.
    fn close(&mut self, code: u16, reason: &'static str) -> impl Future<Output = ()> + Send;
}

/// What a client sent.
#[derive(Debug)]
pub enum Inbound {
    /// A text.
    Text(String),
    /// Something longer than `FRAME_MAX_BYTES`.
    TooLarge,
    /// Something that is no text.
    NotText,
}

impl Hub {
    /// Serves one connection until it ends.
    pub async fn serve(&self, mut socket: impl Socket) {
        let _served = Served::count(&self.serving);
        match self.admit(&mut socket).await {
            Ok(admitted) => self.keep(&mut socket, admitted).await,
            Err(NotIn::Gone) => {}
            Err(NotIn::Refused(why)) => turn_away(&mut socket, &self.metrics, why).await,
            Err(NotIn::Stopping) => {
                say(&mut socket, &ServerFrame::Stopping).await;
                close(&mut socket, Close::Stopping).await;
            }
        }
        linger(&mut socket).await;
    }

    async fn keep(&self, socket: &mut impl Socket, (room, joined): (RoomHandle, Joined)) {
        let Joined { peer, mut inlet } = joined;
        let mut session = Session {
            room: &room,
            peer,
            metrics: &self.metrics,
            allowance: Allowance::new(),
        };
        session.run(socket, &mut inlet).await;
        room.tell(Message::Leave { peer }).await;
    }
}

struct Session<'a> {
    room: &'a RoomHandle,
    peer: PeerId,
    metrics: &'a Metrics,
    allowance: Allowance,
}

impl Session<'_> {
    async fn run(&mut self, socket: &mut impl Socket, inlet: &mut Inlet) {
        let mut heard = Instant::now();
        loop {
            // No lot is drawn: what comes in is bounded by the allowance, so that it may go first.
            tokio::select! {
                biased;
                inbound = socket.recv() => {
                    heard = Instant::now();
                    match inbound {
                        None => return,
                        Some(inbound) => if let Err(why) = self.take(socket, inbound).await {
                            return turn_away(socket, self.metrics, why).await;
                        },
                    }
                }
                outgoing = inlet.next() => match outgoing {
                    Outgoing::Frame(text) => {
                        if timeout(SEND_WITHIN, socket.send(text)).await != Ok(true) {
                            return;
                        }
                    }
                    Outgoing::Close(why) => return close(socket, why).await,
                },
                () = tokio::time::sleep_until(heard + SILENT_MAX) => return close(socket, Close::Normal).await,
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
            Inbound::NotText => {
                let text = ErrorWhy::Malformed.to_string();
                self.complain(socket, ErrorWhy::Malformed, None, text).await;
                return Ok(());
            }
        };
        match decode(&text) {
            Ok(frame) => self.take_frame(socket, frame).await,
            Err(bad) => {
                // What was wrong is told to its sender alone: the words of a parser may quote a token.
                debug!(peer = %self.peer, "malformed frame");
                self.complain(socket, ErrorWhy::Malformed, id_of(&text), bad.to_string())
                    .await;
                Ok(())
            }
        }
    }

    /// Tells that a frame could not be taken; the connection stays.
    async fn complain(
        &self,
        socket: &mut impl Socket,
        why: ErrorWhy,
        id: Option<String>,
        text: String,
    ) {
        self.metrics.error(why);
        let fatal = false;
        let frame = ServerFrame::Error {
            why,
            id,
            text,
            fatal,
        };
        say(socket, &frame).await;
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
                say(
                    socket,
                    &ServerFrame::Pong {
                        sent,
                        now: self.room.clock.now(),
                    },
                )
                .await;
                return Ok(());
            }
            ClientFrame::Command { id, command: asked } => Message::Command {
                peer,
                id,
                command: command(asked),
            },
            ClientFrame::UplinkOffer { sdp } => media(peer, PeerAsk::UplinkOffer { peer, sdp }),
            ClientFrame::OpenDownlink {} => media(peer, PeerAsk::OpenDownlink { peer }),
            ClientFrame::DownlinkAnswer { sdp } => {
                media(peer, PeerAsk::DownlinkAnswer { peer, sdp })
            }
            ClientFrame::Screen { slots } if slots.tiles.len() > limits::TILE_SLOTS => {
                let text = ErrorWhy::MediaRefused.to_string();
                self.complain(socket, ErrorWhy::MediaRefused, None, text)
                    .await;
                return Ok(());
            }
            ClientFrame::Screen { slots } => media(peer, PeerAsk::Screen { peer, slots }),
            ClientFrame::Listen { sound } => media(peer, PeerAsk::Listen { peer, sound }),
        };
        self.room.tell(message).await;
        Ok(())
    }
}

fn media(peer: PeerId, ask: PeerAsk) -> Message {
    Message::Media { peer, ask }
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
    say(socket, &frame).await;
    let code = match why {
        ErrorWhy::TooLarge => Close::TooLarge,
        ErrorWhy::StorageFailed => Close::Failed,
        ErrorWhy::Malformed
        | ErrorWhy::NotAdmitted
        | ErrorWhy::Revoked
        | ErrorWhy::Expelled
        | ErrorWhy::NotLetIn
        | ErrorWhy::LobbyFull
        | ErrorWhy::Replaced
        | ErrorWhy::JoinFirst
        | ErrorWhy::WrongProtocol
        | ErrorWhy::TooFast
        | ErrorWhy::MediaRefused => Close::Policy,
    };
    close(socket, code).await;
}

pub(crate) async fn say(socket: &mut impl Socket, frame: &ServerFrame) {
    if let Ok(text) = serde_json::to_vec(frame) {
        // A socket that does not take it ends the loop at its next turn.
        let _ = timeout(SEND_WITHIN, socket.send(Bytes::from(text))).await;
    }
}

/// Reads on until the client has answered the close. A socket that is dropped with something unread resets the
/// connection, and the client would never see why it was closed.
async fn linger(socket: &mut impl Socket) {
    let _ = timeout(LINGER, async { while socket.recv().await.is_some() {} }).await;
}

async fn close(socket: &mut impl Socket, why: Close) {
    let reason = match why {
        Close::Normal => "",
        Close::Stopping => "the server is stopping",
        Close::Policy => "see the last frame",
        Close::TooLarge => "the frame is too large",
        Close::Failed => "the server has failed",
        Close::Lagging => "join again for a fresh snapshot",
    };
    let _ = timeout(SEND_WITHIN, socket.close(why.code(), reason)).await;
}

/// A token bucket: a person cannot press fifty buttons a second.
pub(crate) struct Allowance {
    left: f64,
    at: Instant,
}

impl Allowance {
    pub(crate) fn new() -> Self {
        Self {
            left: BURST,
            at: Instant::now(),
        }
    }

    pub(crate) fn take(&mut self) -> bool {
        let now = Instant::now();
        self.left = (self.left + (now - self.at).as_secs_f64() * RATE).min(BURST);
        self.at = now;
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}
