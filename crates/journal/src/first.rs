//! How a journal begins and ends, for whoever must know that and not open it: nothing of it is written.

use crate::{
    JournalError, Record,
    files::{behind_links, has_log},
    format::{Chain, decode},
    log,
    rows::{self, told},
};
use rusqlite::{Connection, OpenFlags};
use std::{fmt::Write, os::unix::ffi::OsStrExt, path::Path};

/// The first record of the journal in a file; none where there is none. Another program may have it open.
///
/// # Errors
/// There is a file, and its first record cannot be read or is not sound.
pub fn first_record(path: &Path) -> Result<Option<Record>, JournalError> {
    if !path.exists() {
        return Ok(None);
    }
    let path = &behind_links(path);
    let db = still(path)?;
    let mut first = None;
    if has_tables(&db)? {
        rows::first(&db, |chain, stored| {
            first = Some(decode(chain, stored.body)?);
            Ok(())
        })?;
    }
    if first.is_none() {
        // It may stand behind a damaged place of the log.
        log::check(path)?;
    }
    Ok(first)
}

/// Where the chain of a journal ends; each record is checked.
pub(crate) fn end_of(db: &Connection) -> Result<Chain, JournalError> {
    match has_tables(db)? {
        true => rows::walk(db, |_, _| Ok(())),
        false => Ok(Chain::default()),
    }
}

/// Whether something was begun in a database.
pub(crate) fn has_tables(db: &Connection) -> Result<bool, JournalError> {
    let count = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = db
        .query_row(count, [], |row| row.get(0))
        .map_err(|error| told(error, 1))?;
    Ok(tables > 0)
}

/// A connection that changes no record. SQLite makes its files beside a database it reads, unless it is told that nobody writes
/// it; that is so while there is no log. Where there is one, its readers need the memory they share: the file of that (`-shm`)
/// is made if it is missing, and written.
pub(crate) fn still(path: &Path) -> Result<Connection, JournalError> {
    if has_log(path) {
        return rows::reader(path);
    }
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        // Any byte may be written so.
        let _ = write!(uri, "%{byte:02x}");
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(uri, flags).map_err(|error| told(error, 1))
}
