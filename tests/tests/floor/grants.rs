//! Nobody is heard before the grant or after its end, and both come at once.

use crate::hall::{Hall, WINDOW};
use anyhow::{Context, Result};
use diemcau_model::{Carries, Role, Side, SiteId};
use diemcau_probe::ProbeOptions;
use diemcau_protocol::ClientCommand;
use diemcau_tests::{
    Room,
    room::{plain, until},
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const GRANTS: usize = 100;
const SITES: u16 = 4;
/// Sites 1 and 2 speak as browsers do; the wait for their next packet is part of what is heard of a grant.
const BROWSER_PACE: Duration = Duration::from_millis(20);
/// The other sites send so fast that what is measured is the way of the command, and little else.
const FAST_PACE: Duration = Duration::from_millis(2);
/// What one way of a command may take at most. Other tests and their disks share the machine, and a grant waits for the
/// disk: this says that it comes at all, `cargo xtask bench floor` says how fast.
const BOUND: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_grants_open_and_close_the_microphones() -> Result<()> {
    let hall = Hall::open_with(SITES, |site| ProbeOptions {
        audio_interval: pace(site),
        ..plain(site)
    })
    .await?;
    let token = hall.server.token(Role::Observer, None, None)?;
    let deaf = Room::enter(&hall.server, &token, plain(901)).await?;
    deaf.show(0, &[180; 13])?;
    hall.observer.listen(true)?;

    let (mut opened, mut closed) = (BTreeMap::new(), BTreeMap::new());
    for grant in 0..GRANTS {
        let site = 1 + grant as u16 % SITES;
        let turn = hall.request(site).await?;
        let quiet = hall.sounds();
        hall.while_sending(site, WINDOW).await?;
        assert_eq!(
            hall.sounds(),
            quiet,
            "grant {grant}: sound before the grant"
        );

        let opened: &mut Vec<_> = opened.entry(pace(site)).or_default();
        let granted = Instant::now();
        hall.grant(turn).await?;
        hall.all_hear(site, site, 3).await?;
        for room in hall.ears_for(site) {
            let began = room.sound_began(granted).context("no beginning")?;
            opened.push(began - granted);
        }

        let revoked = Instant::now();
        match grant % 3 {
            0 => hall.chair().command(ClientCommand::RevokeTurn { turn }),
            1 => hall.chair().command(ClientCommand::EndTurn { turn }),
            _ => hall.rooms[&site].command(ClientCommand::EndTurn { turn }),
        }
        .await?;
        hall.while_sending(site, WINDOW).await?;
        let quiet_again = hall.sounds();
        let closed: &mut Vec<_> = closed.entry(pace(site)).or_default();
        for room in hall.ears_for(site) {
            let last = room.last_sound(site).context("nothing was heard")?;
            closed.push(last.saturating_duration_since(revoked));
        }
        hall.while_sending(site, WINDOW).await?;
        assert_eq!(
            hall.sounds(),
            quiet_again,
            "grant {grant}: sound after its end"
        );
        let mut others = quiet;
        others.values_mut().for_each(|heard| {
            heard.remove(&site);
        });
        assert_eq!(
            hall.sounds_without(site),
            others,
            "grant {grant}: another was heard"
        );
        assert_eq!(hall.rooms[&site].sounds_of(site), 0, "a room hears itself");
    }

    assert!(deaf.sounds().is_empty(), "heard without listening");
    assert!(deaf.tile(SiteId(1), 1) > WINDOW, "but it sees");
    let (forwarded, gated) = (
        hall.server.metric("diemcau_media_forwarded_total").await?,
        hall.server.metric("diemcau_media_gated_total").await?,
    );
    println!("{forwarded} packets were put into slots, {gated} arrived and went to nobody");
    // Three windows a grant, five packets of sound each, of the speaker alone.
    assert!(gated >= (GRANTS * 15) as f64);
    for (what, by_pace) in [
        ("command to first packet heard", opened),
        ("command to last packet heard", closed),
    ] {
        for (pace, mut times) in by_pace {
            times.sort();
            let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
            let (max, count) = (times[times.len() - 1], times.len());
            println!(
                "{what}, sound every {pace:?}: p50 {p50:?} p99 {p99:?} max {max:?} of {count}"
            );
            assert!(max < BOUND, "{what}: {max:?}");
        }
    }
    Ok(())
}

fn pace(site: u16) -> Duration {
    match site <= 2 {
        true => BROWSER_PACE,
        false => FAST_PACE,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_hears_once_it_listens_and_a_companion_carries_nothing() -> Result<()> {
    let hall = Hall::open(1).await?;
    let turn = hall.request(1).await?;
    hall.grant(turn).await?;
    until("the hall hears", || hall.chair().sounds_of(1) > 10).await?;

    hall.while_sending(1, 3 * WINDOW).await?;
    assert!(
        hall.observer.sounds().is_empty(),
        "it has not asked for sound"
    );
    hall.observer.listen(true)?;
    hall.all_hear(1, 1, 10).await?;
    hall.observer.listen(false)?;
    hall.while_sending(1, WINDOW).await?;
    let before = hall.observer.sounds_of(1);
    hall.while_sending(1, 3 * WINDOW).await?;
    assert_eq!(hall.observer.sounds_of(1), before, "it has enough");

    let site = Some(SiteId(1));
    let token = hall
        .server
        .token(Role::Moderator, site, Some(Carries::Nothing))?;
    let mut companion = Room::enter(&hall.server, &token, plain(77)).await?;
    for side in [Side::Uplink, Side::Downlink] {
        println!("companion: {}", companion.ask_in_vain(side).await?);
    }
    hall.while_sending(1, WINDOW).await?;
    assert!(companion.seen().slots.is_empty());
    let mut observer = Room::enter(
        &hall.server,
        &hall.server.token(Role::Observer, None, None)?,
        plain(78),
    )
    .await?;
    println!("observer: {}", observer.ask_in_vain(Side::Uplink).await?);
    assert!(hall.sounds().values().all(|heard| !heard.contains_key(&77)));
    assert!(hall.sounds().values().all(|heard| !heard.contains_key(&78)));
    Ok(())
}
