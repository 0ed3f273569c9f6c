//! Keeps events in order, durably, and gives them back; one contract, several stores.
//!
//! Nothing here knows what an event means: it is numbered, sealed into a chain of hashes, and synced.
//! The format is written down in `JOURNAL.md`, completely enough to check a journal without this crate.

mod alive;
mod checkpoint;
mod error;
mod files;
mod first;
mod format;
#[cfg(test)]
mod fuzz;
mod log;
mod memory;
mod mirror;
mod rows;
mod sqlite;
mod writer;

pub use checkpoint::{CHECKPOINT_EVERY, CheckpointKey};
pub use error::JournalError;
pub use first::first_record;
pub use format::{Entry, FORMAT_VERSION, Record};
pub use memory::MemoryJournal;
pub use mirror::MirroredJournal;
pub use sqlite::SqliteJournal;
pub use writer::{Worker, Writer};

use diemcau_model::{Alarm, Millis};
use std::collections::BTreeSet;

/// A store of events. Every store passes the same contract suite (`tests/contract.rs`).
pub trait Journal: Send {
    /// Stores all of the entries or none, durably, and tells the number of the last record then.
    /// After an error the journal is as it was before, and the append may be tried again. An append of nothing changes no
    /// record and touches the disk all the same: it tells whether one of something could be stored.
    fn append(&mut self, entries: &[Entry]) -> Result<u64, JournalError>;

    /// Sees to it that what was found at the opening is on the disk: what another program left may be in the system's memory
    /// alone. Until then nobody may be told that it is kept. Each append does it first.
    fn settle(&mut self) -> Result<(), JournalError> {
        Ok(())
    }

    /// The number of the last record; 0 while there is none.
    fn last_number(&self) -> u64;

    /// Gives every record back, in order, each checked before it is given.
    fn read_all(&mut self, each: &mut dyn FnMut(Record)) -> Result<(), JournalError>;

    /// Notes that the server was alive at `now`. A hint: cheap, not synced, lost at worst.
    fn touch(&mut self, now: Millis);

    /// The latest sign of life: the last touch or the last record, whichever is later.
    fn last_alive(&mut self) -> Option<Millis>;

    /// Signs the end of the record before the journal is dropped. A store that signs nothing does nothing.
    fn close(&mut self) -> Result<(), JournalError> {
        Ok(())
    }

    /// What people must be told of the store although it stores.
    fn alarms(&self) -> BTreeSet<Alarm> {
        BTreeSet::new()
    }
}
