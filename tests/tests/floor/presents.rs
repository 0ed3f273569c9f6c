//! A presented screen on packets: it reaches nobody before it is let, nor when it is over or its presenter was sent away.

use crate::hall::{ALL_SLOTS, Hall, SILENT_WITHIN, WINDOW};
use anyhow::{Context, Result, ensure};
use diemcau_model::{ScreenSlots, SeatId, limits::PRESENTATION_SLOT};
use diemcau_probe::Probe;
use diemcau_protocol::{ClientCommand, ErrorWhy, View};
use diemcau_tests::{Room, bounds::within, room::until};
use std::time::Instant;

/// The site that presents, and one that looks on.
const PRESENTS: u16 = 1;
const LOOKS: u16 = 2;
/// The mark of what is presented, and of what is offered before it may be.
const SCREEN: u16 = 70;
const EARLY: u16 = 71;

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_is_taken_from_nobody_whom_the_chair_has_not_let() -> Result<()> {
    let hall = Hall::open(LOOKS).await?;
    look(&hall)?;
    let room = &hall.rooms[&PRESENTS];
    is_not_taken(&hall, room).await?;
    room.command(ClientCommand::AskToPresent {}).await?;
    is_not_taken(&hall, room).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_that_the_chair_ends_is_seen_no_more() -> Result<()> {
    a_screen_goes(|seat| ClientCommand::EndPresentation { seat }, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expelled_presenters_screen_is_seen_no_more() -> Result<()> {
    let expel = |seat| ClientCommand::ExpelSeat { seat, ban: false };
    a_screen_goes(expel, Some(ErrorWhy::Expelled)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_presenters_screen_is_seen_no_more() -> Result<()> {
    let revoke = |seat| ClientCommand::RevokeSeat { seat };
    a_screen_goes(revoke, Some(ErrorWhy::Revoked)).await
}

async fn a_screen_goes(goes: fn(SeatId) -> ClientCommand, why: Option<ErrorWhy>) -> Result<()> {
    let mut hall = Hall::open(LOOKS).await?;
    let screen = is_shown(&hall).await?;
    let presenter = &hall.rooms[&PRESENTS];

    let told = Instant::now();
    hall.chair().command(goes(presenter.me.seat)).await?;
    if let Some(why) = why {
        ensure!(presenter.dismissed().await? == why);
    }
    let over = |view: &View| view.stage.presentation.is_none();
    hall.chair().sees("nothing is presented", over).await?;
    within("nothing is presented", told.elapsed(), SILENT_WITHIN)?;
    // Its room's own packets are no witnesses that the screen's still come.
    hall.rooms
        .get_mut(&PRESENTS)
        .context("no room")?
        .cut_cable();
    hall.fell_silent((SCREEN, &screen), told, LOOKS).await
}

/// The presenter's screen is let and seen by all others.
async fn is_shown(hall: &Hall) -> Result<Probe> {
    look(hall)?;
    let room = &hall.rooms[&PRESENTS];
    room.command(ClientCommand::AskToPresent {}).await?;
    let seat = room.me.seat;
    hall.chair()
        .command(ClientCommand::LetPresent { seat })
        .await?;
    let screen = room.present(SCREEN).await?;
    for looks in [hall.chair(), &hall.rooms[&LOOKS], &hall.observer] {
        let seen = || looks.seen().packets(PRESENTATION_SLOT, SCREEN) > 30;
        until("the others see what is presented", seen).await?;
    }
    let own = room.seen().packets_in(ALL_SLOTS, SCREEN);
    ensure!(own == 0, "who presents is shown it: {own}");
    Ok(screen)
}

/// All have a place for a presentation.
fn look(hall: &Hall) -> Result<()> {
    let slots = ScreenSlots {
        tiles: vec![180; 13],
        presentation: 720,
        ..ScreenSlots::default()
    };
    hall.ears().try_for_each(|room| room.shows(slots.clone()))
}

/// What a room would show without the chair's word comes to nobody; nor does the server take it at all.
async fn is_not_taken(hall: &Hall, room: &Room) -> Result<()> {
    let early = room.present(EARLY).await;
    hall.while_sending(LOOKS, 3 * WINDOW).await?;
    let seen = hall.packets_of(EARLY);
    ensure!(
        seen.values().all(|packets| *packets == 0),
        "seen before it was let: {seen:?}"
    );
    let refused = early.err().context("taken before it was let")?.to_string();
    ensure!(refused.contains("does not present"), "{refused}");
    Ok(())
}
