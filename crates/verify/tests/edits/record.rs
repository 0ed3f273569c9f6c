//! Records as servers leave them: closed, killed, and killed with a mirror.

use diemcau_conference::{CommentKind, CommentWords, Event, TurnEnd};
use diemcau_fuzz::Chance;
use diemcau_journal::{
    CheckpointKey, Entry, Journal, JournalError, MirroredJournal, Record as Read, SqliteJournal,
};
use diemcau_model::{CommentId, DraftId, Millis, ParagraphRef, SeatId, SiteId, TurnId};
use rusqlite::{Connection, OptionalExtension};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub const RECORDS: u64 = 600;
/// The last record of a killed server that is signed.
pub const LAST_SIGNED: u64 = 512;
pub const DATABASE: &str = "conference.db";
pub const LOG: &str = "conference.db-wal";
pub const UNDO: &str = "conference.db-journal";

/// How a server left its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// It was stopped: the log is in the database, the end is signed.
    Closed,
    /// It was killed: the log holds what was written last, and nothing behind the last checkpoint is signed.
    Killed,
    /// It was killed, and had a mirror on a second disk.
    Mirrored,
}

/// A journal's files by their names.
type Files = Vec<(&'static str, Vec<u8>)>;

/// A record that can be edited and put back.
pub struct Record {
    _folder: TempDir,
    /// Each folder of it with its files: the main one, and the mirror if there is one.
    whole: Vec<(PathBuf, Files)>,
    /// The last record of each append.
    pub ends: Vec<u64>,
}

impl Record {
    pub fn left(left: Left) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        let (live, live_mirror) = (
            folder.path().join("live"),
            folder.path().join("live-mirror"),
        );
        for folder in [&one, &two, &live, &live_mirror] {
            fs::create_dir(folder).unwrap();
        }
        let (file, mirror) = (live.join(DATABASE), live_mirror.join(DATABASE));
        let mut journal: Box<dyn Journal> = match left {
            Left::Closed | Left::Killed => Box::new(SqliteJournal::open(&file, key(7)).unwrap()),
            Left::Mirrored => Box::new(open_both(&file, &mirror).unwrap()),
        };
        let ends = fill(journal.as_mut());
        let whole = match left {
            Left::Closed => {
                journal.close().unwrap();
                drop(journal);
                vec![(one, files(&live))]
            }
            Left::Killed => vec![(one, files(&live))],
            Left::Mirrored => vec![(one, files(&live)), (two, files(&live_mirror))],
        };
        Self {
            _folder: folder,
            whole,
            ends,
        }
    }

    /// The folders that hold it, the main one first.
    pub fn folders(&self) -> Vec<&Path> {
        self.whole.iter().map(|(path, _)| path.as_path()).collect()
    }

    /// Puts everything back as the server left it.
    pub fn restore(&self) {
        for (folder, files) in &self.whole {
            fs::remove_dir_all(folder).unwrap();
            fs::create_dir(folder).unwrap();
            for (name, bytes) in files {
                fs::write(folder.join(name), bytes).unwrap();
            }
        }
    }

    /// What a server says that starts over both.
    pub fn start(&self) -> Result<MirroredJournal, JournalError> {
        let [main, mirror] = self.folders()[..] else {
            panic!("there is one record only");
        };
        open_both(&main.join(DATABASE), &mirror.join(DATABASE))
    }

    /// The end of the last append that is whole when `count` records are left.
    pub fn is_end(&self, count: u64) -> bool {
        count == 0 || self.ends.contains(&count)
    }
}

fn open_both(main: &Path, mirror: &Path) -> Result<MirroredJournal, JournalError> {
    MirroredJournal::open(main, mirror, key(7), Millis(7))
}

/// The files of a journal, read while it is open: what a killed server leaves.
fn files(folder: &Path) -> Files {
    let read = |name| fs::read(folder.join(name)).ok().map(|bytes| (name, bytes));
    [DATABASE, LOG, UNDO].into_iter().filter_map(read).collect()
}

/// Records from some bytes to several pages, in appends of one to twelve.
fn fill(journal: &mut dyn Journal) -> Vec<u64> {
    let entries: Vec<_> = (0..RECORDS as u32).map(entry).collect();
    let mut chance = Chance::new(1);
    let (mut rest, mut ends) = (&entries[..], vec![]);
    while !rest.is_empty() {
        let (batch, later) = rest.split_at((1 + chance.below(12)).min(rest.len()));
        ends.push(journal.append(batch).unwrap());
        rest = later;
    }
    ends
}

pub fn key(seed: u8) -> CheckpointKey {
    CheckpointKey::from_seed(&[seed; 32]).unwrap()
}

pub type Row = (i64, i64, Vec<u8>, Vec<u8>);

/// What SQLite reads of both tables, row by row, up to where it cannot: from the first to the last. `None` stands at the
/// end too when it does not find one of them by its number, or says itself that the file is damaged or longer than it ought.
pub fn judged(folder: &Path) -> Vec<Option<Row>> {
    let copy = copied(folder);
    let file = copy.path().join(DATABASE);
    let length = fs::metadata(&file).unwrap().len();
    let mut rows = vec![];
    let mut read = || -> rusqlite::Result<bool> {
        let db = Connection::open(&file)?;
        let pages: u32 = db.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let mut are_found = true;
        for table in [
            "SELECT number, version, body, hash FROM journal",
            "SELECT number, 0, key, signature FROM checkpoint",
        ] {
            let mut select = db.prepare(&format!("{table} ORDER BY number"))?;
            let mut by_number = db.prepare(&format!("{table} WHERE number = ?1"))?;
            let mut each = select.query([])?;
            while let Some(row) = each.next()? {
                let row = read_row(row)?;
                let found = by_number.query_row([row.0], read_row).optional()?;
                are_found &= found.as_ref() == Some(&row);
                rows.push(Some(row));
            }
        }
        let verdict: String = db.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
        Ok(are_found && verdict == "ok" && length <= u64::from(pages) * 4_096)
    };
    if !read().unwrap_or(false) {
        rows.push(None);
    }
    rows
}

/// The first record that stands on each page or below it. The first page, and those of the checkpoints, are looked at before
/// any record.
pub fn firsts(folder: &Path) -> BTreeMap<u64, u64> {
    let copy = copied(folder);
    let db = Connection::open(copy.path().join(DATABASE)).unwrap();
    let mut select = db
        .prepare("SELECT name, path, pageno, pagetype, ncell FROM dbstat ORDER BY name, path")
        .unwrap();
    let mut rows = select.query([]).unwrap();
    let (mut firsts, mut leaf, mut next) = (BTreeMap::new(), 1, 1);
    while let Some(row) = rows.next().unwrap() {
        let [name, path, kind] = [0, 1, 3].map(|column| row.get::<_, String>(column).unwrap());
        let first = match (&*name, &*kind) {
            ("journal", "leaf") => {
                leaf = next;
                next += row.get::<_, i64>(4).unwrap() as u64;
                leaf
            }
            // Its path is that of the leaf, the cell in three digits, and which of its pages it is.
            ("journal", "overflow") => {
                let (cell, _) = path.split_once('+').unwrap();
                leaf + u64::from_str_radix(&cell[cell.len() - 3..], 16).unwrap()
            }
            ("journal", _) => next,
            _ => 1,
        };
        firsts.insert(row.get::<_, i64>(2).unwrap() as u64, first);
    }
    assert_eq!(next, RECORDS + 1);
    firsts
}

/// A record's files in a folder of their own, so that a reader's traces do not meet the verifier.
fn copied(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for (name, bytes) in files(folder) {
        fs::write(copy.path().join(name), bytes).unwrap();
    }
    copy
}

fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

/// Everything a journal gives back.
pub fn all(journal: &mut dyn Journal) -> Vec<Read> {
    let mut records = vec![];
    journal
        .read_all(&mut |record| records.push(record))
        .unwrap();
    records
}

pub fn entry(n: u32) -> Entry {
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
