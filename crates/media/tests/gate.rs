//! Who is seen and heard where, with real packets.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails should stop here"
)]

mod support;

use diemcau_model::{
    Carries, EndpointKind, PeerAsk, PeerId, PeerSay, Presentation, ScreenSlots, SeatId, Side,
    SiteId,
    limits::{PICTURE_SLOTS, PRESENTATION_SLOT},
};
use diemcau_probe::ProbeOptions;
use std::time::Duration;
use support::Hall;

#[tokio::test(flavor = "multi_thread")]
async fn three_rooms_connect_and_see_what_their_screens_ask_for() {
    let mut hall = Hall::with_rooms(3).await;
    let shown = hall
        .said(|say| match say {
            PeerSay::Slots { peer, video, .. } if peer.0 == 2 && video[1].is_some() => {
                Some(video.clone())
            }
            _ => None,
        })
        .await;
    assert_eq!(shown.len(), 15);
    assert_eq!(
        shown[..4],
        [None, Some(SiteId(0)), Some(SiteId(1)), Some(SiteId(2))]
    );

    hall.screen(2, 720, &[180, 360]).await;
    hall.grant(0);
    hall.until("room 2 sees the others", |hall| {
        let seen = hall.seen(2);
        seen.tally(0, 0, 2).is_some()
            && seen.tally(1, 0, 0).is_some()
            && seen.tally(2, 1, 1).is_some()
    })
    .await;
    hall.until("rooms 1 and 2 hear room 0", |hall| {
        hall.sounds(1, 0) > 0 && hall.sounds(2, 0) > 0
    })
    .await;
    assert!(
        hall.seen(1).slots.keys().all(|slot| *slot >= PICTURE_SLOTS),
        "room 1 shows nothing"
    );
    assert_eq!(hall.sounds(0, 0), 0, "nobody hears itself");
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_whose_camera_has_stopped_is_not_told_to_be_seen_and_is_heard_on() {
    const DARK: u16 = 2;
    let mut hall = Hall::with_rooms(2).await;
    // Its camera brings one picture, and then nothing: the next would come in an hour.
    let stops = ProbeOptions {
        frame_interval: Duration::from_secs(3_600),
        ..ProbeOptions::new(DARK)
    };
    hall.enter(DARK.into(), DARK, Carries::Room, stops).await;
    hall.set_stage(|stage| {
        stage.tiles = (0..3).map(SiteId).collect();
        stage.carriers.insert(SiteId(DARK), EndpointKind::Room);
    });
    hall.screen(0, 720, &[180, 180, 180]).await;
    hall.grant(DARK);
    let told = |wanted: [Option<u16>; 4]| {
        let wanted = wanted.map(|site| site.map(SiteId));
        move |say: &PeerSay| match say {
            PeerSay::Slots { peer, video, .. } if peer.0 == 0 => {
                (video[..4] == wanted).then_some(())
            }
            _ => None,
        }
    };
    hall.said(told([None, Some(0), Some(1), None])).await;
    let before = hall.sounds(0, DARK);
    hall.until("it is heard on", |hall| hall.sounds(0, DARK) > before + 20)
        .await;
    // Another speaks: its picture comes, and so it is named.
    hall.grant(1);
    hall.said(told([Some(1), Some(0), Some(1), None])).await;
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_a_room_before_its_grant_or_after_its_end() {
    let mut hall = Hall::with_rooms(3).await;
    hall.while_sending(1, 200).await;
    for room in 0..3 {
        assert_eq!(
            hall.sounds(room, 1),
            0,
            "room 1 was heard in room {room} without the floor"
        );
    }

    hall.grant(1);
    hall.until("the others hear room 1", |hall| {
        hall.sounds(0, 1) > 20 && hall.sounds(2, 1) > 20
    })
    .await;
    assert_eq!(
        hall.sounds(0, 2),
        0,
        "another room was heard beside the speaker"
    );

    hall.revoke();
    // What left before the revocation may still be on its way for a moment.
    hall.while_sending(1, 40).await;
    let before = [hall.sounds(0, 1), hall.sounds(2, 1)];
    hall.while_sending(1, 200).await;
    assert_eq!([hall.sounds(0, 1), hall.sounds(2, 1)], before);
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_open_discussion_each_voice_reaches_all_the_others() {
    let mut hall = Hall::with_rooms(6).await;
    let open = |hall: &Hall, sites: &[u16]| {
        let heard = sites.iter().copied().map(SiteId).collect();
        hall.set_stage(|stage| stage.heard = heard);
    };
    let pairs = |of: [u16; 4]| {
        let others = move |site| (0..6).filter(move |room| *room != site);
        of.into_iter()
            .flat_map(move |site| others(site).map(move |room| (u64::from(room), site)))
    };

    open(&hall, &[0, 1, 2, 3]);
    hall.until("four voices are heard by all the others", |hall| {
        pairs([0, 1, 2, 3]).all(|(room, site)| hall.sounds(room, site) > 10)
    })
    .await;
    open(&hall, &[0, 1, 2, 3, 4]);
    hall.while_sending(4, 200).await;
    for room in 0..6 {
        assert_eq!(hall.sounds(room, 4), 0, "there is no slot for a fifth");
        assert_eq!(hall.sounds(room, 5), 0, "it has no open microphone");
    }

    open(&hall, &[0, 1, 3, 4]);
    hall.until("the fifth has the free slot", |hall| {
        pairs([4; 4]).all(|(room, site)| hall.sounds(room, site) > 10)
    })
    .await;
    let closed = hall.sounds(0, 2);
    let before: Vec<u64> = pairs([0, 1, 3, 4])
        .map(|(room, site)| hall.sounds(room, site))
        .collect();
    hall.until("the four go on", |hall| {
        let now = pairs([0, 1, 3, 4]).map(|(room, site)| hall.sounds(room, site));
        now.zip(&before).all(|(now, before)| now > before + 10)
    })
    .await;
    assert_eq!(hall.sounds(0, 2), closed, "a closed one is silent");
    for room in 0..6 {
        assert_eq!(hall.sounds(u64::from(room), room), 0, "nobody hears itself");
    }
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_companion_gets_nothing_and_a_watcher_is_quiet_until_it_listens() {
    let mut hall = Hall::with_rooms(2).await;
    hall.grant(0);
    hall.admit(20, Some(1), Carries::Nothing).await;
    hall.ask(PeerAsk::OpenDownlink { peer: PeerId(20) }).await;
    hall.failed(20, Side::Downlink).await;
    hall.ask(PeerAsk::UplinkOffer {
        peer: PeerId(20),
        sdp: "v=0".into(),
    })
    .await;
    hall.failed(20, Side::Uplink).await;

    hall.enter(30, 9, Carries::Watch, ProbeOptions::new(30))
        .await;
    hall.screen(30, 720, &[]).await;
    hall.until("the watcher sees", |hall| hall.seen(30).packets(0, 0) > 0)
        .await;
    hall.while_sending(0, 100).await;
    assert_eq!(hall.sounds(30, 0), 0);
    hall.ask(PeerAsk::Listen {
        peer: PeerId(30),
        sound: true,
    })
    .await;
    hall.until("the watcher hears", |hall| hall.sounds(30, 0) > 0)
        .await;

    hall.ask(PeerAsk::UplinkOffer {
        peer: PeerId(30),
        sdp: hall.probe(30).uplink_offer().await,
    })
    .await;
    assert!(
        hall.failed(30, Side::Uplink)
            .await
            .contains("does not send")
    );
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_standby_takes_over_when_the_rules_say_so() {
    let mut hall = Hall::with_rooms(2).await;
    hall.enter(10, 0, Carries::Standby, ProbeOptions::new(100))
        .await;
    hall.grant(0);
    hall.screen(1, 720, &[180]).await;
    hall.until("room 1 hears the room's own endpoint", |hall| {
        hall.sounds(1, 0) > 10
    })
    .await;
    assert_eq!(hall.sounds(1, 100), 0);

    hall.set_stage(|stage| {
        stage.carriers.insert(SiteId(0), EndpointKind::Standby);
    });
    hall.until("room 1 hears and sees the standby", |hall| {
        hall.sounds(1, 100) > 10 && hall.seen(1).packets(0, 100) > 0
    })
    .await;
    let before = (
        hall.sounds(1, 0),
        hall.seen(1).packets_in(0..PICTURE_SLOTS, 0),
    );
    hall.while_sending(0, 200).await;
    assert_eq!(
        (
            hall.sounds(1, 0),
            hall.seen(1).packets_in(0..PICTURE_SLOTS, 0)
        ),
        before
    );
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_changes_layers_at_key_frames_without_a_seam() {
    let mut hall = Hall::with_rooms(2).await;
    for (height, layer) in [(180, 0), (360, 1), (720, 2), (180, 0)] {
        hall.screen(1, 0, &[height]).await;
        let before = hall
            .seen(1)
            .tally(1, 0, layer)
            .map_or(0, |tally| tally.packets);
        hall.until("the layer comes", |hall| {
            hall.seen(1)
                .tally(1, 0, layer)
                .is_some_and(|tally| tally.packets > before + 9)
        })
        .await;
    }
    let seen = hall.seen(1);
    let slot = &seen.slots[&1];
    assert_eq!((slot.missing.len(), slot.strays), (0, 0), "{slot:?}");
    assert_eq!((slot.picture_jumps, slot.time_jumps), (0, 0), "{slot:?}");

    hall.screen(1, 0, &[]).await;
    hall.while_sending(0, 40).await;
    let before = hall.seen(1).packets(1, 0);
    hall.while_sending(0, 100).await;
    assert_eq!(hall.seen(1).packets(1, 0), before, "height 0 is not shown");
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_lost_its_thread_gets_a_key_frame() {
    let mut hall = Hall::with_rooms(2).await;
    hall.screen(1, 0, &[720]).await;
    hall.until("room 1 sees room 0", |hall| {
        hall.seen(1).tally(1, 0, 2).is_some()
    })
    .await;
    let before = hall
        .seen(1)
        .tally(1, 0, 2)
        .map_or(0, |tally| tally.key_frames);
    hall.probe(1).wish_key_frame(1);
    hall.until("another key frame came", |hall| {
        hall.seen(1)
            .tally(1, 0, 2)
            .is_some_and(|tally| tally.key_frames > before)
    })
    .await;
    assert!(hall.count(|counters| &counters.key_frames_wanted) > 0);
    hall.close().await;
}

const SCREEN: u16 = 70;

fn presents(hall: &Hall, seat: u64) {
    hall.set_stage(|stage| {
        stage.presentation = Some(Presentation {
            seat: SeatId(u32::try_from(seat).unwrap()),
            site: SiteId(0),
        });
    });
}

async fn look_at_the_presentation(hall: &Hall, peers: &[u64]) {
    for peer in peers {
        let slots = ScreenSlots {
            presentation: 720,
            ..ScreenSlots::default()
        };
        let peer = PeerId(*peer);
        hall.ask(PeerAsk::Screen { peer, slots }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presentation_is_seen_by_all_who_look_and_by_nobody_after_it_is_over() {
    let mut hall = Hall::with_rooms(3).await;
    look_at_the_presentation(&hall, &[0, 1]).await;
    presents(&hall, 0);
    let _screen = hall.present(0, SCREEN).await;
    let shown = |hall: &Hall, peer| hall.seen(peer).packets(PRESENTATION_SLOT, SCREEN);
    hall.until("room 1 sees it", |hall| shown(hall, 1) > 40)
        .await;
    assert_eq!(shown(&hall, 0), 0, "who presents is not shown it");
    assert_eq!(shown(&hall, 2), 0, "it has no place for it");
    assert_eq!(hall.sounds(1, SCREEN), 0);
    let slot = &hall.seen(1).slots[&PRESENTATION_SLOT];
    assert_eq!((slot.missing.len(), slot.strays), (0, 0), "{slot:?}");

    hall.set_stage(|stage| stage.presentation = None);
    hall.while_sending(0, 40).await;
    let before = shown(&hall, 1);
    hall.while_sending(0, 200).await;
    assert_eq!(shown(&hall, 1), before);
    hall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presentation_of_a_seat_that_was_not_let_is_not_even_taken() {
    let mut hall = Hall::with_rooms(3).await;
    look_at_the_presentation(&hall, &[2]).await;
    presents(&hall, 0);
    let offer = |sdp| PeerAsk::PresentationOffer {
        peer: PeerId(1),
        sdp,
    };
    let sdp = hall.probe(1).uplink_offer().await;
    hall.ask(offer(sdp.clone())).await;
    assert!(
        hall.failed(1, Side::Presentation)
            .await
            .contains("does not present")
    );
    presents(&hall, 1);
    hall.ask(offer(sdp)).await;
    assert!(
        hall.failed(1, Side::Presentation)
            .await
            .contains("one picture"),
        "a microphone is no part of it"
    );

    // It is taken over by another, whose screen is there at once.
    let _of_1 = hall.present(1, SCREEN).await;
    let shown = |hall: &Hall, mark| hall.seen(2).packets(PRESENTATION_SLOT, mark);
    hall.until("room 2 sees it", |hall| shown(hall, SCREEN) > 10)
        .await;
    presents(&hall, 0);
    let _of_0 = hall.present(0, SCREEN + 1).await;
    hall.until("room 2 sees the other", |hall| shown(hall, SCREEN + 1) > 10)
        .await;
    let before = shown(&hall, SCREEN);
    hall.while_sending(0, 200).await;
    assert_eq!(shown(&hall, SCREEN), before);
    hall.close().await;
}
