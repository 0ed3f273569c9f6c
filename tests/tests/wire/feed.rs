//! Thirteen sites comment at the same time, and everyone reads the same.

use anyhow::{Context, Result};
use diemcau_conference::Layout;
use diemcau_model::{Carries, CommentId, Role, SiteId};
use diemcau_protocol::{ClientCommand, Comment};
use diemcau_tests::{
    Client, Room, Server,
    script::{
        DISCUSSION, SITES, call_next, comment, other_layout, request, start_item, taken, wording,
    },
};
use std::{collections::BTreeSet, iter};
use tokio::task::JoinSet;

const COMMENTS: u16 = 120;
/// Every so many-th has a proposed wording: thirty of them.
const WITH_WORDING_EVERY: u16 = 4;
/// Sent, and the connection lost before the answer came.
const ANSWER_LOST: [u16; 3] = [17, 58, 101];
/// Written while its site was offline.
const WRITTEN_OFFLINE: u16 = 77;

#[tokio::test(flavor = "multi_thread")]
async fn every_comment_is_there_once_and_in_one_order() -> Result<()> {
    let server = Server::start().await?;
    let mut readers = JoinSet::new();
    for (role, site) in desks() {
        let token = server.token(role, site, None)?;
        let host = server.host.clone();
        readers.spawn(async move {
            let mut reader = Client::join(&host, &token).await?;
            read_all(&mut reader).await?;
            Ok::<_, anyhow::Error>(reader.view.feed)
        });
    }
    let mut writers = JoinSet::new();
    for site in 0..SITES {
        let (host, token) = (server.host.clone(), server.moderator_token(SiteId(site))?);
        writers.spawn(async move { write_own(&host, &token, site).await });
    }

    let mut feeds = vec![];
    while let Some(feed) = writers.join_next().await {
        feeds.push(feed??);
    }
    while let Some(feed) = readers.join_next().await {
        feeds.push(feed??);
    }
    let feed = feeds.first().context("nobody read")?;
    assert_eq!(feeds.len(), usize::from(SITES) + desks().count());
    for other in &feeds {
        assert_eq!(other, feed);
    }
    let numbers: Vec<u32> = feed.iter().map(|comment| comment.id.0).collect();
    assert_eq!(numbers, (1..=u32::from(COMMENTS)).collect::<Vec<_>>());
    let texts: BTreeSet<&str> = feed.iter().map(|comment| &*comment.words.text).collect();
    assert_eq!(texts.len(), usize::from(COMMENTS));
    for n in 0..COMMENTS {
        let found = feed.iter().find(|comment| comment.words.text == text(n));
        let found = found.with_context(|| format!("comment {n} is missing"))?;
        assert_eq!(found.site, SiteId(n % SITES), "said for another site");
    }
    let worded = |comment: &&Comment| !comment.words.proposed.is_empty();
    assert_eq!(feed.iter().filter(worded).count(), 30);
    assert!(server.metric("diemcau_commands_repeated_total").await? <= 3.0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_everyone_folded_is_what_they_would_see_by_joining_anew() -> Result<()> {
    let server = Server::start().await?;
    let mut viewers = vec![];
    for (role, site) in desks() {
        let token = server.token(role, site, None)?;
        viewers.push((Client::join(&server.host, &token).await?, token));
    }
    for site in 0..SITES {
        let token = server.moderator_token(SiteId(site))?;
        viewers.push((Client::join(&server.host, &token).await?, token));
    }

    let phone = |site| server.token(Role::Moderator, Some(SiteId(site)), Some(Carries::Nothing));
    let console = server.token(Role::Chair, None, Some(Carries::Watch))?;
    let mut chair = Client::join(&server.host, &console).await?;
    let mut secretary =
        Client::join(&server.host, &server.token(Role::Secretary, None, None)?).await?;
    let mut site = Client::join(&server.host, &phone(8)?).await?;
    let spare = Client::join(&server.host, &phone(9)?).await?.me.seat;

    taken(chair.command("a", start_item(DISCUSSION)).await?)?;
    for n in 0..4 {
        taken(
            site.command(&format!("b{n}"), comment(&format!("Ý kiến {n}")))
                .await?,
        )?;
        taken(
            site.command(&format!("r{n}"), request(&format!("Chỉ tiêu {n}")))
                .await?,
        )?;
    }
    let _room = Room::standby(&server, 8).await?;
    chair
        .until(|chair| chair.view.floor.on_deck.first().copied())
        .await?;
    let (held, shown, gone) = (CommentId(1), CommentId(2), CommentId(3));
    for (id, command) in [
        ("s1", ClientCommand::HoldComment { comment: held }),
        ("s2", ClientCommand::HoldComment { comment: shown }),
        ("s3", ClientCommand::PublishComment { comment: shown }),
        ("s4", ClientCommand::WithdrawComment { comment: gone }),
    ] {
        taken(secretary.command(id, command).await?)?;
    }
    chair.settle("seen").await?;
    let queue: Vec<_> = chair.view.floor.queue.iter().map(|r| r.turn).collect();
    for (id, command) in [
        ("c1", call_next(None, queue[0])),
        ("c2", ClientCommand::PauseTurn { turn: queue[0] }),
        (
            "c3",
            ClientCommand::ExtendTurn {
                turn: queue[0],
                minutes: 1,
            },
        ),
        (
            "c4",
            ClientCommand::Stage {
                turns: vec![queue[3]],
            },
        ),
        (
            "c5",
            ClientCommand::MoveRequest {
                turn: queue[2],
                before: Some(queue[1]),
            },
        ),
        ("c6", ClientCommand::SetHallMicrophone { open: true }),
        ("c7", ClientCommand::SetList { open: false }),
        ("c8", other_layout(Layout::Speaker)),
        ("c9", ClientCommand::RevokeSeat { seat: spare }),
    ] {
        taken(chair.command(id, command).await?)?;
    }

    for (n, (viewer, token)) in viewers.iter_mut().enumerate() {
        viewer.settle(&format!("end-{n}")).await?;
        let fresh = Client::join(&server.host, token).await?;
        if viewer.me.role == Role::Observer {
            // Who only watches is told by a task of its own, a moment's comments together: perhaps after the answer.
            // If it is never told, the comparison says what is missing.
            let told = |viewer: &Client| (viewer.view == fresh.view).then_some(());
            let _in_time = viewer.until(told).await;
        }
        assert_eq!(viewer.view, fresh.view, "{}", viewer.me.label);
        // Each sees what it may, and nothing else.
        let sees_held = viewer.view.feed.iter().any(|comment| comment.id == held);
        let may = match viewer.me.role {
            Role::Chair | Role::Deputy | Role::Secretary => true,
            Role::Moderator => viewer.me.site == site.me.site,
            Role::Technician | Role::Observer | Role::Stage => false,
        };
        assert_eq!(sees_held, may, "{}", viewer.me.label);
        assert!(viewer.view.feed.iter().all(|comment| comment.id != gone));
        assert!(viewer.view.feed.iter().any(|comment| comment.id == shown));
        let manages = matches!(viewer.me.role, Role::Chair | Role::Technician);
        let revoked = viewer.view.seats.iter().filter(|seat| seat.revoked);
        assert_eq!(revoked.count(), usize::from(manages));
    }
    Ok(())
}

/// One seat of every kind of desk.
fn desks() -> impl Iterator<Item = (Role, Option<SiteId>)> {
    [
        Role::Chair,
        Role::Secretary,
        Role::Technician,
        Role::Observer,
        Role::Stage,
    ]
    .into_iter()
    .zip(iter::repeat(None))
}

/// Sends a site's comments as fast as they are answered, with the losses of the day, and reads until all are there.
async fn write_own(host: &str, token: &str, site: u16) -> Result<Vec<Comment>> {
    let mut client = Client::join(host, token).await?;
    let own = (0..COMMENTS).filter(|n| n % SITES == site);
    for n in own.clone().filter(|n| *n != WRITTEN_OFFLINE) {
        let id = format!("comment-{n}");
        if ANSWER_LOST.contains(&n) {
            client.ask(&id, command(n)).await?;
            drop(client);
            client = Client::join(host, token).await?;
        }
        taken(client.command(&id, command(n)).await?)?;
    }
    for n in own.filter(|n| *n == WRITTEN_OFFLINE) {
        drop(client);
        client = Client::join(host, token).await?;
        taken(client.command(&format!("comment-{n}"), command(n)).await?)?;
    }
    read_all(&mut client).await?;
    Ok(client.view.feed)
}

async fn read_all(client: &mut Client) -> Result<()> {
    let all = usize::from(COMMENTS);
    client
        .until(|client| (client.view.feed.len() >= all).then_some(()))
        .await
}

fn command(n: u16) -> ClientCommand {
    if n.is_multiple_of(WITH_WORDING_EVERY) {
        wording(&text(n), "Đến năm 2025 đạt trên 4% dân số")
    } else {
        comment(&text(n))
    }
}

fn text(n: u16) -> String {
    format!("Đề nghị làm rõ mục {n}")
}
