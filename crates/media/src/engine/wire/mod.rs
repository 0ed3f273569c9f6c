//! The secure transport under a leg of our own: which path, whose keys, what a datagram is.
//!
//! Each part is sans-IO and knows nothing of slots, layers or codecs. `Transport` is the three of them as one.

mod dtls;
mod ice;
pub mod rtp;
pub mod srtp;
mod transport;

pub use dtls::{Fingerprint, Identity, Role};
pub use ice::{Ice, STILL};
pub use srtp::Opened;
pub use transport::{Received, Transport};

#[cfg(test)]
pub mod tests;
