//! The door: which devices a seat knows, which wait to be let in, and who was sent away.
//!
//! A device names itself by its key and has proved that it holds it; that proof, the token and the PIN are the hub's.

use crate::{Actor, Event, Refusal, Seat, Setup};
use diemcau_model::{DeviceId, Millis, Role, SeatId, WaitId, limits};
use std::collections::{BTreeMap, BTreeSet};

/// The part of the state that is about devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Door {
    /// The devices each seat knows, the one bound first at the front.
    pub devices: BTreeMap<SeatId, Vec<DeviceId>>,
    /// Seats that were asked to leave, and from which nobody was let in since.
    pub expelled: BTreeSet<SeatId>,
    /// Seats at whose link whoever they do not know waits, also the first, also where it opens for everybody: since they
    /// were asked to leave, their machine was changed or a page without a key was let in, until they are as on the first day.
    pub guarded: BTreeSet<SeatId>,
    /// Devices that are shut out, whatever link they bring.
    pub banned: BTreeMap<DeviceId, Ban>,
    /// The devices that wait, in the order of their coming.
    pub waiting: Vec<Visitor>,
    taken: u32,
}

/// A device that is shut out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ban {
    /// With whose link it had come.
    pub seat: SeatId,
    /// When it was shut out.
    pub at: Millis,
}

/// A device that waits to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// Its number.
    pub id: WaitId,
    /// Whose link it brings.
    pub seat: SeatId,
    /// The device; none for a page that cannot make a key.
    pub device: Option<DeviceId>,
    /// Four digits that both sides show.
    pub code: u16,
    /// Since when.
    pub at: Millis,
}

/// What becomes of a device that comes to the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knock {
    /// It comes in.
    Enters,
    /// It comes in, and the seat knows it from now on.
    Binds,
    /// It waits until somebody lets it in.
    Waits,
    /// It does not come in: no such seat, or shut out.
    ShutOut,
    /// Too many wait already.
    Full,
}

impl Door {
    /// Whether a seat asks who it is that comes. While a device is shut out every seat does, to know it again; whoever
    /// else comes with an open link enters all the same.
    #[must_use]
    pub fn guards(&self, seat: &Seat) -> bool {
        let asks_for_itself = seat.bound || seat.pin_sha256.is_some();
        asks_for_itself || self.guarded.contains(&seat.id) || !self.banned.is_empty()
    }

    /// Whether a seat knows a device.
    #[must_use]
    pub fn knows(&self, seat: SeatId, device: Option<DeviceId>) -> bool {
        let known = self.devices.get(&seat);
        device.is_some_and(|device| known.is_some_and(|known| known.contains(&device)))
    }

    /// What becomes of a device that comes with a seat's link.
    #[must_use]
    pub fn knock(&self, seat: &Seat, device: Option<DeviceId>) -> Knock {
        if device.is_some_and(|device| self.banned.contains_key(&device)) {
            return Knock::ShutOut;
        }
        let is_guarded = self.guarded.contains(&seat.id);
        match device {
            _ if !seat.bound && !is_guarded => Knock::Enters,
            device if self.knows(seat.id, device) => Knock::Enters,
            Some(_) if !is_guarded && self.is_for_the_first(seat.id) => Knock::Binds,
            Some(_) | None if self.is_full(seat.id) => Knock::Full,
            Some(_) | None => Knock::Waits,
        }
    }

    /// Whether whoever comes is the first: a page without a key that waits has come before.
    fn is_for_the_first(&self, seat: SeatId) -> bool {
        let waits = self.waiting.iter().any(|waiting| waiting.seat == seat);
        !waits && !self.devices.contains_key(&seat)
    }

    /// The events of a device that came: none when it enters as it is, or does not.
    pub(crate) fn decide_knock(
        &self,
        seat: &Seat,
        device: Option<DeviceId>,
        code: u16,
        at: Millis,
    ) -> Vec<Event> {
        let id = seat.id;
        match (self.knock(seat, device), device) {
            (Knock::Binds, Some(device)) => vec![Event::DeviceBound {
                seat: id,
                device,
                at,
            }],
            (Knock::Waits, _) => vec![Event::DeviceWaits {
                wait: WaitId(self.taken + 1),
                seat: id,
                device,
                code,
                at,
            }],
            (Knock::Binds | Knock::Enters | Knock::ShutOut | Knock::Full, _) => vec![],
        }
    }

    /// A device that waited is gone.
    pub(crate) fn decide_gone(&self, wait: WaitId) -> Vec<Event> {
        self.find(wait)
            .map(|waiting| Event::DeviceGone { wait: waiting.id })
            .into_iter()
            .collect()
    }

    /// Nobody waits any more, as after a restart of the server.
    pub(crate) fn decide_all_gone(&self) -> Vec<Event> {
        let waiting = self.waiting.iter();
        waiting
            .map(|waiting| Event::DeviceGone { wait: waiting.id })
            .collect()
    }

    pub(crate) fn decide_admit(&self, wait: WaitId, at: Millis) -> Result<Vec<Event>, Refusal> {
        self.find(wait).ok_or(Refusal::UnknownDevice)?;
        Ok(vec![Event::DeviceAdmitted { wait, at }])
    }

    /// Sends a waiting device away; with `ban` it need not come again, with whatever link.
    pub(crate) fn decide_refuse(
        &self,
        spared: &BTreeSet<DeviceId>,
        wait: WaitId,
        ban: bool,
        at: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        let waiting = self.find(wait).ok_or(Refusal::UnknownDevice)?;
        let mut events = vec![Event::DeviceRefused { wait, at }];
        if let Some(device) = waiting.device.filter(|_| ban) {
            self.check_ban(spared, device)?;
            events.extend(self.ban(device, waiting.seat, Some(wait), at));
        }
        Ok(events)
    }

    /// Asks a seat to leave: it comes back only through the lobby. With `ban` the devices it knows are shut out too.
    pub(crate) fn decide_expel(
        &self,
        setup: &Setup,
        spared: &BTreeSet<DeviceId>,
        seat: SeatId,
        ban: bool,
        at: Millis,
    ) -> Result<Vec<Event>, Refusal> {
        setup.seat(seat).ok_or(Refusal::UnknownSeat)?;
        if self.expelled.contains(&seat) {
            return Err(Refusal::AlreadySo);
        }
        let mut events = vec![Event::SeatExpelled { seat, at }];
        for device in self.devices.get(&seat).into_iter().flatten() {
            if ban {
                self.check_ban(spared, *device)?;
                events.extend(self.ban(*device, seat, None, at));
            }
        }
        Ok(events)
    }

    /// Whether a seat that is made as on the first day is guarded all the same: while a machine is there or waits, nobody
    /// knows which is the right one. Then the first to come is not bound, a person decides by its code.
    pub(crate) fn is_in_doubt(&self, seat: &Seat, is_there: bool) -> bool {
        let waits = |waiting: &Visitor| waiting.seat == seat.id;
        seat.bound && (is_there || self.waiting.iter().any(waits))
    }

    pub(crate) fn decide_allow(&self, device: DeviceId, at: Millis) -> Result<Vec<Event>, Refusal> {
        match self.banned.contains_key(&device) {
            true => Ok(vec![Event::DeviceAllowed { device, at }]),
            false => Err(Refusal::UnknownDevice),
        }
    }

    /// Those who wait with the link of a seat that opens nothing any more.
    pub(crate) fn refuse_all_of(&self, seat: SeatId, at: Millis) -> Vec<Event> {
        self.refusals(|waiting| waiting.seat == seat, at)
    }

    /// Whether a seat's link is not as on the first day.
    pub(crate) fn remembers(&self, seat: SeatId) -> bool {
        self.guarded.contains(&seat) || self.devices.contains_key(&seat)
    }

    pub(crate) fn bind(&mut self, seat: SeatId, device: DeviceId) {
        let known = self.devices.entry(seat).or_default();
        known.retain(|other| *other != device);
        known.push(device);
        if known.len() > limits::DEVICES_PER_SEAT_MAX {
            known.remove(0);
        }
    }

    pub(crate) fn waits(&mut self, waiting: Visitor) {
        self.taken = self.taken.max(waiting.id.0);
        self.waiting.push(waiting);
    }

    /// Whoever is let in is there, and may be asked to leave again. A page without a key is let in this once: the seat
    /// knows nobody new, and nobody comes in beside it whom no person has let in.
    pub(crate) fn admitted(&mut self, wait: WaitId) {
        let Some(visitor) = self.find(wait).copied() else {
            return;
        };
        self.gone(wait);
        self.expelled.remove(&visitor.seat);
        match visitor.device {
            Some(device) => self.bind(visitor.seat, device),
            None => {
                self.guarded.insert(visitor.seat);
            }
        }
    }

    pub(crate) fn gone(&mut self, wait: WaitId) {
        self.waiting.retain(|waiting| waiting.id != wait);
    }

    pub(crate) fn expel(&mut self, seat: SeatId) {
        self.devices.remove(&seat);
        self.expelled.insert(seat);
        self.guarded.insert(seat);
    }

    pub(crate) fn restore(&mut self, seat: SeatId, guarded: bool) {
        self.devices.remove(&seat);
        self.expelled.remove(&seat);
        match guarded {
            true => self.guarded.insert(seat),
            false => self.guarded.remove(&seat),
        };
    }

    pub(crate) fn find(&self, wait: WaitId) -> Option<&Visitor> {
        self.waiting.iter().find(|waiting| waiting.id == wait)
    }

    /// The devices that a chair or the asker sits at, known to the seat or come with a link that opens for everybody: they
    /// are not shut out, for one machine may have opened several links.
    pub(crate) fn spared(
        &self,
        setup: &Setup,
        actor: &Actor,
        present: &[(SeatId, DeviceId)],
    ) -> BTreeSet<DeviceId> {
        let known = self.devices.iter();
        let known = known.flat_map(|(seat, known)| known.iter().map(|device| (*seat, *device)));
        let is_chair = |seat| {
            setup
                .seat(seat)
                .is_some_and(|seat| seat.role == Role::Chair)
        };
        let all = known.chain(present.iter().copied());
        all.filter(|(seat, _)| *seat == actor.seat || is_chair(*seat))
            .map(|(_, device)| device)
            .collect()
    }

    fn check_ban(&self, spared: &BTreeSet<DeviceId>, device: DeviceId) -> Result<(), Refusal> {
        if spared.contains(&device) {
            return Err(Refusal::DeviceInUse);
        }
        match self.banned.len() < limits::BANNED_DEVICES_MAX {
            true => Ok(()),
            false => Err(Refusal::QueueFull),
        }
    }

    /// Shuts a device out; where else it waits, it is sent away too.
    fn ban(&self, device: DeviceId, seat: SeatId, but: Option<WaitId>, at: Millis) -> Vec<Event> {
        let elsewhere =
            |waiting: &Visitor| waiting.device == Some(device) && Some(waiting.id) != but;
        let mut events = vec![Event::DeviceBanned { device, seat, at }];
        events.extend(self.refusals(elsewhere, at));
        events
    }

    fn refusals(&self, of: impl Fn(&Visitor) -> bool, at: Millis) -> Vec<Event> {
        let waiting = self.waiting.iter().filter(|waiting| of(waiting));
        waiting
            .map(|waiting| Event::DeviceRefused {
                wait: waiting.id,
                at,
            })
            .collect()
    }

    fn is_full(&self, seat: SeatId) -> bool {
        let of_seat = self.waiting.iter().filter(|waiting| waiting.seat == seat);
        self.waiting.len() >= limits::LOBBY_MAX || of_seat.count() >= limits::LOBBY_PER_SEAT_MAX
    }
}
