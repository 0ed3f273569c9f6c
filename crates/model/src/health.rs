//! What may be wrong with a site's picture, sound and link.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One thing that may be wrong with a site, the most urgent first. Told to the desks, in the metrics and in the log; never
/// journalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum HealthKind {
    /// Nothing carries the site, which was there before.
    LinkLost,
    /// Its microphone is open and brings silence.
    Silent,
    /// No sound at all comes from it, be its microphone open or not: it has none, or may not use it.
    NoSound,
    /// Its sound clips.
    Clipping,
    /// Too many packets from it are lost.
    Loss,
    /// Too many packets to it are lost.
    LossDown,
    /// The way to it and back takes too long.
    RoundTrip,
    /// Its sound arrives too unevenly.
    Jitter,
    /// Its picture has too few frames, or none any more.
    FewFrames,
    /// Its picture stands still too often.
    Freezes,
    /// Its link does not bear what its screen asks for.
    LessShown,
}

impl HealthKind {
    /// Every kind there is.
    pub const ALL: [Self; 11] = [
        Self::LinkLost,
        Self::Silent,
        Self::NoSound,
        Self::Clipping,
        Self::Loss,
        Self::LossDown,
        Self::RoundTrip,
        Self::Jitter,
        Self::FewFrames,
        Self::Freezes,
        Self::LessShown,
    ];
}
