//! What a viewer sees: one value per slice. A fact replaces a slice; a snapshot is all of them.

use diemcau_conference::{
    CommentKind, CommentWords, Draft, ItemKind, Layout, RequestWords, Site, TurnEnd, TurnRules,
};
use diemcau_model::{
    Carries, CommentId, EndpointKind, ItemId, Millis, Role, SeatId, SiteId, TurnId,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Everything one viewer sees, as of event `seq`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct View {
    /// What never changes.
    pub fixed: Fixed,
    /// The sites' links, in protocol order.
    pub sites: Vec<SiteLink>,
    /// The agenda, in its present order.
    pub agenda: Agenda,
    /// Who has the floor and who waits.
    pub floor: Floor,
    /// What the big screens show and who is heard.
    pub stage: StageView,
    /// The comments this viewer may see, in the order of their numbers.
    pub feed: Vec<Comment>,
    /// Seats; empty for those who do not manage them.
    pub seats: Vec<SeatView>,
}

/// What never changes while the conference lasts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Fixed {
    /// Title of the conference.
    pub title: String,
    /// Who convenes it.
    pub organizer: String,
    /// Sites in protocol order.
    pub sites: Vec<Site>,
    /// Drafts under comment.
    pub drafts: Vec<Draft>,
}

/// Which endpoint of a site can send.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SiteLink {
    /// The site.
    pub site: SiteId,
    /// The endpoint that carries it now; none while its link is lost or not yet made.
    pub carrier: Option<EndpointKind>,
    /// Since when it is so; null before it was ever linked.
    pub since: Option<Millis>,
}

/// Chương trình.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Agenda {
    /// The running item.
    pub current: Option<ItemId>,
    /// All items in their present order.
    pub items: Vec<Item>,
}

/// Nội dung chương trình.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Item {
    /// Its number as planned.
    pub id: ItemId,
    /// Its title.
    pub title: String,
    /// At most 24 characters, for narrow columns; the title where none was given.
    pub short: String,
    /// What happens in it.
    pub kind: ItemKind,
    /// Who presents it.
    pub presenter: String,
    /// Planned minutes.
    pub minutes: u16,
    /// How turns run in it.
    pub turns: TurnRules,
    /// The drafts it is about.
    pub drafts: Vec<diemcau_model::DraftId>,
    /// When it began.
    pub started: Option<Millis>,
    /// When it was finished.
    pub finished: Option<Millis>,
}

/// Who has the floor and who waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Floor {
    /// Whether the list takes requests.
    pub open: bool,
    /// The turn that has the floor.
    pub turn: Option<Turn>,
    /// Accepted requests in the order of the list.
    pub queue: Vec<Request>,
    /// Requests waiting for the chair's word. Desks see all, a site its own, others none.
    pub pending: Vec<Request>,
    /// The request told to prepare; one of `queue`.
    pub on_deck: Option<TurnId>,
    /// Whether the hall's own microphone is open.
    pub hall_microphone: bool,
    /// How the last turn ended.
    pub last: Option<LastTurn>,
}

/// A waiting request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Request {
    /// Its id.
    pub turn: TurnId,
    /// The site.
    pub site: SiteId,
    /// Who, on what.
    pub words: RequestWords,
    /// When the server took it.
    pub at: Millis,
}

/// Lượt phát biểu. Time used at moment `t` is `used_ms + (running_since ? t - running_since : 0)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Turn {
    /// Its id.
    pub turn: TurnId,
    /// The site.
    pub site: SiteId,
    /// Who, on what.
    pub words: RequestWords,
    /// When it was granted.
    pub started: Millis,
    /// Milliseconds allotted, extensions included.
    #[ts(type = "number")]
    pub allotted_ms: u64,
    /// Milliseconds used before `running_since`.
    #[ts(type = "number")]
    pub used_ms: u64,
    /// Since when the clock runs; null while it stands.
    pub running_since: Option<Millis>,
    /// The chair paused it.
    pub paused: bool,
    /// The site's link is lost.
    pub held: bool,
    /// The item's rule closed its microphone.
    pub muted: bool,
    /// The last warning given, in seconds left; 0 when time is used up; null before the first.
    pub warned_s: Option<u16>,
}

/// How the last turn ended: told to its site ("the chair stopped you") and to the desks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct LastTurn {
    /// The turn.
    pub turn: TurnId,
    /// Its site.
    pub site: SiteId,
    /// How it ended.
    pub how: TurnEnd,
}

/// What the big screens show and who is heard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct StageView {
    /// The layout.
    pub layout: Layout,
    /// Sites whose microphone is open.
    pub heard: Vec<SiteId>,
    /// The site whose picture is the programme.
    pub programme: Option<SiteId>,
    /// The site told to prepare.
    pub on_deck: Option<SiteId>,
    /// Dải tên; null when nobody has the floor.
    pub lower_third: Option<LowerThird>,
}

/// Dải tên.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct LowerThird {
    /// The site.
    pub site: SiteId,
    /// Who speaks; may be empty, then the site's name is the first line.
    pub delegate: String,
    /// On what; may be empty.
    pub topic: String,
}

/// Ý kiến góp ý.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Comment {
    /// Its number.
    pub id: CommentId,
    /// The site it comes from.
    pub site: SiteId,
    /// What kind.
    pub kind: CommentKind,
    /// Where and what.
    pub words: CommentWords,
    /// When the server took it.
    pub at: Millis,
    /// Whether it is held: seen by desks and its own site only.
    pub held: bool,
}

/// A seat, for those who may revoke it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SeatView {
    /// Its id.
    pub id: SeatId,
    /// Its role.
    pub role: Role,
    /// Its site.
    pub site: Option<SiteId>,
    /// What its machine carries.
    pub carries: Carries,
    /// What people call it.
    pub label: String,
    /// Whether its link was revoked.
    pub revoked: bool,
}
