//! Records and files that no program wrote.

use crate::{
    CheckpointKey, Entry, Journal, JournalError, SqliteJournal,
    format::{Chain, FORMAT_VERSION, Stored, decode},
};
use diemcau_conference::Event;
use diemcau_fuzz::{Fuzz, outcome};
use diemcau_model::{Millis, SeatId};
use sha2::{Digest, Sha256};
use std::fs;

/// A body that is what its hash says, but was written by nobody we know.
#[test]
fn journal_record() {
    let fuzz = Fuzz {
        name: "journal_record",
        corpus: "corpus/journal_record",
        words: &[
            "\"event\":",
            "\"type\":",
            "null",
            "\"at\":0",
            "{\"version\":3,\"number\":1,",
        ],
        inputs: 100_000,
        longest: 2_048,
    };
    fuzz.run(|body| {
        let hash = Sha256::digest([&[0; 32], body].concat());
        let mut chain = Chain::default();
        let checked = chain.check(Stored {
            number: 1,
            version: i64::from(FORMAT_VERSION),
            body,
            hash: &hash,
        });
        let record = checked.and_then(|()| decode(chain, body));
        match record {
            Ok(record) => {
                let mut event = diemcau_conference::Conference::default();
                event.apply(&record.event);
                outcome(std::mem::discriminant(&record.event))
            }
            Err(JournalError::Unreadable { source, .. }) => outcome(source.to_string().len()),
            Err(error) => outcome(std::mem::discriminant(&error)),
        }
    });
}

/// A file of which some bytes are others: it is refused, or holds every record that was written.
#[test]
fn journal_file() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    fs::create_dir(&corpus).unwrap();
    let entry = |n: u64| Entry {
        at: Millis(n),
        seat: Some(SeatId(1)),
        command: Some(format!("c-{n}")),
        event: Event::ListSet {
            open: n.is_multiple_of(2),
        },
    };
    let entries: Vec<Entry> = (1..=4).map(entry).collect();
    let written = corpus.join("written");
    let key = || CheckpointKey::from_seed(&[7; 32]).unwrap();
    let mut journal = SqliteJournal::open(&written, key()).unwrap();
    journal.append(&entries).unwrap();
    // An end that nobody signed may be missing: no reader can tell (JOURNAL.md).
    journal.close().unwrap();
    drop(journal);
    for beside in fs::read_dir(&corpus).unwrap() {
        let beside = beside.unwrap().path();
        if beside != written {
            fs::remove_file(beside).unwrap();
        }
    }

    let fuzz = Fuzz {
        name: "journal_file",
        corpus: corpus.to_str().unwrap(),
        words: &["journal", "CREATE TABLE", "INTEGER", "SQLite format 3"],
        inputs: 500,
        longest: 64 * 1024,
    };
    let path = folder.path().join("conference.db");
    fuzz.run(|bytes| {
        for beside in ["-wal", "-shm", ".alive"] {
            let _ = fs::remove_file(format!("{}{beside}", path.display()));
        }
        fs::write(&path, bytes).unwrap();
        let mut read = vec![];
        let opened = SqliteJournal::open(&path, key())
            .and_then(|mut journal| journal.read_all(&mut |record| read.push(record)));
        for (record, entry) in read.iter().zip(&entries) {
            assert_eq!((record.at, &record.event), (entry.at, &entry.event));
        }
        // A file of nothing is a new one, and SQLite takes one byte for nothing.
        assert!(
            opened.is_err() || read.len() == entries.len() || bytes.len() <= 1,
            "{} of {} records, and no word of it",
            read.len(),
            entries.len()
        );
        outcome((opened.map_err(|error| error.to_string().len()), read.len()))
    });
}
