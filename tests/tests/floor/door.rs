//! The door on packets: who waits sends and receives nothing, and who is sent away is silent and deaf within a second.

use crate::hall::WINDOW;
use anyhow::{Context, Result, ensure};
use diemcau_model::{Carries, Role, SiteId};
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy};
use diemcau_tests::{
    Client, Server,
    bounds::within,
    knock::{decided, knock, say},
    room::{Room, plain, until},
    script::{DISCUSSION, call_next, request, start_item},
};
use std::time::{Duration, Instant};

/// What is promised; a busy machine keeps it by far.
const WITHIN: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_speaker_who_is_asked_to_leave_is_silent_and_deaf_and_hears_nothing_in_the_lobby()
-> Result<()> {
    let server = Server::start().await?;
    let mut technician =
        Client::join(&server.host, &server.token(Role::Technician, None, None)?).await?;
    let token = server.token(Role::Moderator, Some(SiteId(4)), Some(Carries::Room))?;
    let room = Room::enter(&server, &token, plain(40)).await?;
    let listener = server.token(Role::Moderator, Some(SiteId(5)), Some(Carries::Room))?;
    let listener = Room::enter(&server, &listener, plain(50)).await?;
    let other = server.token(Role::Moderator, Some(SiteId(6)), Some(Carries::Room))?;
    let _other = Room::enter(&server, &other, plain(60)).await?;
    for side in [&room, &listener] {
        side.listen(true)?;
        side.show(360, &[180; 13])?;
    }
    let mut chair = server.chair().await?;
    chair.command("item", start_item(DISCUSSION)).await?;
    room.command(request("Được mời")).await?;
    let next = |client: &Client| client.view.floor.on_deck.first().copied();
    let turn = chair.until(next).await?;
    chair.command("call", call_next(None, turn)).await?;
    until("the speaker is heard", || listener.sounds_of(40) > 20).await?;
    until("the speaker sees the other room", || {
        room.tile(SiteId(5), 50) > 20
    })
    .await?;

    let (seat, ban) = (room.me.seat, false);
    let told = Instant::now();
    technician
        .command("expel", ClientCommand::ExpelSeat { seat, ban })
        .await?;
    ensure!(room.dismissed().await? == ErrorWhy::Expelled);
    within(
        "an expelled speaker's socket is cut",
        told.elapsed(),
        WITHIN,
    )?;
    let held = |client: &Client| {
        client
            .view
            .floor
            .turn
            .as_ref()
            .filter(|turn| turn.held)
            .map(|_| ())
    };
    chair.until(held).await.context("the turn is held")?;
    // The silence is measured against what still flows: a third room's picture.
    goes_on(&listener, WINDOW).await?;
    let last = listener.last_sound(40).context("it was heard")?;
    let (heard, seen) = (listener.sounds_of(40), room.tile(SiteId(5), 50));
    println!(
        "the last sound came {:?} after the word",
        last.saturating_duration_since(told)
    );
    ensure!(last.saturating_duration_since(told) < WITHIN);

    // With the same link it waits at the door, and its old peer gets nothing more.
    let (mut line, _) = knock(&server.host, &token, None, None).await?.waits()?;
    let sdp = "v=0".to_owned();
    say(&mut line, &ClientFrame::UplinkOffer { sdp }).await?;
    ensure!(decided(line, &token, None, None).await?.away()? == ErrorWhy::JoinFirst);
    goes_on(&listener, 3 * WINDOW).await?;
    ensure!(
        listener.sounds_of(40) == heard,
        "heard after it was sent away"
    );
    ensure!(
        room.tile(SiteId(5), 50) == seen,
        "saw more after it was sent away"
    );
    Ok(())
}

/// Waits until a room has so many more packets of the third room's picture.
async fn goes_on(listener: &Room, packets: u64) -> Result<()> {
    let before = listener.tile(SiteId(6), 60);
    let come = || listener.tile(SiteId(6), 60) >= before + packets;
    until("the third room's picture goes on", come).await
}
