//! The rules of a conference: commands go in, events or a refusal come out.
//!
//! Nothing here reads a clock, opens a socket or starts a task; `hub` does that for us.

mod command;
mod event;
mod refusal;
mod setup;
mod words;

pub use command::{Actor, Command, Signal};
pub use event::Event;
pub use refusal::Refusal;
pub use setup::{AtZero, Draft, ItemKind, Paragraph, PlannedItem, Seat, Setup, Site, TurnRules};
pub use words::{CommentKind, CommentWords, Layout, RequestWords, SpeechType, TurnEnd};
