//! Checks the record of a conference: that every event is the one that was written, in its place, that no command took
//! effect twice, and that what is signed was signed. Written from `JOURNAL.md` alone: it shares no code with the program
//! that wrote the record.

mod pages;
mod records;
mod tables;

use pages::Pages;
use records::{Records, hex};
use std::{fmt, fs, io, ops::Range, path::Path};
use tables::Value::{Number, Text};

/// The tables of a journal: first page, kind, names, and the words that made it.
const TABLES: [&str; 2] = [
    "2 table journal journal CREATE TABLE journal (number INTEGER PRIMARY KEY, version INTEGER NOT NULL, \
     body BLOB NOT NULL, hash BLOB NOT NULL) STRICT",
    "3 table checkpoint checkpoint CREATE TABLE checkpoint (number INTEGER PRIMARY KEY, \
     key BLOB NOT NULL, signature BLOB NOT NULL) STRICT",
];

const FOREIGN: &str = "it holds what is not a journal's";

/// A piece of a file of the folder; its bytes are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    pub file: &'static str,
    pub bytes: Range<u64>,
}

/// Where the record is not what was written: the bytes that are wrong, or hold what is, and the first event that cannot
/// be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub spots: Vec<Spot>,
    pub number: i64,
    pub what: &'static str,
}

/// A record that nothing is wrong with: its last event with its hash, and the last one that is signed with the key of
/// it; 0 while none is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    pub number: i64,
    pub hash: String,
    pub signed: i64,
    pub key: String,
}

/// Gives the bytes of a file of the folder by its name.
pub type Read<'r> = &'r mut dyn FnMut(&'static str) -> io::Result<Vec<u8>>;

/// A check; the place of what is wrong is what was looked at.
type Checked<T> = Result<T, &'static str>;

fn ensure(is_so: bool, otherwise: &'static str) -> Checked<()> {
    is_so.then_some(()).ok_or(otherwise)
}

/// Checks the journal in a folder. `None`: there is none.
///
/// # Errors
/// The files cannot be read.
pub fn verify(folder: &Path) -> io::Result<Option<Result<Sound, Finding>>> {
    verify_by(&mut |name| fs::read(folder.join(name)))
}

/// The same of files that are read in another way.
///
/// # Errors
/// They cannot be read.
pub fn verify_by(read: Read<'_>) -> io::Result<Option<Result<Sound, Finding>>> {
    let Some(mut pages) = Pages::read(read)? else {
        return Ok(None);
    };
    let mut records = Records::default();
    let mut checked = check(&mut pages, &mut records);
    pages.here.append(&mut records.wrong);
    if let Some(spot) = pages.broken_log.take() {
        // Whatever else was found follows from what is missing.
        pages.here = vec![spot];
        checked = Err("the log was changed after it was written");
    }
    let sound = Sound {
        number: records.number,
        hash: hex(&records.hash),
        signed: records.signed,
        key: hex(&records.key.unwrap_or_default()),
    };
    Ok(Some(checked.map(|()| sound).map_err(|what| Finding {
        spots: pages.here,
        number: records.number + 1,
        what,
    })))
}

fn check(pages: &mut Pages, records: &mut Records) -> Checked<()> {
    pages.check_head()?;
    let mut tables = TABLES.into_iter();
    pages.rows(1, 0, &mut |_, columns, _| {
        let [Text(kind), Text(name), Text(of), Number(root), Text(sql)] = &columns[..] else {
            return Err(FOREIGN);
        };
        let table = format!("{root} {kind} {name} {of} {sql}");
        ensure(tables.next() == Some(&table), FOREIGN)
    })?;
    ensure(tables.next().is_none(), "a table is missing")?;
    pages.rows(3, 0, &mut |id, row, place| records.expect(id, row, place))?;
    pages.rows(2, 0, &mut |id, columns, _| records.take(id, columns))?;
    pages.check_rest()?;
    records.end()
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Spot { file, bytes } in &self.spots {
            write!(f, "{file} from byte {} to {}, ", bytes.start, bytes.end)?;
        }
        write!(f, "event {}: {}", self.number, self.what)
    }
}

impl fmt::Display for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} events, the last hash {}", self.number, self.hash)?;
        match self.signed {
            0 => write!(f, "nothing is signed before event 256 or a clean stop"),
            signed => write!(f, "signed up to event {signed} with the key {}", self.key),
        }?;
        let (next, last) = (self.signed + 1, self.number);
        if (2..=last).contains(&next) {
            let why = "not signed: a server that was stopped signs its end";
            write!(f, "\nevents {next} to {last} are {why}")?;
        }
        Ok(())
    }
}
