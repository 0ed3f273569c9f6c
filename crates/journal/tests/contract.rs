//! What every store promises, as one function, run over each of them.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{all, entry, key, posted, tell};
use diemcau_journal::{
    Entry, Journal, JournalError, MemoryJournal, Record, SqliteJournal, first_record,
};
use diemcau_model::Millis;
use sha2::{Digest, Sha256};
use std::fs;

#[test]
fn memory_keeps_the_contract() {
    let kept = MemoryJournal::new();
    contract(&|| Box::new(kept.clone()));
}

#[test]
fn sqlite_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conference.db");
    contract(&|| Box::new(SqliteJournal::open(&path, key()).unwrap()));
}

/// `open` opens the same store again, once the journal it gave before is dropped; it is empty at first.
fn contract(open: &dyn Fn() -> Box<dyn Journal>) {
    a_new_journal_is_empty(open);
    events_come_back_in_order_numbered_from_one(open);
    each_hash_follows_from_the_one_before_and_the_bytes(open);
    an_empty_append_changes_nothing(open);
    opening_again_gives_the_same(open);
    the_last_sign_of_life_is_kept(open);
}

fn a_new_journal_is_empty(open: &dyn Fn() -> Box<dyn Journal>) {
    let mut journal = open();
    assert_eq!(journal.last_number(), 0);
    assert_eq!(journal.last_alive(), None);
    assert_eq!(all(&mut *journal), []);
}

fn events_come_back_in_order_numbered_from_one(open: &dyn Fn() -> Box<dyn Journal>) {
    let mut journal = open();
    let entries: Vec<Entry> = (1..=7).map(entry).collect();
    assert_eq!(journal.append(&entries[..1]).unwrap(), 1);
    assert_eq!(journal.append(&entries[1..6]).unwrap(), 6);
    assert_eq!(journal.append(&entries[6..]).unwrap(), 7);
    assert_eq!(journal.last_number(), 7);

    let records = all(&mut *journal);
    assert_eq!(records.iter().map(told).collect::<Vec<_>>(), entries);
    let numbers: Vec<u64> = records.iter().map(|record| record.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
}

fn each_hash_follows_from_the_one_before_and_the_bytes(open: &dyn Fn() -> Box<dyn Journal>) {
    let mut previous = [0; 32];
    for record in all(&mut *open()) {
        // Written by hand from JOURNAL.md, not by the code under test.
        let body = format!(
            r#"{{"version":3,"number":{},"at":{},"seat":{},"command":{},"event":{}}}"#,
            record.number,
            record.at,
            serde_json::to_string(&record.seat).unwrap(),
            serde_json::to_string(&record.command).unwrap(),
            serde_json::to_string(&record.event).unwrap(),
        );
        let hash = Sha256::new()
            .chain_update(previous)
            .chain_update(body)
            .finalize();
        assert_eq!(record.hash[..], hash[..], "number {}", record.number);
        previous = record.hash;
    }
}

fn an_empty_append_changes_nothing(open: &dyn Fn() -> Box<dyn Journal>) {
    let mut journal = open();
    let before = all(&mut *journal);
    assert_eq!(journal.append(&[]).unwrap(), journal.last_number());
    assert_eq!(all(&mut *journal), before);
}

fn opening_again_gives_the_same(open: &dyn Fn() -> Box<dyn Journal>) {
    let mut journal = open();
    let before = all(&mut *journal);
    drop(journal);

    let mut journal = open();
    assert_eq!(all(&mut *journal), before);
    assert_eq!(journal.last_number(), 7);
    assert_eq!(journal.append(&[entry(8)]).unwrap(), 8);
}

fn the_last_sign_of_life_is_kept(open: &dyn Fn() -> Box<dyn Journal>) {
    let mut journal = open();
    assert_eq!(journal.last_alive(), Some(entry(8).at), "the last event");

    let later = entry(8).at.plus(5_000);
    journal.touch(later);
    assert_eq!(journal.last_alive(), Some(later), "the touch");
    drop(journal);
    assert_eq!(open().last_alive(), Some(later), "the touch, kept");

    let mut journal = open();
    let mut last = entry(9);
    last.at = later.plus(1);
    journal.append(&[last]).unwrap();
    assert_eq!(journal.last_alive(), Some(later.plus(1)), "the later event");
}

fn told(record: &Record) -> Entry {
    Entry {
        at: record.at,
        seat: record.seat,
        command: record.command.clone(),
        event: record.event.clone(),
    }
}

#[test]
fn a_batch_is_stored_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conference.db");
    let mut journal = SqliteJournal::open(&path, key()).unwrap();
    journal.append(&[entry(1)]).unwrap();
    let before = all(&mut journal);

    // Another program takes a number in the middle of the next batch.
    let intruder = rusqlite::Connection::open(&path).unwrap();
    intruder
        .execute("INSERT INTO journal VALUES (3, 1, x'', x'')", [])
        .unwrap();
    let refused = journal.append(&[entry(2), entry(3), entry(4)]);
    assert!(
        matches!(refused, Err(JournalError::Corrupt { number: 3, .. })),
        "{refused:?}"
    );
    assert_eq!(journal.last_number(), 1);

    intruder
        .execute("DELETE FROM journal WHERE number = 3", [])
        .unwrap();
    assert_eq!(all(&mut journal), before, "number 2 did not stay behind");
    assert_eq!(
        journal.append(&[entry(2), entry(3), entry(4)]).unwrap(),
        4,
        "and the append may be tried again"
    );
}

#[test]
fn a_second_opener_is_refused_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conference.db");
    let mut first = SqliteJournal::open(&path, key()).unwrap();
    first.append(&[entry(1)]).unwrap();

    let second = SqliteJournal::open(&path, key()).map(|_| ());
    assert!(matches!(second, Err(JournalError::Locked)), "{second:?}");
    assert_eq!(first.append(&[entry(2)]).unwrap(), 2, "the first goes on");

    drop(first);
    assert_eq!(SqliteJournal::open(&path, key()).unwrap().last_number(), 2);
}

#[test]
fn a_reader_may_look_while_the_journal_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conference.db");
    let mut journal = SqliteJournal::open(&path, key()).unwrap();
    journal.append(&[entry(1), entry(2)]).unwrap();

    let reader = rusqlite::Connection::open(&path).unwrap();
    let count: i64 = reader
        .query_row("SELECT count(*) FROM journal", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 2);
    assert_eq!(journal.append(&[entry(3)]).unwrap(), 3);
}

#[test]
fn how_a_journal_begins_can_be_looked_at_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("hội nghị #1 %41?");
    fs::create_dir(&place).unwrap();
    let path = place.join("conference.db");
    let names = || fs::read_dir(&place).unwrap().count();
    assert_eq!(first_record(&path).unwrap(), None);
    fs::write(&path, "").unwrap();
    assert_eq!(first_record(&path).unwrap(), None);
    assert_eq!(names(), 1);

    let mut journal = SqliteJournal::open(&path, key()).unwrap();
    assert_eq!(first_record(&path).unwrap(), None);
    journal.append(&[entry(1), entry(2)]).unwrap();
    // It stands in the log yet, and the journal is open.
    let first = first_record(&path).unwrap().unwrap();
    assert_eq!(told(&first), entry(1));
    drop(journal);
    let (before, there) = (fs::read(&path).unwrap(), names());
    assert_eq!(first_record(&path).unwrap(), Some(first));
    assert_eq!((fs::read(&path).unwrap(), names()), (before, there));

    fs::write(&path, "Biên bản hội nghị. ".repeat(500)).unwrap();
    let damaged = first_record(&path);
    assert!(
        matches!(damaged, Err(JournalError::Corrupt { number: 1, .. })),
        "{damaged:?}"
    );
}

#[test]
fn a_sign_of_life_that_cannot_be_read_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conference.db");
    for spoilt in ["", "12", "not twenty digits!!!", "99999999999999999999"] {
        std::fs::write(folder.path().join("conference.db.alive"), spoilt).unwrap();
        let mut journal = SqliteJournal::open(&path, key()).unwrap();
        assert_eq!(journal.last_alive(), None, "{spoilt:?}");
        journal.touch(Millis(5));
        assert_eq!(journal.last_alive(), Some(Millis(5)));
    }
}

#[test]
fn a_comment_comes_back_with_its_marks_as_typed() {
    let mut journal = MemoryJournal::new();
    // Composed and decomposed letters are different bytes: the journal keeps what it was given.
    let words = "Đề nghị sửa thành: uỷ / ủy, hoà / hòa, e\u{302}\u{301} \"và\" \u{1}\n";
    journal.append(&[posted(1, words)]).unwrap();
    assert_eq!(tell(&all(&mut journal)[0]), words);
}
