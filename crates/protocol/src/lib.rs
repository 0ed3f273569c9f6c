//! What a client says and hears, and which viewer may hear which event.
//!
//! `PROTOCOL.md` beside this folder says the same in words, with worked examples that a test replays.

mod frames;
mod health;
mod intake;
mod projection;
mod typescript;
mod view;
mod viewer;

pub use frames::{
    ClientCommand, ClientFrame, DeviceProof, ErrorWhy, Fact, Me, ServerFrame, SiteTelemetry,
};
pub use health::{Acknowledged, HealthAlarm};
pub use intake::{BadFrame, command, decode, id_of};
pub use projection::{Lane, Slice, code, facts, fixed, touches, view};
pub use typescript::typescript;
pub use view::{
    Agenda, Attendance, BannedDevice, Comment, Deputy, Door, Fixed, Floor, Item, LastTurn,
    LowerThird, PresentationAsk, PresentationView, Prompt, Request, SeatView, SiteAttendance,
    SiteLink, Spotlight, StageView, Turn, Undo, Used, View, Visitor,
};
pub use viewer::Viewer;

/// The number of this protocol; a client that speaks another is told so.
pub const PROTOCOL: u16 = 1;

/// What a device signs to prove that it holds its key: the challenge of this connection and the token of this link, so
/// that a signature is of no use on another connection, with another link or at another server.
#[must_use]
pub fn signed(challenge: &str, token: &str) -> Vec<u8> {
    format!("diemcau device\n{challenge}\n{token}").into_bytes()
}
