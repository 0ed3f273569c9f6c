//! When the record can be written again, what everybody sees is what is heard, and nobody has lost by it what it was given.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use diemcau_conference::{AtZero, Event, Setup, SpeechType, TurnEnd};
use diemcau_journal::Journal as _;
use diemcau_model::{DeviceId, EndpointKind, LinkReport, PeerId, SeatId, SiteId, Stage, TurnId};
use diemcau_protocol::{ClientCommand, ErrorWhy, Fact, ServerFrame};
use std::time::Duration;
use support::{
    Guest, LIVE,
    branch::{branch_speaks, done, two_sites},
    disk::{Fault, OnDisk, hub_on_a_disk_of, hub_over},
    request,
};
use tokio::time::{sleep, timeout};

/// The branch that speaks.
const BRANCH: SiteId = SiteId(1);
const SECRETARY: SeatId = SeatId(1);
/// A little more than a failing disk is left alone.
const RETRIED: Duration = Duration::from_secs(2);

async fn fails(guest: &mut Guest, id: &str, command: ClientCommand) {
    let answer = guest.command(id, command).await;
    let is_failed =
        matches!(&answer, ServerFrame::Error { why, .. } if *why == ErrorWhy::StorageFailed);
    assert!(is_failed, "{answer:?}");
}

/// A hall and a branch, whose speech has a minute and is cut.
fn of_a_minute() -> Setup {
    let mut setup = two_sites();
    let turns = &mut setup.agenda[0].turns;
    (turns.minutes, turns.at_zero) = (1, AtZero::Cut);
    setup
}

async fn speaking(setup: Setup) -> (OnDisk, Guest, Guest) {
    let mut on = hub_on_a_disk_of(setup).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut branch = Guest::join(&on.hub, "branch").await;
    branch_speaks(&mut on, &mut chair, &mut branch).await;
    (on, chair, branch)
}

/// The floor goes to whoever is next.
fn next() -> ClientCommand {
    ClientCommand::GrantNext {
        after: Some(TurnId(1)),
        expect: TurnId(2),
    }
}

fn hears(on: &OnDisk) -> bool {
    on.shown.borrow().heard.contains(&BRANCH)
}

async fn link(on: &OnDisk, kind: EndpointKind, peer: u64, is_up: bool) {
    let (site, peer) = (BRANCH, PeerId(peer));
    let report = match is_up {
        true => LinkReport::Up { site, kind, peer },
        false => LinkReport::Down { site, kind, peer },
    };
    on.reports.send(report).await.unwrap();
}

fn count(on: &OnDisk, is_one: impl Fn(&Event) -> bool) -> usize {
    on.disk
        .events()
        .iter()
        .filter(|event| is_one(event))
        .count()
}

fn is_paused(event: &Event) -> bool {
    matches!(event, Event::TurnPaused { .. })
}

#[tokio::test(start_paused = true)]
async fn who_was_to_make_room_for_what_is_not_written_is_heard_on() {
    let press = ClientCommand::SetPriority { on: true };
    for (command, hangs) in [
        (&press, false),
        (&next(), false),
        (&press, true),
        (&next(), true),
    ] {
        let (mut on, mut chair, _branch) = speaking(two_sites()).await;
        match hangs {
            // It is this whose writing hangs, and then fails.
            true => on.disk.takes(Duration::from_secs(5)),
            false => {
                on.disk.fails(Fault::Sync);
                let first = ClientCommand::SetNotice { text: "a".into() };
                fails(&mut chair, "first", first).await;
            }
        }
        on.disk.fails(Fault::Sync);
        fails(&mut chair, "opens", command.clone()).await;
        sleep(Duration::from_millis(100)).await;
        assert!(
            hears(&on),
            "{command:?} opens nothing, and so closes nothing"
        );
        on.disk.takes(Duration::ZERO);
        on.disk.fails(None);
        sleep(RETRIED).await;
        assert!(hears(&on), "{command:?} {hangs}");
        assert_eq!(count(&on, is_paused), 0);
        let is_heard = |stage: &Stage| !stage.heard.contains(&BRANCH);
        done(&mut chair, "again", command.clone()).await;
        on.shown.wait_for(is_heard).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_closed_without_a_record_is_seen_to_be_and_can_be_opened_again() {
    let (on, mut chair, _branch) = speaking(two_sites()).await;
    on.disk.fails(Fault::Sync);
    let pause = ClientCommand::PauseTurn { turn: TurnId(1) };
    fails(&mut chair, "pause", pause).await;
    assert!(!hears(&on));
    on.disk.fails(None);
    let stands = |fact: &Fact| matches!(fact, Fact::Floor { floor } if floor.turn.iter().any(|turn| turn.paused));
    let is_told = |frame: &ServerFrame| matches!(frame, ServerFrame::Facts { facts, .. } if facts.iter().any(stands));
    chair.until(is_told).await;
    let resume = ClientCommand::ResumeTurn { turn: TurnId(1) };
    done(&mut chair, "resume", resume).await;
    sleep(Duration::from_millis(100)).await;
    assert!(hears(&on));
    assert_eq!(count(&on, is_paused), 1);
}

#[tokio::test(start_paused = true)]
async fn a_speech_under_a_question_is_closed_with_it_though_neither_is_written() {
    let (on, mut chair, _branch) = speaking(of_a_minute()).await;
    let mut question = request();
    if let ClientCommand::RequestFloor { words, .. } = &mut question {
        words.speech = SpeechType::Question;
    }
    done(&mut chair, "question", question).await;
    let (after, turn) = (Some(TurnId(1)), TurnId(3));
    done(&mut chair, "put", ClientCommand::Grant { after, turn }).await;
    on.disk.fails(Fault::Sync);
    fails(&mut chair, "close", ClientCommand::CloseMicrophones {}).await;
    on.disk.fails(None);
    // The question is over, which takes the speech up.
    sleep(RETRIED).await;
    done(&mut chair, "end", ClientCommand::EndTurn { turn }).await;
    sleep(Duration::from_secs(5)).await;
    assert!(!hears(&on), "the chair closed it");
}

#[tokio::test(start_paused = true)]
async fn a_device_is_shut_out_for_good_though_its_seats_machine_was_changed_first_and_neither_was_written()
 {
    let mut setup = two_sites();
    setup.seats[1].bound = true;
    let on = hub_on_a_disk_of(setup).await;
    let known = Some(DeviceId([1; 32]));
    let mut chair = Guest::join(&on.hub, "chair").await;
    let _secretary = Guest::come(&on.hub, "secretary", known, None).await;
    on.disk.fails(Fault::Sync);
    let seat = SECRETARY;
    fails(&mut chair, "change", ClientCommand::RestoreSeat { seat }).await;
    let expel = ClientCommand::ExpelSeat { seat, ban: true };
    fails(&mut chair, "for-good", expel).await;
    on.disk.fails(None);
    sleep(RETRIED).await;
    let is_ban = |event: &Event| matches!(event, Event::DeviceBanned { .. });
    assert_eq!(count(&on, is_ban), 1, "{:?}", on.disk.events());
    let mut again = Guest::come(&on.hub, "observer", known, None).await;
    assert_eq!(again.away().await, ErrorWhy::NotAdmitted);
}

#[tokio::test(start_paused = true)]
async fn a_standby_takes_over_though_the_record_cannot_say_so() {
    use EndpointKind::{Room, Standby};
    let (on, mut chair, _branch) = speaking(two_sites()).await;
    link(&on, Standby, 9, true).await;
    on.disk.fails(Fault::Sync);
    let first = ClientCommand::SetNotice { text: "a".into() };
    fails(&mut chair, "first", first).await;
    link(&on, Room, 1, false).await;
    sleep(Duration::from_millis(100)).await;
    let carrier = || on.shown.borrow().carriers.get(&BRANCH).copied();
    assert_eq!((carrier(), hears(&on)), (Some(Standby), true));
    for (is_up, carries) in [(true, Room), (false, Standby)] {
        link(&on, Room, 1, is_up).await;
        sleep(Duration::from_millis(100)).await;
        assert_eq!(carrier(), Some(carries));
    }
    on.disk.fails(None);
    sleep(RETRIED).await;
    assert_eq!((carrier(), hears(&on)), (Some(Standby), true));
    // Back, it is the carrier again.
    link(&on, Room, 1, true).await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(carrier(), Some(Room));
}

#[tokio::test(start_paused = true)]
async fn a_speech_that_was_given_while_the_disk_hung_has_all_its_time_when_it_is_heard() {
    const HANG: Duration = Duration::from_secs(90);
    let mut on = hub_on_a_disk_of(of_a_minute()).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut branch = Guest::join(&on.hub, "branch").await;
    branch_speaks(&mut on, &mut chair, &mut branch).await;
    let end = ClientCommand::EndTurn { turn: TurnId(1) };
    done(&mut chair, "end", end).await;
    done(&mut branch, "again", request()).await;
    on.disk.takes(HANG);
    let (after, turn) = (None, TurnId(3));
    chair
        .ask("given", ClientCommand::Grant { after, turn })
        .await;
    sleep(Duration::from_secs(2)).await;
    on.disk.takes(Duration::ZERO);
    let is_heard = |stage: &Stage| stage.heard.contains(&BRANCH);
    let heard = timeout(HANG + LIVE, on.shown.wait_for(is_heard))
        .await
        .is_ok();
    assert!(heard, "it is over before anybody heard it");
    sleep(Duration::from_secs(57)).await;
    assert!(hears(&on), "its minute is not over");
    sleep(Duration::from_secs(5)).await;
    assert!(!hears(&on));
}

#[tokio::test(start_paused = true)]
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "the other events hold nobody"
)]
async fn a_lost_link_that_was_not_written_is_no_speaking_time_after_a_restart_either() {
    let (on, mut chair, _branch) = speaking(of_a_minute()).await;
    on.disk.fails(Fault::Full);
    let first = ClientCommand::SetNotice { text: "a".into() };
    fails(&mut chair, "first", first).await;
    sleep(Duration::from_secs(3)).await;
    let before = on.disk.clone().last_alive().unwrap();
    link(&on, EndpointKind::Room, 1, false).await;
    sleep(Duration::from_secs(300)).await;
    on.hub.stop().await;
    on.disk.fails(None);
    let OnDisk { disk, .. } = hub_over(on.disk.clone(), of_a_minute()).await.unwrap();
    sleep(RETRIED).await;
    let held_at = |event| match event {
        Event::TurnHeld { at, .. } => Some(at),
        _ => None,
    };
    let held = disk.events().into_iter().find_map(held_at);
    let held = held.expect("it is held");
    assert!(held.since(before) <= 2_000, "{held:?} {before:?}");
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_hung_and_was_not_written_takes_no_time_from_whom_it_would_have_replaced() {
    const HANG: Duration = Duration::from_secs(90);
    let (on, chair, _branch) = speaking(of_a_minute()).await;
    sleep(Duration::from_secs(10)).await;
    on.disk.takes(HANG);
    on.disk.fails(Fault::Sync);
    chair.ask("next", next()).await;
    sleep(Duration::from_secs(2)).await;
    on.disk.takes(Duration::ZERO);
    // Heard again since then, it has 50 seconds left, whenever the disk is well.
    sleep(HANG + Duration::from_secs(3)).await;
    assert!(hears(&on), "ended by what was never written");
    on.disk.fails(None);
    sleep(Duration::from_secs(37)).await;
    assert!(hears(&on), "its minute is not over");
    sleep(Duration::from_secs(10)).await;
    assert!(!hears(&on));
}

#[tokio::test(start_paused = true)]
async fn what_the_record_holds_already_opens_by_a_word() {
    let (on, mut chair, _branch) = speaking(two_sites()).await;
    let turn = TurnId(1);
    done(&mut chair, "pause", ClientCommand::PauseTurn { turn }).await;
    on.disk.fails(Fault::Sync);
    fails(&mut chair, "end", ClientCommand::EndTurn { turn }).await;
    on.disk.fails(None);
    sleep(RETRIED).await;
    assert!(!hears(&on));
    done(&mut chair, "resume", ClientCommand::ResumeTurn { turn }).await;
    sleep(Duration::from_millis(100)).await;
    assert!(hears(&on), "everybody sees that it speaks");
}

#[tokio::test(start_paused = true)]
async fn the_clock_of_who_was_paused_without_a_record_stands_from_then_on() {
    let (on, mut chair, _branch) = speaking(of_a_minute()).await;
    let turn = TurnId(1);
    sleep(Duration::from_secs(5)).await;
    on.disk.fails(Fault::Sync);
    fails(&mut chair, "pause", ClientCommand::PauseTurn { turn }).await;
    sleep(Duration::from_secs(20)).await;
    on.disk.fails(None);
    sleep(RETRIED).await;
    done(&mut chair, "resume", ClientCommand::ResumeTurn { turn }).await;
    sleep(Duration::from_secs(50)).await;
    assert!(hears(&on), "it has spoken for 55 seconds");
    sleep(Duration::from_secs(10)).await;
    assert!(!hears(&on));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_flaps_while_a_grant_hangs_takes_no_time_from_who_was_not_heard_yet() {
    const HANG: Duration = Duration::from_secs(90);
    let (mut on, mut chair, mut branch) = speaking(of_a_minute()).await;
    let end = ClientCommand::EndTurn { turn: TurnId(1) };
    done(&mut chair, "end", end).await;
    done(&mut branch, "again", request()).await;
    on.disk.takes(HANG);
    let (after, turn) = (None, TurnId(3));
    let given = ClientCommand::Grant { after, turn };
    chair.ask("given", given).await;
    sleep(Duration::from_secs(30)).await;
    on.disk.takes(Duration::ZERO);
    for (is_up, wait) in [(false, 40), (true, 5)] {
        link(&on, EndpointKind::Room, 1, is_up).await;
        sleep(Duration::from_secs(wait)).await;
    }
    let is_heard = |stage: &Stage| stage.heard.contains(&BRANCH);
    let heard = timeout(HANG, on.shown.wait_for(is_heard)).await.is_ok();
    assert!(heard, "it is over before anybody heard it");
    sleep(Duration::from_secs(57)).await;
    assert!(hears(&on), "its minute is not over");
}

#[tokio::test(start_paused = true)]
async fn an_absence_is_no_speaking_time_whatever_was_closed_behind_it() {
    let (on, mut chair, _branch) = speaking(of_a_minute()).await;
    on.disk.fails(Fault::Sync);
    let first = ClientCommand::SetNotice { text: "a".into() };
    fails(&mut chair, "first", first).await;
    for (is_up, wait) in [(false, 5), (true, 10)] {
        sleep(Duration::from_secs(wait)).await;
        link(&on, EndpointKind::Room, 1, is_up).await;
    }
    sleep(Duration::from_secs(1)).await;
    let turn = TurnId(1);
    fails(&mut chair, "pause", ClientCommand::PauseTurn { turn }).await;
    sleep(Duration::from_secs(5)).await;
    on.disk.fails(None);
    sleep(RETRIED).await;
    done(&mut chair, "resume", ClientCommand::ResumeTurn { turn }).await;
    sleep(Duration::from_secs(50)).await;
    assert!(hears(&on), "it has spoken for 56 seconds");
    sleep(Duration::from_secs(10)).await;
    assert!(!hears(&on));
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_is_not_written_closes_nobody_whatever_else_was_asked_in_that_moment() {
    let (on, mut chair, branch) = speaking(two_sites()).await;
    on.disk.takes(Duration::from_millis(200));
    on.disk.fails(Fault::Sync);
    // All of it is one round: the first one's writing takes its time.
    let notice = ClientCommand::SetNotice { text: "a".into() };
    chair.ask("notice", notice.clone()).await;
    branch.ask("ready", ClientCommand::AskToPresent {}).await;
    fails(&mut chair, "next", next()).await;
    on.disk.fails(None);
    sleep(RETRIED).await;
    assert!(hears(&on));
    assert_eq!(count(&on, is_paused), 0);
}

#[tokio::test(start_paused = true)]
async fn a_presentation_that_was_ended_without_a_record_does_not_come_back_with_the_screens() {
    let (on, mut chair, _branch) = speaking(two_sites()).await;
    done(&mut chair, "present", ClientCommand::AskToPresent {}).await;
    let blank = |on| ClientCommand::SetBlank { on };
    done(&mut chair, "blank", blank(true)).await;
    on.disk.fails(Fault::Sync);
    let seat = SeatId(0);
    fails(&mut chair, "stop", ClientCommand::EndPresentation { seat }).await;
    on.disk.fails(None);
    sleep(RETRIED).await;
    done(&mut chair, "unblank", blank(false)).await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(on.shown.borrow().presentation, None);
}

#[tokio::test(start_paused = true)]
async fn whose_time_was_up_before_it_was_closed_has_ended_by_the_clock() {
    let (on, mut chair, _branch) = speaking(of_a_minute()).await;
    on.disk.fails(Fault::Sync);
    for (id, wait) in [("first", 25), ("second", 25), ("third", 15)] {
        let notice = ClientCommand::SetNotice { text: id.into() };
        fails(&mut chair, id, notice).await;
        sleep(Duration::from_secs(wait)).await;
    }
    assert!(!hears(&on), "its minute is over");
    let turn = TurnId(1);
    fails(&mut chair, "end", ClientCommand::EndTurn { turn }).await;
    sleep(Duration::from_secs(5)).await;
    on.disk.fails(None);
    sleep(RETRIED).await;
    let is_up =
        |event: &Event| matches!(event, Event::TurnEnded { how, .. } if *how == TurnEnd::TimeUp);
    assert_eq!((count(&on, is_up), count(&on, is_paused)), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_silent_is_taken_out_once_though_that_hangs_too() {
    let (on, chair, _branch) = speaking(of_a_minute()).await;
    sleep(Duration::from_secs(10)).await;
    on.disk.takes(Duration::from_secs(20));
    on.disk.fails(Fault::Sync);
    chair.ask("next", next()).await;
    sleep(Duration::from_secs(2)).await;
    on.disk.takes(Duration::ZERO);
    sleep(Duration::from_secs(18)).await;
    // Heard again; it has spoken for eleven seconds.
    for (is_up, wait) in [(false, 6), (true, 2)] {
        sleep(Duration::from_secs(wait)).await;
        link(&on, EndpointKind::Room, 1, is_up).await;
    }
    on.disk.fails(None);
    sleep(Duration::from_millis(100)).await;
    on.disk.takes(Duration::from_secs(60));
    sleep(Duration::from_secs(39)).await;
    assert!(hears(&on), "it has spoken for 56 seconds");
    sleep(Duration::from_secs(8)).await;
    assert!(!hears(&on));
}
