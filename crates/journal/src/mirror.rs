//! A second journal on another disk: whatever is stored in the main one is stored there too before it is acknowledged,
//! and each rebuilds the other.
//!
//! The main journal decides: what it refuses is not written to the mirror, and what only the mirror refuses is
//! acknowledged all the same, with an alarm, for a meeting must not end with the lesser disk. Which of both is right when
//! they differ at the start is written down in `JOURNAL.md`.

use crate::{
    CheckpointKey, Entry, Journal, JournalError, Record, SqliteJournal,
    files::{put_away, sync_folder},
};
use diemcau_model::{Alarm, Millis};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use tracing::{error, info, warn};

/// A journal and its mirror.
pub struct MirroredJournal {
    main: SqliteJournal,
    /// None: it could not be opened.
    mirror: Option<SqliteJournal>,
    path: PathBuf,
    key: CheckpointKey,
    alarms: BTreeSet<Alarm>,
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
        let mut copy = open_mirror(mirror, &key, now, &mut alarms)?;
        let main = open_main(main, copy.as_mut(), &key, now, &mut alarms)?;
        let mut journal = Self {
            main,
            mirror: copy,
            path: mirror.to_owned(),
            key,
            alarms,
        };
        if journal.mirror.is_some() {
            journal.follow()?;
        }
        Ok(journal)
    }

    /// Brings the mirror to where the main journal is; an alarm while that fails.
    fn follow(&mut self) -> Result<(), JournalError> {
        let followed = match &mut self.mirror {
            Some(mirror) => mirror.take_missing(&self.main),
            None => SqliteJournal::open(&self.path, self.key.clone()).and_then(|mut mirror| {
                let taken = mirror.take_missing(&self.main);
                self.mirror = Some(mirror);
                taken
            }),
        };
        match followed {
            Ok(taken) => {
                if taken > 0 {
                    info!(records = taken, "the mirror of the record has caught up");
                }
                self.alarms.remove(&Alarm::MirrorFails);
                Ok(())
            }
            // Two records, not one and its copy: a person must say which is right.
            Err(fork @ JournalError::Fork { .. }) => Err(fork),
            Err(failure) => {
                self.miss(&failure);
                Ok(())
            }
        }
    }

    fn miss(&mut self, failure: &JournalError) {
        if self.alarms.insert(Alarm::MirrorFails) {
            warn!(
                error = failure as &dyn std::error::Error,
                mirror = %self.path.display(),
                "the mirror of the record cannot be written: the conference goes on without it"
            );
        }
    }
}

impl Journal for MirroredJournal {
    fn append(&mut self, entries: &[Entry]) -> Result<u64, JournalError> {
        let last = self.main.append(entries)?;
        let fails = self.alarms.contains(&Alarm::MirrorFails);
        if let Some(mirror) = self.mirror.as_mut().filter(|_| !fails)
            && let Err(failure) = mirror.append(entries)
        {
            self.miss(&failure);
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
        if let Some(mirror) = &mut self.mirror {
            mirror.touch(now);
        }
        if self.alarms.contains(&Alarm::MirrorFails)
            && let Err(fork) = self.follow()
        {
            // Another record was put in the mirror's place while we ran: it is left alone.
            self.mirror = None;
            self.miss(&fork);
        }
    }

    fn last_alive(&mut self) -> Option<Millis> {
        let mirror = self.mirror.as_mut().and_then(SqliteJournal::last_alive);
        self.main.last_alive().max(mirror)
    }

    fn close(&mut self) -> Result<(), JournalError> {
        if let Some(mirror) = &mut self.mirror
            && let Err(failure) = mirror.close()
        {
            self.miss(&failure);
        }
        self.main.close()
    }

    fn alarms(&self) -> BTreeSet<Alarm> {
        self.alarms.clone()
    }
}

/// A mirror that is damaged is put away and begun anew; one that cannot be opened is done without.
fn open_mirror(
    path: &Path,
    key: &CheckpointKey,
    now: Millis,
    alarms: &mut BTreeSet<Alarm>,
) -> Result<Option<SqliteJournal>, JournalError> {
    match SqliteJournal::open(path, key.clone()) {
        Ok(mirror) => Ok(Some(mirror)),
        Err(JournalError::Corrupt { number, what }) => {
            let away = put_away(path, now)?;
            error!(
                number, what, kept = %away.display(),
                "the mirror of the record was damaged: it is written anew from the record"
            );
            alarms.insert(Alarm::MirrorRebuilt);
            SqliteJournal::open(path, key.clone()).map(Some)
        }
        Err(JournalError::Io(failure)) => {
            warn!(error = &*failure as &dyn std::error::Error, mirror = %path.display(), "the mirror of the record cannot be opened");
            alarms.insert(Alarm::MirrorFails);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// A main journal that is damaged, lost or behind is written anew from the mirror, if that knows at least as much.
fn open_main(
    path: &Path,
    mirror: Option<&mut SqliteJournal>,
    key: &CheckpointKey,
    now: Millis,
    alarms: &mut BTreeSet<Alarm>,
) -> Result<SqliteJournal, JournalError> {
    let opened = SqliteJournal::open(path, key.clone());
    let Some(mirror) = mirror else {
        return opened;
    };
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
        let taken = main.take_missing(mirror)?;
        sync_folder(path)?;
        error!(before, taken, "the record was rebuilt from its mirror");
        alarms.insert(Alarm::RecordRebuilt);
    }
    Ok(main)
}
