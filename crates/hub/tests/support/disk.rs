//! A hub on a disk that fails, or takes its time, on command.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by a panic"
)]
#![allow(dead_code, reason = "each test uses its part")]

use super::setup;
use diemcau_conference::{Event, Setup};
use diemcau_hub::{Ground, Hub, MediaLines, Metrics, OpenError};
use diemcau_journal::{Entry, Journal, JournalError, MemoryJournal, Record, Writer};
use diemcau_model::{LinkReport, Millis, PeerAsk, PeerSay, Stage};
use prometheus_client::registry::Registry;
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::{mpsc, watch};

/// How a disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Full,
    Sync,
}

#[derive(Debug, Default)]
struct Behaviour {
    fault: Option<Fault>,
    sync: Duration,
    /// What was found on it may be in memory alone.
    is_unsettled: bool,
    /// How often all of it was read.
    reads: usize,
}

/// A disk in virtual time: whoever holds it says how it behaves.
#[derive(Clone)]
pub struct Disk {
    journal: MemoryJournal,
    behaviour: Arc<Mutex<Behaviour>>,
}

impl Disk {
    pub fn new() -> Self {
        Self {
            journal: MemoryJournal::new(),
            behaviour: Arc::default(),
        }
    }

    pub fn fails(&self, fault: impl Into<Option<Fault>>) {
        self.behaviour.lock().unwrap().fault = fault.into();
    }

    /// What another server left is not known to be on it.
    pub fn unsettle(&self) {
        self.behaviour.lock().unwrap().is_unsettled = true;
    }

    /// What is written from now on takes so long.
    pub fn takes(&self, sync: Duration) {
        self.behaviour.lock().unwrap().sync = sync;
    }

    /// How often the conference has read all of it.
    pub fn reads(&self) -> usize {
        self.behaviour.lock().unwrap().reads
    }

    pub fn events(&self) -> Vec<Event> {
        let mut events = vec![];
        let mut journal = self.journal.clone();
        let each = &mut |record: Record| events.push(record.event);
        journal.read_all(each).unwrap();
        events
    }
}

impl Disk {
    fn answers(&self) -> Result<(), JournalError> {
        match self.behaviour.lock().unwrap().fault {
            Some(Fault::Full) => Err(JournalError::Full),
            Some(Fault::Sync) => Err(JournalError::io(io::Error::other("EIO"))),
            None => Ok(()),
        }
    }
}

impl Journal for Disk {
    fn append(&mut self, entries: &[Entry]) -> Result<u64, JournalError> {
        self.answers()?;
        self.settle()?;
        self.journal.append(entries)
    }

    fn settle(&mut self) -> Result<(), JournalError> {
        if self.behaviour.lock().unwrap().is_unsettled {
            self.answers()?;
            self.behaviour.lock().unwrap().is_unsettled = false;
        }
        Ok(())
    }

    fn last_number(&self) -> u64 {
        self.journal.last_number()
    }

    fn read_all(&mut self, each: &mut dyn FnMut(Record)) -> Result<(), JournalError> {
        self.behaviour.lock().unwrap().reads += 1;
        self.journal.read_all(each)
    }

    fn touch(&mut self, now: Millis) {
        self.journal.touch(now);
    }

    fn last_alive(&mut self) -> Option<Millis> {
        self.journal.last_alive()
    }
}

/// A hub, its disk, what its stage shows, and what it asks of the media plane.
pub struct OnDisk {
    pub hub: Arc<Hub>,
    pub disk: Disk,
    pub shown: watch::Receiver<Stage>,
    pub asks: mpsc::UnboundedReceiver<PeerAsk>,
    /// What the media plane says to connections.
    pub says: mpsc::Sender<PeerSay>,
    /// What the media plane reports.
    pub reports: mpsc::Sender<LinkReport>,
}

pub async fn hub_on_a_disk() -> OnDisk {
    hub_on_a_disk_of(setup()).await
}

pub async fn hub_on_a_disk_of(setup: Setup) -> OnDisk {
    hub_over(Disk::new(), setup).await.unwrap()
}

/// A hub over what a disk has: another one may have gone from it.
pub async fn hub_over(disk: Disk, setup: Setup) -> Result<OnDisk, OpenError> {
    let (stage, shown) = watch::channel(Stage::default());
    let (ask, mut asked) = mpsc::channel(64);
    let (say, says) = mpsc::channel(64);
    let (report, reports) = mpsc::channel(64);
    let (asks_in, asks) = mpsc::unbounded_channel();
    let kept = (say.clone(), report.clone());
    // A media plane that says nothing and is there.
    tokio::spawn(async move {
        let _there = kept;
        while let Some(ask) = asked.recv().await {
            let _ = asks_in.send(ask);
        }
    });
    let behaviour = Arc::clone(&disk.behaviour);
    let ground = Ground {
        wall: Millis(1_000_000),
        writer: Box::new(move |journal| {
            let (writer, worker) = Writer::new(journal);
            tokio::spawn(worker.run_on_task(move || behaviour.lock().unwrap().sync));
            writer
        }),
    };
    let lines = MediaLines {
        stage,
        asks: ask,
        says,
        reports,
    };
    let hub = Hub::new(Metrics::register(&mut Registry::default()));
    hub.open_on(ground, setup, Box::new(disk.clone()), lines)
        .await?;
    Ok(OnDisk {
        hub,
        disk,
        shown,
        asks,
        says: say,
        reports: report,
    })
}
