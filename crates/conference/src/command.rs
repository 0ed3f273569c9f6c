//! What people ask for.

use crate::words::{
    CommentKind, CommentWords, Headcount, Layout, PromptKind, Readiness, RequestWords, Waiting,
};
use diemcau_model::{
    CommentId, DeviceId, EndpointKind, ItemId, ParagraphRef, PromptId, Role, SeatId, SiteId,
    TurnId, WaitId,
};

/// Who asks: read from the admitted connection, never from what it sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The seat.
    pub seat: SeatId,
    /// Its role.
    pub role: Role,
    /// Its site.
    pub site: Option<SiteId>,
}

/// Something asked of the conference. Imperative; answered by events or a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Begin an item; the running one finishes. `waiting` says what becomes of those who still wait, and must be said
    /// when anybody does.
    StartItem {
        item: ItemId,
        waiting: Option<Waiting>,
    },
    /// Finish the running item.
    FinishItem { item: ItemId },
    /// Finish `after` (the item the asker believes to be running) and begin `expect`, which must be the next one.
    NextItem {
        after: Option<ItemId>,
        expect: ItemId,
        waiting: Option<Waiting>,
    },
    /// Break for so many minutes, 1 to `BREAK_MINUTES_MAX`; said again, it counts anew from now.
    StartBreak { minutes: u16 },
    /// Go on.
    EndBreak,
    /// Put an item that has not begun before another that has not begun, or last.
    MoveItem {
        item: ItemId,
        before: Option<ItemId>,
    },
    /// Open or close the list of speakers.
    SetList { open: bool },
    /// Ask for the floor for the asker's site. `item` is the one that was running when the words were written, if the asker
    /// says so: they may have waited for a link. A kind that hangs under a speech names it in `about`; none: the one at hand.
    RequestFloor {
        item: Option<ItemId>,
        words: RequestWords,
        about: Option<TurnId>,
    },
    /// Take a waiting request of the asker's site back.
    WithdrawRequest { turn: TurnId },
    /// Take a pending request into the list.
    AcceptRequest { turn: TurnId },
    /// Do not take a request, or take it out of the list.
    DenyRequest { turn: TurnId, reason: String },
    /// Put a waiting request before another in the list, or last.
    MoveRequest {
        turn: TurnId,
        before: Option<TurnId>,
    },
    /// Say who is to be called next, and after that; empty: as the list stands.
    Stage { turns: Vec<TurnId> },
    /// Say whether the site that is told to prepare is there: its moderator; or the chair, who passes it over.
    SetReady { turn: TurnId, ready: Readiness },
    /// Give the floor to the site on deck. `after` is the turn the asker believes to be running,
    /// `expect` the one it believes to be next: two consoles may press at once.
    GrantNext {
        after: Option<TurnId>,
        expect: TurnId,
    },
    /// Give the floor to any waiting request.
    Grant { after: Option<TurnId>, turn: TurnId },
    /// Take the asker's last step about the list back: the one about `turn`.
    Undo { turn: TurnId },
    /// Stop the clock and close the microphone, keep the turn.
    PauseTurn { turn: TurnId },
    /// Go on with a paused turn.
    ResumeTurn { turn: TurnId },
    /// More minutes.
    ExtendTurn { turn: TurnId, minutes: u16 },
    /// Wait for a speaking site whose link is lost for as long as it takes.
    KeepTurn { turn: TurnId },
    /// Give the call back before the speech has begun: the site is not ready, or the chair takes it back. The request waits
    /// where it did and nothing is counted.
    ReturnCall { turn: TurnId },
    /// End the turn: the chair, or the site that has it.
    EndTurn { turn: TurnId },
    /// The chair stops the speaker.
    RevokeTurn { turn: TurnId },
    /// Open or close the hall's own microphone, without the queue.
    SetHallMicrophone { open: bool },
    /// Silence everyone but the hall while it is held.
    SetPriority { on: bool },
    /// Pause every turn: every microphone closes but the hall's, and none opens by itself.
    CloseMicrophones,
    /// Open again what `CloseMicrophones` closed.
    OpenMicrophones,
    /// Take the chair: the deputy in the chair's place, or the chair back from the deputy.
    TakeChair,
    /// The deputy gives the chair back.
    ReturnChair,
    /// Call the roll: every site in turn.
    StartRollCall,
    /// The site that is called has answered or not: call the next, or end.
    CallNextSite { after: SiteId },
    /// Call this site now, also once more; while no roll is called, it alone.
    CallSite { site: SiteId },
    /// Go on without this site.
    PassOverSite { site: SiteId },
    /// End the roll call.
    EndRollCall,
    /// Say who is present at a site.
    SetHeadcount { site: SiteId, headcount: Headcount },
    /// Tell a site something in private.
    PromptSite { site: SiteId, prompt: PromptKind },
    /// Tell the desks something in private.
    PromptDesks { prompt: PromptKind },
    /// A prompt is seen to.
    HandlePrompt { prompt: PromptId },
    /// Choose the layout of the big screens.
    SetLayout { layout: Layout },
    /// Make the big screens blank, or give back what blank covers.
    SetBlank { on: bool },
    /// Lay a layout ready without showing it; none takes it away.
    PreviewLayout { layout: Option<Layout> },
    /// Show what was laid ready.
    TakePreview { expect: Layout },
    /// The text of the notice.
    SetNotice { text: String },
    /// The paragraph the screens show; none: what the speech is about.
    ShowParagraph { at: Option<ParagraphRef> },
    /// Keep a site's picture as the programme, whoever speaks; none: follow the floor again.
    SetSpotlight { site: Option<SiteId> },
    /// Show the sites in turn while nobody speaks, so many seconds each; none: stop.
    SetCarousel { seconds: Option<u16> },
    /// Turn the pages of the grid; from 0.
    SetPage { page: u16 },
    /// Ask to show a screen or a window to all rooms; whoever presides begins at once.
    AskToPresent,
    /// Let a seat that asked present, in the place of whoever does.
    LetPresent { seat: SeatId },
    /// End a seat's presentation, or its wish for one.
    EndPresentation { seat: SeatId },
    /// Comment on a paragraph for the asker's site.
    PostComment {
        kind: CommentKind,
        words: CommentWords,
    },
    /// Keep a comment from everyone but its site and the desks.
    HoldComment { comment: CommentId },
    /// Show a held comment to everyone.
    PublishComment { comment: CommentId },
    /// Take a comment back (its own site, or the secretary).
    WithdrawComment { comment: CommentId },
    /// Revoke a seat's link at once.
    RevokeSeat { seat: SeatId },
    /// Let a device in that waits at the door.
    AdmitDevice { wait: WaitId },
    /// Send a device away that waits at the door; with `ban` for good, unless somebody is `present` with it who is not to be
    /// shut out. Who takes part and with which device, the hub sees.
    RefuseDevice {
        wait: WaitId,
        ban: bool,
        present: Vec<(SeatId, DeviceId)>,
    },
    /// Mời ra khỏi phòng họp: cut a seat's connections, and let whoever comes with its link wait at the door. With `ban`
    /// the devices it knows are shut out for good, as above.
    ExpelSeat {
        seat: SeatId,
        ban: bool,
        present: Vec<(SeatId, DeviceId)>,
    },
    /// A seat's link opens as on the first day: not revoked, not expelled, bound by the next device that comes. When
    /// another machine than the asker's is there, which the hub sees, or one waits, it is cut and a person decides.
    RestoreSeat { seat: SeatId, is_there: bool },
    /// Let a device come to the door again that was shut out.
    AllowDevice { device: DeviceId },
}

/// Something that happened outside the room and is told by the hub, never by a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// An endpoint of a site can send.
    LinkUp { site: SiteId, kind: EndpointKind },
    /// An endpoint of a site is gone.
    LinkDown { site: SiteId, kind: EndpointKind },
    /// The last connection of a seat is gone.
    SeatGone { seat: SeatId },
    /// A seat that presents or would like to has had no connection for `PRESENTER_AWAY_S`.
    StayedAway { seat: SeatId },
    /// Figures of the site that is being called.
    Measured {
        site: SiteId,
        level_dbov: i8,
        rtt_ms: Option<u16>,
        loss_permille: u16,
    },
    /// A device has come with a seat's link and proved its key; none: it cannot make one. `code` was drawn by lot.
    Knocked {
        seat: SeatId,
        device: Option<DeviceId>,
        code: u16,
    },
    /// A device that waited is gone.
    WaitOver { wait: WaitId },
    /// The server started again; it was last alive at the given time.
    Restarted { last_alive: diemcau_model::Millis },
}
