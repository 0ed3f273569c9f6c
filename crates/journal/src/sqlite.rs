//! The embedded store: one SQLite file, every append synced before it is acknowledged.
//!
//! Exclusive use is by a file lock on `<file>.lock`, held as long as the journal is open and dropped by the
//! system when the process dies, however it dies. Not by SQLite's `locking_mode=EXCLUSIVE`, because that also
//! shuts out readers: `sqlite3 conference.db ".backup …"` and an independent verifier work while the conference
//! runs. Not on the database file itself, because closing any handle of it would drop SQLite's own locks.

use crate::{
    CheckpointKey, Entry, Journal, JournalError, Record,
    alive::AliveNote,
    checkpoint::Checkpoint,
    files::{Lock, behind_links, identity, make_shared},
    first::has_tables,
    format::{Chain, Sealed, decode},
    log,
    rows::{self, told},
};
use diemcau_model::Millis;
use rusqlite::{Connection, Transaction, TransactionBehavior, config::DbConfig};
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};
use tracing::warn;

/// SQLite keeps these words in the file; a verifier compares them.
const TABLES: &str = "\
BEGIN;
CREATE TABLE journal (number INTEGER PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE checkpoint (number INTEGER PRIMARY KEY, key BLOB NOT NULL, signature BLOB NOT NULL) STRICT;
COMMIT";

/// A journal in a SQLite file.
pub struct SqliteJournal {
    chain: Chain,
    last_record_at: Option<Millis>,
    key: CheckpointKey,
    alive: AliveNote,
    db: Connection,
    path: PathBuf,
    /// Which files were opened there.
    files: [(u64, u64); 2],
    /// What was found in its log, until the disk is known to have it.
    found: Option<Vec<u8>>,
    // Declared last, so that the database is closed before another program may open it.
    _lock: Lock,
}

impl SqliteJournal {
    /// Opens or makes the journal in the file `path`, and checks its log, every number and every hash of it. What is appended
    /// is signed with `key`; signatures that are there already are the verifier's to check.
    pub fn open(path: impl AsRef<Path>, key: CheckpointKey) -> Result<Self, JournalError> {
        let path = &behind_links(path.as_ref());
        let lock = Lock::take(path)?;
        let found = log::check(path)?;
        // Nothing may be written behind it, or told of it, that it could take with it at a power cut.
        let settled = log::write_back(path, &found).inspect_err(|error| {
            warn!(
                error = error as &dyn std::error::Error,
                "the disk does not take what the log of the record holds: nothing is stored until it does"
            );
        });
        let alive = AliveNote::open(path);
        make_shared(path)?;
        let db = Connection::open(path)
            .and_then(|db| prepare(&db).map(|()| db))
            .map_err(|error| told(error, 1))?;
        if !has_tables(&db)? {
            settled.clone()?;
            // Both or none; a journal of an older format, which has other tables, is left as it is.
            db.execute_batch(TABLES).map_err(|error| told(error, 1))?;
        }
        let files = identity(path).map_err(JournalError::io)?;

        let mut journal = Self {
            chain: Chain::default(),
            last_record_at: None,
            key,
            alive,
            db,
            path: path.to_owned(),
            files,
            found: settled.is_err().then_some(found),
            _lock: lock,
        };
        let mut last_body = Vec::new();
        journal.chain = rows::walk(&journal.db, |_, stored| {
            last_body.clear();
            last_body.extend_from_slice(stored.body);
            Ok(())
        })?;
        rows::is_whole(&journal.db, journal.chain)?;
        if journal.chain.number > 0 {
            journal.last_record_at = Some(decode(journal.chain, &last_body)?.at);
        }
        Ok(journal)
    }

    /// Copies what another journal has beyond this one, byte for byte and signatures included, a part at a time; tells how
    /// many records that were.
    ///
    /// # Errors
    /// `Fork` when the other is not this one and what follows.
    pub(crate) fn take_missing(&mut self, from: &Connection) -> Result<u64, JournalError> {
        rows::is_beginning_of(&self.db, self.chain, from)?;
        self.take_behind(from)
    }

    /// The same as far as it follows from this one's end, whatever the other has before that.
    ///
    /// # Errors
    /// What stands behind the end does not follow from it: of the part in which that is found nothing is taken.
    pub(crate) fn take_behind(&mut self, from: &Connection) -> Result<u64, JournalError> {
        let before = self.chain.number;
        loop {
            let part = rows::behind(from, self.chain)?;
            let Some(end_at) = part.end_at else {
                return Ok(self.chain.number - before);
            };
            self.commit(|batch| {
                part.records
                    .iter()
                    .try_for_each(|record| batch.insert(record))?;
                part.checkpoints
                    .iter()
                    .try_for_each(|checkpoint| batch.sign(checkpoint))
            })?;
            (self.chain, self.last_record_at) = (part.end, Some(end_at));
        }
    }

    /// The connection, to read by.
    pub(crate) fn rows(&self) -> &Connection {
        &self.db
    }

    /// Where the chain ends.
    pub(crate) fn end(&self) -> Chain {
        self.chain
    }

    /// Whether the files that are open are still the ones in its place: what is written to others is in no folder, and is gone
    /// when they are closed.
    pub(crate) fn is_in_place(&self) -> Result<(), JournalError> {
        let files = identity(&self.path).map_err(JournalError::io)?;
        if files == self.files {
            return Ok(());
        }
        let replaced = "its file or its log was replaced by another";
        Err(JournalError::io(io::Error::other(replaced)))
    }

    /// Whether the disk takes a write, without one that anybody could read: the version of no user is written anew.
    pub(crate) fn probe(&mut self) -> Result<(), JournalError> {
        self.commit(|batch| batch.write_nothing())
    }

    /// Signs the end of the record: the one thing that can be written without adding to it. Where that is signed already, the
    /// disk is asked all the same; nothing is taken away for that, for SQLite may free a page by it, and none is ever free.
    fn sign_end(&mut self) -> Result<(), JournalError> {
        if self.chain.number == 0 {
            return Ok(());
        }
        let checkpoint = self.key.sign(self.chain);
        self.commit(|batch| {
            batch.sign(&checkpoint)?;
            batch.write_nothing()
        })
    }

    /// Stores what `write` writes, all or none, and syncs it. Dropped before its commit, a transaction is rolled back.
    fn commit(
        &mut self,
        write: impl FnOnce(&Batch<'_>) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        self.is_in_place()?;
        self.settle()?;
        let number = self.chain.next_number();
        let transaction = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| told(error, number))?;
        let batch = Batch(transaction);
        write(&batch)?;
        batch.0.commit().map_err(|error| told(error, number))
    }
}

impl Journal for SqliteJournal {
    fn settle(&mut self) -> Result<(), JournalError> {
        if let Some(found) = &self.found {
            log::write_back(&self.path, found)?;
            self.found = None;
        }
        Ok(())
    }

    fn append(&mut self, entries: &[Entry]) -> Result<u64, JournalError> {
        let Some(last) = entries.last() else {
            self.sign_end()?;
            return Ok(self.chain.number);
        };

        let mut chain = self.chain;
        let key = self.key.clone();
        self.commit(|batch| {
            for entry in entries {
                batch.insert(&chain.seal(entry)?)?;
                if let Some(checkpoint) = key.sign_when_due(chain) {
                    batch.sign(&checkpoint)?;
                }
            }
            Ok(())
        })?;

        self.chain = chain;
        self.last_record_at = Some(last.at);
        Ok(chain.number)
    }

    fn last_number(&self) -> u64 {
        self.chain.number
    }

    fn read_all(&mut self, each: &mut dyn FnMut(Record)) -> Result<(), JournalError> {
        let end = rows::walk(&self.db, |chain, stored| {
            each(decode(chain, stored.body)?);
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

    fn close(&mut self) -> Result<(), JournalError> {
        self.sign_end()
    }
}

/// One transaction.
struct Batch<'t>(Transaction<'t>);

impl Batch<'_> {
    /// A page goes to the log, as with any write.
    fn write_nothing(&self) -> Result<(), JournalError> {
        self.0
            .pragma_update(None, "user_version", 0)
            .map_err(|error| told(error, 1))
    }

    fn insert(&self, record: &Sealed) -> Result<(), JournalError> {
        let number = i64::try_from(record.number).map_err(JournalError::io)?;
        let row = (number, record.version, &record.body, &record.hash);
        self.0
            .prepare_cached(
                "INSERT INTO journal (number, version, body, hash) VALUES (?1, ?2, ?3, ?4)",
            )
            .and_then(|mut insert| insert.execute(row))
            .map_err(|error| told(error, record.number))?;
        Ok(())
    }

    /// The same end is signed the same way: once more changes nothing.
    fn sign(&self, checkpoint: &Checkpoint) -> Result<(), JournalError> {
        let number = i64::try_from(checkpoint.number).map_err(JournalError::io)?;
        let row = (number, &checkpoint.key, &checkpoint.signature);
        self.0
            .prepare_cached(
                "INSERT OR IGNORE INTO checkpoint (number, key, signature) VALUES (?1, ?2, ?3)",
            )
            .and_then(|mut insert| insert.execute(row))
            .map_err(|error| told(error, checkpoint.number))?;
        Ok(())
    }
}

impl Drop for SqliteJournal {
    /// The log goes into the database, as SQLite does it by itself for one whose files it takes away. Whoever reads meanwhile
    /// is not waited for: then the log stays as after a crash. So it does beside another file, which would lack it, and where the
    /// disk may not have it: a power cut amid that would leave a database that is half of it.
    fn drop(&mut self) {
        if self.is_in_place().is_err() || self.settle().is_err() {
            return;
        }
        let fold = "PRAGMA wal_checkpoint(TRUNCATE)";
        let folded = self
            .db
            .busy_timeout(Duration::ZERO)
            .and_then(|()| self.db.query_row(fold, [], |_| Ok(())));
        if let Err(error) = folded {
            warn!(
                error = &error as &dyn std::error::Error,
                "the log of the record stays beside it"
            );
        }
    }
}

fn prepare(db: &Connection) -> rusqlite::Result<()> {
    // Its log and the memory that readers share stay when it is closed: on a disk that has filled up meanwhile there is no
    // room to make them, and the next start could not even read.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: the write-ahead log is synced at every commit; anything less loses acknowledged events at a power cut.
    db.pragma_update(None, "synchronous", "FULL")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::beside;
    use diemcau_conference::Event;
    use std::fs;

    fn key() -> CheckpointKey {
        CheckpointKey::from_seed(&[7; 32]).unwrap()
    }

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
    fn rows_that_a_damaged_page_no_longer_counts_are_missed_though_nothing_is_signed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("conference.db");
        let mut journal = SqliteJournal::open(&path, key()).unwrap();
        journal.append(&entries(3)).unwrap();
        drop(journal);
        let db = Connection::open(&path).unwrap();
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'journal'";
        let root: i64 = db.query_row(root, [], |row| row.get(0)).unwrap();
        let fold = "PRAGMA wal_checkpoint(TRUNCATE)";
        db.query_row(fold, [], |_| Ok(())).unwrap();
        let size: i64 = db
            .query_row("PRAGMA page_size", [], |row| row.get(0))
            .unwrap();
        drop(db);

        let mut bytes = fs::read(&path).unwrap();
        let count = usize::try_from((root - 1) * size + 3).unwrap();
        assert_eq!(bytes[count..count + 2], [0, 3], "three rows");
        bytes[count + 1] = 0;
        fs::write(&path, bytes).unwrap();
        let opened = SqliteJournal::open(&path, key());
        assert!(matches!(
            opened,
            Err(JournalError::Corrupt { number: 1, .. })
        ));
    }

    #[test]
    fn an_end_that_was_signed_is_not_missing_unseen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("conference.db");
        let mut journal = SqliteJournal::open(&path, key()).unwrap();
        journal.append(&entries(3)).unwrap();
        journal.close().unwrap();
        drop(journal);
        for (missing, first) in [("number = 3", 3), ("number > 0", 1)] {
            let db = Connection::open(&path).unwrap();
            let delete = format!("DELETE FROM journal WHERE {missing}");
            db.execute_batch(&delete).unwrap();
            drop(db);
            let opened = SqliteJournal::open(&path, key());
            assert!(matches!(opened, Err(JournalError::Corrupt { number, .. }) if number == first));
        }
    }

    #[test]
    fn a_full_disk_changes_nothing_and_the_append_may_be_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("conference.db");
        let mut journal = SqliteJournal::open(&path, key()).unwrap();
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
        assert_eq!(SqliteJournal::open(&path, key()).unwrap().last_number(), 60);
    }

    #[test]
    fn an_append_of_nothing_asks_the_disk_and_changes_no_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("conference.db");
        let mut journal = SqliteJournal::open(&path, key()).unwrap();
        journal.append(&entries(3)).unwrap();
        let before = journal.chain;
        let log = || fs::metadata(beside(&path, "-wal")).unwrap().len();
        let mut written = log();
        for _ in 0..3 {
            assert_eq!(journal.append(&[]).unwrap(), 3);
            assert!(log() > written, "nothing was written");
            written = log();
        }
        journal.db.pragma_update(None, "query_only", true).unwrap();
        assert!(journal.append(&[]).is_err());
        assert_eq!(journal.chain, before);
    }

    #[test]
    fn a_probe_asks_the_disk_and_leaves_no_trace_in_the_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("conference.db");
        let mut journal = SqliteJournal::open(&path, key()).unwrap();
        journal.append(&entries(3)).unwrap();
        drop(journal);
        let before = fs::read(&path).unwrap();

        let mut journal = SqliteJournal::open(&path, key()).unwrap();
        let log = || fs::metadata(beside(&path, "-wal")).unwrap().len();
        assert_eq!(log(), 0);
        journal.probe().unwrap();
        assert!(log() > 0, "nothing was written");
        drop(journal);
        let unlike = |(before, after): (&u8, &u8)| before != after;
        let after = fs::read(&path).unwrap();
        let changed = before
            .iter()
            .zip(&after)
            .filter(|pair| unlike(*pair))
            .count();
        // SQLite counts its changes, in two places of the first page.
        assert!(before.len() == after.len() && changed <= 8, "{changed}");
    }

    #[test]
    fn what_is_missing_is_taken_in_parts_and_nothing_from_one_that_is_shorter_or_another() {
        let folder = tempfile::tempdir().unwrap();
        let [mut long, mut short, mut other] = ["long", "short", "other"]
            .map(|name| SqliteJournal::open(folder.path().join(name), key()).unwrap());
        long.append(&entries(3_000)).unwrap();
        short.append(&entries(20)).unwrap();
        other.append(&entries(13)).unwrap();
        other.append(&entries(20)).unwrap();

        for (from, number) in [(&short.db, 21), (&other.db, 14)] {
            let taken = long.take_missing(from);
            assert!(
                matches!(taken, Err(JournalError::Fork { number: at }) if at == number),
                "{taken:?}"
            );
        }
        assert_eq!(short.take_missing(&long.db).unwrap(), 2_980);
        assert_eq!(short.chain, long.chain);
        assert_eq!(short.take_missing(&long.db).unwrap(), 0);
    }

    #[test]
    fn every_commit_is_synced() {
        let folder = tempfile::tempdir().unwrap();
        let journal = SqliteJournal::open(folder.path().join("conference.db"), key()).unwrap();
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
