//! A turn belongs to the site, not to the socket.

use crate::hall::{Hall, STANDBY, WINDOW, enter, queue};
use anyhow::{Context, Result};
use diemcau_model::{Carries, EndpointKind, Role, Side, SiteId};
use diemcau_protocol::View;
use diemcau_tests::{
    Room,
    room::{plain, until},
};

/// The site whose link is cut.
const SITE: u16 = 1;
const STANDBY_MARK: u16 = STANDBY + SITE;

#[tokio::test(flavor = "multi_thread")]
async fn a_media_link_cut_in_mid_speech_holds_the_floor() -> Result<()> {
    cut_in_mid_speech(true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_gone_in_mid_speech_holds_the_floor() -> Result<()> {
    cut_in_mid_speech(false).await
}

async fn cut_in_mid_speech(keeps_socket: bool) -> Result<()> {
    let mut hall = Hall::open(3).await?;
    hall.observer.listen(true)?;
    let turn = hall.request(SITE).await?;
    let waiting = [hall.request(2).await?, hall.request(3).await?];
    hall.grant(turn).await?;
    hall.all_hear(SITE, SITE, 20).await?;

    let mut room = hall.rooms.remove(&SITE).context("no room")?;
    let room = if keeps_socket {
        room.cut_cable();
        Some(room)
    } else {
        drop(room);
        None
    };
    let held = hall
        .chair()
        .sees("the turn is held", |view| {
            view.floor.turn.as_ref().is_some_and(|turn| turn.held)
        })
        .await?;
    let of = held.floor.turn.clone().context("no turn")?;
    assert_eq!((of.turn, of.running_since), (turn, None));
    assert!(of.used_ms > 0, "it has spoken");
    assert_eq!(queue(hall.chair()), waiting);
    assert_eq!(carrier(&held), None);
    assert!(held.stage.heard.is_empty());
    assert_eq!(
        held.stage.programme,
        Some(SiteId(SITE)),
        "it keeps the floor"
    );

    let quiet = hall.sounds();
    for site in [0, 2, 3] {
        hall.while_sending(site, 6 * WINDOW).await?;
    }
    assert_eq!(hall.sounds(), quiet, "somebody was heard on a held floor");
    let token = hall.server.token(Role::Observer, None, None)?;
    let late = Room::join(&hall.server, &token, plain(902)).await?.view();
    assert_eq!(late.floor.turn, held.floor.turn, "the clock stands");
    assert_eq!(late.floor.turn, hall.chair().view().floor.turn);

    let standby = enter(&hall.server, SITE, Carries::Standby).await?;
    let goes_on = hall
        .chair()
        .sees("the turn goes on", |view| {
            view.floor.turn.as_ref().is_some_and(|turn| !turn.held)
        })
        .await?;
    let again = goes_on.floor.turn.clone().context("no turn")?;
    assert_eq!((again.turn, again.used_ms), (turn, of.used_ms));
    assert!(again.running_since.is_some());
    assert_eq!(carrier(&goes_on), Some(EndpointKind::Standby));
    hall.all_hear(SITE, STANDBY_MARK, 20).await?;

    let mut room = match room {
        Some(mut room) => {
            println!("the room was told: {}", room.failed(Side::Uplink).await?);
            room.connect_uplink().await?;
            room.connect_downlink().await?;
            room
        }
        None => enter(&hall.server, SITE, Carries::Room).await?,
    };
    hall.chair()
        .sees("the room carries its site again", |view| {
            carrier(view) == Some(EndpointKind::Room)
        })
        .await?;
    hall.all_hear(SITE, SITE, 20).await?;
    hall.while_sending(SITE, WINDOW).await?;
    let over = standby_sounds(&hall);
    hall.while_sending(SITE, 6 * WINDOW).await?;
    assert_eq!(standby_sounds(&hall), over, "two voices of one site");

    // That it was sending all the while shows when it is let through again: its numbers have gone on.
    let number = |hall: &Hall| {
        let seen = hall.observer.seen();
        diemcau_tests::room::VOICES
            .filter_map(|slot| seen.tally(slot, STANDBY_MARK, 0))
            .map(|tally| tally.last_number)
            .max()
            .unwrap_or(0)
    };
    let before = (number(&hall), hall.observer.sounds_of(STANDBY_MARK));
    room.cut_cable();
    drop(room);
    hall.all_hear(SITE, STANDBY_MARK, 5).await?;
    let came = hall.observer.sounds_of(STANDBY_MARK) - before.1;
    let sent = u64::from(number(&hall) - before.0);
    println!("of {sent} packets the standby sent meanwhile {came} were let through");
    assert!(sent > came + 20);

    let end = hall.chair().view();
    let end = end.floor.turn.context("no turn")?;
    assert_eq!((end.turn, end.held), (turn, false));
    assert_eq!(queue(hall.chair()), waiting);
    assert!(standby.sounds().is_empty(), "a standby hears its own site");
    for (listener, heard) in hall.sounds() {
        let strangers = heard
            .keys()
            .filter(|mark| ![SITE, STANDBY_MARK].contains(mark));
        assert_eq!(strangers.count(), 0, "{listener} heard {heard:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_waits_beside_its_room_is_neither_seen_nor_heard() -> Result<()> {
    let hall = Hall::open(2).await?;
    hall.observer.listen(true)?;
    let standby = enter(&hall.server, SITE, Carries::Standby).await?;
    let turn = hall.request(SITE).await?;
    hall.grant(turn).await?;
    hall.all_hear(SITE, SITE, 20).await?;
    let sent = standby.seen().sent;
    until("the standby has sent enough", || {
        standby.seen().sent > sent + 100
    })
    .await?;
    assert!(standby_sounds(&hall).iter().all(|packets| *packets == 0));
    assert_eq!(hall.observer.tile(SiteId(SITE), STANDBY_MARK), 0);
    let view = hall.chair().view();
    assert_eq!(carrier(&view), Some(EndpointKind::Room));
    Ok(())
}

fn standby_sounds(hall: &Hall) -> Vec<u64> {
    hall.ears()
        .map(|room| room.sounds_of(STANDBY_MARK))
        .collect()
}

fn carrier(view: &View) -> Option<EndpointKind> {
    let link = view.sites.iter().find(|link| link.site == SiteId(SITE));
    link?.carrier
}
