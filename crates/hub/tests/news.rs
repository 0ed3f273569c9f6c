//! What the media plane tells is heard, though every round of the room costs a sync.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on says so by a panic, and waits for the frames it is about"
)]

mod support;

use diemcau_conference::Event;
use diemcau_model::{EndpointKind, LinkReport, LinkStats, PeerAsk, PeerId, PeerSay, Side, SiteId};
use diemcau_protocol::{ClientCommand, ServerFrame};
use std::time::Duration;
use support::{
    Guest,
    disk::{OnDisk, hub_on_a_disk},
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

/// How long the disk takes for whatever is written.
const SYNC: Duration = Duration::from_millis(100);
/// Words that come before the one that counts.
const BEFORE: usize = 50;
/// Some rounds, and far fewer than there are words.
const SOON: Duration = Duration::from_secs(1);

/// A room that writes without a pause, with somebody who only watches: and its first desk.
async fn busy() -> (OnDisk, Guest, PeerId, JoinHandle<()>) {
    let mut on = hub_on_a_disk().await;
    let desk = Guest::join(&on.hub, "secretary").await;
    let Some(PeerAsk::Admit { peer, .. }) = on.asks.recv().await else {
        panic!("nobody is let in");
    };
    let mut chair = Guest::join(&on.hub, "chair").await;
    let mut observer = Guest::join(&on.hub, "observer").await;
    on.disk.takes(SYNC);
    let busy = tokio::spawn(async move {
        for number in 0.. {
            let text = number.to_string();
            chair
                .ask(&text, ClientCommand::SetNotice { text: text.clone() })
                .await;
            sleep(SYNC / 2).await;
            while let Ok(Some(_)) = timeout(Duration::ZERO, chair.hear()).await {}
            while let Ok(Some(_)) = timeout(Duration::ZERO, observer.hear()).await {}
        }
    });
    sleep(3 * SYNC).await;
    (on, desk, peer, busy)
}

#[tokio::test(start_paused = true)]
async fn a_room_that_comes_is_there_at_once_though_many_figures_came_before() {
    let (on, _desk, peer, busy) = busy().await;
    let begun = Instant::now();
    for _ in 0..BEFORE {
        let stats = LinkStats::default();
        let site = Some(SiteId(0));
        on.reports
            .send(LinkReport::Stats { peer, site, stats })
            .await
            .unwrap();
    }
    let (site, kind) = (SiteId(0), EndpointKind::Room);
    on.reports
        .send(LinkReport::Up { site, kind, peer })
        .await
        .unwrap();
    let is_up = |event: &Event| matches!(event, Event::EndpointLinked { .. });
    while !on.disk.events().iter().any(is_up) {
        assert!(begun.elapsed() < SOON, "it waits behind figures");
        sleep(SYNC / 10).await;
    }
    busy.abort();
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_told_at_once_though_many_came_before() {
    let (on, mut desk, peer, busy) = busy().await;
    let begun = Instant::now();
    for number in 0..=BEFORE {
        let (side, sdp) = (Side::Downlink, number.to_string());
        on.says
            .send(PeerSay::Answer { peer, side, sdp })
            .await
            .unwrap();
    }
    let last = BEFORE.to_string();
    let is_last =
        |frame: &ServerFrame| matches!(frame, ServerFrame::DownlinkAnswer { sdp } if *sdp == last);
    desk.until(is_last).await;
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    busy.abort();
}
