//! The benches: our server beside its peers and the floor, in turns, under one load.

mod contender;
mod fanout;
mod links;
mod nets;
pub mod soak;
mod table;

use crate::root;
use anyhow::{Context, Result, bail, ensure};
use contender::{Contender, Scene};
use nets::Nets;
use std::fs;
use std::process::Command;
use table::{Round, Table};

const USAGE: &str = "\
cargo xtask bench media   our server, Janus, Pion and the floors: --rounds N --seconds S --sites N --voices N
                          --only NAME,NAME --json --no-build
cargo xtask bench floor   the floors alone, the same flags
cargo xtask bench links   what a conference sees over bad roads: --seconds S --seed N --only NAME --json --no-build
cargo xtask bench fanout  one event, and a storm, to thousands beside ws, Socket.IO, Nchan, Bun and send():
                          --clients N --rounds N --storms N --only NAME,NAME --json";
/// Seconds of the short run in which system calls are counted, for counting them costs.
const SYSCALL_SECONDS: f64 = 3.0;

/// What was asked for.
struct Bench {
    contenders: Vec<Contender>,
    rounds: usize,
    scene: Scene,
    json: bool,
    build: bool,
}

/// `media`, `floor`, `links` or `fanout`, and flags.
pub fn run(arguments: &[String]) -> Result<()> {
    match arguments.split_first() {
        Some((first, flags)) if first == "links" => return links::run(flags),
        // Its processes are started by their own names.
        Some((first, flags)) if first.starts_with("fanout") => return fanout::run(first, flags),
        Some(_) | None => {}
    }
    let bench = Bench::read(arguments)?;
    if bench.build {
        build()?;
    }
    let table = bench.compare()?;
    let order: Vec<_> = Contender::ALL.iter().map(|one| one.name()).collect();
    print!("{}", table.text(&order));
    if bench.json {
        println!("{}", table.json());
    }
    Ok(())
}

impl Bench {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut words = arguments.iter().map(String::as_str);
        let contenders = match words.next() {
            Some("media") => Contender::ALL.to_vec(),
            Some("floor") => vec![Contender::GsoFloor, Contender::SendtoFloor],
            other => bail!("bench what? {}\n{USAGE}", other.unwrap_or_default()),
        };
        let scene = Scene {
            sites: 13,
            voices: 4,
            seconds: 10.0,
        };
        let mut bench = Self {
            contenders,
            rounds: 5,
            scene,
            json: false,
            build: true,
        };
        while let Some(flag) = words.next() {
            let mut value = || {
                words
                    .next()
                    .with_context(|| format!("{flag} needs a value"))
            };
            match flag {
                "--rounds" => bench.rounds = value()?.parse()?,
                "--seconds" => bench.scene.seconds = value()?.parse()?,
                "--sites" => bench.scene.sites = value()?.parse()?,
                "--voices" => bench.scene.voices = value()?.parse()?,
                "--only" => {
                    let only: Vec<&str> = value()?.split(',').collect();
                    bench.contenders.retain(|one| only.contains(&one.name()));
                }
                "--json" => bench.json = true,
                "--no-build" => bench.build = false,
                other => bail!("no such flag: {other}\n{USAGE}"),
            }
        }
        ensure!(
            bench.rounds > 0 && !bench.contenders.is_empty(),
            "nothing to measure"
        );
        ensure!(bench.scene.voices <= 4, "a room hears at most four voices");
        Ok(bench)
    }

    fn compare(&self) -> Result<Table> {
        let nets = Nets::make()?;
        let mut table = Table::default();
        let mut present = vec![];
        for contender in &self.contenders {
            match contender.missing() {
                Some(why) => {
                    table.missing.insert(contender.name(), why.to_owned());
                }
                None => present.push(*contender),
            }
        }
        ensure!(
            !present.is_empty(),
            "nothing is there to be measured: {:?}",
            table.missing
        );
        for round in 0..self.rounds {
            table.load_averages.push(load_average()?);
            // Nobody is always the first.
            present.rotate_left(usize::from(round > 0));
            for contender in &present {
                let done = measure(*contender, &nets, self.scene, &[]);
                let done = match done {
                    Ok(report) => Some(Round::read(&report)),
                    Err(error) => {
                        eprintln!("round {}: {}: {error:#}", round + 1, contender.name());
                        None
                    }
                };
                if let Some(done) = done {
                    let (name, cost) = (contender.name(), done.us_per_packet);
                    let (share, p99) = (done.delivered * 100.0, done.delay_p99_ms);
                    eprintln!(
                        "round {}: {name:<20} {cost:6.2} us/packet, {share:.2}% delivered, p99 {p99:.2} ms, generator {:.2} of its core",
                        round + 1,
                        done.load_share
                    );
                }
                table.rounds.entry(contender.name()).or_default().push(done);
            }
        }
        self.count_syscalls(&present, &nets, &mut table);
        Ok(table)
    }

    fn count_syscalls(&self, present: &[Contender], nets: &Nets, table: &mut Table) {
        let scene = Scene {
            seconds: SYSCALL_SECONDS,
            ..self.scene
        };
        for contender in present {
            match measure(*contender, nets, scene, &["--count-syscalls"]) {
                Ok(report) => {
                    let (calls, window) = (&report["syscalls_per_s"], &report["window_s"]);
                    let delivered = report["delivered"].as_f64().zip(window.as_f64());
                    if let (Some(calls), Some((delivered, window))) = (calls.as_f64(), delivered) {
                        let by_packet = calls / (delivered / window);
                        table.syscalls.insert(contender.name(), by_packet);
                    }
                }
                Err(error) => eprintln!("system calls of {}: {error:#}", contender.name()),
            }
        }
    }
}

fn measure(
    contender: Contender,
    nets: &Nets,
    scene: Scene,
    more: &[&str],
) -> Result<serde_json::Value> {
    let mut running = contender.start(nets, scene)?;
    running.measure(nets, scene, more)
}

fn load_average() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    let first = text.split(' ').next().and_then(|first| first.parse().ok());
    first.context("no load average")
}

fn build() -> Result<()> {
    let packages = ["build", "--release", "-p", "diemcau", "-p", "diemcau-load"];
    let status = Command::new("cargo")
        .args(packages)
        .current_dir(root())
        .status()?;
    ensure!(status.success(), "cargo {} failed", packages.join(" "));
    Ok(())
}
