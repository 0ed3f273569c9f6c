//! One speech that has the floor, and its clock.

use crate::{AtZero, words::RequestWords};
use diemcau_model::{ItemId, Millis, SeatId, SiteId, TurnId};

/// Seconds left at which the speaker is warned, in the order of their coming.
pub const WARNINGS_S: [u16; 2] = [60, 15];

/// Lượt phát biểu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its id.
    pub turn: TurnId,
    /// The site that has the floor.
    pub site: SiteId,
    /// The seat that asked.
    pub seat: SeatId,
    /// The item it belongs to.
    pub item: ItemId,
    /// Who, on what.
    pub words: RequestWords,
    /// The speech it replies to.
    pub about: Option<TurnId>,
    /// When the server took the request.
    pub asked: Millis,
    /// Where the chair had put the request among those of its rank.
    pub put_at: Option<usize>,
    /// When it was granted.
    pub started: Millis,
    /// Milliseconds allotted, extensions included.
    pub allotted_ms: u64,
    /// What happens at zero.
    pub at_zero: AtZero,
    /// Milliseconds used before `running_since`.
    pub used_ms: u64,
    /// Since when the clock runs; none while it stands.
    pub running_since: Option<Millis>,
    /// The chair paused it.
    pub paused: bool,
    /// The site's link is lost.
    pub held: bool,
    /// A question was put in between.
    pub interrupted: bool,
    /// The chair holds the priority key.
    pub silenced: bool,
    /// The item's rule closed its microphone.
    pub muted: bool,
    /// From when its absence counts, while it is held and the chair does not wait for it as long as it takes.
    pub away_from: Option<Millis>,
    /// The chair waits for it as long as it takes.
    pub kept: bool,
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
        self.is_open() && !self.held
    }

    /// Whether its site is to be heard as soon as it has a link.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.is_stopped() && !self.muted
    }

    /// Whether something holds its clock.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.is_stopped() || self.held
    }

    /// Whether somebody holds its clock.
    fn is_stopped(&self) -> bool {
        self.paused || self.interrupted || self.silenced
    }

    /// When it ends because its site is away, which may take `away_ms`; none: not by itself.
    pub(crate) fn away_until(&self, away_ms: Option<u64>) -> Option<Millis> {
        let from = self.away_from.filter(|_| self.held && !self.kept)?;
        away_ms.map(|ms| from.plus(ms))
    }

    /// When the next thing happens to it by itself, and what. `away_ms` is how long it may be away, none for ever.
    pub(crate) fn next_deadline(&self, away_ms: Option<u64>) -> Option<(Millis, Deadline)> {
        let away = self.away_until(away_ms).map(|at| (at, Deadline::Away));
        let clock = self.running_since.and_then(|since| {
            let (used, deadline) = self.next_mark()?;
            Some((since.plus(used.saturating_sub(self.used_ms)), deadline))
        });
        away.into_iter().chain(clock).min_by_key(|(at, _)| *at)
    }

    /// Changes what holds the clock, and lets it run or stand accordingly.
    pub(crate) fn hold(&mut self, at: Millis, change: impl FnOnce(&mut Self)) {
        self.used_ms = self.used_at(at);
        self.running_since = None;
        change(self);
        if !self.stands() {
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
    fn next_mark(&self) -> Option<(u64, Deadline)> {
        let given = self.warned_s;
        let pending = WARNINGS_S
            .into_iter()
            .find(|seconds| given.is_none_or(|given| *seconds < given));
        match (given, pending) {
            (Some(0), _) => match self.at_zero {
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
    /// Its site was away too long.
    Away,
}
