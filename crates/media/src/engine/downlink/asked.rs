//! The key frames that a client asks for itself, which may be without end: every camera it sees would send nothing but those.

use super::{VIDEO_SLOTS, stream::Stream};
use crate::allowance::Allowance;
use std::time::Instant;

/// How many in each slot at once, and in how many seconds one more.
const AT_ONCE: f64 = 3.0;
const SECONDS_EACH: f64 = 3.0;

pub struct Asked {
    /// What is wished for already, and has not come: where the picture had last begun anew then. A client says it again and
    /// again until it comes, and that is one wish.
    granted: [Option<u64>; VIDEO_SLOTS],
    may: [Allowance; VIDEO_SLOTS],
    /// What was asked for too soon: where the picture had last begun anew then. A client may ask once and wait.
    owed: [Option<u64>; VIDEO_SLOTS],
}

impl Asked {
    pub fn new(now: Instant) -> Self {
        Self {
            granted: [None; VIDEO_SLOTS],
            may: std::array::from_fn(|_| Allowance::new(1.0 / SECONDS_EACH, AT_ONCE, now)),
            owed: [None; VIDEO_SLOTS],
        }
    }

    /// The client asks in a slot; true if it is to be wished for now.
    pub fn ask(&mut self, slot: usize, stream: &Stream, now: Instant) -> bool {
        let begun = Some(stream.begun());
        let may = self.granted[slot] == begun || self.may[slot].take(now);
        let wish = if may {
            &mut self.granted
        } else {
            &mut self.owed
        };
        wish[slot] = begun;
        may
    }

    /// Whether the time has come for what was asked for too soon. What has begun anew since needs nothing more.
    pub fn is_due(&mut self, slot: usize, stream: &Stream, now: Instant) -> bool {
        let owed = self.owed[slot].filter(|begun| *begun == stream.begun());
        let is_due = owed.is_some() && self.may[slot].take(now);
        if is_due {
            self.granted[slot] = owed;
        }
        self.owed[slot] = owed.filter(|_| !is_due);
        is_due
    }
}
