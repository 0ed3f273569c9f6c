//! The program's exit codes, and a log that a server left open.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use diemcau_conference::Event;
use diemcau_journal::{CheckpointKey, Entry, Journal, SqliteJournal};
use diemcau_model::{Millis, TurnId};
use diemcau_verify::verify;
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
