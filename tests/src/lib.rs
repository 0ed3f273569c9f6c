//! Everything that crosses crates: wire, media, browser, crash, load.
//!
//! The library is what the tests share: the real server as a process, a client that speaks the protocol, and a room
//! that also sends and receives sound and pictures.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one thing among many"
)]

pub mod bounds;
pub mod client;
pub mod device;
pub mod http;
pub mod knock;
pub mod records;
pub mod room;
pub mod script;
pub mod server;
pub mod sessions;
pub mod tunnel;

pub use client::Client;
pub use device::Device;
pub use knock::{Knock, knock};
pub use room::Room;
pub use server::Server;
