//! A client that does not read.

use anyhow::{Context, Result};
use diemcau_model::{CommentId, Role, limits};
use diemcau_protocol::ClientCommand;
use diemcau_tests::{
    Client, Server,
    client::Line,
    script::{taken, wording},
};
use tokio::{net::TcpSocket, task::JoinSet};
use tokio_tungstenite::{MaybeTlsStream, client_async};

/// Large enough for all socket buffers and what may wait for one client to fill.
const COMMENTS_OF_EACH: usize = 30;
const WRITERS: u16 = 12;
/// The longest comment in the widest letters, with a proposed wording as long.
const LONGEST_BYTES: usize = 2 * 4 * limits::COMMENT_MAX_CHARS;
/// So many of them may stand of one site: it withdraws its oldest to send another.
const STAND: usize = limits::FEED_SHARE_BYTES / LONGEST_BYTES;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_is_cut_and_the_others_hear_everything() -> Result<()> {
    one_never_reads(Server::start().await?).await
}

/// Every frame is encrypted in pieces and goes on where the kernel took no more.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_over_tls() -> Result<()> {
    one_never_reads(Server::encrypted().await?).await
}

async fn one_never_reads(server: Server) -> Result<()> {
    let token = server.token(Role::Observer, None, None)?;
    let mut deaf = Client::join_on(narrow(&server.host).await?, &token).await?;
    let last = CommentId(u32::from(WRITERS) * COMMENTS_OF_EACH as u32);

    let mut others = JoinSet::new();
    let (host, stage) = (server.host.clone(), server.token(Role::Stage, None, None)?);
    others.spawn(async move {
        let reader = Client::join(&host, &stage).await?;
        read(reader, last).await
    });
    for site in 1..=WRITERS {
        let mut writer = server.moderator(site).await?;
        others.spawn(async move {
            let long = "𝒜".repeat(limits::COMMENT_MAX_CHARS);
            for n in 0..COMMENTS_OF_EACH {
                make_room(&mut writer, n).await?;
                let said = wording(&long, &long);
                taken(writer.command(&format!("{site}-{n}"), said).await?)?;
            }
            read(writer, last).await
        });
    }
    while let Some(other) = others.join_next().await {
        assert_eq!(other??.view.feed.len(), STAND * usize::from(WRITERS));
    }
    assert_eq!(server.metric("diemcau_lagging_total").await?, 1.0);

    // It is cut without the rest; 1013 tells it, if it listens again before the server has given it up.
    let code = deaf.ended().await?;
    assert!(matches!(code, Some(1013) | None), "{code:?}");
    let heard = deaf.view.feed.last().map(|comment| comment.id);
    assert!(heard < Some(last), "it was told everything");

    let mut back = Client::join(&server.host, &token).await?;
    assert_eq!(back.view.feed.len(), STAND * usize::from(WRITERS));
    back.settle("and-goes-on").await?;
    assert_eq!(server.metric("diemcau_lagging_total").await?, 1.0);
    Ok(())
}

async fn make_room(writer: &mut Client, n: usize) -> Result<()> {
    let own = |site| Some(site) == writer.me.site;
    let own = writer.view.feed.iter().filter(|comment| own(comment.site));
    let own: Vec<CommentId> = own.map(|comment| comment.id).collect();
    if own.len() == STAND {
        let comment = own[0];
        let withdraw = ClientCommand::WithdrawComment { comment };
        taken(writer.command(&format!("away-{n}"), withdraw).await?)?;
    }
    Ok(())
}

/// Reads until the last comment is there: nothing is withdrawn after it.
async fn read(mut client: Client, last: CommentId) -> Result<Client> {
    let is_there =
        |client: &Client| client.view.feed.last().map(|comment| comment.id) == Some(last);
    client
        .until(|client| is_there(client).then_some(()))
        .await?;
    Ok(client)
}

/// A connection whose machine keeps little of what it has not read.
async fn narrow(host: &str) -> Result<Line> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(16 * 1024)?;
    let stream = socket.connect(host.parse().context("an address")?).await?;
    let stream = MaybeTlsStream::Plain(stream);
    Ok(client_async(format!("ws://{host}/ws"), stream).await?.0)
}
