//! Random edits of a real journal: each one that changes what a reader gets is found, with its place.
//!
//! 300 of them here; more by `cargo xtask edits --count 10000 --seed 7`. SQLite itself is the judge of whether an edit
//! changes anything: it leaves free space in its pages, and a byte changed there is no edit of the record.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use diemcau_conference::{CommentKind, CommentWords, Event, TurnEnd};
use diemcau_journal::{CHECKPOINT_EVERY, CheckpointKey, Entry, Journal, SqliteJournal};
use diemcau_model::{CommentId, DraftId, Millis, ParagraphRef, SeatId, SiteId, TurnId};
use diemcau_verify::{Finding, Sound, verify};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::{env, fs, ops::RangeInclusive, path::Path};
use tempfile::TempDir;

const RECORDS: u64 = 600;
const KINDS: u64 = 12;

#[test]
fn every_random_edit_is_found_with_its_place() {
    let setting = |name, otherwise| env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    let (count, seed) = (setting("EDITS", 300), setting("SEED", 7));
    let folder = journal();
    let whole = fs::read(folder.path().join("conference.db")).unwrap();
    let before = judged(folder.path());
    let sound = checked(folder.path()).unwrap();
    assert_eq!(
        (sound.number, sound.signed),
        (RECORDS as i64, RECORDS as i64)
    );
    assert_eq!(sound.key, key(7).public());

    let mut chance = Chance(seed);
    let (mut found, mut harmless) = (0, 0);
    while found < count {
        fs::write(folder.path().join("conference.db"), &whole).unwrap();
        let edit = Edit::make(folder.path(), &mut chance);
        let after = judged(folder.path());
        if after == before {
            harmless += 1;
            continue;
        }
        let Err(finding) = checked(folder.path()) else {
            panic!("seed {seed}, edit {found}: {edit:?} is not found");
        };
        // The judge reads up to what it cannot read: the first record that is another, or none, is the one to name.
        let same = before.iter().zip(&after).take_while(|(a, b)| a == b);
        let numbers = edit.numbers.clone().unwrap_or(0..=same.count() as u64 + 1);
        assert!(
            numbers.contains(&(finding.number as u64)),
            "{edit:?}, which may be {numbers:?}: {finding}"
        );
        assert!(!finding.spots.is_empty(), "{edit:?}: {finding}");
        if let Some(byte) = edit
            .byte
            .filter(|_| finding.number as u64 == *numbers.end())
        {
            let named = finding
                .spots
                .iter()
                .any(|spot| near(spot.bytes.start, spot.bytes.end, byte));
            assert!(
                named || finding.what.contains("missing"),
                "{edit:?}: {finding}"
            );
        }
        found += 1;
    }
    println!(
        "{found} edits, {found} found with the place; {harmless} more changed nothing that can be read"
    );
}

#[test]
fn a_pointer_to_nowhere_is_told_by_the_page_it_stands_in() {
    let folder = journal();
    let file = folder.path().join("conference.db");
    let mut bytes = fs::read(&file).unwrap();
    // The journal's table begins in the second page, with pointers to the pages below; its first cell begins with one.
    assert_eq!(bytes[4_096], 5);
    let cell = 4_096 + usize::from(u16::from_be_bytes([bytes[4_108], bytes[4_109]]));
    bytes[cell..cell + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    fs::write(&file, &bytes).unwrap();
    let finding = checked(folder.path()).unwrap_err();
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

#[derive(Debug)]
#[allow(dead_code, reason = "shown when an edit is not found")]
struct Edit {
    what: String,
    /// The events of which one must be named, when they are known without a judge.
    numbers: Option<RangeInclusive<u64>>,
    /// The byte of the file that was changed.
    byte: Option<u64>,
}

impl Edit {
    fn make(folder: &Path, chance: &mut Chance) -> Self {
        let file = folder.join("conference.db");
        let (one, other) = (1 + chance.below(RECORDS - 1), 1 + chance.below(RECORDS - 1));
        let (low, high) = (one.min(other), one.max(other));
        let told = |what: String, numbers| Self {
            what,
            numbers: Some(numbers),
            byte: None,
        };
        match chance.below(KINDS) {
            0..=2 => Self::flip(&file, chance),
            3 => Self::cut(&file, chance),
            4 => {
                sql(&file, &format!("DELETE FROM journal WHERE number = {one}"));
                told(format!("{one} deleted"), one..=one)
            }
            5 => {
                // Deleted, and those behind it numbered anew.
                sql(
                    &file,
                    &format!(
                        "DELETE FROM journal WHERE number = {one};
                    UPDATE journal SET number = -number WHERE number > {one};
                    UPDATE journal SET number = -number - 1 WHERE number < 0"
                    ),
                );
                told(format!("{one} deleted and closed up"), one..=one)
            }
            6 => {
                sql(&file, &format!("UPDATE journal SET number = -number WHERE number > {one};
                    UPDATE journal SET number = -number + 1 WHERE number < 0;
                    INSERT INTO journal SELECT {one} + 1, version, body, hash FROM journal WHERE number = {one}"));
                told(format!("{one} doubled"), one + 1..=one + 1)
            }
            7 if low != high => {
                sql(
                    &file,
                    &format!(
                        "UPDATE journal SET number = -1 WHERE number = {low};
                    UPDATE journal SET number = {low} WHERE number = {high};
                    UPDATE journal SET number = {high} WHERE number = -1"
                    ),
                );
                told(format!("{low} and {high} exchanged"), low..=low)
            }
            8 => {
                rewrite(&file, one, chance);
                let signed = one.next_multiple_of(CHECKPOINT_EVERY).min(RECORDS);
                // Another time alone may show that a command's events do not belong together.
                told(format!("all written anew from {one}"), one..=signed)
            }
            9 => {
                let signed = [256, 512, RECORDS][chance.below(3) as usize];
                let key = key(1 + chance.below(6) as u8);
                sign(&file, signed, &key);
                told(format!("{signed} signed with another key"), 1..=signed)
            }
            10 => {
                let due = [256, 512][chance.below(2) as usize];
                sql(
                    &file,
                    &format!("DELETE FROM checkpoint WHERE number = {due}"),
                );
                told(format!("checkpoint {due} deleted"), due..=due)
            }
            _ => {
                reseal(&file, one, chance);
                told(format!("{one} written anew with its hash"), one..=one + 1)
            }
        }
    }

    fn flip(file: &Path, chance: &mut Chance) -> Self {
        let mut bytes = fs::read(file).unwrap();
        let byte = chance.below(bytes.len() as u64);
        let mask = 1 + chance.below(255) as u8;
        bytes[byte as usize] ^= mask;
        fs::write(file, bytes).unwrap();
        Self {
            what: format!("byte {byte} ^ {mask:#04x}"),
            numbers: None,
            byte: Some(byte),
        }
    }

    /// Takes bytes out of the middle, or all to the end.
    fn cut(file: &Path, chance: &mut Chance) -> Self {
        let mut bytes = fs::read(file).unwrap();
        let from = chance.below(bytes.len() as u64) as usize;
        let rest = bytes.len() - from;
        let count = if chance.below(2) == 0 {
            rest
        } else {
            1 + chance.below(rest as u64) as usize
        };
        bytes.drain(from..from + count);
        fs::write(file, bytes).unwrap();
        Self {
            what: format!("{count} bytes cut out at {from}"),
            numbers: None,
            byte: None,
        }
    }
}

fn sql(file: &Path, edit: &str) {
    let db = Connection::open(file).unwrap();
    db.pragma_update(None, "synchronous", "OFF").unwrap();
    db.execute_batch(&format!("BEGIN; {edit}; COMMIT")).unwrap();
}

/// A forger who has all the time in the world, and no key: another time, and every hash from there on made right.
fn rewrite(file: &Path, from: u64, chance: &mut Chance) {
    reseal(file, from, chance);
    let db = Connection::open(file).unwrap();
    db.execute_batch("PRAGMA synchronous = OFF; BEGIN").unwrap();
    let hash = |number: u64| -> Vec<u8> {
        let query = format!("SELECT hash FROM journal WHERE number = {number}");
        db.query_row(&query, [], |row| row.get(0)).unwrap()
    };
    let mut previous = hash(from);
    for number in from + 1..=RECORDS {
        let query = format!("SELECT body FROM journal WHERE number = {number}");
        let body: Vec<u8> = db.query_row(&query, [], |row| row.get(0)).unwrap();
        previous = Sha256::new()
            .chain_update(&previous)
            .chain_update(&body)
            .finalize()
            .to_vec();
        let update = format!("UPDATE journal SET hash = ?1 WHERE number = {number}");
        db.execute(&update, [&previous]).unwrap();
    }
    db.execute_batch("COMMIT").unwrap();
}

/// A forger's signature in the place of the right one, made by a journal of that many records of his own.
fn sign(file: &Path, number: u64, key: &CheckpointKey) {
    let own = tempfile::tempdir().unwrap();
    let own = own.path().join("conference.db");
    let mut journal = SqliteJournal::open(&own, key.clone()).unwrap();
    let entries: Vec<_> = (0..number as u32).map(entry).collect();
    journal.append(&entries).unwrap();
    journal.close().unwrap();
    let query = format!("SELECT key, signature FROM checkpoint WHERE number = {number}");
    let forged: (Vec<u8>, Vec<u8>) = Connection::open(&own)
        .unwrap()
        .query_row(&query, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let db = Connection::open(file).unwrap();
    db.pragma_update(None, "synchronous", "OFF").unwrap();
    let update = format!("UPDATE checkpoint SET key = ?1, signature = ?2 WHERE number = {number}");
    db.execute(&update, forged).unwrap();
}

/// A careful forger: another time, and the hash made right.
fn reseal(file: &Path, number: u64, chance: &mut Chance) {
    let db = Connection::open(file).unwrap();
    let get = |column: &str, number: u64| -> Vec<u8> {
        let query = format!("SELECT {column} FROM journal WHERE number = {number}");
        db.query_row(&query, [], |row| row.get(0))
            .unwrap_or(vec![0; 32])
    };
    let body = String::from_utf8(get("body", number)).unwrap();
    let forged = body.replacen("\"at\":16", &format!("\"at\":{}", 17 + chance.below(80)), 1);
    assert_ne!(body, forged);
    let hash = Sha256::new()
        .chain_update(get("hash", number - 1))
        .chain_update(&forged)
        .finalize();
    let (forged, hash) = (forged.into_bytes(), hash.to_vec());
    db.pragma_update(None, "synchronous", "OFF").unwrap();
    db.execute(
        "UPDATE journal SET body = ?1, hash = ?2 WHERE number = ?3",
        (forged, hash, number as i64),
    )
    .unwrap();
}

fn checked(folder: &Path) -> Result<Sound, Finding> {
    verify(folder).unwrap().unwrap()
}

type Read = (i64, i64, Vec<u8>, Vec<u8>);

/// What SQLite reads of both tables, row by row, up to where it cannot.
fn judged(folder: &Path) -> Vec<Option<Read>> {
    // In a folder of its own, so that the judge's traces do not meet the verifier.
    let copy = tempfile::tempdir().unwrap();
    let file = copy.path().join("conference.db");
    fs::copy(folder.join("conference.db"), &file).unwrap();
    let mut rows = vec![];
    let read = || -> rusqlite::Result<()> {
        let db = Connection::open(&file)?;
        for query in [
            "SELECT number, version, body, hash FROM journal ORDER BY number",
            "SELECT number, 0, key, signature FROM checkpoint ORDER BY number",
        ] {
            let mut select = db.prepare(query)?;
            let mut each = select.query([])?;
            while let Some(row) = each.next()? {
                rows.push(Some((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
            }
        }
        Ok(())
    };
    if { read }().is_err() {
        rows.push(None);
    }
    rows
}

/// A closed journal as the server leaves it, with records from some bytes to several pages.
fn journal() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = SqliteJournal::open(folder.path().join("conference.db"), key(7)).unwrap();
    let entries: Vec<_> = (0..RECORDS as u32).map(entry).collect();
    let mut chance = Chance(1);
    let mut rest = &entries[..];
    while !rest.is_empty() {
        let (batch, later) = rest.split_at((1 + chance.below(12) as usize).min(rest.len()));
        journal.append(batch).unwrap();
        rest = later;
    }
    journal.close().unwrap();
    folder
}

fn key(seed: u8) -> CheckpointKey {
    CheckpointKey::from_seed(&[seed; 32]).unwrap()
}

fn entry(n: u32) -> Entry {
    let at = Millis(1_622_075_400_000 + u64::from(n) * 50);
    let event = match n % 5 {
        0 => Event::TurnWarned {
            turn: TurnId(n),
            left_s: 60,
        },
        1 => Event::TurnEnded {
            turn: TurnId(n),
            how: TurnEnd::Released,
            at,
        },
        _ => Event::CommentPosted {
            comment: CommentId(n),
            site: SiteId((n % 13) as u16),
            seat: SeatId(n % 43),
            kind: CommentKind::Substance,
            words: CommentWords {
                at: ParagraphRef {
                    draft: DraftId(1),
                    paragraph: 2,
                },
                text: "Đề nghị làm rõ trách nhiệm của cấp uỷ cơ sở. "
                    .repeat(1 + (n as usize % 37) * 4),
                proposed: String::new(),
                delegate: "Trưởng Ban Tổ chức Huyện uỷ".into(),
            },
            at,
        },
    };
    // Every command has two events; time's have none.
    let (pair, at) = (n / 2, Millis(at.0 - u64::from(n % 2) * 50));
    let command = (pair % 7 > 0).then(|| format!("{pair:08x}-5d0c-4c1e"));
    let seat = command.as_ref().map(|_| SeatId(pair % 43));
    Entry {
        at,
        seat,
        command,
        event,
    }
}

/// SplitMix64: the same seed, the same edits.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}
