//! What is closed ahead of the record stays closed, and nothing else: keys that fall, times that are up, links that are lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use diemcau_conference::{AtZero, Event, Refusal, Setup, SpeechType, TurnEnd};
use diemcau_model::{
    Alarm, EndpointKind, LinkReport, PeerId, SiteId, Stage, TurnId, limits::PRESENTER_AWAY_S,
};
use diemcau_protocol::{ClientCommand, ErrorWhy, Fact, ServerFrame};
use std::{sync::Arc, time::Duration};
use support::{
    Guest, LIVE,
    branch::{branch_speaks, done, two_sites},
    disk::{Fault, OnDisk, hub_on_a_disk, hub_on_a_disk_of},
    request,
};
use tokio::time::{Instant, sleep, timeout};

fn is_failed(answer: &ServerFrame) -> bool {
    matches!(answer, ServerFrame::Error { why, .. } if *why == ErrorWhy::StorageFailed)
}

/// Waits until a fact of this kind is told.
async fn shows(desk: &mut Guest, fits: impl Fn(&Fact) -> bool) {
    let is_told = |frame: &ServerFrame| matches!(frame, ServerFrame::Facts { facts, .. } if facts.iter().any(&fits));
    desk.until(is_told).await;
}

/// A speech has a minute, and is cut.
fn of_a_minute() -> Setup {
    let mut setup = two_sites();
    let turns = &mut setup.agenda[0].turns;
    (turns.minutes, turns.at_zero) = (1, AtZero::Cut);
    setup
}

/// The room of a site comes or goes.
async fn link(on: &OnDisk, site: SiteId, is_up: bool) {
    let (kind, peer) = (EndpointKind::Room, PeerId(site.0.into()));
    let report = match is_up {
        true => LinkReport::Up { site, kind, peer },
        false => LinkReport::Down { site, kind, peer },
    };
    on.reports.send(report).await.unwrap();
}

/// The chair puts a question into the branch's speech.
async fn chair_asks(chair: &mut Guest) {
    let mut question = request();
    if let ClientCommand::RequestFloor { words, .. } = &mut question {
        words.speech = SpeechType::Question;
    }
    done(chair, "question", question).await;
    let (after, turn) = (Some(TurnId(1)), TurnId(3));
    done(chair, "put", ClientCommand::Grant { after, turn }).await;
}

/// Nobody hears the site, not for a moment, for so long.
async fn stays_silent(on: &mut OnDisk, site: SiteId, span: Duration) {
    let is_heard = |stage: &Stage| stage.heard.contains(&site);
    let heard = timeout(span, on.shown.wait_for(is_heard)).await.is_ok();
    assert!(!heard, "it is heard");
}

#[tokio::test(start_paused = true)]
async fn a_key_falls_with_its_seat_though_the_disk_fails_or_hangs_and_is_not_held_again_by_coming_back()
 {
    for hangs in [false, true] {
        let (mut on, chair, mut secretary) = holding().await;
        match hangs {
            true => on.disk.takes(Duration::from_secs(10)),
            false => on.disk.fails(Fault::Sync),
        }
        secretary.ask("first", ClientCommand::AskToPresent {}).await;
        sleep(Duration::from_secs(2)).await;
        let begun = Instant::now();
        drop(chair);
        hall_is(&mut on, false).await;
        assert!(begun.elapsed() <= Duration::from_secs(1));

        // Back before it can be written.
        let hub = Arc::clone(&on.hub);
        let back = tokio::spawn(async move { Guest::join(&hub, "chair").await });
        sleep(Duration::from_secs(1)).await;
        on.disk.takes(Duration::ZERO);
        on.disk.fails(None);
        back.await.unwrap();
        let fell = |fact: &Fact| matches!(fact, Fact::Floor { floor } if !floor.priority);
        shows(&mut secretary, fell).await;
        assert!(!hall(&on.shown.borrow()));
    }
}

fn hall(stage: &Stage) -> bool {
    stage.heard.contains(&SiteId(0))
}

/// Waits until the hall is heard, or is not.
async fn hall_is(on: &mut OnDisk, heard: bool) {
    let is_so = |stage: &Stage| hall(stage) == heard;
    timeout(LIVE, on.shown.wait_for(is_so))
        .await
        .unwrap()
        .unwrap();
}

/// A chair that holds its key, and the hall is heard.
async fn holding() -> (OnDisk, Guest, Guest) {
    let mut on = hub_on_a_disk().await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let secretary = Guest::join(&on.hub, "secretary").await;
    let held = chair
        .command("hold", ClientCommand::SetPriority { on: true })
        .await;
    assert!(matches!(held, ServerFrame::Ok { .. }), "{held:?}");
    hall_is(&mut on, true).await;
    (on, chair, secretary)
}

#[tokio::test(start_paused = true)]
async fn a_fall_whose_own_writing_fails_is_written_when_it_can_be_and_the_hall_is_heard_again() {
    let (mut on, chair, mut secretary) = holding().await;
    on.disk.fails(Fault::Sync);
    // A page that is loaded anew: it goes and comes in one round.
    drop(chair);
    let mut chair = Guest::join(&on.hub, "chair").await;
    hall_is(&mut on, false).await;
    on.disk.fails(None);
    let fell = |fact: &Fact| matches!(fact, Fact::Floor { floor } if !floor.priority);
    shows(&mut secretary, fell).await;
    let opened = chair.microphone("open", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
    hall_is(&mut on, true).await;
    // A key that is pressed anew is held.
    let held = chair
        .command("again", ClientCommand::SetPriority { on: true })
        .await;
    assert!(matches!(held, ServerFrame::Ok { .. }), "{held:?}");
    let closed = chair.microphone("close", false).await;
    assert!(matches!(closed, ServerFrame::Ok { .. }), "{closed:?}");
    assert!(hall(&on.shown.borrow()), "the key is held");
}

#[tokio::test(start_paused = true)]
async fn a_hall_that_was_opened_as_its_chair_went_is_heard_when_the_disk_answers() {
    let (mut on, chair, secretary) = holding().await;
    on.disk.takes(Duration::from_secs(10));
    secretary.ask("first", ClientCommand::AskToPresent {}).await;
    sleep(Duration::from_secs(2)).await;
    on.disk.takes(Duration::ZERO);
    let open = ClientCommand::SetHallMicrophone { open: true };
    chair.ask("open", open).await;
    sleep(Duration::from_secs(1)).await;
    drop(chair);
    hall_is(&mut on, false).await;
    hall_is(&mut on, true).await;
    let fell = |event: &Event| matches!(event, Event::PrioritySet { seat: None, .. });
    assert!(on.disk.events().iter().any(fell));
}

#[tokio::test(start_paused = true)]
async fn a_microphone_that_is_closed_behind_a_key_that_fell_is_closed_though_the_disk_fails() {
    let (on, mut chair, _secretary) = holding().await;
    chair.microphone("open", true).await;
    on.disk.fails(Fault::Sync);
    assert!(is_failed(
        &chair.command("first", ClientCommand::AskToPresent {}).await
    ));
    drop(chair);
    let mut chair = Guest::join(&on.hub, "chair").await;
    assert!(hall(&on.shown.borrow()), "its own microphone is open");
    assert!(is_failed(&chair.microphone("close", false).await));
    assert!(!hall(&on.shown.borrow()));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_fell_as_the_hall_was_being_opened_leaves_nothing_open_when_that_fails() {
    let (mut on, chair, _secretary) = holding().await;
    on.disk.takes(Duration::from_secs(5));
    on.disk.fails(Fault::Sync);
    let open = ClientCommand::SetHallMicrophone { open: true };
    chair.ask("open", open).await;
    sleep(Duration::from_secs(2)).await;
    drop(chair);
    let shut = timeout(LIVE, on.shown.wait_for(|stage| !hall(stage)))
        .await
        .is_ok();
    assert!(shut, "open to all, and nobody holds the key");
    sleep(LIVE).await;
    assert!(!hall(&on.shown.borrow()));
}

#[tokio::test(start_paused = true)]
async fn who_opens_the_hall_behind_a_key_that_could_not_be_let_go_is_heard() {
    let (mut on, mut chair, _secretary) = holding().await;
    on.disk.fails(Fault::Sync);
    let off = ClientCommand::SetPriority { on: false };
    assert!(is_failed(&chair.command("off", off.clone()).await));
    assert!(!hall(&on.shown.borrow()));
    on.disk.fails(None);
    sleep(Duration::from_secs(2)).await;
    let opened = chair.microphone("open", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
    hall_is(&mut on, true).await;
    // The page says again that it was let go, and the record has it.
    let again = chair.command("again", off).await;
    let is_so = matches!(
        again,
        ServerFrame::Refused {
            why: Refusal::AlreadySo,
            ..
        }
    );
    assert!(is_so, "{again:?}");
    assert!(hall(&on.shown.borrow()));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_pressed_anew_and_falls_before_that_is_written_leaves_nothing_open() {
    let (mut on, chair, _secretary) = holding().await;
    on.disk.fails(Fault::Sync);
    drop(chair);
    let chair = Guest::join(&on.hub, "chair").await;
    stays_silent(&mut on, SiteId(0), Duration::from_millis(500)).await;
    // While the disk is asked whether it writes again, the key is pressed: one round has the fall and this.
    on.disk.takes(Duration::from_millis(900));
    on.disk.fails(None);
    sleep(Duration::from_secs(1)).await;
    let press = ClientCommand::SetPriority { on: true };
    chair.ask("again", press).await;
    on.disk.takes(Duration::from_secs(10));
    sleep(Duration::from_secs(3)).await;
    on.disk.takes(Duration::ZERO);
    drop(chair);
    stays_silent(&mut on, SiteId(0), Duration::from_secs(20)).await;
    let is_key = |event: &&Event| matches!(event, Event::PrioritySet { .. });
    let keys = on.disk.events();
    assert_eq!(keys.iter().filter(is_key).count(), 4, "{keys:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hall_that_was_closed_under_a_held_key_without_a_record_is_silent_when_the_key_falls() {
    let (mut on, mut chair, _secretary) = holding().await;
    chair.microphone("open", true).await;
    on.disk.fails(Fault::Sync);
    assert!(is_failed(&chair.microphone("close", false).await));
    assert!(hall(&on.shown.borrow()), "the key is held");
    drop(chair);
    hall_is(&mut on, false).await;
    on.disk.fails(None);
    stays_silent(&mut on, SiteId(0), LIVE).await;
}

#[tokio::test(start_paused = true)]
async fn a_hall_whose_opening_is_not_written_is_silent_when_its_key_falls_and_heard_when_it_is() {
    let (mut on, chair, _secretary) = holding().await;
    on.disk.takes(Duration::from_secs(10));
    let begun = Instant::now();
    let open = ClientCommand::SetHallMicrophone { open: true };
    chair.ask("open", open).await;
    sleep(Duration::from_secs(2)).await;
    on.disk.takes(Duration::ZERO);
    drop(chair);
    hall_is(&mut on, false).await;
    assert!(begun.elapsed() <= Duration::from_secs(3));
    hall_is(&mut on, true).await;
    assert!(begun.elapsed() >= Duration::from_secs(10));
}

/// The branch that speaks.
const BRANCH: SiteId = SiteId(1);

#[tokio::test(start_paused = true)]
async fn a_speech_that_was_ended_without_a_record_is_not_heard_again_by_its_page_being_loaded_anew()
{
    let mut on = hub_on_a_disk_of(two_sites()).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut branch = Guest::join(&on.hub, "branch").await;
    branch_speaks(&mut on, &mut chair, &mut branch).await;
    on.disk.fails(Fault::Sync);
    let end = ClientCommand::EndTurn { turn: TurnId(1) };
    assert!(is_failed(&chair.command("end", end.clone()).await));
    on.disk.fails(None);
    sleep(Duration::from_secs(2)).await;
    let (site, kind, peer) = (BRANCH, EndpointKind::Room, PeerId(1));
    for report in [
        LinkReport::Down { site, kind, peer },
        LinkReport::Up { site, kind, peer },
    ] {
        on.reports.send(report).await.unwrap();
        stays_silent(&mut on, BRANCH, Duration::from_secs(1)).await;
    }
    let is_held =
        |event: &&Event| matches!(event, Event::TurnHeld { .. } | Event::TurnUnheld { .. });
    let events = on.disk.events();
    // Once for the time in which it was closed already, once for its page.
    assert_eq!(events.iter().filter(is_held).count(), 4, "{events:?}");
    let ended = chair.command("again", end).await;
    assert!(matches!(ended, ServerFrame::Ok { .. }), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_speech_whose_link_is_lost_while_the_disk_fails_is_heard_again_with_its_link() {
    let mut on = hub_on_a_disk_of(two_sites()).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut branch = Guest::join(&on.hub, "branch").await;
    branch_speaks(&mut on, &mut chair, &mut branch).await;
    on.disk.fails(Fault::Sync);
    let (site, kind, peer) = (BRANCH, EndpointKind::Room, PeerId(1));
    on.reports
        .send(LinkReport::Down { site, kind, peer })
        .await
        .unwrap();
    sleep(Duration::from_secs(3)).await;
    on.disk.fails(None);
    sleep(Duration::from_secs(3)).await;
    let is_held = |event: &Event| matches!(event, Event::TurnHeld { .. });
    assert!(on.disk.events().iter().any(is_held));
    assert!(!on.shown.borrow().heard.contains(&BRANCH));
    on.reports
        .send(LinkReport::Up { site, kind, peer })
        .await
        .unwrap();
    let is_heard = |stage: &Stage| stage.heard.contains(&BRANCH);
    let heard = timeout(LIVE, on.shown.wait_for(is_heard)).await.is_ok();
    assert!(heard, "nobody closed it");
}

#[tokio::test(start_paused = true)]
async fn a_speakers_clock_stands_while_its_link_and_the_disk_are_both_gone_whichever_is_back_first()
{
    for (link_is_first, is_known) in [(true, true), (false, true), (true, false), (false, false)] {
        let mut setup = of_a_minute();
        // It is gone for longer, and so that is no absence that anybody could have seen.
        setup.away_seconds = 20;
        let mut on = hub_on_a_disk_of(setup).await;
        let mut chair = Guest::join(&on.hub, "chair").await;
        let mut branch = Guest::join(&on.hub, "branch").await;
        branch_speaks(&mut on, &mut chair, &mut branch).await;
        on.disk.fails(Fault::Sync);
        if is_known {
            let first = ClientCommand::SetNotice { text: "a".into() };
            assert!(is_failed(&chair.command("first", first).await));
        }
        sleep(Duration::from_secs(10)).await;
        link(&on, BRANCH, false).await;
        sleep(Duration::from_secs(70)).await;
        let is_heard = |stage: &Stage| stage.heard.contains(&BRANCH);
        if link_is_first {
            link(&on, BRANCH, true).await;
            sleep(Duration::from_secs(3)).await;
            assert!(is_heard(&on.shown.borrow()), "its time is not up");
            on.disk.fails(None);
        } else {
            on.disk.fails(None);
            sleep(Duration::from_secs(3)).await;
            link(&on, BRANCH, true).await;
        }
        sleep(Duration::from_secs(3)).await;
        assert!(is_heard(&on.shown.borrow()), "{link_is_first} {is_known}");
        sleep(Duration::from_secs(60)).await;
        assert!(!is_heard(&on.shown.borrow()), "and then it is");
        let says = on.disk.events();
        let is_cut = |event: &&Event| {
            matches!(
                event,
                Event::TurnEnded {
                    how: TurnEnd::TimeUp,
                    ..
                }
            )
        };
        assert_eq!(says.iter().filter(is_cut).count(), 1, "{says:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_speech_under_a_question_that_ran_out_while_the_disk_failed_begins_again_when_it_is_heard_whatever_links_did()
 {
    let setup = of_a_minute();
    let mut on = hub_on_a_disk_of(setup).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut branch = Guest::join(&on.hub, "branch").await;
    branch_speaks(&mut on, &mut chair, &mut branch).await;
    chair_asks(&mut chair).await;
    on.disk.fails(Fault::Sync);
    sleep(Duration::from_secs(90)).await;
    for site in [SiteId(0), BRANCH] {
        link(&on, site, false).await;
        sleep(Duration::from_secs(1)).await;
        link(&on, site, true).await;
    }
    sleep(Duration::from_secs(90)).await;
    on.disk.fails(None);
    for _ in 0..2 {
        sleep(Duration::from_secs(25)).await;
        assert!(
            on.shown.borrow().heard.contains(&BRANCH),
            "it has a minute, from now on"
        );
    }
    sleep(Duration::from_secs(15)).await;
    assert!(!on.shown.borrow().heard.contains(&BRANCH), "and no more");
}

#[tokio::test(start_paused = true)]
async fn a_speech_that_the_record_holds_goes_on_when_it_is_heard_though_its_link_was_back_before() {
    for hangs in [false, true] {
        let setup = of_a_minute();
        let mut on = hub_on_a_disk_of(setup).await;
        let mut chair = Guest::join(&on.hub, "chair").await;
        let mut branch = Guest::join(&on.hub, "branch").await;
        branch_speaks(&mut on, &mut chair, &mut branch).await;
        sleep(Duration::from_secs(5)).await;
        if hangs {
            on.disk.takes(Duration::from_secs(90));
        }
        link(&on, BRANCH, false).await;
        sleep(Duration::from_secs(5)).await;
        if !hangs {
            on.disk.fails(Fault::Sync);
            let first = ClientCommand::SetNotice { text: "a".into() };
            assert!(is_failed(&chair.command("first", first).await));
        }
        link(&on, BRANCH, true).await;
        stays_silent(&mut on, BRANCH, Duration::from_secs(80)).await;
        on.disk.takes(Duration::ZERO);
        on.disk.fails(None);
        let is_heard = |stage: &Stage| stage.heard.contains(&BRANCH);
        let heard = timeout(LIVE, on.shown.wait_for(is_heard)).await.is_ok();
        assert!(heard, "{hangs}");
        sleep(Duration::from_secs(45)).await;
        assert!(
            is_heard(&on.shown.borrow()),
            "{hangs}: it has used five seconds of its minute"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_back_is_here_whatever_other_links_did_while_the_disk_failed() {
    let mut setup = two_sites();
    setup.away_seconds = 20;
    let mut on = hub_on_a_disk_of(setup).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut branch = Guest::join(&on.hub, "branch").await;
    branch_speaks(&mut on, &mut chair, &mut branch).await;
    chair_asks(&mut chair).await;
    on.disk.fails(Fault::Sync);
    for (site, is_up, then_s) in [
        (BRANCH, false, 22),
        (SiteId(0), false, 3),
        (BRANCH, true, 3),
        (SiteId(0), true, 3),
    ] {
        link(&on, site, is_up).await;
        sleep(Duration::from_secs(then_s)).await;
    }
    on.disk.fails(None);
    sleep(Duration::from_secs(3)).await;
    let is_away = |event: &Event| matches!(event, Event::TurnEnded { .. });
    assert!(!on.disk.events().iter().any(is_away));
}

/// It blinks while the disk hangs, and goes at last as soon as the disk has answered.
#[tokio::test(start_paused = true)]
async fn links_that_were_not_seen_come_before_the_rules_in_their_order() {
    let mut on = hub_on_a_disk_of(two_sites()).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut branch = Guest::join(&on.hub, "branch").await;
    branch_speaks(&mut on, &mut chair, &mut branch).await;
    on.disk.takes(Duration::from_millis(50_500));
    let hangs = ClientCommand::SetNotice { text: "a".into() };
    chair.ask("hangs", hangs).await;
    for (is_up, then_s) in [(false, 40), (true, 5)] {
        sleep(Duration::from_secs(1)).await;
        link(&on, BRANCH, is_up).await;
        sleep(Duration::from_secs(then_s)).await;
    }
    on.disk.takes(Duration::ZERO);
    // Its answer is there after fifty seconds and a half, between two ticks, and the next to come is this, a moment later.
    sleep(Duration::from_millis(3_501)).await;
    link(&on, BRANCH, false).await;
    sleep(Duration::from_secs(1)).await;
    let at_of = |event: &Event| {
        let (Event::TurnHeld { at, .. } | Event::TurnUnheld { at, .. }) = event else {
            return None;
        };
        Some(*at)
    };
    let ats: Vec<_> = on.disk.events().iter().filter_map(at_of).collect();
    assert_eq!(ats.len(), 3, "{ats:?}");
    assert!(ats.is_sorted(), "{ats:?}");
}

#[tokio::test(start_paused = true)]
async fn who_is_back_before_the_record_could_say_that_it_stayed_away_too_long_is_heard() {
    let mut setup = two_sites();
    setup.away_seconds = 5;
    let mut on = hub_on_a_disk_of(setup).await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut branch = Guest::join(&on.hub, "branch").await;
    branch_speaks(&mut on, &mut chair, &mut branch).await;
    let (site, kind, peer) = (BRANCH, EndpointKind::Room, PeerId(1));
    let down = LinkReport::Down { site, kind, peer };
    on.reports.send(down).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    on.disk.fails(Fault::Sync);
    let first = ClientCommand::SetNotice { text: "a".into() };
    assert!(is_failed(&chair.command("first", first).await));
    sleep(Duration::from_secs(6)).await;
    let up = LinkReport::Up { site, kind, peer };
    on.reports.send(up).await.unwrap();
    stays_silent(&mut on, BRANCH, Duration::from_secs(1)).await;
    on.disk.fails(None);
    let is_heard = |stage: &Stage| stage.heard.contains(&BRANCH);
    let heard = timeout(LIVE, on.shown.wait_for(is_heard)).await.is_ok();
    assert!(heard, "it has the floor, and nobody hears it");
}

#[tokio::test(start_paused = true)]
async fn who_presents_and_is_back_before_the_record_could_say_that_it_stayed_away_is_shown() {
    let mut on = hub_on_a_disk().await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let asked = chair.command("ask", ClientCommand::AskToPresent {}).await;
    assert!(matches!(asked, ServerFrame::Ok { .. }), "{asked:?}");
    drop(chair);
    sleep(Duration::from_secs(PRESENTER_AWAY_S - 1)).await;
    on.disk.fails(Fault::Sync);
    sleep(Duration::from_secs(3)).await;
    assert_eq!(on.hub.alarms().await, [Alarm::RecordFails].into());
    let _chair = Guest::join(&on.hub, "chair").await;
    on.disk.fails(None);
    sleep(Duration::from_secs(3)).await;
    assert_eq!(on.hub.alarms().await, [].into());
    let is_shown = |stage: &Stage| stage.presentation.is_some();
    let shown = timeout(LIVE, on.shown.wait_for(is_shown)).await.is_ok();
    assert!(shown, "it presents, and nobody sees it");
}

#[tokio::test(start_paused = true)]
async fn a_speech_that_was_ended_without_a_record_while_something_held_it_is_not_heard_when_that_is_over()
 {
    for held_by_link in [true, false] {
        let mut on = hub_on_a_disk_of(two_sites()).await;
        let mut chair = Guest::join(&on.hub, "chair").await;
        let mut branch = Guest::join(&on.hub, "branch").await;
        branch_speaks(&mut on, &mut chair, &mut branch).await;
        let (site, kind, peer) = (BRANCH, EndpointKind::Room, PeerId(1));
        let press = ClientCommand::SetPriority { on: true };
        match held_by_link {
            true => {
                let down = LinkReport::Down { site, kind, peer };
                on.reports.send(down).await.unwrap();
            }
            false => drop(chair.command("press", press).await),
        }
        let is_silent = |stage: &Stage| !stage.heard.contains(&BRANCH);
        timeout(LIVE, on.shown.wait_for(is_silent))
            .await
            .unwrap()
            .unwrap();
        on.disk.fails(Fault::Sync);
        let end = ClientCommand::EndTurn { turn: TurnId(1) };
        assert!(is_failed(&chair.command("end", end.clone()).await));
        on.disk.fails(None);
        sleep(Duration::from_secs(2)).await;
        match held_by_link {
            true => {
                let up = LinkReport::Up { site, kind, peer };
                on.reports.send(up).await.unwrap();
            }
            false => drop(chair),
        }
        stays_silent(&mut on, BRANCH, Duration::from_secs(5)).await;
        let mut chair = Guest::join(&on.hub, "chair").await;
        let ended = chair.command("again", end).await;
        assert!(matches!(ended, ServerFrame::Ok { .. }), "{ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whose_time_is_up_is_not_heard_though_the_disk_hangs_or_fails() {
    for (hangs, at_zero, seconds) in [
        (false, AtZero::Cut, 300),
        (true, AtZero::Cut, 300),
        (true, AtZero::Mute { grace_seconds: 30 }, 330),
    ] {
        let mut setup = two_sites();
        setup.agenda[0].turns.at_zero = at_zero;
        let mut on = hub_on_a_disk_of(setup).await;
        let mut chair = Guest::join(&on.hub, "chair").await;
        let mut branch = Guest::join(&on.hub, "branch").await;
        branch_speaks(&mut on, &mut chair, &mut branch).await;
        let begun = Instant::now();
        match hangs {
            true => on.disk.takes(Duration::from_secs(3_600)),
            false => on.disk.fails(Fault::Sync),
        }
        let first = ClientCommand::SetNotice { text: "a".into() };
        chair.ask("first", first).await;
        let is_silent = |stage: &Stage| !stage.heard.contains(&BRANCH);
        let cut = timeout(Duration::from_secs(3_000), on.shown.wait_for(is_silent));
        assert!(cut.await.is_ok(), "{hangs} {at_zero:?}: it speaks on");
        let (took, second) = (begun.elapsed(), Duration::from_secs(1));
        let wanted = Duration::from_secs(seconds);
        assert!(
            took + second >= wanted && took <= wanted + 2 * second,
            "{took:?}"
        );
    }
}
