//! The frames on the WebSocket: JSON text, one object a frame, tagged by `type`.

use crate::health::HealthAlarm;
use crate::view::{
    Agenda, Attendance, Comment, Door, Floor, Prompt, SeatView, SiteLink, Speech, StageView, View,
};
use diemcau_conference::{
    CommentKind, CommentWords, Headcount, Layout, PromptKind, Readiness, Refusal, RequestWords,
    Waiting,
};
use diemcau_model::{
    Alarm, Carries, CommentId, DeviceId, HealthId, HealthKind, ItemId, LinkStats, LinkStep, Millis,
    ParagraphRef, PromptId, Role, ScreenSlots, SeatId, Side, SiteId, TurnId, WaitId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;
use ts_rs::TS;

/// What a client says. Unknown types and unknown fields are refused as `malformed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientFrame {
    /// The first frame, within 5 s of connecting. `token` is the fragment of the link.
    Join { protocol: u16, token: String },
    /// The answer to `prove`. `device` is null where the page cannot make a key (WebCrypto is missing on plain http);
    /// `pin` is null until a person has typed it.
    Proof {
        device: Option<DeviceProof>,
        pin: Option<String>,
    },
    /// Keeps the connection and measures the clock's offset: answered by `pong` at once.
    Ping { sent: f64 },
    /// Something asked of the conference. `id` is made by the client once per intent (at most 64 characters of
    /// `[A-Za-z0-9-]`) and stays the same when the frame is sent again: it is carried out once.
    Command { id: String, command: ClientCommand },
    /// The offer of the uplink (endpoints that send only).
    UplinkOffer { sdp: String },
    /// The offer of a presentation, one picture: by the seat that presents, and by nobody else. Again: makes it anew.
    PresentationOffer { sdp: String },
    /// Asks for the downlink; answered by `downlink_offer`. Again: makes it anew.
    OpenDownlink {},
    /// The answer to `downlink_offer`.
    DownlinkAnswer { sdp: String },
    /// The offer of a downlink of this client's own making: one picture, which is the programme, and one to four sounds
    /// (the programme's first); answered by `downlink_answer`.
    DownlinkOffer { sdp: String },
    /// What this screen shows: heights of its slots.
    Screen { slots: ScreenSlots },
    /// Whether this machine plays sound.
    Listen { sound: bool },
    /// Chair, technician: somebody sees to this alarm about a site (of `health`). All desks see who.
    AcknowledgeHealth { alarm: HealthId },
}

/// What is asked for. The seat is the connection's; a frame has no field for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientCommand {
    /// Chair: begin an item. `waiting` says what becomes of those who still wait; without it the command is refused
    /// with `list_waiting` when anybody does.
    StartItem {
        item: ItemId,
        #[serde(default)]
        #[ts(optional)]
        waiting: Option<Waiting>,
    },
    /// Chair: finish the running item.
    FinishItem { item: ItemId },
    /// Chair: finish the running item (`after`) and begin the next (`expect`, the view's `agenda.next`).
    NextItem {
        after: Option<ItemId>,
        expect: ItemId,
        #[serde(default)]
        #[ts(optional)]
        waiting: Option<Waiting>,
    },
    /// Chair: break for 1 to 240 minutes; said again, it counts anew from now.
    StartBreak { minutes: u16 },
    /// Chair: go on. A call, a roll call and an item that begins do so too.
    EndBreak {},
    /// Chair: reorder items that have not begun.
    MoveItem {
        item: ItemId,
        before: Option<ItemId>,
    },
    /// Chair: open or close the list of speakers.
    SetList { open: bool },
    /// Moderator: ask for the floor. Chair, deputy, secretary: for a speaker of the main hall.
    RequestFloor {
        words: RequestWords,
        /// The item that was running when the words were written: they may have waited for a link, and are refused when
        /// another item's list is open by then.
        #[serde(default)]
        #[ts(optional)]
        item: Option<ItemId>,
        /// The speech that a reply, question or response hangs under, of this item; without it the one at hand.
        #[serde(default)]
        #[ts(optional)]
        about: Option<TurnId>,
    },
    /// Moderator: take it back. Chair, deputy, secretary: one of the main hall.
    WithdrawRequest { turn: TurnId },
    /// Chair: take a pending request into the list.
    AcceptRequest { turn: TurnId },
    /// Chair: do not take a request.
    DenyRequest { turn: TurnId, reason: String },
    /// Chair: put a request before another, or last.
    MoveRequest {
        turn: TurnId,
        before: Option<TurnId>,
    },
    /// Chair, deputy, secretary: who is to be called next, and after that; at most two; empty: as the list stands.
    Stage { turns: Vec<TurnId> },
    /// Moderator (own site): whether it is there. Chair: `not_ready` passes it over without losing its place.
    SetReady { turn: TurnId, ready: Readiness },
    /// Chair: "Mời tiếp". `after` is the turn that has the floor, `expect` the one of `floor.next`, as the console sees them.
    GrantNext {
        after: Option<TurnId>,
        expect: TurnId,
    },
    /// Chair: give the floor to this request now.
    Grant { after: Option<TurnId>, turn: TurnId },
    /// Chair: take the last step about the list back, within 10 s: the one about `turn` (the view's `floor.undo`).
    Undo { turn: TurnId },
    /// Chair: stop the clock and close the microphone.
    PauseTurn { turn: TurnId },
    /// Chair: go on.
    ResumeTurn { turn: TurnId },
    /// Chair: more minutes.
    ExtendTurn { turn: TurnId, minutes: u16 },
    /// Chair: wait for a speaking site whose link is lost for as long as it takes.
    KeepTurn { turn: TurnId },
    /// Chair, or the moderator whose site speaks: end the turn.
    EndTurn { turn: TurnId },
    /// Chair, or the moderator whose site was called: give the call back within 30 s of speech; the request waits where it
    /// did, as `not_ready`, and nothing is counted.
    ReturnCall { turn: TurnId },
    /// Chair: stop the speaker.
    RevokeTurn { turn: TurnId },
    /// Chair: the hall's own microphone.
    SetHallMicrophone { open: bool },
    /// Chair: silence everyone but the hall while it is on; released when the seat's last connection is gone.
    SetPriority { on: bool },
    /// Chair: pause every turn; every microphone closes but the hall's, and none opens by itself until it says so.
    CloseMicrophones {},
    /// Chair: open again what `close_microphones` closed.
    OpenMicrophones {},
    /// Deputy: take the chair. Chair: take it back.
    TakeChair {},
    /// Deputy who has the chair: give it back.
    ReturnChair {},
    /// Chair: call the roll, site by site.
    StartRollCall {},
    /// Chair: the called site (`after`) is done, call the next.
    CallNextSite { after: SiteId },
    /// Chair: call this site now, also once more; while no roll is called, it alone.
    CallSite { site: SiteId },
    /// Chair: go on without the called site.
    PassOverSite { site: SiteId },
    /// Chair: end the roll call.
    EndRollCall {},
    /// Moderator (own site), secretary (any): who is present.
    SetHeadcount { site: SiteId, headcount: Headcount },
    /// Chair, deputy, secretary, technician: a private prompt to a site.
    PromptSite { site: SiteId, prompt: PromptKind },
    /// Moderator: a private prompt to the desks.
    PromptDesks { prompt: PromptKind },
    /// A prompt is seen to: by the site it was sent to, or by a desk.
    HandlePrompt { prompt: PromptId },
    /// Chair, technician: make the big screens blank, or give back what blank covers.
    SetBlank { on: bool },
    /// Chair, technician: the layout of the big screens.
    SetLayout { layout: Layout },
    /// Chair, technician: lay a layout ready; null takes it away.
    PreviewLayout { layout: Option<Layout> },
    /// Chair, technician: show what was laid ready.
    TakePreview { expect: Layout },
    /// Chair, technician: the text of the notice, at most 200 characters.
    SetNotice { text: String },
    /// Chair, technician: the paragraph of the document layout; null: the speech's own.
    ShowParagraph { at: Option<ParagraphRef> },
    /// Chair, technician: keep a site's picture as the programme; null: follow the floor.
    SetSpotlight { site: Option<SiteId> },
    /// Chair, technician: show the sites in turn while nobody speaks, 3 to 600 s each; null: stop.
    SetCarousel { seconds: Option<u16> },
    /// Chair, technician: the page of the grid, from 0.
    SetPage { page: u16 },
    /// Chair, deputy, secretary, moderator, technician: show a screen or a window to all rooms; whoever presides begins
    /// at once, others ask.
    AskToPresent {},
    /// Chair, technician: let a seat that asked present, in the place of whoever does.
    LetPresent { seat: SeatId },
    /// Whoever presents or asked to, chair, technician: it is over.
    EndPresentation { seat: SeatId },
    /// Moderator, secretary: comment on a paragraph.
    PostComment {
        kind: CommentKind,
        words: CommentWords,
    },
    /// Secretary: hold a comment.
    HoldComment { comment: CommentId },
    /// Secretary: publish a held comment.
    PublishComment { comment: CommentId },
    /// Moderator (own site), secretary: take a comment back.
    WithdrawComment { comment: CommentId },
    /// Technician, chair: revoke a link.
    RevokeSeat { seat: SeatId },
    /// Chair, technician: let a device in that waits at the door (the view's `door.waiting`).
    AdmitDevice { wait: WaitId },
    /// Chair, technician: send it away; with `ban` for good, whatever link it brings.
    RefuseDevice { wait: WaitId, ban: bool },
    /// Chair, technician: ask a seat to leave. Its connections are cut, and whoever comes with its link waits at the
    /// door. With `ban` the devices it knows are shut out for good.
    ExpelSeat { seat: SeatId, ban: bool },
    /// Chair, technician: the link opens as on the first day: not revoked, bound by the next device that comes.
    RestoreSeat { seat: SeatId },
    /// Chair, technician: a device that was shut out may come to the door again.
    AllowDevice { device: DeviceId },
}

/// A device's key, and that it holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct DeviceProof {
    /// The public key: a point of P-256, uncompressed (65 bytes), base64url without padding.
    pub key: String,
    /// ECDSA with SHA-256 over [`crate::signed`], `r` and `s` of 32 bytes each, base64url without padding.
    pub signature: String,
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// Before the welcome, for a link that opens to known devices or asks for a PIN: say who you are with `proof`.
    Prove {
        /// 32 random bytes, base64url, for this connection only.
        challenge: String,
        /// Whether a PIN is asked of a device that the seat does not know.
        pin: bool,
        /// No PIN is looked at for so long: too many were wrong.
        locked_ms: u32,
    },
    /// Before the welcome: wait until chair or technician lets this device in. Only `ping` is taken meanwhile.
    Waiting {
        /// Four digits; chair and technician see the same.
        code: String,
        /// The conference's title.
        title: String,
        /// The seat's site; null for a seat without one.
        site: Option<String>,
        /// What people call the seat.
        label: String,
    },
    /// Admitted: who you are and everything you see, as of event `seq`.
    Welcome {
        /// Who this connection is.
        me: Me,
        /// The last event the view contains.
        #[ts(type = "number")]
        seq: u64,
        /// The server's clock.
        now: Millis,
        /// Everything this viewer sees.
        view: Box<View>,
    },
    /// One decision took effect: all its facts, together.
    Facts {
        /// The event as of which they are told. It never falls from frame to frame, but that comments may come to
        /// observers after facts of a later event.
        #[ts(type = "number")]
        seq: u64,
        /// The server's clock at the decision.
        now: Millis,
        /// Each replaces a slice of the view.
        facts: Vec<Fact>,
    },
    /// The command took effect and is on disk.
    Ok {
        /// The command's id.
        id: String,
        /// Its last event.
        #[ts(type = "number")]
        seq: u64,
    },
    /// The command was refused. The same id is refused the same way again.
    Refused {
        /// The command's id.
        id: String,
        /// Why.
        why: Refusal,
        /// The same in English, for logs.
        text: String,
    },
    /// The frame could not be taken; the connection stays unless `fatal`.
    Error {
        /// Why.
        why: ErrorWhy,
        /// The command's id, when one could be read.
        id: Option<String>,
        /// The same in English.
        text: String,
        /// Whether the server closes the connection now.
        fatal: bool,
    },
    /// Answer to `ping`.
    Pong {
        /// As it came.
        sent: f64,
        /// The server's clock.
        now: Millis,
    },
    /// Answer to `uplink_offer`.
    UplinkAnswer { sdp: String },
    /// Answer to `presentation_offer`.
    PresentationAnswer { sdp: String },
    /// The answer to the client's `downlink_offer`.
    DownlinkAnswer { sdp: String },
    /// The downlink's offer: one m-line per slot, in order: programme, 13 tiles, the presentation, 4 voices.
    DownlinkOffer { sdp: String },
    /// Which site each video slot shows: index 0 the programme, `k + 1` tile `k`, the last one the presentation. None
    /// where nobody is, where no picture comes from the site, and where there is no room on this page's link: what stands there
    /// is of a while ago. And what this page's link makes of what it asks for.
    Slots {
        video: Vec<Option<SiteId>>,
        step: LinkStep,
    },
    /// One of the connections failed; make it anew.
    MediaFailed { side: Side, reason: String },
    /// Figures of the links, once a second. Desks of chair and technician get every site, a site its own.
    Telemetry {
        sites: Vec<SiteTelemetry>,
        /// Connections of the chair's seats: with none, the deputy may have to take the chair.
        chairs: u16,
    },
    /// What is wrong with the record, all of it, at every change; to the desks of chair and technician. After a welcome
    /// nothing is wrong until this says so.
    Alarms { alarms: BTreeSet<Alarm> },
    /// What is wrong with the sites' pictures, sounds and links, all of it, at every change; to chairs, technicians and
    /// secretaries. After a welcome nothing is wrong until this says so.
    Health { alarms: Vec<HealthAlarm> },
    /// The server is about to stop; reconnecting is expected.
    Stopping,
}

/// Who a connection is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Me {
    /// The seat.
    pub seat: SeatId,
    /// Its role.
    pub role: Role,
    /// Its site.
    pub site: Option<SiteId>,
    /// What its machine carries.
    pub carries: Carries,
    /// What people call it.
    pub label: String,
}

/// Why a frame could not be taken.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS, Error,
)]
#[serde(rename_all = "snake_case")]
pub enum ErrorWhy {
    /// Not a frame of this protocol.
    #[error("this is not a frame of the protocol")]
    Malformed,
    /// Longer than 64 KiB.
    #[error("the frame is larger than 64 KiB")]
    TooLarge,
    /// The token opens nothing: wrong, or revoked.
    #[error("this link opens nothing")]
    NotAdmitted,
    /// The seat was revoked while connected.
    #[error("this link was revoked")]
    Revoked,
    /// The seat was asked to leave; with the same link it waits at the door.
    #[error("this seat was asked to leave the meeting")]
    Expelled,
    /// Chair or technician did not let the waiting device in.
    #[error("this device was not let in")]
    NotLetIn,
    /// Too many devices wait at the door.
    #[error("too many devices wait at the door; try again later")]
    LobbyFull,
    /// Another connection took this seat's place as the site's endpoint.
    #[error("this link was opened on another machine")]
    Replaced,
    /// The first frame was not `join`, or came too late, or came again.
    #[error("the first frame, and only the first, is join")]
    JoinFirst,
    /// The protocol number is not the server's.
    #[error("this server speaks another version of the protocol")]
    WrongProtocol,
    /// More frames a second than a person can cause.
    #[error("too many frames in a short time")]
    TooFast,
    /// The record cannot be written: nothing is acknowledged until it can.
    #[error(
        "the record cannot be written now: this is not acknowledged, though what it closes or whom it shuts out does not wait"
    )]
    StorageFailed,
    /// The server made a mistake over this command; everybody else goes on.
    #[error("the server made a mistake over this; nothing was done")]
    ServerFault,
    /// This seat carries no media, or the note cannot be used.
    #[error("this media request cannot be used")]
    MediaRefused,
    /// The alarm is over, or never was.
    #[error("there is no such alarm now")]
    NoSuchAlarm,
    /// This seat does not acknowledge alarms.
    #[error("only a chair or a technician acknowledges an alarm")]
    NotForThisSeat,
}

/// A slice of the view, replaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    /// The sites' links.
    Sites { sites: Vec<SiteLink> },
    /// The agenda.
    Agenda { agenda: Agenda },
    /// The floor.
    Floor { floor: Floor },
    /// The stage.
    Stage { stage: StageView },
    /// A comment is new or changed.
    Comment { comment: Comment },
    /// A comment is no longer seen by this viewer.
    CommentGone { comment: CommentId },
    /// The seats.
    Seats { seats: Vec<SeatView> },
    /// Who is present, and the roll call.
    Attendance { attendance: Attendance },
    /// The private prompts this viewer may see.
    Prompts { prompts: Vec<Prompt> },
    /// A speech is over.
    Speech { speech: Speech },
    /// A speech that was over has the floor again, by the chair's undo.
    SpeechGone { turn: TurnId },
    /// Who waits at the door, and which devices are shut out.
    Door { door: Door },
}

/// Figures of a site's links.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SiteTelemetry {
    /// The site.
    pub site: SiteId,
    /// Connections of its seats that are open now.
    pub connections: u16,
    /// How good its link is, as bars beside its name: 0 none, 1 weak (a limit of the settings is passed), 4 best.
    pub bars: u8,
    /// Which of its figures are past their limits in this very second; an alarm is what lasts.
    pub bad: Vec<HealthKind>,
    /// Figures of the endpoint that carries it; null while none does.
    pub link: Option<LinkStats>,
}
