//! What the tests of `conference` and of `protocol` share: a small conference, plays in words, and runs left to chance.
//!
//! `protocol` includes this folder by its path; each test uses the part it needs.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "every test binary uses another part, and a test may stop at the first surprise"
)]

pub mod chance;
pub mod play;
pub mod room;
pub mod say;
