//! Random edits of real journals: each one that changes what a reader gets is found, with its place. The records are those
//! of a server that was stopped, of one that was killed (with a log, and an end that nobody signed), and of one that was
//! killed and had a mirror, of which one copy is edited.
//!
//! 300 edits here; more by `cargo xtask edits --count 10000 --seed 7`. SQLite itself is the judge of whether an edit
//! changes anything, to whoever reads all, searches by number, or asks whether the file is whole: it leaves free space in
//! its pages, and a byte changed there is no edit of the record.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

mod edit;
mod record;

use diemcau_fuzz::Chance;
use diemcau_journal::{Journal, JournalError, SqliteJournal};
use diemcau_verify::{Finding, Sound, verify};
use edit::{Edit, Loses, forged_end};
use record::{
    DATABASE, LAST_SIGNED, LOG, Left, RECORDS, Record, Row, all, entry, firsts, judged, key,
};
use rusqlite::Connection;
use std::{collections::BTreeMap, env, fs, path::Path};

#[test]
fn every_random_edit_of_a_stopped_servers_record_is_found_with_its_place() {
    check(Left::Closed, RECORDS);
}

#[test]
fn every_random_edit_of_a_killed_servers_record_is_found_with_its_place() {
    check(Left::Killed, LAST_SIGNED);
}

#[test]
fn every_random_edit_of_one_of_two_records_is_found_or_healed() {
    check(Left::Mirrored, LAST_SIGNED);
}

/// A third of the edits, on a record left this way.
fn check(left: Left, signed: u64) {
    let setting = |name, otherwise| env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    let (count, seed) = (setting("EDITS", 300_u64).div_ceil(3), setting("SEED", 7));
    let record = Record::left(left);
    record.restore();
    let folders = record.folders();
    let before = judged(folders[0]);
    let firsts: Vec<_> = folders.iter().map(|folder| firsts(folder)).collect();
    for folder in &folders {
        let sound = checked(folder).unwrap();
        let upto = (sound.number as u64, sound.signed as u64);
        assert_eq!(upto, (RECORDS, signed));
        assert_eq!(sound.key, key(7).public());
        assert!(judged(folder) == before, "two copies of one record");
    }

    let mut chance = Chance::new(seed);
    let (mut found, mut harmless, mut shorter, mut healed) = (0, 0, 0, 0);
    while found + healed < count {
        record.restore();
        let which = chance.below(folders.len());
        let folder = folders[which];
        let edit = Edit::make(left, folder, &mut chance);
        let after = judged(folder);
        if after == before {
            harmless += 1;
            continue;
        }
        match (checked(folder), left) {
            (Err(finding), _) => {
                check_place(&edit, &finding, &firsts[which], &before, &after);
                found += 1;
            }
            // What one record cannot tell the other one can.
            (Ok(_), Left::Mirrored) => {
                check_start(&record, &edit, &before);
                healed += 1;
            }
            (Ok(sound), Left::Closed | Left::Killed) => {
                let kept = left_of(&record, &edit, &before, &after);
                assert_eq!(
                    kept,
                    Some(sound.number as u64),
                    "seed {seed}: {edit:?} is not found"
                );
                shorter += 1;
            }
        }
    }
    println!(
        "{left:?}: {found} edits found with the place, {healed} found or healed by the other copy; {shorter} more look like \
         a crash, {harmless} changed nothing that can be read"
    );
}

/// The first record that is another, or none, is named, and the bytes or the page that were changed.
fn check_place(
    edit: &Edit,
    finding: &Finding,
    firsts: &BTreeMap<u64, u64>,
    before: &[Option<Row>],
    after: &[Option<Row>],
) {
    // The judge reads up to what it cannot read.
    let same = before.iter().zip(after).take_while(|(a, b)| a == b);
    let most = (same.count() as u64 + 1).min(RECORDS + 1);
    // A page that is not put together well is told by the first record that may stand on it.
    let least = edit.page.and_then(|page| firsts.get(&page));
    let least = least.map_or(most, |least| most.min(*least));
    let numbers = edit.numbers.clone().unwrap_or(least..=most);
    assert!(
        numbers.contains(&(finding.number as u64)),
        "{edit:?}, which may be {numbers:?}: {finding}"
    );
    assert!(!finding.spots.is_empty(), "{edit:?}: {finding}");
    if let Some((file, byte)) = edit.byte {
        let mut spots = finding.spots.iter();
        assert!(
            spots.any(|spot| spot.file == file && near(spot.bytes.start, spot.bytes.end, byte)),
            "{edit:?}: {finding}"
        );
    }
}

/// How many records are left, if the edit did no more than a crash does: it took whole appends from the end of the log.
fn left_of(
    record: &Record,
    edit: &Edit,
    before: &[Option<Row>],
    after: &[Option<Row>],
) -> Option<u64> {
    let records = |rows: &[Option<Row>]| rows.iter().flatten().filter(|row| row.1 > 0).count();
    let kept = records(after);
    let is_left = |row: &&Option<Row>| row.as_ref().is_some_and(|row| row.0 as usize <= kept);
    let whole = before.iter().filter(is_left).eq(after);
    let last = record.ends.iter().rev().nth(1);
    let may = match edit.loses {
        Loses::Nothing => false,
        Loses::LastAppend => last == Some(&(kept as u64)),
        Loses::Rest => record.is_end(kept as u64),
    };
    (whole && may).then_some(kept as u64)
}

/// The server does not start over two records of which one was written anew, and names the first that differs; what was cut
/// off one it has from the other.
fn check_start(record: &Record, edit: &Edit, before: &[Option<Row>]) {
    match (record.start(), edit.anew) {
        (Err(JournalError::Fork { number }), Some(anew)) => assert_eq!(number, anew, "{edit:?}"),
        (Ok(mut journal), None) => {
            let bodies = before.iter().flatten().filter(|row| row.1 > 0).count();
            assert_eq!(all(&mut journal).len(), bodies, "{edit:?}");
            journal.close().unwrap();
            drop(journal);
            for folder in record.folders() {
                assert!(judged(folder).starts_with(&before[..bodies]), "{edit:?}");
            }
        }
        (started, _) => panic!("{edit:?}: {:?}", started.map(|_| "it starts")),
    }
}

/// What no reader can tell: said in JOURNAL.md and in SECURITY.md, and shown here so that it is said truly.
#[test]
fn an_end_that_nobody_signed_can_be_written_anew_or_cut_off_and_only_a_mirror_or_a_paper_tells() {
    let record = Record::left(Left::Killed);
    record.restore();
    let folder = record.folders()[0];
    let honest = checked(folder).unwrap();
    let ends = &record.ends;

    let from = forged_end(folder);
    assert!(from > LAST_SIGNED);
    let forged = checked(folder).unwrap();
    assert_eq!(
        (forged.number, forged.signed),
        (honest.number, honest.signed)
    );
    assert_ne!(forged.hash, honest.hash, "a paper with the last hash tells");

    record.restore();
    let log = folder.join(LOG);
    let bytes = fs::read(&log).unwrap();
    fs::write(&log, &bytes[..bytes.len() / 2]).unwrap();
    let cut = checked(folder).unwrap();
    assert!(cut.number < honest.number && ends.contains(&(cut.number as u64)));

    let record = Record::left(Left::Mirrored);
    for (forged, other) in [(0, 1), (1, 0)] {
        record.restore();
        let from = forged_end(record.folders()[forged]);
        assert!(
            checked(record.folders()[forged]).is_ok() && checked(record.folders()[other]).is_ok()
        );
        let started = record.start().map(|_| ());
        assert!(matches!(started, Err(JournalError::Fork { number }) if number == from));
    }
}

/// The same of a server that was stopped, by whoever takes its last signature away: what is signed then is said.
#[test]
fn a_stopped_servers_end_without_its_signature_is_one_that_nobody_signed_and_that_is_said() {
    let record = Record::left(Left::Closed);
    record.restore();
    let folder = record.folders()[0];
    let honest = checked(folder).unwrap();
    assert!(!honest.to_string().contains("not signed"), "{honest}");

    let db = Connection::open(folder.join(DATABASE)).unwrap();
    let delete = "DELETE FROM checkpoint WHERE number = ?1";
    assert_eq!(db.execute(delete, [RECORDS as u32]).unwrap(), 1);
    drop(db);
    let from = forged_end(folder);
    assert!(from > LAST_SIGNED);
    let forged = checked(folder).unwrap();
    assert_ne!(forged.hash, honest.hash, "a paper with the last hash tells");
    assert_eq!(
        (forged.number as u64, forged.signed as u64),
        (RECORDS, LAST_SIGNED)
    );
    let said = format!(
        "events {} to {RECORDS} are not signed: a server that was stopped signs its end",
        LAST_SIGNED + 1
    );
    assert!(forged.to_string().contains(&said), "{forged}");
}

/// Pages above pages above pages.
#[test]
fn a_long_record_of_a_server_that_was_stopped_often_is_sound() {
    const LONG: u32 = 14_000;
    let folder = tempfile::tempdir().unwrap();
    let entries: Vec<_> = (0..LONG).map(|n| entry(5 * n)).collect();
    for day in entries.chunks(600) {
        let mut journal = SqliteJournal::open(folder.path().join(DATABASE), key(7)).unwrap();
        for batch in day.chunks(60) {
            journal.append(batch).unwrap();
        }
        assert!(checked(folder.path()).is_ok(), "while it runs");
        // The end is signed once more when the disk is asked whether it can be written.
        journal.append(&[]).unwrap();
        journal.close().unwrap();
        drop(journal);
        let stopped = checked(folder.path());
        assert!(stopped.is_ok(), "{stopped:?}");
    }
    let sound = checked(folder.path()).unwrap();
    assert_eq!(
        (sound.number, sound.signed),
        (LONG.into(), LONG.into()),
        "the end is signed"
    );
    assert!(!judged(folder.path()).contains(&None));
    let bytes = fs::read(folder.path().join(DATABASE)).unwrap();
    let inner = bytes.chunks(4_096).filter(|page| page[0] == 5);
    let inner = inner.count();
    assert!(inner > 3, "{inner} pages point at others");
}

#[test]
fn a_pointer_to_nowhere_is_told_by_the_page_it_stands_in() {
    let record = Record::left(Left::Closed);
    record.restore();
    let folder = record.folders()[0];
    let file = folder.join(DATABASE);
    let mut bytes = fs::read(&file).unwrap();
    // The journal's table begins in the second page, with pointers to the pages below; its first cell begins with one.
    assert_eq!(bytes[4_096], 5);
    let cell = 4_096 + usize::from(u16::from_be_bytes([bytes[4_108], bytes[4_109]]));
    bytes[cell..cell + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    fs::write(&file, &bytes).unwrap();
    let finding = checked(folder).unwrap_err();
    assert_eq!(finding.number, 1);
    let [spot] = &finding.spots[..] else {
        panic!("one page: {finding}");
    };
    assert_eq!(spot.bytes, 4_096..8_192);
}

/// The place is the very bytes, or at least the page.
fn near(start: u64, end: u64, byte: u64) -> bool {
    let page = |at: u64| at / 4_096;
    (page(start)..=page(end.max(1) - 1)).contains(&page(byte))
}

fn checked(folder: &Path) -> Result<Sound, Finding> {
    verify(folder).unwrap().unwrap()
}
