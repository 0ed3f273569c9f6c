//! The rows of a journal as they are read: by its own connection, or by one that only reads beside it.

use crate::{
    JournalError,
    checkpoint::Checkpoint,
    format::{Chain, Sealed, Stored, decode},
};
use diemcau_model::Millis;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, ffi::SQLITE_IOERR_SHMSIZE};
use std::{io, path::Path};

/// Records copied at once, so that neither journal is held for long.
const PART: i64 = 1_024;
/// No end to what is read.
const ALL: i64 = -1;

/// What a journal has behind a place: some records, byte for byte, with their signatures.
pub(crate) struct Part {
    pub records: Vec<Sealed>,
    pub checkpoints: Vec<Checkpoint>,
    pub end: Chain,
    /// When its last record was decided; none when there is no record behind the place.
    pub end_at: Option<Millis>,
}

/// A connection that reads a journal while another one writes it.
pub(crate) fn reader(path: &Path) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|error| told(error, 1))
}

/// Goes through all records, checks each, and tells where the chain ends.
pub(crate) fn walk(
    db: &Connection,
    each: impl FnMut(Chain, Stored<'_>) -> Result<(), JournalError>,
) -> Result<Chain, JournalError> {
    walk_on(db, Chain::default(), ALL, each)
}

/// Looks at the first record, and checks it.
pub(crate) fn first(
    db: &Connection,
    each: impl FnMut(Chain, Stored<'_>) -> Result<(), JournalError>,
) -> Result<(), JournalError> {
    walk_on(db, Chain::default(), 1, each).map(drop)
}

/// The next part behind a place that is known to be this journal's too.
pub(crate) fn behind(db: &Connection, place: Chain) -> Result<Part, JournalError> {
    // Records and signatures are of one moment; dropped, it has changed nothing.
    let _moment = db
        .unchecked_transaction()
        .map_err(|error| told(error, place.next_number()))?;
    let (mut records, mut end_at) = (vec![], None);
    let mut last_body = vec![];
    let end = walk_on(db, place, PART, |chain, stored| {
        last_body.clear();
        last_body.extend_from_slice(stored.body);
        records.push(Sealed {
            number: chain.number,
            version: stored.version,
            body: stored.body.to_vec(),
            hash: stored.hash.to_vec(),
        });
        Ok(())
    })?;
    if !records.is_empty() {
        end_at = Some(decode(end, &last_body)?.at);
    }
    Ok(Part {
        records,
        // The place itself may have been signed since it was copied.
        checkpoints: checkpoints(db, place.number, end.number)?,
        end,
        end_at,
    })
}

/// The hash of a record; none when there is no such record.
pub(crate) fn hash_at(db: &Connection, number: u64) -> Result<Option<Vec<u8>>, JournalError> {
    let query = "SELECT hash FROM journal WHERE number = ?1";
    let row = i64::try_from(number).map_err(JournalError::io)?;
    db.prepare_cached(query)
        .and_then(|mut select| select.query_row([row], |row| row.get(0)).optional())
        .map_err(|error| told(error, number))
}

/// A place of the chain as it is stored; none when there is none.
pub(crate) fn place(db: &Connection, number: u64) -> Option<Chain> {
    let hash = hash_at(db, number).ok()??.try_into().ok()?;
    Some(Chain { number, hash })
}

/// The same where it follows from its record and the hash that is stored before that.
pub(crate) fn link(db: &Connection, number: u64) -> Option<Chain> {
    let before = match number.checked_sub(1)? {
        0 => Chain::default(),
        before => place(db, before)?,
    };
    let end = walk_on(db, before, 1, |_, _| Ok(())).ok();
    end.filter(|end| end.number == number)
}

/// Whether another journal is this one, which ends there, and what follows.
///
/// # Errors
/// `Fork` when it is not.
pub(crate) fn is_beginning_of(
    db: &Connection,
    end: Chain,
    other: &Connection,
) -> Result<(), JournalError> {
    let there = hash_at(other, end.number)?;
    if end.number == 0 || there.is_some_and(|hash| hash == end.hash) {
        return Ok(());
    }
    // Where two chains differ, they differ ever after.
    let (mut same, mut number) = (0, end.number);
    while number - same > 1 {
        let middle = same + (number - same) / 2;
        match hash_at(db, middle)? == hash_at(other, middle)? {
            true => same = middle,
            false => number = middle,
        }
    }
    Err(JournalError::Fork { number })
}

/// Whether a journal whose chain ends there has lost nothing behind that, as far as its file tells: nobody would see it in the
/// chain, and who goes on from there would write other events under those numbers.
///
/// # Errors
/// A checkpoint signs a later record, or its pages are not sound.
pub(crate) fn is_whole(db: &Connection, end: Chain) -> Result<(), JournalError> {
    let number = end.next_number();
    if last_shown(db)? > end.number {
        return Err(JournalError::Corrupt {
            number,
            what: "the record is missing: a checkpoint signs a later one",
        });
    }
    has_sound_pages(db, number)
}

/// Whether every page of a journal's file holds what it says of itself. One damaged byte, the count of its rows, makes rows seem
/// never to have been there; where nothing behind them is signed, nothing else tells. What may be missing is named `number`.
pub(crate) fn has_sound_pages(db: &Connection, number: u64) -> Result<(), JournalError> {
    let said: String = db
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| told(error, number))?;
    match said.as_str() {
        "ok" => Ok(()),
        // A page that the disk does not give is told in words too, and may be there the next time.
        said if said.contains("get page") || said.contains("get the page") => {
            Err(JournalError::io(io::Error::other(said.to_owned())))
        }
        _ => Err(JournalError::Corrupt {
            number,
            what: "a page of the file does not hold what it says",
        }),
    }
}

/// The highest number that a journal shows, of a record or of a signature; whether these are sound is not asked.
pub(crate) fn last_shown(db: &Connection) -> Result<u64, JournalError> {
    let last = |table: &str| -> Result<u64, JournalError> {
        let query = format!("SELECT max(number) FROM {table}");
        let last: Option<i64> = db
            .query_row(&query, [], |row| row.get(0))
            .map_err(|error| told(error, 1))?;
        Ok(last.map_or(0, |last| u64::try_from(last).unwrap_or_default()))
    };
    Ok(last("journal")?.max(last("checkpoint")?))
}

/// The signatures of the records from one number to another.
fn checkpoints(db: &Connection, from: u64, to: u64) -> Result<Vec<Checkpoint>, JournalError> {
    let failed = |error| told(error, from);
    let (from, to) = (
        i64::try_from(from).map_err(JournalError::io)?,
        i64::try_from(to).map_err(JournalError::io)?,
    );
    let mut select = db
        .prepare_cached(
            "SELECT number, key, signature FROM checkpoint WHERE number BETWEEN ?1 AND ?2",
        )
        .map_err(failed)?;
    let mut rows = select.query([from, to]).map_err(failed)?;
    let mut checkpoints = vec![];
    while let Some(row) = rows.next().map_err(failed)? {
        let number: i64 = row.get(0).map_err(failed)?;
        checkpoints.push(Checkpoint {
            number: u64::try_from(number).map_err(JournalError::io)?,
            key: row.get(1).map_err(failed)?,
            signature: row.get(2).map_err(failed)?,
        });
    }
    Ok(checkpoints)
}

/// Goes on from a place through so many records.
fn walk_on(
    db: &Connection,
    from: Chain,
    most: i64,
    mut each: impl FnMut(Chain, Stored<'_>) -> Result<(), JournalError>,
) -> Result<Chain, JournalError> {
    let mut chain = from;
    // From the beginning also what has no number of a record: it is found then.
    let first = match from.number {
        0 => i64::MIN,
        number => i64::try_from(number + 1).map_err(JournalError::io)?,
    };
    let mut select = db
        .prepare_cached(
            "SELECT number, version, body, hash FROM journal WHERE number >= ?1 ORDER BY number LIMIT ?2",
        )
        .map_err(|error| told(error, chain.next_number()))?;
    let mut rows = select
        .query([first, most])
        .map_err(|error| told(error, chain.next_number()))?;
    while let Some(row) = rows
        .next()
        .map_err(|error| told(error, chain.next_number()))?
    {
        let wrong_type = |_| JournalError::Corrupt {
            number: chain.next_number(),
            what: "its row does not hold two integers and two blobs",
        };
        let stored = Stored {
            number: row.get(0).map_err(wrong_type)?,
            version: row.get(1).map_err(wrong_type)?,
            body: blob(row, 2).map_err(wrong_type)?,
            hash: blob(row, 3).map_err(wrong_type)?,
        };
        chain.check(stored)?;
        each(chain, stored)?;
    }
    Ok(chain)
}

fn blob<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> Result<&'a [u8], rusqlite::Error> {
    Ok(row.get_ref(column)?.as_blob()?)
}

/// What SQLite's trouble means to us; `number` is the record it was met at.
pub(crate) fn told(error: rusqlite::Error, number: u64) -> JournalError {
    // SQLite has a word of its own for a disk without room for the memory that readers share.
    if error.sqlite_error().map(|error| error.extended_code) == Some(SQLITE_IOERR_SHMSIZE) {
        return JournalError::Full;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => JournalError::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => JournalError::Locked,
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => JournalError::Corrupt {
            number,
            what: "the file is not a sound SQLite database",
        },
        Some(ErrorCode::ConstraintViolation) => JournalError::Corrupt {
            number,
            what: "another program wrote to the journal",
        },
        _ => JournalError::io(error),
    }
}
