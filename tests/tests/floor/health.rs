//! What is wrong with a site is decided from its packets, told to the desks, and seen to by one of them for all.

use crate::hall::enter;
use anyhow::{Context, Result};
use diemcau_conference::ItemKind;
use diemcau_model::{Carries, HealthId, HealthKind, Role, SiteId};
use diemcau_probe::ProbeOptions;
use diemcau_protocol::{ClientCommand, ClientFrame, ErrorWhy, HealthAlarm, ServerFrame};
use diemcau_tests::{Client, Room, Server, room::plain};

/// Short, so that the test is: the figures are still those of whole seconds.
const SETTINGS: &str = "[alarm]\nafter_seconds = 2\nover_seconds = 2\n";
const LOSSY: SiteId = SiteId(1);
const SILENT: SiteId = SiteId(2);

#[tokio::test(flavor = "multi_thread")]
async fn packets_that_are_lost_are_an_alarm_that_one_technician_sees_to_for_all() -> Result<()> {
    let server = Server::with_settings(SETTINGS).await?;
    let lossy = room(&server, LOSSY, |options| options.uplink_loss = 300).await?;
    let fine = enter(&server, 3, Carries::Room).await?;
    let mut technician = desk(&server, Role::Technician).await?;
    let mut other = desk(&server, Role::Technician).await?;
    let mut site = Client::join(&server.host, &phone(&server, LOSSY)?).await?;

    let alarm = until(&mut technician, LOSSY, HealthKind::Loss).await?;
    assert_eq!((alarm.limit, alarm.acknowledged.clone()), (Some(5.0), None));
    assert!(alarm.value >= Some(5.0), "{alarm:?}");
    let label = "diemcau_health_alarms{site=\"1\",kind=\"loss\"}";
    assert_eq!(server.metric(label).await?, 1.0);
    assert!(
        server
            .metric("diemcau_site_loss_percent{site=\"1\"}")
            .await?
            > 0.0
    );
    assert!(server.log()?.contains("something is wrong with a site"));

    // Who may not, and what is not there.
    acknowledge(&mut site, alarm.alarm).await?;
    error(&mut site, ErrorWhy::NotForThisSeat).await?;
    acknowledge(&mut technician, HealthId(99)).await?;
    error(&mut technician, ErrorWhy::NoSuchAlarm).await?;

    acknowledge(&mut technician, alarm.alarm).await?;
    let seen = other
        .until(|desk| {
            let found = of(desk, LOSSY, HealthKind::Loss)?;
            found.acknowledged.is_some().then_some(found)
        })
        .await?;
    let by = seen.acknowledged.clone().context("seen to")?;
    assert_eq!((seen.alarm, by.seat), (alarm.alarm, technician.me.seat));
    assert_eq!(by.by, technician.me.label);
    let mut newcomer = desk(&server, Role::Secretary).await?;
    let told = until(&mut newcomer, LOSSY, HealthKind::Loss).await?;
    assert_eq!(told.acknowledged, Some(by));

    // The link goes: that is what is wrong now, and nobody has seen to it.
    drop(lossy);
    let lost = until(&mut other, LOSSY, HealthKind::LinkLost).await?;
    assert_eq!(lost.acknowledged, None);
    assert_eq!(of(&other, LOSSY, HealthKind::Loss), None);
    let _again = enter(&server, LOSSY.0, Carries::Room).await?;
    other
        .until(|desk| {
            of(desk, LOSSY, HealthKind::LinkLost)
                .is_none()
                .then_some(())
        })
        .await?;

    assert!(fine.seen().uplink_connected);
    assert_eq!(of(&technician, SiteId(3), HealthKind::Loss), None);
    let told = site.others.iter().find_map(alarms);
    assert_eq!(told, None, "a site is told of its own figures alone");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_microphone_that_brings_silence_is_an_alarm_until_it_is_closed() -> Result<()> {
    let server = Server::with_settings(SETTINGS).await?;
    let _quiet = room(&server, SILENT, |options| options.level_dbov = -127).await?;
    let _loud = enter(&server, 3, Carries::Room).await?;
    let mut chair = desk(&server, Role::Chair).await?;
    let items = &chair.view.agenda.items;
    let discussed = items.iter().find(|item| item.kind == ItemKind::Discussion);
    let item = discussed.context("no discussion")?.id;
    let waiting = None;
    chair
        .command("begin", ClientCommand::StartItem { item, waiting })
        .await?;
    for site in [SiteId(3), SILENT] {
        let id = format!("call-{site}");
        chair.command(&id, ClientCommand::CallSite { site }).await?;
    }
    let alarm = until(&mut chair, SILENT, HealthKind::Silent).await?;
    assert_eq!((alarm.value, alarm.limit), (Some(-127.0), Some(-60.0)));
    assert_eq!(of(&chair, SiteId(3), HealthKind::Silent), None);

    chair
        .command("on", ClientCommand::PassOverSite { site: SILENT })
        .await?;
    chair
        .until(|desk| of(desk, SILENT, HealthKind::Silent).is_none().then_some(()))
        .await?;
    Ok(())
}

async fn room(server: &Server, site: SiteId, edit: impl Fn(&mut ProbeOptions)) -> Result<Room> {
    let token = server.token(Role::Moderator, Some(site), Some(Carries::Room))?;
    let mut options = plain(site.0);
    edit(&mut options);
    Room::enter(server, &token, options).await
}

async fn desk(server: &Server, role: Role) -> Result<Client> {
    Client::join(&server.host, &server.token(role, None, None)?).await
}

fn phone(server: &Server, site: SiteId) -> Result<String> {
    server.token(Role::Moderator, Some(site), Some(Carries::Nothing))
}

async fn acknowledge(desk: &mut Client, alarm: HealthId) -> Result<()> {
    desk.send(&ClientFrame::AcknowledgeHealth { alarm }).await
}

/// Waits until a desk is told of an alarm.
async fn until(desk: &mut Client, site: SiteId, kind: HealthKind) -> Result<HealthAlarm> {
    desk.until(|desk| of(desk, site, kind)).await
}

/// The alarm, as a desk was last told.
fn of(desk: &Client, site: SiteId, kind: HealthKind) -> Option<HealthAlarm> {
    let told = desk.others.iter().rev().find_map(alarms)?;
    let found = told
        .iter()
        .find(|alarm| (alarm.site, alarm.kind) == (site, kind));
    found.cloned()
}

fn alarms(frame: &ServerFrame) -> Option<&Vec<HealthAlarm>> {
    if let ServerFrame::Health { alarms } = frame {
        Some(alarms)
    } else {
        None
    }
}

/// Waits until a client is told why something was not done; the connection stays.
async fn error(client: &mut Client, wanted: ErrorWhy) -> Result<()> {
    let is_told = |frame: &ServerFrame| matches!(frame, ServerFrame::Error { why, fatal: false, .. } if *why == wanted);
    client
        .until(|client| client.others.iter().any(is_told).then_some(()))
        .await
}
