//! A conference of four sites, one of them on a bad road: what the others saw of it, and it of them.

use anyhow::{Context, Result};
use clap::Args;
use diemcau_load::Engine;
use diemcau_load::rhythm::Programme;
use diemcau_load::road::Road;
use diemcau_load::target::diemcau::{self, Seat, TALL};
use diemcau_load::watch::Seen;
use diemcau_model::{Carries, SiteId};
use serde::Serialize;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const SITES: u16 = 4;
/// It speaks: everybody hears it and has it as the programme, at full height.
const SPEAKER: u16 = 1;
/// One of those who listen.
const LISTENER: u16 = 2;
/// A listener whose road is good in every case: what is bad for one must not be bad for others.
const WITNESS: u16 = 3;
/// How high a tile of a grid of thirteen is.
const TILE: u16 = 180;
/// Before a span begins, a road's effect is there.
const SETTLE: Duration = Duration::from_secs(3);
/// After a case, until the next may begin.
const RECOVER: Duration = Duration::from_secs(6);
/// How long after a cut the picture may take to come back, to be told of.
const RETURN_MAX: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(50);

/// What is asked for.
#[derive(Debug, Args)]
pub struct Links {
    /// links.json of the conference
    #[arg(long)]
    links: PathBuf,
    /// The address of the sites
    #[arg(long)]
    bind: IpAddr,
    /// Seconds of each span
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// The roads' bad luck follows from it
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The cases whose names contain this
    #[arg(long, default_value = "")]
    only: String,
}

/// A bad road, and whose.
struct Case {
    name: &'static str,
    site: u16,
    uplink: Road,
    downlink: Road,
    /// Then it is good again, and what is measured is the way back.
    lasts: Option<Duration>,
}

/// What came of a case.
#[derive(Debug, Serialize)]
struct Found {
    case: &'static str,
    /// What the site in question saw of the speaker, or of the hall if it is the speaker.
    it: Seen,
    /// What the others saw of the site in question.
    of_it: Seen,
    /// What a listener on a good road saw of the speaker, or of the hall if the speaker's road is bad.
    witness: Seen,
    /// Packets sent again on its uplink, by those sent, in percent.
    sent_again_percent: f64,
    /// After the road became good: until the next frame of the speaker at it, the next one as good as before and the next
    /// sound, and of it at the witness.
    #[serde(skip_serializing_if = "Option::is_none")]
    returned: Option<Returned>,
    /// Connections that were made anew.
    remade: u64,
}

#[derive(Debug, Default, Serialize)]
struct Returned {
    picture_ms: Option<u64>,
    whole_picture_ms: Option<u64>,
    sound_ms: Option<u64>,
    its_picture_ms: Option<u64>,
    /// Only the speaker is heard.
    its_sound_ms: Option<u64>,
}

impl Links {
    /// Runs every case, and prints one line of JSON for each.
    ///
    /// # Errors
    /// The conference cannot be joined.
    pub async fn run(self) -> Result<()> {
        let engine = Engine::start(self.bind, Programme::simulcast(), self.seed)?;
        let engine = Arc::new(engine);
        engine.watch();
        let seats = self.join(&engine).await?;
        sleep(RECOVER).await;
        for case in cases()
            .into_iter()
            .filter(|case| case.name.contains(&self.only))
        {
            let found = self.case(&engine, &seats, &case).await?;
            println!("{}", serde_json::to_string(&found)?);
            sleep(RECOVER).await;
        }
        Ok(())
    }

    async fn join(&self, engine: &Arc<Engine>) -> Result<Vec<Seat>> {
        let links = diemcau::links(&self.links)?;
        let mut seats = vec![];
        for site in 0..SITES {
            let link = links
                .iter()
                .find(|link| link.site == Some(SiteId(site)) && link.carries == Carries::Room);
            let link = link.context("a room has no seat")?;
            // Each other site is shown once: the speaker as the programme, the others as tiles.
            let programme = if site == SPEAKER { 0 } else { TALL };
            let tile = |other| {
                if other == site || other == SPEAKER {
                    0
                } else {
                    TILE
                }
            };
            let tiles = (0..SITES).map(tile).collect();
            seats.push(Seat::take(engine, link, site, programme, tiles).await?);
        }
        diemcau::open_microphones(&seats, usize::from(SPEAKER) + 1).await?;
        Ok(seats)
    }

    async fn case(&self, engine: &Engine, seats: &[Seat], case: &Case) -> Result<Found> {
        let remade = |seats: &[Seat]| seats.iter().map(Seat::remade).sum::<u64>();
        let before = remade(seats);
        let set = |uplink, downlink| {
            // A road's rate and loss count in the direction of the media; delay and cut in both.
            engine.roads(case.site, true, uplink, back(uplink));
            engine.roads(case.site, false, back(downlink), downlink);
        };
        let settle = if case.lasts.is_some() { GLANCE } else { SETTLE };
        if case.lasts.is_none() {
            set(case.uplink, case.downlink);
        }
        sleep(settle).await;
        let from = Instant::now();
        let packets = packets(engine, case.site);
        let mut good_at = None;
        if let Some(lasts) = case.lasts {
            set(case.uplink, case.downlink);
            sleep(lasts).await;
            set(Road::default(), Road::default());
            good_at = Some(Instant::now());
            self.until_returned(engine, case, Instant::now()).await;
        } else {
            sleep(Duration::from_secs_f64(self.seconds)).await;
        }
        let to = Instant::now();
        let again = packets_again(packets, self::packets(engine, case.site));
        set(Road::default(), Road::default());
        let seen = |at: u16, of: u16| {
            let state = engine.state();
            let watch = state.watches.get(&(at, of));
            watch.map(|watch| watch.seen(from, to)).unwrap_or_default()
        };
        let speaker = if case.site == SPEAKER { 0 } else { SPEAKER };
        Ok(Found {
            case: case.name,
            it: seen(case.site, speaker),
            of_it: seen(WITNESS, case.site),
            witness: seen(WITNESS, speaker),
            sent_again_percent: again,
            returned: good_at.map(|at| returned(engine, case.site, at)),
            remade: remade(seats) - before,
        })
    }

    async fn until_returned(&self, engine: &Engine, case: &Case, good_at: Instant) {
        let is_back = || {
            let back = returned(engine, case.site, good_at);
            back.whole_picture_ms.is_some()
                && back.its_picture_ms.is_some()
                && back.sound_ms.is_some()
        };
        while good_at.elapsed() < RETURN_MAX && !is_back() {
            sleep(GLANCE).await;
        }
        // What comes with the return, a second freeze perhaps, belongs to it.
        sleep(SETTLE).await;
    }
}

fn cases() -> Vec<Case> {
    let good = Road::default();
    let loss = |loss| Road { loss, ..good };
    let far = Road {
        loss: 100,
        delay: Duration::from_millis(100),
        ..good
    };
    let thin = Road {
        rate: Some(256_000),
        queue: Duration::from_millis(300),
        ..good
    };
    let cut = Road { cut: true, ..good };
    let case = |name, site, uplink, downlink, lasts: Option<u64>| Case {
        name,
        site,
        uplink,
        downlink,
        lasts: lasts.map(Duration::from_secs),
    };
    vec![
        case("good", LISTENER, good, good, None),
        case("uplink_loss_5", SPEAKER, loss(50), good, None),
        case("downlink_loss_5", LISTENER, good, loss(50), None),
        case("loss_10_rtt_200_speaker", SPEAKER, far, far, None),
        case("loss_10_rtt_200_listener", LISTENER, far, far, None),
        case("downlink_256k", LISTENER, good, thin, None),
        case("outage_2s_speaker", SPEAKER, cut, cut, Some(2)),
        case("outage_2s_listener", LISTENER, cut, cut, Some(2)),
        case("outage_6s_speaker", SPEAKER, cut, cut, Some(6)),
        case("outage_6s_listener", LISTENER, cut, cut, Some(6)),
        case("cut_30s_speaker", SPEAKER, cut, cut, Some(30)),
        case("cut_30s_listener", LISTENER, cut, cut, Some(30)),
    ]
}

/// The other direction of a road: as far and as cut, but neither lossy nor thin unless it is far too.
fn back(road: Road) -> Road {
    Road {
        loss: if road.delay.is_zero() { 0 } else { road.loss },
        rate: None,
        ..road
    }
}

/// Packets written and packets that left.
fn packets(engine: &Engine, site: u16) -> (u64, u64) {
    let state = engine.state();
    let of = |counts: &std::collections::BTreeMap<u16, u64>| {
        counts.get(&site).copied().unwrap_or_default()
    };
    (of(&state.written), of(&state.left))
}

fn packets_again(from: (u64, u64), to: (u64, u64)) -> f64 {
    let written = to.0.saturating_sub(from.0).max(1);
    let left = to.1.saturating_sub(from.1);
    (left.saturating_sub(written) as f64 * 1_000.0 / written as f64).round() / 10.0
}

fn returned(engine: &Engine, site: u16, good_at: Instant) -> Returned {
    let state = engine.state();
    let after = |moment: Option<Instant>| {
        moment.map(|at| at.saturating_duration_since(good_at).as_millis() as u64)
    };
    let speaker = if site == SPEAKER { 0 } else { SPEAKER };
    let (it, of_it) = (
        state.watches.get(&(site, speaker)),
        state.watches.get(&(WITNESS, site)),
    );
    Returned {
        picture_ms: after(it.and_then(|watch| watch.shown_after(good_at))),
        whole_picture_ms: after(it.and_then(|watch| watch.whole_after(good_at))),
        sound_ms: after(it.and_then(|watch| watch.heard_after(good_at))),
        its_picture_ms: after(of_it.and_then(|watch| watch.shown_after(good_at))),
        its_sound_ms: after(of_it.and_then(|watch| watch.heard_after(good_at))),
    }
}
