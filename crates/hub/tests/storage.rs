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
use diemcau_model::{Alarm, ItemId, Millis, SeatId, SiteId, Stage};
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy, ServerFrame};
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

/// A hub whose disk can be told to be full, and what its stage shows.
async fn hub_on_a_disk() -> (Arc<Hub>, Arc<AtomicBool>, watch::Receiver<Stage>) {
    let full = Arc::new(AtomicBool::new(false));
    let disk = Disk {
        journal: MemoryJournal::new(),
        full: Arc::clone(&full),
    };
    let (stage, shown) = watch::channel(Stage::default());
    let (asks, mut asked) = mpsc::channel(64);
    let (say, says) = mpsc::channel(64);
    let (report, reports) = mpsc::channel(64);
    // A media plane that says nothing and is there.
    tokio::spawn(async move {
        let _there = (say, report);
        while asked.recv().await.is_some() {}
    });
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
    (hub, full, shown)
}

#[tokio::test]
async fn a_full_disk_acknowledges_nothing_cuts_nobody_and_still_closes_the_microphone() {
    let (hub, full, mut shown) = hub_on_a_disk().await;
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

#[tokio::test]
async fn what_was_closed_without_a_record_is_heard_again_when_the_record_closed_and_opened_it_in_one_round()
 {
    let (hub, full, mut shown) = hub_on_a_disk().await;
    let mut chair = Guest::join(&hub, "chair").await;
    let opened = chair.microphone("open", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
    full.store(true, Ordering::SeqCst);
    assert!(is_failed(&chair.microphone("close", false).await));
    let hears =
        |shown: &mut watch::Receiver<Stage>| shown.borrow_and_update().heard.contains(&SiteId(0));
    assert!(!hears(&mut shown));

    full.store(false, Ordering::SeqCst);
    let asks = |id: &str, open| ClientFrame::Command {
        id: id.into(),
        command: ClientCommand::SetHallMicrophone { open },
    };
    let healed = async {
        for round in 0.. {
            // Both wait in line before the conference's task looks: one round takes them.
            let (close, open) = (format!("close-{round}"), format!("open-{round}"));
            chair.say(&asks(&close, false)).await;
            chair.say(&asks(&open, true)).await;
            let answered = chair.until(|frame| match frame {
                ServerFrame::Ok { id, .. } | ServerFrame::Refused { id, .. } => *id == open,
                ServerFrame::Error { id, .. } => id.as_deref() == Some(open.as_str()),
                _ => false,
            });
            if matches!(answered.await, ServerFrame::Ok { .. }) {
                return;
            }
            chair
                .until(|frame| matches!(frame, ServerFrame::Telemetry { .. }))
                .await;
        }
    };
    timeout(LIVE, healed).await.unwrap();
    assert!(hears(&mut shown), "the record has it open");
}

#[tokio::test]
async fn a_presentation_that_is_stopped_is_gone_though_the_disk_is_full_and_comes_back_by_its_record_alone()
 {
    let (hub, full, mut shown) = hub_on_a_disk().await;
    let mut chair = Guest::join(&hub, "chair").await;
    let presents = |shown: &mut watch::Receiver<Stage>| {
        shown
            .borrow_and_update()
            .presentation
            .map(|shown| shown.seat)
    };
    let (ask, seat) = (ClientCommand::AskToPresent {}, SeatId(0));
    let end = ClientCommand::EndPresentation { seat };
    let opened = chair.microphone("open", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
    let asked = chair.command("ask", ask.clone()).await;
    assert!(matches!(asked, ServerFrame::Ok { .. }), "{asked:?}");
    assert_eq!(presents(&mut shown), Some(seat));

    full.store(true, Ordering::SeqCst);
    assert!(is_failed(&chair.microphone("close", false).await));
    assert_eq!(presents(&mut shown), Some(seat), "a failing disk alone");
    assert!(is_failed(&chair.command("end", end.clone()).await));
    assert_eq!(presents(&mut shown), None);

    full.store(false, Ordering::SeqCst);
    let healed = async {
        while is_failed(&chair.command("end", end.clone()).await) {
            assert_eq!(presents(&mut shown), None, "not before it is let again");
            let figures = |frame: &ServerFrame| matches!(frame, ServerFrame::Telemetry { .. });
            chair.until(figures).await;
        }
    };
    timeout(LIVE, healed).await.unwrap();
    let again = chair.command("ask-again", ask).await;
    assert!(matches!(again, ServerFrame::Ok { .. }), "{again:?}");
    assert_eq!(presents(&mut shown), Some(seat));
}
