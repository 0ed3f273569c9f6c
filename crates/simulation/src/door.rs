//! What the record alone says about who may be in: folded from the synced events, knowing none of the rules' code.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the other events are about nobody's admission"
)]

use diemcau_conference::{Event, Setup};
use diemcau_model::{DeviceId, SeatId, WaitId};
use std::{collections::BTreeMap, ops::RangeInclusive};
use tokio::time::Instant;

/// Who a connection is, as far as the simulation has told the server.
#[derive(Clone, Copy, Debug)]
pub struct Guest {
    /// Whose link it brought.
    pub seat: SeatId,
    /// The device it has proved to be; none while nobody asked, or when it has no key.
    pub device: Option<DeviceId>,
    /// Under which number it waits, or waited, at the door.
    pub wait: Option<WaitId>,
}

/// What was synced at once.
#[derive(Clone, Debug)]
pub struct Round {
    /// The numbers of its records.
    pub numbers: RangeInclusive<u64>,
    /// When.
    pub at: Instant,
}

/// A record about links or devices.
#[derive(Debug)]
pub struct Word {
    /// Its number.
    pub number: u64,
    /// What was synced with it.
    pub round: Round,
    by: Option<SeatId>,
    event: Event,
}

/// Somebody on the list of those who wait.
#[derive(Clone, Copy, Debug)]
struct Visitor {
    /// The record of its coming.
    number: u64,
    seat: SeatId,
    device: Option<DeviceId>,
    code: u16,
}

/// What is written of links and devices so far.
#[derive(Default)]
pub struct Door {
    /// Links that open for devices they know only, and links that ask for a PIN.
    bound: Vec<SeatId>,
    pins: Vec<SeatId>,
    words: Vec<Word>,
    visitors: BTreeMap<WaitId, Visitor>,
}

/// How the record stands to a guest at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    revoked: bool,
    /// Asked to leave, or its machine was changed: a person lets in whoever comes.
    expelled: bool,
    banned: bool,
    known: bool,
}

impl Door {
    /// Takes the next record.
    pub fn take(&mut self, number: u64, round: Round, by: Option<SeatId>, event: &Event) {
        match event {
            Event::ConferenceOpened { setup } => return self.open(setup),
            Event::DeviceWaits {
                wait,
                seat,
                device,
                code,
                ..
            } => {
                let visitor = Visitor {
                    number,
                    seat: *seat,
                    device: *device,
                    code: *code,
                };
                self.visitors.insert(*wait, visitor);
            }
            Event::DeviceBound { .. }
            | Event::DeviceAdmitted { .. }
            | Event::DeviceRefused { .. }
            | Event::DeviceBanned { .. }
            | Event::DeviceAllowed { .. }
            | Event::SeatRevoked { .. }
            | Event::SeatExpelled { .. }
            | Event::SeatRestored { .. } => {}
            _ => return,
        }
        self.words.push(Word {
            number,
            round,
            by,
            event: event.clone(),
        });
    }

    fn open(&mut self, setup: &Setup) {
        let seats = || setup.seats.iter();
        self.bound = seats()
            .filter(|seat| seat.bound)
            .map(|seat| seat.id)
            .collect();
        self.pins = seats()
            .filter(|seat| seat.pin_sha256.is_some())
            .map(|seat| seat.id)
            .collect();
    }

    /// From which record on a guest is in that was welcomed as of record `seq`; none: the record does not let it in.
    #[must_use]
    pub fn entered(&self, guest: &Guest, seq: u64) -> Option<u64> {
        // Who was let in by name enters with that word, whatever the same round says about it afterwards.
        let in_round = |word: &&Word| word.round.numbers.contains(&seq);
        let by_name = self.words.iter().filter(in_round).find(|word| {
            matches!(&word.event, Event::DeviceAdmitted { wait, .. } if self.is(guest, *wait, word))
        });
        if let Some(word) = by_name {
            let standing = self.standing(guest, word.number);
            return (!standing.revoked && !standing.banned).then_some(word.number);
        }
        self.lets_in(guest, seq).then_some(seq)
    }

    /// Whether this guest is the visitor who was admitted. Whoever came in that very round never heard that it waits.
    fn is(&self, guest: &Guest, admitted: WaitId, word: &Word) -> bool {
        let Some(visitor) = self.visitors.get(&admitted) else {
            return false;
        };
        let is_like = (visitor.seat, visitor.device) == (guest.seat, guest.device);
        let came_at_once = word.round.numbers.contains(&visitor.number);
        guest.wait == Some(admitted) || guest.wait.is_none() && is_like && came_at_once
    }

    /// Whether whoever brings this link on this device comes in as of a record.
    fn lets_in(&self, guest: &Guest, upto: u64) -> bool {
        let standing = self.standing(guest, upto);
        let is_open = !self.bound.contains(&guest.seat) && !standing.expelled;
        !standing.revoked && !standing.banned && (standing.known || is_open)
    }

    /// The first word behind record `entered` that sends this guest away.
    #[must_use]
    pub fn sent_away(&self, guest: &Guest, entered: u64) -> Option<&Word> {
        let later = self.words.partition_point(|word| word.number <= entered);
        self.words[later..]
            .iter()
            .find(|word| word.sends_away(guest, self.bound.contains(&guest.seat)))
    }

    /// Whether a device was shut out as of a record.
    #[must_use]
    pub fn is_banned(&self, guest: &Guest, upto: u64) -> bool {
        self.standing(guest, upto).banned
    }

    /// Whether the link or the device was shut out at some moment from record `since` on.
    #[must_use]
    pub fn was_shut_out(&self, guest: &Guest, since: u64) -> bool {
        let standing = self.standing(guest, since);
        let later = |word: &Word| match &word.event {
            Event::SeatRevoked { seat } => *seat == guest.seat,
            Event::DeviceBanned { device, .. } => Some(*device) == guest.device,
            _ => false,
        };
        standing.revoked || standing.banned || self.since(since).any(later)
    }

    /// Whether the seat was asked to leave, or its machine changed, at some moment from record `since` on.
    #[must_use]
    pub fn was_expelled(&self, seat: SeatId, since: u64) -> bool {
        let expelled = |word: &Word| match &word.event {
            Event::SeatExpelled { seat: of, .. } | Event::SeatRestored { seat: of, .. } => {
                *of == seat
            }
            _ => false,
        };
        self.since(since).any(expelled)
    }

    /// Whether the guest that waits was sent away.
    #[must_use]
    pub fn was_refused(&self, guest: &Guest) -> bool {
        let refused = |word: &Word| matches!(&word.event, Event::DeviceRefused { wait, .. } if self.is(guest, *wait, word));
        self.words.iter().any(refused)
    }

    /// Whether nobody may act for a seat: its link opens nothing, or whoever was there left and nobody was let in again.
    #[must_use]
    pub fn is_empty(&self, seat: SeatId) -> bool {
        let mut empty = false;
        for word in &self.words {
            match &word.event {
                Event::SeatRevoked { seat: of } | Event::SeatExpelled { seat: of, .. } => {
                    empty |= *of == seat;
                }
                Event::SeatRestored {
                    seat: of, guarded, ..
                } if *of == seat => {
                    empty = *guarded && word.by != Some(seat);
                }
                Event::DeviceAdmitted { wait, .. } => empty &= self.seat_of(*wait) != Some(seat),
                _ => {}
            }
        }
        empty
    }

    /// Whether the seat knew the device as of a record.
    #[must_use]
    pub fn knew(&self, guest: &Guest, upto: u64) -> bool {
        self.standing(guest, upto).known
    }

    /// Whether the link asks for a PIN.
    #[must_use]
    pub fn asks_pin(&self, seat: SeatId) -> bool {
        self.pins.contains(&seat)
    }

    /// Whether there ever was a reason to ask who it is that brings this link: while one device is shut out all are asked, and
    /// who brings a link that opens nothing is asked as if it did.
    #[must_use]
    pub fn may_ask(&self, seat: SeatId) -> bool {
        let by_word = |word: &Word| match &word.event {
            Event::SeatExpelled { seat: of, .. } | Event::SeatRevoked { seat: of } => *of == seat,
            Event::DeviceBanned { .. } => true,
            _ => false,
        };
        self.bound.contains(&seat) || self.asks_pin(seat) || self.words.iter().any(by_word)
    }

    /// Under which number a guest of this seat waits that shows this code: the latest of them.
    #[must_use]
    pub fn waits_as(&self, seat: SeatId, code: &str) -> Option<WaitId> {
        let mut visitors = self.visitors.iter().rev();
        let found = visitors
            .find(|(_, visitor)| visitor.seat == seat && visitor.code.to_string() == code)?;
        Some(*found.0)
    }

    /// How many have ever waited with a link.
    #[must_use]
    pub fn visitors_of(&self, seat: SeatId) -> usize {
        let of_seat = self
            .visitors
            .values()
            .filter(|visitor| visitor.seat == seat);
        of_seat.count()
    }

    fn since(&self, number: u64) -> impl Iterator<Item = &Word> {
        self.words.iter().filter(move |word| word.number > number)
    }

    fn seat_of(&self, wait: WaitId) -> Option<SeatId> {
        self.visitors.get(&wait).map(|visitor| visitor.seat)
    }

    fn standing(&self, guest: &Guest, upto: u64) -> Standing {
        let mut standing = Standing::default();
        let words = self.words.iter().take_while(|word| word.number <= upto);
        words.for_each(|word| standing.take(&word.event, guest, &self.visitors));
        standing
    }
}

impl Standing {
    fn take(&mut self, event: &Event, guest: &Guest, visitors: &BTreeMap<WaitId, Visitor>) {
        match event {
            Event::SeatRevoked { seat } if *seat == guest.seat => self.revoked = true,
            Event::SeatExpelled { seat, .. } if *seat == guest.seat => {
                (self.expelled, self.known) = (true, false);
            }
            Event::SeatRestored { seat, guarded, .. } if *seat == guest.seat => {
                *self = Self {
                    banned: self.banned,
                    expelled: *guarded,
                    ..Self::default()
                };
            }
            Event::DeviceBanned { device, .. } if Some(*device) == guest.device => {
                self.banned = true;
            }
            Event::DeviceAllowed { device, .. } if Some(*device) == guest.device => {
                self.banned = false;
            }
            // Nobody is first where a person decides.
            Event::DeviceBound { seat, device, .. } if !self.expelled => {
                self.known |= (*seat, Some(*device)) == (guest.seat, guest.device);
            }
            // Only the device that was let in is known by it: to the others an expelled seat stays shut.
            Event::DeviceAdmitted { wait, .. } => {
                let admitted = visitors.get(wait);
                self.known |= admitted.is_some_and(|visitor| {
                    visitor.device.is_some()
                        && (visitor.seat, visitor.device) == (guest.seat, guest.device)
                });
            }
            _ => {}
        }
    }
}

impl Word {
    fn sends_away(&self, guest: &Guest, is_bound: bool) -> bool {
        match &self.event {
            Event::SeatRevoked { seat } | Event::SeatExpelled { seat, .. } => *seat == guest.seat,
            // Nobody who is there goes on with a link that knows them no more, but who changes the machine of its own seat.
            Event::SeatRestored { seat, guarded, .. } => {
                *seat == guest.seat && (*guarded || is_bound) && self.by != Some(*seat)
            }
            Event::DeviceBanned { device, .. } => Some(*device) == guest.device,
            _ => false,
        }
    }
}
