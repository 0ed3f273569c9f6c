//! Who waits for a disk that hangs: nobody takes the places of the others.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on says so by a panic, and waits for the frames it is about"
)]

mod support;

use diemcau_conference::Refusal;
use diemcau_model::{SeatId, SiteId, Stage, limits};
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy, ServerFrame};
use std::{sync::Arc, time::Duration};
use support::{
    Guest, LIVE,
    disk::{OnDisk, hub_on_a_disk},
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

/// How long the disk hangs.
const HANG: Duration = Duration::from_secs(20);
/// The room notices after one second.
const NOTICED: Duration = Duration::from_secs(2);
/// Commands of a seat that wait.
const SHARE: usize = 64;
/// Frames that a connection may say at once.
const AT_ONCE: usize = 150;

fn notice(id: &str) -> ClientFrame {
    let text = id.into();
    ClientFrame::Command {
        id: id.into(),
        command: ClientCommand::SetNotice { text },
    }
}

/// So many connections with this link, and a disk that has begun to hang over what the chair asked.
async fn hanging(link: &str, count: usize) -> (OnDisk, Guest, Vec<Guest>) {
    let on = hub_on_a_disk().await;
    let chair = Guest::join(&on.hub, "chair").await;
    let mut others = vec![];
    for _ in 0..count {
        others.push(Guest::join(&on.hub, link).await);
    }
    on.disk.takes(HANG);
    chair.say(&notice("first")).await;
    sleep(NOTICED).await;
    on.disk.takes(Duration::ZERO);
    (on, chair, others)
}

/// Says as much as it may.
async fn flood(guests: &[Guest]) {
    for (at, guest) in guests.iter().enumerate() {
        for n in 0..AT_ONCE {
            guest.say(&notice(&format!("{at}-{n}"))).await;
        }
    }
}

/// What became of a command.
async fn answer(guest: &mut Guest, id: &str) -> ServerFrame {
    let is_its = |frame: &ServerFrame| match frame {
        ServerFrame::Ok { id: of, .. } | ServerFrame::Refused { id: of, .. } => of == id,
        ServerFrame::Error { id: of, .. } => of.as_deref() == Some(id),
        _ => false,
    };
    guest.until(is_its).await
}

#[tokio::test(start_paused = true)]
async fn who_may_command_nothing_hears_so_at_once_and_takes_nobodys_place() {
    let count = limits::INBOX_MAX / AT_ONCE + 1;
    let (_on, mut chair, mut observers) = hanging("observer", count).await;
    let begun = Instant::now();
    flood(&observers).await;
    let last = format!("{}-{}", count - 1, AT_ONCE - 1);
    let refused = answer(&mut observers[count - 1], &last).await;
    assert!(
        matches!(refused, ServerFrame::Refused { why, .. } if why == Refusal::NotAllowed),
        "{refused:?}"
    );
    assert!(begun.elapsed() < HANG / 2, "it waited for the disk");
    chair.say(&notice("second")).await;
    let second = answer(&mut chair, "second").await;
    assert!(matches!(second, ServerFrame::Ok { .. }), "{second:?}");
}

#[tokio::test(start_paused = true)]
async fn no_seat_takes_more_than_its_share_of_what_waits() {
    let (_on, mut chair, others) = hanging("chair", 1).await;
    flood(&others).await;
    let (mut done, mut failed) = (0, 0);
    let mut other = others.into_iter().next().unwrap();
    while done + failed < AT_ONCE {
        match other.hear().await.unwrap() {
            ServerFrame::Ok { .. } => done += 1,
            ServerFrame::Error { why, .. } => {
                assert_eq!(why, ErrorWhy::StorageFailed);
                failed += 1;
            }
            _ => {}
        }
    }
    // What was asked before it hung is no share's.
    assert_eq!((done, failed), (SHARE, AT_ONCE - SHARE));
    let first = answer(&mut chair, "first").await;
    assert!(matches!(first, ServerFrame::Ok { .. }), "{first:?}");
}

#[tokio::test(start_paused = true)]
async fn who_comes_takes_no_place_of_what_is_asked() {
    let (on, mut chair, _) = hanging("chair", 0).await;
    let mut coming = JoinSet::new();
    for _ in 0..limits::INBOX_MAX + 8 {
        let hub = Arc::clone(&on.hub);
        coming.spawn(async move { Guest::knock(&hub, "observer", None).await });
    }
    sleep(NOTICED).await;
    chair.say(&notice("second")).await;
    let second = answer(&mut chair, "second").await;
    assert!(matches!(second, ServerFrame::Ok { .. }), "{second:?}");
    let came = coming.join_all().await;
    let is_in = |guest: &&Guest| matches!(guest.welcome, ServerFrame::Welcome { .. });
    assert_eq!(came.iter().filter(is_in).count(), limits::INBOX_MAX);
}

#[tokio::test(start_paused = true)]
async fn beyond_its_share_a_seat_shuts_out_for_good_and_closes_for_as_long_as_the_disk_hangs() {
    let mut on = hub_on_a_disk().await;
    let mut chair = Guest::join(&on.hub, "chair").await;
    let others = [Guest::join(&on.hub, "chair").await];
    let mut secretary = Guest::join(&on.hub, "secretary").await;
    chair.microphone("open", true).await;
    on.disk.takes(HANG);
    chair.say(&notice("first")).await;
    sleep(NOTICED).await;
    on.disk.takes(Duration::ZERO);
    flood(&others).await;

    let is_heard = |stage: &Stage| stage.heard.contains(&SiteId(0));
    let closed = chair.microphone("close", false).await;
    assert!(matches!(closed, ServerFrame::Error { .. }), "{closed:?}");
    assert!(!is_heard(&on.shown.borrow()));
    let revoke = ClientCommand::RevokeSeat { seat: SeatId(1) };
    let revoked = chair.command("revoke", revoke).await;
    assert!(matches!(revoked, ServerFrame::Ok { .. }), "{revoked:?}");
    assert_eq!(secretary.away().await, ErrorWhy::StorageFailed);
    let again = timeout(LIVE, on.shown.wait_for(is_heard)).await.is_ok();
    assert!(again, "muted, which no record says");
}
