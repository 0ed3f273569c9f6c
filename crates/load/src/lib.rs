//! The load of the benches: sites on str0m, another WebRTC implementation than the server's, in one thread.
//!
//! It joins our server as its clients do, by WebSocket and SDP, and the servers we compare ourselves with by their own
//! ways. What it reports it has received, decrypted and counted.

pub mod cpu;
pub mod engine;
pub mod floor;
mod leg;
pub mod packets;
pub mod rhythm;
pub mod road;
pub mod tally;
pub mod target;
pub mod watch;

pub use engine::Engine;
