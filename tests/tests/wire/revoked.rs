//! A link is revoked.

use anyhow::{Result, bail};
use diemcau_model::{Carries, Role, SiteId};
use diemcau_protocol::{ClientCommand, ErrorWhy};
use diemcau_tests::{
    Client, Server,
    bounds::within,
    script::{comment, is_ok, taken},
};
use std::time::{Duration, Instant};

/// What is promised.
const CUT_WITHIN: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_revoked_link_is_cut_at_once_and_opens_nothing_again() -> Result<()> {
    a_link_is_revoked(Server::start().await?).await
}

#[tokio::test]
async fn the_same_over_tls() -> Result<()> {
    a_link_is_revoked(Server::encrypted().await?).await
}

async fn a_link_is_revoked(mut server: Server) -> Result<()> {
    let lost = server.token(Role::Moderator, Some(SiteId(4)), Some(Carries::Nothing))?;
    let technician = server.token(Role::Technician, None, None)?;
    let mut technician = Client::join(&server.host, &technician).await?;
    let mut observer =
        Client::join(&server.host, &server.token(Role::Observer, None, None)?).await?;
    let mut room = server.moderator(4).await?;
    // Opened on two machines: both go.
    let mut phone = Client::join(&server.host, &lost).await?;
    let mut copy = Client::join(&server.host, &lost).await?;
    assert!(is_ok(
        &phone.command("before", comment("Khi còn được")).await?
    ));

    let seat = phone.me.seat;
    let revoke = ClientCommand::RevokeSeat { seat };
    let begun = Instant::now();
    taken(technician.command("revoke", revoke).await?)?;
    for client in [&mut phone, &mut copy] {
        assert_eq!(client.ended().await?, Some(1008));
        within(
            "a revoked link's socket is cut",
            begun.elapsed(),
            CUT_WITHIN,
        )?;
        assert_eq!(client.fatal(), Some(ErrorWhy::Revoked));
    }
    assert_eq!(server.errors(ErrorWhy::Revoked).await?, 2.0);

    // Those who manage seats see it, the public does not, and the site's own machine works on.
    let revoked = |client: &Client| -> Vec<_> {
        let seats = client.view.seats.iter().filter(|seat| seat.revoked);
        seats.map(|seat| seat.id).collect()
    };
    assert_eq!(revoked(&technician), [seat]);
    assert!(is_ok(&room.command("after", comment("Máy chính")).await?));
    // Comments are gathered for those who only watch; what was said before stays.
    let both = |client: &Client| (client.view.feed.len() == 2).then_some(());
    observer.until(both).await?;
    assert!(observer.view.seats.is_empty());

    for restarted in [false, true] {
        if restarted {
            server.kill().await?;
            server.restart().await?;
        }
        let before = server.errors(ErrorWhy::NotAdmitted).await?;
        let Err(refused) = Client::join(&server.host, &lost).await else {
            bail!("let in");
        };
        let said = format!("{refused:#}");
        assert!(said.contains("NotAdmitted"), "{said}");
        assert_eq!(server.errors(ErrorWhy::NotAdmitted).await?, before + 1.0);
        assert!(server.moderator(4).await.is_ok(), "the other seats stay");
    }
    Ok(())
}
