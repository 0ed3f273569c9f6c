//! What each kind of speech may do in the list: one table.

use crate::words::SpeechType;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The rights of a kind of speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Precedence {
    /// Its place among the kinds: a lower one stands before a higher one, whatever the item's order.
    pub rank: u8,
    /// It is taken though the list is closed.
    pub though_closed: bool,
    /// It hangs under a speech: the one that has the floor, or the last one.
    pub under_a_speech: bool,
    /// Called while somebody speaks whose kind ranks behind it, it is put in between: the speech stands, and goes on
    /// afterwards. It takes the place of what was put in between and does not rank behind it.
    pub interposes: bool,
}

/// The rank of ordinary speech: papers and contributions stand in the item's order.
const ORDINARY: u8 = 4;

impl Precedence {
    /// The row of a kind of speech.
    #[must_use]
    pub fn of(speech: SpeechType) -> Self {
        let row = |rank, though_closed, under_a_speech, interposes| Self {
            rank,
            though_closed,
            under_a_speech,
            interposes,
        };
        match speech {
            //                            rank      though closed  under a speech  interposes
            SpeechType::PointOfOrder => row(0, true, false, true),
            SpeechType::Question => row(1, false, true, true),
            SpeechType::Response => row(2, false, true, false),
            SpeechType::Reply => row(3, false, true, false),
            SpeechType::Paper => row(ORDINARY, false, false, false),
            SpeechType::Contribution => row(ORDINARY, false, false, false),
            SpeechType::Directing => row(5, false, false, false),
            SpeechType::Conclusion => row(6, false, false, false),
        }
    }

    /// Whether it stands before everything else, also before what the chair has moved.
    #[must_use]
    pub fn is_first(self) -> bool {
        self.rank == 0
    }

    /// Whether the item's order decides about it.
    #[must_use]
    pub fn is_ordinary(self) -> bool {
        self.rank == ORDINARY
    }
}
