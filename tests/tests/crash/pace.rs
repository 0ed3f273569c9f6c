//! How soon a command is on disk and acknowledged, at the pace of a busy conference.
//!
//! `cargo xtask acks --observers 500 --rate 200 --seconds 20` measures; the gate only sees that every command is answered.

use crate::{crowd::Crowd, held, setting};
use anyhow::{Context, Result, bail, ensure};
use diemcau_model::{Role, SiteId, limits};
use diemcau_protocol::{ClientFrame, PROTOCOL};
use diemcau_tests::{
    Server,
    bounds::on_a_disk,
    client::{Line, connect},
    script::{DISCUSSION, SITES, comment, start_item},
};
use futures_util::{SinkExt, StreamExt};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval_at, timeout},
};
use tokio_tungstenite::tungstenite::Message;

/// What the command holds on a machine that does nothing else.
const P50_WITHIN: Duration = Duration::from_millis(10);
const P99_WITHIN: Duration = Duration::from_millis(50);
/// A liveness bound: what was asked is answered.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_a_busy_conference_is_acknowledged() -> Result<()> {
    let (rate, seconds) = (setting("RATE", 100)?, setting("SECONDS", 2)?);
    let observers = usize::try_from(setting("OBSERVERS", 20)?)?;
    let most = u64::from(limits::COMMENTS_SHARE) * u64::from(SITES);
    let most = most.min(u64::from(limits::COMMENTS_MAX));
    ensure!(rate * seconds <= most, "the sites may send {most} comments");
    let server = Server::start().await?;
    on_a_disk(&server.folder())?;
    let mut chair = server.chair().await?;
    chair.command("item", start_item(DISCUSSION)).await?;
    let observer = server.token(Role::Observer, None, None)?;
    let crowd = Crowd::enter(&server.host, observer, observers, &Arc::default()).await?;

    let sites = u64::from(SITES);
    let (each, apart) = (
        rate * seconds / sites,
        Duration::from_secs(sites) / rate as u32,
    );
    let mut working = JoinSet::new();
    for site in 0..SITES {
        let line = enter(&server.host, &server.moderator_token(SiteId(site))?).await?;
        let first = tokio::time::Instant::now() + apart.mul_f64(f64::from(site) / sites as f64);
        working.spawn(work(line, site, each, interval_at(first, apart)));
    }
    let mut waits = vec![];
    while let Some(worked) = working.join_next().await {
        waits.append(&mut worked??);
    }
    crowd.leave().await?;
    waits.sort_unstable();
    ensure!(waits.len() as u64 == each * sites);
    let at = |part: usize| waits[(waits.len() - 1) * part / 1_000];
    println!(
        "{} commands of {sites} sites at {rate}/s beside {observers} observers: acknowledged p50 {:.1} ms, p99 {:.1} ms, \
         last {:.1} ms",
        waits.len(),
        at(500).as_secs_f64() * 1e3,
        at(990).as_secs_f64() * 1e3,
        at(1_000).as_secs_f64() * 1e3
    );
    let middle = waits.get(..waits.len() / 2).unwrap_or_default();
    held(
        "the middle",
        &middle[middle.len().saturating_sub(1)..],
        P50_WITHIN,
    )?;
    held("acknowledged", &waits, P99_WITHIN)
}

async fn enter(host: &str, token: &str) -> Result<Line> {
    let mut line = connect(host).await?;
    let (protocol, token) = (PROTOCOL, token.to_owned());
    let join = serde_json::to_string(&ClientFrame::Join { protocol, token })?;
    line.send(Message::text(join)).await?;
    match line.next().await {
        Some(Ok(Message::Text(text))) if text.starts_with("{\"type\":\"welcome\"") => Ok(line),
        other => bail!("no welcome but {other:?}"),
    }
}

/// Comments at the pace, whether the last one is answered or not; how long each waited for its answer.
async fn work(
    mut line: Line,
    site: u16,
    count: u64,
    mut pace: tokio::time::Interval,
) -> Result<Vec<Duration>> {
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut asked, mut waits) = (BTreeMap::new(), vec![]);
    let mut next = 0;
    while next < count || !asked.is_empty() {
        tokio::select! {
            due = pace.tick(), if next < count => {
                let id = format!("p{site}-{next}");
                let command = comment(&format!("Góp ý {id}"));
                let frame = ClientFrame::Command { id: id.clone(), command };
                // From when it was due: a server that is late does not make the next one come later.
                asked.insert(id, Instant::from(due));
                line.send(Message::text(serde_json::to_string(&frame)?)).await?;
                next += 1;
            }
            heard = timeout(ANSWER_WITHIN, line.next()) => {
                let heard = heard.context("no answer")?.context("cut off")??;
                let Some(id) = heard.to_text().ok().and_then(acknowledged) else {
                    continue;
                };
                let at = asked.remove(id).with_context(|| format!("{id} was never asked"))?;
                waits.push(at.elapsed());
            }
        }
    }
    Ok(waits)
}

/// The id of the command that a frame acknowledges.
fn acknowledged(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("{\"type\":\"ok\",\"id\":\"")?;
    rest.split_once('"').map(|(id, _)| id)
}
