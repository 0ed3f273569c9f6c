//! The program's exit codes, and a log that a server left open.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use diemcau_conference::Event;
use diemcau_journal::{CheckpointKey, Entry, Journal, SqliteJournal};
use diemcau_model::{Millis, TurnId};
use diemcau_verify::{verify, verify_by};
use std::{fs, path::Path, process::Command};

#[test]
fn a_sound_record_is_0_a_changed_one_1_and_none_2() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path()).0, 2);

    let file = folder.path().join("conference.db");
    SqliteJournal::open(&file, key())
        .unwrap()
        .append(&entries(3))
        .unwrap();
    let (code, line) = run(folder.path());
    assert_eq!(code, 0, "{line}");
    assert!(line.starts_with("sound: 3 events"), "{line}");

    let edit = "UPDATE journal SET body = CAST(replace(body, '60', '61') AS BLOB) WHERE number = 2";
    rusqlite::Connection::open(&file)
        .unwrap()
        .execute(edit, [])
        .unwrap();
    let (code, line) = run(folder.path());
    assert_eq!(code, 1, "{line}");
    assert!(
        line.contains("conference.db from byte ") && line.contains("event 2: "),
        "{line}"
    );
}

#[test]
fn a_running_servers_log_is_read_and_a_change_in_it_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path().join("conference.db"), key()).unwrap();
    for _ in 0..5 {
        journal.append(&entries(1)).unwrap();
    }
    let sound = verify(folder.path()).unwrap().unwrap().unwrap();
    assert_eq!(sound.number, 5);

    let log = folder.path().join("conference.db-wal");
    let whole = fs::read(&log).unwrap();
    let frame = 24 + 4_096;
    // The last transaction is one frame: a change there looks like one that a crash tore.
    // Every byte of the heads is another matter; within a page one is as good as another.
    let within =
        |byte: &usize| (byte + frame - 32) % frame < 24 || *byte < 32 || byte.is_multiple_of(997);
    for byte in (0..whole.len() - frame).filter(within) {
        let mut spoilt = whole.clone();
        spoilt[byte] ^= 1;
        fs::write(&log, &spoilt).unwrap();
        let found = verify(folder.path()).unwrap().unwrap();
        let finding = found.expect_err(&format!("byte {byte}"));
        assert_eq!(finding.spots[0].file, "conference.db-wal");
        let named = finding.spots[0].bytes.clone();
        assert!(named.contains(&(byte as u64)), "byte {byte}: {finding}");
    }
    for byte in [0, 0xa5] {
        let mut spoilt = whole.clone();
        spoilt[..512].fill(byte);
        fs::write(&log, &spoilt).unwrap();
        let found = verify(folder.path()).unwrap();
        assert!(matches!(found, Some(Err(_))), "the first sector is gone");
    }
    fs::write(&log, &whole[..whole.len() - frame]).unwrap();
    let torn = verify(folder.path()).unwrap().unwrap().unwrap();
    assert_eq!(torn.number, 4, "a torn end is none of the record");
    fs::write(&log, &whole).unwrap();
}

/// A running server writes its log over what an earlier round left there, and a reader may come to a place before it and to
/// the next one behind it.
#[test]
fn a_log_that_is_written_while_it_is_read_is_read_again_and_a_change_is_found_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conference.db");
    let mut journal = SqliteJournal::open(&path, key()).unwrap();
    for _ in 0..20 {
        journal.append(&entries(1)).unwrap();
    }
    let fold = rusqlite::Connection::open(&path).unwrap();
    fold.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))
        .unwrap();
    // The new round begins with a head of its own.
    journal.append(&entries(1)).unwrap();
    let log = || fs::read(folder.path().join("conference.db-wal")).unwrap();
    let before = log();
    for _ in 0..4 {
        journal.append(&entries(1)).unwrap();
    }
    let whole = log();
    let first = before.iter().zip(&whole).position(|(a, b)| a != b).unwrap();
    let frame = 24 + 4_096;
    let place = 32 + (first - 32) / frame * frame;
    let mut mixed = whole.clone();
    mixed[place..place + frame].copy_from_slice(&before[place..place + frame]);

    // So it is copied once, and so each time if it was changed.
    for (mixed_reads, is_sound) in [(2, true), (usize::MAX, false)] {
        let mut reads = 0;
        let found = verify_by(&mut |name| {
            reads += usize::from(name.ends_with("-wal"));
            match name.ends_with("-wal") && reads <= mixed_reads {
                true => Ok(mixed.clone()),
                false => fs::read(folder.path().join(name)),
            }
        });
        let found = found.unwrap().unwrap();
        assert_eq!(found.is_ok(), is_sound, "{found:?}");
        if let Ok(sound) = found {
            assert_eq!(sound.number, 25);
        }
    }
}

fn key() -> CheckpointKey {
    CheckpointKey::from_seed(&[7; 32]).unwrap()
}

fn run(folder: &Path) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_diemcau-verify"))
        .arg(folder)
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

fn entries(count: u32) -> Vec<Entry> {
    let entry = |n| Entry {
        at: Millis(5),
        seat: None,
        command: None,
        event: Event::TurnWarned {
            turn: TurnId(n),
            left_s: 60,
        },
    };
    (0..count).map(entry).collect()
}
