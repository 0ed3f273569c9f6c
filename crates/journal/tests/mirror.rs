//! A journal and its mirror: each rebuilds the other, the longer of two that agree is right, and two that differ are
//! left to a person.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{all, entry, key};
use diemcau_journal::{CHECKPOINT_EVERY, Journal, JournalError, MirroredJournal, SqliteJournal};
use diemcau_model::{Alarm, Millis};
use rusqlite::Connection;
use rustix::fs::{CWD, Mode, mkfifoat};
use std::{
    collections::BTreeSet,
    error::Error,
    fs,
    ops::RangeInclusive,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long what is waited for may take: a liveness bound, no measure.
const LIVE: Duration = Duration::from_secs(30);

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
        until(&mut journal, alarms([]));
        journal.close().unwrap();
        disks
    }

    /// A disk is taken away, or put back.
    fn take_away(&self, disk: &str) {
        let path = |name: &str| self.folder.path().join(name);
        fs::rename(path(disk), path("away")).unwrap();
    }

    fn put_back(&self, disk: &str) {
        let path = |name: &str| self.folder.path().join(name);
        fs::rename(path("away"), path(disk)).unwrap();
    }

    /// Nothing can be written beside the record any more: it cannot be locked, but read.
    fn stop_writing(&self) {
        let lock = self.lock();
        fs::remove_file(&lock).unwrap();
        fs::create_dir(lock).unwrap();
    }

    fn write_again(&self) {
        fs::remove_dir(self.lock()).unwrap();
    }

    fn lock(&self) -> PathBuf {
        self.main.with_file_name("conference.db.lock")
    }

    fn log(&self) -> PathBuf {
        self.main.with_file_name("conference.db-wal")
    }

    /// Beside the mirror no copy of the main journal can be made: its place is taken.
    fn leave_no_room(&self) {
        fs::write(self.mirror.with_file_name("conference.db.main"), "").unwrap();
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

/// A mirror that was away while the record went on, to a signed end.
fn lagging(mirror: u32, main: u32) -> Disks {
    let disks = Disks::with(mirror);
    let mut journal = SqliteJournal::open(&disks.main, key()).unwrap();
    fill(&mut journal, mirror + 1..=main);
    journal.close().unwrap();
    disks
}

/// A record that was killed and can only be read, and knows more than its mirror: what is new stands in its log, a transaction for
/// each. Gives its files too.
fn killed(mirror: u32, main: u32) -> (Disks, Vec<(PathBuf, Vec<u8>)>) {
    let disks = Disks::with(mirror);
    let mut journal = SqliteJournal::open(&disks.main, key()).unwrap();
    for number in mirror + 1..=main {
        fill(&mut journal, number..=number);
    }
    let files = [disks.main.clone(), disks.log()];
    let left: Vec<_> = files
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .into();
    drop(journal);
    for (path, bytes) in &left {
        fs::write(path, bytes).unwrap();
    }
    (disks, left)
}

/// One letter of a record is another one.
fn change(path: &Path, number: u32) {
    let db = Connection::open(path).unwrap();
    let change = "UPDATE journal SET body = CAST(replace(CAST(body AS TEXT), 'nhất', 'nhứt') AS BLOB) WHERE number = ?1";
    assert_eq!(db.execute(change, [number]).unwrap(), 1);
}

/// The last record is not counted any more by the page it stands on.
fn hide_last(path: &Path) {
    let db = Connection::open(path).unwrap();
    let number = |query: &str| -> usize {
        let number: i64 = db.query_row(query, [], |row| row.get(0)).unwrap();
        number.try_into().unwrap()
    };
    let size = number("PRAGMA page_size");
    let mut page = number("SELECT rootpage FROM sqlite_schema WHERE name = 'journal'");
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(db);
    let mut bytes = fs::read(path).unwrap();
    let head = loop {
        let head = (page - 1) * size;
        // A table's inner page names the last one below it.
        match bytes[head] {
            5 => page = u32::from_be_bytes(bytes[head + 8..head + 12].try_into().unwrap()) as usize,
            13 => break head,
            other => panic!("no page of a table: {other}"),
        }
    };
    let count = u16::from_be_bytes([bytes[head + 3], bytes[head + 4]]) - 1;
    bytes[head + 3..head + 5].copy_from_slice(&count.to_be_bytes());
    fs::write(path, bytes).unwrap();
}

/// A record that can be opened and read, and takes no byte: its log is a pipe, which is empty and cannot be written as a file
/// is.
fn takes_nothing(path: &Path) {
    let log = path.with_file_name("conference.db-wal");
    fs::remove_file(&log).unwrap();
    mkfifoat(CWD, &log, Mode::RUSR | Mode::WUSR).unwrap();
}

/// The numbers that are signed.
fn signed(path: &Path) -> Vec<i64> {
    let db = Connection::open(path).unwrap();
    let mut select = db
        .prepare("SELECT number FROM checkpoint WHERE number > 20 ORDER BY number")
        .unwrap();
    let rows = select.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn fill(journal: &mut dyn Journal, numbers: RangeInclusive<u32>) {
    let entries: Vec<_> = numbers.map(entry).collect();
    journal.append(&entries).unwrap();
}

/// Touches it, as the server does once a second, until nothing else is wrong with it.
fn until(journal: &mut MirroredJournal, wanted: BTreeSet<Alarm>) {
    let begun = Instant::now();
    while journal.alarms() != wanted {
        assert!(begun.elapsed() < LIVE, "{:?}", journal.alarms());
        journal.touch(Millis(7));
        thread::yield_now();
    }
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
    // Whether it knew more nobody can tell.
    assert_eq!(journal.alarms(), alarms([Alarm::RecordMayLack]));
    fill(&mut journal, 301..=310);
    until(&mut journal, alarms([Alarm::RecordMayLack]));
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
    until(&mut journal, alarms([]));
    drop(journal);
    fs::write(&disks.main, old).unwrap();

    let journal = disks.open().unwrap();
    assert_eq!(journal.last_number(), 30);
    assert_eq!(journal.alarms(), alarms([Alarm::RecordMayLack]));
    drop(journal);
    disks.are_equal();
}

#[test]
fn what_a_lost_record_knew_more_than_a_mirror_that_lagged_nobody_says_is_not_lost() {
    let disks = lagging(20, 40);
    fs::remove_file(&disks.main).unwrap();
    fs::remove_file(disks.log()).unwrap();
    let journal = disks.open().unwrap();
    assert_eq!(journal.last_number(), 20);
    assert_eq!(journal.alarms(), alarms([Alarm::RecordMayLack]));
}

#[test]
fn nor_where_it_cannot_be_written_anew_at_once() {
    let disks = lagging(20, 40);
    fs::remove_file(&disks.main).unwrap();
    fs::remove_file(disks.log()).unwrap();
    disks.stop_writing();
    let mut journal = disks.open().unwrap();
    let told = alarms([Alarm::RecordMayLack, Alarm::RecordOnMirror]);
    assert_eq!(journal.alarms(), told);
    fill(&mut journal, 21..=30);
    disks.write_again();
    until(&mut journal, alarms([Alarm::RecordMayLack]));
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
fn a_damaged_mirror_beside_no_record_that_can_be_used_is_left_to_a_person() {
    let lost = |disks: &Disks| fs::remove_file(&disks.main).unwrap();
    let gone = |disks: &Disks| disks.take_away("one");
    let damaged = |disks: &Disks| change(&disks.main, 7);
    for harm in [
        &lost as &dyn Fn(&Disks),
        &gone,
        &Disks::stop_writing,
        &damaged,
    ] {
        let disks = Disks::with(20);
        change(&disks.mirror, 5);
        let before = fs::read(&disks.mirror).unwrap();
        harm(&disks);
        // It says so each time: nothing is begun meanwhile.
        for _ in 0..2 {
            let opened = disks.open().map(|_| ());
            let Err(JournalError::DamagedMirror {
                file, number: 5, ..
            }) = opened
            else {
                panic!("{opened:?}");
            };
            assert_eq!(file, disks.mirror);
        }
        assert!(!disks.put_away("two"), "the only record is put away");
        assert_eq!(fs::read(&disks.mirror).unwrap(), before);
    }
}

#[test]
fn a_damaged_mirror_in_which_alone_the_conference_went_on_is_left_to_a_person() {
    for harm in [hide_last, |path: &Path| change(path, 25)] {
        let disks = Disks::with(20);
        let mut mirror = SqliteJournal::open(&disks.mirror, key()).unwrap();
        fill(&mut mirror, 21..=30);
        drop(mirror);
        harm(&disks.mirror);
        let opened = disks.open().map(|_| ());
        assert!(
            matches!(opened, Err(JournalError::Corrupt { number: 21, .. })),
            "{opened:?}"
        );
        assert!(!disks.put_away("two"), "it is put away");
    }
}

#[test]
fn what_a_page_of_a_damaged_record_hides_may_be_what_its_mirror_lacks_and_that_is_told() {
    for writable in [true, false] {
        let disks = Disks::with(29);
        let mut main = SqliteJournal::open(&disks.main, key()).unwrap();
        fill(&mut main, 30..=30);
        drop(main);
        hide_last(&disks.main);
        if !writable {
            disks.stop_writing();
        }
        let journal = disks.open().unwrap();
        assert_eq!(journal.last_number(), 29);
        assert_eq!(journal.alarms(), alarms([Alarm::RecordMayLack]));
        drop(journal);
        assert_eq!(disks.put_away("one"), writable);
    }
}

#[test]
fn a_damaged_mirror_stays_where_it_is_while_another_program_uses_the_record() {
    let disks = Disks::with(20);
    change(&disks.mirror, 5);
    let _other = SqliteJournal::open(&disks.main, key()).unwrap();
    let opened = disks.open().map(|_| ());
    assert!(matches!(opened, Err(JournalError::Locked)), "{opened:?}");
    assert!(!disks.put_away("two"));
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
fn what_a_damaged_record_has_behind_its_mirrors_end_is_taken_before_it_is_put_away() {
    for writable in [true, false] {
        let disks = lagging(20, 40);
        change(&disks.main, 5);
        if !writable {
            disks.stop_writing();
        }
        let mut journal = disks.open().unwrap();
        assert_eq!(journal.last_number(), 40, "acknowledged events are gone");
        assert_eq!(all(&mut journal).len(), 40);
        let told = match writable {
            true => Alarm::RecordRebuilt,
            false => Alarm::RecordOnMirror,
        };
        assert_eq!(journal.alarms(), alarms([told]));
        drop(journal);
        assert_eq!(disks.put_away("one"), writable);
        assert_eq!(signed(&disks.mirror), [40], "with its signature");
        if writable {
            disks.are_equal();
        }
    }
}

#[test]
fn a_damaged_record_that_shows_more_than_can_be_had_is_left_to_a_person() {
    let cut = |disks: &Disks| {
        let db = Connection::open(&disks.main).unwrap();
        let delete = "DELETE FROM journal WHERE number > 20";
        db.execute(delete, []).unwrap();
    };
    let broken = |disks: &Disks| change(&disks.main, 30);
    // Of what was cut off only the signature is left.
    for harm in [&cut as &dyn Fn(&Disks), &broken] {
        for writable in [true, false] {
            let disks = lagging(20, 40);
            change(&disks.main, 5);
            harm(&disks);
            if !writable {
                disks.stop_writing();
            }
            let opened = disks.open().map(|_| ());
            assert!(
                matches!(opened, Err(JournalError::Corrupt { number: 21, .. })),
                "{opened:?}"
            );
            assert!(!disks.put_away("one"), "nothing was touched");
        }
    }
}

#[test]
fn of_a_record_that_shows_nothing_any_more_nobody_can_tell_what_it_knew() {
    let disks = lagging(20, 40);
    fs::write(&disks.main, "Biên bản hội nghị. ".repeat(500)).unwrap();
    let journal = disks.open().unwrap();
    assert_eq!(journal.last_number(), 20);
    assert_eq!(journal.alarms(), alarms([Alarm::RecordMayLack]));
    drop(journal);
    assert!(disks.put_away("one"));

    // A mirror that is as empty knows nothing: there is no record to go on from.
    fs::write(&disks.main, "Biên bản hội nghị. ".repeat(500)).unwrap();
    fs::remove_file(&disks.mirror).unwrap();
    let opened = disks.open().map(|_| ());
    assert!(
        matches!(opened, Err(JournalError::Corrupt { number: 1, .. })),
        "{opened:?}"
    );
}

#[test]
fn what_a_damaged_record_may_have_known_more_is_told_also_when_its_disk_takes_no_new_one() {
    let disks = lagging(20, 40);
    fs::write(&disks.main, "Biên bản hội nghị. ".repeat(500)).unwrap();
    // SQLite cannot begin a database whose rollback journal cannot be made, and puts up with that in one that is there.
    let journal = disks.main.with_file_name("conference.db-journal");
    symlink(disks.folder.path().join("nowhere/journal"), &journal).unwrap();
    let mut opened = disks.open().unwrap();
    assert!(disks.put_away("one"));
    assert_eq!(opened.last_number(), 20);
    let told = alarms([Alarm::RecordMayLack, Alarm::RecordOnMirror]);
    assert_eq!(opened.alarms(), told);

    fs::remove_file(journal).unwrap();
    until(&mut opened, alarms([Alarm::RecordMayLack]));
    drop(opened);
    disks.are_equal();
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
fn a_damaged_record_is_not_put_away_for_another_one() {
    // It is damaged behind where they part, or with its first record, or so that nothing before the damage tells.
    for (common, damaged) in [(20, 24), (20, 21), (0, 1), (0, 3)] {
        for writable in [true, false] {
            let disks = match common {
                0 => Disks::new(),
                common => Disks::with(common),
            };
            for (path, at, count) in [(&disks.main, common + 1, 6), (&disks.mirror, 100, 10)] {
                let mut journal = SqliteJournal::open(path, key()).unwrap();
                fill(&mut journal, at..=at + count);
                journal.close().unwrap();
            }
            change(&disks.main, damaged);
            let files = [&disks.main, &disks.mirror];
            let before = files.map(|path| fs::read(path).unwrap());
            if !writable {
                disks.stop_writing();
            }
            let opened = disks.open().map(|_| ());
            let Err(JournalError::Fork { number }) = opened else {
                panic!("{common}, {damaged}: {opened:?}");
            };
            assert!(
                (common + 1..=damaged).contains(&(number as u32)),
                "{number}"
            );
            assert!(!disks.put_away("one"), "a readable record is put away");
            assert!(before == files.map(|path| fs::read(path).unwrap()));
        }
    }
}

#[test]
fn a_mirror_that_alone_has_the_record_and_cannot_be_opened_begins_no_other() {
    for is_empty in [true, false] {
        let disks = Disks::with(20);
        fs::remove_file(&disks.main).unwrap();
        fs::remove_file(disks.log()).unwrap();
        if is_empty {
            drop(SqliteJournal::open(&disks.main, key()).unwrap());
        }
        // It can be read, and not be locked.
        let lock = disks.mirror.with_file_name("conference.db.lock");
        fs::remove_file(&lock).unwrap();
        fs::create_dir(&lock).unwrap();
        let refused = disks.open().map(|_| ()).unwrap_err();
        let said = format!("{refused}");
        assert!(said.contains(disks.mirror.to_str().unwrap()), "{said}");
        assert!(refused.source().is_some(), "nobody says why");
        assert_eq!(disks.main.exists(), is_empty);

        fs::remove_dir(lock).unwrap();
        assert_eq!(disks.open().unwrap().last_number(), 20);
    }
}

#[test]
fn the_conference_goes_on_without_its_mirror_and_the_mirror_catches_up() {
    let disks = Disks::with(20);
    disks.take_away("two");
    let mut journal = disks.open().unwrap();
    assert_eq!(journal.alarms(), alarms([Alarm::MirrorFails]));
    // More than is copied at once.
    for from in [21, 1_021, 2_021] {
        fill(&mut journal, from..=from + 999);
        journal.touch(Millis(1));
    }
    assert_eq!(journal.alarms(), alarms([Alarm::MirrorFails]));

    disks.put_back("two");
    until(&mut journal, alarms([]));
    fill(&mut journal, 3_021..=3_022);
    until(&mut journal, alarms([]));
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
    until(&mut journal, alarms([]));
    drop((journal, intruder));
    disks.are_equal();
}

#[test]
fn a_mirror_that_hangs_holds_up_nobody_and_catches_up() {
    let disks = Disks::with(20);
    let mut journal = disks.open().unwrap();
    let hangs = Connection::open(&disks.mirror).unwrap();
    hangs.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Whoever waited for it each time would wait for minutes.
    let begun = Instant::now();
    for number in 21..=50 {
        fill(&mut journal, number..=number);
        journal.touch(Millis(u64::from(number)));
    }
    assert_eq!(journal.last_number(), 50);
    assert_eq!(journal.alarms(), alarms([Alarm::MirrorFails]));
    assert!(begun.elapsed() < LIVE);

    hangs.execute_batch("ROLLBACK").unwrap();
    until(&mut journal, alarms([]));
    fill(&mut journal, 51..=52);
    until(&mut journal, alarms([]));
    drop((journal, hangs));
    disks.are_equal();
}

#[test]
fn a_mirror_that_another_program_uses_is_done_without_until_it_is_free() {
    let disks = Disks::with(20);
    let other = SqliteJournal::open(&disks.mirror, key()).unwrap();
    let mut journal = disks.open().unwrap();
    assert_eq!(journal.alarms(), alarms([Alarm::MirrorFails]));
    fill(&mut journal, 21..=22);
    drop(other);
    until(&mut journal, alarms([]));
    drop(journal);
    disks.are_equal();

    // Where there is no other record, it may be this one.
    fs::remove_file(&disks.main).unwrap();
    let _other = SqliteJournal::open(&disks.mirror, key()).unwrap();
    let opened = disks.open().map(|_| ());
    assert!(matches!(opened, Err(JournalError::Locked)), "{opened:?}");
}

#[test]
fn a_mirror_that_knows_more_is_not_taken_for_one_that_follows() {
    let disks = Disks::with(20);
    let old = fs::read(&disks.main).unwrap();
    let mut journal = disks.open().unwrap();
    fill(&mut journal, 21..=30);
    until(&mut journal, alarms([]));
    drop(journal);
    fs::write(&disks.main, old).unwrap();

    // Nobody can see at the start that the main one is an old copy.
    disks.take_away("two");
    let mut journal = disks.open().unwrap();
    disks.put_back("two");
    // What it knows was acknowledged, and is missing here: that is told until the next start.
    until(
        &mut journal,
        alarms([Alarm::MirrorFails, Alarm::RecordMayLack]),
    );
    for _ in 0..100 {
        journal.touch(Millis(1));
        thread::yield_now();
        assert_eq!(
            journal.alarms(),
            alarms([Alarm::MirrorFails, Alarm::RecordMayLack])
        );
    }
    fill(&mut journal, 100..=101);
    drop(journal);
    let kept = all(&mut SqliteJournal::open(&disks.mirror, key()).unwrap());
    assert_eq!(kept.len(), 30, "what it knows is left to a person");
    let opened = disks.open().map(|_| ());
    assert!(
        matches!(opened, Err(JournalError::Fork { number: 21 })),
        "{opened:?}"
    );
}

#[test]
fn that_a_record_may_lack_what_its_mirror_knew_is_told_also_when_the_mirror_is_begun_anew() {
    let disks = Disks::with(20);
    let mut mirror = SqliteJournal::open(&disks.mirror, key()).unwrap();
    fill(&mut mirror, 21..=30);
    drop(mirror);
    disks.take_away("two");
    let mut journal = disks.open().unwrap();
    disks.put_back("two");
    until(
        &mut journal,
        alarms([Alarm::MirrorFails, Alarm::RecordMayLack]),
    );
    fs::remove_file(&disks.mirror).unwrap();
    until(&mut journal, alarms([Alarm::RecordMayLack]));
}

#[test]
fn a_mirror_of_another_conference_takes_nothing_from_this_one() {
    let disks = Disks::with(20);
    disks.take_away("two");
    let mirror = disks.folder.path().join("away/conference.db");
    fs::remove_file(&mirror).unwrap();
    let mut other = SqliteJournal::open(&mirror, key()).unwrap();
    fill(&mut other, 100..=130);
    drop(other);
    let mut journal = disks.open().unwrap();
    disks.put_back("two");
    for _ in 0..100 {
        journal.touch(Millis(1));
        thread::yield_now();
        assert_eq!(journal.alarms(), alarms([Alarm::MirrorFails]));
    }
}

#[test]
fn a_record_whose_disk_is_gone_at_the_start_goes_on_in_its_mirror_and_catches_up() {
    let disks = Disks::with(20);
    disks.take_away("one");
    let mut journal = disks.open().unwrap();
    assert_eq!(journal.last_number(), 20);
    // Nobody can tell whether it knew more.
    assert_eq!(journal.alarms(), alarms([Alarm::RecordMayLack]));
    fill(&mut journal, 21..=25);
    journal.touch(Millis(1));
    assert_eq!(journal.alarms(), alarms([Alarm::RecordMayLack]));

    disks.put_back("one");
    until(&mut journal, alarms([]));
    fill(&mut journal, 26..=27);
    until(&mut journal, alarms([]));
    drop(journal);
    disks.are_equal();
    assert_eq!(disks.open().unwrap().alarms(), alarms([]));
}

#[test]
fn a_record_whose_disk_takes_nothing_at_the_start_goes_on_in_its_mirror_and_follows() {
    let disks = lagging(20, 40);
    takes_nothing(&disks.main);
    let mut journal = disks.open().unwrap();
    assert_eq!(journal.alarms(), alarms([Alarm::RecordOnMirror]));
    assert_eq!(journal.last_number(), 40, "acknowledged events are gone");
    fill(&mut journal, 41..=42);
    // The log goes that took nothing: there is room.
    fs::remove_file(disks.log()).unwrap();
    until(&mut journal, alarms([]));
    drop(journal);
    disks.are_equal();
}

#[test]
fn a_conference_that_goes_on_in_its_mirror_knows_when_the_server_was_last_alive() {
    let disks = Disks::with(20);
    let late = Millis(entry(30).at.0);
    // The mirror was away, and only the main journal's sign of life went on.
    let mut main = SqliteJournal::open(&disks.main, key()).unwrap();
    main.touch(late);
    drop(main);
    // It can be opened and not written, or not even opened.
    takes_nothing(&disks.main);
    let mut journal = disks.open().unwrap();
    assert_eq!(journal.alarms(), alarms([Alarm::RecordOnMirror]));
    assert_eq!(journal.last_alive(), Some(late));
    drop(journal);
    let alive = disks.mirror.with_file_name("conference.db.alive");
    fs::remove_file(alive).unwrap();
    disks.stop_writing();
    let mut journal = disks.open().unwrap();
    assert_eq!(journal.alarms(), alarms([Alarm::RecordOnMirror]));
    assert_eq!(journal.last_alive(), Some(late));
}

#[test]
fn where_neither_can_be_written_the_main_record_waits_for_room() {
    let disks = lagging(20, 40);
    takes_nothing(&disks.main);
    takes_nothing(&disks.mirror);
    let mut journal = disks.open().unwrap();
    assert_eq!(journal.last_number(), 40);
    let refused = journal.append(&[entry(41)]);
    assert!(matches!(refused, Err(JournalError::Io(_))), "{refused:?}");
    assert_eq!(journal.alarms(), alarms([Alarm::MirrorFails]));
}

#[test]
fn a_record_that_another_program_uses_is_not_left_for_its_mirror() {
    let disks = Disks::with(20);
    let _other = SqliteJournal::open(&disks.main, key()).unwrap();
    let opened = disks.open().map(|_| ());
    assert!(matches!(opened, Err(JournalError::Locked)), "{opened:?}");
}

#[test]
fn what_only_a_record_that_cannot_be_written_knows_is_in_its_mirror_from_the_start() {
    let (disks, left) = killed(20, 30);
    disks.stop_writing();

    let mut journal = disks.open().unwrap();
    assert_eq!(journal.last_number(), 30, "acknowledged events are gone");
    assert_eq!(journal.alarms(), alarms([Alarm::RecordOnMirror]));
    for (path, bytes) in left {
        assert_eq!(fs::read(path).unwrap(), bytes, "it was written to");
    }
    let files = fs::read_dir(disks.mirror.parent().unwrap()).unwrap();
    let mut names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(!names.any(|name| name.ends_with(".main")), "a copy is left");

    fill(&mut journal, 31..=32);
    disks.write_again();
    until(&mut journal, alarms([]));
    drop(journal);
    disks.are_equal();
}

#[test]
fn a_record_that_can_only_be_read_and_for_which_its_mirror_has_no_room_is_left_to_a_person() {
    // With a log, which only a copy can be read with, and without one.
    let (logged, _) = killed(20, 30);
    logged.leave_no_room();
    let folded = lagging(20, 40);
    takes_nothing(&folded.mirror);
    for disks in [logged, folded] {
        disks.stop_writing();
        let opened = disks.open().map(|_| ());
        let Err(JournalError::NoRoom { mirror, .. }) = opened else {
            panic!("it goes on without acknowledged events: {opened:?}");
        };
        assert_eq!(mirror, disks.mirror);
    }
}

#[test]
fn a_mirror_that_has_everything_needs_no_room_to_be_the_record() {
    let disks = Disks::with(20);
    disks.leave_no_room();
    disks.stop_writing();
    let journal = disks.open().unwrap();
    assert_eq!(journal.last_number(), 20);
    assert_eq!(journal.alarms(), alarms([Alarm::RecordOnMirror]));
}

#[test]
fn of_a_record_whose_log_is_damaged_in_its_middle_nobody_can_tell_what_it_knew() {
    for writable in [true, false] {
        let (disks, left) = killed(20, 30);
        let (path, mut log) = left[1].clone();
        log[1_000] ^= 1;
        fs::write(path, log).unwrap();
        if !writable {
            disks.stop_writing();
        }
        let journal = disks.open().unwrap();
        assert_eq!(journal.last_number(), 20);
        assert!(
            journal.alarms().contains(&Alarm::RecordMayLack),
            "nobody is told"
        );
        drop(journal);
        assert_eq!(disks.put_away("one"), writable);
    }
}

#[test]
fn a_record_that_cannot_be_written_and_is_behind_or_damaged_follows_its_mirror() {
    for (damaged, alarm) in [(false, Alarm::RecordOnMirror), (true, Alarm::RecordMayLack)] {
        let disks = Disks::with(20);
        let mut mirror = SqliteJournal::open(&disks.mirror, key()).unwrap();
        fill(&mut mirror, 21..=30);
        drop(mirror);
        if damaged {
            fs::write(&disks.main, "Biên bản hội nghị. ".repeat(500)).unwrap();
        }
        disks.stop_writing();
        let journal = disks.open().unwrap();
        assert_eq!(journal.last_number(), 30);
        assert_eq!(journal.alarms(), alarms([alarm]));
    }
}

#[test]
fn a_record_that_cannot_be_written_and_is_another_or_damaged_behind_its_mirror_is_left_to_a_person()
{
    let disks = Disks::with(20);
    for (path, at) in [(&disks.main, 21), (&disks.mirror, 100)] {
        let mut journal = SqliteJournal::open(path, key()).unwrap();
        fill(&mut journal, at..=at + 5);
    }
    disks.stop_writing();
    let opened = disks.open().map(|_| ());
    assert!(
        matches!(opened, Err(JournalError::Fork { number: 21 })),
        "{opened:?}"
    );

    let disks = Disks::with(20);
    let mut main = SqliteJournal::open(&disks.main, key()).unwrap();
    fill(&mut main, 21..=40);
    drop(main);
    let db = Connection::open(&disks.main).unwrap();
    let delete = "DELETE FROM journal WHERE number = 30";
    db.execute(delete, []).unwrap();
    drop(db);
    disks.stop_writing();
    let opened = disks.open().map(|_| ());
    assert!(
        matches!(opened, Err(JournalError::Corrupt { number: 30, .. })),
        "{opened:?}"
    );
}

#[test]
fn a_record_does_not_fail_for_want_of_a_sign_of_life() {
    let disks = Disks::with(20);
    let alive = disks.main.with_file_name("conference.db.alive");
    fs::remove_file(&alive).unwrap();
    fs::create_dir(alive).unwrap();
    let mut journal = disks.open().unwrap();
    journal.touch(Millis(1));
    fill(&mut journal, 21..=22);
    until(&mut journal, alarms([]));
}
