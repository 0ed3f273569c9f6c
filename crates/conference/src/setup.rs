//! What a conference starts from: written in the settings file, journalled as its first event, never changed after.

use crate::words::QueueMode;
use diemcau_model::{Carries, DraftId, ItemId, ParagraphRef, Role, SeatId, SiteId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Everything that is fixed before the first command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// Hội nghị: its title.
    pub title: String,
    /// The body that convenes it.
    pub organizer: String,
    /// Sites in protocol order; exactly one is the hall.
    pub sites: Vec<Site>,
    /// One seat for each link that is handed out.
    pub seats: Vec<Seat>,
    /// The agenda as planned.
    pub agenda: Vec<PlannedItem>,
    /// The drafts under comment.
    pub drafts: Vec<Draft>,
    /// Minutes after midnight, local time, at which it is to begin; none: planned times are counted from its beginning.
    #[serde(default)]
    pub starts: Option<u16>,
    /// Seconds a speaking site may be away before its turn ends; 0: as long as the chair waits.
    #[serde(default)]
    pub away_seconds: u16,
}

impl Setup {
    /// The site of an id.
    #[must_use]
    pub fn site(&self, site: SiteId) -> Option<&Site> {
        self.sites.get(usize::from(site.0))
    }

    /// The main hall.
    #[must_use]
    pub fn hall(&self) -> Option<SiteId> {
        self.sites.iter().find(|site| site.hall).map(|site| site.id)
    }

    /// The seat of an id.
    #[must_use]
    pub fn seat(&self, seat: SeatId) -> Option<&Seat> {
        self.seats.get(usize::try_from(seat.0).ok()?)
    }

    /// The planned item of an id.
    #[must_use]
    pub fn item(&self, item: ItemId) -> Option<&PlannedItem> {
        self.agenda.iter().find(|planned| planned.id == item)
    }

    /// Whether a draft has a paragraph of this number.
    #[must_use]
    pub fn has_paragraph(&self, at: ParagraphRef) -> bool {
        let draft = self.drafts.iter().find(|draft| draft.id == at.draft);
        draft.is_some_and(|draft| (1..=draft.paragraphs.len()).contains(&usize::from(at.paragraph)))
    }
}

/// Điểm cầu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Site {
    /// Its id; equals its place in protocol order.
    pub id: SiteId,
    /// The full name, as on a letter.
    pub name: String,
    /// At most 16 characters, for tiles and chips, with the level left out.
    pub short: String,
    /// The level as people say it ("TP", "Huyện", "Xã"): data, never code.
    pub level: String,
    /// Whether this is the main hall.
    pub hall: bool,
    /// Persons summoned to this site; 0: not known.
    #[serde(default)]
    pub summoned: u16,
}

/// One link, for one person or one screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// Its id; equals its place in the list.
    pub id: SeatId,
    /// What it may do.
    pub role: Role,
    /// The site it belongs to; a moderator always has one.
    pub site: Option<SiteId>,
    /// What its machine carries.
    pub carries: Carries,
    /// What people call it.
    pub label: String,
    /// SHA-256 of the token in its link, hex. The token itself is never stored here.
    pub token_sha256: String,
    /// Whether the link opens for the first device that comes with it, and for others only when somebody lets them in.
    /// Conferences begun before devices were known open to whoever has the link.
    #[serde(default)]
    pub bound: bool,
    /// SHA-256 over token and PIN, hex, when a PIN is asked of a device that the seat does not know; see `hub`.
    #[serde(default)]
    pub pin_sha256: Option<String>,
}

/// An item of the agenda as planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedItem {
    /// Its number.
    pub id: ItemId,
    /// Its title.
    pub title: String,
    /// At most 24 characters, for narrow columns; the title where the settings file has none.
    #[serde(default)]
    pub short: String,
    /// The item it is a part of.
    #[serde(default)]
    pub part_of: Option<ItemId>,
    /// Percent of `quorum_base` that must be there for it; none: no quorum is asked.
    #[serde(default)]
    pub quorum_percent: Option<u8>,
    /// Of what that is a share.
    #[serde(default)]
    pub quorum_base: QuorumBase,
    /// What happens in it.
    pub kind: ItemKind,
    /// Who presents it, in words; may be empty.
    pub presenter: String,
    /// Minutes planned for the whole item.
    pub minutes: u16,
    /// How turns run in it.
    pub turns: TurnRules,
    /// The drafts it is about.
    pub drafts: Vec<DraftId>,
}

/// Of what a quorum is a share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum QuorumBase {
    /// Of the persons summoned.
    #[default]
    Summoned,
    /// Of the sites: one counts when anybody is there.
    Sites,
}

/// What happens in an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// Khai mạc, nghi thức.
    Opening,
    /// Báo cáo, trình bày.
    Presentation,
    /// Thảo luận, góp ý.
    Discussion,
    /// Phát biểu chỉ đạo.
    Directing,
    /// Thông qua.
    Decision,
    /// Kết luận, bế mạc.
    Closing,
    /// Nghỉ giải lao.
    Break,
}

/// How turns run in an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TurnRules {
    /// Minutes of a turn.
    pub minutes: u16,
    /// What happens when they are used up.
    pub at_zero: AtZero,
    /// Whether a request waits for the chair's word before it joins the list.
    pub approval: bool,
    /// In which order the list is called.
    #[serde(default)]
    pub queue: QueueMode,
}

/// What happens when a turn's time is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum AtZero {
    /// Nhắc: the clock counts on, nothing else.
    Warn,
    /// Tắt tiếng sau gia hạn: the microphone closes after so many seconds more; the turn stays.
    Mute {
        /// Seconds between zero and silence.
        grace_seconds: u16,
    },
    /// Ngắt: the turn ends.
    Cut,
}

/// Dự thảo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Draft {
    /// Its id.
    pub id: DraftId,
    /// Its title.
    pub title: String,
    /// At most 24 characters, for rows.
    pub short: String,
    /// Its paragraphs; number `n` is at place `n - 1`.
    pub paragraphs: Vec<Paragraph>,
}

/// Đoạn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Paragraph {
    /// The number as printed ("I.", "1.", "a)"); may be empty.
    pub label: String,
    /// Whether it is a heading.
    pub heading: bool,
    /// Its text.
    pub text: String,
}
