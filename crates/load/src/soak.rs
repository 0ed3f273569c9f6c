//! Thirteen sites for a long time, some coming anew all the while: what the server holds must not grow.

use anyhow::{Context, Result, ensure};
use clap::Args;
use diemcau_load::Engine;
use diemcau_load::cpu::{self, Holdings};
use diemcau_load::rhythm::Programme;
use diemcau_load::target::diemcau::{self, Seat, TALL};
use diemcau_model::{Carries, SiteId, limits};
use serde::Serialize;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How often it is looked at.
const SAMPLE_EACH: Duration = Duration::from_secs(5);
/// One site after the other makes its connections anew.
const RENEW_EACH: Duration = Duration::from_secs(15);
/// What may be more at the end than before, of memory and of handles.
const RSS_MORE: f64 = 1.10;
const HANDLES_MORE: u64 = 2;

/// What is asked for.
#[derive(Debug, Args)]
pub struct Soak {
    /// links.json of the conference
    #[arg(long)]
    links: PathBuf,
    /// The address of the sites
    #[arg(long)]
    bind: IpAddr,
    /// The server's process
    #[arg(long)]
    pid: u32,
    #[arg(long)]
    minutes: f64,
    /// Bits a second of a site's picture
    #[arg(long, default_value_t = 300_000)]
    bits: u64,
}

#[derive(Debug, Serialize)]
struct Summary {
    minutes: f64,
    samples: usize,
    /// The middle of the second quarter: what it held once warm.
    warm: Holdings,
    /// The middle of the last quarter.
    end: Holdings,
    rss_kib_most: u64,
    /// Connections made anew.
    renewed: u64,
    /// Of what should have arrived within the last quarter.
    delivered: f64,
}

impl Soak {
    /// Runs, prints one line of JSON.
    ///
    /// # Errors
    /// The server refuses, ends, or holds more and more.
    pub async fn run(self) -> Result<()> {
        let engine = Arc::new(Engine::start(self.bind, Programme::single(self.bits), 1)?);
        let seats = self.join(&engine).await?;
        let samples = self.sit(&seats).await?;
        let quarter = (samples.len() / 4).max(1);
        let warm = middle(samples.iter().skip(quarter).take(quarter))?;
        let end = middle(samples.iter().rev().take(quarter))?;
        let summary = Summary {
            minutes: self.minutes,
            samples: samples.len(),
            warm,
            end,
            rss_kib_most: samples.iter().map(|one| one.rss_kib).max().unwrap_or(0),
            renewed: seats.iter().map(Seat::remade).sum(),
            delivered: delivered(&engine).await?,
        };
        println!("{}", serde_json::to_string(&summary)?);
        let grown = end.rss_kib as f64 / warm.rss_kib.max(1) as f64;
        ensure!(grown <= RSS_MORE, "memory grows: {grown:.2} times");
        let (before, after) = (warm.handles, end.handles);
        ensure!(
            after <= before + HANDLES_MORE,
            "handles grow: {before} to {after}"
        );
        let (before, after) = (warm.threads, end.threads);
        ensure!(after <= before, "threads grow: {before} to {after}");
        Ok(())
    }

    async fn join(&self, engine: &Arc<Engine>) -> Result<Vec<Seat>> {
        let links = diemcau::links(&self.links)?;
        let mut seats = vec![];
        for site in 0..limits::TILE_SLOTS as u16 {
            let mut rooms = links.iter().filter(|link| link.carries == Carries::Room);
            let link = rooms.find(|link| link.site == Some(SiteId(site)));
            let mut tiles = vec![TALL; limits::TILE_SLOTS];
            tiles[usize::from(site)] = 0;
            let link = link.context("a room has no seat")?;
            seats.push(Seat::take(engine, link, site, 0, tiles).await?);
        }
        diemcau::open_microphones(&seats, limits::AUDIO_SLOTS).await?;
        Ok(seats)
    }

    async fn sit(&self, seats: &[Seat]) -> Result<Vec<Holdings>> {
        let end = Instant::now() + Duration::from_secs_f64(self.minutes * 60.0);
        let mut samples = vec![];
        let mut renew_at = Instant::now() + RENEW_EACH;
        let mut next = seats.iter().cycle();
        while Instant::now() < end {
            sleep(SAMPLE_EACH).await;
            let sample = cpu::holdings(self.pid)?;
            eprintln!("{}", serde_json::to_string(&sample)?);
            samples.push(sample);
            if Instant::now() >= renew_at {
                renew_at += RENEW_EACH;
                if let Some(seat) = next.next() {
                    seat.renew();
                }
            }
        }
        ensure!(!samples.is_empty(), "too short to see anything");
        Ok(samples)
    }
}

/// Whether all still reaches all, in a window of its own.
async fn delivered(engine: &Engine) -> Result<f64> {
    sleep(SAMPLE_EACH).await;
    engine.window(1);
    sleep(SAMPLE_EACH).await;
    engine.window(0);
    sleep(Duration::from_millis(500)).await;
    let sites = limits::TILE_SLOTS as u16;
    let voices = limits::AUDIO_SLOTS as u16;
    let shown = crate::measure::shown(voices);
    Ok(engine.outcome(sites, shown).await?.ratio)
}

fn middle<'a>(samples: impl Iterator<Item = &'a Holdings>) -> Result<Holdings> {
    let samples: Vec<&Holdings> = samples.collect();
    let of = |figure: fn(&Holdings) -> u64| {
        let mut figures: Vec<u64> = samples.iter().map(|one| figure(one)).collect();
        figures.sort_unstable();
        figures.get(figures.len() / 2).copied()
    };
    let middle = || {
        Some(Holdings {
            rss_kib: of(|one| one.rss_kib)?,
            threads: of(|one| one.threads)?,
            handles: of(|one| one.handles)?,
        })
    };
    middle().context("too few samples")
}
