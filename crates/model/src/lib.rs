//! The nouns every other crate shares: ids, roles, times, limits, and the three values that pass
//! between hub and media (`Stage` out, `LinkReport` in, `PeerAsk` and `PeerSay` between a connection and its peer).
//!
//! Nothing here decides anything, and nothing here knows a socket, a store or a codec.

mod alarm;
mod device;
mod health;
mod ids;
pub mod limits;
mod link;
mod peer;
mod roles;
mod stage;
mod subscriber;

pub use alarm::Alarm;
pub use device::{DeviceId, NoDevice};
pub use health::HealthKind;
pub use ids::{
    CommentId, DraftId, HealthId, ItemId, Millis, ParagraphRef, PeerId, PromptId, SeatId, SiteId,
    TurnId, WaitId,
};
pub use link::{LinkReport, LinkStats, LinkStep};
pub use peer::{PeerAsk, PeerSay, ScreenSlots, Side};
pub use roles::{Carries, EndpointKind, Role};
pub use stage::{Presentation, Stage};
pub use subscriber::{NETWORK_TIMES, network_of, subscriber};
