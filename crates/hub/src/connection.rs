//! One connection, from its first frame to its close.

use crate::{
    Hub, Metrics,
    outbox::{Close, Inlet, Outgoing},
    room::{Message, NoSeat, RoomHandle},
};
use bytes::Bytes;
use diemcau_model::{PeerAsk, PeerId, limits};
use diemcau_protocol::{ClientFrame, ErrorWhy, PROTOCOL, ServerFrame, command, decode, id_of};
use std::{future::Future, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tracing::debug;

/// How long a client may take for its first frame.
const JOIN_WITHIN: Duration = Duration::from_secs(5);
/// How long a client may be silent: it pings every 5 s.
const SILENT_MAX: Duration = Duration::from_secs(30);
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
            Err(NotIn::Refused(why)) => turn_away(&mut socket, &self.metrics, why).await,
            Err(NotIn::Stopping) => {
                say(&mut socket, &ServerFrame::Stopping).await;
                close(&mut socket, Close::Stopping).await;
            }
        }
        linger(&mut socket).await;
    }

    async fn keep(&self, socket: &mut impl Socket, admitted: (RoomHandle, PeerId, Inlet)) {
        let (room, peer, mut inlet) = admitted;
        let mut session = Session {
            room: &room,
            peer,
            metrics: &self.metrics,
            allowance: Allowance::new(),
        };
        session.run(socket, &mut inlet).await;
        room.tell(Message::Leave { peer }).await;
    }

    async fn admit(&self, socket: &mut impl Socket) -> Result<(RoomHandle, PeerId, Inlet), NotIn> {
        let first = timeout(JOIN_WITHIN, socket.recv()).await.ok().flatten();
        let token = match first {
            Some(Inbound::Text(text)) => match decode(&text) {
                Ok(ClientFrame::Join {
                    protocol: PROTOCOL,
                    token,
                }) => token,
                Ok(ClientFrame::Join { .. }) => return Err(ErrorWhy::WrongProtocol.into()),
                Ok(_) => return Err(ErrorWhy::JoinFirst.into()),
                Err(_) => return Err(ErrorWhy::Malformed.into()),
            },
            Some(Inbound::TooLarge) => return Err(ErrorWhy::TooLarge.into()),
            Some(Inbound::NotText) => return Err(ErrorWhy::Malformed.into()),
            None => return Err(ErrorWhy::JoinFirst.into()),
        };
        // A client that knocks while the server stops must not take its link for a wrong one.
        if self.is_stopping() {
            return Err(NotIn::Stopping);
        }
        let door = self.door(&token).ok_or(ErrorWhy::NotAdmitted)?;
        let joined = door.room.join(door.seat).await?;
        Ok((door.room, joined.peer, joined.inlet))
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
                debug!(peer = %self.peer, %bad, "malformed frame");
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
            ClientFrame::Join { .. } => return Err(ErrorWhy::JoinFirst),
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
enum NotIn {
    /// For this reason.
    Refused(ErrorWhy),
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
            NoSeat::Revoked => Self::Refused(ErrorWhy::NotAdmitted),
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
        | ErrorWhy::Replaced
        | ErrorWhy::JoinFirst
        | ErrorWhy::WrongProtocol
        | ErrorWhy::TooFast
        | ErrorWhy::MediaRefused => Close::Policy,
    };
    close(socket, code).await;
}

async fn say(socket: &mut impl Socket, frame: &ServerFrame) {
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
struct Allowance {
    left: f64,
    at: Instant,
}

impl Allowance {
    fn new() -> Self {
        Self {
            left: BURST,
            at: Instant::now(),
        }
    }

    fn take(&mut self) -> bool {
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
