//! Connections, admission, and the one task that owns each conference.
//!
//! Nothing here knows HTTP, TLS or WebRTC: a connection is anything that carries texts, and the media plane is three
//! values over channels that the server joins.

mod admission;
mod answers;
mod clock;
mod connection;
mod crowd;
mod frame;
#[cfg(test)]
mod fuzz;
mod health;
mod knock;
mod media;
mod members;
mod metrics;
mod outlet;
mod pins;
mod replay;
mod room;
mod snapshot;
mod telemetry;

pub use admission::{Ground, Hub, OpenError, token_hash};
pub use clock::Clock;
pub use connection::{Inbound, Socket};
pub use frame::{Frame, SEND_AT_ONCE, Wire};
pub use health::HealthLimits;
pub use media::MediaLines;
pub use metrics::Metrics;
pub use outlet::{Close, Offer, Outlet};
pub use pins::pin_hash;

use admission::hex;
