//! A disk that hangs: what closes is closed, people are told, and what waited is done in its order when it goes on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on says so by a panic, and waits for the frames it is about"
)]

mod support;

use diemcau_conference::{Event, Setup};
use diemcau_model::{Alarm, DeviceId, PeerAsk, Role, SeatId, SiteId, Stage, TurnId, WaitId};
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy, Fact, ServerFrame};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use support::{
    Guest, LIVE,
    branch::{branch_speaks, done, two_sites},
    disk::{Fault, OnDisk, hub_on_a_disk, hub_on_a_disk_of},
    setup,
};
use tokio::time::{Instant, sleep, timeout};

const SECRETARY: SeatId = SeatId(1);
/// How long the disk hangs.
const HANG: Duration = Duration::from_secs(20);
/// The room notices after one second.
const NOTICED: Duration = Duration::from_secs(2);

/// A conference with an open microphone, whose disk has begun to hang in the middle of a command.
struct Hanging {
    on: OnDisk,
    chair: Guest,
    /// The chair's seat, opened a second time.
    other: Guest,
    secretary: Guest,
    begun: Instant,
}

fn ask(id: &str, command: ClientCommand) -> ClientFrame {
    ClientFrame::Command {
        id: id.into(),
        command,
    }
}

fn notice(text: &str) -> ClientCommand {
    ClientCommand::SetNotice { text: text.into() }
}

async fn hanging() -> Hanging {
    let on = hub_on_a_disk().await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let other = Guest::join(&on.hub, "chair").await;
    let secretary = Guest::join(&on.hub, "secretary").await;
    let opened = chair.microphone("open", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
    on.disk.takes(HANG);
    chair.say(&ask("first", notice("first"))).await;
    let begun = Instant::now();
    sleep(NOTICED).await;
    // Only what hangs now takes long.
    on.disk.takes(Duration::ZERO);
    Hanging {
        on,
        chair,
        other,
        secretary,
        begun,
    }
}

/// Everything a client hears about its commands, in its order, until this one is answered.
async fn answers(guest: &mut Guest, last: &str) -> Vec<(String, bool)> {
    let mut answers = vec![];
    loop {
        let answer = match guest.hear().await.expect("the connection was cut") {
            ServerFrame::Ok { id, .. } => (id, true),
            ServerFrame::Refused { id, .. } => (id, false),
            ServerFrame::Error {
                id: Some(id), why, ..
            } => {
                assert_eq!(why, ErrorWhy::StorageFailed);
                (id, false)
            }
            _ => continue,
        };
        answers.push(answer);
        if answers.iter().any(|(id, _)| id == last) {
            return answers;
        }
    }
}

fn all(ids: &[&str], done: bool) -> Vec<(String, bool)> {
    ids.iter().map(|id| ((*id).to_owned(), done)).collect()
}

#[tokio::test(start_paused = true)]
async fn while_the_disk_hangs_people_are_told_and_what_closes_is_closed_and_then_all_is_done_in_order()
 {
    let Hanging {
        mut on,
        mut chair,
        mut secretary,
        begun,
        ..
    } = hanging().await;
    assert_eq!(chair.alarms().await, [Alarm::RecordFails].into());
    assert_eq!(on.hub.alarms().await, [Alarm::RecordFails].into());

    assert!(on.shown.borrow().heard.contains(&SiteId(0)));
    chair.say(&ask("second", notice("second"))).await;
    let close = ClientCommand::SetHallMicrophone { open: false };
    chair.say(&ask("close", close)).await;
    on.shown
        .wait_for(|stage| stage.heard.is_empty())
        .await
        .unwrap();
    let revoke = ClientCommand::RevokeSeat { seat: SECRETARY };
    chair.say(&ask("revoke", revoke)).await;
    chair.say(&ask("third", notice("third"))).await;
    assert_eq!(secretary.away().await, ErrorWhy::StorageFailed);
    while !matches!(on.asks.recv().await, Some(PeerAsk::Leave { .. })) {}
    assert!(begun.elapsed() < HANG / 2, "all of it while it hangs");
    let before = on.disk.events().len();

    let ids = ["first", "second", "close", "revoke", "third"];
    assert_eq!(answers(&mut chair, "third").await, all(&ids, true));
    assert!(begun.elapsed() >= HANG, "not before it is written");
    assert_eq!(on.hub.alarms().await, BTreeSet::new());
    let written = on.disk.events().split_off(before);
    let notices: Vec<&str> = written
        .iter()
        .filter_map(|event| match event {
            Event::NoticeSet { text } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(notices, ["first", "second", "third"]);
    let mut again = Guest::come(&on.hub, "secretary", None, None).await;
    assert_eq!(again.away().await, ErrorWhy::NotAdmitted);
    let opened = chair.microphone("open-again", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
    assert!(on.shown.borrow().heard.contains(&SiteId(0)));
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_hangs_and_then_fails_has_failed_for_all_that_waited() {
    let Hanging {
        on,
        mut chair,
        mut secretary,
        ..
    } = hanging().await;
    let revoke = ClientCommand::RevokeSeat { seat: SECRETARY };
    chair.say(&ask("second", notice("second"))).await;
    chair.say(&ask("revoke", revoke.clone())).await;
    assert_eq!(secretary.away().await, ErrorWhy::StorageFailed);
    let before = on.disk.events();
    on.disk.fails(Fault::Sync);
    let ids = ["first", "second", "revoke"];
    assert_eq!(answers(&mut chair, "revoke").await, all(&ids, false));
    assert_eq!(on.disk.events(), before);
    let mut again = Guest::come(&on.hub, "secretary", None, None).await;
    assert_eq!(again.away().await, ErrorWhy::StorageFailed);

    on.disk.fails(None);
    sleep(NOTICED).await;
    assert_eq!(on.hub.alarms().await, BTreeSet::new());
    let repeated = chair.command("revoke", revoke).await;
    assert!(matches!(repeated, ServerFrame::Ok { .. }), "{repeated:?}");
    let second = chair.command("second", notice("second")).await;
    assert!(matches!(second, ServerFrame::Ok { .. }), "{second:?}");
}

#[tokio::test(start_paused = true)]
async fn what_hangs_is_itself_a_revocation_and_does_not_wait_for_its_own_record() {
    let on = hub_on_a_disk().await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut secretary = Guest::join(&on.hub, "secretary").await;
    on.disk.takes(HANG);
    let begun = Instant::now();
    let revoke = ClientCommand::RevokeSeat { seat: SECRETARY };
    chair.say(&ask("revoke", revoke)).await;
    assert_eq!(secretary.away().await, ErrorWhy::StorageFailed);
    assert!(begun.elapsed() <= NOTICED);
    assert_eq!(answers(&mut chair, "revoke").await, all(&["revoke"], true));
    assert!(begun.elapsed() >= HANG);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_while_the_disk_hangs_is_gone_and_what_they_asked_before_is_done() {
    let Hanging {
        mut on,
        mut chair,
        other,
        begun,
        ..
    } = hanging().await;
    other.say(&ask("before", notice("before"))).await;
    drop(other);
    while !matches!(on.asks.recv().await, Some(PeerAsk::Leave { .. })) {}
    assert!(begun.elapsed() < HANG / 2, "it does not wait for the disk");
    answers(&mut chair, "first").await;
    let last = chair.command("last", notice("last")).await;
    assert!(matches!(last, ServerFrame::Ok { .. }), "{last:?}");
    let is_before = |event: &Event| matches!(event, Event::NoticeSet { text } if text == "before");
    assert!(on.disk.events().iter().any(is_before));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_that_a_machine_said_behind_the_change_of_its_seats_machine() {
    for stays in [true, false] {
        a_machine_speaks_behind_its_change(stays).await;
    }
}

async fn a_machine_speaks_behind_its_change(stays: bool) {
    let mut on = hub_on_a_disk_of(bound(SECRETARY)).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let device = Some(DeviceId([1; 32]));
    let mut thief = Guest::come(&on.hub, "secretary", device, None).await;
    on.disk.takes(HANG);
    let begun = Instant::now();
    chair.say(&ask("change", change())).await;
    thief
        .say(&ask("behind", ClientCommand::AskToPresent {}))
        .await;
    if stays {
        assert_eq!(thief.away().await, ErrorWhy::StorageFailed);
    } else {
        drop(thief);
    }
    while !matches!(on.asks.recv().await, Some(PeerAsk::Leave { .. })) {}
    assert!(begun.elapsed() <= NOTICED, "{:?}", begun.elapsed());
    on.disk.takes(Duration::ZERO);
    assert_eq!(answers(&mut chair, "change").await, all(&["change"], true));
    let last = chair.command("last", notice("last")).await;
    assert!(matches!(last, ServerFrame::Ok { .. }), "{last:?}");
    let is_behind = |event: &Event| matches!(event, Event::PresentationAsked { .. });
    assert!(!on.disk.events().iter().any(is_behind));
}

/// The secretary's machine is another from now on.
fn change() -> ClientCommand {
    ClientCommand::RestoreSeat { seat: SECRETARY }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_changed_while_the_disk_fails_is_cut_at_once_and_waits_at_the_door_when_it_heals()
 {
    let on = hub_on_a_disk_of(bound(SECRETARY)).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let device = Some(DeviceId([1; 32]));
    let mut thief = Guest::come(&on.hub, "secretary", device, None).await;
    on.disk.fails(Fault::Sync);
    chair.say(&ask("change", change())).await;
    assert_eq!(answers(&mut chair, "change").await, all(&["change"], false));
    assert_eq!(thief.away().await, ErrorWhy::StorageFailed);
    let mut again = Guest::come(&on.hub, "secretary", device, None).await;
    assert_eq!(again.away().await, ErrorWhy::StorageFailed);
    on.disk.fails(None);
    sleep(NOTICED).await;
    let again = Guest::come(&on.hub, "secretary", device, None).await;
    let waits = matches!(again.welcome, ServerFrame::Waiting { .. });
    assert!(waits, "{:?}", again.welcome);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_loads_its_page_anew_before_its_change_is_written_does_not_take_the_seat_again()
 {
    for (before, alone) in [(false, true), (true, true), (true, false)] {
        a_machine_comes_again(before, alone).await;
    }
}

/// Before its change is asked or behind it, and with a desk of its seat that stays or alone.
async fn a_machine_comes_again(before: bool, alone: bool) {
    let mut on = hub_on_a_disk_of(bound(SECRETARY)).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let device = Some(DeviceId([1; 32]));
    let thief = Guest::come(&on.hub, "secretary", device, None).await;
    let _second = match alone {
        true => None,
        false => Some(Guest::come(&on.hub, "secretary", device, None).await),
    };
    on.disk.takes(HANG);
    chair.say(&ask("first", notice("first"))).await;
    sleep(NOTICED).await;
    on.disk.takes(Duration::ZERO);

    let change = ask("change", change());
    if !before {
        chair.say(&change).await;
        sleep(NOTICED).await;
    }
    drop(thief);
    while !matches!(on.asks.recv().await, Some(PeerAsk::Leave { .. })) {}
    let hub = Arc::clone(&on.hub);
    let again = tokio::spawn(async move { Guest::come(&hub, "secretary", device, None).await });
    sleep(NOTICED).await;
    if before {
        chair.say(&change).await;
    }
    let ids = ["first", "change"];
    assert_eq!(answers(&mut chair, "change").await, all(&ids, true));
    let again = again.await.unwrap();
    let is_in = matches!(again.welcome, ServerFrame::Welcome { .. });
    assert!(!is_in, "{before} {alone}: it has the seat again");
    let is_guarded = |event: &Event| matches!(event, Event::SeatRestored { guarded: true, .. });
    assert!(on.disk.events().iter().any(is_guarded), "{before} {alone}");
}

/// A conference with a guarded seat.
fn bound(seat: SeatId) -> Setup {
    let mut setup = setup();
    let mut seats = setup.seats.iter_mut();
    seats.find(|of| of.id == seat).unwrap().bound = true;
    setup
}

#[tokio::test(start_paused = true)]
async fn what_such_a_machine_closed_meanwhile_opens_again_unless_somebody_else_closed_it_too() {
    for others_too in [false, true] {
        a_stolen_machine_closes(others_too).await;
    }
}

/// The chair's machine, and another that it has let in by its link.
async fn two_machines(on: &OnDisk) -> (Guest, Guest) {
    let devices = [1, 2].map(|number| Some(DeviceId([number; 32])));
    let mut desk = Guest::come(&on.hub, "chair", devices[0], None).await;
    let mut other = Guest::come(&on.hub, "chair", devices[1], None).await;
    let door = desk.until(|frame| wait_of(frame).is_some()).await;
    let wait = wait_of(&door).unwrap();
    done(&mut desk, "in", ClientCommand::AdmitDevice { wait }).await;
    let is_in = |frame: &ServerFrame| matches!(frame, ServerFrame::Welcome { .. });
    other.until(is_in).await;
    (desk, other)
}

async fn a_stolen_machine_closes(others_too: bool) {
    const CHAIR: SeatId = SeatId(0);
    let mut on = hub_on_a_disk_of(bound(CHAIR)).await;
    let (mut desk, mut thief) = two_machines(&on).await;
    let opened = desk.microphone("open", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");

    on.disk.takes(HANG);
    let change = ClientCommand::RestoreSeat { seat: CHAIR };
    desk.say(&ask("change", change)).await;
    sleep(NOTICED).await;
    let close = ClientCommand::SetHallMicrophone { open: false };
    thief.say(&ask("close", close)).await;
    on.shown
        .wait_for(|stage| stage.heard.is_empty())
        .await
        .unwrap();
    if others_too {
        let close = ClientCommand::SetHallMicrophone { open: false };
        desk.say(&ask("close-too", close)).await;
    }
    sleep(NOTICED).await;
    on.disk.takes(Duration::ZERO);
    assert_eq!(thief.away().await, ErrorWhy::Expelled);
    if others_too {
        let ids = ["change", "close-too"];
        assert_eq!(answers(&mut desk, "close-too").await, all(&ids, true));
    } else {
        let is_heard = |stage: &Stage| stage.heard.contains(&SiteId(0));
        on.shown.wait_for(is_heard).await.unwrap();
    }
    assert_eq!(on.shown.borrow().heard.is_empty(), others_too);
    let said = |event: &&Event| matches!(event, Event::HallMicrophoneSet { open: false });
    let events = on.disk.events();
    assert_eq!(events.iter().filter(said).count(), usize::from(others_too));
}

#[tokio::test(start_paused = true)]
async fn what_waited_and_was_refused_in_the_end_closes_nothing() {
    let mut setup = two_sites();
    setup.seats[1].role = Role::Deputy;
    let mut on = hub_on_a_disk_of(setup).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let deputy = Guest::join(&on.hub, "secretary").await;
    let mut branch = Guest::join(&on.hub, "branch").await;
    branch_speaks(&mut on, &mut chair, &mut branch).await;
    on.disk.takes(HANG);
    chair.say(&ask("first", notice("first"))).await;
    sleep(NOTICED).await;
    on.disk.takes(Duration::ZERO);
    let take = ClientCommand::TakeChair {};
    deputy.say(&ask("take", take)).await;
    sleep(NOTICED).await;
    // As the chair has it, it presides.
    let pause = ClientCommand::PauseTurn { turn: TurnId(1) };
    chair.say(&ask("pause", pause)).await;
    let is_closed = |stage: &Stage| !stage.heard.contains(&SiteId(1));
    let closed = timeout(NOTICED, on.shown.wait_for(is_closed)).await.is_ok();
    assert!(closed, "it is not closed while it waits");

    let mut wanted = all(&["first", "pause"], true);
    wanted[1].1 = false;
    assert_eq!(answers(&mut chair, "pause").await, wanted);
    let is_heard = |stage: &Stage| stage.heard.contains(&SiteId(1));
    let opens = timeout(NOTICED, on.shown.wait_for(is_heard)).await.is_ok();
    assert!(opens, "it has the floor, and is not heard");
}

#[tokio::test(start_paused = true)]
async fn what_failed_and_stays_closed_is_not_opened_by_what_is_forgotten_later() {
    const CHAIR: SeatId = SeatId(0);
    let mut setup = two_sites();
    setup.seats[0].bound = true;
    let mut on = hub_on_a_disk_of(setup).await;
    let (mut chair, mut other) = two_machines(&on).await;
    let mut branch = Guest::join(&on.hub, "branch").await;
    branch_speaks(&mut on, &mut chair, &mut branch).await;
    let end = || ClientCommand::EndTurn { turn: TurnId(1) };
    on.disk.fails(Fault::Sync);
    chair.say(&ask("end", end())).await;
    assert_eq!(answers(&mut chair, "end").await, all(&["end"], false));
    assert!(!on.shown.borrow().heard.contains(&SiteId(1)));
    on.disk.fails(None);
    sleep(NOTICED).await;
    assert_eq!(on.hub.alarms().await, BTreeSet::new());

    on.disk.takes(HANG);
    let change = ClientCommand::RestoreSeat { seat: CHAIR };
    chair.say(&ask("change", change)).await;
    sleep(NOTICED).await;
    other.say(&ask("again", end())).await;
    sleep(NOTICED).await;
    on.disk.takes(Duration::ZERO);
    assert_eq!(answers(&mut chair, "change").await, all(&["change"], true));
    assert_eq!(other.away().await, ErrorWhy::Expelled);
    assert!(
        !on.shown.borrow().heard.contains(&SiteId(1)),
        "what was closed stays closed"
    );
}

/// Who waits at the door.
fn wait_of(frame: &ServerFrame) -> Option<WaitId> {
    let ServerFrame::Facts { facts, .. } = frame else {
        return None;
    };
    facts.iter().find_map(|fact| match fact {
        Fact::Door { door } => Some(door.waiting.first()?.wait),
        _ => None,
    })
}

#[tokio::test(start_paused = true)]
async fn a_stop_gives_up_a_disk_that_hangs_for_ever_and_lets_go_of_media() {
    const FOR_EVER: Duration = Duration::from_secs(24 * 3_600);
    for in_a_command in [true, false] {
        let mut on = hub_on_a_disk().await;
        let chair = Guest::join(&on.hub, "chair").await;
        on.disk.takes(FOR_EVER);
        if in_a_command {
            chair.say(&ask("first", notice("first"))).await;
        }
        // By then the disk is also asked to note that the server is alive: it hangs in that, and so in its close.
        sleep(NOTICED).await;
        let begun = Instant::now();
        on.hub.stop().await;
        while timeout(LIVE, on.asks.recv()).await.unwrap().is_some() {}
        assert!(begun.elapsed() < LIVE, "{in_a_command}");
    }
}

/// Who had to make room goes on when what was to come is not written, however its end is said.
#[tokio::test(start_paused = true)]
async fn who_presented_is_shown_again_when_what_was_to_be_shown_instead_is_not_written() {
    let mut on = hub_on_a_disk().await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut secretary = Guest::join(&on.hub, "secretary").await;
    done(&mut chair, "present", ClientCommand::AskToPresent {}).await;
    done(&mut secretary, "ask", ClientCommand::AskToPresent {}).await;
    on.disk.takes(HANG);
    let seat = SECRETARY;
    chair
        .say(&ask("let", ClientCommand::LetPresent { seat }))
        .await;
    sleep(NOTICED).await;
    let end = ClientCommand::EndPresentation { seat };
    chair.say(&ask("end", end)).await;
    sleep(NOTICED).await;
    on.disk.takes(Duration::ZERO);
    on.disk.fails(Fault::Sync);
    let ids = ["let", "end"];
    assert_eq!(answers(&mut chair, "end").await, all(&ids, false));
    sleep(NOTICED).await;
    let shown = on.shown.borrow_and_update().presentation;
    assert_eq!(shown.map(|shown| shown.seat), Some(SeatId(0)));
}
