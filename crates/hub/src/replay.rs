//! A journal run from its first event, by the very code that runs live.

use crate::answers::Answers;
use diemcau_conference::Conference;
use diemcau_journal::{Journal, JournalError, Record};
use diemcau_model::Millis;

/// What a journal says.
#[derive(Default)]
pub(crate) struct Replayed {
    pub(crate) conference: Conference,
    pub(crate) answers: Answers,
    pub(crate) last_at: Millis,
}

impl Replayed {
    /// Runs all of a journal.
    pub(crate) fn from(journal: &mut dyn Journal) -> Result<Self, JournalError> {
        let mut replayed = Self::default();
        journal.read_all(&mut |record| replayed.take(&record))?;
        Ok(replayed)
    }

    /// Runs the next record.
    pub(crate) fn take(&mut self, record: &Record) {
        self.conference.apply(&record.event);
        self.last_at = self.last_at.max(record.at);
        if let (Some(seat), Some(id)) = (record.seat, &record.command) {
            self.answers
                .remember(seat, id, record.number, &record.event);
        }
    }
}
