//! A disk that fails: nothing is acknowledged, nobody is cut, microphones still close, and it heals without a restart.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on says so by a panic, and waits for the frames it is about"
)]

mod support;

use diemcau_conference::{AtZero, Event, Refusal};
use diemcau_hub::OpenError;
use diemcau_journal::{Entry, Journal, JournalError};
use diemcau_model::{Alarm, DeviceId, ItemId, PeerAsk, SeatId, SiteId, Stage, TurnId, WaitId};
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy, Fact, ServerFrame};
use std::{collections::BTreeSet, time::Duration};
use support::{
    Guest, LIVE,
    disk::{Disk, Fault, OnDisk, hub_on_a_disk, hub_on_a_disk_of, hub_over},
    request, setup,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

const SECRETARY: SeatId = SeatId(1);

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

#[tokio::test(start_paused = true)]
async fn a_full_disk_acknowledges_nothing_cuts_nobody_and_still_closes_the_microphone() {
    acknowledges_nothing_cuts_nobody_and_still_closes(Fault::Full, Alarm::RecordFull).await;
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_fails_is_no_other_and_says_so() {
    acknowledges_nothing_cuts_nobody_and_still_closes(Fault::Sync, Alarm::RecordFails).await;
}

async fn acknowledges_nothing_cuts_nobody_and_still_closes(fault: Fault, alarm: Alarm) {
    let OnDisk {
        hub,
        disk,
        mut shown,
        ..
    } = hub_on_a_disk().await;
    let mut chair = Guest::join(&hub, "chair").await;

    let opened = chair.microphone("open", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
    assert!(shown.borrow_and_update().heard.contains(&SiteId(0)));

    disk.fails(fault);
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
    let alarmed: BTreeSet<Alarm> = [alarm].into();
    assert_eq!(hub.alarms().await, alarmed);
    let told = chair.alarms().await;
    assert_eq!(told, alarmed, "the chair's desk is told");

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
    assert_eq!(newcomer.alarms().await, alarmed, "a newcomer is told too");
    drop(newcomer);

    disk.fails(None);
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
        ServerFrame::Refused {
            why: Refusal::AlreadySo,
            ..
        }
    ));
    assert!(matches!(
        chair.microphone("open-again", true).await,
        ServerFrame::Ok { .. }
    ));
    assert!(shown.borrow().heard.contains(&SiteId(0)));
}

#[tokio::test(start_paused = true)]
async fn what_was_closed_without_a_record_is_heard_again_when_the_record_closed_and_opened_it_in_one_round()
 {
    let OnDisk {
        hub,
        disk,
        mut shown,
        ..
    } = hub_on_a_disk().await;
    let mut chair = Guest::join(&hub, "chair").await;
    let opened = chair.microphone("open", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
    disk.fails(Fault::Full);
    assert!(is_failed(&chair.microphone("close", false).await));
    let hears =
        |shown: &mut watch::Receiver<Stage>| shown.borrow_and_update().heard.contains(&SiteId(0));
    assert!(!hears(&mut shown));

    disk.fails(None);
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

#[tokio::test(start_paused = true)]
async fn a_presentation_that_was_stopped_without_a_record_is_shown_when_the_record_ended_and_began_it_in_one_round()
 {
    let mut on = hub_on_a_disk().await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let seat = SeatId(0);
    let end = ClientCommand::EndPresentation { seat };
    let present = ClientCommand::AskToPresent {};
    let asked = chair.command("ask", present.clone()).await;
    assert!(matches!(asked, ServerFrame::Ok { .. }), "{asked:?}");
    on.disk.fails(Fault::Full);
    assert!(is_failed(&chair.command("end", end.clone()).await));
    assert_eq!(on.shown.borrow_and_update().presentation, None);
    on.disk.fails(None);
    sleep(Duration::from_secs(3)).await;

    // While the disk takes its time, both get in line: one round takes them.
    on.disk.takes(Duration::from_millis(500));
    let ask = |id: &str, command| ClientFrame::Command {
        id: id.into(),
        command,
    };
    let open = ClientCommand::SetHallMicrophone { open: true };
    chair.say(&ask("open", open)).await;
    sleep(Duration::from_millis(100)).await;
    chair.say(&ask("end-again", end)).await;
    chair.say(&ask("ask-again", present)).await;
    let is_last =
        |frame: &ServerFrame| matches!(frame, ServerFrame::Ok { id, .. } if id == "ask-again");
    chair.until(is_last).await;
    let shown = on.shown.borrow_and_update().presentation;
    assert_eq!(shown.map(|shown| shown.seat), Some(seat));
}

#[tokio::test(start_paused = true)]
async fn a_presentation_that_is_stopped_is_gone_though_the_disk_is_full_and_comes_back_by_its_record_alone()
 {
    let OnDisk {
        hub,
        disk,
        mut shown,
        ..
    } = hub_on_a_disk().await;
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

    disk.fails(Fault::Full);
    assert!(is_failed(&chair.microphone("close", false).await));
    assert_eq!(presents(&mut shown), Some(seat), "a failing disk alone");
    assert!(is_failed(&chair.command("end", end.clone()).await));
    assert_eq!(presents(&mut shown), None);

    disk.fails(None);
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

#[tokio::test(start_paused = true)]
async fn what_failed_is_asked_again_by_itself_and_the_alarm_is_over_though_nobody_says_a_word() {
    let OnDisk { hub, disk, .. } = hub_on_a_disk().await;
    let mut chair = Guest::join(&hub, "chair").await;
    disk.fails(Fault::Sync);
    assert!(is_failed(&chair.microphone("open", true).await));
    assert_eq!(chair.alarms().await, [Alarm::RecordFails].into());
    let reads = disk.reads();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(hub.alarms().await, [Alarm::RecordFails].into());
    assert_eq!(disk.reads(), reads, "asking reads nothing");

    let before = disk.events();
    disk.fails(None);
    sleep(Duration::from_secs(3)).await;
    assert_eq!(hub.alarms().await, BTreeSet::new());
    assert_eq!(chair.alarms().await, BTreeSet::new());
    assert_eq!(disk.events(), before, "asking leaves no record");
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_goes_on_failing_is_not_read_again_for_every_command() {
    let OnDisk { hub, disk, .. } = hub_on_a_disk().await;
    let mut chair = Guest::join(&hub, "chair").await;
    disk.fails(Fault::Sync);
    assert!(is_failed(&chair.microphone("first", true).await));
    // As a disk does: the next try is due a little behind the second.
    disk.takes(Duration::from_millis(50));
    let reads = disk.reads();
    for n in 0..100 {
        let answer = chair.microphone(&n.to_string(), true).await;
        assert!(is_failed(&answer), "{answer:?}");
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(disk.reads(), reads, "what is known is read again");
    disk.fails(None);
    sleep(Duration::from_secs(3)).await;
    let opened = chair.microphone("open", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_answers_slowly_after_it_failed_is_written_again() {
    let OnDisk { hub, disk, .. } = hub_on_a_disk().await;
    let mut chair = Guest::join(&hub, "chair").await;
    disk.fails(Fault::Sync);
    assert!(is_failed(&chair.microphone("first", true).await));
    disk.fails(None);
    disk.takes(Duration::from_millis(1_500));
    sleep(Duration::from_secs(5)).await;
    let opened = chair.microphone("open", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
}

#[tokio::test(start_paused = true)]
async fn who_is_revoked_while_a_failing_disk_is_asked_and_hangs_is_cut_and_not_by_the_answer() {
    let mut on = hub_on_a_disk().await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut secretary = Guest::join(&on.hub, "secretary").await;
    // Between two seconds of the room: the next try is due between the two after them.
    sleep(Duration::from_millis(300)).await;
    on.disk.fails(Fault::Sync);
    assert!(is_failed(&chair.microphone("first", true).await));
    on.disk.takes(Duration::from_secs(30));
    sleep(Duration::from_millis(1_200)).await;
    let begun = Instant::now();
    let revoke = ClientCommand::RevokeSeat { seat: SECRETARY };
    chair.ask("revoke", revoke).await;
    is_cut(&mut secretary, &mut on).await;
    assert!(
        begun.elapsed() <= Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn who_is_revoked_is_cut_in_time_though_every_answer_of_a_failing_disk_comes_just_within_it()
{
    let mut on = hub_on_a_disk().await;
    let chair = Guest::join(&on.hub, "chair").await;
    let mut secretary = Guest::join(&on.hub, "secretary").await;
    on.disk.fails(Fault::Sync);
    on.disk.takes(Duration::from_millis(900));
    chair
        .ask("first", ClientCommand::SetNotice { text: "a".into() })
        .await;
    sleep(Duration::from_millis(10)).await;
    let begun = Instant::now();
    let revoke = ClientCommand::RevokeSeat { seat: SECRETARY };
    chair.ask("revoke", revoke).await;
    is_cut(&mut secretary, &mut on).await;
    let took = begun.elapsed();
    assert!(took <= Duration::from_millis(1_100), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_looked_at_no_faster_than_anybody_presses() {
    let OnDisk { hub, disk, .. } = hub_on_a_disk().await;
    let mut chair = Guest::join(&hub, "chair").await;
    let mut secretary = Guest::join(&hub, "secretary").await;
    let opened = chair.microphone("open", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
    disk.fails(Fault::Sync);
    let begun = Instant::now();
    let (mut looked_at, mut too_fast) = (0, 0);
    for n in 0..1_000 {
        // A microphone that is closed in vain.
        match chair.microphone(&n.to_string(), false).await {
            ServerFrame::Error { why, fatal, .. } => match why {
                ErrorWhy::StorageFailed => looked_at += 1,
                why => {
                    assert_eq!((why, fatal), (ErrorWhy::TooFast, false));
                    too_fast += 1;
                }
            },
            other => unreachable!("{other:?}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
    let most = 200 + 20 * begun.elapsed().as_secs();
    assert!(too_fast > 0 && looked_at <= most, "{looked_at} of {most}");
    let other = secretary.command("other", ClientCommand::AskToPresent {});
    assert!(is_failed(&other.await), "another seat has its own");
}

/// A seat's connection is cut, with its way to the media plane.
async fn is_cut(guest: &mut Guest, on: &mut OnDisk) {
    assert_eq!(guest.away().await, ErrorWhy::StorageFailed);
    let left = async { while !matches!(on.asks.recv().await, Some(PeerAsk::Leave { .. })) {} };
    timeout(LIVE, left).await.unwrap();
}

async fn shows(desk: &mut Guest, fits: impl Fn(&Fact) -> bool) {
    let shown = |frame: &ServerFrame| match frame {
        ServerFrame::Facts { facts, .. } => facts.iter().any(&fits),
        _ => false,
    };
    desk.until(shown).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_revoked_is_cut_and_stays_out_though_the_disk_fails_and_the_record_has_it_when_it_heals()
 {
    // The disk is known to fail, or fails with this very command.
    for is_known in [true, false] {
        let mut on = hub_on_a_disk().await;
        let mut chair = Guest::join(&on.hub, "chair").await;
        let mut secretary = Guest::join(&on.hub, "secretary").await;
        on.disk.fails(Fault::Sync);
        if is_known {
            assert!(is_failed(&chair.microphone("open", true).await));
        }
        let revoke = ClientCommand::RevokeSeat { seat: SECRETARY };
        assert!(is_failed(&chair.command("revoke", revoke.clone()).await));
        is_cut(&mut secretary, &mut on).await;
        for _ in 0..3 {
            let mut again = Guest::come(&on.hub, "secretary", None, None).await;
            assert_eq!(again.away().await, ErrorWhy::StorageFailed);
            sleep(Duration::from_secs(1)).await;
        }
        drop(Guest::join(&on.hub, "observer").await);

        on.disk.fails(None);
        let is_revoked = |fact: &Fact| match fact {
            Fact::Seats { seats } => seats.iter().any(|seat| seat.revoked),
            _ => false,
        };
        shows(&mut chair, is_revoked).await;
        let mut again = Guest::come(&on.hub, "secretary", None, None).await;
        assert_eq!(again.away().await, ErrorWhy::NotAdmitted);
        let repeated = chair.command("revoke", revoke).await;
        assert!(matches!(repeated, ServerFrame::Ok { .. }), "{repeated:?}");
        let revoked = |event: &&Event| matches!(event, Event::SeatRevoked { .. });
        assert_eq!(on.disk.events().iter().filter(revoked).count(), 1);

        // The door opens again by the record alone.
        let restore = ClientCommand::RestoreSeat { seat: SECRETARY };
        let restored = chair.command("restore", restore).await;
        assert!(matches!(restored, ServerFrame::Ok { .. }), "{restored:?}");
        Guest::join(&on.hub, "secretary").await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_asked_to_leave_is_cut_and_its_device_shut_out_though_the_disk_fails() {
    let mut bound = setup();
    bound.seats[1].bound = true;
    let mut on = hub_on_a_disk_of(bound).await;
    let (known, other) = (Some(DeviceId([1; 32])), Some(DeviceId([2; 32])));
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut secretary = Guest::come(&on.hub, "secretary", known, None).await;
    let mut waiting = Guest::come(&on.hub, "secretary", other, None).await;
    assert!(matches!(waiting.welcome, ServerFrame::Waiting { .. }));

    on.disk.fails(Fault::Full);
    let (seat, ban) = (SECRETARY, true);
    let expel = ClientCommand::ExpelSeat { seat, ban };
    assert!(is_failed(&chair.command("expel", expel).await));
    is_cut(&mut secretary, &mut on).await;
    let wait = WaitId(1);
    let refuse = ClientCommand::RefuseDevice { wait, ban };
    assert!(is_failed(&chair.command("refuse", refuse).await));
    for device in [known, other] {
        // Neither with this link nor with one that opens for everybody.
        for link in ["secretary", "observer"] {
            let mut again = Guest::come(&on.hub, link, device, None).await;
            assert_eq!(again.away().await, ErrorWhy::StorageFailed);
        }
    }
    let stranger = Some(DeviceId([3; 32]));
    let let_in = Guest::come(&on.hub, "observer", stranger, None).await;
    assert!(matches!(let_in.welcome, ServerFrame::Welcome { .. }));

    on.disk.fails(None);
    assert_eq!(waiting.away().await, ErrorWhy::NotLetIn);
    for device in [known, other] {
        let mut again = Guest::come(&on.hub, "secretary", device, None).await;
        assert_eq!(again.away().await, ErrorWhy::NotAdmitted);
    }
    let stranger = Guest::come(&on.hub, "secretary", stranger, None).await;
    assert!(
        matches!(stranger.welcome, ServerFrame::Waiting { .. }),
        "{:?}",
        stranger.welcome
    );
}

#[tokio::test(start_paused = true)]
async fn who_was_asked_to_leave_on_a_full_disk_is_so_by_the_record_when_the_server_stops_as_soon_as_there_is_room()
 {
    let on = hub_on_a_disk().await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    on.disk.fails(Fault::Full);
    let (seat, ban) = (SECRETARY, true);
    let expel = ClientCommand::ExpelSeat { seat, ban };
    assert!(is_failed(&chair.command("expel", expel).await));
    on.disk.fails(None);
    on.hub.stop().await;
    let says = on.disk.events();
    let expelled =
        |event: &&Event| matches!(event, Event::SeatExpelled { seat, .. } if *seat == SECRETARY);
    assert_eq!(says.iter().filter(expelled).count(), 1, "{says:?}");
}

#[tokio::test(start_paused = true)]
async fn a_device_is_shut_out_for_good_though_its_seat_was_asked_to_leave_first_and_neither_was_written()
 {
    let mut bound = setup();
    bound.seats[1].bound = true;
    let mut on = hub_on_a_disk_of(bound).await;
    let known = Some(DeviceId([1; 32]));
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut secretary = Guest::come(&on.hub, "secretary", known, None).await;

    on.disk.fails(Fault::Sync);
    for (id, ban) in [("leave", false), ("for-good", true)] {
        let seat = SECRETARY;
        let expel = ClientCommand::ExpelSeat { seat, ban };
        assert!(is_failed(&chair.command(id, expel).await));
    }
    is_cut(&mut secretary, &mut on).await;

    on.disk.fails(None);
    let is_banned = |fact: &Fact| matches!(fact, Fact::Door { door } if !door.banned.is_empty());
    shows(&mut chair, is_banned).await;
    let mut again = Guest::come(&on.hub, "observer", known, None).await;
    assert_eq!(again.away().await, ErrorWhy::NotAdmitted);
}

#[tokio::test(start_paused = true)]
async fn a_conference_begins_on_a_disk_that_fails_and_the_start_is_written_first_when_it_heals() {
    for (fault, alarm) in [
        (Fault::Full, Alarm::RecordFull),
        (Fault::Sync, Alarm::RecordFails),
    ] {
        let mut bound = setup();
        bound.seats[1].bound = true;
        let on = hub_on_a_disk_of(bound.clone()).await;
        let mut chair = Guest::join(&on.hub, "chair").await;
        let opened = chair.microphone("open", true).await;
        assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
        let (known, other) = (Some(DeviceId([1; 32])), Some(DeviceId([2; 32])));
        let _known = Guest::come(&on.hub, "secretary", known, None).await;
        let waiting = Guest::come(&on.hub, "secretary", other, None).await;
        assert!(matches!(waiting.welcome, ServerFrame::Waiting { .. }));

        // The server is gone without a word, and what waited at its door with it.
        let before = on.disk.events();
        on.disk.fails(fault);
        let OnDisk {
            hub, disk, shown, ..
        } = hub_over(on.disk.clone(), bound).await.unwrap();
        assert_eq!(hub.alarms().await, [alarm].into());
        let mut chair = Guest::join(&hub, "chair").await;
        assert_eq!(chair.alarms().await, [alarm].into());
        assert!(
            shown.borrow().heard.contains(&SiteId(0)),
            "what is heard is what the record says"
        );
        assert!(is_failed(&chair.microphone("close", false).await));
        assert!(!shown.borrow().heard.contains(&SiteId(0)));
        sleep(Duration::from_secs(10)).await;
        assert_eq!(hub.alarms().await, [alarm].into());
        assert_eq!(disk.events(), before, "nothing was written");

        disk.fails(None);
        assert_eq!(chair.alarms().await, BTreeSet::new(), "it is over");
        let after = disk.events();
        let first = after.get(before.len());
        assert!(matches!(first, Some(Event::DeviceGone { .. })), "{first:?}");
        let is_closed = |event: &&Event| matches!(event, Event::HallMicrophoneSet { open: false });
        let closed = after.iter().filter(is_closed).count();
        assert_eq!(closed, 1, "what was closed is closed by the record");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_start_finds_and_may_be_on_no_disk_is_answered_to_nobody_before_it_is() {
    for (fault, alarm) in [
        (Fault::Full, Alarm::RecordFull),
        (Fault::Sync, Alarm::RecordFails),
    ] {
        let on = hub_on_a_disk().await;
        let mut chair = Guest::join(&on.hub, "chair").await;
        let opened = chair.microphone("open", true).await;
        assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");

        // The server was killed before its sync.
        on.disk.fails(fault);
        on.disk.unsettle();
        let OnDisk { hub, disk, .. } = hub_over(on.disk.clone(), setup()).await.unwrap();
        assert_eq!(hub.alarms().await, [alarm].into());
        let mut chair = Guest::join(&hub, "chair").await;
        assert_eq!(chair.alarms().await, [alarm].into());
        let again = chair.microphone("open", true).await;
        assert!(is_failed(&again), "{again:?}");

        let before = disk.events().len();
        disk.fails(None);
        assert_eq!(chair.alarms().await, BTreeSet::new(), "it is over");
        assert_eq!(chair.microphone("open", true).await, opened, "once");
        assert_eq!(disk.events().len(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn while_no_start_can_be_written_the_clock_of_who_speaks_stands_over_every_start() {
    let mut on = hub_on_a_disk().await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let (item, turn) = (ItemId(1), TurnId(1));
    let start = ClientCommand::StartItem {
        item,
        waiting: None,
    };
    for (id, command) in [("start", start), ("request", request())] {
        let answer = chair.command(id, command).await;
        assert!(matches!(answer, ServerFrame::Ok { .. }), "{answer:?}");
    }
    sleep(Duration::from_secs(10)).await;
    on.hub.stop().await;
    let alive = on.disk.last_alive();
    let at = alive.unwrap();
    let event = Event::TurnStarted {
        turn,
        item,
        allotted_ms: 300_000,
        at_zero: AtZero::Warn,
        at,
    };
    let speaks = Entry {
        at,
        seat: None,
        command: None,
        event,
    };
    on.disk.append(&[speaks]).unwrap();

    on.disk.fails(Fault::Full);
    for _ in 0..2 {
        let OnDisk { hub, .. } = hub_over(on.disk.clone(), setup()).await.unwrap();
        assert_eq!(hub.alarms().await, [Alarm::RecordFull].into());
        sleep(Duration::from_secs(60)).await;
        hub.stop().await;
    }
    let OnDisk { hub, disk, .. } = hub_over(on.disk.clone(), setup()).await.unwrap();
    disk.fails(None);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(hub.alarms().await, BTreeSet::new());
    let events = disk.events();
    let held = events.iter().find_map(|event| match event {
        Event::TurnHeld { turn: of, at, .. } if *of == turn => Some(*at),
        _ => None,
    });
    assert!(held.is_some(), "{events:?}");
    assert_eq!(held, alive, "what nobody could say counts as said");
    sleep(Duration::from_secs(10)).await;
    assert!(
        on.disk.last_alive() > alive,
        "and goes on when it is written"
    );
}

#[tokio::test(start_paused = true)]
async fn no_conference_begins_that_has_no_record_yet() {
    let disk = Disk::new();
    disk.fails(Fault::Full);
    let opened = hub_over(disk, setup()).await.map(|_| ());
    assert!(
        matches!(opened, Err(OpenError::Journal(JournalError::Full))),
        "{opened:?}"
    );
}
