//! The conference that is simulated: a hall and twelve sites, the desks, and an item for every way a list can be called.

use diemcau_conference::{
    AtZero, Draft, ItemKind, Paragraph, PlannedItem, QueueMode, QuorumBase, Seat, Setup, Site,
    TurnRules,
};
use diemcau_hub::{pin_hash, token_hash};
use diemcau_model::{Carries, DraftId, ItemId, Role, SeatId, SiteId};

/// The hall and twelve branch sites.
pub const SITES: u16 = 13;

/// The observer and one room have links that open for everybody, also behind a guarded door.
const OPEN: [SeatId; 2] = [SeatId(5), SeatId(12)];
/// Two rooms and the secretary are asked for a PIN.
const PINS: [SeatId; 3] = [SeatId(3), SeatId(13), SeatId(14)];
/// A room whose link was copied to more machines than the lobby holds.
pub const COPIED: SeatId = SeatId(15);

/// Which machine of a seat it is: its letter, whether it has a key, and whether somebody starts it in the morning.
pub struct Kind {
    /// Empty for the first.
    pub letter: &'static str,
    /// Without one its page can make no key.
    pub has_key: bool,
    /// The others are started by somebody later.
    pub starts: bool,
}

const fn kind(letter: &'static str, has_key: bool, starts: bool) -> Kind {
    Kind {
        letter,
        has_key,
        starts,
    }
}

/// A seat that is a site's endpoint, on two machines: the newer puts the older out.
const TWO_MACHINES: SeatId = SeatId(9);
/// The deputy, the observer and a room have a machine whose page can make no key.
const KEYLESS: [SeatId; 3] = [SeatId(2), SeatId(5), SeatId(10)];

/// The machines of a seat. The first chair has two consoles; behind a guarded door every seat has a second machine.
#[must_use]
pub fn machines(seat: SeatId, guarded: bool) -> Vec<Kind> {
    let both_start = seat == SeatId(0) || seat == TWO_MACHINES;
    let mut kinds = vec![kind("", true, true)];
    if both_start || guarded {
        kinds.push(kind("b", true, both_start));
    }
    if guarded && KEYLESS.contains(&seat) {
        kinds.push(kind("k", false, false));
    }
    if guarded && seat == COPIED {
        kinds.extend(["c", "d", "e", "f", "g"].map(|letter| kind(letter, true, false)));
    }
    kinds
}

/// Whose device the second machine of a seat is: on one machine several links may be opened.
#[must_use]
pub fn shares_with(seat: SeatId) -> Option<SeatId> {
    let shared = [(SeatId(5), SeatId(2)), (SeatId(11), SeatId(10))];
    let shared = shared.iter().find(|(one, _)| *one == seat);
    shared.map(|(_, other)| *other)
}

/// The token of a seat's link.
#[must_use]
pub fn token(seat: SeatId) -> String {
    format!("seat-{seat}")
}

/// The PIN of a seat that asks for one.
#[must_use]
pub fn pin(seat: SeatId) -> String {
    format!("{}", 1_000 + seat.0)
}

/// What the conference starts from: with links that open for everybody, or behind a guarded door.
#[must_use]
pub fn setup(guarded: bool) -> Setup {
    Setup {
        title: "Simulated".into(),
        organizer: String::new(),
        sites: (0..SITES).map(site).collect(),
        seats: seats(guarded),
        agenda: agenda(),
        drafts: vec![draft(1), draft(2)],
        starts: None,
        // Short, so that it is met.
        away_seconds: 20,
    }
}

fn site(id: u16) -> Site {
    let name = match id {
        0 => "Hội trường".to_owned(),
        id => format!("Điểm cầu {id}"),
    };
    Site {
        id: SiteId(id),
        short: name.clone(),
        name,
        level: String::new(),
        hall: id == 0,
        summoned: 10,
    }
}

fn seats(guarded: bool) -> Vec<Seat> {
    let hall = Some(SiteId(0));
    let mut kinds = vec![
        (Role::Chair, hall, Carries::Watch),
        (Role::Chair, hall, Carries::Watch),
        (Role::Deputy, hall, Carries::Watch),
        (Role::Secretary, hall, Carries::Watch),
        (Role::Technician, None, Carries::Watch),
        (Role::Observer, None, Carries::Watch),
        (Role::Stage, hall, Carries::Watch),
    ];
    kinds.extend((0..SITES).map(|id| (Role::Moderator, Some(SiteId(id)), Carries::Room)));
    kinds.extend([1, 2].map(|id| (Role::Moderator, Some(SiteId(id)), Carries::Standby)));
    kinds.extend([3, 4].map(|id| (Role::Moderator, Some(SiteId(id)), Carries::Nothing)));
    let seat = |(id, (role, site, carries)): (u32, (Role, Option<SiteId>, Carries))| Seat {
        id: SeatId(id),
        role,
        site,
        carries,
        label: format!("{role:?} {id}"),
        token_sha256: token_hash(&token(SeatId(id))),
        bound: guarded && !OPEN.contains(&SeatId(id)),
        pin_sha256: (guarded && PINS.contains(&SeatId(id)))
            .then(|| pin_hash(&token(SeatId(id)), &pin(SeatId(id)))),
    };
    (0..).zip(kinds).map(seat).collect()
}

fn agenda() -> Vec<PlannedItem> {
    let queues = [
        (QueueMode::InOrder, AtZero::Warn, false),
        (QueueMode::RoundOfSites, AtZero::Cut, false),
        (
            QueueMode::LeastTime,
            AtZero::Mute { grace_seconds: 5 },
            true,
        ),
        (QueueMode::Open { microphones: 2 }, AtZero::Cut, false),
        (QueueMode::ByDocument, AtZero::Warn, false),
        (
            QueueMode::ChairPicks,
            AtZero::Mute { grace_seconds: 5 },
            false,
        ),
    ];
    let item = |(id, (queue, at_zero, approval)): (u16, (QueueMode, AtZero, bool))| PlannedItem {
        id: ItemId(id),
        title: format!("Nội dung {id}"),
        short: format!("Nội dung {id}"),
        part_of: None,
        quorum_percent: (id == 2).then_some(50),
        quorum_base: QuorumBase::Summoned,
        kind: ItemKind::Discussion,
        presenter: String::new(),
        minutes: 10,
        turns: TurnRules {
            minutes: 1,
            at_zero,
            approval,
            queue,
        },
        drafts: vec![DraftId(1)],
    };
    (1..).zip(queues).map(item).collect()
}

fn draft(id: u16) -> Draft {
    let paragraph = |n: u16| Paragraph {
        label: format!("{n}."),
        heading: n == 1,
        text: "Đoạn".into(),
    };
    Draft {
        id: DraftId(id),
        title: format!("Dự thảo {id}"),
        short: format!("Dự thảo {id}"),
        paragraphs: (1..=4).map(paragraph).collect(),
    }
}
