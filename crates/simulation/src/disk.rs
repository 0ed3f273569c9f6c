//! The disk under the journal: it keeps what was synced, and can fail, be slow, and survive the server.

use diemcau_journal::{Entry, Journal, JournalError, MemoryJournal, Record};
use diemcau_model::Millis;
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// What the disk holds, and how it behaves.
#[derive(Clone, Default)]
pub struct Disk {
    journal: MemoryJournal,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    appends: Vec<Append>,
    fault: Fault,
    sync: Duration,
    /// Grows with each server; an earlier one writes nothing any more.
    servers: u64,
}

/// What was synced at once.
#[derive(Clone)]
pub struct Append {
    /// When.
    pub at: Instant,
    /// The number of its first record.
    pub first: u64,
    /// Its records.
    pub entries: Vec<Entry>,
}

/// How the disk fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// It does not.
    #[default]
    None,
    /// No room is left: writing fails.
    Full,
    /// The sync fails.
    Sync,
    /// Nothing can be written and nothing read.
    Gone,
}

/// One server's hold of the disk.
pub struct Held {
    disk: Disk,
    server: u64,
}

impl Disk {
    /// Gives the disk to a server; the one before has died.
    pub fn hold(&self) -> Held {
        let mut shared = self.shared();
        shared.servers += 1;
        Held {
            disk: self.clone(),
            server: shared.servers,
        }
    }

    /// The server dies: what is not synced is lost.
    pub fn let_go(&self) {
        self.shared().servers += 1;
    }

    /// It fails from now on, or no more.
    pub fn set_fault(&self, fault: Fault) {
        self.shared().fault = fault;
    }

    /// A sync takes so long from now on.
    pub fn set_sync(&self, sync: Duration) {
        self.shared().sync = sync;
    }

    /// How long a sync takes.
    #[must_use]
    pub fn sync(&self) -> Duration {
        self.shared().sync
    }

    /// The appends behind the first `count`.
    #[must_use]
    pub fn appends_behind(&self, count: usize) -> Vec<Append> {
        self.shared()
            .appends
            .get(count..)
            .unwrap_or_default()
            .to_vec()
    }

    /// Every record.
    ///
    /// # Errors
    /// The chain is broken.
    pub fn records(&self) -> Result<Vec<Record>, JournalError> {
        let mut records = vec![];
        let mut journal = self.journal.clone();
        journal.read_all(&mut |record| records.push(record))?;
        Ok(records)
    }

    // Every change is complete before the lock is left.
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn check(&self, is_read: bool) -> Result<(), JournalError> {
        let shared = self.disk.shared();
        if shared.servers != self.server {
            return Err(JournalError::Closed);
        }
        match shared.fault {
            Fault::None => Ok(()),
            Fault::Full | Fault::Sync if is_read => Ok(()),
            Fault::Full => Err(JournalError::Full),
            Fault::Sync | Fault::Gone => Err(JournalError::io(io::Error::other("simulated"))),
        }
    }
}

impl Journal for Held {
    fn append(&mut self, entries: &[Entry]) -> Result<u64, JournalError> {
        self.check(false)?;
        if entries.is_empty() {
            return Ok(self.disk.journal.last_number());
        }
        let first = self.disk.journal.last_number() + 1;
        let last = self.disk.journal.append(entries)?;
        self.disk.shared().appends.push(Append {
            at: Instant::now(),
            first,
            entries: entries.to_vec(),
        });
        Ok(last)
    }

    fn last_number(&self) -> u64 {
        self.disk.journal.last_number()
    }

    fn read_all(&mut self, each: &mut dyn FnMut(Record)) -> Result<(), JournalError> {
        self.check(true)?;
        self.disk.journal.read_all(each)
    }

    fn touch(&mut self, now: Millis) {
        if self.check(false).is_ok() {
            self.disk.journal.touch(now);
        }
    }

    fn last_alive(&mut self) -> Option<Millis> {
        self.disk.journal.last_alive()
    }
}
