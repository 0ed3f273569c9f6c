//! What a journal says of bytes that are not the ones it wrote, and what is left of a killed one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{all, entry, key};
use diemcau_journal::{Journal, JournalError, SqliteJournal, first_record};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

#[test]
fn one_changed_bit_of_the_file_is_found_with_its_number() {
    let (folder, path) = journal_of(40);
    let whole = fs::read(&path).unwrap();
    for number in [1, 7, 23, 40] {
        // A page that was split keeps stale copies in its free space; a change there harms nothing.
        let mut found = Vec::new();
        for place in places_of(&whole, &format!("số {number}:")) {
            let mut spoilt = whole.clone();
            spoilt[place] ^= 0x01;
            fs::write(&path, &spoilt).unwrap();
            found.extend(broken_at(&path));
        }
        assert_eq!(found, [number]);
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(broken_at(&path), None, "whole again");
    drop(folder);
}

#[test]
fn every_kind_of_edit_is_found_with_its_number() {
    let edits: [(&str, u64); 7] = [
        ("UPDATE journal SET hash = zeroblob(32) WHERE number = 5", 5),
        ("UPDATE journal SET hash = x'00' WHERE number = 5", 5),
        ("DELETE FROM journal WHERE number = 5", 5),
        ("DELETE FROM journal WHERE number = 1", 1),
        ("UPDATE journal SET number = 11 WHERE number = 10", 10),
        (
            "UPDATE journal SET body = (SELECT body FROM journal WHERE number = 6) WHERE number = 5",
            5,
        ),
        (
            "INSERT INTO journal SELECT 11, version, body, hash FROM journal WHERE number = 10",
            11,
        ),
    ];
    for (edit, number) in edits {
        let (_folder, path) = journal_of(10);
        Connection::open(&path).unwrap().execute(edit, []).unwrap();
        assert_eq!(broken_at(&path), Some(number), "{edit}");
    }
}

#[test]
fn a_record_sealed_anew_breaks_the_next_one() {
    let (_folder, path) = journal_of(10);
    reseal(&path, 5, |body| body.replace("nhất trí", "không nhất trí"));
    assert_eq!(broken_at(&path), Some(6));
}

#[test]
fn a_sealed_body_that_names_another_number_is_found() {
    let (_folder, path) = journal_of(10);
    reseal(&path, 10, |body| {
        body.replace("\"number\":10,", "\"number\":9,")
    });
    assert_eq!(broken_at(&path), Some(10));
}

#[test]
fn a_format_version_from_the_future_is_refused() {
    let (_folder, path) = journal_of(10);
    Connection::open(&path)
        .unwrap()
        .execute("UPDATE journal SET version = 4 WHERE number = 4", [])
        .unwrap();
    let opened = SqliteJournal::open(&path, key()).map(|_| ());
    assert!(
        matches!(
            opened,
            Err(JournalError::UnknownVersion {
                number: 4,
                version: 4
            })
        ),
        "{opened:?}"
    );
}

#[test]
fn an_event_this_program_does_not_know_is_named_by_its_number() {
    let (_folder, path) = journal_of(10);
    reseal(&path, 10, |body| {
        body.replace("comment_posted", "comment_sung")
    });
    // The last record is read at once; the others when all are read.
    let opened = SqliteJournal::open(&path, key()).map(|_| ());
    assert!(
        matches!(opened, Err(JournalError::Unreadable { number: 10, .. })),
        "{opened:?}"
    );
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conference.db");
    fs::write(&path, "Biên bản hội nghị. ".repeat(500)).unwrap();
    assert_eq!(broken_at(&path), Some(1));
}

#[test]
fn a_kill_between_appends_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path().join("conference.db"), key()).unwrap();
    for batch in 0..20_u32 {
        let entries: Vec<_> = (1..=5).map(|n| entry(batch * 5 + n)).collect();
        let acknowledged = journal.append(&entries).unwrap();

        let after_the_kill = copy_of(folder.path(), usize::MAX);
        let mut reopened =
            SqliteJournal::open(after_the_kill.path().join("conference.db"), key()).unwrap();
        assert_eq!(reopened.last_number(), acknowledged);
        assert_eq!(all(&mut reopened), all(&mut journal));
    }
}

#[test]
fn a_log_torn_anywhere_leaves_whole_batches() {
    const BATCH: u32 = 5;
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path().join("conference.db"), key()).unwrap();
    for batch in 0..12 {
        let entries: Vec<_> = (1..=BATCH).map(|n| entry(batch * BATCH + n)).collect();
        journal.append(&entries).unwrap();
    }
    let whole = all(&mut journal);
    let log = fs::metadata(folder.path().join("conference.db-wal"))
        .unwrap()
        .len() as usize;

    let mut kept = Vec::new();
    for torn_at in (0..log).step_by(1_499).chain([log]) {
        let copy = copy_of(folder.path(), torn_at);
        let mut journal = SqliteJournal::open(copy.path().join("conference.db"), key()).unwrap();
        let records = all(&mut journal);
        assert_eq!(records[..], whole[..records.len()], "torn at {torn_at}");
        assert_eq!(records.len() % BATCH as usize, 0, "torn at {torn_at}");

        let next = journal.append(&[entry(1)]).unwrap();
        assert_eq!(next as usize, records.len() + 1, "it goes on from there");
        kept.push(records.len());
    }
    assert!(kept.is_sorted(), "{kept:?}");
    assert_eq!(kept.first(), Some(&0));
    assert_eq!(kept.last(), Some(&whole.len()));
}

#[test]
fn a_log_damaged_before_its_last_transaction_is_refused_and_stays_as_it_is() {
    const BATCH: u32 = 3;
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path().join("conference.db"), key()).unwrap();
    let log = |folder: &Path| fs::read(folder.join("conference.db-wal")).unwrap();
    let mut last = 0;
    for batch in 0..8 {
        last = log(folder.path()).len();
        let entries: Vec<_> = (1..=BATCH).map(|n| entry(batch * BATCH + n)).collect();
        journal.append(&entries).unwrap();
    }
    let whole = log(folder.path());
    let of_a_head = |byte: &usize| *byte < 32 || (byte - 32) % (24 + 4_096) < 24;
    let bytes = (0..whole.len()).filter(|byte| of_a_head(byte) || byte.is_multiple_of(997));
    for byte in bytes.step_by(3) {
        let mut spoilt = whole.clone();
        spoilt[byte] ^= 1;
        let copy = copy_of(folder.path(), 0);
        fs::write(copy.path().join("conference.db-wal"), &spoilt).unwrap();
        let opened = SqliteJournal::open(copy.path().join("conference.db"), key());
        match opened.map(|journal| journal.last_number()) {
            // It looks torn, and nobody was told of it.
            Ok(number) => assert_eq!((byte >= last, number), (true, 21), "byte {byte}"),
            Err(JournalError::Corrupt { number, .. }) => {
                let first = first_record(&copy.path().join("conference.db"));
                assert!(
                    !matches!(first, Ok(None)),
                    "byte {byte}: as if nothing were there"
                );
                // No frame that is torn says of itself that it ends its transaction.
                let is_length = byte > 32 && (4..8).contains(&((byte - 32) % (24 + 4_096)));
                let is_told = byte < last || is_length;
                assert!(
                    is_told && number % u64::from(BATCH) == 1,
                    "{byte}: {number}"
                );
                assert!(
                    log(copy.path()) == spoilt,
                    "byte {byte}: what is readable is gone"
                );
            }
            Err(other) => panic!("byte {byte}: {other:?}"),
        }
    }
}

/// With it the log's head is gone, and the first frame's: SQLite takes such a log for nothing, and writes over it.
#[test]
fn a_log_whose_first_sector_cannot_be_read_is_no_empty_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path().join("conference.db"), key()).unwrap();
    for n in 1..=5 {
        journal.append(&[entry(n)]).unwrap();
    }
    let mut log = fs::read(folder.path().join("conference.db-wal")).unwrap();
    for byte in [0, 0xa5] {
        log[..512].fill(byte);
        let copy = copy_of(folder.path(), 0);
        let path = copy.path().join("conference.db");
        fs::write(copy.path().join("conference.db-wal"), &log).unwrap();
        let opened = SqliteJournal::open(&path, key());
        assert!(matches!(opened, Err(JournalError::Corrupt { .. })));
        assert!(!matches!(first_record(&path), Ok(None)));
        assert!(fs::read(copy.path().join("conference.db-wal")).unwrap() == log);
    }
}

#[test]
fn what_an_earlier_round_left_in_the_log_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conference.db");
    let mut journal = SqliteJournal::open(&path, key()).unwrap();
    for n in 1..=20 {
        journal.append(&[entry(n)]).unwrap();
    }
    let fold = Connection::open(&path).unwrap();
    fold.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))
        .unwrap();
    for n in 21..=25 {
        journal.append(&[entry(n)]).unwrap();
        let copy = copy_of(folder.path(), usize::MAX);
        let copied = SqliteJournal::open(copy.path().join("conference.db"), key()).unwrap();
        assert_eq!(copied.last_number(), u64::from(n));
    }
}

/// A closed journal of so many records.
fn journal_of(count: u32) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conference.db");
    let entries: Vec<_> = (1..=count).map(entry).collect();
    let mut journal = SqliteJournal::open(&path, key()).unwrap();
    journal.append(&entries).unwrap();
    (folder, path)
}

/// The number at which opening or reading finds the journal broken.
fn broken_at(path: &Path) -> Option<u64> {
    match SqliteJournal::open(path, key()).and_then(|mut journal| journal.read_all(&mut |_| {})) {
        Ok(()) => None,
        Err(JournalError::Corrupt { number, .. }) => Some(number),
        Err(other) => panic!("{other:?}"),
    }
}

/// Changes the body of a record and makes its own hash right again, as a careful forger would.
fn reseal(path: &Path, number: i64, change: impl Fn(String) -> String) {
    let db = Connection::open(path).unwrap();
    let get = |column: &str, number: i64| -> Vec<u8> {
        let query = format!("SELECT {column} FROM journal WHERE number = ?1");
        db.query_row(&query, [number], |row| row.get(0)).unwrap()
    };
    let body = String::from_utf8(get("body", number)).unwrap();
    let changed = change(body.clone());
    assert_ne!(body, changed, "the forger found what to change");
    let hash = Sha256::new()
        .chain_update(get("hash", number - 1))
        .chain_update(&changed)
        .finalize()
        .to_vec();
    db.execute(
        "UPDATE journal SET body = ?1, hash = ?2 WHERE number = ?3",
        (changed.into_bytes(), hash, number),
    )
    .unwrap();
}

/// What a kill leaves: the database and its log up to some byte, without the shared memory beside them.
fn copy_of(folder: &Path, log_upto: usize) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::copy(
        folder.join("conference.db"),
        copy.path().join("conference.db"),
    )
    .unwrap();
    let log = fs::read(folder.join("conference.db-wal")).unwrap();
    let upto = log_upto.min(log.len());
    fs::write(copy.path().join("conference.db-wal"), &log[..upto]).unwrap();
    copy
}

fn places_of(bytes: &[u8], text: &str) -> Vec<usize> {
    let windows = bytes.windows(text.len()).enumerate();
    windows
        .filter(|(_, window)| *window == text.as_bytes())
        .map(|(place, _)| place)
        .collect()
}
