//! Who comes to a room's door, and who is cut because it was sent away.

use super::{Admission, Asked, Came, InLobby, Join, Message, NoSeat, Opened, Room, Round, Shut};
use crate::outlet::Outlet;
use diemcau_conference::{Command, Event, Knock, Signal};
use diemcau_journal::Entry;
use diemcau_model::{DeviceId, PeerAsk, PeerId, SeatId, WaitId};
use diemcau_protocol::{ErrorWhy, ServerFrame, code};
use std::{collections::BTreeMap, ops::Range, sync::Arc};
use tokio::sync::oneshot;
use tracing::info;

/// Codes of four digits without a leading zero, for people read them to each other.
const CODES: Range<u16> = 1_000..10_000;

/// Who a connection has proved to be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Claim {
    /// The device; none when it makes no key.
    pub(crate) device: Option<DeviceId>,
    /// It gave the PIN, or none is asked.
    pub(crate) pin_right: bool,
}

/// A connection that waits at the door.
pub(super) struct Waiter {
    seat: SeatId,
    device: Option<DeviceId>,
    opened: Opened,
    outlet: Arc<Outlet>,
    outcome: oneshot::Sender<Result<PeerId, NoSeat>>,
}

/// A connection that will wait once the record says so.
pub(super) struct ToLobby {
    wait: WaitId,
    outcome: oneshot::Receiver<Result<PeerId, NoSeat>>,
    reply: oneshot::Sender<Result<Admission, NoSeat>>,
}

/// A connection that may not come, and why.
pub(super) type TurnedAway = (oneshot::Sender<Result<Admission, NoSeat>>, NoSeat);

impl Room {
    pub(super) fn take_knock(&mut self, join: Join, round: &mut Round) {
        let Join {
            seat,
            claim,
            opened,
            outlet,
            reply,
        } = join;
        let device = claim.and_then(|claim| claim.device);
        let becomes = match self.becomes(seat, claim) {
            Ok(becomes) => becomes,
            Err(why) => {
                // What shuts it out may have been decided in this round and not be written yet.
                round.turned_away.push((reply, why));
                return;
            }
        };
        if becomes != Knock::Enters && !self.may_write() {
            let _ = reply.send(Err(NoSeat::Unready));
            return;
        }
        if becomes != Knock::Enters {
            if !self.paces.entry(seat).or_default().knocks.take() {
                let _ = reply.send(Err(NoSeat::LobbyFull));
                return;
            }
            let Some(code) = self.draw_code() else {
                let _ = reply.send(Err(NoSeat::Unready));
                return;
            };
            let signal = Signal::Knocked { seat, device, code };
            let events = self.conference.decide_signal(signal, self.clock.now());
            self.happened(events, round);
        }
        match self.conference.door().waiting.last() {
            Some(visitor) if becomes == Knock::Waits => {
                let wait = visitor.id;
                let (decided, outcome) = oneshot::channel();
                let waiter = Waiter {
                    seat,
                    device,
                    opened,
                    outlet,
                    outcome: decided,
                };
                self.lobby.insert(wait, waiter);
                let waits = ToLobby {
                    wait,
                    outcome,
                    reply,
                };
                round.to_lobby.push(waits);
            }
            Some(_) | None => self.joins.push(Join {
                seat,
                claim,
                opened,
                outlet,
                reply,
            }),
        }
    }

    /// What becomes of whoever comes: enters, binds or waits, when it may come at all.
    fn becomes(&self, seat: SeatId, claim: Option<Claim>) -> Result<Knock, NoSeat> {
        let roster = self.conference.roster();
        let seat = self.conference.setup().seat(seat);
        let seat = seat.filter(|seat| !roster.is_revoked(seat.id));
        let seat = seat.ok_or(NoSeat::ShutOut)?;
        let door = self.conference.door();
        if claim.is_none() && (door.guards(seat) || self.keeps_devices_out()) {
            return Err(NoSeat::Guarded);
        }
        let claim = claim.unwrap_or_default();
        if self.keeps_out(seat.id, claim.device) {
            return Err(NoSeat::Unready);
        }
        if seat.pin_sha256.is_some() && !door.knows(seat.id, claim.device) && !claim.pin_right {
            return Err(NoSeat::ShutOut);
        }
        match self.conference.knock(seat.id, claim.device) {
            Knock::ShutOut => Err(NoSeat::ShutOut),
            Knock::Full => Err(NoSeat::LobbyFull),
            becomes @ (Knock::Enters | Knock::Binds | Knock::Waits) => Ok(becomes),
        }
    }

    /// Tells those who wait from now on what to show; they heard nothing before the record had them. About some of them
    /// somebody has decided in the very round in which they came.
    pub(super) async fn let_wait(&mut self, waiting: Vec<ToLobby>, is_written: bool) {
        for ToLobby {
            wait,
            mut outcome,
            reply,
        } in waiting
        {
            let decided = outcome.try_recv().ok();
            let peer = decided.and_then(Result::ok);
            let words = is_written.then(|| self.words_for(wait)).flatten();
            let answer = match (decided, words) {
                (Some(decided), _) => decided.map(Admission::In),
                (None, Some(words)) => Ok(Admission::Waits(InLobby {
                    wait,
                    words,
                    outcome,
                })),
                (None, None) => Err(NoSeat::Unready),
            };
            let waits = matches!(answer, Ok(Admission::Waits(_)));
            let is_gone = reply.send(answer).is_err();
            if is_gone || !waits {
                self.lobby.remove(&wait);
            }
            if let Some(peer) = peer.filter(|_| is_gone) {
                self.leave(peer).await;
            }
        }
    }

    /// Tells those who may not come why; by what could not be written nobody is shut out.
    pub(super) fn turn_away(&self, turned_away: Vec<TurnedAway>, is_written: bool) {
        for (reply, why) in turned_away {
            let why = match is_written && self.is_in_step() {
                true => why,
                false => NoSeat::Unready,
            };
            let _ = reply.send(Err(why));
        }
    }

    fn words_for(&self, wait: WaitId) -> Option<ServerFrame> {
        let setup = self.conference.setup();
        let mut visitors = self.conference.door().waiting.iter();
        let visitor = visitors.find(|visitor| visitor.id == wait)?;
        let seat = setup.seat(visitor.seat)?;
        let site = seat.site.and_then(|site| setup.site(site));
        Some(ServerFrame::Waiting {
            code: code(visitor.code),
            title: setup.title.clone(),
            site: site.map(|site| site.name.clone()),
            label: seat.label.clone(),
        })
    }

    /// Whoever waits no more is struck off the list: its connection is gone, or the server could not write it then.
    pub(super) fn sweep_lobby(&mut self, round: &mut Round) {
        if !self.may_write() {
            return;
        }
        let waiting = self.conference.door().waiting.iter();
        let gone: Vec<WaitId> = waiting
            .map(|visitor| visitor.id)
            .filter(|wait| !self.lobby.contains_key(wait))
            .collect();
        for wait in gone {
            let signal = Signal::WaitOver { wait };
            let events = self.conference.decide_signal(signal, self.clock.now());
            self.happened(events, round);
        }
    }

    /// A command with who gives it, as the rules may be asked about it at once.
    pub(super) fn asked(&self, peer: PeerId, id: String, command: Command) -> Option<Asked> {
        let asked = Asked {
            peer,
            actor: self.members.actor(peer)?,
            device: self.members.device(peer),
            id,
            command,
        };
        Some(self.see_who_is_there(asked))
    }

    /// With what the rules cannot know and only now is true: for a ban, who is there or comes with which device; for a
    /// change of a seat's machine, whether another one than the asker's does.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the other commands need not know who is there"
    )]
    pub(super) fn see_who_is_there(&self, mut asked: Asked) -> Asked {
        match &mut asked.command {
            Command::RefuseDevice { present, .. } | Command::ExpelSeat { present, .. } => {
                // Who was there when it was asked is somebody still: it may have waited, and a page be loaded anew.
                present.extend(self.members.devices());
                present.extend(self.coming());
            }
            Command::RestoreSeat { seat, is_there } => {
                let own = asked.device.filter(|_| asked.actor.seat == *seat);
                // The same holds here: a machine that loads its page anew would take the seat that is taken from it.
                *is_there |= self.is_another_there(*seat, asked.peer, own);
            }
            _ => {}
        }
        asked
    }

    /// The seats to which somebody comes, each with a device. Who was let in at the door in this round is known to its seat.
    fn coming(&self) -> impl Iterator<Item = (SeatId, DeviceId)> {
        self.comers().filter_map(|(seat, claim)| {
            let device = claim?.device?;
            // Who only has a link, and would wait at the door, is nobody there.
            let comes = matches!(self.becomes(seat, claim), Ok(Knock::Enters | Knock::Binds));
            comes.then_some((seat, device))
        })
    }

    /// Who comes, and what it has proved: when this round is written, or the store has answered.
    fn comers(&self) -> impl Iterator<Item = (SeatId, Option<Claim>)> {
        let enters = self.joins.iter().map(|join| (join.seat, join.claim));
        let waits = self.waiting.iter().filter_map(|message| match message {
            Message::Join { seat, claim, .. } => Some((*seat, *claim)),
            Message::Waited { .. }
            | Message::Gone { .. }
            | Message::Command { .. }
            | Message::Media { .. }
            | Message::Acknowledge { .. }
            | Message::Leave { .. }
            | Message::Alarms { .. }
            | Message::Stop { .. } => None,
        });
        enters.chain(waits)
    }

    /// Whether another machine than the asker's is there for a seat, or comes.
    fn is_another_there(&self, seat: SeatId, asker: PeerId, own: Option<DeviceId>) -> bool {
        // A second tab of the machine that asks is no other machine; a connection without a key may be any.
        let is_other = |device: Option<DeviceId>| device.is_none() || device != own;
        let mut members = self.members.of_seat(seat).into_iter();
        let mut comes = self.comers().filter(|(of, _)| *of == seat);
        // Who was let in in this round stands in the lobby until it is over.
        let mut waits = self.lobby.values().filter(|waiter| waiter.seat == seat);
        members.any(|peer| peer != asker && is_other(self.members.device(peer)))
            || comes.any(|(_, claim)| is_other(claim.and_then(|claim| claim.device)))
            || waits.any(|waiter| is_other(waiter.device))
    }

    /// What was decided about seats and devices is done to their connections; `sent_away` says which one of a seat's stays.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the other events are about nobody's admission"
    )]
    pub(super) async fn heed(
        &mut self,
        entries: &[Entry],
        sent_away: &BTreeMap<SeatId, Option<PeerId>>,
    ) {
        // Who is shut out with its device hears that, not that its seat may ask again.
        let (shut_out, others): (Vec<_>, Vec<_>) = entries
            .iter()
            .partition(|entry| matches!(entry.event, Event::DeviceBanned { .. }));
        for entry in shut_out.into_iter().chain(others) {
            match entry.event {
                Event::SeatRevoked { seat } => {
                    self.cut(Shut::Revoked(seat), None, ErrorWhy::Revoked).await;
                    info!(%seat, "seat revoked");
                }
                Event::SeatExpelled { seat, .. } => {
                    self.cut(Shut::Expelled(seat), None, ErrorWhy::Expelled)
                        .await;
                    info!(%seat, "seat asked to leave");
                }
                Event::SeatRestored {
                    seat,
                    guarded: true,
                    ..
                } => {
                    let stays = sent_away.get(&seat).copied().flatten();
                    self.forget_waiting(|asked| {
                        asked.actor.seat == seat && Some(asked.peer) != stays
                    });
                    self.cut(Shut::Changed(seat), stays, ErrorWhy::Expelled)
                        .await;
                    info!(%seat, "seat's machine changed");
                }
                Event::DeviceBanned { device, seat, .. } => {
                    self.forget_waiting(|asked| asked.device == Some(device));
                    self.cut(Shut::Banned(device, seat), None, ErrorWhy::Revoked)
                        .await;
                    info!("device shut out");
                }
                Event::DeviceRefused { wait, .. } => {
                    if let Some(waiter) = self.lobby.remove(&wait) {
                        let _ = waiter.outcome.send(Err(NoSeat::NotLetIn));
                    }
                }
                Event::DeviceAdmitted { wait, .. } => {
                    if let Some(waiter) = self.lobby.remove(&wait) {
                        self.let_in(waiter).await;
                    }
                }
                _ => {}
            }
        }
    }

    async fn let_in(&mut self, waiter: Waiter) {
        let Waiter {
            seat,
            device,
            opened,
            outlet,
            outcome,
        } = waiter;
        // However long it has been waiting.
        let let_in = Some(self.order.next());
        let came = Came { opened, let_in };
        // Another desk may have shut it out in the same round.
        let joined = match self.shut_out_meanwhile(seat, device) {
            Some(why) => Err(why),
            None => self.join(seat, device, came, outlet).await,
        };
        let peer = joined.as_ref().ok().copied();
        let is_there = outcome.send(joined).is_ok();
        match peer {
            // Its task is told before: a client may answer the welcome at once.
            Some(peer) if is_there => self.welcome(peer),
            Some(peer) => self.leave(peer).await,
            None => {}
        }
    }

    /// Why somebody who was let in does not come in after all.
    fn shut_out_meanwhile(&self, seat: SeatId, device: Option<DeviceId>) -> Option<NoSeat> {
        let banned = &self.conference.door().banned;
        let is_banned = device.is_some_and(|device| banned.contains_key(&device));
        match is_banned || self.conference.roster().is_revoked(seat) {
            // For good: it is told as whoever comes by such a link or machine, not as one that may ask again.
            true => Some(NoSeat::ShutOut),
            false => self.keeps_out(seat, device).then_some(NoSeat::Unready),
        }
    }

    /// Lets in who was to enter when it came, if that still holds at the end of the round.
    pub(super) async fn enter(&mut self, join: Join) {
        let Join {
            seat,
            claim,
            opened,
            outlet,
            reply,
        } = join;
        let device = claim.and_then(|claim| claim.device);
        let joined = match self.becomes(seat, claim) {
            _ if !self.is_in_step() => Err(NoSeat::Unready),
            Ok(Knock::Enters) => self.join(seat, device, opened.into(), outlet).await,
            // What would have bound it, or opened the seat to it, could not be written.
            Ok(Knock::Binds) => Err(NoSeat::Unready),
            Ok(_) if self.failure.is_some() => Err(NoSeat::Unready),
            Ok(_) => Err(NoSeat::Expelled),
            // A seat that asks nobody when it came may ask everybody by now.
            Err(why) => Err(why),
        };
        let peer = joined.as_ref().ok().copied();
        peer.into_iter().for_each(|peer| self.welcome(peer));
        let is_gone = reply.send(joined.map(Admission::In)).is_err();
        if let Some(peer) = peer.filter(|_| is_gone) {
            self.leave(peer).await;
        }
    }

    fn welcome(&mut self, peer: PeerId) {
        let now = self.clock.now();
        self.members.welcome(peer, &self.conference, now);
        self.tell_alarms_to(peer);
        self.tell_health_to(peer);
    }

    /// Gives a connection its seat: from here on it is told, and may send.
    async fn join(
        &mut self,
        seat: SeatId,
        device: Option<DeviceId>,
        came: Came,
        outlet: Arc<Outlet>,
    ) -> Result<PeerId, NoSeat> {
        let seat = self.conference.setup().seat(seat).cloned();
        let seat = seat.ok_or(NoSeat::ShutOut)?;
        // One machine a seat may be a site's endpoint: the newest, for it is the one somebody just started. An older
        // connection whose first frame was late on the way does not put it out.
        if seat.carries.endpoint().is_some() {
            let since = came.let_in.unwrap_or(came.opened);
            if self.members.newest(seat.id, device) > since {
                return Err(NoSeat::Replaced);
            }
            for peer in self.members.of_seat(seat.id) {
                self.members.dismiss(peer, ErrorWhy::Replaced, None);
                self.forget(peer).await;
            }
        }
        let peer = self.members.admit(&seat, device, came, outlet);
        self.ask(PeerAsk::Admit {
            peer,
            seat: seat.id,
            site: seat.site,
            carries: seat.carries,
        })
        .await;
        info!(%peer, seat = %seat.id, role = ?seat.role, "joined");
        Ok(peer)
    }

    /// Cuts whom this shuts out, but for the one connection that stays. One that is being closed already, for something milder,
    /// is told no more either.
    pub(super) async fn cut(&mut self, shut: Shut, stays: Option<PeerId>, why: ErrorWhy) {
        let mut peers = self.members.those(|seat, device| shut.is_of(seat, device));
        peers.retain(|peer| Some(*peer) != stays);
        for peer in peers {
            self.members.dismiss(peer, why, None);
            self.forget(peer).await;
        }
        self.members
            .hasten(|seat, device| shut.is_of(seat, device), why);
    }

    /// Four digits that nobody else shows who waits now.
    fn draw_code(&self) -> Option<u16> {
        let waiting = &self.conference.door().waiting;
        // The lobby is small beside the codes: a free one comes at once.
        for _ in 0..64 {
            let mut bytes = [0; 4];
            getrandom::fill(&mut bytes).ok()?;
            let drawn = u32::from_le_bytes(bytes) % u32::from(CODES.end - CODES.start);
            let code = CODES.start + u16::try_from(drawn).ok()?;
            if waiting.iter().all(|visitor| visitor.code != code) {
                return Some(code);
            }
        }
        None
    }
}
