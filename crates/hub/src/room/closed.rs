//! What is closed ahead of the record: microphones and a presentation, by what is not written.

use diemcau_model::{SeatId, SiteId, Stage};
use std::{collections::BTreeSet, mem};

/// What is not heard and not shown, whatever the rules say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Closed {
    /// Whose microphones.
    pub(super) sites: BTreeSet<SiteId>,
    /// Whose presentation.
    pub(super) presentation: Option<SeatId>,
}

impl Closed {
    /// What a stage loses on its way to another.
    pub(super) fn between(before: &Stage, after: &Stage) -> Self {
        let ended = before
            .presentation
            .filter(|shown| Some(*shown) != after.presentation);
        Self {
            sites: &before.heard - &after.heard,
            presentation: ended.map(|shown| shown.seat),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sites.is_empty() && self.presentation.is_none()
    }

    /// Closes this too.
    pub(super) fn add(&mut self, more: Self) {
        self.sites.extend(more.sites);
        self.presentation = more.presentation.or(self.presentation);
    }

    /// Both.
    pub(super) fn and(mut self, more: Self) -> Self {
        self.add(more);
        self
    }

    /// Takes it off a stage; true if any of it was there.
    pub(super) fn off(&self, stage: &mut Stage) -> bool {
        let open = stage.heard.len();
        stage.heard.retain(|site| !self.sites.contains(site));
        let is_its = |seat: SeatId| self.presentation == Some(seat);
        let ended = stage.presentation.take_if(|shown| is_its(shown.seat));
        ended.is_some() || stage.heard.len() != open
    }

    /// What a stage does not have is closed by the record too, and opens again when the record opens it.
    pub(super) fn keep_what_is_on(&mut self, stage: &Stage) {
        self.sites.retain(|site| stage.heard.contains(site));
        let shown = stage.presentation.map(|shown| shown.seat);
        self.presentation = self.presentation.filter(|seat| shown == Some(*seat));
    }

    /// Lets go of all of it; true if there was any.
    pub(super) fn clear(&mut self) -> bool {
        !mem::take(self).is_empty()
    }
}
