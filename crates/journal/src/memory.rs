//! A journal that lasts as long as the process: for tests, and for trying things out.

use crate::{
    Entry, Journal, JournalError, Record,
    format::{Chain, Sealed, Stored, decode},
};
use diemcau_model::Millis;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps the same bytes as a durable store, in memory. A clone is another handle to the same records,
/// so a test can "start again" over them.
#[derive(Clone, Default)]
pub struct MemoryJournal {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    chain: Chain,
    records: Vec<Sealed>,
    last_alive: Option<Millis>,
}

impl MemoryJournal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    // Every change below is complete before it shows, so a panic elsewhere leaves nothing half done.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn append(&mut self, entries: &[Entry]) -> Result<u64, JournalError> {
        let mut kept = self.kept();
        let mut chain = kept.chain;
        let sealed: Vec<Sealed> = entries
            .iter()
            .map(|entry| chain.seal(entry))
            .collect::<Result<_, _>>()?;

        kept.records.extend(sealed);
        kept.chain = chain;
        kept.last_alive = kept.last_alive.max(entries.last().map(|entry| entry.at));
        Ok(chain.number)
    }

    fn last_number(&self) -> u64 {
        self.kept().chain.number
    }

    fn read_all(&mut self, each: &mut dyn FnMut(Record)) -> Result<(), JournalError> {
        // A copy, so that `each` may use this journal.
        let records = self.kept().records.clone();
        let mut chain = Chain::default();
        for sealed in &records {
            chain.check(Stored {
                number: i64::try_from(sealed.number).map_err(JournalError::io)?,
                version: sealed.version,
                body: &sealed.body,
                hash: &sealed.hash,
            })?;
            each(decode(chain, &sealed.body)?);
        }
        Ok(())
    }

    fn touch(&mut self, now: Millis) {
        let mut kept = self.kept();
        kept.last_alive = kept.last_alive.max(Some(now));
    }

    fn last_alive(&mut self) -> Option<Millis> {
        self.kept().last_alive
    }
}
