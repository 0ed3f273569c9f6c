//! How fast anybody with a link may make the record longer, by whatever many connections: so that nobody fills the disk, nor
//! the room's time while the disk takes nothing.

use crate::connection::Allowance;

/// Knocks at a guarded door that are always taken, and further ones in a second: each leaves two records.
const KNOCKS: f64 = 30.0;
const KNOCKS_A_SECOND: f64 = 1.0 / 6.0;
/// The same of commands that are refused: each leaves one.
const REFUSALS: f64 = 1_000.0;
const REFUSALS_A_SECOND: f64 = 5.0;

/// The same of commands that are taken: far more than a person presses, and a whole conference's in one go.
const TAKEN: f64 = 1_000.0;
const TAKEN_A_SECOND: f64 = 20.0;

/// The same of commands that cannot be written: what each closes is found out all the same.
const UNWRITTEN: f64 = 200.0;
const UNWRITTEN_A_SECOND: f64 = 20.0;

/// What is left to a seat.
pub(super) struct Pace {
    /// Beyond, whoever knocks is told that too many do.
    pub(super) knocks: Allowance,
    /// Beyond, the connection is closed as too fast.
    pub(super) refusals: Allowance,
    /// Beyond, a command is not taken, and may be given again a moment later.
    pub(super) taken: Allowance,
    /// The same while nothing can be written.
    pub(super) unwritten: Allowance,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            knocks: Allowance::of(KNOCKS, KNOCKS_A_SECOND),
            refusals: Allowance::of(REFUSALS, REFUSALS_A_SECOND),
            taken: Allowance::of(TAKEN, TAKEN_A_SECOND),
            unwritten: Allowance::of(UNWRITTEN, UNWRITTEN_A_SECOND),
        }
    }
}
