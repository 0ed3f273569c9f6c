//! What the record alone says about the guarded door, and what the commands about it mean, as PROTOCOL.md has it: knowing
//! none of the rules' code.

use crate::people::Told;
use diemcau_conference::Event;
use diemcau_journal::Record;
use diemcau_model::{DeviceId, SeatId, WaitId};
use diemcau_protocol::{ClientCommand, ServerFrame};
use std::collections::{BTreeMap, BTreeSet};

/// Who may be in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Door {
    links: BTreeMap<SeatId, Link>,
    banned: BTreeSet<DeviceId>,
    waiting: BTreeMap<WaitId, (SeatId, DeviceId)>,
}

/// How a bound link stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Link {
    revoked: bool,
    /// A person lets in whoever comes, also the first.
    guarded: bool,
    known: BTreeSet<DeviceId>,
}

/// What becomes of a device that comes with a bound link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was let in before, and comes in without asking.
    Known,
    /// Nobody else was there: it comes in and is known from now on.
    First,
    Waits,
    Banned,
    Revoked,
}

impl Door {
    pub fn of(records: &[Record]) -> Self {
        let mut door = Self::default();
        records.iter().for_each(|record| door.take(&record.event));
        door
    }

    /// A device comes now; the first one is known from then on.
    pub fn knock(&mut self, seat: SeatId, device: DeviceId) -> Outcome {
        let link = self.links.entry(seat).or_default();
        if link.revoked {
            return Outcome::Revoked;
        }
        if self.banned.contains(&device) {
            return Outcome::Banned;
        }
        if link.known.contains(&device) {
            return Outcome::Known;
        }
        if link.guarded || !link.known.is_empty() {
            return Outcome::Waits;
        }
        link.known.insert(device);
        Outcome::First
    }

    fn link(&mut self, seat: SeatId) -> &mut Link {
        self.links.entry(seat).or_default()
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::DeviceWaits {
                wait, seat, device, ..
            } => {
                self.waiting
                    .extend(device.map(|device| (*wait, (*seat, device))));
            }
            Event::DeviceBound { seat, device, .. } => {
                self.link(*seat).known.insert(*device);
            }
            Event::DeviceAdmitted { wait, .. } => self.admit(*wait),
            Event::DeviceGone { wait } | Event::DeviceRefused { wait, .. } => {
                self.waiting.remove(wait);
            }
            Event::DeviceBanned { device, .. } => {
                self.banned.insert(*device);
            }
            Event::DeviceAllowed { device, .. } => {
                self.banned.remove(device);
            }
            Event::SeatRevoked { seat } => self.link(*seat).revoked = true,
            Event::SeatExpelled { seat, .. } => self.expel(*seat),
            Event::SeatRestored { seat, guarded, .. } => self.restore(*seat, *guarded),
            _ => {}
        }
    }

    /// What a command means that was taken. Whether a restored link is guarded depends on who is there, which no record
    /// tells: of this alone the record's word is taken.
    fn obey(&mut self, command: &ClientCommand, recorded: &Self) {
        match command {
            ClientCommand::AdmitDevice { wait } => self.admit(*wait),
            ClientCommand::RefuseDevice { wait, ban } => {
                let refused = self.waiting.remove(wait);
                if let Some((_, device)) = refused.filter(|_| *ban) {
                    self.ban(device);
                }
            }
            ClientCommand::ExpelSeat { seat, ban } => {
                let known = self.link(*seat).known.clone();
                self.expel(*seat);
                if *ban {
                    known.into_iter().for_each(|device| self.ban(device));
                }
            }
            ClientCommand::AllowDevice { device } => {
                self.banned.remove(device);
            }
            ClientCommand::RevokeSeat { seat } => {
                self.link(*seat).revoked = true;
                self.waiting.retain(|_, (of, _)| of != seat);
            }
            ClientCommand::RestoreSeat { seat } => {
                let guarded = recorded.links.get(seat).is_some_and(|link| link.guarded);
                self.restore(*seat, guarded);
            }
            _ => {}
        }
    }

    fn admit(&mut self, wait: WaitId) {
        if let Some((seat, device)) = self.waiting.remove(&wait) {
            self.link(seat).known.insert(device);
        }
    }

    /// Nobody who is shut out waits anywhere.
    fn ban(&mut self, device: DeviceId) {
        self.banned.insert(device);
        self.waiting.retain(|_, (_, other)| *other != device);
    }

    fn expel(&mut self, seat: SeatId) {
        let link = self.link(seat);
        link.known.clear();
        link.guarded = true;
    }

    fn restore(&mut self, seat: SeatId, guarded: bool) {
        *self.link(seat) = Link {
            guarded,
            ..Link::default()
        };
    }
}

/// Whether a command is one about the door.
pub fn is_about_it(command: &ClientCommand) -> bool {
    matches!(
        command,
        ClientCommand::AdmitDevice { .. }
            | ClientCommand::RefuseDevice { .. }
            | ClientCommand::ExpelSeat { .. }
            | ClientCommand::AllowDevice { .. }
            | ClientCommand::RevokeSeat { .. }
            | ClientCommand::RestoreSeat { .. }
    )
}

/// Every command about the door that was acknowledged did what it says, there where it stands in the record, and nothing
/// else; how many did. That each has its place, one and in order, is the audit's of all commands.
pub fn audit(records: &[Record], told: &BTreeMap<SeatId, Vec<Told>>) -> usize {
    let taken =
        |told: &&Told| is_about_it(&told.command) && matches!(told.answer, ServerFrame::Ok { .. });
    let commands: BTreeMap<(SeatId, &str), &ClientCommand> = told
        .iter()
        .flat_map(|(seat, told)| told.iter().filter(taken).map(|told| (*seat, told)))
        .map(|(seat, told)| ((seat, &*told.id), &told.command))
        .collect();
    let mut door = Door::default();
    let mut found = 0;
    let is_one = |one: &Record, next: &Record| {
        one.command.is_some() && (one.seat, &one.command) == (next.seat, &next.command)
    };
    for effect in records.chunk_by(is_one) {
        let whose = effect[0].seat.zip(effect[0].command.as_deref());
        let command = whose.and_then(|whose| commands.get(&whose));
        let before = command.map(|_| door.clone());
        effect.iter().for_each(|record| door.take(&record.event));
        if let (Some(command), Some(mut meant)) = (command, before) {
            meant.obey(command, &door);
            assert_eq!(door, meant, "{command:?} did {effect:?}");
            found += 1;
        }
    }
    assert_eq!(found, commands.len());
    found
}
