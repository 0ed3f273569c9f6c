//! Everything that crosses crates: wire, media, browser, crash, load.
//!
//! The library is what the tests share: the real server as a process, and a client that speaks the protocol.

pub mod client;
pub mod server;

pub use client::Client;
pub use server::Server;
