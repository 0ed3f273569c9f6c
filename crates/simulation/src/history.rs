//! What the record alone says about the floor: folded from the synced events, knowing none of the rules' code. What
//! the media plane is told is held against this. Who may be in is a fold of its own (`door.rs`).

use crate::{
    disk::Append,
    door::{Door, Round},
};
use anyhow::{Result, bail, ensure};
use diemcau_conference::{Event, QueueMode, Refusal, Setup};
use diemcau_journal::Entry;
use diemcau_model::{EndpointKind, ItemId, Role, SeatId, SiteId, TurnId};
use std::collections::{BTreeMap, BTreeSet};

/// A speech that has the floor.
#[derive(Clone, Copy, Debug)]
struct Speech {
    turn: TurnId,
    site: SiteId,
    paused: bool,
    held: bool,
    interrupted: bool,
    muted: bool,
}

/// The chair's last call.
struct Call {
    /// Whom it gave the floor.
    turn: TurnId,
    /// Who had it before.
    before: Vec<Speech>,
    /// Whose speeches it ended.
    ended: Vec<TurnId>,
}

/// What a command left in the record.
#[derive(Clone, Copy, Debug)]
pub struct Effect {
    /// The number of its last record.
    pub last: u64,
    /// Why it was refused, if it was.
    pub refused: Option<Refusal>,
}

/// What stands in the record so far.
#[derive(Default)]
pub struct History {
    setup: Setup,
    /// Which site asked for which turn.
    asked: BTreeMap<TurnId, SiteId>,
    speeches: Vec<Speech>,
    /// The last call, while it can be taken back.
    call: Option<Call>,
    item: Option<ItemId>,
    hall_microphone: bool,
    priority: bool,
    called: Option<SiteId>,
    /// The chair closed the called site's microphone.
    called_closed: bool,
    deputy: Option<SeatId>,
    /// What can send.
    links: BTreeSet<(SiteId, EndpointKind)>,
    revoked: BTreeSet<SeatId>,
    door: Door,
    commands: BTreeMap<(SeatId, String), Effect>,
    last: u64,
}

impl History {
    /// The sites that may be heard, and are while nothing is in the way of the record: of those that are live, the called
    /// one if it has a link, and the hall.
    #[must_use]
    pub fn may_be_heard(&self) -> BTreeSet<SiteId> {
        let hall = self.setup.hall();
        if self.priority {
            return hall.into_iter().collect();
        }
        let is_live = |speech: &&Speech| {
            !(speech.paused || speech.held || speech.interrupted || speech.muted)
        };
        let live = self.speeches.iter().filter(is_live);
        let hall = hall.filter(|_| self.hall_microphone || self.called.is_some());
        let called = self.called.filter(|_| !self.called_closed);
        live.map(|speech| speech.site)
            .chain(called.filter(|site| self.is_linked(*site)))
            .chain(hall)
            .collect()
    }

    /// What can send.
    #[must_use]
    pub fn links(&self) -> &BTreeSet<(SiteId, EndpointKind)> {
        &self.links
    }

    /// Whether anything of a site can send.
    #[must_use]
    pub fn is_linked(&self, site: SiteId) -> bool {
        self.links.iter().any(|(of, _)| *of == site)
    }

    /// What the conference began with.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Who may be in.
    #[must_use]
    pub fn door(&self) -> &Door {
        &self.door
    }

    /// Whether a seat's link was revoked.
    #[must_use]
    pub fn is_revoked(&self, seat: SeatId) -> bool {
        self.revoked.contains(&seat)
    }

    /// What a command left in the record.
    #[must_use]
    pub fn effect(&self, seat: SeatId, id: &str) -> Option<Effect> {
        self.commands.get(&(seat, id.to_owned())).copied()
    }

    /// The number of the last record.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Takes the next record, which was synced with these others.
    ///
    /// # Errors
    /// Nobody had the right to it, or a command took effect twice.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "every event but one says that its command was carried out"
    )]
    pub fn take(&mut self, append: &Append, entry: &Entry) -> Result<()> {
        self.last += 1;
        if let (Some(seat), Some(id)) = (entry.seat, &entry.command) {
            let number = self.last;
            let refused = match entry.event {
                Event::CommandRefused { why } => Some(why),
                _ => None,
            };
            let key = (seat, id.clone());
            if let Some(before) = self.commands.insert(
                key,
                Effect {
                    last: number,
                    refused,
                },
            ) {
                ensure!(
                    before.last == number - 1 && before.refused.is_none() && refused.is_none(),
                    "command {id} of seat {seat} took effect twice: at {} and at {number}",
                    before.last
                );
            }
        }
        self.check_right(entry)?;
        self.fold(&entry.event);
        let round = Round {
            numbers: append.first..=append.first + append.entries.len() as u64 - 1,
            at: append.at,
        };
        self.door.take(self.last, round, entry.seat, &entry.event);
        Ok(())
    }

    /// Whether whoever caused a record had the right to it.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the rights that matter to the floor and the record; the matrix of all is tested in `conference`"
    )]
    fn check_right(&self, entry: &Entry) -> Result<()> {
        let seat = entry.seat.and_then(|seat| self.setup.seat(seat));
        if let Some(seat) = seat
            && !matches!(entry.event, Event::CommandRefused { .. })
        {
            ensure!(
                !self.is_revoked(seat.id),
                "revoked seat {} did {:?}",
                seat.id,
                entry.event
            );
            ensure!(
                !self.door.is_empty(seat.id),
                "seat {} was asked to leave and did {:?}",
                seat.id,
                entry.event
            );
        }
        let presides = seat.is_some_and(|seat| match seat.role {
            Role::Chair => self.deputy.is_none(),
            Role::Deputy => self.deputy == Some(seat.id),
            _ => false,
        });
        let sees_to_links =
            seat.is_some_and(|seat| matches!(seat.role, Role::Chair | Role::Technician));
        let fair = match &entry.event {
            Event::TurnStarted { turn, .. } => {
                let open = self.setup.item(self.item.unwrap_or_default());
                let open =
                    open.is_some_and(|item| matches!(item.turns.queue, QueueMode::Open { .. }));
                self.asked.contains_key(turn) && (presides || seat.is_none() && open)
            }
            Event::Called { .. }
            | Event::HallMicrophoneSet { open: true }
            | Event::TurnResumed { .. }
            | Event::TurnExtended { .. }
            | Event::RollCallStarted { .. }
            | Event::MicrophonesSet { open: true, .. } => presides,
            // Nobody: what was closed ahead of the record is closed in it.
            Event::HallMicrophoneSet { open: false }
            | Event::MicrophonesSet { open: false, .. } => presides || seat.is_none(),
            Event::PrioritySet { seat: Some(_), .. } => presides,
            Event::FloorRequested { site, .. } => seat.is_some_and(|seat| match seat.role {
                Role::Moderator => seat.site == Some(*site),
                Role::Chair | Role::Deputy | Role::Secretary => self.setup.hall() == Some(*site),
                _ => false,
            }),
            Event::CommentPosted { site, .. } => seat.is_some_and(|seat| match seat.role {
                Role::Moderator => seat.site == Some(*site),
                role => role == Role::Secretary,
            }),
            Event::SeatRevoked { .. }
            | Event::SeatRestored { .. }
            | Event::DeviceAllowed { .. } => sees_to_links,
            Event::DeviceAdmitted { .. }
            | Event::DeviceRefused { .. }
            | Event::DeviceBanned { .. }
            | Event::SeatExpelled { .. } => sees_to_links || presides,
            _ => true,
        };
        if !fair {
            bail!("{:?} had no right to {:?}", entry.seat, entry.event);
        }
        Ok(())
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "only what can open or close a microphone is followed, and what can send"
    )]
    fn fold(&mut self, event: &Event) {
        match event {
            Event::ConferenceOpened { setup } => self.setup = (**setup).clone(),
            Event::ItemStarted { item, .. } => (self.item, self.call) = (Some(*item), None),
            Event::ItemFinished { .. } => self.item = None,
            Event::FloorRequested { turn, site, .. } => {
                self.asked.insert(*turn, *site);
            }
            Event::Called { turn, replaces, .. } => {
                self.call = Some(Call {
                    turn: *turn,
                    before: self.speeches.clone(),
                    ended: replaces.clone(),
                });
            }
            Event::RequestDenied { .. } | Event::RequestMoved { .. } => self.call = None,
            Event::StepUndone { .. } => self.undone(),
            Event::TurnStarted { turn, .. } => {
                if let Some(site) = self.asked.get(turn) {
                    self.speeches.push(Speech {
                        turn: *turn,
                        site: *site,
                        paused: false,
                        held: false,
                        interrupted: false,
                        muted: false,
                    });
                }
            }
            Event::TurnPaused { turn, .. } => self.set(*turn, |speech| speech.paused = true),
            Event::TurnResumed { turn, .. } => self.set(*turn, |speech| speech.paused = false),
            Event::TurnHeld { turn, .. } => self.set(*turn, |speech| speech.held = true),
            Event::TurnUnheld { turn, .. } => self.set(*turn, |speech| speech.held = false),
            Event::TurnInterrupted { turn, .. } => {
                self.set(*turn, |speech| speech.interrupted = true);
            }
            Event::TurnTakenUp { turn, .. } => {
                self.set(*turn, |speech| speech.interrupted = false);
            }
            Event::TurnMuted { turn } => self.set(*turn, |speech| speech.muted = true),
            Event::TurnExtended { turn, .. } => self.set(*turn, |speech| speech.muted = false),
            Event::TurnEnded { turn, .. } | Event::CallReturned { turn, .. } => {
                self.speeches.retain(|speech| speech.turn != *turn);
            }
            Event::MicrophonesSet { open, .. } if self.called.is_some() => {
                self.called_closed = !open;
            }
            Event::HallMicrophoneSet { open } => self.hall_microphone = *open,
            Event::PrioritySet { seat, .. } => self.priority = seat.is_some(),
            Event::ChairTaken { deputy, .. } => (self.deputy, self.priority) = (*deputy, false),
            Event::SiteCalled { site, .. } => {
                (self.called, self.called_closed) = (Some(*site), false);
            }
            Event::RollCallEnded { .. } => (self.called, self.called_closed) = (None, false),
            Event::EndpointLinked { site, kind, .. } => {
                self.links.insert((*site, *kind));
            }
            Event::EndpointLost { site, kind, .. } => {
                self.links.remove(&(*site, *kind));
            }
            Event::SeatRevoked { seat } => {
                self.revoked.insert(*seat);
                self.deputy = self.deputy.filter(|deputy| deputy != seat);
            }
            Event::SeatExpelled { seat, .. } => {
                self.deputy = self.deputy.filter(|deputy| deputy != seat);
            }
            Event::SeatRestored { seat, guarded, .. } => {
                self.revoked.remove(seat);
                self.deputy = self.deputy.filter(|deputy| deputy != seat || !guarded);
            }
            _ => {}
        }
    }

    /// Whom the call gave the floor has it no longer; whom it took it from has it again, as it was.
    fn undone(&mut self) {
        let Some(call) = self.call.take() else { return };
        self.speeches.retain(|speech| speech.turn != call.turn);
        if call.ended.is_empty() {
            return;
        }
        let now = |before: &Speech| {
            let stayed = self.speeches.iter().find(|now| now.turn == before.turn);
            match call.ended.contains(&before.turn) {
                true => Some(*before),
                false => stayed.copied(),
            }
        };
        self.speeches = call.before.iter().filter_map(now).collect();
    }

    fn set(&mut self, turn: TurnId, set: impl FnOnce(&mut Speech)) {
        if let Some(speech) = self.speeches.iter_mut().find(|speech| speech.turn == turn) {
            set(speech);
        }
    }
}
