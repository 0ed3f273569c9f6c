//! The embedded store: one SQLite file, every append synced before it is acknowledged.
//!
//! Exclusive use is by a file lock on `<file>.lock`, held as long as the journal is open and dropped by the
//! system when the process dies, however it dies. Not by SQLite's `locking_mode=EXCLUSIVE`, because that also
//! shuts out readers: `sqlite3 conference.db ".backup …"` and an independent verifier work while the conference
//! runs. Not on the database file itself, because closing any handle of it would drop SQLite's own locks.

use crate::{
    Entry, Journal, JournalError, Record,
    format::{Chain, Stored, decode},
};
use diemcau_model::Millis;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use std::{
    ffi::OsString,
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

/// A journal in a SQLite file.
pub struct SqliteJournal {
    chain: Chain,
    last_record_at: Option<Millis>,
    alive: AliveNote,
    db: Connection,
    // Declared last, so that the database is closed before another program may open it.
    _lock: File,
}

impl SqliteJournal {
    /// Opens or makes the journal in the file `path`, and checks every number and every hash of it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let path = path.as_ref();
        let lock = lock(&beside(path, ".lock"))?;
        let alive = AliveNote::open(&beside(path, ".alive"))?;
        let db = Connection::open(path)
            .and_then(|db| prepare(&db).map(|()| db))
            .map_err(|error| told(error, 1))?;

        let mut journal = Self {
            chain: Chain::default(),
            last_record_at: None,
            alive,
            db,
            _lock: lock,
        };
        let mut last_body = Vec::new();
        journal.chain = journal.walk(|_, body| {
            last_body.clear();
            last_body.extend_from_slice(body);
            Ok(())
        })?;
        if journal.chain.number > 0 {
            journal.last_record_at = Some(decode(journal.chain, &last_body)?.at);
        }
        Ok(journal)
    }

    /// Goes through all records, checks each, and tells where the chain ends.
    fn walk(
        &self,
        mut each: impl FnMut(Chain, &[u8]) -> Result<(), JournalError>,
    ) -> Result<Chain, JournalError> {
        let mut chain = Chain::default();
        let mut select = self
            .db
            .prepare_cached("SELECT number, version, body, hash FROM journal ORDER BY number")
            .map_err(|error| told(error, 1))?;
        let mut rows = select.query([]).map_err(|error| told(error, 1))?;
        while let Some(row) = rows
            .next()
            .map_err(|error| told(error, chain.next_number()))?
        {
            let wrong_type = |_| JournalError::Corrupt {
                number: chain.next_number(),
                what: "its row does not hold two integers and two blobs",
            };
            let stored = Stored {
                number: row.get(0).map_err(wrong_type)?,
                version: row.get(1).map_err(wrong_type)?,
                body: blob(row, 2).map_err(wrong_type)?,
                hash: blob(row, 3).map_err(wrong_type)?,
            };
            chain.check(stored)?;
            each(chain, stored.body)?;
        }
        Ok(chain)
    }
}

impl Journal for SqliteJournal {
    fn append(&mut self, entries: &[Entry]) -> Result<u64, JournalError> {
        let Some(last) = entries.last() else {
            return Ok(self.chain.number);
        };

        let mut chain = self.chain;
        // Dropped before its commit, the transaction is rolled back.
        let transaction = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| told(error, chain.next_number()))?;
        {
            let mut insert = transaction
                .prepare_cached(
                    "INSERT INTO journal (number, version, body, hash) VALUES (?1, ?2, ?3, ?4)",
                )
                .map_err(|error| told(error, chain.next_number()))?;
            for entry in entries {
                let sealed = chain.seal(entry)?;
                let number = i64::try_from(sealed.number).map_err(JournalError::io)?;
                insert
                    .execute((number, sealed.version, &sealed.body, &sealed.hash))
                    .map_err(|error| told(error, sealed.number))?;
            }
        }
        transaction
            .commit()
            .map_err(|error| told(error, self.chain.next_number()))?;

        self.chain = chain;
        self.last_record_at = Some(last.at);
        Ok(chain.number)
    }

    fn last_number(&self) -> u64 {
        self.chain.number
    }

    fn read_all(&mut self, each: &mut dyn FnMut(Record)) -> Result<(), JournalError> {
        let end = self.walk(|chain, body| {
            each(decode(chain, body)?);
            Ok(())
        })?;
        if end != self.chain {
            return Err(JournalError::Corrupt {
                number: end.number.min(self.chain.number) + 1,
                what: "another program wrote to the journal",
            });
        }
        Ok(())
    }

    fn touch(&mut self, now: Millis) {
        self.alive.write(now);
    }

    fn last_alive(&mut self) -> Option<Millis> {
        self.alive.read().max(self.last_record_at)
    }
}

fn lock(path: &Path) -> Result<File, JournalError> {
    let file = open_beside(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked),
        Err(TryLockError::Error(error)) => Err(JournalError::io(error)),
    }
}

fn prepare(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: the write-ahead log is synced at every commit; anything less loses acknowledged events at a power cut.
    db.pragma_update(None, "synchronous", "FULL")?;
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS journal (
            number  INTEGER PRIMARY KEY,
            version INTEGER NOT NULL,
            body    BLOB NOT NULL,
            hash    BLOB NOT NULL
        ) STRICT",
    )
}

fn blob<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> Result<&'a [u8], rusqlite::Error> {
    Ok(row.get_ref(column)?.as_blob()?)
}

/// What SQLite's trouble means to us; `number` is the record it was met at.
fn told(error: rusqlite::Error, number: u64) -> JournalError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => JournalError::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => JournalError::Locked,
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => JournalError::Corrupt {
            number,
            what: "the file is not a sound SQLite database",
        },
        Some(ErrorCode::ConstraintViolation) => JournalError::Corrupt {
            number,
            what: "another program wrote to the journal",
        },
        _ => JournalError::io(error),
    }
}

/// When the server was last alive: 20 digits in a file of their own, overwritten in place and never synced.
/// In the database it would cost a sync for each touch.
struct AliveNote {
    file: File,
    failed: bool,
}

const ALIVE_DIGITS: usize = 20;

impl AliveNote {
    fn open(path: &Path) -> Result<Self, JournalError> {
        let file = open_beside(path)?;
        Ok(Self {
            file,
            failed: false,
        })
    }

    fn write(&mut self, now: Millis) {
        // One write of fixed length: a kill leaves the old digits or the new ones.
        let written = self
            .file
            .rewind()
            .and_then(|()| self.file.write_all(format!("{:020}", now.0).as_bytes()));
        if let Err(error) = written
            && !self.failed
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the sign of life cannot be written; after a crash the time lost is counted from the last event"
            );
            self.failed = true;
        }
    }

    fn read(&mut self) -> Option<Millis> {
        let mut digits = [0; ALIVE_DIGITS];
        self.file.rewind().ok()?;
        self.file.read_exact(&mut digits).ok()?;
        // A hint that cannot be read is no hint.
        str::from_utf8(&digits).ok()?.parse().ok().map(Millis)
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

fn open_beside(path: &Path) -> Result<File, JournalError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(JournalError::io)
}

#[cfg(test)]
mod tests {
    use super::*;
    use diemcau_conference::Event;

    fn entries(count: usize) -> Vec<Entry> {
        let entry = |n| Entry {
            at: Millis(n),
            seat: None,
            command: Some("x".repeat(900)),
            event: Event::ListSet { open: n % 2 == 0 },
        };
        (0..count as u64).map(entry).collect()
    }

    #[test]
    fn a_full_disk_changes_nothing_and_the_append_may_be_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("conference.db");
        let mut journal = SqliteJournal::open(&path).unwrap();
        journal.append(&entries(10)).unwrap();
        let before = journal.chain;

        // SQLite answers a full page limit exactly as a full disk.
        journal.db.pragma_update(None, "max_page_count", 1).unwrap();
        let refused = journal.append(&entries(50));
        assert!(matches!(refused, Err(JournalError::Full)), "{refused:?}");
        assert_eq!(journal.chain, before);

        journal
            .db
            .pragma_update(None, "max_page_count", 1_000_000)
            .unwrap();
        assert_eq!(journal.append(&entries(50)).unwrap(), 60);
        drop(journal);
        assert_eq!(SqliteJournal::open(&path).unwrap().last_number(), 60);
    }

    #[test]
    fn every_commit_is_synced() {
        let folder = tempfile::tempdir().unwrap();
        let journal = SqliteJournal::open(folder.path().join("conference.db")).unwrap();
        let pragma = |name| -> String {
            journal
                .db
                .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
                .map(|value| format!("{value:?}"))
                .unwrap()
        };
        assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
        assert_eq!(pragma("synchronous"), "Integer(2)");
    }
}
