//! The real server over real sockets: what a client may say, and what everyone then sees.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one thing among many"
)]

mod abuse;
mod again;
mod bad_input;
mod door;
mod encoders;
mod feed;
mod forgeries;
mod revoked;
mod secret;
mod slow;
mod stop;
