//! What happened. Past tense; journalled, and the only thing that changes the state.

use crate::{
    refusal::Refusal,
    setup::{AtZero, Setup},
    words::{
        CallEnd, CommentKind, CommentWords, Headcount, Heard, Layout, PromptKind, Readiness,
        RequestWords, TurnEnd, Waiting,
    },
};
use diemcau_model::{
    CommentId, DeviceId, EndpointKind, ItemId, Millis, ParagraphRef, PromptId, SeatId, SiteId,
    TurnId, WaitId,
};
use serde::{Deserialize, Serialize};

/// A fact of the conference. Times inside are the moment of the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The first event of every journal.
    ConferenceOpened { setup: Box<Setup> },
    /// A command was refused; kept so that its repetition gets the same answer after a restart.
    CommandRefused { why: Refusal },
    /// An item began; `waiting` says what became of those who still waited.
    ItemStarted {
        item: ItemId,
        #[serde(default)]
        waiting: Waiting,
        at: Millis,
    },
    /// An item was finished.
    ItemFinished { item: ItemId, at: Millis },
    /// A break began, or counts anew; so until when.
    BreakStarted { until: Millis, at: Millis },
    /// The break is over.
    BreakEnded { at: Millis },
    /// An item was put before another, or last.
    ItemMoved {
        item: ItemId,
        before: Option<ItemId>,
    },
    /// The list of speakers was opened or closed.
    ListSet { open: bool },
    /// A site asked for the floor.
    FloorRequested {
        turn: TurnId,
        site: SiteId,
        seat: SeatId,
        item: ItemId,
        words: RequestWords,
        pending: bool,
        /// The speech it replies to.
        #[serde(default)]
        about: Option<TurnId>,
        at: Millis,
    },
    /// A request was taken back.
    RequestWithdrawn { turn: TurnId },
    /// A pending request joined the list.
    RequestAccepted { turn: TurnId },
    /// A request was not taken.
    RequestDenied {
        turn: TurnId,
        reason: String,
        at: Millis,
    },
    /// The chair put a request at a place of the list, counted from 0 among those of its rank.
    RequestMoved {
        turn: TurnId,
        place: u16,
        at: Millis,
    },
    /// Who is to be called next, and after that.
    Staged { turns: Vec<TurnId> },
    /// A site said whether it is there, or was passed over.
    ReadinessSet { turn: TurnId, ready: Readiness },
    /// The microphone of a site that is told to prepare was heard.
    MicrophoneHeard { turn: TurnId, at: Millis },
    /// The chair called a request; `out_of_order` when another was to be next, `replaces` names the speeches it ends.
    Called {
        turn: TurnId,
        out_of_order: bool,
        replaces: Vec<TurnId>,
        at: Millis,
    },
    /// The chair's last step was undone; the speeches it had ended have the floor again.
    StepUndone { back: Vec<TurnId>, at: Millis },
    /// A site has the floor.
    TurnStarted {
        turn: TurnId,
        item: ItemId,
        allotted_ms: u64,
        at_zero: AtZero,
        at: Millis,
    },
    /// The chair paused the turn.
    TurnPaused { turn: TurnId, at: Millis },
    /// The chair let it go on.
    TurnResumed { turn: TurnId, at: Millis },
    /// The speaking site's link is lost: the clock stands, the floor is kept.
    TurnHeld {
        turn: TurnId,
        at: Millis,
        /// From when its absence counts: a restart of the server is nobody's absence.
        away_from: Millis,
    },
    /// The speaking site is back, or its standby took over.
    TurnUnheld { turn: TurnId, at: Millis },
    /// A question or a point of order was put in between: the speech stands until it is over.
    TurnInterrupted { turn: TurnId, at: Millis },
    /// What was put in between is over: the speech goes on.
    TurnTakenUp { turn: TurnId, at: Millis },
    /// The chair waits for it as long as it takes.
    TurnKept { turn: TurnId },
    /// More time.
    TurnExtended {
        turn: TurnId,
        by_ms: u64,
        at: Millis,
    },
    /// So many seconds are left.
    TurnWarned { turn: TurnId, left_s: u16 },
    /// The time is used up.
    TurnRanOut { turn: TurnId },
    /// The grace is used up too: the microphone closed, the turn stays.
    TurnMuted { turn: TurnId },
    /// The called site was not ready, or the chair took the call back: the request waits where it did.
    CallReturned { turn: TurnId, at: Millis },
    /// The chair closed every microphone of an open discussion or of the called site, or opened them again.
    MicrophonesSet { open: bool, at: Millis },
    /// The turn is over.
    TurnEnded {
        turn: TurnId,
        how: TurnEnd,
        at: Millis,
    },
    /// The hall's own microphone was opened or closed.
    HallMicrophoneSet { open: bool },
    /// A seat holds the priority key, or nobody does any more.
    PrioritySet { seat: Option<SeatId>, at: Millis },
    /// The deputy of this seat has the chair; none: the chair has it again.
    ChairTaken { deputy: Option<SeatId>, at: Millis },
    /// The roll is called.
    RollCallStarted { at: Millis },
    /// A site is called.
    SiteCalled { site: SiteId, at: Millis },
    /// The called site was heard.
    SiteHeard { site: SiteId, heard: Heard },
    /// The call of a site is over.
    SiteAnswered {
        site: SiteId,
        how: CallEnd,
        at: Millis,
    },
    /// The roll call is over.
    RollCallEnded { at: Millis },
    /// A site's headcount was reported.
    HeadcountSet {
        site: SiteId,
        headcount: Headcount,
        at: Millis,
    },
    /// A private prompt to a site, or of a site to the desks.
    Prompted {
        prompt: PromptId,
        site: SiteId,
        kind: PromptKind,
        at: Millis,
    },
    /// A prompt was seen to.
    PromptHandled { prompt: PromptId, at: Millis },
    /// The layout of the big screens changed.
    LayoutSet { layout: Layout },
    /// A layout was laid ready, or taken away.
    LayoutPreviewed { layout: Option<Layout> },
    /// The notice changed.
    NoticeSet { text: String },
    /// The paragraph on the screens changed; none: the speech's own.
    ParagraphShown { at: Option<ParagraphRef> },
    /// A site's picture was made the programme, or the programme follows the floor again.
    SpotlightSet { site: Option<SiteId>, seat: SeatId },
    /// The carousel was started or stopped.
    CarouselSet { seconds: Option<u16>, at: Millis },
    /// The carousel shows the next site.
    CarouselTurned { site: SiteId, at: Millis },
    /// The grid's page changed.
    PageSet { page: u16 },
    /// A seat would like to show a screen or a window.
    PresentationAsked { seat: SeatId, at: Millis },
    /// A seat presents, in the place of another if there was one.
    PresentationGiven { seat: SeatId, at: Millis },
    /// A seat presents no longer, or wishes to no longer.
    PresentationEnded { seat: SeatId, at: Millis },
    /// A comment arrived.
    CommentPosted {
        comment: CommentId,
        site: SiteId,
        seat: SeatId,
        kind: CommentKind,
        words: CommentWords,
        at: Millis,
    },
    /// A comment was held.
    CommentHeld { comment: CommentId },
    /// A held comment was published.
    CommentPublished { comment: CommentId },
    /// A comment was taken back.
    CommentWithdrawn { comment: CommentId },
    /// A seat's link no longer opens anything.
    SeatRevoked { seat: SeatId },
    /// The first device came with a seat's link: the seat knows it from now on.
    DeviceBound {
        seat: SeatId,
        device: DeviceId,
        at: Millis,
    },
    /// Another device came and waits to be let in; none: a page that cannot make a key.
    DeviceWaits {
        wait: WaitId,
        seat: SeatId,
        device: Option<DeviceId>,
        code: u16,
        at: Millis,
    },
    /// It went away again.
    DeviceGone { wait: WaitId },
    /// It was let in, and its seat knows it from now on.
    DeviceAdmitted { wait: WaitId, at: Millis },
    /// It was sent away.
    DeviceRefused { wait: WaitId, at: Millis },
    /// A device is shut out, whatever link it brings.
    DeviceBanned {
        device: DeviceId,
        seat: SeatId,
        at: Millis,
    },
    /// It may come to the door again.
    DeviceAllowed { device: DeviceId, at: Millis },
    /// A seat was asked to leave: it comes back only through the lobby.
    SeatExpelled { seat: SeatId, at: Millis },
    /// A seat's link opens as on the first day; guarded: for those only whom a person lets in, and whoever was there was cut.
    SeatRestored {
        seat: SeatId,
        #[serde(default)]
        guarded: bool,
        at: Millis,
    },
    /// An endpoint of a site can send.
    EndpointLinked {
        site: SiteId,
        kind: EndpointKind,
        at: Millis,
    },
    /// An endpoint of a site is gone.
    EndpointLost {
        site: SiteId,
        kind: EndpointKind,
        at: Millis,
    },
}
