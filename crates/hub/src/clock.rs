//! The one clock. Only the room's task reads it; everything below gets the time as an argument.

use diemcau_model::Millis;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Wall time that never runs backwards: read once, then counted by the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    at_start: Millis,
}

impl Clock {
    /// A clock that goes on from `wall`, but not before `earliest`: a journal's times only grow, also when the machine's
    /// clock was set back while the server was down.
    #[must_use]
    pub fn from(wall: Millis, earliest: Millis) -> Self {
        Self {
            start: Instant::now(),
            at_start: wall.max(earliest),
        }
    }

    /// What the machine's clock shows.
    #[must_use]
    pub fn wall() -> Millis {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Millis(u64::try_from(wall.as_millis()).unwrap_or(u64::MAX))
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.at_start
            .plus(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// The instant at which `now` will be `at`.
    pub(crate) fn instant(&self, at: Millis) -> Instant {
        self.start + Duration::from_millis(at.since(self.at_start))
    }
}
