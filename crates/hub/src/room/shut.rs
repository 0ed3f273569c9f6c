//! Who is shut out by something that cannot be written is shut out all the same: cut at once, and kept out until the
//! record says so. What shut them out is owed to the record, and carried out again as soon as it can be written.
//!
//! They are told that the record fails and that they may come again, not that they were sent away: what is told for good
//! is what the record says.

use super::{Asked, Room, Round, stall::shuts_of};
use diemcau_conference::{Event, Refusal};
use diemcau_model::{DeviceId, SeatId};
use diemcau_protocol::ErrorWhy;
use std::{collections::BTreeSet, mem};
use tracing::warn;

/// Who is shut out, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shut {
    Revoked(SeatId),
    Expelled(SeatId),
    /// Its machine was changed.
    Changed(SeatId),
    /// With whose link it had come.
    Banned(DeviceId, SeatId),
}

/// A command that shuts somebody out, and is not written.
#[derive(Debug)]
pub(super) struct Owed {
    pub(super) asked: Asked,
    pub(super) shuts: BTreeSet<Shut>,
}

impl Shut {
    /// Whom these events shut out, as somebody at this seat asked for them.
    pub(super) fn all(events: &[Event], asker: SeatId) -> BTreeSet<Self> {
        let mut shuts: BTreeSet<Self> = events.iter().filter_map(Self::of).collect();
        // Whoever changes its own seat's machine goes on at its desk: the record says who else has to go.
        shuts.remove(&Self::Changed(asker));
        shuts
    }

    /// Whether a connection of this seat, from this device, is shut out by it.
    pub(super) fn is_of(self, seat: SeatId, device: Option<DeviceId>) -> bool {
        match self {
            Self::Revoked(shut) | Self::Expelled(shut) | Self::Changed(shut) => shut == seat,
            Self::Banned(shut, _) => Some(shut) == device,
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the other events shut nobody out"
    )]
    fn of(event: &Event) -> Option<Self> {
        match event {
            Event::SeatRevoked { seat } => Some(Self::Revoked(*seat)),
            Event::SeatExpelled { seat, .. } => Some(Self::Expelled(*seat)),
            Event::SeatRestored {
                seat,
                guarded: true,
                ..
            } => Some(Self::Changed(*seat)),
            Event::DeviceBanned { device, seat, .. } => Some(Self::Banned(*device, *seat)),
            _ => None,
        }
    }
}

impl Room {
    /// What a command that cannot be written closes is closed, and whom it shuts out is shut out.
    pub(super) async fn close_and_owe(&mut self, asked: Asked) {
        let (closed, shuts) = self.closes(&asked);
        self.ahead.unwritten.extend(closed);
        self.close_now();
        if shuts.is_empty() {
            return;
        }
        // Once is enough, and bounds what is owed by the seats and devices there are.
        if self.owed.iter().any(|owed| shuts.is_subset(&owed.shuts)) {
            return;
        }
        self.shut_out(&shuts).await;
        // Before what shuts out some of these only: behind it the rules would say that it is so already.
        let narrower = |owed: &Owed| owed.shuts.is_subset(&shuts);
        let at = self.owed.iter().position(narrower);
        let at = at.unwrap_or(self.owed.len());
        self.owed.insert(at, Owed { asked, shuts });
    }

    /// Shuts out ahead of the record.
    pub(super) async fn shut_out(&mut self, shuts: &BTreeSet<Shut>) {
        for shut in shuts {
            if self.shut.insert(*shut) {
                self.cut(*shut, None, ErrorWhy::StorageFailed).await;
                warn!("shut out, which is not written yet");
            }
        }
    }

    /// Whether somebody is kept out by what is not written.
    pub(super) fn keeps_out(&self, seat: SeatId, device: Option<DeviceId>) -> bool {
        self.shut.iter().any(|shut| shut.is_of(seat, device))
    }

    /// Whether a device is among them: then everybody is asked for the key, as while one is shut out by the record.
    pub(super) fn keeps_devices_out(&self) -> bool {
        self.shut
            .iter()
            .any(|shut| matches!(shut, Shut::Banned(..)))
    }

    /// Carries out again what is owed: it has been answered by nobody, or is answered as it was.
    pub(super) fn repay(&mut self, round: &mut Round) {
        for Owed { asked, shuts } in mem::take(&mut self.owed) {
            if self.answers.get(asked.actor.seat, &asked.id).is_none()
                && let Some(decided) = self.ask_rules(&asked)
            {
                let decided = self.with_bans(decided, &shuts);
                self.decided(asked, decided, round);
            }
        }
    }

    /// What is decided of a command that has shut devices out, and that they are: also if whom it was about has left since, or
    /// was sent away by another.
    pub(super) fn with_bans(
        &self,
        decided: Result<Vec<Event>, Refusal>,
        shuts: &BTreeSet<Shut>,
    ) -> Result<Vec<Event>, Refusal> {
        let at = self.clock.now();
        let events = decided.as_deref().unwrap_or_default();
        let is_in = |device| {
            events
                .iter()
                .filter_map(Shut::of)
                .any(|shut| matches!(shut, Shut::Banned(one, _) if one == device))
        };
        let left = shuts.iter().filter_map(|shut| match shut {
            Shut::Banned(device, seat) => Some(Event::DeviceBanned {
                device: *device,
                seat: *seat,
                at,
            })
            .filter(|_| !self.conference.door().banned.contains_key(device) && !is_in(*device)),
            Shut::Revoked(_) | Shut::Expelled(_) | Shut::Changed(_) => None,
        });
        let left: Vec<Event> = left.collect();
        match left.is_empty() {
            true => decided,
            false => Ok([decided.unwrap_or_default(), left].concat()),
        }
    }

    /// The disk is asked once more before the room goes, though its second is not over: what is owed goes with the room.
    pub(super) async fn repay_at_last(&mut self) {
        if self.owed.is_empty() && !self.missed {
            return;
        }
        if let Some(failure) = &mut self.failure {
            failure.ask_now();
        }
        self.ask_disk().await;
        let mut round = Round::default();
        self.catch_up(&mut round);
        self.finish(round).await;
    }

    /// The record says who is shut out, but for what is owed or still waits.
    pub(super) fn shut_no_longer(&mut self) {
        let owed = self.owed.iter().map(|owed| &owed.shuts);
        let waiting = self.waiting.iter().filter_map(shuts_of);
        self.shut = owed.chain(waiting).flatten().copied().collect();
    }
}
