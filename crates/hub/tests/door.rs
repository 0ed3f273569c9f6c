//! Whoever is let in at the door may answer the welcome in the same moment.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on says so by a panic, and waits for the frames it is about"
)]

mod support;

use diemcau_hub::{Frame, Inbound, Outlet, Socket, Wire};
use diemcau_model::{DeviceId, SeatId, WaitId};
use diemcau_protocol::{ClientCommand, ClientFrame, Fact, PROTOCOL, ServerFrame};
use std::{
    io,
    sync::Arc,
    task::{Context, Poll},
};
use support::{Guest, hub_of, setup};
use tokio::{sync::mpsc, time::timeout};

const SECRETARY: SeatId = SeatId(1);

/// The server's end of a client that says nothing by itself and answers at once.
struct Prompt {
    said: mpsc::UnboundedReceiver<ClientFrame>,
    outlet: Arc<Outlet>,
    device: DeviceId,
}

/// The way to it: its answer is there before the hub has done another step.
struct Answers {
    says: mpsc::UnboundedSender<ClientFrame>,
    hears: mpsc::UnboundedSender<ServerFrame>,
}

impl Socket for Prompt {
    async fn recv(&mut self) -> Option<Inbound> {
        let said = self.said.recv().await?;
        Some(Inbound::Text(serde_json::to_string(&said).unwrap()))
    }

    fn outlet(&self) -> &Arc<Outlet> {
        &self.outlet
    }

    fn vouched(&self) -> Option<DeviceId> {
        Some(self.device)
    }

    async fn close(&mut self, _code: u16, _reason: &'static str) {
        self.said.close();
    }
}

impl Wire for Answers {
    fn try_send(&self, frame: &Frame, _from: usize) -> io::Result<usize> {
        let heard: ServerFrame = serde_json::from_slice(frame.text()).unwrap();
        let answer = match heard {
            ServerFrame::Prove { .. } => Some(ClientFrame::Proof {
                device: None,
                pin: None,
            }),
            ServerFrame::Welcome { .. } => Some(ask_to_present()),
            _ => None,
        };
        if let Some(answer) = answer {
            let _ = self.says.send(answer);
        }
        let _ = self.hears.send(heard);
        Ok(frame.wire().len())
    }

    fn poll_writable(&self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn ask_to_present() -> ClientFrame {
    ClientFrame::Command {
        id: "at-once".into(),
        command: ClientCommand::AskToPresent {},
    }
}

/// What somebody with the secretary's link hears on this device.
fn knock(hub: &Arc<diemcau_hub::Hub>, device: u8) -> mpsc::UnboundedReceiver<ServerFrame> {
    let (says, said) = mpsc::unbounded_channel();
    let (hears, heard) = mpsc::unbounded_channel();
    let join = ClientFrame::Join {
        protocol: PROTOCOL,
        token: "secretary".into(),
    };
    says.send(join).unwrap();
    let line = Prompt {
        said,
        outlet: Outlet::new(Arc::new(Answers { says, hears })),
        device: DeviceId([device; 32]),
    };
    let hub = Arc::clone(hub);
    tokio::spawn(async move { hub.serve(line).await });
    heard
}

/// Hears until its command is taken. Whoever is sent away fails here.
async fn is_taken(heard: &mut mpsc::UnboundedReceiver<ServerFrame>) {
    loop {
        let next = timeout(support::LIVE, heard.recv()).await.unwrap();
        match next.expect("the connection was cut") {
            ServerFrame::Ok { id, .. } if id == "at-once" => return,
            ServerFrame::Error { why, text, .. } => panic!("{why:?}: {text}"),
            _ => {}
        }
    }
}

async fn waiting(chair: &mut Guest) -> WaitId {
    loop {
        let frame = chair.hear().await.expect("the connection was cut");
        let ServerFrame::Facts { facts, .. } = frame else {
            continue;
        };
        for fact in facts {
            if let Fact::Door { door } = fact
                && let [visitor] = &door.waiting[..]
            {
                return visitor.wait;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_let_in_may_answer_the_welcome_before_anything_else_happens() {
    let mut setup = setup();
    setup
        .seats
        .iter_mut()
        .filter(|seat| seat.id == SECRETARY)
        .for_each(|seat| seat.bound = true);
    let (hub, _) = hub_of(setup).await;
    let mut chair = Guest::join(&hub, "chair").await;

    is_taken(&mut knock(&hub, 1)).await;
    let mut second = knock(&hub, 2);
    let wait = waiting(&mut chair).await;
    let admit = chair.command("in", ClientCommand::AdmitDevice { wait });
    assert!(matches!(admit.await, ServerFrame::Ok { .. }));
    is_taken(&mut second).await;
}
