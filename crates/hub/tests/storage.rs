//! A disk that fails: nothing is acknowledged, nobody is cut, microphones still close, and it heals without a restart.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on says so by a panic, and waits for the frames it is about"
)]

use bytes::Bytes;
use diemcau_conference::{AtZero, ItemKind, PlannedItem, QueueMode, Seat, Setup, Site, TurnRules};
use diemcau_hub::{Hub, Inbound, MediaLines, Metrics, Socket, token_hash};
use diemcau_journal::{Entry, Journal, JournalError, MemoryJournal, Record};
use diemcau_model::{Alarm, Carries, ItemId, Millis, Role, SeatId, SiteId, Stage};
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy, PROTOCOL, ServerFrame};
use prometheus_client::registry::Registry;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

const LIVE: Duration = Duration::from_secs(30);

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

/// The server's end of a connection made of channels.
struct Line {
    inbound: mpsc::Receiver<Inbound>,
    outbound: mpsc::Sender<Bytes>,
}

impl Socket for Line {
    async fn recv(&mut self) -> Option<Inbound> {
        self.inbound.recv().await
    }

    async fn send(&mut self, text: Bytes) -> bool {
        self.outbound.send(text).await.is_ok()
    }

    async fn close(&mut self, _code: u16, _reason: &'static str) {
        self.inbound.close();
    }
}

/// The chair's end.
struct Chair {
    out: mpsc::Sender<Inbound>,
    frames: mpsc::Receiver<Bytes>,
    /// Told, and not yet looked at.
    alarms: Option<BTreeSet<Alarm>>,
}

impl Chair {
    async fn join(hub: &Arc<Hub>) -> Self {
        let (out, inbound) = mpsc::channel(64);
        let (outbound, frames) = mpsc::channel(64);
        let serving = Arc::clone(hub);
        tokio::spawn(async move { serving.serve(Line { inbound, outbound }).await });
        let mut chair = Self {
            out,
            frames,
            alarms: None,
        };
        chair
            .say(&ClientFrame::Join {
                protocol: PROTOCOL,
                token: "chair".into(),
            })
            .await;
        let welcome = chair
            .until(|frame| matches!(frame, ServerFrame::Welcome { .. }))
            .await;
        assert!(matches!(welcome, ServerFrame::Welcome { .. }));
        chair
    }

    async fn say(&self, frame: &ClientFrame) {
        let text = serde_json::to_string(frame).unwrap();
        self.out.send(Inbound::Text(text)).await.unwrap();
    }

    /// The next frame that fits. A connection that was cut fails here.
    async fn until(&mut self, fits: impl Fn(&ServerFrame) -> bool) -> ServerFrame {
        loop {
            let text = timeout(LIVE, self.frames.recv())
                .await
                .unwrap()
                .expect("the connection was cut");
            let frame: ServerFrame = serde_json::from_slice(&text).unwrap();
            if let ServerFrame::Alarms { alarms } = &frame {
                self.alarms = Some(alarms.clone());
            }
            if fits(&frame) {
                return frame;
            }
        }
    }

    async fn command(&mut self, id: &str, command: ClientCommand) -> ServerFrame {
        self.say(&ClientFrame::Command {
            id: id.into(),
            command,
        })
        .await;
        self.until(|frame| match frame {
            ServerFrame::Ok { id: of, .. } | ServerFrame::Refused { id: of, .. } => of == id,
            ServerFrame::Error { id: of, .. } => of.as_deref() == Some(id),
            _ => false,
        })
        .await
    }

    /// What it was last told to be wrong.
    async fn alarms(&mut self) -> BTreeSet<Alarm> {
        if let Some(alarms) = self.alarms.take() {
            return alarms;
        }
        let is_told = |frame: &ServerFrame| matches!(frame, ServerFrame::Alarms { .. });
        self.until(is_told).await;
        self.alarms.take().unwrap()
    }

    async fn microphone(&mut self, id: &str, open: bool) -> ServerFrame {
        self.command(id, ClientCommand::SetHallMicrophone { open })
            .await
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

fn setup() -> Setup {
    let site = Site {
        id: SiteId(0),
        name: "Hall".into(),
        short: "Hall".into(),
        level: String::new(),
        hall: true,
        summoned: 0,
    };
    let seat = Seat {
        id: SeatId(0),
        role: Role::Chair,
        site: Some(SiteId(0)),
        carries: Carries::Watch,
        label: "Chair".into(),
        token_sha256: token_hash("chair"),
        bound: false,
        pin_sha256: None,
    };
    let item = PlannedItem {
        id: ItemId(1),
        title: "Discussion".into(),
        short: "Discussion".into(),
        part_of: None,
        quorum_percent: None,
        kind: ItemKind::Discussion,
        presenter: String::new(),
        minutes: 10,
        turns: TurnRules {
            minutes: 5,
            at_zero: AtZero::Warn,
            approval: false,
            queue: QueueMode::InOrder,
        },
        drafts: vec![],
    };
    Setup {
        title: "Test".into(),
        organizer: String::new(),
        sites: vec![site],
        seats: vec![seat],
        agenda: vec![item],
        drafts: vec![],
        starts: None,
        away_seconds: 0,
    }
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
    let mut chair = Chair::join(&hub).await;

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

    let mut newcomer = Chair::join(&hub).await;
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
