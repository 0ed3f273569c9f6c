//! How fast the gate follows the stage.

#![allow(clippy::unwrap_used, reason = "a test that fails should stop here")]

mod support;

use diemcau_model::{Carries, SiteId, limits::PICTURE_SLOTS};
use diemcau_probe::ProbeOptions;
use std::time::{Duration, Instant};
use support::Hall;

const GRANTS: usize = 100;
/// Generous: the tests share a busy machine. The figures are printed.
const BOUND: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_grants_open_and_close_at_once() {
    let mut hall = Hall::with_rooms(1).await;
    // Sound every two milliseconds, so that what is measured is the gate and not the wait for a packet.
    let options = ProbeOptions {
        audio_interval: Duration::from_millis(2),
        ..ProbeOptions::new(1)
    };
    hall.enter(1, 1, Carries::Room, options).await;
    hall.set_stage(|stage| {
        stage
            .carriers
            .insert(diemcau_model::SiteId(1), diemcau_model::EndpointKind::Room);
    });

    let (mut opened, mut closed) = (vec![], vec![]);
    for _ in 0..GRANTS {
        let before = hall.sounds(0, 1);
        let granted = Instant::now();
        hall.grant(1);
        hall.until("it is heard", |hall| hall.sounds(0, 1) > before + 3)
            .await;
        let last_before = granted;
        let revoked = Instant::now();
        hall.revoke();
        hall.while_sending(1, 20).await;
        let seen = hall.seen(0);
        let slot = seen.tally(PICTURE_SLOTS, 1, 0).unwrap();
        closed.push(slot.last_at.saturating_duration_since(revoked));
        let heard = hall.sounds(0, 1);
        hall.while_sending(1, 10).await;
        assert_eq!(hall.sounds(0, 1), heard, "not one more packet");
        opened.push(first_after(&hall, last_before));
    }
    for (what, times) in [
        ("first packet after a grant", &mut opened),
        ("last packet after a revocation", &mut closed),
    ] {
        times.sort();
        println!(
            "{what}: p50 {:?} p99 {:?} max {:?}",
            times[GRANTS / 2],
            times[GRANTS * 99 / 100],
            times[GRANTS - 1]
        );
        assert!(times[GRANTS - 1] < BOUND);
    }
    hall.close().await;
}

/// From a moment to the first sound that arrived after it.
fn first_after(hall: &Hall, moment: Instant) -> Duration {
    let seen = hall.seen(0);
    let openings = &seen.slots[&PICTURE_SLOTS].openings;
    let first = openings.iter().find(|at| **at >= moment).unwrap();
    first.saturating_duration_since(moment)
}

const CALLS: usize = 12;
/// A speaker's full picture is on the big screens so soon after the grant; of this, a frame's time is the sender's.
const PICTURE_BOUND: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
async fn the_full_picture_comes_at_once_also_when_a_screen_has_just_asked_for_it() {
    let mut hall = Hall::with_rooms(5).await;
    hall.screen(0, 720, &[180; 5]).await;
    hall.screen(4, 0, &[180, 720, 720]).await;
    hall.grant(3);
    hall.until("every picture is there", |hall| {
        let watcher = hall.seen(4);
        hall.seen(0).tally(0, 3, 2).is_some()
            && [1, 2]
                .iter()
                .all(|site| watcher.tally(1 + usize::from(*site), *site, 2).is_some())
    })
    .await;

    let (mut quiet, mut pressed) = (vec![], vec![]);
    for call in 0..CALLS {
        let site = 1 + call as u16 % 2;
        let presses = call % 4 < 2;
        // A second without a request, as between two speeches.
        hall.while_sending(3, 220).await;
        let asked = full_asked(&hall, site);
        hall.set_stage(|stage| stage.on_deck = vec![SiteId(1), SiteId(2)]);
        if presses {
            hall.probe(4).wish_key_frame(1 + usize::from(site));
            hall.until("a screen's wish was heard", |hall| {
                full_asked(hall, site) > asked
            })
            .await;
            hall.while_sending(site.into(), 25).await;
        }
        let granted = Instant::now();
        hall.set_stage(|stage| stage.on_deck.clear());
        hall.grant(site);
        let (first, at) = hall.full_picture(0, site, granted).await;
        assert!(first.key_frame, "a picture begins at a key frame");
        let took = at.saturating_duration_since(granted);
        let requests = full_asked(&hall, site) - asked;
        assert_eq!(
            requests,
            1 + u32::from(presses),
            "one request is the grant's"
        );
        if presses { &mut pressed } else { &mut quiet }.push(took);
    }
    for (what, times) in [("on deck", &mut quiet), ("just asked for", &mut pressed)] {
        times.sort();
        println!(
            "grant to the first packet of the full picture, {what}: p50 {:?} max {:?}",
            times[times.len() / 2],
            times[times.len() - 1]
        );
        assert!(times[times.len() / 2] < PICTURE_BOUND);
    }
    hall.close().await;
}

/// How often a site was asked for a key frame of its full layer.
fn full_asked(hall: &Hall, site: u16) -> u32 {
    let asked = hall.seen(site.into()).key_frames_asked;
    asked.get(&2).copied().unwrap_or(0)
}
