//! From the first frame to the welcome: the link, the device, the PIN, the lobby.
//!
//! A link that opens nothing is asked the same questions as one that opens a guarded seat, and hears of them only that it
//! is not admitted: so nobody learns here whether a link, its device or its PIN was what was wrong.

use crate::{
    Hub,
    admission::Door,
    connection::{Allowance, Inbound, NotIn, SILENT_MAX, Socket, first, say},
    pins::{Link, pin_hash},
    room::{Admission, Claim, InLobby, Message, NoSeat, Opened, RoomHandle},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use diemcau_model::{DeviceId, PeerId};
use diemcau_protocol::{ClientFrame, DeviceProof, ErrorWhy, PROTOCOL, ServerFrame, decode, signed};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use tracing::{debug, info, warn};

/// How long a client may take for its first frame, and for its proof.
const JOIN_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of a challenge.
const CHALLENGE_BYTES: usize = 32;

impl Hub {
    /// Lets a connection in, or says why not.
    pub(crate) async fn admit(&self, socket: &mut impl Socket) -> Result<Admitted, NotIn> {
        let opened = self.opened();
        let ClientFrame::Join { protocol, token } = next_frame(socket).await? else {
            return Err(ErrorWhy::JoinFirst.into());
        };
        if protocol != PROTOCOL {
            return Err(ErrorWhy::WrongProtocol.into());
        }
        // A client that knocks while the server stops must not take its link for a wrong one.
        if self.is_stopping() {
            return Err(NotIn::Stopping);
        }
        let door = self.door(&token);
        let door = door.filter(|door| socket.fits(door.role, door.carries));
        let asked = match &door {
            Some(door) => {
                door.room
                    .join(door.seat, None, opened, Arc::clone(socket.outlet()))
                    .await
            }
            None => Err(NoSeat::ShutOut),
        };
        let answer = match (asked, &door) {
            (Err(NoSeat::Guarded), _) => self.prove(socket, &token, door.as_ref(), opened).await?,
            (Err(NoSeat::ShutOut), _) if self.asks_proofs() => {
                self.prove(socket, &token, None, opened).await?
            }
            (asked, _) => asked,
        };
        let door = door.ok_or(ErrorWhy::NotAdmitted)?;
        let (peer, early) = match answer? {
            Admission::In(peer) => (peer, None),
            Admission::Waits(lobby) => self.wait(socket, &door, lobby).await?,
        };
        let room = door.room;
        Ok(Admitted { room, peer, early })
    }

    /// Asks who it is that brings a link; without a door nobody will be right.
    async fn prove(
        &self,
        socket: &mut impl Socket,
        token: &str,
        door: Option<&Door>,
        opened: Opened,
    ) -> Result<Result<Admission, NoSeat>, NotIn> {
        let link = self.link(token, door);
        let challenge = challenge().ok_or(ErrorWhy::NotAdmitted)?;
        let locked = self.tries.locked(&link);
        self.asked_for_proof();
        let prove = ServerFrame::Prove {
            challenge: challenge.clone(),
            pin: door.map_or(self.asks_pins(), |door| door.pin_sha256.is_some()),
            locked_ms: u32::try_from(locked.as_millis()).unwrap_or(u32::MAX),
        };
        say(socket, &prove);
        let ClientFrame::Proof { device, pin } = next_frame(socket).await? else {
            return Err(ErrorWhy::JoinFirst.into());
        };
        let device = match device {
            None => socket.vouched(),
            Some(proof) => Some(held(&proof, &challenge, token).ok_or(ErrorWhy::NotAdmitted)?),
        };
        let pin_right = self.is_pin_right(&link, token, door, pin.as_deref());
        let Some(door) = door else {
            return Ok(Err(NoSeat::ShutOut));
        };
        let claim = Claim { device, pin_right };
        Ok(door
            .room
            .join(door.seat, Some(claim), opened, Arc::clone(socket.outlet()))
            .await)
    }

    fn is_pin_right(
        &self,
        link: &Link,
        token: &str,
        door: Option<&Door>,
        pin: Option<&str>,
    ) -> bool {
        let Some(pin) = pin else {
            return false;
        };
        let wanted = door.map(|door| door.pin_sha256.as_deref());
        if wanted == Some(None) {
            return true;
        }
        // Here and not when it was asked: many may have been asked since.
        let Some(wait) = self.tries.take(link) else {
            return false;
        };
        let found = pin_hash(token, pin);
        if wanted.flatten() == Some(found.as_str()) {
            self.tries.right(link);
            return true;
        }
        match door {
            Some(door) => warn!(seat = %door.seat, wait_s = wait.as_secs(), "a wrong PIN"),
            // Strangers have as many links as they like: they fill no log.
            None => debug!("a PIN with a link that opens nothing"),
        }
        false
    }

    /// Keeps a waiting connection alive until somebody decides; nothing else is taken from it, nothing else is told to it.
    /// Whoever is let in may have answered the welcome before this task hears of it: that frame is handed on.
    async fn wait(
        &self,
        socket: &mut impl Socket,
        door: &Door,
        lobby: InLobby,
    ) -> Result<(PeerId, Option<ClientFrame>), NotIn> {
        let InLobby {
            wait,
            words,
            mut outcome,
        } = lobby;
        let outlet = Arc::clone(socket.outlet());
        say(socket, &words);
        info!(seat = %door.seat, %wait, "a device waits at the door");
        let mut allowance = Allowance::new();
        let said = loop {
            tokio::select! {
                biased;
                inbound = timeout(SILENT_MAX, socket.recv()) => {
                    let Some(inbound) = inbound.ok().flatten() else {
                        break Err(NotIn::Gone);
                    };
                    if !allowance.take() {
                        break Err(ErrorWhy::TooFast.into());
                    }
                    if matches!(inbound, Inbound::Control) {
                        continue;
                    }
                    match read(inbound) {
                        Ok(ClientFrame::Ping { sent }) => {
                            let now = door.room.clock.now();
                            say(socket, &ServerFrame::Pong { sent, now });
                        }
                        Ok(frame) => break Ok(frame),
                        Err(why) => break Err(why.into()),
                    }
                }
                _ = outlet.tend() => break Err(NotIn::Gone),
                decided = &mut outcome => {
                    return match decided {
                        Ok(Ok(peer)) => Ok((peer, None)),
                        Ok(Err(why)) => Err(why.into()),
                        Err(_) => Err(NotIn::Stopping),
                    };
                }
            }
        };
        outcome.close();
        let left = match (outcome.try_recv(), said) {
            // The room says whom it lets in before it welcomes them.
            (Ok(Ok(peer)), Ok(frame)) => return Ok((peer, Some(frame))),
            (Ok(Ok(peer)), Err(left)) => {
                // It was let in at the moment it left.
                door.room.tell(Message::Leave { peer }).await;
                left
            }
            // It was refused in the moment it spoke: that is what it must hear.
            (Ok(Err(why)), Ok(_)) => why.into(),
            (_, said) => {
                door.room.tell(Message::Gone { wait }).await;
                said.err().unwrap_or(ErrorWhy::JoinFirst.into())
            }
        };
        Err(left)
    }
}

/// Who is let in.
pub(crate) struct Admitted {
    pub(crate) room: RoomHandle,
    pub(crate) peer: PeerId,
    /// What it has already said.
    pub(crate) early: Option<ClientFrame>,
}

/// One frame before the welcome.
async fn next_frame(socket: &mut impl Socket) -> Result<ClientFrame, ErrorWhy> {
    let inbound = timeout(JOIN_WITHIN, first(socket)).await;
    read(inbound.ok().flatten().ok_or(ErrorWhy::JoinFirst)?)
}

fn read(inbound: Inbound) -> Result<ClientFrame, ErrorWhy> {
    match inbound {
        Inbound::Text(text) => decode(&text).map_err(|_| ErrorWhy::Malformed),
        Inbound::TooLarge => Err(ErrorWhy::TooLarge),
        Inbound::InPieces => Err(ErrorWhy::TooFast),
        Inbound::NotText | Inbound::Control => Err(ErrorWhy::Malformed),
    }
}

/// The device whose key signed this connection's challenge.
pub(crate) fn held(proof: &DeviceProof, challenge: &str, token: &str) -> Option<DeviceId> {
    let key = URL_SAFE_NO_PAD.decode(&proof.key).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(&proof.signature).ok()?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key)
        .verify(&signed(challenge, token), &signature)
        .ok()?;
    Some(DeviceId(Sha256::digest(&key).into()))
}

fn challenge() -> Option<String> {
    let mut bytes = [0; CHALLENGE_BYTES];
    getrandom::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}
