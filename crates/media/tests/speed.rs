//! How fast the gate follows the stage.

#![allow(clippy::unwrap_used, reason = "a test that fails should stop here")]

mod support;

use diemcau_model::Carries;
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
        let slot = seen.tally(14, 1, 0).unwrap();
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
    let openings = &seen.slots[&14].openings;
    let first = openings.iter().find(|at| **at >= moment).unwrap();
    first.saturating_duration_since(moment)
}
