//! Encoders and players without a page, on packets: a revoked link sends and receives nothing more.

use crate::hall::{ALL_SLOTS, Hall, SILENT_WITHIN, WINDOW, enter};
use anyhow::{Context, Result, ensure};
use diemcau_model::{Carries, Role, SeatId, SiteId};
use diemcau_protocol::{ClientCommand, SeatView};
use diemcau_tests::{
    bounds::within,
    room::{plain, until},
    sessions::{Session, delete, open},
};
use std::time::Instant;

/// The site that speaks, by a page or by an encoder.
const SPEAKS: u16 = 1;
const ENCODES: u16 = 3;
/// The mark of the player, which sends nothing.
const PLAYER: u16 = 800;

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_encoder_is_neither_seen_nor_heard() -> Result<()> {
    let mut hall = Hall::open(2).await?;
    let site = SiteId(ENCODES);
    // It asks for the floor by the site's phone, for an encoder cannot.
    let phone = enter(&hall.server, ENCODES, Carries::Nothing).await?;
    hall.rooms.insert(ENCODES, phone);
    let token = hall
        .server
        .token(Role::Moderator, Some(site), Some(Carries::Room))?;
    let encoder = Session::publish(&hall.server, &token, plain(ENCODES)).await?;
    hall.while_sending(ENCODES, WINDOW).await?;
    let listener = &hall.rooms[&SPEAKS];
    listener.show(360, &[180; 13])?;
    hall.observer.listen(true)?;
    let turn = hall.request(ENCODES).await?;
    hall.grant(turn).await?;
    hall.all_hear(ENCODES, ENCODES, 20).await?;
    until("a room sees the encoder as programme and tile", || {
        listener.seen().packets(0, ENCODES) > 20 && listener.tile(site, ENCODES) > 20
    })
    .await?;

    let its = |seat: &SeatView| seat.site == Some(site) && seat.carries == Carries::Room;
    let told = Instant::now();
    revoke(&hall, its).await?;
    is_over(&hall, "whip", &encoder, &token).await?;
    within(
        "a revoked encoder's session is over",
        told.elapsed(),
        SILENT_WITHIN,
    )?;
    hall.fell_silent((ENCODES, &encoder.probe), told, 2).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_player_receives_nothing_more() -> Result<()> {
    let hall = Hall::open(2).await?;
    hall.observer.listen(true)?;
    let token = hall.server.token(Role::Stage, None, None)?;
    let player = Session::play(&hall.server, &token, plain(PLAYER)).await?;
    let turn = hall.request(SPEAKS).await?;
    hall.grant(turn).await?;
    let got = |slot| player.probe.seen().packets(slot, SPEAKS);
    until("the player sees and hears the speaker", || {
        got(0) > 20 && got(1) > 20
    })
    .await?;

    let told = Instant::now();
    revoke(&hall, |seat| seat.role == Role::Stage).await?;
    is_over(&hall, "whep", &player, &token).await?;
    within(
        "a revoked player's session is over",
        told.elapsed(),
        SILENT_WITHIN,
    )?;
    // The speaker goes on, and the others hear it.
    hall.while_sending(SPEAKS, 2 * WINDOW).await?;
    let seen = player.probe.seen();
    let last = [0, 1].map(|slot| seen.tally(slot, SPEAKS, 0).map(|tally| tally.last_at));
    let last = last.into_iter().flatten().max().context("it heard")?;
    let took = last.saturating_duration_since(told);
    within("the last packet to a revoked player", took, SILENT_WITHIN)?;

    hall.all_hear(SPEAKS, SPEAKS, 30).await?;
    hall.while_sending(SPEAKS, 5 * WINDOW).await?;
    let after = player.probe.seen();
    let packets = seen.packets_in(ALL_SLOTS, SPEAKS);
    assert_eq!(
        after.packets_in(ALL_SLOTS, SPEAKS),
        packets,
        "it still receives"
    );
    assert_eq!(
        after.datagrams_down, seen.datagrams_down,
        "not even a report"
    );
    Ok(())
}

/// The chair revokes the first seat that fits.
async fn revoke(hall: &Hall, fits: impl Fn(&SeatView) -> bool) -> Result<()> {
    let view = hall.chair().view();
    let seat = view.seats.iter().find(|seat| fits(seat));
    let seat: SeatId = seat.context("no seat")?.id;
    hall.chair()
        .command(ClientCommand::RevokeSeat { seat })
        .await
}

/// Waits until a session is over; its address is nobody's then.
async fn is_over(hall: &Hall, way: &str, session: &Session, token: &str) -> Result<()> {
    hall.server
        .shows(&open(way), |sessions| sessions == 0.0)
        .await?;
    let answer = delete(&hall.server, &session.address, token).await?;
    ensure!(answer.status == 404, "{answer:?}");
    Ok(())
}
