//! A second journal on another disk: whatever is stored in the main one is stored there too before it is acknowledged,
//! and each rebuilds the other.
//!
//! The main journal decides: what it refuses is not written to the mirror, and what only the mirror refuses, or does not
//! answer in time, is acknowledged all the same, with an alarm, for a meeting must not end with the lesser disk. Which of
//! both is right when they differ at the start is written down in `JOURNAL.md`.

mod follower;
mod start;

use crate::{
    CheckpointKey, Entry, Journal, JournalError, Record, SqliteJournal, alive::sign_of_life,
    files::behind_links,
};
use diemcau_model::{Alarm, Millis};
use follower::{Ask, Follower};
use start::{START_WITHIN, mirror_beside, only_record, open_main, take_from_main, takes_over};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    time::Duration,
};
use tracing::{error, info, warn};

/// How long an acknowledgement waits for the mirror. Less than after which a conference takes its record for one that does
/// not answer (one second): that alarm is of the main disk.
const PATIENCE: Duration = Duration::from_millis(800);
/// How long a mirror that comes back may take for what was stored since it was asked. A slow one takes longer: it is asked
/// again a second later.
const MOMENT: Duration = Duration::from_millis(20);
/// How long an end waits for the mirror: it may have much to catch up with.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

/// A journal and its mirror.
pub struct MirroredJournal {
    /// The other one: the mirror, or, where the conference goes on in that, the main journal.
    // Declared first, so that it is closed first: it reads from the leader.
    follower: Follower,
    /// The one that decides.
    leader: SqliteJournal,
    /// Where the follower's file is.
    follower_path: PathBuf,
    /// What people are told while it does not follow.
    lags: Alarm,
    alarms: BTreeSet<Alarm>,
    /// The follower was found to know other events behind a common beginning: the record lacks what it was told, or what is
    /// in it was told otherwise. That stays, whatever becomes of the follower.
    has_forked: bool,
    /// The last record when the follower was last asked.
    asked_upto: u64,
    /// What was last said of it in the log.
    said: String,
    /// When its sign of life says that the server was last alive.
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
        let main = behind_links(main);
        let main = main.as_path();
        let mut alarms = BTreeSet::new();
        let only = only_record(main, mirror, &key)?;
        // Nobody knows what the lost one knew, whether it can be written anew at once or later. A disk that is away may come
        // back with it.
        if only.is_some() && main.parent().is_some_and(Path::is_dir) {
            alarms.insert(Alarm::RecordMayLack);
        }
        let opened = SqliteJournal::open(main, key.clone());
        let copy = match only {
            None => mirror_beside(&opened, mirror, &key, now, &mut alarms)?,
            only => only,
        };
        let Some(mut copy) = copy else {
            // Nothing is read of a disk that may hang.
            let (lags, alive) = (Alarm::MirrorFails, None);
            let paths = (main, mirror);
            return Ok(Self::alone(opened?, paths, key, lags, alarms, alive));
        };
        match open_main(opened, main, &mut copy, &key, now, &mut alarms) {
            Ok(mut opened) => match opened.probe() {
                Err(failure @ (JournalError::Io(_) | JournalError::Full))
                    if takes_over(&opened, &mut copy)? =>
                {
                    tell_of_main(&failure);
                    drop(opened);
                    let (lags, alive) = (Alarm::RecordOnMirror, sign_of_life(main));
                    let paths = (mirror, main);
                    Ok(Self::alone(copy, paths, key, lags, alarms, alive))
                }
                // What cannot be written is told by what is appended.
                Ok(()) | Err(_) => Self::both(opened, copy, main, mirror, key, alarms),
            },
            Err(failure @ (JournalError::Io(_) | JournalError::Full)) if copy.last_number() > 0 => {
                tell_of_main(&failure);
                let lags = match alarms.contains(&Alarm::RecordMayLack) {
                    // What could be had of a damaged one was had before, and that alarm stays.
                    true => Alarm::RecordOnMirror,
                    false => take_from_main(main, mirror, &mut copy)?,
                };
                let (paths, alive) = ((mirror, main), sign_of_life(main));
                Ok(Self::alone(copy, paths, key, lags, alarms, alive))
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
            follower: Follower::spawn(main.to_owned(), mirror.to_owned(), key, Some(copy)),
            asked_upto: opened.last_number(),
            leader: opened,
            follower_path: mirror.to_owned(),
            lags: Alarm::MirrorFails,
            alarms,
            has_forked: false,
            said: String::new(),
            alive,
        };
        journal.follower.ask(Ask::default());
        match journal.follower.answer(START_WITHIN) {
            // Two records, not one and its copy: a person must say which is right.
            Some(Err(fork @ JournalError::Fork { .. })) => return Err(fork),
            answer => journal.heed(answer),
        }
        Ok(journal)
    }

    /// One of the two, while the other cannot be used: that follows once it can, and `lags` is said until then. `alive` is
    /// the other's sign of life.
    fn alone(
        opened: SqliteJournal,
        (leader, follower): (&Path, &Path),
        key: CheckpointKey,
        lags: Alarm,
        mut alarms: BTreeSet<Alarm>,
        alive: Option<Millis>,
    ) -> Self {
        alarms.insert(lags);
        let follower_path = follower.to_owned();
        let follower = Follower::spawn(leader.to_owned(), follower_path.clone(), key, None);
        follower.ask(Ask::default());
        Self {
            follower,
            asked_upto: opened.last_number(),
            leader: opened,
            follower_path,
            lags,
            alarms,
            has_forked: false,
            said: String::new(),
            alive,
        }
    }

    fn follows(&self) -> bool {
        !self.alarms.contains(&self.lags)
    }

    /// Which of the two follows.
    fn follower_name(&self) -> &'static str {
        match self.lags == Alarm::MirrorFails {
            true => "the mirror of the record",
            false => "the journal on the record's own disk",
        }
    }

    fn ask(&mut self, ask: Ask) {
        self.asked_upto = self.leader.last_number();
        self.follower.ask(ask);
    }

    /// What the follower answered, or that it did not.
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
        // One without a common beginning is of another conference: nothing of this one is missing.
        self.has_forked |= matches!(failure, JournalError::Fork { number } if *number > 1);
        let said = failure.to_string();
        if said != self.said {
            warn!(
                error = failure as &dyn std::error::Error,
                file = %self.follower_path.display(),
                "{} cannot be written: the conference goes on without it",
                self.follower_name()
            );
            self.said = said;
        }
    }

    /// Looks whether the follower is there again, and waits neither for one that is not nor for a slow one.
    fn try_again(&mut self, now: Millis) {
        let alive = Some(now);
        let ask = Ask {
            alive,
            close: false,
        };
        match self.follower.answer(Duration::ZERO) {
            None => {}
            Some(Err(failure)) => {
                self.miss(&failure);
                self.ask(ask);
            }
            Some(Ok(())) => {
                // It answers again. What was stored since it was asked, it must have before it counts.
                let has_all = self.asked_upto == self.leader.last_number();
                self.ask(ask);
                if has_all || matches!(self.follower.answer(MOMENT), Some(Ok(()))) {
                    info!(file = %self.follower_path.display(), "{} has caught up", self.follower_name());
                    self.alarms.remove(&self.lags);
                    self.said.clear();
                }
            }
        }
    }
}

fn tell_of_main(failure: &JournalError) {
    error!(
        error = failure as &dyn std::error::Error,
        "the record's own disk cannot be used: its mirror is the record"
    );
}

impl Journal for MirroredJournal {
    fn settle(&mut self) -> Result<(), JournalError> {
        self.leader.settle()
    }

    fn append(&mut self, entries: &[Entry]) -> Result<u64, JournalError> {
        let last = self.leader.append(entries)?;
        if self.follows() {
            self.ask(Ask::default());
            let answer = self.follower.answer(PATIENCE);
            self.heed(answer);
        }
        Ok(last)
    }

    fn last_number(&self) -> u64 {
        self.leader.last_number()
    }

    fn read_all(&mut self, each: &mut dyn FnMut(Record)) -> Result<(), JournalError> {
        self.leader.read_all(each)
    }

    /// Also the rhythm in which a follower that fails is tried again.
    fn touch(&mut self, now: Millis) {
        self.leader.touch(now);
        if !self.follows() {
            return self.try_again(now);
        }
        // The answer is heard a second later: nobody waits for it.
        let answer = self.follower.answer(Duration::ZERO);
        self.heed(answer);
        self.ask(Ask {
            alive: Some(now),
            close: false,
        });
    }

    fn last_alive(&mut self) -> Option<Millis> {
        self.leader.last_alive().max(self.alive)
    }

    fn close(&mut self) -> Result<(), JournalError> {
        let closed = self.leader.close();
        if self.follows() {
            self.ask(Ask {
                alive: None,
                close: true,
            });
            let answer = self.follower.answer(CLOSE_WITHIN);
            self.heed(answer);
        }
        closed
    }

    fn alarms(&self) -> BTreeSet<Alarm> {
        let forked = self.has_forked.then_some(Alarm::RecordMayLack);
        self.alarms.iter().copied().chain(forked).collect()
    }
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
            assert!(matches!(journal.follower.answer(LIVE), Some(Ok(()))));
            append(&mut journal);
            disk.execute_batch("BEGIN IMMEDIATE").unwrap();
            journal.touch(Millis(second));
            assert!(!journal.follows(), "it lacks what was stored since");
        }
        assert!(begun.elapsed() < LIVE);

        disk.execute_batch("ROLLBACK").unwrap();
        assert!(matches!(journal.follower.answer(LIVE), Some(Ok(()))));
        journal.touch(Millis(50));
        assert!(journal.follows(), "it has everything");
    }
}
