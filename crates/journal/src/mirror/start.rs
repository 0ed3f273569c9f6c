//! What a start makes of two records that may differ: which of them is right, and what the other one gets from it. The rules
//! are in `JOURNAL.md`.

use crate::{
    CheckpointKey, Journal, JournalError, SqliteJournal,
    files::{beside, can_be_read, copy_database, has_log, put_away, sync_folder},
    first::{end_of, first_record, still},
    format::Chain,
    log,
    rows::{self, is_beginning_of},
};
use diemcau_model::{Alarm, Millis};
use rusqlite::Connection;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::channel,
    thread,
    time::Duration,
};
use tracing::{error, info, warn};

/// How long a start waits for a mirror: it may have much to read or to catch up with.
pub(super) const START_WITHIN: Duration = Duration::from_secs(10);

/// The mirror beside a main journal. A sound record does not wait for one that does not answer; where there is none, the
/// mirror alone may know what was.
pub(super) fn mirror_beside(
    main: &Result<SqliteJournal, JournalError>,
    path: &Path,
    key: &CheckpointKey,
    now: Millis,
    alarms: &mut BTreeSet<Alarm>,
) -> Result<Option<SqliteJournal>, JournalError> {
    let end = match main {
        Ok(main) => Some(main.end()).filter(|end| end.number > 0),
        Err(JournalError::Corrupt { .. } | JournalError::Io(_) | JournalError::Full) => None,
        // Whatever the mirror is, the server does not start.
        Err(
            failure @ (JournalError::Locked
            | JournalError::Fork { .. }
            | JournalError::DamagedMirror { .. }
            | JournalError::NoRoom { .. }
            | JournalError::OnlyInMirror { .. }
            | JournalError::UnknownVersion { .. }
            | JournalError::Unreadable { .. }
            | JournalError::Closed),
        ) => return Err(failure.clone()),
    };
    let has_record = end.is_some();
    let opened = match end {
        Some(end) => {
            let (path, key) = (path.to_owned(), key.clone());
            within(START_WITHIN, move || open_mirror(&path, &key, end, now))
        }
        None => open_only(path, key).map(|mirror| (mirror, false)),
    };
    match opened {
        Ok((mirror, is_rebuilt)) => {
            alarms.extend(is_rebuilt.then_some(Alarm::MirrorRebuilt));
            Ok(Some(mirror))
        }
        Err(failure) if may_do_without(&failure, has_record) => {
            warn!(error = &failure as &dyn std::error::Error, mirror = %path.display(), "the mirror of the record cannot be opened");
            alarms.insert(Alarm::MirrorFails);
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// The mirror where it alone has a record: no other conference is begun because that cannot be opened. None where it is not so.
pub(super) fn only_record(
    main: &Path,
    mirror: &Path,
    key: &CheckpointKey,
) -> Result<Option<SqliteJournal>, JournalError> {
    let has_none = matches!(first_record(main), Ok(None));
    if !has_none || !matches!(first_record(mirror), Ok(Some(_))) {
        return Ok(None);
    }
    match open_only(mirror, key) {
        Err(failure @ (JournalError::Io(_) | JournalError::Full)) => {
            Err(JournalError::OnlyInMirror {
                mirror: mirror.to_owned(),
                source: Box::new(failure),
            })
        }
        opened => opened.map(Some),
    }
}

/// Whether the conference may begin without a mirror that cannot be opened: not when a person must decide.
fn may_do_without(failure: &JournalError, has_record: bool) -> bool {
    match failure {
        JournalError::Io(_) | JournalError::Full => true,
        // Where there is no record, another program may have it in the mirror.
        JournalError::Locked => has_record,
        JournalError::Corrupt { .. }
        | JournalError::UnknownVersion { .. }
        | JournalError::Unreadable { .. }
        | JournalError::Fork { .. }
        | JournalError::DamagedMirror { .. }
        | JournalError::NoRoom { .. }
        | JournalError::OnlyInMirror { .. }
        | JournalError::Closed => false,
    }
}

/// What some work gives in this time; beyond, it is left behind with whatever it hangs in.
fn within<T: Send + 'static>(
    time: Duration,
    work: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T, JournalError> {
    let (done, answer) = channel();
    thread::Builder::new()
        .name("mirror".into())
        .spawn(move || {
            // Nobody waits any more: what it opened is closed again.
            let _ = done.send(work());
        })
        .map_err(JournalError::io)?;
    answer
        .recv_timeout(time)
        .unwrap_or_else(|silent| Err(JournalError::io(silent)))
}

/// A mirror beside no record that can be used is never put away: it may be the only one there is.
fn open_only(path: &Path, key: &CheckpointKey) -> Result<SqliteJournal, JournalError> {
    match SqliteJournal::open(path, key.clone()) {
        Err(JournalError::Corrupt { number, what }) => Err(JournalError::DamagedMirror {
            file: path.to_owned(),
            number,
            what,
        }),
        opened => opened,
    }
}

/// A mirror that is damaged is put away and begun anew, unless it shows a higher number than the main record has: the
/// conference may have gone on in it alone. Tells whether it was.
fn open_mirror(
    path: &Path,
    key: &CheckpointKey,
    main: Chain,
    now: Millis,
) -> Result<(SqliteJournal, bool), JournalError> {
    match SqliteJournal::open(path, key.clone()) {
        Err(JournalError::Corrupt { number, what }) => {
            let shown = still(path).and_then(|db| rows::last_shown(&db));
            if shown.is_ok_and(|shown| shown > main.number) {
                return Err(JournalError::Corrupt {
                    number: main.next_number(),
                    what: "the mirror is damaged and knows it alone: a person must put one of both away",
                });
            }
            let away = put_away(path, now)?;
            error!(
                number, what, kept = %away.display(),
                "the mirror of the record was damaged: it is written anew from the record"
            );
            Ok((SqliteJournal::open(path, key.clone())?, true))
        }
        opened => Ok((opened?, false)),
    }
}

/// A main journal that is damaged, lost or behind is written anew from the mirror, if that knows at least as much or can
/// have it.
pub(super) fn open_main(
    opened: Result<SqliteJournal, JournalError>,
    path: &Path,
    mirror: &mut SqliteJournal,
    key: &CheckpointKey,
    now: Millis,
    alarms: &mut BTreeSet<Alarm>,
) -> Result<SqliteJournal, JournalError> {
    // Nobody knows whether one that is lost, or another copy, knew more than the mirror: that may have lagged.
    let mut told = Alarm::RecordMayLack;
    let mut main = match opened {
        Err(JournalError::Corrupt { number, what }) if reaches(mirror, number) => {
            match take_from_damaged(path, number, mirror)? {
                true => told = Alarm::RecordRebuilt,
                // Said at once: whatever fails from here on, nobody can see it any more afterwards.
                false => drop(alarms.insert(told)),
            }
            let away = put_away(path, now)?;
            error!(number, what, kept = %away.display(), "the record was damaged");
            SqliteJournal::open(path, key.clone())?
        }
        opened => opened?,
    };
    if main.last_number() < mirror.last_number() {
        // Before it is written: where it cannot be now, nobody can tell later.
        alarms.insert(told);
        let before = main.last_number();
        let taken = main.take_missing(mirror.rows())?;
        sync_folder(path)?;
        error!(before, taken, "the record was rebuilt from its mirror");
    }
    Ok(main)
}

/// Whether the conference goes on in the mirror, of a main journal that is sound and cannot be written: if the mirror can have
/// everything and can be written itself. Where it cannot, nothing is won.
pub(super) fn takes_over(
    main: &SqliteJournal,
    mirror: &mut SqliteJournal,
) -> Result<bool, JournalError> {
    if main.last_number() == 0 {
        return Ok(false);
    }
    match take_from_sound(main.rows(), main.end(), mirror).and_then(|()| mirror.probe()) {
        Ok(()) => Ok(true),
        Err(
            failure @ (JournalError::Io(_)
            | JournalError::Full
            | JournalError::Locked
            | JournalError::Corrupt { .. }),
        ) => {
            warn!(
                error = &failure as &dyn std::error::Error,
                "the mirror of the record cannot take its place"
            );
            Ok(false)
        }
        // A person must decide.
        Err(
            failure @ (JournalError::Fork { .. }
            | JournalError::DamagedMirror { .. }
            | JournalError::NoRoom { .. }
            | JournalError::OnlyInMirror { .. }
            | JournalError::UnknownVersion { .. }
            | JournalError::Unreadable { .. }
            | JournalError::Closed),
        ) => Err(failure),
    }
}

/// Whether a mirror has what is readable of a journal that is damaged at this number.
fn reaches(mirror: &SqliteJournal, number: u64) -> bool {
    let last = mirror.last_number();
    last > 0 && last + 1 >= number
}

/// The mirror gets what a damaged journal has behind the mirror's end: that may be sound, and is wherever it follows from that
/// end. Tells whether the mirror has everything then; it cannot be told of one that shows nothing any more, or not what stands
/// behind a damaged place of its log.
///
/// # Errors
/// The damaged one is another record, or shows more than can be had of it: a person must decide.
fn take_from_damaged(
    damaged: &Path,
    number: u64,
    mirror: &mut SqliteJournal,
) -> Result<bool, JournalError> {
    let looked = still(damaged).and_then(|db| Ok((rows::last_shown(&db)?, db)));
    let (shown, db) = match looked {
        Ok(looked) => looked,
        Err(failure) => {
            error!(
                error = &failure as &dyn std::error::Error,
                "the damaged record shows nothing: what it knew more than its mirror is missing"
            );
            return Ok(false);
        }
    };
    is_one_record(&db, number, mirror)?;
    let shows_all = log::damaged_at(damaged)?.is_none() && rows::has_sound_pages(&db, 1).is_ok();
    if shown <= mirror.last_number() {
        return Ok(shows_all);
    }
    match mirror.take_behind(&db) {
        Ok(taken) => info!(taken, "the mirror has what the damaged record knew more"),
        Err(failure) => error!(
            error = &failure as &dyn std::error::Error,
            shown, "the mirror cannot have what the damaged record knew more"
        ),
    }
    if shown <= mirror.last_number() {
        return Ok(shows_all);
    }
    Err(JournalError::Corrupt {
        number: mirror.last_number() + 1,
        what: "its mirror ends before that and cannot have what follows: a person must put one of both away",
    })
}

/// Whether a journal that is damaged at this number is the mirror's record: by what is sound before that, and by the last one
/// behind it that both have, if it is sound in itself. What shows neither may be any record.
///
/// # Errors
/// `Fork` when it is another one.
fn is_one_record(
    damaged: &Connection,
    number: u64,
    mirror: &SqliteJournal,
) -> Result<(), JournalError> {
    let last = rows::last_shown(damaged)?.min(mirror.last_number());
    let behind = rows::link(damaged, last).filter(|_| last >= number);
    for place in [rows::place(damaged, number - 1), behind]
        .into_iter()
        .flatten()
    {
        is_beginning_of(damaged, place, mirror.rows())?;
    }
    Ok(())
}

/// The mirror gets what a main journal that cannot be written knows more, as far as that can be read; tells what people
/// must know.
///
/// # Errors
/// A person must decide; also when that can be read, and the mirror's disk does not take it.
pub(super) fn take_from_main(
    main: &Path,
    path: &Path,
    mirror: &mut SqliteJournal,
) -> Result<Alarm, JournalError> {
    let folder = beside(path, ".main");
    // One that a killed server left.
    let _ = fs::remove_dir_all(&folder);
    let taken = match copy_with_log(main, &folder) {
        Ok(copy) => read_main(main, copy.as_deref(), mirror),
        Err(failure) if can_be_read(main) => Err(JournalError::io(failure)),
        Err(failure) => {
            tell_unreadable(&JournalError::io(failure));
            Ok(false)
        }
    };
    let _ = fs::remove_dir_all(&folder);
    match taken {
        Ok(true) => {
            info!("the mirror has everything that the record's own disk knew");
            Ok(Alarm::RecordOnMirror)
        }
        Ok(false) => Ok(Alarm::RecordMayLack),
        // The record was read: it is the mirror's disk that fails.
        Err(failure @ (JournalError::Io(_) | JournalError::Full)) => Err(JournalError::NoRoom {
            mirror: path.to_owned(),
            source: Box::new(failure),
        }),
        Err(failure) => Err(failure),
    }
}

/// Copies a main journal that has a log, for SQLite writes beside what it reads with one; none is needed of another.
fn copy_with_log(main: &Path, folder: &Path) -> io::Result<Option<PathBuf>> {
    if !has_log(main) {
        return Ok(None);
    }
    fs::create_dir(folder)?;
    let copied = folder.join("conference.db");
    copy_database(main, &copied)?;
    Ok(Some(copied))
}

/// Reads a main journal, in its copy if there is one; tells whether the mirror has everything then.
fn read_main(
    main: &Path,
    copy: Option<&Path>,
    mirror: &mut SqliteJournal,
) -> Result<bool, JournalError> {
    let file = copy.unwrap_or(main);
    let looked = log::check(file).and_then(|_| still(file)).and_then(|db| {
        let end = end_of(&db)?;
        rows::is_whole(&db, end).map(|()| (end, db))
    });
    match looked {
        Ok((end, db)) => take_from_sound(&db, end, mirror).map(|()| true),
        Err(JournalError::Corrupt { number, .. }) if reaches(mirror, number) => {
            take_from_damaged(file, number, mirror)
        }
        Err(failure @ (JournalError::Io(_) | JournalError::Full | JournalError::Locked))
            if copy.is_none() =>
        {
            tell_unreadable(&failure);
            Ok(false)
        }
        // A person must decide.
        Err(failure) => Err(failure),
    }
}

fn tell_unreadable(failure: &JournalError) {
    error!(
        error = failure as &dyn std::error::Error,
        "the record's own disk cannot be read either: what it knew more than its mirror is missing"
    );
}

/// The mirror gets what a sound main journal, which ends there, has more.
fn take_from_sound(
    main: &Connection,
    end: Chain,
    mirror: &mut SqliteJournal,
) -> Result<(), JournalError> {
    match end.number > mirror.last_number() {
        true => mirror.take_missing(main).map(drop),
        false => is_beginning_of(main, end, mirror.rows()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_whose_disk_is_full_at_the_start_is_done_without_and_a_damaged_or_newer_one_is_not()
    {
        let io = JournalError::io(io::Error::other("EIO"));
        let newer = JournalError::UnknownVersion {
            number: 1,
            version: 9,
        };
        for has_record in [true, false] {
            assert!(may_do_without(&JournalError::Full, has_record));
            assert!(may_do_without(&io, has_record));
            assert!(!may_do_without(&newer, has_record));
        }
    }
}
