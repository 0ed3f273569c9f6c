//! What can go wrong with a store, in the words of those who must act on it.

use std::{error::Error, path::PathBuf, sync::Arc};
use thiserror::Error;

/// Trouble with the store. Cloned to everyone whose entries shared a transaction.
#[derive(Clone, Debug, Error)]
pub enum JournalError {
    /// No room left; what was to be appended is not stored, and may be tried again.
    #[error("the disk of the journal is full")]
    Full,
    /// The bytes are not the ones that were written. `number` is the first record that cannot be trusted.
    #[error("the journal is broken at number {number}: {what}")]
    Corrupt { number: u64, what: &'static str },
    /// Written by a newer program.
    #[error(
        "number {number} of the journal has format version {version}, which this program does not know"
    )]
    UnknownVersion { number: u64, version: i64 },
    /// The bytes are the ones that were written, but they are not an event this program knows.
    #[error("number {number} of the journal cannot be read")]
    Unreadable {
        number: u64,
        source: Arc<serde_json::Error>,
    },
    /// The journal and its mirror are two records: they are the same before `number`, and differ there.
    #[error(
        "the journal and its mirror differ at number {number}: one of them is of another conference or was written anew; \
         check both with diemcau-verify, and put the wrong one away"
    )]
    Fork { number: u64 },
    /// The mirror is damaged, and it may be the only record there is.
    #[error(
        "the mirror {} is broken at number {number}: {what}; no other record can be used, so nothing was begun or put away: bring one \
         of both back from a copy, or mend the disk of the other; check both with diemcau-verify", .file.display()
    )]
    DamagedMirror {
        file: PathBuf,
        number: u64,
        what: &'static str,
    },
    /// The main record can only be read, and its mirror cannot have what it knows more.
    #[error(
        "the record can be read, but not written, and its mirror {} cannot take what it knows more: make room on the mirror's \
         disk, or mend the record's", .mirror.display()
    )]
    NoRoom {
        mirror: PathBuf,
        source: Box<JournalError>,
    },
    /// The mirror alone has the record, and can be read and not opened.
    #[error(
        "the record is missing, and its mirror {} cannot be opened: mend that disk, or bring the record back from a copy; nothing \
         was begun", .mirror.display()
    )]
    OnlyInMirror {
        mirror: PathBuf,
        source: Box<JournalError>,
    },
    /// Another program has this journal open.
    #[error("the journal is in use by another program")]
    Locked,
    /// The writer has ended; nothing is stored any more.
    #[error("the journal is closed")]
    Closed,
    /// Anything else the store could not do.
    #[error("the store of the journal failed")]
    Io(#[source] Arc<dyn Error + Send + Sync>),
}

impl JournalError {
    /// Any failure of the world, with its chain kept.
    pub fn io(source: impl Error + Send + Sync + 'static) -> Self {
        Self::Io(Arc::new(source))
    }
}
