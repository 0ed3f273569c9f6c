//! The rules of a conference: commands go in, events or a refusal come out.
//!
//! Nothing here reads a clock, opens a socket or starts a task; `hub` does that for us.

mod agenda;
mod command;
mod conference;
mod event;
mod feed;
mod floor;
mod permits;
mod refusal;
mod roster;
mod screen;
mod setup;
mod turn;
mod words;

pub use agenda::Agenda;
pub use command::{Actor, Command, Signal};
pub use conference::Conference;
pub use event::Event;
pub use feed::{Comment, Feed};
pub use floor::{Floor, LastTurn, Request};
pub use permits::permits;
pub use refusal::Refusal;
pub use roster::Roster;
pub use screen::Screen;
pub use setup::{AtZero, Draft, ItemKind, Paragraph, PlannedItem, Seat, Setup, Site, TurnRules};
pub use turn::{Turn, WARNINGS_S};
pub use words::{CommentKind, CommentWords, Layout, RequestWords, SpeechType, TurnEnd};
