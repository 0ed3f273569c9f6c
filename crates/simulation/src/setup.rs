//! The conference that is simulated: a hall and twelve sites, the desks, and an item for every way a list can be called.

use diemcau_conference::{
    AtZero, Draft, ItemKind, Paragraph, PlannedItem, QueueMode, QuorumBase, Seat, Setup, Site,
    TurnRules,
};
use diemcau_hub::token_hash;
use diemcau_model::{Carries, DraftId, ItemId, Role, SeatId, SiteId};

/// The hall and twelve branch sites.
pub const SITES: u16 = 13;

/// The token of a seat's link.
#[must_use]
pub fn token(seat: SeatId) -> String {
    format!("seat-{seat}")
}

/// What the conference starts from.
#[must_use]
pub fn setup() -> Setup {
    Setup {
        title: "Simulated".into(),
        organizer: String::new(),
        sites: (0..SITES).map(site).collect(),
        seats: seats(),
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

fn seats() -> Vec<Seat> {
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
        // Open: a door draws challenges and codes by lot, and a seed is to be one run.
        bound: false,
        pin_sha256: None,
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
