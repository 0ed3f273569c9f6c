//! A hub without a network: connections made of channels.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on says so by a panic, and waits for the frames it is about"
)]
#![allow(dead_code, reason = "each test uses its part")]

pub mod branch;
pub mod disk;

use bytes::Bytes;
use diemcau_conference::{
    AtZero, Draft, ItemKind, Paragraph, PlannedItem, QueueMode, QuorumBase, RequestWords, Seat,
    Setup, Site, SpeechType, TurnRules,
};
use diemcau_hub::{
    Frame, Ground, Hub, Inbound, MediaLines, Metrics, Outlet, Socket, Wire, token_hash,
};
use diemcau_journal::{MemoryJournal, Writer};
use diemcau_model::{
    Alarm, Carries, DeviceId, DraftId, ItemId, Millis, Role, SeatId, SiteId, Stage,
};
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy, PROTOCOL, ServerFrame};
use prometheus_client::registry::Registry;
use std::{
    collections::BTreeSet,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

/// How long what is waited for may take: a liveness bound, no measure.
pub const LIVE: Duration = Duration::from_secs(30);

/// What arrives at the server's end.
#[derive(Debug)]
pub enum Sent {
    Said(Inbound),
    /// A mistake of ours in the task of this connection.
    Panic,
}

/// The server's end of a connection made of channels.
struct Line {
    inbound: mpsc::Receiver<Sent>,
    outlet: Arc<Outlet>,
    device: Option<DeviceId>,
}

impl Socket for Line {
    async fn recv(&mut self) -> Option<Inbound> {
        match self.inbound.recv().await? {
            Sent::Said(inbound) => Some(inbound),
            Sent::Panic => panic!("a mistake, made on purpose"),
        }
    }

    fn outlet(&self) -> &Arc<Outlet> {
        &self.outlet
    }

    fn vouched(&self) -> Option<DeviceId> {
        self.device
    }

    async fn close(&mut self, _code: u16, _reason: &'static str) {
        self.inbound.close();
    }
}

/// The way to the client: closed while it does not read.
struct Channel {
    frames: mpsc::UnboundedSender<Bytes>,
    reads: Arc<AtomicBool>,
    waiting: Arc<Mutex<Option<Waker>>>,
}

impl Wire for Channel {
    fn try_send(&self, frame: &Frame, from: usize) -> io::Result<usize> {
        assert_eq!(from, 0, "a channel takes whole frames");
        if !self.reads.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let text = Bytes::copy_from_slice(&frame.text());
        let sent = self.frames.send(text);
        sent.map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(frame.len())
    }

    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        *self.waiting.lock().unwrap() = Some(context.waker().clone());
        match self.reads.load(Ordering::SeqCst) {
            true => Poll::Ready(Ok(())),
            false => Poll::Pending,
        }
    }
}

/// A client's end.
pub struct Guest {
    pub out: mpsc::Sender<Sent>,
    frames: mpsc::UnboundedReceiver<Bytes>,
    reads: Arc<AtomicBool>,
    waiting: Arc<Mutex<Option<Waker>>>,
    /// What it was welcomed with.
    pub welcome: ServerFrame,
    /// Told, and not yet looked at.
    alarms: Option<BTreeSet<Alarm>>,
}

impl Guest {
    pub async fn join(hub: &Arc<Hub>, token: &str) -> Self {
        let guest = Self::come(hub, token, None, None).await;
        let welcome = &guest.welcome;
        assert!(
            matches!(welcome, ServerFrame::Welcome { .. }),
            "{welcome:?}"
        );
        guest
    }

    /// Comes to the door with a device, and answers what it is asked: `welcome` is what the door says to it.
    pub async fn come(
        hub: &Arc<Hub>,
        token: &str,
        device: Option<DeviceId>,
        pin: Option<&str>,
    ) -> Self {
        let mut guest = Self::knock(hub, token, device).await;
        if matches!(guest.welcome, ServerFrame::Prove { .. }) {
            guest.prove(pin).await;
        }
        guest
    }

    /// The same, without an answer to what it is asked.
    pub async fn knock(hub: &Arc<Hub>, token: &str, device: Option<DeviceId>) -> Self {
        let (out, inbound) = mpsc::channel(64);
        let (frames_in, mut frames) = mpsc::unbounded_channel();
        let reads = Arc::new(AtomicBool::new(true));
        let waiting = Arc::new(Mutex::new(None));
        let outlet = Outlet::new(Arc::new(Channel {
            frames: frames_in,
            reads: Arc::clone(&reads),
            waiting: Arc::clone(&waiting),
        }));
        let serving = Arc::clone(hub);
        let line = Line {
            inbound,
            outlet,
            device,
        };
        tokio::spawn(async move { serving.serve(line).await });
        let join = ClientFrame::Join {
            protocol: PROTOCOL,
            token: token.into(),
        };
        say(&out, &join).await;
        let welcome = next(&mut frames).await.expect("the connection was cut");
        Self {
            out,
            frames,
            reads,
            waiting,
            welcome,
            alarms: None,
        }
    }

    /// Answers who it is, and hears what the door says to that.
    pub async fn prove(&mut self, pin: Option<&str>) {
        let (device, pin) = (None, pin.map(str::to_owned));
        self.say(&ClientFrame::Proof { device, pin }).await;
        self.welcome = self.hear().await.expect("the connection was cut");
    }

    /// Why it was sent away, or cut.
    pub async fn away(&mut self) -> ErrorWhy {
        if let ServerFrame::Error {
            why, fatal: true, ..
        } = self.welcome
        {
            return why;
        }
        let fatal = |frame: &ServerFrame| matches!(frame, ServerFrame::Error { fatal: true, .. });
        match self.until(fatal).await {
            ServerFrame::Error { why, .. } => why,
            other => panic!("no error but {other:?}"),
        }
    }

    pub async fn say(&self, frame: &ClientFrame) {
        say(&self.out, frame).await;
    }

    /// Reads on, or no longer.
    pub fn reads(&self, reads: bool) {
        self.reads.store(reads, Ordering::SeqCst);
        if let Some(waker) = self.waiting.lock().unwrap().take() {
            waker.wake();
        }
    }

    /// The next frame; none when the connection has ended.
    pub async fn hear(&mut self) -> Option<ServerFrame> {
        next(&mut self.frames).await
    }

    /// The next frame that fits. A connection that was cut fails here.
    pub async fn until(&mut self, fits: impl Fn(&ServerFrame) -> bool) -> ServerFrame {
        loop {
            let frame = self.hear().await.expect("the connection was cut");
            if let ServerFrame::Alarms { alarms } = &frame {
                self.alarms = Some(alarms.clone());
            }
            if fits(&frame) {
                return frame;
            }
        }
    }

    /// Asks, and does not wait for the answer.
    pub async fn ask(&self, id: &str, command: ClientCommand) {
        let id = id.into();
        self.say(&ClientFrame::Command { id, command }).await;
    }

    pub async fn command(&mut self, id: &str, command: ClientCommand) -> ServerFrame {
        self.ask(id, command).await;
        self.until(|frame| match frame {
            ServerFrame::Ok { id: of, .. } | ServerFrame::Refused { id: of, .. } => of == id,
            ServerFrame::Error { id: of, .. } => of.as_deref() == Some(id),
            _ => false,
        })
        .await
    }

    /// What it was last told to be wrong.
    pub async fn alarms(&mut self) -> BTreeSet<Alarm> {
        if let Some(alarms) = self.alarms.take() {
            return alarms;
        }
        let is_told = |frame: &ServerFrame| matches!(frame, ServerFrame::Alarms { .. });
        self.until(is_told).await;
        self.alarms.take().unwrap()
    }

    pub async fn microphone(&mut self, id: &str, open: bool) -> ServerFrame {
        self.command(id, ClientCommand::SetHallMicrophone { open })
            .await
    }
}

async fn say(out: &mpsc::Sender<Sent>, frame: &ClientFrame) {
    let text = serde_json::to_string(frame).unwrap();
    out.send(Sent::Said(Inbound::Text(text))).await.unwrap();
}

async fn next(frames: &mut mpsc::UnboundedReceiver<Bytes>) -> Option<ServerFrame> {
    let text = timeout(LIVE, frames.recv()).await.unwrap()?;
    Some(serde_json::from_slice(&text).unwrap())
}

/// A hub with one conference in memory, and what it counts.
pub async fn hub() -> (Arc<Hub>, Metrics) {
    hub_of(setup()).await
}

pub async fn hub_of(setup: Setup) -> (Arc<Hub>, Metrics) {
    hub_over(setup, MemoryJournal::new()).await
}

/// The same over a record.
pub async fn hub_over(setup: Setup, journal: MemoryJournal) -> (Arc<Hub>, Metrics) {
    let (stage, _) = watch::channel(Stage::default());
    let (asks, mut asked) = mpsc::channel(64);
    let (says_out, says) = mpsc::channel(64);
    let (reports_out, reports) = mpsc::channel(64);
    tokio::spawn(async move {
        let _media = (says_out, reports_out);
        while asked.recv().await.is_some() {}
    });
    let metrics = Metrics::register(&mut Registry::default());
    let hub = Hub::new(metrics.clone());
    let lines = MediaLines {
        stage,
        asks,
        says,
        reports,
    };
    // In virtual time, with a disk that takes none.
    let ground = Ground {
        wall: Millis(1_000_000),
        writer: Box::new(|journal| {
            let (writer, worker) = Writer::new(journal);
            tokio::spawn(worker.run_on_task(|| Duration::ZERO));
            writer
        }),
    };
    hub.open_on(ground, setup, Box::new(journal), lines)
        .await
        .unwrap();
    (hub, metrics)
}

pub fn setup() -> Setup {
    let site = Site {
        id: SiteId(0),
        name: "Hall".into(),
        short: "Hall".into(),
        level: String::new(),
        hall: true,
        summoned: 0,
    };
    let seat = |id, role, site, token: &str| Seat {
        id: SeatId(id),
        role,
        site,
        carries: Carries::Watch,
        label: token.into(),
        token_sha256: token_hash(token),
        bound: false,
        pin_sha256: None,
    };
    let item = PlannedItem {
        id: ItemId(1),
        title: "Discussion".into(),
        short: "Discussion".into(),
        part_of: None,
        quorum_percent: None,
        quorum_base: QuorumBase::Summoned,
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
    let draft = Draft {
        id: DraftId(1),
        title: "Draft".into(),
        short: "Draft".into(),
        paragraphs: vec![Paragraph {
            label: "1.".into(),
            heading: false,
            text: "One".into(),
        }],
    };
    Setup {
        title: "Test".into(),
        organizer: String::new(),
        sites: vec![site],
        seats: vec![
            seat(0, Role::Chair, Some(SiteId(0)), "chair"),
            seat(1, Role::Secretary, Some(SiteId(0)), "secretary"),
            seat(2, Role::Observer, None, "observer"),
        ],
        agenda: vec![item],
        drafts: vec![draft],
        starts: None,
        away_seconds: 0,
    }
}

/// Asks for the floor, without a word more.
pub fn request() -> ClientCommand {
    let words = RequestWords {
        speech: SpeechType::Contribution,
        delegate: String::new(),
        title: String::new(),
        topic: String::new(),
        paragraph: None,
        minutes: None,
    };
    ClientCommand::RequestFloor {
        words,
        item: None,
        about: None,
    }
}
