//! The whole conference at once: thirteen rooms, and the big screen that shows them.

use crate::hall::Hall;
use anyhow::{Context, Result};
use diemcau_model::{Role, SiteId};
use diemcau_tests::{
    Room, Server,
    room::{plain, until},
};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn thirteen_rooms_are_all_on_the_big_screen() -> Result<()> {
    let empty = Server::start().await?;
    println!("empty: {} kB", resident_kb(&empty)?);
    drop(empty);

    let hall = Hall::open(12).await?;
    let token = hall.server.token(Role::Stage, None, None)?;
    let screen = Room::enter(&hall.server, &token, plain(903)).await?;
    screen.show(720, &[180; 13])?;
    screen.listen(true)?;
    for room in hall.rooms.values() {
        room.show(720, &[])?;
    }
    let rises = |slot: usize, mark: u16| {
        let packets = move |screen: &Room| screen.seen().packets(slot, mark);
        let (screen, before) = (&screen, packets(&screen));
        async move { until("a slot rises", || packets(screen) >= before + 30).await }
    };
    for site in 0..13 {
        rises(1 + usize::from(site), site).await?;
    }
    rises(0, 0).await?;

    let turn = hall.request(7).await?;
    hall.grant(turn).await?;
    rises(0, 7).await?;
    for (site, room) in hall.rooms.iter().filter(|(site, _)| **site != 7) {
        until("every room sees and hears the speaker", || {
            room.seen().packets(0, 7) > 30 && room.sounds_of(7) > 30
        })
        .await
        .with_context(|| format!("room {site}"))?;
    }
    until("the screen hears the speaker", || screen.sounds_of(7) > 30).await?;
    let view = screen.view();
    assert_eq!(view.stage.programme, Some(SiteId(7)));
    assert!(view.sites.iter().all(|link| link.carrier.is_some()));

    println!(
        "thirteen rooms, a screen, an observer: {} kB",
        resident_kb(&hall.server)?
    );
    let (datagrams, forwarded, dropped) = (
        hall.server
            .metric("diemcau_media_datagrams_in_total")
            .await?,
        hall.server.metric("diemcau_media_forwarded_total").await?,
        hall.server.metric("diemcau_media_send_drops_total").await?,
    );
    println!("{datagrams} datagrams in, {forwarded} packets forwarded, {dropped} not sent");
    Ok(())
}

/// Memory the server has in use.
fn resident_kb(server: &Server) -> Result<u64> {
    let pid = server.pid().context("the server has ended")?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let value = line.and_then(|line| line.split_whitespace().next());
    Ok(value.context("no VmRSS")?.parse()?)
}
