//! The hall's own microphone, and seats whose link is taken away.

use crate::hall::{Hall, WINDOW};
use anyhow::{Context, Result};
use diemcau_conference::Event;
use diemcau_model::{Carries, Role, SiteId};
use diemcau_protocol::{ClientCommand, ErrorWhy, View};
use diemcau_tests::{Client, bounds::within};
use std::time::{Duration, Instant};

/// Generous: the tests share a busy machine. The figures are printed.
const BOUND: Duration = Duration::from_millis(220);

#[tokio::test(flavor = "multi_thread")]
async fn the_hall_speaks_without_the_queue_and_beside_a_turn() -> Result<()> {
    let hall = Hall::open(2).await?;
    hall.observer.listen(true)?;
    let microphone = |open| ClientCommand::SetHallMicrophone { open };
    assert!(hall.sounds().values().all(|heard| heard.is_empty()));
    hall.chair().command(microphone(true)).await?;
    hall.all_hear(0, 0, 20).await?;

    let turn = hall.request(1).await?;
    hall.grant(turn).await?;
    hall.all_hear(1, 1, 20).await?;
    hall.all_hear(0, 0, 20).await?;

    hall.chair().command(microphone(false)).await?;
    hall.while_sending(0, WINDOW).await?;
    let quiet = hall.sounds_without(1);
    hall.all_hear(1, 1, 20).await?;
    hall.while_sending(0, 3 * WINDOW).await?;
    assert_eq!(
        hall.sounds_without(1),
        quiet,
        "the hall's microphone is closed"
    );

    hall.chair().command(microphone(true)).await?;
    hall.chair()
        .command(ClientCommand::EndTurn { turn })
        .await?;
    hall.while_sending(1, WINDOW).await?;
    let quiet = hall.sounds_without(0);
    hall.all_hear(0, 0, 20).await?;
    hall.while_sending(1, 3 * WINDOW).await?;
    assert_eq!(hall.sounds_without(0), quiet, "the turn is over");
    for (listener, heard) in hall.sounds() {
        assert!(
            !heard.contains_key(&2),
            "{listener} heard a site that never asked"
        );
        assert!(!heard.contains_key(&listener), "{listener} hears itself");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_seat_neither_sends_nor_receives() -> Result<()> {
    let hall = Hall::open(2).await?;
    hall.observer.listen(true)?;
    hall.chair()
        .command(ClientCommand::SetHallMicrophone { open: true })
        .await?;
    let turn = hall.request(1).await?;
    hall.grant(turn).await?;
    let room = &hall.rooms[&1];
    room.show(360, &[180; 3])?;
    hall.all_hear(1, 1, 20).await?;
    hall.all_hear(0, 0, 20).await?;
    let received = || -> u64 { room.seen().slots.values().map(|slot| slot.packets).sum() };
    diemcau_tests::room::until("it sees the others", || {
        room.tile(SiteId(2), 2) > WINDOW && room.tile(SiteId(0), 0) > WINDOW
    })
    .await?;

    let view = hall.chair().view();
    let seat = view
        .seats
        .iter()
        .find(|seat| seat.site == Some(SiteId(1)) && seat.carries == Carries::Room);
    let seat = seat.context("no such seat")?.id;
    let revoked = Instant::now();
    hall.chair()
        .command(ClientCommand::RevokeSeat { seat })
        .await?;
    assert_eq!(room.dismissed().await?, ErrorWhy::Revoked);
    let what = "a revoked room's socket is cut";
    within(what, revoked.elapsed(), Duration::from_secs(1))?;
    hall.while_sending(2, WINDOW).await?;

    let seen = room.seen();
    let tallies = seen.slots.values().flat_map(|slot| slot.from.values());
    let last_in = tallies.map(|tally| tally.last_at).max();
    let last_out = hall.ears_for(1).filter_map(|ear| ear.last_sound(1)).max();
    for (way, last) in [("to it", last_in), ("from it", last_out)] {
        let took = last
            .context("nothing came")?
            .saturating_duration_since(revoked);
        println!("last packet {way} after its revocation: {took:?}");
        assert!(took < BOUND);
    }

    let before = (
        received(),
        hall.sounds_without(0),
        hall.observer.tile(SiteId(1), 1),
        room.seen().sent,
    );
    let own = hall.observer.sounds_of(0);
    diemcau_tests::room::until("it has tried on", || room.seen().sent > before.3 + 100).await?;
    hall.while_sending(2, 3 * WINDOW).await?;
    assert_eq!(received(), before.0);
    assert_eq!(hall.sounds_without(0), before.1);
    assert_eq!(hall.observer.tile(SiteId(1), 1), before.2);
    assert!(hall.observer.sounds_of(0) > own, "the hall is still heard");
    let turn = hall.chair().view().floor.turn.context("no turn")?;
    assert!(turn.held, "the floor waits for the site's standby");
    let token = hall
        .server
        .token(Role::Moderator, Some(SiteId(1)), Some(Carries::Room))?;
    assert!(Client::join(&hall.server.host, &token).await.is_err());
    Ok(())
}

/// The room notices after a second that its disk hangs; the rest is what a busy machine takes.
const THOUGH_IT_HANGS: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_speaker_is_silent_though_the_record_cannot_be_written() -> Result<()> {
    let hall = Hall::open(2).await?;
    hall.observer.listen(true)?;
    hall.chair()
        .command(ClientCommand::SetHallMicrophone { open: true })
        .await?;
    let turn = hall.request(1).await?;
    hall.grant(turn).await?;
    let room = &hall.rooms[&1];
    hall.all_hear(1, 1, 20).await?;

    // Whoever else writes to the record holds the server up for seconds, and then makes it fail.
    let other = rusqlite::Connection::open(hall.server.folder().join("conference.db"))?;
    other.execute_batch("BEGIN IMMEDIATE")?;
    let begun = Instant::now();
    let seat = room.me.seat;
    let revoke = hall.chair().command(ClientCommand::RevokeSeat { seat });
    let silence = async {
        assert_eq!(room.dismissed().await?, ErrorWhy::StorageFailed);
        let took = begun.elapsed();
        println!("cut {took:?} after the word, though the record hangs");
        assert!(took < THOUGH_IT_HANGS);
        hall.while_sending(2, WINDOW).await?;
        let (before, sent) = (hall.sounds_without(0), room.seen().sent);
        let own = hall.observer.sounds_of(0);
        diemcau_tests::room::until("it has tried on", || room.seen().sent > sent + 100).await?;
        hall.while_sending(2, 3 * WINDOW).await?;
        assert_eq!(hall.sounds_without(0), before);
        assert!(hall.observer.sounds_of(0) > own, "the hall is still heard");
        anyhow::Ok(())
    };
    let (asked, silence) = tokio::join!(revoke, silence);
    silence?;
    assert!(asked.is_err(), "acknowledged, and not written");
    let health = hall.server.get("/healthz").await?;
    assert!(health.starts_with("HTTP/1.1 503"), "{health}");
    let token = hall
        .server
        .token(Role::Moderator, Some(SiteId(1)), Some(Carries::Room))?;
    assert!(Client::join(&hall.server.host, &token).await.is_err());
    let is_written = || -> Result<usize> {
        let records = hall.server.records()?;
        let revoked = |event: &Event| matches!(event, Event::SeatRevoked { .. });
        Ok(records
            .iter()
            .filter(|record| revoked(&record.event))
            .count())
    };

    other.execute_batch("ROLLBACK")?;
    let is_revoked = |view: &View| view.seats.iter().any(|seat| seat.revoked);
    hall.chair().sees("the record has it", is_revoked).await?;
    assert_eq!(is_written()?, 1);
    assert!(Client::join(&hall.server.host, &token).await.is_err());
    let health = hall.server.get("/healthz").await?;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    Ok(())
}
