//! What a client says and hears, and which viewer may hear which event.

mod frames;
mod typescript;
mod view;

pub use frames::{ClientCommand, ClientFrame, ErrorWhy, Fact, Me, ServerFrame, SiteTelemetry};
pub use typescript::typescript;
pub use view::{
    Agenda, Comment, Fixed, Floor, Item, LastTurn, LowerThird, Request, SeatView, SiteLink,
    StageView, Turn, View,
};

/// The number of this protocol; a client that speaks another is told so.
pub const PROTOCOL: u16 = 1;
