//! The server is asked to stop.

use anyhow::Result;
use diemcau_model::Role;
use diemcau_protocol::ServerFrame;
use diemcau_tests::{
    Client, Server,
    script::{comment, taken},
};
use std::time::Duration;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};

#[tokio::test]
async fn everyone_is_told_and_everything_is_kept() -> Result<()> {
    let mut server = Server::start().await?;
    let mut site = server.moderator(3).await?;
    let observer = server.token(Role::Observer, None, None)?;
    let mut observer = Client::join(&server.host, &observer).await?;
    let posted = site.command("a", comment("Trước khi dừng")).await?;
    taken(posted.clone())?;

    // `stop` fails unless the exit code is 0. They listen meanwhile, as browsers do.
    let (stopped, site_closed, observer_closed) =
        tokio::join!(server.stop(), site.ended(), observer.ended());
    stopped?;
    for (client, closed) in [(&site, site_closed?), (&observer, observer_closed?)] {
        assert_eq!(client.others.last(), Some(&ServerFrame::Stopping));
        assert_eq!(closed, Some(1001), "{}", client.me.label);
    }
    assert!(Client::join(&server.host, "x").await.is_err(), "still open");

    server.restart().await?;
    let mut again = server.moderator(3).await?;
    assert_eq!(again.view.feed, observer.view.feed);
    assert_eq!(again.view.feed.len(), 1);
    assert_eq!(again.command("a", comment("Trước khi dừng")).await?, posted);
    Ok(())
}

#[tokio::test]
async fn a_second_ctrl_c_waits_for_nobody() -> Result<()> {
    let mut server = Server::start().await?;
    // A request that is never whole is waited for.
    let mut slow = TcpStream::connect(&server.host).await?;
    slow.write_all(b"GET / HTTP/1.1\r\nX: ").await?;
    assert!(server.get("/healthz").await?.contains("200 OK"));
    server.interrupt().await?;
    while !server.log()?.contains("stopping") {
        sleep(Duration::from_millis(5)).await;
    }
    server.interrupt().await?;
    server.ended().await?;
    assert!(server.log()?.contains("nobody is waited for"));

    server.restart().await?;
    server.stop().await?;
    assert_eq!(server.log()?.matches("nobody is waited for").count(), 1);
    Ok(())
}
