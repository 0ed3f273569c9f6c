//! One measuring run: the sites join a server, send for a while, and say what arrived and what it cost.

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use diemcau_load::floor::client::Sites;
use diemcau_load::rhythm::Programme;
use diemcau_load::tally::{Outcome, Stream};
use diemcau_load::target::diemcau::{self, Link, Seat, TALL};
use diemcau_load::target::{janus::Janus, pion};
use diemcau_load::{Engine, cpu};
use diemcau_model::{Carries, Role, SiteId, limits};
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Sites of one of our conferences: what a screen has tiles for. More sites sit in several conferences, each site
/// watching the others' too.
const PAGE: u16 = limits::TILE_SLOTS as u16;
/// After a window, what is still under way arrives.
const TAIL: Duration = Duration::from_millis(500);
const CONNECT_MAX: Duration = Duration::from_secs(30);
/// The kernel's event of each system call.
const SYSCALLS: &str = "raw_syscalls:sys_enter";
const GLANCE: Duration = Duration::from_millis(20);

/// What a run is asked for.
#[derive(Debug, Args)]
pub struct Measure {
    #[arg(long)]
    target: Target,
    /// Where it is: a WebSocket's URL for Janus, ADDRESS:PORT for Pion and the floor
    #[arg(long, default_value = "")]
    at: String,
    /// links.json of each of our conferences
    #[arg(long)]
    links: Vec<PathBuf>,
    /// The address of the sites
    #[arg(long)]
    bind: IpAddr,
    #[arg(long, default_value_t = 13)]
    sites: u16,
    /// Sites of each thirteen whose sound is forwarded
    #[arg(long, default_value_t = limits::AUDIO_SLOTS as u16)]
    voices: u16,
    /// Bits a second of a site's picture
    #[arg(long, default_value_t = 1_500_000)]
    bits: u64,
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds before it
    #[arg(long, default_value_t = 3.0)]
    warm: f64,
    /// The server's processes
    #[arg(long, value_delimiter = ',')]
    pids: Vec<u32>,
    /// Count their system calls within the window, by perf
    #[arg(long)]
    count_syscalls: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    Diemcau,
    Janus,
    Pion,
    Floor,
}

#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    outcome: Outcome,
    /// CPU of the server's processes within the window.
    cpu_ns: u64,
    /// Our own, for the share of its core the generator took.
    load_cpu_ns: u64,
    window_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    syscalls_per_s: Option<f64>,
}

/// What the processes had used at a moment.
struct Moment {
    at: Instant,
    server_ns: u64,
    own_ns: u64,
}

impl Measure {
    /// Runs, and prints one line of JSON.
    ///
    /// # Errors
    /// A server refuses, or does not answer.
    pub async fn run(self) -> Result<()> {
        let report = match self.target {
            Target::Floor => self.floor()?,
            Target::Diemcau | Target::Janus | Target::Pion => self.sfu().await?,
        };
        println!("{}", serde_json::to_string(&report)?);
        Ok(())
    }

    fn floor(&self) -> Result<Report> {
        let server: SocketAddr = self.at.parse().context("--at is no address")?;
        let programme = Programme::single(self.bits);
        let mut sites = Sites::connect(self.bind, server, self.sites, programme)?;
        let counting = self.count()?;
        sites.run(Duration::from_secs_f64(self.warm))?;
        let mut moments = vec![];
        let outcome = sites.measure(
            Duration::from_secs_f64(self.seconds),
            self.sites,
            shown(self.voices),
            || {
                moments.push(self.moment()?);
                Ok(())
            },
        )?;
        match moments.as_slice() {
            [from, to] => self.report(outcome, from, to, counting),
            _ => bail!("a window without its ends"),
        }
    }

    async fn sfu(&self) -> Result<Report> {
        let engine = Engine::start(self.bind, Programme::single(self.bits), 1)?;
        let engine = Arc::new(engine);
        let mut seats = vec![];
        match self.target {
            Target::Diemcau => seats = self.conferences(&engine).await?,
            Target::Janus => self.janus(&engine).await?,
            Target::Pion => self.pion(&engine).await?,
            Target::Floor => {}
        }
        connected(&engine).await?;
        let counting = self.count()?;
        sleep(Duration::from_secs_f64(self.warm)).await;
        engine.window(1);
        let from = self.moment()?;
        sleep(Duration::from_secs_f64(self.seconds)).await;
        let to = self.moment()?;
        engine.window(0);
        sleep(TAIL).await;
        let outcome = engine.outcome(self.sites, shown(self.voices)).await?;
        drop(seats);
        self.report(outcome, &from, &to, counting)
    }

    /// Every site is a room of its conference and watches the others.
    async fn conferences(&self, engine: &Arc<Engine>) -> Result<Vec<Seat>> {
        let mut seats = vec![];
        let mut conferences = vec![];
        for file in &self.links {
            conferences.push(diemcau::links(file)?);
        }
        for (page, links) in (0..).zip(&conferences) {
            let mut rooms = vec![];
            for place in 0..PAGE.min(self.sites - page * PAGE) {
                let link = find(links, |link| {
                    link.site == Some(SiteId(place)) && link.carries == Carries::Room
                })?;
                let mut tiles = vec![TALL; usize::from(PAGE)];
                tiles[usize::from(place)] = 0;
                let site = page * PAGE + place;
                rooms.push(Seat::take(engine, link, site, 0, tiles).await?);
            }
            diemcau::open_microphones(&rooms, usize::from(self.voices)).await?;
            seats.extend(rooms);
        }
        for (page, links) in (0..).zip(&conferences) {
            let mut observers = links.iter().filter(|link| link.role == Role::Observer);
            for site in (0..self.sites).filter(|site| site / PAGE != page) {
                let link = observers.next().context("too few observers' seats")?;
                let tiles = vec![TALL; usize::from(PAGE)];
                seats.push(Seat::take(engine, link, site, 0, tiles).await?);
            }
        }
        Ok(seats)
    }

    async fn janus(&self, engine: &Engine) -> Result<()> {
        let mut janus = Janus::connect(&self.at).await?;
        for site in 0..self.sites {
            janus.publish(engine, site).await?;
        }
        // A feed is one once it sends.
        connected(engine).await?;
        for site in 0..self.sites {
            janus
                .subscribe(engine, site, |site| is_heard(site, self.voices))
                .await?;
        }
        tokio::spawn(janus.keep());
        Ok(())
    }

    async fn pion(&self, engine: &Engine) -> Result<()> {
        for site in 0..self.sites {
            pion::publish(engine, &self.at, site).await?;
        }
        connected(engine).await?;
        for site in 0..self.sites {
            pion::subscribe(engine, &self.at, site).await?;
        }
        Ok(())
    }

    /// Counts the server's system calls within the window to come, if that was asked for.
    fn count(&self) -> Result<Option<Child>> {
        if !self.count_syscalls {
            return Ok(None);
        }
        let pids: Vec<String> = self.pids.iter().map(u32::to_string).collect();
        let delay_ms = (self.warm * 1_000.0).max(1.0).to_string();
        let mut perf = Command::new("perf");
        perf.args(["stat", "-x", ",", "-e", SYSCALLS, "-D", &delay_ms])
            .args(["-p", &pids.join(","), "--", "sleep"])
            .arg((self.warm + self.seconds).to_string())
            .stderr(Stdio::piped());
        Ok(Some(perf.spawn().context("perf cannot be started")?))
    }

    fn report(
        &self,
        outcome: Outcome,
        from: &Moment,
        to: &Moment,
        counting: Option<Child>,
    ) -> Result<Report> {
        let mut syscalls_per_s = None;
        if let Some(counting) = counting {
            let output = counting.wait_with_output()?;
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            let line = text.lines().find(|line| line.contains(SYSCALLS));
            let count = line.and_then(|line| line.split(',').next()?.parse::<f64>().ok());
            let count = count.with_context(|| format!("perf counts nothing: {text}"))?;
            syscalls_per_s = Some(count / self.seconds);
        }
        Ok(Report {
            outcome,
            cpu_ns: to.server_ns.saturating_sub(from.server_ns),
            load_cpu_ns: to.own_ns.saturating_sub(from.own_ns),
            window_s: to.at.saturating_duration_since(from.at).as_secs_f64(),
            syscalls_per_s,
        })
    }

    fn moment(&self) -> Result<Moment> {
        Ok(Moment {
            at: Instant::now(),
            server_ns: cpu::cpu_ns(&self.pids)?,
            own_ns: cpu::cpu_ns(&[std::process::id()])?,
        })
    }
}

fn find(links: &[Link], fits: impl Fn(&&Link) -> bool) -> Result<&Link> {
    links.iter().find(fits).context("a seat is missing")
}

async fn connected(engine: &Engine) -> Result<()> {
    let begun = Instant::now();
    while !engine.state().legs.values().all(|up| *up) {
        let waited = begun.elapsed();
        if waited > CONNECT_MAX {
            bail!("not connected: {:?}", engine.state().legs);
        }
        sleep(GLANCE).await;
    }
    Ok(())
}

/// Everybody sees everybody else, and hears those who are heard.
pub fn shown(voices: u16) -> impl Fn(Stream, u16) -> bool + Send + Copy + 'static {
    move |stream: Stream, to| {
        stream.site != to && (stream.is_video || is_heard(stream.site, voices))
    }
}

/// Whose sound is forwarded: the first ones of each page.
pub fn is_heard(site: u16, voices: u16) -> bool {
    site % PAGE < voices
}
