//! A road so thin that a long welcome takes minutes: its client is not taken for one that does not read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use diemcau_hub::{Frame, Hub, Inbound, Outlet, Socket, Wire};
use diemcau_model::SeatId;
use diemcau_protocol::{ClientCommand, ClientFrame, PROTOCOL, ServerFrame};
use std::{
    io,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};
use support::{Guest, hub_of, setup};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep},
};

/// What the road carries in a second: 128 kbit/s.
const PACE: usize = 16 * 1024;
/// What its kernel holds: taken from us, and still to go.
const HELD: usize = 12 * PACE;

#[derive(Default)]
struct Road {
    room: usize,
    /// Bytes that the client has.
    came: usize,
    got: Vec<u8>,
    waiting: Option<Waker>,
}

#[derive(Clone, Default)]
struct Thin(Arc<Mutex<Road>>);

impl Thin {
    fn second(&self) {
        let mut road = self.0.lock().unwrap();
        road.came = road.got.len().min(road.came + PACE);
        road.room = HELD - (road.got.len() - road.came);
        if let Some(waiting) = road.waiting.take() {
            waiting.wake();
        }
    }

    /// Bytes that were taken from us.
    fn given(&self) -> usize {
        self.0.lock().unwrap().got.len()
    }

    fn got(&self, words: &str) -> bool {
        let road = self.0.lock().unwrap();
        road.got[..road.came]
            .windows(words.len())
            .any(|at| at == words.as_bytes())
    }
}

impl Wire for Thin {
    fn try_send(&self, frame: &Frame, from: usize) -> io::Result<usize> {
        let mut road = self.0.lock().unwrap();
        let rest = frame.wire(from);
        let taken = rest.len().min(road.room);
        if taken == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        road.room -= taken;
        road.got.extend_from_slice(&rest[..taken]);
        Ok(taken)
    }

    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut road = self.0.lock().unwrap();
        road.waiting = Some(context.waker().clone());
        match road.room {
            0 => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        }
    }
}

/// The server's end of a client that says what it is given, and is silent otherwise.
struct Line(mpsc::Receiver<ClientFrame>, Arc<Outlet>);

impl Socket for Line {
    async fn recv(&mut self) -> Option<Inbound> {
        let said = self.0.recv().await?;
        Some(Inbound::Text(serde_json::to_string(&said).unwrap()))
    }

    fn outlet(&self) -> &Arc<Outlet> {
        &self.1
    }

    async fn close(&mut self, _code: u16, _reason: &'static str) {
        self.0.close();
    }
}

#[tokio::test(start_paused = true)]
async fn a_welcome_of_a_minute_arrives_whole_and_its_client_is_there() {
    arrives(60).await;
}

/// The kernel has all of it long before the client, which is silent until then.
#[tokio::test(start_paused = true)]
async fn a_client_is_not_silent_that_still_waits_for_the_end_of_its_welcome() {
    arrives(32).await;
}

/// A connection over a thin road, which has said whose link it has.
async fn comes(
    hub: &Arc<Hub>,
    road: &Thin,
    token: &str,
) -> (mpsc::Sender<ClientFrame>, JoinHandle<()>) {
    let (says, said) = mpsc::channel(4);
    let line = Line(said, Outlet::new(Arc::new(road.clone())));
    let hub = Arc::clone(hub);
    let served = tokio::spawn(async move { hub.serve(line).await });
    let join = ClientFrame::Join {
        protocol: PROTOCOL,
        token: token.into(),
    };
    says.send(join).await.unwrap();
    (says, served)
}

/// What its kernel holds is on its way; nothing more is given to it.
#[tokio::test(start_paused = true)]
async fn who_is_revoked_in_the_middle_of_a_welcome_of_a_minute_is_gone_in_a_moment() {
    let mut setup = setup();
    setup.organizer = "x".repeat(60 * PACE);
    let (hub, _lines) = hub_of(setup).await;
    let mut chair = Guest::join(&hub, "chair").await;
    let road = Thin::default();
    let (_says, served) = comes(&hub, &road, "observer").await;
    for _ in 0..5 {
        sleep(Duration::from_secs(1)).await;
        road.second();
    }
    let revoke = ClientCommand::RevokeSeat { seat: SeatId(2) };
    let revoked = chair.command("revoke", revoke).await;
    assert!(matches!(revoked, ServerFrame::Ok { .. }), "{revoked:?}");
    let (begun, given) = (Instant::now(), road.given());
    while !served.is_finished() {
        sleep(Duration::from_millis(500)).await;
        road.second();
    }
    assert!(
        begun.elapsed() <= Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert!(
        road.given() <= given + 3 * PACE,
        "{} more",
        road.given() - given
    );
}

async fn arrives(seconds: usize) {
    let mut setup = setup();
    setup.organizer = "x".repeat(seconds * PACE);
    let (hub, _lines) = hub_of(setup).await;
    let road = Thin::default();
    let (says, served) = comes(&hub, &road, "chair").await;
    let begun = Instant::now();
    // The last words of every welcome.
    while !road.got(r#""door":"#) {
        assert!(!served.is_finished(), "cut after {:?}", begun.elapsed());
        sleep(Duration::from_secs(1)).await;
        road.second();
    }
    assert!(begun.elapsed().as_secs() >= seconds as u64);
    says.send(ClientFrame::Ping { sent: 1.0 }).await.unwrap();
    for _ in 0..3 {
        sleep(Duration::from_secs(1)).await;
        road.second();
    }
    assert!(road.got("pong"), "it is heard");
}
