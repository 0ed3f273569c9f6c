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
    /// What a failed sync left behind.
    in_doubt: Vec<Entry>,
    /// How often that was found by a server that started.
    found: u64,
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
    /// The sync fails, and what was written is lost.
    Sync,
    /// The sync fails, but what was written is there: who starts over this disk finds it, if nothing is written meanwhile.
    /// Nobody can decide which of both it is (`JOURNAL.md`, "After a failure").
    SyncInDoubt,
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
        let server = {
            let mut shared = self.shared();
            shared.servers += 1;
            shared.servers
        };
        self.find();
        Held {
            disk: self.clone(),
            server,
        }
    }

    /// What a failed sync left behind is in the record of whoever starts.
    fn find(&self) {
        let entries = std::mem::take(&mut self.shared().in_doubt);
        if !entries.is_empty() && self.keep(&entries).is_ok() {
            self.shared().found += 1;
        }
    }

    fn keep(&self, entries: &[Entry]) -> Result<u64, JournalError> {
        let mut journal = self.journal.clone();
        let first = journal.last_number() + 1;
        let last = journal.append(entries)?;
        self.shared().appends.push(Append {
            at: Instant::now(),
            first,
            entries: entries.to_vec(),
        });
        Ok(last)
    }

    /// How often what a failed sync left behind was found by a server that started.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.shared().found
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
            Fault::Full | Fault::Sync | Fault::SyncInDoubt if is_read => Ok(()),
            Fault::Full => Err(JournalError::Full),
            Fault::Sync | Fault::SyncInDoubt | Fault::Gone => {
                Err(JournalError::io(io::Error::other("simulated")))
            }
        }
    }

    /// What is written takes the place of what was written and not synced before.
    fn write(&self, entries: &[Entry]) {
        let mut shared = self.disk.shared();
        if shared.servers != self.server {
            return;
        }
        match shared.fault {
            Fault::None | Fault::Sync => shared.in_doubt.clear(),
            Fault::SyncInDoubt => shared.in_doubt = entries.to_vec(),
            Fault::Full | Fault::Gone => {}
        }
    }
}

impl Journal for Held {
    fn append(&mut self, entries: &[Entry]) -> Result<u64, JournalError> {
        let checked = self.check(false);
        self.write(entries);
        checked?;
        match entries {
            [] => Ok(self.disk.journal.last_number()),
            entries => self.disk.keep(entries),
        }
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

    fn close(&mut self) -> Result<(), JournalError> {
        self.append(&[]).map(drop)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use diemcau_conference::Event;

    fn entry(open: bool) -> [Entry; 1] {
        [Entry {
            at: Millis(7),
            seat: None,
            command: None,
            event: Event::ListSet { open },
        }]
    }

    /// A server before a disk whose sync has just failed, and which holds one record.
    fn after(fault: Fault) -> (Disk, Held) {
        let disk = Disk::default();
        let mut held = disk.hold();
        held.append(&entry(true)).unwrap();
        disk.set_fault(fault);
        held.append(&entry(false)).unwrap_err();
        assert_eq!(disk.records().unwrap().len(), 1, "nobody reads it now");
        (disk, held)
    }

    #[test]
    fn what_a_failed_sync_left_behind_is_found_by_the_next_server_only() {
        let (disk, mut held) = after(Fault::SyncInDoubt);
        held.read_all(&mut |record| assert_eq!(record.number, 1))
            .unwrap();
        assert_eq!(disk.hold().last_number(), 2);
        assert_eq!(disk.found(), 1);
        assert_eq!(disk.hold().last_number(), 2, "once");
        let appends = disk.appends_behind(1);
        assert_eq!((appends.len(), appends[0].first), (1, 2));
    }

    #[test]
    fn what_is_written_afterwards_takes_its_place() {
        for empty in [true, false] {
            let (disk, mut held) = after(Fault::SyncInDoubt);
            disk.set_fault(Fault::None);
            let entries = entry(true);
            held.append(if empty { &[] } else { &entries }).unwrap();
            assert_eq!(disk.hold().last_number(), 2 - u64::from(empty));
        }
    }

    #[test]
    fn another_failed_sync_loses_it() {
        let (disk, _held) = after(Fault::Sync);
        assert_eq!(disk.hold().last_number(), 1);
        assert_eq!(disk.found(), 0);
    }
}
