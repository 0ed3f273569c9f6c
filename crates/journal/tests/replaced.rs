//! A record's files, deleted or replaced while a server writes them: what it has open is in no folder any more, and whoever
//! writes there keeps nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{all, entry, key};
use diemcau_journal::{Journal, JournalError, MirroredJournal, SqliteJournal};
use diemcau_model::{Alarm, Millis};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// How long what is waited for may take: a liveness bound, no measure.
const LIVE: Duration = Duration::from_secs(30);

fn with(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

#[test]
fn nothing_is_acknowledged_while_the_record_or_its_log_is_not_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conference.db");
    let mut journal = SqliteJournal::open(&path, key()).unwrap();
    journal.append(&[entry(1)]).unwrap();
    for (file, number) in [(path.clone(), 2), (with(&path, "-wal"), 3)] {
        let (away, copy) = (with(&file, ".away"), with(&file, ".copy"));
        fs::copy(&file, &copy).unwrap();
        fs::rename(&file, &away).unwrap();
        let gone = journal.append(&[entry(number)]);
        assert!(matches!(gone, Err(JournalError::Io(_))), "{gone:?}");
        assert!(!file.exists(), "an empty one was begun");

        fs::rename(&copy, &file).unwrap();
        let replaced = journal.append(&[]);
        assert!(matches!(replaced, Err(JournalError::Io(_))), "{replaced:?}");

        fs::rename(&away, &file).unwrap();
        assert_eq!(journal.append(&[entry(number)]).unwrap(), u64::from(number));
    }
    drop(journal);
    let mut journal = SqliteJournal::open(&path, key()).unwrap();
    assert_eq!(all(&mut journal).len(), 3);
}

#[test]
fn a_record_behind_a_link_is_written_where_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let [lies, linked] = ["lies.db", "conference.db"].map(|name| folder.path().join(name));
    drop(SqliteJournal::open(&lies, key()).unwrap());
    symlink(&lies, &linked).unwrap();
    for number in 1..=2 {
        let mut journal = SqliteJournal::open(&linked, key()).unwrap();
        assert_eq!(journal.append(&[entry(number)]).unwrap(), u64::from(number));
    }
    let mut journal = SqliteJournal::open(&lies, key()).unwrap();
    assert_eq!(all(&mut journal).len(), 2);
}

#[test]
fn a_mirror_that_is_deleted_under_the_server_is_an_alarm_and_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let [main, mirror] = ["one", "two"].map(|disk| {
        fs::create_dir(folder.path().join(disk)).unwrap();
        folder.path().join(disk).join("conference.db")
    });
    let mut journal = MirroredJournal::open(&main, &mirror, key(), Millis(7)).unwrap();
    journal.append(&[entry(1), entry(2)]).unwrap();
    for ending in ["", "-wal", "-shm", ".lock"] {
        fs::remove_file(with(&mirror, ending)).unwrap();
    }

    // Also where nothing is appended.
    let mut is_told = |fails: bool| {
        let begun = Instant::now();
        while journal.alarms().contains(&Alarm::MirrorFails) != fails {
            assert!(begun.elapsed() < LIVE, "{:?}", journal.alarms());
            journal.touch(Millis(8));
            thread::yield_now();
        }
    };
    is_told(true);
    is_told(false);
    drop(journal);
    let mut copy = SqliteJournal::open(&mirror, key()).unwrap();
    assert_eq!(all(&mut copy).len(), 2);
}
