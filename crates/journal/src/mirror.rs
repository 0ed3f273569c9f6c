//! A second journal on another disk: whatever is stored in the main one is stored there too before it is acknowledged,
//! and each rebuilds the other.
//!
//! The main journal decides: what it refuses is not written to the mirror, and what only the mirror refuses, or does not
//! answer in time, is acknowledged all the same, with an alarm, for a meeting must not end with the lesser disk. Which of
//! both is right when they differ at the start is written down in `JOURNAL.md`.

use crate::{
    CheckpointKey, Entry, Journal, JournalError, Record, SqliteJournal,
    files::{beside, copy_database, put_away, sync_folder},
    follower::{Ask, Follower},
};
use diemcau_model::{Alarm, Millis};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::channel,
    thread,
    time::Duration,
};
use tracing::{error, info, warn};

/// How long an acknowledgement waits for the mirror. Less than after which a conference takes its record for one that does
/// not answer (one second): that alarm is of the main disk.
const PATIENCE: Duration = Duration::from_millis(800);
/// How long a mirror that comes back may take for what was stored since it was asked. A slow one takes longer: it is asked
/// again a second later.
const MOMENT: Duration = Duration::from_millis(20);
/// How long a start, and an end, wait for the mirror: it may have much to read or to catch up with.
const START_WITHIN: Duration = Duration::from_secs(10);
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

/// A journal and its mirror.
pub struct MirroredJournal {
    // Declared first, so that it is closed first: it reads from the other.
    mirror: Follower,
    main: SqliteJournal,
    /// Where the mirror is.
    path: PathBuf,
    /// What people are told while the other one does not follow.
    lags: Alarm,
    alarms: BTreeSet<Alarm>,
    /// The last record when the mirror was last asked to follow.
    asked_upto: u64,
    /// What was last said of the mirror in the log.
    said: String,
    /// When the mirror says that the server was last alive.
    alive: Option<Millis>,
}

impl MirroredJournal {
    /// Opens both journals, and makes them the same. `now` names what had to be put away.
    pub fn open(
        main: &Path,
        mirror: &Path,
        key: CheckpointKey,
        now: Millis,
    ) -> Result<Self, JournalError> {
        let mut alarms = BTreeSet::new();
        let opened = SqliteJournal::open(main, key.clone());
        let copy = mirror_beside(&opened, mirror, &key, now, &mut alarms)?;
        let Some(mut copy) = copy else {
            return Ok(Self::alone(
                opened?,
                (main, mirror),
                key,
                Alarm::MirrorFails,
                alarms,
            ));
        };
        match open_main(opened, main, &mut copy, &key, now, &mut alarms) {
            Ok(opened) => Self::both(opened, copy, main, mirror, key, alarms),
            Err(failure @ (JournalError::Io(_) | JournalError::Full)) if copy.last_number() > 0 => {
                error!(
                    error = &failure as &dyn std::error::Error,
                    "the record's own disk cannot be used: its mirror is the record"
                );
                let lags = take_from_main(main, mirror, &mut copy, &key)?;
                Ok(Self::alone(copy, (mirror, main), key, lags, alarms))
            }
            Err(failure) => Err(failure),
        }
    }

    fn both(
        opened: SqliteJournal,
        mut copy: SqliteJournal,
        main: &Path,
        mirror: &Path,
        key: CheckpointKey,
        alarms: BTreeSet<Alarm>,
    ) -> Result<Self, JournalError> {
        let alive = copy.last_alive();
        let mut journal = Self {
            mirror: Follower::spawn(main.to_owned(), mirror.to_owned(), key, Some(copy)),
            asked_upto: opened.last_number(),
            main: opened,
            path: mirror.to_owned(),
            lags: Alarm::MirrorFails,
            alarms,
            said: String::new(),
            alive,
        };
        journal.mirror.ask(Ask::default());
        match journal.mirror.answer(START_WITHIN) {
            // Two records, not one and its copy: a person must say which is right.
            Some(Err(fork @ JournalError::Fork { .. })) => return Err(fork),
            answer => journal.heed(answer),
        }
        Ok(journal)
    }

    /// One of the two, while the other cannot be used: that follows once it can, and `lags` is said until then.
    fn alone(
        opened: SqliteJournal,
        (leader, path): (&Path, &Path),
        key: CheckpointKey,
        lags: Alarm,
        mut alarms: BTreeSet<Alarm>,
    ) -> Self {
        alarms.insert(lags);
        let mirror = Follower::spawn(leader.to_owned(), path.to_owned(), key, None);
        mirror.ask(Ask::default());
        Self {
            mirror,
            asked_upto: opened.last_number(),
            main: opened,
            path: path.to_owned(),
            lags,
            alarms,
            said: String::new(),
            alive: None,
        }
    }

    fn follows(&self) -> bool {
        !self.alarms.contains(&self.lags)
    }

    fn ask(&mut self, ask: Ask) {
        self.asked_upto = self.main.last_number();
        self.mirror.ask(ask);
    }

    /// What the mirror answered, or that it did not.
    fn heed(&mut self, answer: Option<Result<(), JournalError>>) {
        match answer {
            Some(Ok(())) => {}
            Some(Err(failure)) => self.miss(&failure),
            None => {
                let silent = io::Error::new(io::ErrorKind::TimedOut, "its disk does not answer");
                self.miss(&JournalError::io(silent));
            }
        }
    }

    fn miss(&mut self, failure: &JournalError) {
        self.alarms.insert(self.lags);
        let said = failure.to_string();
        if said != self.said {
            warn!(
                error = failure as &dyn std::error::Error,
                mirror = %self.path.display(),
                "the mirror of the record cannot be written: the conference goes on without it"
            );
            self.said = said;
        }
    }

    /// Looks whether the mirror is there again, and waits neither for one that is not nor for a slow one.
    fn try_again(&mut self, now: Millis) {
        let alive = Some(now);
        let ask = Ask {
            alive,
            close: false,
        };
        match self.mirror.answer(Duration::ZERO) {
            None => {}
            Some(Err(failure)) => {
                self.miss(&failure);
                self.ask(ask);
            }
            Some(Ok(())) => {
                // It answers again. What was stored since it was asked, it must have before it counts.
                let has_all = self.asked_upto == self.main.last_number();
                self.ask(ask);
                if has_all || matches!(self.mirror.answer(MOMENT), Some(Ok(()))) {
                    info!(mirror = %self.path.display(), "the mirror of the record has caught up");
                    self.alarms.remove(&self.lags);
                    self.said.clear();
                }
            }
        }
    }
}

impl Journal for MirroredJournal {
    fn append(&mut self, entries: &[Entry]) -> Result<u64, JournalError> {
        let last = self.main.append(entries)?;
        if self.follows() {
            self.ask(Ask::default());
            let answer = self.mirror.answer(PATIENCE);
            self.heed(answer);
        }
        Ok(last)
    }

    fn last_number(&self) -> u64 {
        self.main.last_number()
    }

    fn read_all(&mut self, each: &mut dyn FnMut(Record)) -> Result<(), JournalError> {
        self.main.read_all(each)
    }

    /// Also the rhythm in which a mirror that fails is tried again.
    fn touch(&mut self, now: Millis) {
        self.main.touch(now);
        if !self.follows() {
            return self.try_again(now);
        }
        // The answer is heard a second later: nobody waits for it.
        let answer = self.mirror.answer(Duration::ZERO);
        self.heed(answer);
        self.ask(Ask {
            alive: Some(now),
            close: false,
        });
    }

    fn last_alive(&mut self) -> Option<Millis> {
        self.main.last_alive().max(self.alive)
    }

    fn close(&mut self) -> Result<(), JournalError> {
        let closed = self.main.close();
        if self.follows() {
            self.ask(Ask {
                alive: None,
                close: true,
            });
            let answer = self.mirror.answer(CLOSE_WITHIN);
            self.heed(answer);
        }
        closed
    }

    fn alarms(&self) -> BTreeSet<Alarm> {
        self.alarms.clone()
    }
}

/// The mirror beside a main journal. A sound record does not wait for one that does not answer; where there is none, the
/// mirror alone may know what was.
fn mirror_beside(
    main: &Result<SqliteJournal, JournalError>,
    path: &Path,
    key: &CheckpointKey,
    now: Millis,
    alarms: &mut BTreeSet<Alarm>,
) -> Result<Option<SqliteJournal>, JournalError> {
    let has_record = main.as_ref().is_ok_and(|main| main.last_number() > 0);
    let opened = match has_record {
        true => {
            let (path, key) = (path.to_owned(), key.clone());
            within(START_WITHIN, move || open_mirror(&path, &key, now))
        }
        false => open_mirror(path, key, now),
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

/// A mirror that is damaged is put away and begun anew; tells whether it was.
fn open_mirror(
    path: &Path,
    key: &CheckpointKey,
    now: Millis,
) -> Result<(SqliteJournal, bool), JournalError> {
    match SqliteJournal::open(path, key.clone()) {
        Err(JournalError::Corrupt { number, what }) => {
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

/// A main journal that is damaged, lost or behind is written anew from the mirror, if that knows at least as much.
fn open_main(
    opened: Result<SqliteJournal, JournalError>,
    path: &Path,
    mirror: &mut SqliteJournal,
    key: &CheckpointKey,
    now: Millis,
    alarms: &mut BTreeSet<Alarm>,
) -> Result<SqliteJournal, JournalError> {
    let mut main = match opened {
        Err(JournalError::Corrupt { number, what }) if mirror.last_number() + 1 >= number => {
            let away = put_away(path, now)?;
            error!(number, what, kept = %away.display(), "the record was damaged");
            SqliteJournal::open(path, key.clone())?
        }
        opened => opened?,
    };
    if main.last_number() < mirror.last_number() {
        let before = main.last_number();
        let taken = main.take_missing(mirror.rows())?;
        sync_folder(path)?;
        error!(before, taken, "the record was rebuilt from its mirror");
        alarms.insert(Alarm::RecordRebuilt);
    }
    Ok(main)
}

/// The mirror gets what a main journal that cannot be written knows more, as far as that can be read; tells what people
/// must know.
fn take_from_main(
    main: &Path,
    path: &Path,
    mirror: &mut SqliteJournal,
    key: &CheckpointKey,
) -> Result<Alarm, JournalError> {
    match read_main(main, &beside(path, ".main"), mirror, key) {
        Ok(taken) => {
            info!(
                taken,
                "the mirror has everything that the record's own disk knew"
            );
            Ok(Alarm::RecordOnMirror)
        }
        // What is readable of it is more than the mirror has.
        Err(failure @ JournalError::Corrupt { number, .. })
            if mirror.last_number() + 1 < number =>
        {
            Err(failure)
        }
        Err(
            failure @ (JournalError::Io(_)
            | JournalError::Full
            | JournalError::Locked
            | JournalError::Corrupt { .. }),
        ) => {
            error!(
                error = &failure as &dyn std::error::Error,
                "the record's own disk cannot be read either: what it knew more than its mirror is missing"
            );
            Ok(Alarm::RecordMayLack)
        }
        // A person must decide.
        Err(
            failure @ (JournalError::Fork { .. }
            | JournalError::UnknownVersion { .. }
            | JournalError::Unreadable { .. }
            | JournalError::Closed),
        ) => Err(failure),
    }
}

/// Reads a copy of the main journal, for SQLite writes beside what it reads; tells how many records were taken from it.
fn read_main(
    main: &Path,
    folder: &Path,
    mirror: &mut SqliteJournal,
    key: &CheckpointKey,
) -> Result<u64, JournalError> {
    // One that a killed server left.
    let _ = fs::remove_dir_all(folder);
    fs::create_dir(folder).map_err(JournalError::io)?;
    let copied = folder.join("conference.db");
    let taken = copy_database(main, &copied)
        .map_err(JournalError::io)
        .and_then(|()| SqliteJournal::open(&copied, key.clone()))
        .and_then(|main| match main.last_number() > mirror.last_number() {
            true => mirror.take_missing(main.rows()),
            false => main.is_beginning_of(mirror.rows()).map(|()| 0),
        });
    let _ = fs::remove_dir_all(folder);
    taken
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use diemcau_conference::Event;
    use rusqlite::Connection;
    use std::time::Instant;

    /// How long what is waited for may take: a liveness bound, no measure.
    const LIVE: Duration = Duration::from_secs(30);

    fn append(journal: &mut MirroredJournal) {
        let entry = Entry {
            at: Millis(1),
            seat: None,
            command: None,
            event: Event::ListSet { open: true },
        };
        journal.append(&[entry]).unwrap();
    }

    #[test]
    fn a_slow_mirror_that_catches_up_holds_up_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
        let key = CheckpointKey::from_seed(&[7; 32]).unwrap();
        let mut journal = MirroredJournal::open(&one, &two, key, Millis(1)).unwrap();
        append(&mut journal);
        let disk = Connection::open(&two).unwrap();
        disk.execute_batch("BEGIN IMMEDIATE").unwrap();
        append(&mut journal);
        assert!(!journal.follows(), "nobody waits for one that hangs");

        // Whoever waited for it as long as for one that follows would need more than this.
        let begun = Instant::now();
        for second in 0..45 {
            disk.execute_batch("ROLLBACK").unwrap();
            assert!(matches!(journal.mirror.answer(LIVE), Some(Ok(()))));
            append(&mut journal);
            disk.execute_batch("BEGIN IMMEDIATE").unwrap();
            journal.touch(Millis(second));
            assert!(!journal.follows(), "it lacks what was stored since");
        }
        assert!(begun.elapsed() < LIVE);

        disk.execute_batch("ROLLBACK").unwrap();
        assert!(matches!(journal.mirror.answer(LIVE), Some(Ok(()))));
        journal.touch(Millis(50));
        assert!(journal.follows(), "it has everything");
    }

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
