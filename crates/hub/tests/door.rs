//! The door: who is let in may answer in the same moment, PINs tried beside each other, and who is shut out by whatever link.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on says so by a panic, and waits for the frames it is about"
)]

mod support;

use diemcau_conference::{CommentKind, CommentWords, Event, Refusal, Setup};
use diemcau_hub::{Frame, Inbound, Outlet, Socket, Wire, pin_hash, token_hash};
use diemcau_model::{
    Carries, DeviceId, DraftId, ParagraphRef, PeerAsk, Role, SeatId, SiteId, WaitId,
};
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy, Fact, PROTOCOL, ServerFrame};
use std::{
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use support::{
    Guest,
    disk::{OnDisk, hub_on_a_disk_of},
    hub_of, setup,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

const SECRETARY: SeatId = SeatId(1);

/// The server's end of a client that says nothing by itself and answers at once.
struct Prompt {
    said: mpsc::UnboundedReceiver<ClientFrame>,
    outlet: Arc<Outlet>,
    device: DeviceId,
}

/// The way to it: what it makes somebody say is there before the hub has done another step.
struct Answers {
    /// Who speaks then: mostly the same client.
    says: mpsc::UnboundedSender<ClientFrame>,
    answer: fn(&ServerFrame) -> Option<ClientFrame>,
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
        let heard: ServerFrame = serde_json::from_slice(&frame.text()).unwrap();
        if let Some(answer) = (self.answer)(&heard) {
            let _ = self.says.send(answer);
        }
        let _ = self.hears.send(heard);
        Ok(frame.len())
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

/// Proves who it is, and uses what it is welcomed to.
fn eager(heard: &ServerFrame) -> Option<ClientFrame> {
    match heard {
        ServerFrame::Prove { .. } => Some(ClientFrame::Proof {
            device: None,
            pin: None,
        }),
        ServerFrame::Welcome { .. } => Some(ask_to_present()),
        _ => None,
    }
}

/// Makes the visitor speak in the moment the desks hear that nobody waits any more.
fn at_its_refusal(heard: &ServerFrame) -> Option<ClientFrame> {
    let ServerFrame::Facts { facts, .. } = heard else {
        return None;
    };
    let empty = |fact: &Fact| matches!(fact, Fact::Door { door } if door.waiting.is_empty());
    facts.iter().any(empty).then(ask_to_present)
}

/// Somebody at the server, and what is heard there.
struct Client {
    says: mpsc::UnboundedSender<ClientFrame>,
    heard: mpsc::UnboundedReceiver<ServerFrame>,
}

/// Comes with a link on a device; what it hears makes `speaks`, else itself, say the answer.
fn come(
    hub: &Arc<diemcau_hub::Hub>,
    (link, device): (&str, u8),
    answer: fn(&ServerFrame) -> Option<ClientFrame>,
    speaks: Option<&Client>,
) -> Client {
    let (says, said) = mpsc::unbounded_channel();
    let (hears, heard) = mpsc::unbounded_channel();
    let join = ClientFrame::Join {
        protocol: PROTOCOL,
        token: link.into(),
    };
    says.send(join).unwrap();
    let answers = Answers {
        says: speaks.map_or(&says, |client| &client.says).clone(),
        answer,
        hears,
    };
    let line = Prompt {
        said,
        outlet: Outlet::new(Arc::new(answers)),
        device: DeviceId([device; 32]),
    };
    let hub = Arc::clone(hub);
    tokio::spawn(async move { hub.serve(line).await });
    Client { says, heard }
}

/// Somebody with the secretary's link.
fn knock(hub: &Arc<diemcau_hub::Hub>, device: u8) -> Client {
    come(hub, ("secretary", device), eager, None)
}

/// Hears until its command is taken. Whoever is sent away fails here.
async fn is_taken(client: &mut Client) {
    loop {
        let next = timeout(support::LIVE, client.heard.recv()).await.unwrap();
        match next.expect("the connection was cut") {
            ServerFrame::Ok { id, .. } if id == "at-once" => return,
            ServerFrame::Error { why, text, .. } => panic!("{why:?}: {text}"),
            _ => {}
        }
    }
}

async fn waiting(chair: &mut Guest) -> WaitId {
    all_waiting(chair, 1).await[0]
}

/// Those who wait, as soon as they are so many.
async fn all_waiting(chair: &mut Guest, count: usize) -> Vec<WaitId> {
    loop {
        let frame = chair.hear().await.expect("the connection was cut");
        let ServerFrame::Facts { facts, .. } = frame else {
            continue;
        };
        for fact in facts {
            if let Fact::Door { door } = fact
                && door.waiting.len() == count
            {
                return door.waiting.iter().map(|visitor| visitor.wait).collect();
            }
        }
    }
}

/// A hub whose secretary's link is bound to the device that came first.
async fn guarded() -> Arc<diemcau_hub::Hub> {
    bound(&[SECRETARY]).await
}

/// The same of other links.
async fn bound(seats: &[SeatId]) -> Arc<diemcau_hub::Hub> {
    hub_of(setup_bound(seats)).await.0
}

fn setup_bound(seats: &[SeatId]) -> Setup {
    let mut setup = setup();
    setup
        .seats
        .iter_mut()
        .filter(|seat| seats.contains(&seat.id))
        .for_each(|seat| seat.bound = true);
    setup
}

#[tokio::test(start_paused = true)]
async fn who_is_let_in_may_answer_the_welcome_before_anything_else_happens() {
    let hub = guarded().await;
    let mut chair = Guest::join(&hub, "chair").await;

    is_taken(&mut knock(&hub, 1)).await;
    let mut second = knock(&hub, 2);
    let wait = waiting(&mut chair).await;
    let admit = chair.command("in", ClientCommand::AdmitDevice { wait });
    assert!(matches!(admit.await, ServerFrame::Ok { .. }));
    is_taken(&mut second).await;
}

#[tokio::test(start_paused = true)]
async fn who_speaks_in_the_moment_it_is_refused_hears_that_it_was_not_let_in() {
    let hub = guarded().await;
    let mut chair = Guest::join(&hub, "chair").await;

    is_taken(&mut knock(&hub, 1)).await;
    let mut second = knock(&hub, 2);
    let _desk = come(&hub, ("chair", 3), at_its_refusal, Some(&second));
    let wait = waiting(&mut chair).await;
    let refuse = ClientCommand::RefuseDevice { wait, ban: false };
    assert!(matches!(
        chair.command("out", refuse).await,
        ServerFrame::Ok { .. }
    ));
    let why = loop {
        let next = timeout(support::LIVE, second.heard.recv()).await.unwrap();
        match next.expect("it was told why") {
            ServerFrame::Error { why, .. } => break why,
            ServerFrame::Welcome { .. } => panic!("it was let in"),
            _ => {}
        }
    };
    assert_eq!(why, ErrorWhy::NotLetIn);
}

fn device(number: u8) -> Option<DeviceId> {
    Some(DeviceId([number; 32]))
}

#[tokio::test(start_paused = true)]
async fn pins_tried_beside_each_other_are_no_more_tries() {
    let mut setup = setup();
    setup.seats[1].pin_sha256 = Some(pin_hash("secretary", "4821"));
    let (hub, _) = hub_of(setup).await;
    let mut guests = vec![];
    for number in 0..50 {
        let guest = Guest::knock(&hub, "secretary", device(number)).await;
        assert!(
            matches!(guest.welcome, ServerFrame::Prove { locked_ms: 0, .. }),
            "all are asked before the first answers"
        );
        guests.push(guest);
    }
    // Had any of them been looked at behind the fifth, it would have come in.
    for (number, guest) in guests.iter_mut().enumerate() {
        guest
            .prove(Some(if number < 5 { "0000" } else { "4821" }))
            .await;
        assert_eq!(guest.away().await, ErrorWhy::NotAdmitted, "{number}");
    }
    tokio::time::advance(Duration::from_secs(30)).await;
    let late = Guest::come(&hub, "secretary", device(0), Some("4821")).await;
    assert!(
        matches!(late.welcome, ServerFrame::Welcome { .. }),
        "{:?}",
        late.welcome
    );
}

#[tokio::test(start_paused = true)]
async fn a_sites_pin_is_tried_no_more_often_with_all_its_links() {
    let mut setup = setup();
    let links = ["secretary", "observer"];
    for (seat, link) in setup.seats[1..].iter_mut().zip(links) {
        seat.site = Some(SiteId(0));
        seat.pin_sha256 = Some(pin_hash(link, "4821"));
    }
    let (hub, _) = hub_of(setup).await;
    for number in 0..5 {
        let mut guest = Guest::come(&hub, links[0], device(number), Some("0000")).await;
        assert_eq!(guest.away().await, ErrorWhy::NotAdmitted);
    }
    for link in links {
        let mut guest = Guest::knock(&hub, link, device(9)).await;
        let ServerFrame::Prove { locked_ms, .. } = guest.welcome else {
            panic!("{:?}", guest.welcome);
        };
        assert!(locked_ms > 0, "{link}");
        guest.prove(Some("4821")).await;
        assert_eq!(guest.away().await, ErrorWhy::NotAdmitted, "{link}");
    }
    tokio::time::advance(Duration::from_secs(30)).await;

    // Who has a link that was revoked keeps out nobody with it, whatever PIN it says.
    let mut chair = Guest::join(&hub, "chair").await;
    let seat = SECRETARY;
    let revoked = chair.command("revoke", ClientCommand::RevokeSeat { seat });
    assert!(matches!(revoked.await, ServerFrame::Ok { .. }));
    for _ in 0..6 {
        let mut guest = Guest::come(&hub, links[0], device(9), Some("4821")).await;
        assert_eq!(guest.away().await, ErrorWhy::NotAdmitted);
    }
    let restored = chair.command("restore", ClientCommand::RestoreSeat { seat });
    assert!(matches!(restored.await, ServerFrame::Ok { .. }));
    for link in links {
        let late = Guest::come(&hub, link, device(9), Some("4821")).await;
        assert!(matches!(late.welcome, ServerFrame::Welcome { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn thousands_of_other_links_make_no_wrong_pin_of_a_seat_forgotten() {
    let mut setup = setup();
    setup.seats[1].pin_sha256 = Some(pin_hash("secretary", "4821"));
    let (hub, _) = hub_of(setup).await;
    let try_wrong = async |link: &str| {
        let mut guest = Guest::come(&hub, link, device(0), Some("0000")).await;
        assert_eq!(guest.away().await, ErrorWhy::NotAdmitted);
    };
    for _ in 0..5 {
        try_wrong("secretary").await;
    }
    tokio::time::advance(Duration::from_secs(30)).await;
    for number in 0..5_000 {
        try_wrong(&format!("nobody's-{number}")).await;
    }
    try_wrong("secretary").await;
    let asked = Guest::knock(&hub, "secretary", device(0)).await.welcome;
    let ServerFrame::Prove { locked_ms, .. } = asked else {
        panic!("{asked:?}");
    };
    assert!(locked_ms > 30_000, "the sixth: {locked_ms} ms");
}

/// What the door says to a device that brings a link of a seat that opens for everybody.
async fn observer(hub: &Arc<diemcau_hub::Hub>, device: Option<DeviceId>) -> Guest {
    Guest::come(hub, "observer", device, None).await
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_shut_out_comes_in_with_no_link_not_even_with_an_open_one() {
    let (hub, _) = hub_of(setup()).await;
    let mut chair = Guest::join(&hub, "chair").await;
    let mut wrong = Guest::knock(&hub, "nobody's", device(1)).await;
    assert_eq!(wrong.away().await, ErrorWhy::NotAdmitted);
    let before = Guest::knock(&hub, "observer", device(1)).await;
    assert!(
        matches!(before.welcome, ServerFrame::Welcome { .. }),
        "an open link asks nothing"
    );

    let (seat, ban) = (SECRETARY, false);
    let expel = chair.command("expel", ClientCommand::ExpelSeat { seat, ban });
    assert!(matches!(expel.await, ServerFrame::Ok { .. }));
    let mut banned = Guest::come(&hub, "secretary", device(1), None).await;
    let wait = waiting(&mut chair).await;
    let ban = true;
    let refuse = chair.command("refuse", ClientCommand::RefuseDevice { wait, ban });
    assert!(matches!(refuse.await, ServerFrame::Ok { .. }));
    assert_eq!(banned.away().await, ErrorWhy::NotLetIn);

    let mut again = observer(&hub, device(1)).await;
    assert_eq!(again.away().await, ErrorWhy::NotAdmitted);
    for other in [device(2), None] {
        let let_in = observer(&hub, other).await;
        assert!(matches!(let_in.welcome, ServerFrame::Welcome { .. }));
    }
    let wrong = Guest::knock(&hub, "nobody's", device(1)).await;
    assert!(
        matches!(wrong.welcome, ServerFrame::Prove { .. }),
        "a wrong link is asked as a right one is"
    );

    let device = DeviceId([1; 32]);
    let allow = chair.command("allow", ClientCommand::AllowDevice { device });
    assert!(matches!(allow.await, ServerFrame::Ok { .. }));
    let after = Guest::knock(&hub, "observer", Some(device)).await;
    assert!(
        matches!(after.welcome, ServerFrame::Welcome { .. }),
        "it asks nothing again"
    );
}

#[tokio::test(start_paused = true)]
async fn who_knocks_without_end_fills_no_record_and_keeps_nobody_out_who_is_known() {
    let mut bound = setup();
    bound.seats[1].bound = true;
    let on = hub_on_a_disk_of(bound).await;
    drop(Guest::come(&on.hub, "secretary", device(1), None).await);
    let begun = Instant::now();
    let mut waited = 0;
    for _ in 0..100 {
        let mut stranger = Guest::come(&on.hub, "secretary", device(2), None).await;
        if matches!(stranger.welcome, ServerFrame::Waiting { .. }) {
            waited += 1;
        } else {
            assert_eq!(stranger.away().await, ErrorWhy::LobbyFull);
        }
        drop(stranger);
        sleep(Duration::from_millis(100)).await;
    }
    // Thirty at once with the one that was bound, and one in six seconds.
    let later = begun.elapsed().as_secs() / 6;
    assert!((29..=30 + later).contains(&waited), "{waited}");
    assert!(on.disk.events().len() as u64 <= 2 + 2 * waited);
    let known = Guest::come(&on.hub, "secretary", device(1), None).await;
    assert!(matches!(known.welcome, ServerFrame::Welcome { .. }));
    sleep(Duration::from_secs(7)).await;
    let stranger = Guest::come(&on.hub, "secretary", device(2), None).await;
    assert!(matches!(stranger.welcome, ServerFrame::Waiting { .. }));
}

#[tokio::test(start_paused = true)]
async fn refusals_without_end_fill_no_record() {
    let on = hub_on_a_disk_of(setup()).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut refused = 0;
    let answer = loop {
        let command = ClientCommand::SetHallMicrophone { open: false };
        match chair.command(&format!("again-{refused}"), command).await {
            ServerFrame::Refused { .. } if refused < 5_000 => refused += 1,
            other => break other,
        }
        // As fast as one connection may.
        sleep(Duration::from_millis(20)).await;
    };
    let ServerFrame::Error { why, fatal, .. } = answer else {
        panic!("{answer:?}");
    };
    assert_eq!((why, fatal), (ErrorWhy::TooFast, true));
    assert!((1_000..1_200).contains(&refused), "{refused}");
    assert_eq!(on.disk.events().len(), 1 + refused);
}

#[tokio::test(start_paused = true)]
async fn commands_without_end_fill_the_record_slowly_by_whatever_many_connections_and_hold_up_no_other_seat()
 {
    let on = hub_on_a_disk_of(setup()).await;
    let mut chairs = vec![];
    for _ in 0..3 {
        chairs.push(Guest::join(&on.hub, "chair").await);
    }
    let mut secretary = Guest::join(&on.hub, "secretary").await;
    let begun = Instant::now();
    let (mut taken, mut too_fast) = (0, 0);
    for n in 0..1_000 {
        for (at, chair) in chairs.iter_mut().enumerate() {
            let text = format!("{n}-{at}");
            let notice = ClientCommand::SetNotice { text: text.clone() };
            match chair.command(&text, notice).await {
                ServerFrame::Ok { .. } => taken += 1,
                ServerFrame::Error { why, fatal, .. } => {
                    assert_eq!((why, fatal), (ErrorWhy::TooFast, false));
                    too_fast += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        // As fast as each of the connections may.
        sleep(Duration::from_millis(20)).await;
    }
    let most = 1_000 + 20 * begun.elapsed().as_secs();
    assert!(too_fast > 0, "{taken}");
    assert!((1_000..=most).contains(&taken), "{taken} of {most}");
    let written = on.disk.events();
    let notices = |event: &&Event| matches!(event, Event::NoticeSet { .. });
    assert_eq!(written.iter().filter(notices).count() as u64, taken);

    let (seat, ban) = (SeatId(2), false);
    let other = secretary.command("other", comment()).await;
    assert!(matches!(other, ServerFrame::Ok { .. }), "{other:?}");
    sleep(Duration::from_secs(1)).await;
    let expel = chairs[0].command("later", ClientCommand::ExpelSeat { seat, ban });
    assert!(matches!(expel.await, ServerFrame::Ok { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_held_falls_also_when_another_seats_ban_cuts_whoever_holds_it() {
    let mut setup = setup();
    let mut deputy = setup.seats[1].clone();
    (deputy.id, deputy.role) = (SeatId(3), Role::Deputy);
    deputy.token_sha256 = token_hash("deputy");
    setup.seats.push(deputy);
    for seat in [1, 3] {
        setup.seats[seat].bound = true;
    }
    let (hub, _) = hub_of(setup).await;
    let mut chair = Guest::join(&hub, "chair").await;
    // One machine on which two links were opened.
    let mut deputy = Guest::come(&hub, "deputy", device(1), None).await;
    let _secretary = Guest::come(&hub, "secretary", device(1), None).await;
    for (id, command) in [
        ("take", ClientCommand::TakeChair {}),
        ("hold", ClientCommand::SetPriority { on: true }),
    ] {
        let answer = deputy.command(id, command).await;
        assert!(matches!(answer, ServerFrame::Ok { .. }), "{answer:?}");
    }
    let holds = |held: bool| {
        move |frame: &ServerFrame| match frame {
            ServerFrame::Facts { facts, .. } => facts
                .iter()
                .any(|fact| matches!(fact, Fact::Floor { floor } if floor.priority == held)),
            _ => false,
        }
    };
    chair.until(holds(true)).await;

    let (seat, ban) = (SECRETARY, true);
    let expel = chair.command("expel", ClientCommand::ExpelSeat { seat, ban });
    assert!(matches!(expel.await, ServerFrame::Ok { .. }));
    assert_eq!(deputy.away().await, ErrorWhy::Revoked);
    chair.until(holds(false)).await;
}

#[tokio::test(start_paused = true)]
async fn a_ban_spares_a_chair_that_came_with_an_open_link() {
    let hub = bound(&[SECRETARY, SeatId(2)]).await;
    let mut desk = Guest::join(&hub, "chair").await;
    let _observer = Guest::come(&hub, "observer", device(9), None).await;
    let mut stranger = Guest::come(&hub, "observer", device(8), None).await;
    let wait = waiting(&mut desk).await;
    let ban = true;
    let refuse = desk.command("refuse", ClientCommand::RefuseDevice { wait, ban });
    assert!(matches!(refuse.await, ServerFrame::Ok { .. }));
    assert_eq!(stranger.away().await, ErrorWhy::NotLetIn);

    // Since somebody is shut out, an open link asks for the key too. The same machine has the secretary's link.
    let chair = Guest::come(&hub, "chair", device(1), None).await;
    assert!(matches!(chair.welcome, ServerFrame::Welcome { .. }));
    drop(desk);
    let mut desk = Guest::come(&hub, "chair", device(2), None).await;
    let _secretary = Guest::come(&hub, "secretary", device(1), None).await;
    let seat = SECRETARY;
    let expel = desk.command("expel", ClientCommand::ExpelSeat { seat, ban });
    let expel = expel.await;
    let why = Refusal::DeviceInUse;
    assert!(
        matches!(&expel, ServerFrame::Refused { why: told, .. } if *told == why),
        "{expel:?}"
    );
    drop(chair);
    sleep(Duration::from_secs(1)).await;
    let expel = desk.command("again", ClientCommand::ExpelSeat { seat, ban });
    assert!(matches!(expel.await, ServerFrame::Ok { .. }));
}

/// A machine that the secretary's seat knows and that stands at the door with the chair's open link, and a desk that shuts
/// out whoever the secretary's seat knows.
struct TwoLinks {
    on: OnDisk,
    desk: Guest,
    chair: Guest,
    _secretary: Guest,
}

async fn two_links() -> TwoLinks {
    let on = hub_on_a_disk_of(setup_bound(&[SECRETARY, SeatId(2)])).await;
    let hub = &on.hub;
    let mut desk = Guest::join(hub, "chair").await;
    let _observer = Guest::come(hub, "observer", device(9), None).await;
    let _stranger = Guest::come(hub, "observer", device(8), None).await;
    let wait = waiting(&mut desk).await;
    let ban = true;
    let refuse = desk.command("refuse", ClientCommand::RefuseDevice { wait, ban });
    assert!(matches!(refuse.await, ServerFrame::Ok { .. }));
    // Since somebody is shut out, an open link asks for the key too.
    let _secretary = Guest::come(hub, "secretary", device(1), None).await;
    let chair = Guest::knock(hub, "chair", device(1)).await;
    assert!(matches!(chair.welcome, ServerFrame::Prove { .. }));
    TwoLinks {
        on,
        desk,
        chair,
        _secretary,
    }
}

impl TwoLinks {
    async fn chair_comes(&self) {
        let (device, pin) = (None, None);
        self.chair.say(&ClientFrame::Proof { device, pin }).await;
    }

    async fn desk_asks(&self, id: &str, command: ClientCommand) {
        let id = id.into();
        self.desk.say(&ClientFrame::Command { id, command }).await;
    }

    async fn desk_bans(&self) {
        let (seat, ban) = (SECRETARY, true);
        self.desk_asks("ban", ClientCommand::ExpelSeat { seat, ban })
            .await;
    }

    async fn the_chair_is_spared(mut self) {
        let is_answer = |frame: &ServerFrame| matches!(frame, ServerFrame::Ok { id, .. } | ServerFrame::Refused { id, .. } if id == "ban");
        let answer = self.desk.until(is_answer).await;
        let why = Refusal::DeviceInUse;
        assert!(
            matches!(&answer, ServerFrame::Refused { why: told, .. } if *told == why),
            "{answer:?}"
        );
        let heard = self.chair.hear().await;
        assert!(
            matches!(heard, Some(ServerFrame::Welcome { .. })),
            "{heard:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_ban_spares_a_chair_that_comes_in_the_same_moment() {
    let two = two_links().await;
    two.chair_comes().await;
    two.desk_bans().await;
    two.the_chair_is_spared().await;
}

#[tokio::test(start_paused = true)]
async fn a_ban_spares_a_chair_that_comes_while_the_disk_hangs_or_in_the_moment_it_begins_to() {
    for comes_before in [true, false] {
        let two = two_links().await;
        two.on.disk.takes(Duration::from_secs(20));
        if comes_before {
            two.chair_comes().await;
        }
        let text = "hangs".into();
        two.desk_asks("hangs", ClientCommand::SetNotice { text })
            .await;
        // The room notices after one second.
        sleep(Duration::from_secs(2)).await;
        two.on.disk.takes(Duration::ZERO);
        if !comes_before {
            two.chair_comes().await;
            sleep(Duration::from_millis(1)).await;
        }
        two.desk_bans().await;
        two.the_chair_is_spared().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_ban_spares_no_machine_that_would_have_to_wait_with_a_chairs_link() {
    let mut setup = setup_bound(&[SeatId(0), SECRETARY]);
    let mut technician = setup.seats[0].clone();
    (technician.id, technician.role) = (SeatId(3), Role::Technician);
    technician.bound = false;
    technician.token_sha256 = token_hash("technician");
    setup.seats.push(technician);
    let on = hub_on_a_disk_of(setup).await;
    let _chair = Guest::come(&on.hub, "chair", device(2), None).await;
    let mut technician = Guest::join(&on.hub, "technician").await;
    let mut secretary = Guest::come(&on.hub, "secretary", device(1), None).await;
    let thief = Guest::knock(&on.hub, "chair", device(1)).await;
    on.disk.takes(Duration::from_secs(20));
    technician
        .say(&ClientFrame::Command {
            id: "hangs".into(),
            command: ClientCommand::SetNotice {
                text: "hangs".into(),
            },
        })
        .await;
    sleep(Duration::from_secs(2)).await;
    on.disk.takes(Duration::ZERO);
    let (device, pin) = (None, None);
    thief.say(&ClientFrame::Proof { device, pin }).await;
    sleep(Duration::from_millis(1)).await;
    let (seat, ban) = (SECRETARY, true);
    let ban = technician.command("ban", ClientCommand::ExpelSeat { seat, ban });
    let ban = ban.await;
    assert!(matches!(ban, ServerFrame::Ok { .. }), "{ban:?}");
    // It is cut while the disk hangs: afterwards it would have heard that it was expelled.
    assert_eq!(secretary.away().await, ErrorWhy::StorageFailed);
}

fn comment() -> ClientCommand {
    let at = ParagraphRef {
        draft: DraftId(1),
        paragraph: 1,
    };
    ClientCommand::PostComment {
        kind: CommentKind::Agree,
        words: CommentWords {
            at,
            text: "Nhất trí".into(),
            proposed: String::new(),
            delegate: String::new(),
        },
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_let_in_and_shut_out_in_one_moment_stays_out() {
    let observer = SeatId(2);
    for admitted_first in [true, false] {
        let hub = bound(&[SECRETARY, observer]).await;
        let mut chair = Guest::join(&hub, "chair").await;
        let _known = [
            Guest::come(&hub, "secretary", device(1), None).await,
            Guest::come(&hub, "observer", device(2), None).await,
        ];
        let mut first = Guest::come(&hub, "secretary", device(9), None).await;
        let mut second = Guest::come(&hub, "observer", device(9), None).await;
        let waits = all_waiting(&mut chair, 2).await;
        let mut commands = [
            ("in", ClientCommand::AdmitDevice { wait: waits[0] }),
            (
                "out",
                ClientCommand::RefuseDevice {
                    wait: waits[1],
                    ban: true,
                },
            ),
        ];
        if !admitted_first {
            commands.reverse();
        }
        // Both are there before the room takes its next round.
        for (id, command) in commands {
            let id = id.into();
            chair.say(&ClientFrame::Command { id, command }).await;
        }
        assert_eq!(second.away().await, ErrorWhy::NotLetIn);
        let why = match admitted_first {
            true => ErrorWhy::NotAdmitted,
            false => ErrorWhy::NotLetIn,
        };
        assert_eq!(first.away().await, why, "{admitted_first}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_machine_is_cut_and_waits_beside_the_owners_for_a_person() {
    let hub = guarded().await;
    let mut chair = Guest::join(&hub, "chair").await;
    let mut thief = Guest::come(&hub, "secretary", device(1), None).await;
    assert!(matches!(thief.welcome, ServerFrame::Welcome { .. }));
    let mut owner = Guest::come(&hub, "secretary", device(2), None).await;
    let wait = waiting(&mut chair).await;

    let restore = ClientCommand::RestoreSeat { seat: SECRETARY };
    let restored = chair.command("change", restore).await;
    assert!(matches!(restored, ServerFrame::Ok { .. }), "{restored:?}");
    assert_eq!(thief.away().await, ErrorWhy::Expelled);
    for other in [1, 3] {
        let back = Guest::come(&hub, "secretary", device(other), None).await;
        let waits = matches!(back.welcome, ServerFrame::Waiting { .. });
        assert!(waits, "device {other}: {:?}", back.welcome);
    }
    let admit = chair.command("in", ClientCommand::AdmitDevice { wait });
    assert!(matches!(admit.await, ServerFrame::Ok { .. }));
    let is_in = |frame: &ServerFrame| matches!(frame, ServerFrame::Welcome { .. });
    owner.until(is_in).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_changes_the_machine_of_its_own_seat_goes_on_at_its_desk() {
    let seat = SeatId(0);
    let hub = bound(&[seat]).await;
    let mut desk = Guest::come(&hub, "chair", device(1), None).await;
    let mut other = Guest::come(&hub, "chair", device(2), None).await;
    let wait = waiting(&mut desk).await;
    let admit = desk.command("in", ClientCommand::AdmitDevice { wait });
    assert!(matches!(admit.await, ServerFrame::Ok { .. }));
    let is_in = |frame: &ServerFrame| matches!(frame, ServerFrame::Welcome { .. });
    other.until(is_in).await;

    let restore = desk.command("change", ClientCommand::RestoreSeat { seat });
    assert!(matches!(restore.await, ServerFrame::Ok { .. }));
    assert_eq!(other.away().await, ErrorWhy::Expelled);
    let opened = desk.microphone("still-there", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");

    // Alone at its desk it is in no doubt: the next device is bound.
    let alone = desk.command("again", ClientCommand::RestoreSeat { seat });
    assert!(matches!(alone.await, ServerFrame::Ok { .. }));
    let next = Guest::come(&hub, "chair", device(3), None).await;
    assert!(matches!(next.welcome, ServerFrame::Welcome { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_second_tab_of_the_machine_that_asks_is_no_other_machine() {
    let seat = SeatId(0);
    let hub = bound(&[seat]).await;
    let mut desk = Guest::come(&hub, "chair", device(1), None).await;
    let mut tab = Guest::come(&hub, "chair", device(1), None).await;

    let restore = desk.command("change", ClientCommand::RestoreSeat { seat });
    assert!(matches!(restore.await, ServerFrame::Ok { .. }));
    let opened = tab.microphone("still-there", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
    let again = Guest::come(&hub, "chair", device(1), None).await;
    let is_in = matches!(again.welcome, ServerFrame::Welcome { .. });
    assert!(is_in, "locked out of its own seat: {:?}", again.welcome);
}

/// A goodbye may take ten seconds to a client that reads nothing: meanwhile it is nobody here.
#[tokio::test(start_paused = true)]
async fn who_is_closed_leaves_at_once_however_long_its_goodbye_takes() {
    let mut on = hub_on_a_disk_of(setup()).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let secretary = Guest::join(&on.hub, "secretary").await;
    secretary.reads(false);
    chair.microphone("told", true).await;
    while on.asks.try_recv().is_ok() {}
    // More than anybody may say at once.
    let ping = || {
        let said = serde_json::to_string(&ClientFrame::Ping { sent: 1.0 }).unwrap();
        support::Sent::Said(Inbound::Text(said))
    };
    while secretary.out.send(ping()).await.is_ok() {}
    let left = async { while !matches!(on.asks.recv().await, Some(PeerAsk::Leave { .. })) {} };
    let left = timeout(Duration::from_secs(1), left).await;
    assert!(left.is_ok(), "its connection is over, and it has not left");
}

#[tokio::test(start_paused = true)]
async fn who_is_let_in_in_the_moment_it_comes_is_in() {
    let hub = bound(&[SECRETARY]).await;
    let chair = Guest::join(&hub, "chair").await;
    let _known = Guest::come(&hub, "secretary", device(1), None).await;
    let mut other = Guest::knock(&hub, "secretary", device(2)).await;
    let proof = ClientFrame::Proof {
        device: None,
        pin: None,
    };
    other.say(&proof).await;
    let admit = ClientFrame::Command {
        id: "guessed".into(),
        command: ClientCommand::AdmitDevice { wait: WaitId(1) },
    };
    chair.say(&admit).await;
    let is_in = |frame: &ServerFrame| matches!(frame, ServerFrame::Welcome { .. });
    other.until(is_in).await;
    let taken = other.command("taken", comment()).await;
    assert!(matches!(taken, ServerFrame::Ok { .. }), "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn who_is_let_in_is_put_out_by_no_connection_that_was_on_the_way_but_its_own() {
    for is_own in [false, true] {
        let mut setup = setup_bound(&[SECRETARY]);
        setup.seats[1].carries = Carries::Room;
        let (hub, _) = hub_of(setup).await;
        let mut chair = Guest::join(&hub, "chair").await;
        drop(Guest::come(&hub, "secretary", device(1), None).await);
        let let_in = Guest::come(&hub, "secretary", device(2), None).await;
        // The seat's known machine, or the same one: its road died while it waited.
        let from = device(if is_own { 2 } else { 1 });
        let mut on_the_way = Guest::knock(&hub, "secretary", from).await;
        let wait = waiting(&mut chair).await;
        let admitted = chair.command("in", ClientCommand::AdmitDevice { wait });
        assert!(matches!(admitted.await, ServerFrame::Ok { .. }));
        on_the_way.prove(None).await;
        let (mut stays, mut goes) = match is_own {
            true => (on_the_way, let_in),
            false => (let_in, on_the_way),
        };
        let taken = stays.command("taken", comment()).await;
        assert!(matches!(taken, ServerFrame::Ok { .. }), "{taken:?}");
        assert_eq!(goes.away().await, ErrorWhy::Replaced);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_machine_said_behind_its_ban_is_not_done_by_whatever_link() {
    let mut setup = setup_bound(&[SECRETARY]);
    let mut branch = setup.seats[1].clone();
    branch.id = SeatId(3);
    branch.token_sha256 = token_hash("other");
    setup.seats.push(branch);
    let on = hub_on_a_disk_of(setup).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    // One machine on which two links were opened.
    let _secretary = Guest::come(&on.hub, "secretary", device(1), None).await;
    let mut other = Guest::come(&on.hub, "other", device(1), None).await;
    // While the disk takes its time, both get in line: one round takes them.
    on.disk.takes(Duration::from_millis(500));
    let ask = |id: &str, command| ClientFrame::Command {
        id: id.into(),
        command,
    };
    let text = "first".into();
    chair
        .say(&ask("first", ClientCommand::SetNotice { text }))
        .await;
    sleep(Duration::from_millis(100)).await;
    let (seat, ban) = (SECRETARY, true);
    chair
        .say(&ask("ban", ClientCommand::ExpelSeat { seat, ban }))
        .await;
    sleep(Duration::from_millis(100)).await;
    other.say(&ask_to_present()).await;
    assert_eq!(other.away().await, ErrorWhy::Revoked);
    let last = chair.command(
        "last",
        ClientCommand::SetNotice {
            text: "last".into(),
        },
    );
    assert!(matches!(last.await, ServerFrame::Ok { .. }));
    let is_behind = |event: &Event| matches!(event, Event::PresentationAsked { .. });
    assert!(!on.disk.events().iter().any(is_behind));
}

#[tokio::test(start_paused = true)]
async fn who_is_closed_for_something_milder_is_told_no_more_when_its_seat_is_revoked() {
    for by_device in [false, true] {
        let mut setup = setup_bound(&[SECRETARY]);
        setup.seats[1].carries = Carries::Room;
        let (hub, _) = hub_of(setup).await;
        let mut chair = Guest::join(&hub, "chair").await;
        let replaced = Guest::come(&hub, "secretary", device(1), None).await;
        replaced.reads(false);
        let text = "waits".into();
        let waits = chair.command("waits", ClientCommand::SetNotice { text });
        assert!(matches!(waits.await, ServerFrame::Ok { .. }));
        let _newer = Guest::come(&hub, "secretary", device(1), None).await;
        let begun = Instant::now();
        let seat = SECRETARY;
        let command = match by_device {
            true => ClientCommand::ExpelSeat { seat, ban: true },
            false => ClientCommand::RevokeSeat { seat },
        };
        let away = chair.command("away", command);
        assert!(matches!(away.await, ServerFrame::Ok { .. }));
        replaced.out.closed().await;
        assert!(begun.elapsed() < Duration::from_secs(3), "{by_device}");
    }
}
