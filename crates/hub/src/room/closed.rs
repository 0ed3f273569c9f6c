//! What is closed ahead of the record: microphones and presentations, by what is not written.

use diemcau_model::{SeatId, SiteId, Stage};
use std::{collections::BTreeSet, mem};

/// What is not heard and not shown, whatever the rules say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Closed {
    /// Whose microphones.
    pub(super) sites: BTreeSet<SiteId>,
    /// Whose presentations: one is shown, but what could not be written may have ended more, one after the other.
    pub(super) presentations: BTreeSet<SeatId>,
}

impl Closed {
    /// What a stage loses on its way to another.
    pub(super) fn between(before: &Stage, after: &Stage) -> Self {
        let ended = before
            .presentation
            .filter(|shown| Some(*shown) != after.presentation);
        Self {
            sites: &before.heard - &after.heard,
            presentations: ended.map(|shown| shown.seat).into_iter().collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sites.is_empty() && self.presentations.is_empty()
    }

    /// Closes this too.
    pub(super) fn add(&mut self, more: Self) {
        self.sites.extend(more.sites);
        self.presentations.extend(more.presentations);
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
        let is_its = |seat: &SeatId| self.presentations.contains(seat);
        let ended = stage.presentation.take_if(|shown| is_its(&shown.seat));
        ended.is_some() || stage.heard.len() != open
    }

    /// What of it a stage does not have.
    pub(super) fn not_on(&self, stage: &Stage) -> Self {
        let shown = stage.presentation.map(|shown| shown.seat);
        Self {
            sites: &self.sites - &stage.heard,
            presentations: &self.presentations - &shown.into_iter().collect(),
        }
    }

    /// Lets go of what the record has closed too: it opens again when the record opens it.
    pub(super) fn let_go(&mut self, by_record: &Self) {
        self.sites.retain(|site| !by_record.sites.contains(site));
        self.presentations
            .retain(|seat| !by_record.presentations.contains(seat));
    }

    /// Lets go of all of it; true if there was any.
    pub(super) fn clear(&mut self) -> bool {
        !mem::take(self).is_empty()
    }
}
