//! One speech that has the floor, and its clock.

use crate::{AtZero, words::RequestWords};
use diemcau_model::{Millis, SiteId, TurnId};

/// Seconds left at which the speaker is warned, in the order of their coming.
pub const WARNINGS_S: [u16; 2] = [60, 15];

/// Lượt phát biểu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its id.
    pub turn: TurnId,
    /// The site that has the floor.
    pub site: SiteId,
    /// Who, on what.
    pub words: RequestWords,
    /// When it was granted.
    pub started: Millis,
    /// Milliseconds allotted, extensions included.
    pub allotted_ms: u64,
    /// Milliseconds used before `running_since`.
    pub used_ms: u64,
    /// Since when the clock runs; none while it stands.
    pub running_since: Option<Millis>,
    /// The chair paused it.
    pub paused: bool,
    /// The site's link is lost.
    pub held: bool,
    /// The item's rule closed its microphone.
    pub muted: bool,
    /// The last warning given in seconds left, 0 when time is used up.
    pub warned_s: Option<u16>,
}

impl Turn {
    /// Milliseconds used at a moment.
    #[must_use]
    pub fn used_at(&self, now: Millis) -> u64 {
        self.used_ms + self.running_since.map_or(0, |since| now.since(since))
    }

    /// Whether its site is to be heard.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.paused && !self.held && !self.muted
    }

    /// When the next thing happens to it by itself, and what; none while the clock stands.
    pub(crate) fn next_deadline(&self, at_zero: AtZero) -> Option<(Millis, Deadline)> {
        let since = self.running_since?;
        let (used, deadline) = self.next_mark(at_zero)?;
        Some((since.plus(used.saturating_sub(self.used_ms)), deadline))
    }

    pub(crate) fn stop_clock(&mut self, at: Millis) {
        self.used_ms = self.used_at(at);
        self.running_since = None;
    }

    /// Lets the clock run unless the chair's pause or the lost link still holds it.
    pub(crate) fn start_clock(&mut self, at: Millis) {
        if !self.paused && !self.held {
            self.running_since = Some(at);
        }
    }

    /// Sets the warning that counts as given for the time left at `at`, so that none is given twice or late.
    pub(crate) fn set_warned(&mut self, at: Millis) {
        let left_ms = self.allotted_ms.saturating_sub(self.used_at(at));
        self.warned_s = WARNINGS_S
            .into_iter()
            .rev()
            .find(|seconds| left_ms <= u64::from(*seconds) * 1_000);
    }

    /// The next mark on the clock's rule: how much time is used then, and what it means.
    fn next_mark(&self, at_zero: AtZero) -> Option<(u64, Deadline)> {
        let given = self.warned_s;
        let pending = WARNINGS_S
            .into_iter()
            .find(|seconds| given.is_none_or(|given| *seconds < given));
        match (given, pending) {
            (Some(0), _) => match at_zero {
                AtZero::Mute { grace_seconds } if !self.muted => Some((
                    self.allotted_ms + u64::from(grace_seconds) * 1_000,
                    Deadline::Grace,
                )),
                AtZero::Mute { .. } | AtZero::Warn | AtZero::Cut => None,
            },
            (_, Some(seconds)) => Some((
                self.allotted_ms.saturating_sub(u64::from(seconds) * 1_000),
                Deadline::Warning(seconds),
            )),
            (_, None) => Some((self.allotted_ms, Deadline::Zero)),
        }
    }
}

/// What happens to a turn by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// So many seconds are left.
    Warning(u16),
    /// The time is used up.
    Zero,
    /// The grace after zero is used up.
    Grace,
}
