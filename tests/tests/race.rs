//! Two consoles press the same button at the same moment.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one thing among many"
)]

use anyhow::{Context, Result};
use diemcau_conference::{Event, Refusal};
use diemcau_model::{Role, SeatId, TurnId};
use diemcau_protocol::{ClientCommand, ServerFrame};
use diemcau_tests::{
    Client, Room, Server,
    script::{DISCUSSION, call_next, is_ok, request, start_item, taken},
};
use std::{collections::BTreeSet, time::Instant};

const RACES: usize = 1_000;
/// Sites that are linked, and ask.
const LINKED: u16 = 6;
/// After so many, the consoles join anew: what they folded must be what they would see.
const REJOIN_EVERY: usize = 150;
/// Requests a site may have waiting.
const OF_EACH_SITE: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn two_consoles_press_next_and_one_turn_starts() -> Result<()> {
    let mut server = Server::start().await?;
    let tokens = server.tokens(Role::Chair, None, None)?;
    let [first, second] = &tokens[..] else {
        panic!("the demo has two chairs")
    };
    let mut left = Client::join(&server.host, first).await?;
    let mut right = Client::join(&server.host, second).await?;
    let seats = [left.me.seat, right.me.seat];
    let (mut sites, mut rooms) = (vec![], vec![]);
    for site in 1..=LINKED {
        sites.push(server.moderator(site).await?);
        rooms.push(Room::standby(&server, site).await?);
    }
    taken(left.command("begin", start_item(DISCUSSION)).await?)?;

    let begun = Instant::now();
    let mut won = [0, 0];
    for race in 0..RACES {
        if race % REJOIN_EVERY == REJOIN_EVERY - 1 {
            rejoin(&server, &mut left, first).await?;
            rejoin(&server, &mut right, second).await?;
        }
        if left.view.floor.queue.is_empty() {
            refill(&mut sites, race).await?;
            for console in [&mut left, &mut right] {
                let all = sites.len() * OF_EACH_SITE;
                console
                    .until(|console| (console.view.floor.queue.len() == all).then_some(()))
                    .await?;
            }
        }
        see_somebody_waiting(&mut left).await?;
        see_somebody_waiting(&mut right).await?;
        level(&mut left, &mut right).await?;
        assert_eq!(left.view, right.view, "before race {race}");

        let after = left.view.floor.turn.as_ref().map(|turn| turn.turn);
        let expect = left
            .view
            .floor
            .on_deck
            .first()
            .copied()
            .context("nobody on deck")?;
        let id = format!("race-{race}");
        let answers = press(&mut left, &mut right, &id, after, expect, race).await?;

        let winner = usize::from(!is_ok(&answers[0]));
        won[winner] += 1;
        assert!(is_ok(&answers[winner]), "race {race}: {answers:?}");
        assert!(
            matches!(
                answers[1 - winner],
                ServerFrame::Refused {
                    why: Refusal::Stale,
                    ..
                }
            ),
            "race {race}: {answers:?}"
        );
        level(&mut left, &mut right).await?;
        assert_eq!(left.view, right.view, "after race {race}");
        let turn = left.view.floor.turn.clone().context("nobody speaks")?;
        assert_eq!(turn.turn, expect);

        // Every other turn its site ends itself; the others are ended by the next call.
        if race % 2 == 0 {
            let site = &mut sites[usize::from(turn.site.0) - 1];
            let end = ClientCommand::EndTurn { turn: turn.turn };
            taken(site.command(&format!("end-{race}"), end).await?)?;
            left.until(|left| left.view.floor.turn.is_none().then_some(()))
                .await?;
            right
                .until(|right| right.view.floor.turn.is_none().then_some(()))
                .await?;
        }
    }
    let took = begun.elapsed();
    let syncs = server.metric("diemcau_commit_seconds_count").await?;
    let mean = server.metric("diemcau_commit_seconds_sum").await? / syncs;
    println!(
        "{RACES} races in {took:.1?}, {syncs} syncs of {:.1} ms on average; the first console won {}, the second {}",
        mean * 1_000.0,
        won[0],
        won[1]
    );
    assert!(
        won[0] > 0 && won[1] > 0,
        "only one console ever won: {won:?}"
    );

    rejoin(&server, &mut left, first).await?;
    rejoin(&server, &mut right, second).await?;
    server.stop().await?;
    audit(&server, seats)
}

/// Both at once; whose frame is written first alternates.
async fn press(
    left: &mut Client,
    right: &mut Client,
    id: &str,
    after: Option<TurnId>,
    expect: TurnId,
    race: usize,
) -> Result<[ServerFrame; 2]> {
    let command = call_next(after, expect);
    Ok(if race % 4 < 2 {
        let (left, right) = tokio::join!(
            left.command(id, command.clone()),
            right.command(id, command)
        );
        [left?, right?]
    } else {
        let (right, left) = tokio::join!(
            right.command(id, command.clone()),
            left.command(id, command)
        );
        [left?, right?]
    })
}

/// Both have heard as much: a microphone that is heard meanwhile may have been told to one of them only.
async fn level(left: &mut Client, right: &mut Client) -> Result<()> {
    while left.seq != right.seq {
        let furthest = left.seq.max(right.seq);
        for console in [&mut *left, &mut *right] {
            console
                .until(|console| (console.seq >= furthest).then_some(()))
                .await?;
        }
    }
    Ok(())
}

async fn see_somebody_waiting(console: &mut Client) -> Result<()> {
    console
        .until(|console| (!console.view.floor.on_deck.is_empty()).then_some(()))
        .await
}

/// Every site asks as often as it may, all at the same time.
async fn refill(sites: &mut Vec<Client>, race: usize) -> Result<()> {
    let mut asking = tokio::task::JoinSet::new();
    for mut site in sites.drain(..) {
        asking.spawn(async move {
            for n in 0..OF_EACH_SITE {
                let id = format!("ask-{race}-{n}");
                taken(site.command(&id, request(&format!("Chỉ tiêu {n}"))).await?)?;
            }
            Ok::<_, anyhow::Error>(site)
        });
    }
    while let Some(asked) = asking.join_next().await {
        sites.push(asked??);
    }
    sites.sort_by_key(|site| site.me.site);
    Ok(())
}

/// Whatever is heard meanwhile, a console that is told everything once stands where the other's welcome begins, also one
/// that the other replaces.
async fn rejoin(server: &Server, console: &mut Client, token: &str) -> Result<()> {
    let fresh = Client::join(&server.host, token).await?;
    let stands = console.until(|console| (console.view == fresh.view).then_some(()));
    stands.await.context("folded and fresh differ")?;
    *console = fresh;
    Ok(())
}

/// The record tells the same: every race one turn and one refusal, no turn twice.
fn audit(server: &Server, seats: [SeatId; 2]) -> Result<()> {
    let (mut started, mut stale, mut turns) = (0, 0, BTreeSet::new());
    for record in server.records()? {
        match record.event {
            Event::TurnStarted { turn, .. } => {
                assert!(turns.insert(turn), "{turn:?} started twice");
                assert!(record.seat.is_some_and(|seat| seats.contains(&seat)));
                started += 1;
            }
            Event::CommandRefused { why } => {
                assert_eq!(why, Refusal::Stale);
                stale += 1;
            }
            _ => {}
        }
    }
    assert_eq!((started, stale), (RACES, RACES));
    Ok(())
}
