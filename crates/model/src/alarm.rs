//! What people must know about the record while the conference goes on.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Trouble with the record. Told to the desks that can do something about it, in `/healthz`, in the metrics and in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// The record cannot be written: nothing is acknowledged until it can.
    RecordFails,
    /// The same, because its disk is full: room made is found without a restart.
    RecordFull,
    /// The record's own disk could not be used at the start: the conference goes on from its mirror, on one disk until the
    /// other can be written again.
    RecordOnMirror,
    /// The same, and it could not be read either: what it alone knew is missing until it can be used again. Also when it was
    /// lost, behind, or damaged so that it does not show what it knew, and was rebuilt from its mirror, which may have lagged;
    /// and when the mirror is found to know something else than the record. Stays until the next start then.
    RecordMayLack,
    /// The record was damaged at the start and showed all it knew, and was rebuilt with its mirror: nothing is missing. Stays until
    /// the next start.
    RecordRebuilt,
    /// The mirror cannot be written: what is acknowledged is on one disk only until it can.
    MirrorFails,
    /// The mirror was damaged at the start, and was written anew from the record. Stays until the next start.
    MirrorRebuilt,
}

impl Alarm {
    /// Every alarm there is.
    pub const ALL: [Self; 7] = [
        Self::RecordFails,
        Self::RecordFull,
        Self::RecordOnMirror,
        Self::RecordMayLack,
        Self::RecordRebuilt,
        Self::MirrorFails,
        Self::MirrorRebuilt,
    ];

    /// Whether nothing is acknowledged while it lasts.
    #[must_use]
    pub fn stops_the_record(self) -> bool {
        match self {
            Self::RecordFails | Self::RecordFull => true,
            Self::RecordOnMirror
            | Self::RecordMayLack
            | Self::RecordRebuilt
            | Self::MirrorFails
            | Self::MirrorRebuilt => false,
        }
    }

    /// The same in English, in one line.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::RecordFails => "the record cannot be written",
            Self::RecordFull => "the record cannot be written: its disk is full",
            Self::RecordOnMirror => {
                "the record's own disk cannot be used: the record goes on in its mirror"
            }
            Self::RecordMayLack => {
                "the record may lack the newest events: one of its two copies was lost, cannot be read, or knows others"
            }
            Self::RecordRebuilt => {
                "the record was damaged and was rebuilt with its mirror at the start"
            }
            Self::MirrorFails => "the mirror of the record cannot be written",
            Self::MirrorRebuilt => {
                "the mirror of the record was damaged and was written anew at the start"
            }
        }
    }
}
