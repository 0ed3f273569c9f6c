//! The rules of a conference: commands go in, events or a refusal come out.
//!
//! Nothing here reads a clock, opens a socket or starts a task; `hub` does that for us.

mod agenda;
mod apply;
mod command;
mod conference;
mod door;
mod event;
mod feed;
mod floor;
mod line;
mod opening;
mod permits;
mod precedence;
mod presenting;
mod prompts;
mod refusal;
mod roll;
mod roster;
mod screen;
mod setup;
mod share;
mod turn;
mod words;

pub use agenda::{Agenda, Break};
pub use command::{Actor, Command, Signal};
pub use conference::Conference;
pub use door::{Ban, Door, Knock, Visitor};
pub use event::Event;
pub use feed::{Comment, Feed};
pub use floor::{Floor, LastTurn, Request, Speech, Step};
pub use line::{Place, Used};
pub use opening::{Opening, Openings};
pub use permits::{Deed, May, ROLES, permissions_page, permits};
pub use precedence::Precedence;
pub use presenting::{Ask, Presenting};
pub use prompts::{Prompt, Prompts};
pub use refusal::Refusal;
pub use roll::{Call, Present, Quorum, Roll};
pub use roster::Roster;
pub use screen::{Carousel, Screen, Spotlight, pages};
pub use setup::{
    AtZero, Draft, ItemKind, Paragraph, PlannedItem, QuorumBase, Seat, Setup, Site, TurnRules,
};
pub use turn::{Turn, WARNINGS_S};
pub use words::{
    CallEnd, CommentKind, CommentWords, Denied, Headcount, Heard, Layout, Next, PromptKind,
    QueueMode, Readiness, RequestWords, SpeechType, StepKind, TurnEnd, Waiting, Why,
};
