//! The servers the sites can join.

pub mod diemcau;
pub mod janus;
pub mod pion;
