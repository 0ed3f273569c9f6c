//! A journal and its mirror: each rebuilds the other, the longer of two that agree is right, and two that differ are
//! left to a person.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{all, entry, key};
use diemcau_journal::{CHECKPOINT_EVERY, Journal, JournalError, MirroredJournal, SqliteJournal};
use diemcau_model::{Alarm, Millis};
use rusqlite::Connection;
use std::{collections::BTreeSet, fs, ops::RangeInclusive, path::PathBuf};
use tempfile::TempDir;

struct Disks {
    folder: TempDir,
    main: PathBuf,
    mirror: PathBuf,
}

impl Disks {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for disk in ["one", "two"] {
            fs::create_dir(folder.path().join(disk)).unwrap();
        }
        Self {
            main: folder.path().join("one/conference.db"),
            mirror: folder.path().join("two/conference.db"),
            folder,
        }
    }

    /// With so many records in both, closed.
    fn with(count: u32) -> Self {
        let disks = Self::new();
        let mut journal = disks.open().unwrap();
        fill(&mut journal, 1..=count);
        journal.close().unwrap();
        disks
    }

    fn open(&self) -> Result<MirroredJournal, JournalError> {
        MirroredJournal::open(&self.main, &self.mirror, key(), Millis(7))
    }

    fn put_away(&self, disk: &str) -> bool {
        let name = format!("{disk}/conference.db.damaged-7");
        self.folder.path().join(name).exists()
    }

    /// Both hold the same records and the same signatures.
    fn are_equal(&self) {
        let read = |path| -> (Vec<_>, Vec<(i64, Vec<u8>)>) {
            let records = all(&mut SqliteJournal::open(path, key()).unwrap());
            let db = Connection::open(path).unwrap();
            let mut select = db
                .prepare("SELECT number, signature FROM checkpoint ORDER BY number")
                .unwrap();
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
            (records, rows.unwrap().map(Result::unwrap).collect())
        };
        assert_eq!(read(&self.main), read(&self.mirror));
    }
}

fn fill(journal: &mut dyn Journal, numbers: RangeInclusive<u32>) {
    let entries: Vec<_> = numbers.map(entry).collect();
    journal.append(&entries).unwrap();
}

fn alarms<const N: usize>(alarms: [Alarm; N]) -> BTreeSet<Alarm> {
    alarms.into()
}

#[test]
fn what_is_appended_is_in_both() {
    let disks = Disks::with(300);
    let journal = disks.open().unwrap();
    assert_eq!(journal.last_number(), 300);
    assert_eq!(journal.alarms(), alarms([]));
    drop(journal);
    disks.are_equal();
}

#[test]
fn a_lost_record_is_rebuilt_with_its_signatures() {
    let disks = Disks::with(CHECKPOINT_EVERY as u32 + 44);
    fs::remove_file(&disks.main).unwrap();
    let mut journal = disks.open().unwrap();
    assert_eq!(journal.last_number(), 300);
    assert_eq!(journal.alarms(), alarms([Alarm::RecordRebuilt]));
    fill(&mut journal, 301..=310);
    drop(journal);
    disks.are_equal();
    let again = disks.open().unwrap();
    assert_eq!(again.alarms(), alarms([]), "the next start is a sound one");
}

#[test]
fn a_damaged_record_is_put_away_and_rebuilt() {
    let disks = Disks::with(300);
    let mut bytes = fs::read(&disks.main).unwrap();
    let text = "số 123:".as_bytes();
    let place = bytes.windows(text.len()).position(|window| window == text);
    bytes[place.unwrap()] ^= 1;
    fs::write(&disks.main, &bytes).unwrap();

    let journal = disks.open().unwrap();
    assert_eq!(journal.last_number(), 300);
    assert_eq!(journal.alarms(), alarms([Alarm::RecordRebuilt]));
    drop(journal);
    assert!(disks.put_away("one"), "no byte is thrown away");
    disks.are_equal();
}

#[test]
fn an_old_copy_in_the_records_place_is_brought_up() {
    let disks = Disks::with(20);
    let old = fs::read(&disks.main).unwrap();
    let mut journal = disks.open().unwrap();
    fill(&mut journal, 21..=30);
    drop(journal);
    fs::write(&disks.main, old).unwrap();

    let journal = disks.open().unwrap();
    assert_eq!(journal.last_number(), 30);
    assert_eq!(journal.alarms(), alarms([Alarm::RecordRebuilt]));
    drop(journal);
    disks.are_equal();
}

#[test]
fn a_mirror_that_lags_or_is_gone_is_brought_up() {
    let disks = Disks::with(20);
    let mut main = SqliteJournal::open(&disks.main, key()).unwrap();
    fill(&mut main, 21..=30);
    drop(main);
    assert_eq!(disks.open().unwrap().alarms(), alarms([]));
    disks.are_equal();

    fs::remove_file(&disks.mirror).unwrap();
    assert_eq!(disks.open().unwrap().alarms(), alarms([]));
    disks.are_equal();
}

#[test]
fn a_damaged_mirror_is_put_away_and_written_anew() {
    let disks = Disks::with(20);
    fs::write(&disks.mirror, "Biên bản hội nghị. ".repeat(500)).unwrap();
    let journal = disks.open().unwrap();
    assert_eq!(journal.alarms(), alarms([Alarm::MirrorRebuilt]));
    drop(journal);
    assert!(disks.put_away("two"));
    disks.are_equal();
}

#[test]
fn a_damaged_record_is_not_replaced_by_a_shorter_one() {
    let disks = Disks::with(20);
    let mut main = SqliteJournal::open(&disks.main, key()).unwrap();
    fill(&mut main, 21..=40);
    drop(main);
    let delete = "DELETE FROM journal WHERE number = 30";
    let db = Connection::open(&disks.main).unwrap();
    db.execute(delete, []).unwrap();
    drop(db);

    let opened = disks.open().map(|_| ());
    assert!(
        matches!(opened, Err(JournalError::Corrupt { number: 30, .. })),
        "{opened:?}"
    );
    assert!(!disks.put_away("one"), "nothing was touched");
}

#[test]
fn two_records_that_differ_are_left_to_a_person() {
    let disks = Disks::with(20);
    for (path, at) in [(&disks.main, 21), (&disks.mirror, 100)] {
        let mut journal = SqliteJournal::open(path, key()).unwrap();
        fill(&mut journal, at..=at + 5);
    }
    let opened = disks.open().map(|_| ());
    assert!(
        matches!(opened, Err(JournalError::Fork { number: 21 })),
        "{opened:?}"
    );
}

#[test]
fn the_conference_goes_on_without_its_mirror_and_the_mirror_catches_up() {
    let disks = Disks::new();
    fs::remove_dir(disks.mirror.parent().unwrap()).unwrap();
    let mut journal = disks.open().unwrap();
    assert_eq!(journal.alarms(), alarms([Alarm::MirrorFails]));
    fill(&mut journal, 1..=10);
    journal.touch(Millis(1));
    assert_eq!(journal.alarms(), alarms([Alarm::MirrorFails]));

    fs::create_dir(disks.mirror.parent().unwrap()).unwrap();
    journal.touch(Millis(2));
    assert_eq!(journal.alarms(), alarms([]));
    fill(&mut journal, 11..=12);
    drop(journal);
    disks.are_equal();
}

#[test]
fn what_only_the_mirror_refuses_is_acknowledged() {
    let disks = Disks::with(20);
    let mut journal = disks.open().unwrap();
    // Another program takes the number that comes next.
    let intruder = Connection::open(&disks.mirror).unwrap();
    let take = "INSERT INTO journal VALUES (21, 1, x'', x'')";
    intruder.execute(take, []).unwrap();
    fill(&mut journal, 21..=22);
    assert_eq!(journal.last_number(), 22);
    assert_eq!(journal.alarms(), alarms([Alarm::MirrorFails]));

    let leave = "DELETE FROM journal WHERE number = 21";
    intruder.execute(leave, []).unwrap();
    journal.touch(Millis(1));
    assert_eq!(journal.alarms(), alarms([]));
    drop((journal, intruder));
    disks.are_equal();
}
