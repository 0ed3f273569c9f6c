//! Everything that crosses crates: wire, media, browser, crash, load.
//!
//! The library is what the tests share: the real server as a process, and a client that speaks the protocol.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one thing among many"
)]

pub mod client;
pub mod script;
pub mod server;

pub use client::Client;
pub use server::Server;
