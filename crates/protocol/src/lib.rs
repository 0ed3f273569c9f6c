//! What a client says and hears, and which viewer may hear which event.
//!
//! `PROTOCOL.md` beside this folder says the same in words, with worked examples that a test replays.

mod frames;
mod intake;
mod projection;
mod typescript;
mod view;
mod viewer;

pub use frames::{ClientCommand, ClientFrame, ErrorWhy, Fact, Me, ServerFrame, SiteTelemetry};
pub use intake::{BadFrame, command, decode, id_of};
pub use projection::{Lane, Slice, facts, touches, view};
pub use typescript::typescript;
pub use view::{
    Agenda, Attendance, Comment, Deputy, Fixed, Floor, Item, LastTurn, LowerThird, Prompt, Request,
    SeatView, SiteAttendance, SiteLink, Spotlight, StageView, Turn, Undo, Used, View,
};
pub use viewer::Viewer;

/// The number of this protocol; a client that speaks another is told so.
pub const PROTOCOL: u16 = 1;
