//! What a viewer sees: one value per slice. A fact replaces a slice; a snapshot is all of them.

use diemcau_conference::{
    CallEnd, CommentKind, CommentWords, Denied, Draft, Headcount, Heard, ItemKind, Layout, Next,
    Precedence, PromptKind, Quorum, QuorumBase, Readiness, RequestWords, Site, SpeechType,
    StepKind, TurnEnd, TurnRules, Why,
};
use diemcau_model::{
    Carries, CommentId, DeviceId, EndpointKind, ItemId, Millis, ParagraphRef, PromptId, Role,
    SeatId, SiteId, TurnId, WaitId,
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
    /// Who is present, and the roll call.
    pub attendance: Attendance,
    /// Private prompts between desks and sites; a site sees its own.
    pub prompts: Vec<Prompt>,
    /// The speeches that are over, in the order of their numbers.
    pub speeches: Vec<Speech>,
    /// Who waits at the door; empty for those who let nobody in.
    pub door: Door,
}

/// What never changes while the conference lasts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Fixed {
    /// Title of the conference.
    pub title: String,
    /// Who convenes it.
    pub organizer: String,
    /// Minutes after midnight, local time, at which it is to begin; null: planned times count from its beginning.
    pub starts: Option<u16>,
    /// Sites in protocol order.
    pub sites: Vec<Site>,
    /// Drafts under comment.
    pub drafts: Vec<Draft>,
    /// The kinds of speech with their rights, in the order of their ranks.
    pub kinds: Vec<Kind>,
}

/// A kind of speech.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Kind {
    /// Which.
    pub speech: SpeechType,
    /// What it may do in the list.
    pub rights: Precedence,
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
    /// The item that comes next; null when none is left.
    pub next: Option<ItemId>,
    /// All items in their present order.
    pub items: Vec<Item>,
    /// The break that is on; null while none is.
    pub on_break: Option<Break>,
}

/// Nghỉ giải lao.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Break {
    /// When it began.
    pub since: Millis,
    /// Until when it was announced; it lasts until somebody goes on.
    pub until: Millis,
}

/// Nội dung chương trình.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Item {
    /// Its number as planned.
    pub id: ItemId,
    /// The item it is a part of.
    pub part_of: Option<ItemId>,
    /// Percent of `quorum_base` that must be there for it; null: no quorum is asked.
    pub quorum_percent: Option<u8>,
    /// Of what that is a share.
    pub quorum_base: QuorumBase,
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
    /// Milliseconds between its end and its being opened again: no time of the item.
    #[ts(type = "number")]
    pub idle_ms: u64,
}

/// Who has the floor and who waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Floor {
    /// Whether the list takes requests.
    pub open: bool,
    /// The turn that has the floor: the one everybody looks at.
    pub turn: Option<Turn>,
    /// Further turns: open microphones of an open discussion, and the speech a question was put into.
    pub others: Vec<Turn>,
    /// Accepted requests in the order of the list; each says why it stands there.
    pub queue: Vec<Request>,
    /// Requests waiting for the chair's word. Desks see all, a site its own, others none.
    pub pending: Vec<Request>,
    /// Requests kept with another item, until it is taken up again. Pending ones as above.
    pub kept: Vec<Kept>,
    /// The requests told to prepare, at most two of `queue`, in its order.
    pub on_deck: Vec<TurnId>,
    /// What `grant_next` does now; null when there is nobody to call.
    pub next: Option<Next>,
    /// Who was staged to be called next.
    pub staged: Vec<TurnId>,
    /// Whether the hall's own microphone is open.
    pub hall_microphone: bool,
    /// Whether the chair closed the microphones that else would open by themselves: in an open discussion, or the called
    /// site's.
    pub microphones_closed: bool,
    /// Whether the chair holds the priority key: nobody but the hall is heard.
    pub priority: bool,
    /// How the last turn ended. Desks see it, and its own site.
    pub last: Option<LastTurn>,
    /// Requests that were not taken, the last of each site. Desks see all, a site its own.
    pub denied: Vec<Denied>,
    /// What each site used of each item, speeches that are over.
    pub used: Vec<Used>,
    /// The chair's last step, which can be undone until the moment it says. Chairs and deputies only.
    pub undo: Option<Undo>,
    /// The deputy who has the chair in the chair's place; null: the chair has it.
    pub deputy: Option<Deputy>,
}

/// What a site used of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Used {
    /// The item.
    pub item: ItemId,
    /// The site.
    pub site: SiteId,
    /// Speeches.
    pub turns: u16,
    /// Milliseconds they took.
    #[ts(type = "number")]
    pub ms: u64,
}

/// The chair's last step about the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Undo {
    /// What was done.
    pub step: StepKind,
    /// The request it was done to.
    pub turn: TurnId,
    /// Its site.
    pub site: SiteId,
    /// Until when it can be undone.
    pub until: Millis,
}

/// The deputy who has the chair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Deputy {
    /// Its seat.
    pub seat: SeatId,
    /// What people call it.
    pub label: String,
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
    /// The speech it replies to.
    pub about: Option<TurnId>,
    /// When the server took it.
    pub at: Millis,
    /// Why it stands where it does; null while it is pending.
    pub why: Option<Why>,
    /// Whether its site is there.
    pub ready: Readiness,
    /// When its site's microphone was heard, on the link it has now, while it was told to prepare; null before.
    pub heard: Option<Millis>,
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
    /// The speech it replies to.
    pub about: Option<TurnId>,
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
    /// A question was put in between.
    pub interrupted: bool,
    /// The chair holds the priority key.
    pub silenced: bool,
    /// The item's rule closed its microphone.
    pub muted: bool,
    /// When the turn of a site whose link is lost ends by itself; null: not, or the chair waits as long as it takes.
    pub away_until: Option<Millis>,
    /// The last warning given, in seconds left; 0 when time is used up; null before the first.
    pub warned_s: Option<u16>,
}

/// A request kept with another item than the present one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Kept {
    /// The item it waits for.
    pub item: ItemId,
    /// Its id.
    pub turn: TurnId,
    /// The site.
    pub site: SiteId,
    /// Who, on what.
    pub words: RequestWords,
    /// When the server took it.
    pub at: Millis,
}

/// A speech that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Speech {
    /// Its id.
    pub turn: TurnId,
    /// The site that spoke.
    pub site: SiteId,
    /// In which item.
    pub item: ItemId,
    /// Who, on what.
    pub words: RequestWords,
    /// The speech it replied to.
    pub about: Option<TurnId>,
    /// When it was granted.
    pub started: Millis,
    /// When it was over.
    pub ended: Millis,
    /// Milliseconds it took by its clock.
    #[ts(type = "number")]
    pub used_ms: u64,
    /// How it ended; null for those who are not told: desks see it, and its own site.
    pub how: Option<TurnEnd>,
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
    /// The layout laid ready by chair or technician.
    pub preview: Option<Layout>,
    /// The text of the notice layout.
    pub notice: String,
    /// The paragraph of the document layout.
    pub paragraph: Option<ParagraphRef>,
    /// Whether somebody chose that paragraph, instead of following the speech.
    pub paragraph_chosen: bool,
    /// The picture somebody fixed as the programme.
    pub spotlight: Option<Spotlight>,
    /// Seconds of each picture of the carousel; null while it stands.
    pub carousel: Option<u16>,
    /// The page of the grid, from 0, and how many there are.
    pub page: u16,
    /// Pages of the grid.
    pub pages: u16,
    /// Tile `k` of every screen shows `tiles[k]`; the hall first.
    pub tiles: Vec<SiteId>,
    /// Sites whose microphone is open.
    pub heard: Vec<SiteId>,
    /// The site whose picture is the programme.
    pub programme: Option<SiteId>,
    /// The sites told to prepare.
    pub on_deck: Vec<SiteId>,
    /// Dải tên; null when the programme is nobody's speech.
    pub lower_third: Option<LowerThird>,
    /// Trình chiếu: the screen or window that is shown where the paragraph would be.
    pub presentation: Option<PresentationView>,
    /// Who asked to present, in the order of asking.
    pub presentation_asks: Vec<PresentationAsk>,
}

/// A screen or window that is shown to all rooms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct PresentationView {
    /// Whose machine sends it.
    pub seat: SeatId,
    /// For which site.
    pub site: SiteId,
    /// As people call that seat.
    pub by: String,
    /// Since when.
    pub since: Millis,
}

/// A seat that would like to present.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct PresentationAsk {
    /// Which.
    pub seat: SeatId,
    /// As people call it.
    pub by: String,
    /// Since when.
    pub at: Millis,
}

/// Dải tên.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct LowerThird {
    /// The site.
    pub site: SiteId,
    /// Who speaks; may be empty, then the site's name is the first line.
    pub delegate: String,
    /// The speaker's title and unit; may be empty.
    pub title: String,
    /// On what; may be empty.
    pub topic: String,
}

/// Who waits at the door, and which devices are shut out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Door {
    /// Devices that wait to be let in, in the order of their coming.
    pub waiting: Vec<Visitor>,
    /// Devices that are shut out.
    pub banned: Vec<BannedDevice>,
}

/// A device that waits to be let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Visitor {
    /// Its number, for `admit_device` and `refuse_device`.
    pub wait: WaitId,
    /// Whose link it brings; the seats say what people call it.
    pub seat: SeatId,
    /// Four digits; the device shows the same.
    pub code: String,
    /// Whether it has a key: without one it waits at every start.
    pub has_key: bool,
    /// Since when.
    pub at: Millis,
}

/// A device that is shut out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BannedDevice {
    /// The device, for `allow_device`.
    pub device: DeviceId,
    /// With whose link it had come.
    pub seat: SeatId,
    /// When it was shut out.
    pub at: Millis,
}

/// A picture that was fixed by hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Spotlight {
    /// Whose picture.
    pub site: SiteId,
    /// Who fixed it, as people call that seat.
    pub by: String,
}

/// Điểm danh, quân số.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Attendance {
    /// The site that is called; null while no roll is called.
    pub calling: Option<SiteId>,
    /// Since when.
    pub since: Option<Millis>,
    /// Every site is called in turn; else the called one alone.
    pub walks: bool,
    /// Every site in protocol order.
    pub sites: Vec<SiteAttendance>,
    /// All sites together: those who did not report count as summoned only.
    pub summoned: u32,
    /// Có mặt trực tiếp.
    pub present: u32,
    /// Có mặt trực tuyến.
    pub online: u32,
    /// Whether enough are there for the running item; null when it asks for no quorum.
    pub quorum: Option<Quorum>,
}

/// One site's line of the attendance sheet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SiteAttendance {
    /// The site.
    pub site: SiteId,
    /// What it reported; null before it did. Who is absent is told to the desks and the site itself.
    pub headcount: Option<Headcount>,
    /// How its call ended; null before.
    pub how: Option<CallEnd>,
    /// When its call ended.
    pub at: Option<Millis>,
    /// What was measured when it was first heard in the call.
    pub heard: Option<Heard>,
}

/// A private prompt between the desks and a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Prompt {
    /// Its number.
    pub id: PromptId,
    /// The site it is to or from.
    pub site: SiteId,
    /// What it says; says also which way it goes.
    pub kind: PromptKind,
    /// When.
    pub at: Millis,
    /// When it was seen to; null before.
    pub handled: Option<Millis>,
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
    /// Whether it was asked to leave, and nobody was let in since.
    pub expelled: bool,
    /// Whether whoever it does not know waits at the door, also the first, also where the link opens for everybody.
    pub guarded: bool,
    /// Whether the link opens for devices it knows only.
    pub bound: bool,
    /// How many devices it knows.
    pub devices: u8,
}
