//! A small conference, and the hub's part played by hand: it brings the time and applies what was decided.

use diemcau_conference::{
    Actor, AtZero, Command, Conference, Draft, Event, ItemKind, Paragraph, PlannedItem, QueueMode,
    QuorumBase, Refusal, Seat, Setup, Signal, Site, TurnRules,
};
use diemcau_model::{Carries, DraftId, EndpointKind, ItemId, Millis, Role, SeatId, SiteId};

/// 00:00 of every play: 27 May 2021, 07:30 in Vietnam.
pub const BEGIN: Millis = Millis(1_622_075_400_000);

/// The sites by the names plays call them; the first is the hall.
pub const SITES: [&str; 4] = ["hall", "Tháp Mười", "Sa Đéc", "Hồng Ngự"];

/// One decision and what it made of the conference.
pub struct Decision {
    pub at: Millis,
    pub events: Vec<Event>,
    pub before: Conference,
    pub after: Conference,
}

/// A running conference with its journal.
pub struct Room {
    pub live: Conference,
    pub journal: Vec<Event>,
    pub now: Millis,
    /// Everything decided since the room was opened.
    pub decisions: Vec<Decision>,
}

impl Room {
    /// A conference that nobody has linked to yet.
    pub fn open(setup: Setup) -> Self {
        let mut room = Self {
            live: Conference::default(),
            journal: vec![],
            now: BEGIN,
            decisions: vec![],
        };
        let setup = Box::new(setup);
        room.commit(vec![Event::ConferenceOpened { setup }]);
        room
    }

    /// A conference whose rooms are all linked.
    pub fn linked(setup: Setup) -> Self {
        let mut room = Self::open(setup);
        for site in 0..room.live.setup().sites.len() {
            let site = SiteId(u16::try_from(site).unwrap());
            let kind = EndpointKind::Room;
            room.signal(Signal::LinkUp { site, kind });
        }
        room
    }

    pub fn ask(&mut self, actor: &Actor, command: &Command) -> Result<Vec<Event>, Refusal> {
        let events = self.live.decide(actor, command, self.now)?;
        assert!(!events.is_empty(), "a command does something or is refused");
        self.commit(events.clone());
        self.settle();
        Ok(events)
    }

    pub fn signal(&mut self, signal: Signal) {
        let events = self.live.decide_signal(signal, self.now);
        self.commit(events);
        self.settle();
    }

    /// Lets time pass as the hub does: awake at every deadline on the way.
    pub fn wait_until(&mut self, until: Millis) {
        assert!(until >= self.now, "time goes on");
        while let Some(due) = self.live.next_deadline().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.settle();
        }
        self.now = until;
    }

    /// Lets time pass as on a machine that was asleep meanwhile: deadlines are met late.
    pub fn oversleep(&mut self, until: Millis) {
        self.now = until;
        self.settle();
    }

    /// Decides what is due until nothing is.
    pub fn settle(&mut self) {
        // Two warnings, zero and the grace of each turn, and whoever is called after it.
        let floor = self.live.floor();
        let most = 4 + 4 * (floor.turns.len() + floor.queue().count());
        for round in 0.. {
            let events = self.live.decide_time(self.now);
            if events.is_empty() {
                break;
            }
            assert!(round < most, "time never comes to rest: {events:?}");
            self.commit(events);
        }
        let next = self.live.next_deadline();
        assert!(
            next.is_none_or(|due| due > self.now),
            "the hub would wake up for nothing, for ever"
        );
    }

    fn commit(&mut self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        let before = self.live.clone();
        for event in &events {
            self.live.apply(event);
        }
        self.journal.extend(events.iter().cloned());
        self.decisions.push(Decision {
            at: self.now,
            events,
            before,
            after: self.live.clone(),
        });
    }
}

/// The journal played again from nothing.
pub fn replay(journal: &[Event]) -> Conference {
    let mut conference = Conference::default();
    for event in journal {
        conference.apply(event);
    }
    conference
}

/// Whoever a play calls by this name.
pub fn actor(name: &str) -> Option<Actor> {
    let (seat, role, site) = match name {
        "chair" => (0, Role::Chair, Some(SiteId(0))),
        "chair 2" => (1, Role::Chair, None),
        "secretary" => (2, Role::Secretary, None),
        "technician" => (3, Role::Technician, None),
        "observer" => (4, Role::Observer, None),
        "screen" => (5, Role::Stage, Some(SiteId(0))),
        "deputy" => (10, Role::Deputy, Some(SiteId(0))),
        _ => {
            let site = SITES.iter().position(|site| *site == name)?;
            let id = SiteId(u16::try_from(site).ok()?);
            (6 + u32::from(id.0), Role::Moderator, Some(id))
        }
    };
    Some(Actor {
        seat: SeatId(seat),
        role,
        site,
    })
}

/// Everybody who may open their mouth.
pub fn people() -> Vec<&'static str> {
    let desks = [
        "chair",
        "chair 2",
        "secretary",
        "technician",
        "observer",
        "screen",
    ];
    desks.into_iter().chain(SITES).chain(["deputy"]).collect()
}

/// A hall, three sites, one draft of two paragraphs, and eleven items: item `n` gives `n` minutes a turn; from item 7
/// on each has a queue mode of its own.
pub fn setup() -> Setup {
    let warn = AtZero::Warn;
    let mute = AtZero::Mute { grace_seconds: 30 };
    Setup {
        title: "Hội nghị góp ý dự thảo".into(),
        organizer: "Ban Tổ chức".into(),
        sites: sites(),
        seats: seats(),
        agenda: vec![
            item(1, "Khai mạc", ItemKind::Opening, warn, false),
            item(2, "Báo cáo", ItemKind::Presentation, AtZero::Cut, false),
            item(3, "Thông qua", ItemKind::Decision, mute, false),
            item(4, "Góp ý vòng 1", ItemKind::Discussion, warn, true),
            item(5, "Góp ý vòng 2", ItemKind::Discussion, warn, false),
            item(6, "Bế mạc", ItemKind::Closing, warn, false),
            in_mode(7, QueueMode::ChairPicks),
            in_mode(8, QueueMode::RoundOfSites),
            in_mode(9, QueueMode::LeastTime),
            in_mode(10, QueueMode::ByDocument),
            in_mode(11, QueueMode::Open { microphones: 2 }),
        ],
        drafts: vec![Draft {
            id: DraftId(1),
            title: "Dự thảo Kết luận".into(),
            short: "Kết luận".into(),
            paragraphs: vec![
                paragraph("I.", true, "Kết quả"),
                paragraph("1.", false, "Tỷ lệ đảng viên đạt 3,76%."),
            ],
        }],
        starts: None,
        away_seconds: 0,
    }
}

fn in_mode(id: u16, queue: QueueMode) -> PlannedItem {
    let mut item = item(id, "Thảo luận", ItemKind::Discussion, AtZero::Warn, false);
    item.turns.queue = queue;
    item
}

fn sites() -> Vec<Site> {
    let site = |(id, name): (u16, &str)| Site {
        id: SiteId(id),
        name: name.into(),
        short: name.into(),
        level: String::new(),
        hall: id == 0,
        summoned: 10,
    };
    (0..).zip(SITES).map(site).collect()
}

fn seats() -> Vec<Seat> {
    let seat = |name: &str| {
        let actor = actor(name).unwrap();
        Seat {
            id: actor.seat,
            role: actor.role,
            site: actor.site,
            carries: match name {
                "chair 2" => Carries::Nothing,
                _ if actor.role == Role::Moderator => Carries::Room,
                _ => Carries::Watch,
            },
            label: name.into(),
            token_sha256: String::new(),
            bound: actor.role == Role::Moderator,
            pin_sha256: None,
        }
    };
    people().into_iter().map(seat).collect()
}

fn item(id: u16, title: &str, kind: ItemKind, at_zero: AtZero, approval: bool) -> PlannedItem {
    PlannedItem {
        id: ItemId(id),
        title: title.into(),
        short: format!("Mục {id}"),
        kind,
        presenter: String::new(),
        minutes: 10 * id,
        turns: TurnRules {
            minutes: id,
            at_zero,
            approval,
            queue: QueueMode::InOrder,
        },
        part_of: None,
        quorum_percent: Some(50),
        quorum_base: QuorumBase::Summoned,
        drafts: vec![DraftId(1)],
    }
}

fn paragraph(label: &str, heading: bool, text: &str) -> Paragraph {
    Paragraph {
        label: label.into(),
        heading,
        text: text.into(),
    }
}
