//! The record on disk: where it is, and the key that signs it.

use crate::{
    folder::{Folder, SECRET_BYTES},
    links::derive,
};
use anyhow::Result;
use diemcau_journal::{CheckpointKey, SqliteJournal};

/// The journal's file in the data folder.
pub const JOURNAL: &str = "conference.db";

/// The key that signs the record: it follows from the installation's secret, as the links do.
pub fn key(secret: &[u8; SECRET_BYTES]) -> Result<CheckpointKey> {
    let seed = derive(secret, "diemcau checkpoint key");
    Ok(CheckpointKey::from_seed(&seed)?)
}

/// Opens the record, or begins it.
pub fn open(folder: &Folder) -> Result<SqliteJournal> {
    let key = key(&folder.secret()?)?;
    Ok(SqliteJournal::open(folder.file(JOURNAL), key)?)
}
