//! Who is seen and heard where, with real packets.

mod support;

use diemcau_model::{PeerSay, SiteId};
use support::Hall;

#[tokio::test(flavor = "multi_thread")]
async fn three_rooms_connect_and_see_what_their_screens_ask_for() {
    let mut hall = Hall::with_rooms(3).await;
    let shown = hall
        .said(|say| match say {
            PeerSay::Slots { peer, video } if peer.0 == 2 && video[1].is_some() => {
                Some(video.clone())
            }
            _ => None,
        })
        .await;
    assert_eq!(shown.len(), 14);
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
        hall.seen(1).slots.keys().all(|slot| *slot >= 14),
        "room 1 shows nothing"
    );
    assert_eq!(hall.sounds(0, 0), 0, "nobody hears itself");
    hall.close().await;
}
