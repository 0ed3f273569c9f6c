//! The thread that keeps a copy of a journal: it alone touches the copy's disk, so that nobody hangs with that.
//!
//! It copies what the journal has and the copy has not, whether that is the last record or a thousand: a copy that was
//! gone for an hour comes back by the same steps that keep it.

use crate::{CheckpointKey, Journal, JournalError, SqliteJournal, files::folder_of, rows};
use diemcau_model::Millis;
use rusqlite::Connection;
use std::{
    fs, io, mem,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

/// How long the thread may take to end; one that hangs with its disk is left behind.
const END_WITHIN: Duration = Duration::from_secs(3);

/// What is asked of the thread. What is asked while it works is done together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ask {
    /// When the server was alive.
    pub alive: Option<Millis>,
    /// Sign the end: nothing comes any more.
    pub close: bool,
}

/// The journal's end of it.
pub(crate) struct Follower {
    line: Arc<Line>,
    ended: Receiver<()>,
}

#[derive(Default)]
struct Line {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What waits for the thread, and how often it was asked.
    ask: Ask,
    asked: u64,
    /// Up to where that is answered, and what the last answer was.
    answered: u64,
    answer: Option<JournalError>,
    over: bool,
}

impl Follower {
    /// Follows the journal in the file `leader`, which must be open here, with the one in the file `path`: with `copy`, or
    /// with what is opened or begun there when it is asked first.
    pub fn spawn(
        leader: PathBuf,
        path: PathBuf,
        key: CheckpointKey,
        copy: Option<SqliteJournal>,
    ) -> Self {
        let line = Arc::new(Line::default());
        let (end, ended) = channel();
        let copier = Copier {
            line: Arc::clone(&line),
            leader,
            path,
            key,
            reader: None,
            // One that was never written here, or failed, must show that it can be.
            can_write: copy.is_some(),
            copy,
            was_apart: false,
            _end: end,
        };
        let started = thread::Builder::new()
            .name("mirror".into())
            .spawn(move || copier.run());
        if let Err(error) = started {
            // It never answers, and is told as one that hangs.
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the mirror's thread cannot be started"
            );
        }
        Self { line, ended }
    }

    /// Asks the copy to follow as far as the journal goes now.
    pub fn ask(&self, ask: Ask) {
        let mut state = self.line.lock();
        state.asked += 1;
        state.ask.alive = state.ask.alive.max(ask.alive);
        state.ask.close |= ask.close;
        self.line.changed.notify_all();
    }

    /// What became of all that was asked; none when that is not known yet.
    pub fn answer(&self, within: Duration) -> Option<Result<(), JournalError>> {
        let waits = |state: &mut State| state.answered < state.asked;
        let waited = self
            .line
            .changed
            .wait_timeout_while(self.line.lock(), within, waits);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let is_known = state.answered == state.asked;
        is_known.then(|| state.answer.clone().map_or(Ok(()), Err))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.line.lock().over = true;
        self.line.changed.notify_all();
        // Nothing is ever sent: the thread's end is the answer.
        let _ = self.ended.recv_timeout(END_WITHIN);
    }
}

impl Line {
    /// What to do next; none when it is over.
    fn next(&self) -> Option<(u64, Ask)> {
        let idle = |state: &mut State| state.answered == state.asked && !state.over;
        let waited = self.changed.wait_while(self.lock(), idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let asked = state.answered < state.asked;
        asked.then(|| (state.asked, mem::take(&mut state.ask)))
    }

    fn answer(&self, upto: u64, result: Result<(), JournalError>) {
        let mut state = self.lock();
        state.answered = upto;
        state.answer = result.err();
        self.changed.notify_all();
    }

    // Each change of it is one step: whoever panics leaves it whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread's end.
struct Copier {
    line: Arc<Line>,
    leader: PathBuf,
    path: PathBuf,
    key: CheckpointKey,
    reader: Option<Connection>,
    copy: Option<SqliteJournal>,
    can_write: bool,
    /// The copy was on another disk than the journal.
    was_apart: bool,
    // Declared last: it tells that the copy is closed.
    _end: Sender<()>,
}

impl Copier {
    fn run(mut self) {
        if self.copy.is_some() {
            self.was_apart = are_apart(&self.leader, &self.path).unwrap_or(false);
        }
        while let Some((upto, ask)) = self.line.next() {
            let followed = self.follow(ask);
            self.can_write = followed.is_ok();
            if matches!(
                followed,
                Err(JournalError::Io(_) | JournalError::Fork { .. })
            ) {
                // A disk that comes back is another one to the system, and a record put away is another file.
                (self.copy, self.reader) = (None, None);
            }
            self.line.answer(upto, followed);
        }
    }

    fn follow(&mut self, ask: Ask) -> Result<(), JournalError> {
        if self.copy.is_none() {
            self.stays_apart()?;
        }
        let copy = match &mut self.copy {
            Some(copy) => copy,
            copy @ None => copy.insert(SqliteJournal::open(&self.path, self.key.clone())?),
        };
        // Also when there is nothing to copy: what is deleted is begun anew, and not when the next event comes.
        copy.is_in_place()?;
        copy.settle()?;
        let reader = match &mut self.reader {
            Some(reader) => reader,
            reader @ None => reader.insert(rows::reader(&self.leader)?),
        };
        let taken = copy.take_missing(reader)?;
        if taken == 0 && !self.can_write {
            copy.probe()?;
        }
        if let Some(now) = ask.alive {
            copy.touch(now);
        }
        match ask.close {
            true => copy.close(),
            false => Ok(()),
        }
    }

    /// A disk that is pulled leaves the empty folder it was mounted at: a copy begun there would be on the journal's own
    /// disk, and the alarm would be over.
    fn stays_apart(&mut self) -> Result<(), JournalError> {
        let is_apart = are_apart(&self.leader, &self.path).map_err(JournalError::io)?;
        if self.was_apart && !is_apart {
            let gone = "its disk is gone, and its folder is on the same disk as the other copy";
            return Err(JournalError::io(io::Error::other(gone)));
        }
        self.was_apart = is_apart;
        Ok(())
    }
}

/// Whether two journals' folders are on two disks.
fn are_apart(one: &Path, other: &Path) -> io::Result<bool> {
    let disk = |journal| Ok::<_, io::Error>(fs::metadata(folder_of(journal))?.dev());
    Ok(disk(one)? != disk(other)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use crate::Entry;
    use diemcau_conference::Event;
    use std::os::unix::fs::symlink;

    #[test]
    fn nobody_waits_longer_than_they_like_for_a_copy_that_hangs() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        let key = CheckpointKey::from_seed(&[7; 32]).unwrap();
        let mut leader = SqliteJournal::open(path("one"), key.clone()).unwrap();
        let copy = SqliteJournal::open(path("two"), key.clone()).unwrap();
        let follower = Follower::spawn(path("one"), path("two"), key, Some(copy));
        let entry = Entry {
            at: Millis(1),
            seat: None,
            command: None,
            event: Event::ListSet { open: true },
        };
        leader.append(&[entry]).unwrap();

        // A store that is locked is waited for, for some seconds.
        let other = Connection::open(path("two")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        follower.ask(Ask::default());
        assert!(follower.answer(Duration::from_millis(50)).is_none());
        other.execute_batch("ROLLBACK").unwrap();
        let answer = follower.answer(Duration::from_secs(30));
        assert!(matches!(answer, Some(Ok(()))), "{answer:?}");
        let copied = rows::hash_at(&other, 1).unwrap();
        assert!(copied.is_some());
        assert_eq!(copied, rows::hash_at(leader.rows(), 1).unwrap());
    }

    #[test]
    fn a_copy_whose_disk_is_pulled_is_not_begun_anew_on_the_journals_own_disk() {
        let folder = tempfile::tempdir().unwrap();
        let other_disk = tempfile::tempdir_in("/dev/shm").unwrap();
        let path = |name| folder.path().join(name);
        let (one, away) = (path("one"), path("away"));
        // A link stands for the mount.
        let (mount, two) = (path("mount"), path("mount/two"));
        symlink(other_disk.path(), &mount).unwrap();
        assert!(are_apart(&one, &two).unwrap(), "one disk is no two");

        let key = CheckpointKey::from_seed(&[7; 32]).unwrap();
        let mut leader = SqliteJournal::open(&one, key.clone()).unwrap();
        let entry = Entry {
            at: Millis(1),
            seat: None,
            command: None,
            event: Event::ListSet { open: true },
        };
        leader.append(&[entry]).unwrap();
        let copy = SqliteJournal::open(&two, key.clone()).unwrap();
        let follower = Follower::spawn(one.clone(), two.clone(), key, Some(copy));
        let follows = || {
            follower.ask(Ask::default());
            follower.answer(Duration::from_secs(30)).unwrap()
        };
        // What fails as a disk does closes the copy.
        fs::rename(&one, &away).unwrap();
        assert!(matches!(follows(), Err(JournalError::Io(_))));
        fs::rename(&away, &one).unwrap();

        fs::remove_file(&mount).unwrap();
        fs::create_dir(&mount).unwrap();
        let pulled = follows();
        assert!(matches!(pulled, Err(JournalError::Io(_))), "{pulled:?}");
        assert!(!two.exists(), "both copies are on one disk");

        fs::remove_dir(&mount).unwrap();
        symlink(other_disk.path(), &mount).unwrap();
        follows().unwrap();
        let copied = rows::hash_at(&Connection::open(two).unwrap(), 1).unwrap();
        assert_eq!(copied, rows::hash_at(leader.rows(), 1).unwrap());
    }
}
