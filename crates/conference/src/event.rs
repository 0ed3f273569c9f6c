//! What happened. Past tense; journalled, and the only thing that changes the state.

use crate::{
    refusal::Refusal,
    setup::{AtZero, Setup},
    words::{CommentKind, CommentWords, Layout, RequestWords, TurnEnd},
};
use diemcau_model::{CommentId, EndpointKind, ItemId, Millis, SeatId, SiteId, TurnId};
use serde::{Deserialize, Serialize};

/// A fact of the conference. Times inside are the moment of the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The first event of every journal.
    ConferenceOpened { setup: Box<Setup> },
    /// A command was refused; kept so that its repetition gets the same answer after a restart.
    CommandRefused { why: Refusal },
    /// An item began.
    ItemStarted { item: ItemId, at: Millis },
    /// An item was finished.
    ItemFinished { item: ItemId, at: Millis },
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
        at: Millis,
    },
    /// A request was taken back.
    RequestWithdrawn { turn: TurnId },
    /// A pending request joined the list.
    RequestAccepted { turn: TurnId },
    /// A request was not taken.
    RequestDenied { turn: TurnId, reason: String },
    /// A request was put before another, or last.
    RequestMoved {
        turn: TurnId,
        before: Option<TurnId>,
    },
    /// A site was told to prepare out of order.
    RequestPrepared { turn: TurnId },
    /// A site has the floor.
    TurnStarted {
        turn: TurnId,
        allotted_ms: u64,
        at_zero: AtZero,
        at: Millis,
    },
    /// The chair paused the turn.
    TurnPaused { turn: TurnId, at: Millis },
    /// The chair let it go on.
    TurnResumed { turn: TurnId, at: Millis },
    /// The speaking site's link is lost: the clock stands, the floor is kept.
    TurnHeld { turn: TurnId, at: Millis },
    /// The speaking site is back, or its standby took over.
    TurnUnheld { turn: TurnId, at: Millis },
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
    /// The turn is over.
    TurnEnded {
        turn: TurnId,
        how: TurnEnd,
        at: Millis,
    },
    /// The hall's own microphone was opened or closed.
    HallMicrophoneSet { open: bool },
    /// The layout of the big screens changed.
    LayoutSet { layout: Layout },
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
