//! Checks the record of a conference: that every event is the one that was written, in its place, and that no command
//! took effect twice. Written from `JOURNAL.md` alone: it shares no code with the program that wrote the record.

mod pages;
mod records;
mod tables;

use pages::Pages;
use records::Records;
use std::{fmt, io, ops::Range, path::Path};
use tables::Row;

/// The tables of a journal, with single spaces.
const TABLES: [(&str, &str); 1] = [(
    "journal",
    "CREATE TABLE journal ( number INTEGER PRIMARY KEY, version INTEGER NOT NULL, \
     body BLOB NOT NULL, hash BLOB NOT NULL ) STRICT",
)];

/// A piece of a file of the folder; its bytes are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    pub file: &'static str,
    pub bytes: Range<u64>,
}

/// Where the record is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The bytes that are wrong, or hold what is.
    pub spots: Vec<Spot>,
    /// The first event that cannot be trusted.
    pub number: u64,
    pub what: &'static str,
}

/// A record that nothing is wrong with: its last event and the hash of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    pub number: u64,
    pub hash: [u8; 32],
}

/// A check; the place of what is wrong is what was looked at.
type Checked<T> = Result<T, &'static str>;

/// Checks the journal in a folder. `None`: there is none.
///
/// # Errors
/// The files cannot be read.
pub fn verify(folder: &Path) -> io::Result<Option<Result<Sound, Finding>>> {
    let Some(mut pages) = Pages::read(folder)? else {
        return Ok(None);
    };
    let mut records = Records::default();
    let mut read = read(&mut pages, &mut records);
    if let Some(spot) = pages.broken_log.take() {
        // Whatever else was found follows from what is missing.
        pages.here = vec![spot];
        read = Err("the log was changed after it was written");
    }
    Ok(Some(match read {
        Ok(()) => Ok(Sound {
            number: records.number,
            hash: records.hash,
        }),
        Err(what) => Err(Finding {
            spots: pages.here,
            number: records.number + 1,
            what,
        }),
    }))
}

fn read(pages: &mut Pages, records: &mut Records) -> Checked<()> {
    pages.check_head()?;
    let mut roots = [None; TABLES.len()];
    pages.rows(1, &mut |row| {
        let (place, root) = table(&row).ok_or("it holds what is not a journal's")?;
        let other = roots[place].replace(root);
        other.map_or(Ok(()), |_| Err("it holds a table twice"))
    })?;
    let [journal] = roots;
    let journal = journal.ok_or("it does not hold the table of a journal")?;
    pages.rows(journal, &mut |row| records.take(&row))?;
    pages.check_rest()
}

/// Which table of a journal a row of the schema tells of, and its first page.
fn table(row: &Row) -> Option<(usize, u32)> {
    let sql = row
        .text(4)?
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let place = TABLES.iter().position(|(_, known)| *known == sql)?;
    let name = TABLES[place].0;
    let is_it = [row.text(0)?, row.text(1)?, row.text(2)?] == ["table", name, name];
    is_it.then_some((place, u32::try_from(row.number(3)?).ok()?))
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for spot in &self.spots {
            let Range { start, end } = spot.bytes;
            write!(f, "{} from byte {start} to {end}, ", spot.file)?;
        }
        write!(f, "event {}: {}", self.number, self.what)
    }
}

impl fmt::Display for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events, the last hash ", self.number)?;
        self.hash
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
