//! What people ask for.

use crate::words::{CommentKind, CommentWords, Layout, RequestWords};
use diemcau_model::{EndpointKind, ItemId, Role, SeatId, SiteId, TurnId};

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
    /// Begin an item; the running one finishes.
    StartItem { item: ItemId },
    /// Finish the running item.
    FinishItem { item: ItemId },
    /// Finish `after` (the item the asker believes to be running) and begin the next one.
    NextItem { after: Option<ItemId> },
    /// Put an item that has not begun before another that has not begun, or last.
    MoveItem {
        item: ItemId,
        before: Option<ItemId>,
    },
    /// Open or close the list of speakers.
    SetList { open: bool },
    /// Ask for the floor for the asker's site.
    RequestFloor { words: RequestWords },
    /// Take a waiting request of the asker's site back .
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
    /// Tell a waiting site to prepare, in place of the head of the list.
    Prepare { turn: TurnId },
    /// Give the floor to the site on deck. `after` is the turn the asker believes to be running,
    /// `expect` the one it believes to be next: two consoles may press at once.
    GrantNext {
        after: Option<TurnId>,
        expect: TurnId,
    },
    /// Give the floor to any waiting request.
    Grant { after: Option<TurnId>, turn: TurnId },
    /// Stop the clock and close the microphone, keep the turn.
    PauseTurn { turn: TurnId },
    /// Go on with a paused turn.
    ResumeTurn { turn: TurnId },
    /// More minutes.
    ExtendTurn { turn: TurnId, minutes: u16 },
    /// End the turn: the chair, or the site that has it.
    EndTurn { turn: TurnId },
    /// The chair stops the speaker.
    RevokeTurn { turn: TurnId },
    /// Open or close the hall's own microphone, without the queue.
    SetHallMicrophone { open: bool },
    /// Choose the layout of the big screens.
    SetLayout { layout: Layout },
    /// Comment on a paragraph for the asker's site.
    PostComment {
        kind: CommentKind,
        words: CommentWords,
    },
    /// Keep a comment from everyone but its site and the desks.
    HoldComment { comment: diemcau_model::CommentId },
    /// Show a held comment to everyone.
    PublishComment { comment: diemcau_model::CommentId },
    /// Take a comment back (its own site, or the secretary).
    WithdrawComment { comment: diemcau_model::CommentId },
    /// Revoke a seat's link at once.
    RevokeSeat { seat: SeatId },
}

/// Something that happened outside the room and is told by the hub, never by a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// An endpoint of a site can send.
    LinkUp { site: SiteId, kind: EndpointKind },
    /// An endpoint of a site is gone.
    LinkDown { site: SiteId, kind: EndpointKind },
    /// The server started again; it was last alive at the given time.
    Restarted { last_alive: diemcau_model::Millis },
}
