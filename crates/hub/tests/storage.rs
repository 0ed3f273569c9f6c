//! A disk that fails: nothing is acknowledged, nobody is cut, microphones still close, and it heals without a restart.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on says so by a panic, and waits for the frames it is about"
)]

mod support;

use diemcau_hub::{Hub, MediaLines, Metrics};
use diemcau_journal::{Entry, Journal, JournalError, MemoryJournal, Record};
use diemcau_model::{Alarm, ItemId, Millis, SiteId, Stage};
use diemcau_protocol::{ClientCommand, ErrorWhy, ServerFrame};
use prometheus_client::registry::Registry;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use support::{Guest, LIVE, setup};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

/// A journal whose disk can be told to be full.
struct Disk {
    journal: MemoryJournal,
    full: Arc<AtomicBool>,
}

impl Journal for Disk {
    fn append(&mut self, entries: &[Entry]) -> Result<u64, JournalError> {
        match self.full.load(Ordering::SeqCst) {
            true => Err(JournalError::Full),
            false => self.journal.append(entries),
        }
    }

    fn last_number(&self) -> u64 {
        self.journal.last_number()
    }

    fn read_all(&mut self, each: &mut dyn FnMut(Record)) -> Result<(), JournalError> {
        self.journal.read_all(each)
    }

    fn touch(&mut self, now: Millis) {
        self.journal.touch(now);
    }

    fn last_alive(&mut self) -> Option<Millis> {
        self.journal.last_alive()
    }
}

fn is_failed(frame: &ServerFrame) -> bool {
    matches!(
        frame,
        ServerFrame::Error {
            why: ErrorWhy::StorageFailed,
            fatal: false,
            ..
        }
    )
}

#[tokio::test]
async fn a_full_disk_acknowledges_nothing_cuts_nobody_and_still_closes_the_microphone() {
    let full = Arc::new(AtomicBool::new(false));
    let disk = Disk {
        journal: MemoryJournal::new(),
        full: Arc::clone(&full),
    };
    let (stage, mut shown) = watch::channel(Stage::default());
    let (asks, mut asked) = mpsc::channel(64);
    let (_says, says) = mpsc::channel(64);
    let (_reports, reports) = mpsc::channel(64);
    tokio::spawn(async move { while asked.recv().await.is_some() {} });
    let hub = Hub::new(Metrics::register(&mut Registry::default()));
    hub.open(
        setup(),
        Box::new(disk),
        MediaLines {
            stage,
            asks,
            says,
            reports,
        },
    )
    .await
    .unwrap();
    let mut chair = Guest::join(&hub, "chair").await;

    let opened = chair.microphone("open", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
    assert!(shown.borrow_and_update().heard.contains(&SiteId(0)));

    full.store(true, Ordering::SeqCst);
    let start = ClientCommand::StartItem {
        item: ItemId(1),
        waiting: None,
    };
    assert!(is_failed(&chair.command("start", start.clone()).await));
    assert_eq!(
        chair.microphone("open", true).await,
        opened,
        "what was answered is answered the same way"
    );
    let full_alarm: BTreeSet<Alarm> = [Alarm::RecordFull].into();
    assert_eq!(hub.alarms().await, full_alarm);
    let told = chair.alarms().await;
    assert_eq!(told, full_alarm, "the chair's desk is told");

    assert!(
        shown.borrow().heard.contains(&SiteId(0)),
        "a failing disk alone closes nothing"
    );
    assert!(is_failed(&chair.microphone("close", false).await));
    assert!(
        !shown.borrow().heard.contains(&SiteId(0)),
        "closing does not wait for the disk"
    );

    let mut newcomer = Guest::join(&hub, "chair").await;
    assert_eq!(
        newcomer.alarms().await,
        full_alarm,
        "a newcomer is told too"
    );
    drop(newcomer);

    full.store(false, Ordering::SeqCst);
    // The disk is asked again once a second; the same words, sent again, are carried out once.
    let healed = async {
        loop {
            let answer = chair.command("start", start.clone()).await;
            if !is_failed(&answer) {
                return answer;
            }
            // The room's own rhythm: figures come once a second.
            chair
                .until(|frame| matches!(frame, ServerFrame::Telemetry { .. }))
                .await;
        }
    };
    let healed = timeout(LIVE, healed).await.unwrap();
    assert!(matches!(healed, ServerFrame::Ok { .. }), "{healed:?}");
    assert_eq!(hub.alarms().await, BTreeSet::new());
    assert_eq!(chair.alarms().await, BTreeSet::new(), "and that it is over");
    assert!(
        !shown.borrow().heard.contains(&SiteId(0)),
        "what was closed does not open by itself"
    );

    assert!(matches!(
        chair.microphone("close", false).await,
        ServerFrame::Ok { .. }
    ));
    assert!(matches!(
        chair.microphone("open-again", true).await,
        ServerFrame::Ok { .. }
    ));
    assert!(shown.borrow().heard.contains(&SiteId(0)));
}
