//! The kinds of edits: by a byte, by a piece, and by a forger with SQLite who makes right what he can.

use crate::record::{DATABASE, LAST_SIGNED, LOG, Left, RECORDS, UNDO, entry, key};
use diemcau_fuzz::Chance;
use diemcau_journal::{CHECKPOINT_EVERY, CheckpointKey, Journal, SqliteJournal};
use rusqlite::{Connection, config::DbConfig};
use sha2::{Digest, Sha256};
use std::{
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

const KINDS: usize = 17;
/// With those of the log.
const KINDS_WITH_LOG: usize = 28;
const PAGE: usize = 4_096;
const LOG_HEAD: usize = 32;
const FRAME_HEAD: usize = 24;
const FRAME: usize = FRAME_HEAD + PAGE;

#[derive(Debug)]
#[allow(dead_code, reason = "shown when an edit is not found")]
pub struct Edit {
    what: String,
    /// The events of which one must be named, when they are known without a judge.
    pub numbers: Option<RangeInclusive<u64>>,
    /// The page of the database that it changes, when the rest of the record can be read as before.
    pub page: Option<u64>,
    /// The file and its byte that was changed.
    pub byte: Option<(&'static str, u64)>,
    /// What of the end it may take along without a trace.
    pub loses: Loses,
    /// The record from which on all is another and fits together.
    pub anew: Option<u64>,
}

/// What an edit may take from the end of a record so that nobody can tell it from a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loses {
    Nothing,
    /// The last append: it looks torn while it was written.
    LastAppend,
    /// Everything behind the place: the log ends there.
    Rest,
}

impl Edit {
    /// Makes one of any kind in one of the record's folders.
    pub fn make(left: Left, folder: &Path, chance: &mut Chance) -> Self {
        let (one, other) = (
            chance.within(1..=RECORDS - 1),
            chance.within(1..=RECORDS - 1),
        );
        let (low, high) = (one.min(other), one.max(other));
        let file = &Forger::of(folder, chance);
        let told = |what: String, numbers| Self {
            what,
            numbers: Some(numbers),
            page: None,
            byte: None,
            loses: Loses::Nothing,
            anew: None,
        };
        let kinds = match left {
            Left::Closed => KINDS,
            Left::Killed | Left::Mirrored => KINDS_WITH_LOG,
        };
        match chance.below(kinds) {
            0..=2 => Self::flip(folder, DATABASE, chance),
            3 => Self::cut(folder, DATABASE, chance),
            4 => {
                sql(file, &format!("DELETE FROM journal WHERE number = {one}"));
                told(format!("{one} deleted"), one..=one)
            }
            5 => {
                // Deleted, and those behind it numbered anew.
                sql(
                    file,
                    &format!(
                        "DELETE FROM journal WHERE number = {one};
                    UPDATE journal SET number = -number WHERE number > {one};
                    UPDATE journal SET number = -number - 1 WHERE number < 0"
                    ),
                );
                told(format!("{one} deleted and closed up"), one..=one)
            }
            6 => {
                sql(file, &format!("UPDATE journal SET number = -number WHERE number > {one};
                    UPDATE journal SET number = -number + 1 WHERE number < 0;
                    INSERT INTO journal SELECT {one} + 1, version, body, hash FROM journal WHERE number = {one}"));
                told(format!("{one} doubled"), one + 1..=one + 1)
            }
            7 if low != high => {
                sql(
                    file,
                    &format!(
                        "UPDATE journal SET number = -1 WHERE number = {low};
                    UPDATE journal SET number = {low} WHERE number = {high};
                    UPDATE journal SET number = {high} WHERE number = -1"
                    ),
                );
                told(format!("{low} and {high} exchanged"), low..=low)
            }
            8 => {
                // Behind its last signature a record alone cannot tell: its mirror can.
                let from = match left {
                    Left::Killed => 1 + one % LAST_SIGNED,
                    Left::Closed | Left::Mirrored => one,
                };
                rewrite(file, from, chance);
                let signed = from.next_multiple_of(CHECKPOINT_EVERY).min(RECORDS);
                Self {
                    anew: Some(from),
                    // Another time alone may show that a command's events do not belong together.
                    ..told(format!("all written anew from {from}"), from..=signed)
                }
            }
            9 => {
                let ends = if left == Left::Closed { 3 } else { 2 };
                let signed = [256, LAST_SIGNED, RECORDS][chance.below(ends)];
                let key = key(1 + chance.below(6) as u8);
                sign(file, signed, &key);
                told(format!("{signed} signed with another key"), 1..=signed)
            }
            10 => {
                let due = [256, LAST_SIGNED][chance.below(2)];
                sql(
                    file,
                    &format!("DELETE FROM checkpoint WHERE number = {due}"),
                );
                told(format!("checkpoint {due} deleted"), due..=due)
            }
            11 => {
                let of = [" WHERE name = 'journal'", " WHERE name = 'checkpoint'", ""];
                let rows = format!("DELETE FROM sqlite_schema{}", of[chance.below(3)]);
                let db = file.open();
                db.execute_batch(&format!("PRAGMA writable_schema = ON; {rows}"))
                    .unwrap();
                told(rows, 1..=1)
            }
            12 => Self::misdirect(folder, chance),
            13 => Self::free(folder, chance),
            14 => Self::append(folder, chance),
            15 => Self::undo(folder, chance),
            17..=20 => Self::flip(folder, LOG, chance),
            21 => Self::cut(folder, LOG, chance),
            22..=24 => Self::forge_log(folder, chance),
            25..=26 => Self::forge_log_head(folder, chance),
            _ => {
                reseal(file, one, chance);
                told(format!("{one} written anew with its hash"), one..=one + 1)
            }
        }
    }

    fn flip(folder: &Path, name: &'static str, chance: &mut Chance) -> Self {
        let mut bytes = fs::read(folder.join(name)).unwrap();
        let byte = chance.below(bytes.len());
        let mask = 1 + chance.below(255) as u8;
        bytes[byte] ^= mask;
        fs::write(folder.join(name), bytes).unwrap();
        Self {
            what: format!("byte {byte} of {name} ^ {mask:#04x}"),
            numbers: None,
            page: (name == DATABASE).then(|| (1 + byte / PAGE) as u64),
            byte: Some((name, byte as u64)),
            loses: if name == LOG {
                Loses::LastAppend
            } else {
                Loses::Nothing
            },
            anew: None,
        }
    }

    /// Takes bytes out of the middle, or all to the end.
    fn cut(folder: &Path, name: &'static str, chance: &mut Chance) -> Self {
        let mut bytes = fs::read(folder.join(name)).unwrap();
        let from = chance.below(bytes.len());
        let rest = bytes.len() - from;
        let count = if chance.below(2) == 0 {
            rest
        } else {
            1 + chance.below(rest)
        };
        bytes.drain(from..from + count);
        fs::write(folder.join(name), bytes).unwrap();
        Self {
            what: format!("{count} bytes cut out of {name} at {from}"),
            numbers: None,
            // A database that is shorter than it says is told before any record of it is read.
            page: (name == DATABASE).then_some(1),
            byte: None,
            loses: if name == LOG {
                Loses::Rest
            } else {
                Loses::Nothing
            },
            anew: None,
        }
    }

    /// Another key above two pages of the journal: whoever searches by number goes to the wrong one of them.
    fn misdirect(folder: &Path, chance: &mut Chance) -> Self {
        let mut bytes = folded(folder);
        let number = |at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
        assert_eq!(bytes[PAGE], 5, "the journal has pages below its first");
        let cell = chance.below(number(PAGE + 3));
        let key = PAGE + number(PAGE + 12 + 2 * cell) + 4;
        // One byte or two, seven bits in each.
        let (high, length) = match bytes[key] {
            low @ 0x80.. => (u64::from(low & 0x7F) << 7, 2),
            _ => (0, 1),
        };
        let byte = key + length - 1;
        let below = high | u64::from(bytes[byte]);
        bytes[byte] ^= 1 + chance.below(127) as u8;
        fs::write(folder.join(DATABASE), &bytes).unwrap();
        Self {
            what: format!("the key above {below} is {}", high | u64::from(bytes[byte])),
            numbers: Some(below + 1..=below + 1),
            page: None,
            byte: Some((DATABASE, byte as u64)),
            loses: Loses::Nothing,
            anew: None,
        }
    }

    /// A list of free pages, where nothing is ever deleted.
    fn free(folder: &Path, chance: &mut Chance) -> Self {
        let mut bytes = folded(folder);
        let page = 1 + chance.below(bytes.len() / PAGE) as u32;
        let count = 1 + chance.below(3) as u32;
        bytes[32..36].copy_from_slice(&page.to_be_bytes());
        bytes[36..40].copy_from_slice(&count.to_be_bytes());
        fs::write(folder.join(DATABASE), bytes).unwrap();
        Self {
            what: format!("{count} pages free from {page} on"),
            // Every record is read before it shows.
            numbers: Some(RECORDS + 1..=RECORDS + 1),
            page: None,
            byte: Some((DATABASE, 32)),
            loses: Loses::Nothing,
            anew: None,
        }
    }

    /// Bytes or whole pages behind the last one.
    fn append(folder: &Path, chance: &mut Chance) -> Self {
        let mut bytes = folded(folder);
        let length = bytes.len();
        let more = match chance.below(2) {
            0 => 1 + chance.below(2 * PAGE),
            _ => (1 + chance.below(3)) * PAGE,
        };
        bytes.resize(length + more, chance.below(256) as u8);
        fs::write(folder.join(DATABASE), bytes).unwrap();
        Self {
            what: format!("{more} bytes behind the {length} of {DATABASE}"),
            numbers: Some(1..=1),
            page: None,
            byte: Some((DATABASE, length as u64)),
            loses: Loses::Nothing,
            anew: None,
        }
    }

    /// A forger who knows the log's checksums: another byte in a page of it, and every sum from there on made right.
    fn forge_log(folder: &Path, chance: &mut Chance) -> Self {
        let mut log = fs::read(folder.join(LOG)).unwrap();
        let frames = live_frames(&log);
        let frame = LOG_HEAD + chance.below(frames as usize) * FRAME;
        let byte = frame + FRAME_HEAD + chance.below(FRAME - FRAME_HEAD);
        let mask = 1 + chance.below(255) as u8;
        log[byte] ^= mask;
        sum_anew(&mut log, frames);
        fs::write(folder.join(LOG), &log).unwrap();
        Self {
            what: format!("byte {byte} of the log ^ {mask:#04x}, with its sums"),
            numbers: None,
            page: Some(u32::from_be_bytes(log[frame..frame + 4].try_into().unwrap()).into()),
            // What it does to a page may be seen at another one, which that page points at.
            byte: None,
            loses: Loses::Nothing,
            anew: None,
        }
    }

    /// A forger who has SQLite read the log in another way, in which none of it is valid; every sum is right for whoever reads
    /// it as it was written.
    fn forge_log_head(folder: &Path, chance: &mut Chance) -> Self {
        // The order of the bytes of sums, the version of the format, the size of a page.
        let (byte, length) = [(3, 1), (7, 1), (8, 4)][chance.below(3)];
        let mut log = fs::read(folder.join(LOG)).unwrap();
        let frames = live_frames(&log);
        match length {
            1 => log[byte] ^= 1,
            _ => log[byte..byte + length].copy_from_slice(&512_u32.to_be_bytes()),
        }
        let sum = summed((0, 0), &log[..24]);
        log[24..28].copy_from_slice(&sum.0.to_be_bytes());
        log[28..32].copy_from_slice(&sum.1.to_be_bytes());
        sum_anew(&mut log, frames);
        fs::write(folder.join(LOG), log).unwrap();
        Self {
            what: format!("byte {byte} of the log's head, with its sums"),
            numbers: None,
            page: None,
            byte: Some((LOG, byte as u64)),
            loses: Loses::Nothing,
            anew: None,
        }
    }

    /// A rollback journal: at the next opening SQLite cuts the database to the length that stands in it.
    fn undo(folder: &Path, chance: &mut Chance) -> Self {
        const SECTOR: u32 = 512;
        let pages = fs::metadata(folder.join(DATABASE)).unwrap().len() as usize / PAGE;
        let left = 1 + chance.below(pages) as u32;
        let mut bytes = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7".to_vec();
        for word in [0, 0, left, SECTOR, PAGE as u32] {
            bytes.extend(word.to_be_bytes());
        }
        bytes.resize(SECTOR as usize, 0);
        fs::write(folder.join(UNDO), bytes).unwrap();
        Self {
            what: format!("a rollback journal that leaves {left} pages of {pages}"),
            numbers: Some(1..=1),
            page: None,
            byte: Some((UNDO, 0)),
            loses: Loses::Nothing,
            anew: None,
        }
    }
}

/// A forger with SQLite: what it changes is the log's last transaction, or goes into the database.
struct Forger {
    file: PathBuf,
    keeps_log: bool,
}

impl Forger {
    fn of(folder: &Path, chance: &mut Chance) -> Self {
        Self {
            file: folder.join(DATABASE),
            keeps_log: chance.below(2) == 0,
        }
    }

    fn open(&self) -> Connection {
        let db = Connection::open(&self.file).unwrap();
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, self.keeps_log)
            .unwrap();
        db.pragma_update(None, "synchronous", "OFF").unwrap();
        db
    }
}

/// The database with its log in it.
fn folded(folder: &Path) -> Vec<u8> {
    let forger = Forger {
        file: folder.join(DATABASE),
        keeps_log: false,
    };
    forger
        .open()
        .pragma_query(None, "wal_checkpoint", |_| Ok(()))
        .unwrap();
    assert!(!folder.join(LOG).exists());
    fs::read(folder.join(DATABASE)).unwrap()
}

/// How many frames of the log count: those that follow from its head.
fn live_frames(log: &[u8]) -> u64 {
    let frames = log[LOG_HEAD..].chunks_exact(FRAME);
    let live = frames.take_while(|frame| frame[8..16] == log[16..24]);
    live.count() as u64
}

fn sum_anew(log: &mut [u8], frames: u64) {
    let (head, rest) = log.split_at_mut(LOG_HEAD);
    let word = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().unwrap());
    let mut sum = (word(24), word(28));
    for frame in rest.chunks_exact_mut(FRAME).take(frames as usize) {
        sum = summed(summed(sum, &frame[..8]), &frame[FRAME_HEAD..]);
        frame[16..20].copy_from_slice(&sum.0.to_be_bytes());
        frame[20..24].copy_from_slice(&sum.1.to_be_bytes());
    }
}

/// The log's running checksum, as SQLite describes it.
fn summed(sum: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    bytes.chunks_exact(8).fold(sum, |(a, b), pair| {
        let word = |at: usize| u32::from_le_bytes(pair[at..at + 4].try_into().unwrap());
        let a = a.wrapping_add(word(0)).wrapping_add(b);
        (a, b.wrapping_add(word(4)).wrapping_add(a))
    })
}

fn sql(file: &Forger, edit: &str) {
    let db = file.open();
    db.execute_batch(&format!("BEGIN; {edit}; COMMIT")).unwrap();
}

/// A forger who has all the time in the world, and no key: another time, and every hash from there on made right.
fn rewrite(file: &Forger, from: u64, chance: &mut Chance) {
    reseal(file, from, chance);
    let db = file.open();
    db.execute_batch("BEGIN").unwrap();
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
fn sign(file: &Forger, number: u64, key: &CheckpointKey) {
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
    let db = file.open();
    let update = format!("UPDATE checkpoint SET key = ?1, signature = ?2 WHERE number = {number}");
    db.execute(&update, forged).unwrap();
}

/// A careful forger: another time, and the hash made right.
fn reseal(file: &Forger, number: u64, chance: &mut Chance) {
    let db = file.open();
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
    db.execute(
        "UPDATE journal SET body = ?1, hash = ?2 WHERE number = ?3",
        (forged, hash, number as i64),
    )
    .unwrap();
}

/// Writes the unsigned end of a killed server's record anew; from which record on.
pub fn forged_end(folder: &Path) -> u64 {
    let forger = Forger {
        file: folder.join(DATABASE),
        keeps_log: true,
    };
    // An event of no command: two of one command would have to have the same time.
    let mut unsigned = LAST_SIGNED + 1..RECORDS;
    let alone = |number: &u64| entry(*number as u32 - 1).command.is_none();
    let from = unsigned.find(alone).unwrap();
    rewrite(&forger, from, &mut Chance::new(1));
    from
}
