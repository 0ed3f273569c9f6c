//! A conference of the hall and one branch, which speaks.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by a panic"
)]
#![allow(dead_code, reason = "each test uses its part")]

use super::{Guest, LIVE, disk::OnDisk, request, setup};
use diemcau_conference::Setup;
use diemcau_hub::token_hash;
use diemcau_model::{
    EndpointKind, ItemId, LinkReport, PeerId, Role, SeatId, SiteId, Stage, TurnId,
};
use diemcau_protocol::{ClientCommand, ServerFrame};
use tokio::time::timeout;

/// A conference of the hall and a branch.
pub fn two_sites() -> Setup {
    let mut setup = setup();
    let (mut site, mut seat) = (setup.sites[0].clone(), setup.seats[1].clone());
    (site.id, site.hall) = (SiteId(1), false);
    (site.name, site.short) = ("Branch".into(), "Branch".into());
    (seat.id, seat.role, seat.site) = (SeatId(3), Role::Moderator, Some(SiteId(1)));
    seat.token_sha256 = token_hash("branch");
    setup.sites.push(site);
    setup.seats.push(seat);
    setup
}

pub async fn done(guest: &mut Guest, id: &str, command: ClientCommand) {
    let answer = guest.command(id, command).await;
    assert!(matches!(answer, ServerFrame::Ok { .. }), "{answer:?}");
}

/// The branch speaks, and the hall is next.
pub async fn branch_speaks(on: &mut OnDisk, chair: &mut Guest, branch: &mut Guest) {
    for number in [0, 1] {
        let up = LinkReport::Up {
            site: SiteId(number),
            kind: EndpointKind::Room,
            peer: PeerId(number.into()),
        };
        on.reports.send(up).await.unwrap();
    }
    let start = ClientCommand::StartItem {
        item: ItemId(1),
        waiting: None,
    };
    let grant = ClientCommand::Grant {
        after: None,
        turn: TurnId(1),
    };
    done(chair, "start", start).await;
    done(branch, "one", request()).await;
    done(chair, "two", request()).await;
    done(chair, "grant", grant).await;
    let is_heard = |stage: &Stage| stage.heard.contains(&SiteId(1));
    let heard = timeout(LIVE, on.shown.wait_for(is_heard)).await.is_ok();
    assert!(heard, "nobody speaks");
}
