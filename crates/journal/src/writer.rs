//! The journal as a room's task sees it: one thread owns the store, and whatever waits is stored under one sync.

use crate::{Entry, Journal, JournalError, Record};
use diemcau_model::{Alarm, Millis, limits::COMMIT_BATCH_MAX};
use std::{
    collections::BTreeSet,
    future::Future,
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::sleep,
};

/// Appends waiting for the writer. Further callers wait in `append`; a touch is dropped, for the events that
/// wait are a better sign of life.
const QUEUE_MAX: usize = COMMIT_BATCH_MAX;

/// The one writer of a journal. Dropped, it stores what waits and ends by itself; `close` waits for that.
pub struct Writer {
    jobs: mpsc::Sender<Job>,
    failures: Arc<AtomicU64>,
    alarms: watch::Receiver<BTreeSet<Alarm>>,
    /// Ends with the worker.
    ended: oneshot::Receiver<()>,
}

impl Writer {
    /// Hands the store to a thread of its own.
    #[must_use]
    pub fn spawn(journal: Box<dyn Journal>) -> Self {
        let (writer, worker) = Self::new(journal);
        let started = thread::Builder::new()
            .name("journal".into())
            .spawn(move || worker.run());
        if let Err(error) = started {
            // The queue's end went with the thread, so that every append answers `Closed`.
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the journal's thread cannot be started"
            );
        }
        writer
    }

    /// The writer, and the worker that owns the store: for who gives it another place than a thread.
    #[must_use]
    pub fn new(journal: Box<dyn Journal>) -> (Self, Worker) {
        let (jobs, queue) = mpsc::channel(QUEUE_MAX);
        let (end, ended) = oneshot::channel();
        let failures = Arc::new(AtomicU64::new(0));
        let (alarm, alarms) = watch::channel(journal.alarms());
        let worker = Worker {
            journal,
            queue,
            failures: Arc::clone(&failures),
            last_failure: JournalError::Closed,
            alarm,
            _end: end,
        };
        let writer = Self {
            jobs,
            failures,
            alarms,
            ended,
        };
        (writer, worker)
    }

    /// Stores the entries durably, all or none, and tells the number of the last of them.
    ///
    /// Appends keep the order in which they were called. When one fails, every append called before that was
    /// known fails too: what it holds may follow from what is lost. A call that is dropped while it waits
    /// may still be stored.
    ///
    /// With no entries it tells whether the store can be written now. The answer is waited for without the writer.
    pub fn append(
        &self,
        entries: Vec<Entry>,
    ) -> impl Future<Output = Result<u64, JournalError>> + use<> {
        let (jobs, failures) = (self.jobs.clone(), Arc::clone(&self.failures));
        async move {
            let (answer, answered) = oneshot::channel();
            let append = Append {
                entries,
                failures_known: failures.load(Ordering::Acquire),
                answer,
            };
            let sent = jobs.send(Job::Append(append)).await;
            // Held no longer: the worker ends with the last of them.
            drop(jobs);
            sent.map_err(|_| JournalError::Closed)?;
            answered.await.unwrap_or(Err(JournalError::Closed))
        }
    }

    /// Gives every record back, those of the appends called before included: after a failed append this tells
    /// what is on disk. Waited for likewise.
    pub fn read_all(&self) -> impl Future<Output = Result<Vec<Record>, JournalError>> + use<> {
        let jobs = self.jobs.clone();
        async move {
            let (answer, answered) = oneshot::channel();
            let sent = jobs.send(Job::ReadAll(answer)).await;
            drop(jobs);
            sent.map_err(|_| JournalError::Closed)?;
            answered.await.unwrap_or(Err(JournalError::Closed))
        }
    }

    /// Notes that the server was alive at `now`; never waits.
    pub fn touch(&self, now: Millis) {
        // Full or closed: see QUEUE_MAX.
        let _ = self.jobs.try_send(Job::Touch(now));
    }

    /// What people must be told of the store although it stores.
    #[must_use]
    pub fn alarms(&self) -> BTreeSet<Alarm> {
        self.alarms.borrow().clone()
    }

    /// Waits until everything is stored and the store is closed.
    pub async fn close(self) {
        drop(self.jobs);
        // Nothing is ever sent: the worker's end is the answer.
        let _ = self.ended.await;
    }
}

enum Job {
    Append(Append),
    ReadAll(Answer<Vec<Record>>),
    Touch(Millis),
}

type Answer<T> = oneshot::Sender<Result<T, JournalError>>;

struct Append {
    entries: Vec<Entry>,
    failures_known: u64,
    answer: Answer<u64>,
}

/// Owns the store, and does what its writer asks until the writer is dropped.
pub struct Worker {
    journal: Box<dyn Journal>,
    queue: mpsc::Receiver<Job>,
    failures: Arc<AtomicU64>,
    last_failure: JournalError,
    alarm: watch::Sender<BTreeSet<Alarm>>,
    // Declared last: it tells `close` that the store is closed.
    _end: oneshot::Sender<()>,
}

impl Worker {
    fn run(mut self) {
        let mut group = Vec::with_capacity(COMMIT_BATCH_MAX);
        while self.queue.blocking_recv_many(&mut group, COMMIT_BATCH_MAX) > 0 {
            self.work(&mut group);
        }
        self.end();
    }

    /// The same on a task, in virtual time: every group of jobs takes as long as `sync` says, as it would on a disk.
    pub async fn run_on_task(mut self, sync: impl Fn() -> Duration) {
        let mut group = Vec::with_capacity(COMMIT_BATCH_MAX);
        while self.queue.recv_many(&mut group, COMMIT_BATCH_MAX).await > 0 {
            sleep(sync()).await;
            self.work(&mut group);
        }
        self.end();
    }

    fn work(&mut self, group: &mut Vec<Job>) {
        let mut appends = Vec::with_capacity(group.len());
        let mut alive = None;
        for job in group.drain(..) {
            match job {
                Job::Append(append) => appends.push(append),
                Job::ReadAll(waiter) => {
                    self.commit(mem::take(&mut appends));
                    answer(waiter, self.read_all());
                }
                Job::Touch(now) => alive = alive.max(Some(now)),
            }
        }
        self.commit(appends);
        if let Some(now) = alive {
            self.journal.touch(now);
        }
        self.tell_alarms();
    }

    fn tell_alarms(&self) {
        let now = self.journal.alarms();
        self.alarm.send_if_modified(|told| {
            let modified = *told != now;
            *told = now;
            modified
        });
    }

    fn end(mut self) {
        if let Err(error) = self.journal.close() {
            // Nothing is lost: the events behind the last checkpoint are only not signed.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the end of the record cannot be signed"
            );
        }
    }

    fn read_all(&mut self) -> Result<Vec<Record>, JournalError> {
        let mut records = Vec::new();
        self.journal.read_all(&mut |record| records.push(record))?;
        Ok(records)
    }

    fn commit(&mut self, appends: Vec<Append>) {
        let failures = self.failures.load(Ordering::Acquire);
        let mut entries = Vec::new();
        let mut waiting = Vec::with_capacity(appends.len());
        for append in appends {
            if append.failures_known != failures {
                answer(append.answer, Err(self.last_failure.clone()));
                continue;
            }
            entries.extend(append.entries);
            waiting.push((entries.len(), append.answer));
        }
        if waiting.is_empty() {
            return;
        }

        match self.journal.append(&entries) {
            Ok(last) => {
                for (upto, waiter) in waiting {
                    let after = (entries.len() - upto) as u64;
                    answer(waiter, Ok(last - after));
                }
            }
            Err(error) => {
                // Counted before anyone is told, so that whoever knows of it may try again.
                self.failures.fetch_add(1, Ordering::Release);
                self.last_failure = error.clone();
                for (_, waiter) in waiting {
                    answer(waiter, Err(error.clone()));
                }
            }
        }
    }
}

fn answer<T>(waiter: Answer<T>, result: Result<T, JournalError>) {
    // A caller that no longer waits has nothing to hear.
    let _ = waiter.send(result);
}
