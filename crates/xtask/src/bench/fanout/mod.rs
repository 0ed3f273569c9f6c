//! `cargo xtask bench fanout`: one event to many, and many events to many, beside the peers and the limit.
//!
//! Servers share one core, clients and driver the other; everybody runs at once and is asked in turns, so that whatever
//! else the machine does hits all alike. What is compared is the time a server's threads were on a core; ratios are
//! taken within a round, and their median is shown. Loopback only.

mod bare;
mod bounds;
mod load;
mod marks;
mod ours;
mod peers;
mod socket;

use crate::root;
use anyhow::{Context, Result, bail, ensure};
use bounds::{Bounds, Measured, Measures};
use marks::{mark, now_ns};
use ours::Ours;
use peers::{Kind, LOAD_CORE, Server, pinned};
use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const USAGE: &str = "--clients N --rounds N --storms N --only NAME,NAME --json --bounds";

/// Bytes of a comment's text.
const WORDS: usize = 120;
/// Events a second of a storm, and for how long.
const STORM_RATE: u32 = 50;
const STORM: Duration = Duration::from_secs(8);
/// Quiet before and after what is measured, so that everything that belongs to it is in.
const QUIET: Duration = Duration::from_millis(60);
/// How often clients say that they are there.
const ALIVE: Duration = Duration::from_secs(15);
/// How often the floor changes while a storm goes on.
const FLOOR_EVERY: u32 = 10;
/// How long the last of it may take: a liveness bound, no measure.
const HEARD_WITHIN: Duration = Duration::from_secs(10);

struct Options {
    clients: usize,
    rounds: usize,
    storms: usize,
    kinds: Vec<Kind>,
    json: bool,
    /// Fails by what does not hold.
    bounds: bool,
}

/// A server and its clients, who go first.
struct Side {
    kind: Kind,
    load: Load,
    server: Server,
    empty_kb: u64,
    full_kb: u64,
    alive: Instant,
}

struct Load {
    child: Child,
    says: ChildStdin,
    hears: BufReader<ChildStdout>,
}

/// What the clients saw of what they were to get.
struct Seen {
    p50_us: u64,
    p99_us: u64,
}

/// One measure of one server.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// Nanoseconds on a core for each event and client.
    ns: f64,
    p50_us: u64,
    p99_us: u64,
}

type Rounds = Vec<BTreeMap<&'static str, Sample>>;

/// Runs the bench, or one of its processes.
pub fn run(process: &str, flags: &[String]) -> Result<()> {
    match process {
        "fanout" => bench(&options(flags)?),
        "fanout-load" => load::run(flags),
        "fanout-bare" => bare::run(flags),
        other => bail!("bench what? {other}"),
    }
}

fn options(arguments: &[String]) -> Result<Options> {
    let mut options = Options {
        clients: 2_000,
        rounds: 15,
        storms: 3,
        kinds: Kind::ALL.to_vec(),
        json: false,
        bounds: false,
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .with_context(|| format!("{word} what?\n{USAGE}"))
        };
        match word.as_str() {
            "--clients" => options.clients = value()?.parse()?,
            "--rounds" => options.rounds = value()?.parse()?,
            "--storms" => options.storms = value()?.parse()?,
            "--json" => options.json = true,
            "--bounds" => options.bounds = true,
            "--only" => {
                let only: Vec<&str> = value()?.split(',').collect();
                options.kinds.retain(|kind| only.contains(&kind.name()));
            }
            other => bail!("what is {other}?\n{USAGE}"),
        }
    }
    Ok(options)
}

fn bench(options: &Options) -> Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    ensure!(
        cores >= 2,
        "two cores are needed: one for servers, one for clients"
    );
    let folder = prepare()?;
    println!(
        "load before: {}",
        fs::read_to_string("/proc/loadavg")?.trim()
    );
    let mut sides = vec![];
    for kind in &options.kinds {
        match Side::start(*kind, options.clients, &folder) {
            Ok(side) => sides.push(side),
            Err(error) => println!("{} is missing: {error:#}", kind.name()),
        }
    }
    // What the others' texts are long, so that everybody sends as many bytes.
    let around = sides
        .iter_mut()
        .find_map(|side| side.server.ours())
        .map_or(215, |ours| ours.around);
    let mut single: Rounds = vec![];
    for round in 0..options.rounds {
        single.push(in_turns(&mut sides, round, |side| {
            side.one_event(around, options.clients)
        })?);
    }
    let mut bounds = Bounds::default();
    bounds.one_event(&report("one event", options, &single));
    let mut storms: Rounds = vec![];
    for round in 0..options.storms {
        storms.push(in_turns(&mut sides, round, |side| {
            side.storm(around, options.clients)
        })?);
    }
    let what = format!("a storm of {STORM_RATE} events a second");
    bounds.storm(&report(&what, options, &storms));
    if let Some(ours) = sides.iter_mut().find(|side| side.kind == Kind::Ours) {
        bounds.floor(ours.floor_in_storm()?);
    }
    for side in &sides {
        let kib = (side.full_kb.saturating_sub(side.empty_kb)) as f64 / options.clients as f64;
        println!(
            "{:10} own memory: {:6.1} KiB a client",
            side.kind.name(),
            kib
        );
        if side.kind == Kind::Ours {
            bounds.memory(kib);
        }
    }
    println!(
        "load after: {}",
        fs::read_to_string("/proc/loadavg")?.trim()
    );
    bounds.tell(options.bounds)
}

/// Everybody once, beginning with another one each round.
fn in_turns(
    sides: &mut [Side],
    round: usize,
    mut measure: impl FnMut(&mut Side) -> Result<Sample>,
) -> Result<BTreeMap<&'static str, Sample>> {
    let count = sides.len();
    let mut samples = BTreeMap::new();
    for n in 0..count {
        sides.iter_mut().try_for_each(Side::keep_alive)?;
        let side = &mut sides[(round + n) % count];
        let name = side.kind.name();
        samples.insert(name, measure(side).with_context(|| name)?);
    }
    Ok(samples)
}

/// The peers' packages, in the folder of what is built.
fn prepare() -> Result<PathBuf> {
    let folder = root().join("target/bench/fanout");
    fs::create_dir_all(&folder)?;
    let package = root().join("crates/xtask/bench/fanout/package.json");
    fs::copy(package, folder.join("package.json"))?;
    if !folder.join("node_modules/ws").exists() {
        let installed = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .status();
        if !installed.is_ok_and(|status| status.success()) {
            println!("npm gives no packages: its peers will be missing");
        }
    }
    Ok(folder)
}

impl Side {
    fn start(kind: Kind, clients: usize, folder: &Path) -> Result<Self> {
        let mut server = Server::start(kind, clients, folder)?;
        let empty_kb = server.rss_kb()?;
        let load = Load::start(kind, &server, clients)?;
        server.clients_are_there()?;
        sleep(QUIET * 5);
        let full_kb = server.rss_kb()?;
        Ok(Self {
            kind,
            load,
            server,
            empty_kb,
            full_kb,
            alive: Instant::now(),
        })
    }

    fn keep_alive(&mut self) -> Result<()> {
        if self.kind == Kind::Ours && self.alive.elapsed() > ALIVE {
            self.load.tell("alive")?;
            if let Some(ours) = self.server.ours() {
                ours.alive()?;
            }
            self.alive = Instant::now();
            sleep(QUIET * 5);
        }
        Ok(())
    }

    fn event(&self, around: usize) -> String {
        let mut event = mark();
        let length = match self.kind {
            Kind::Ours => WORDS,
            Kind::Ws | Kind::SocketIo | Kind::Nchan | Kind::Bun | Kind::Bare => WORDS + around,
        };
        event.extend(std::iter::repeat_n('x', length.saturating_sub(event.len())));
        event
    }

    fn one_event(&mut self, around: usize, clients: usize) -> Result<Sample> {
        sleep(QUIET);
        self.load.expect(1)?;
        let before = self.server.cpu_ns()?;
        let event = self.event(around);
        self.server.say(&event)?;
        let seen = self.load.wait()?;
        sleep(QUIET);
        let used = self.server.cpu_ns()? - before;
        Ok(seen.sample(used, 1, clients))
    }

    fn storm(&mut self, around: usize, clients: usize) -> Result<Sample> {
        let events = STORM_RATE * STORM.as_secs() as u32;
        self.load.expect(events as usize)?;
        let before = self.server.cpu_ns()?;
        paced(events, |_| {
            let event = self.event(around);
            self.server.say(&event)
        })?;
        let seen = self.load.wait()?;
        sleep(QUIET);
        let used = self.server.cpu_ns()? - before;
        Ok(seen.sample(used, events as usize, clients))
    }

    /// How soon the sites hear what the floor does, while comments go to everybody: milliseconds, 99 of 100.
    fn floor_in_storm(&mut self) -> Result<f64> {
        self.keep_alive()?;
        let events = STORM_RATE * STORM.as_secs() as u32;
        // The sites heard the marks of the storms before.
        sleep(QUIET * 10);
        let ours = self.server.ours().context("not our server")?;
        ours.heard();
        let mut notices = 0;
        paced(events, |n| {
            ours.comment(&"x".repeat(WORDS))?;
            if n % FLOOR_EVERY == 0 {
                ours.notice(&mark())?;
                notices += 1;
            }
            Ok(())
        })?;
        let sites = ours.sites();
        let heard = all_heard(ours, notices * sites, events as usize)?;
        let at = |part: f64| {
            let place = ((heard.len() as f64 - 1.0) * part) as usize;
            heard.get(place).copied().unwrap_or_default() as f64 / 1e3
        };
        println!(
            "the floor at {sites} sites in a storm of {events} comments: all {} heard, p50 {:.1} ms, p99 {:.1} ms, \
             last {:.1} ms",
            heard.len(),
            at(0.5),
            at(0.99),
            at(1.0)
        );
        Ok(at(0.99))
    }
}

/// What the sites heard, in order of its length, when that is all: what was lost or still waits has no place in the figures.
fn all_heard(ours: &Ours, wanted: usize, comments: usize) -> Result<Vec<u64>> {
    let (begun, mut heard, mut taken) = (Instant::now(), vec![], 0);
    loop {
        let (mut more, done) = ours.heard();
        heard.append(&mut more);
        taken += done;
        let is_all = heard.len() >= wanted && taken >= comments;
        if is_all || begun.elapsed() > HEARD_WITHIN {
            break;
        }
        sleep(QUIET);
    }
    let told = heard.len();
    ensure!(
        told == wanted,
        "the sites heard {told} of {wanted} changes of the floor"
    );
    ensure!(
        taken == comments,
        "{taken} of {comments} comments of the storm were taken"
    );
    heard.sort_unstable();
    Ok(heard)
}

/// Does something so many times at the storm's rate, by the clock and not by the last one.
fn paced(events: u32, mut each: impl FnMut(u32) -> Result<()>) -> Result<()> {
    let begun = now_ns();
    let step = 1_000_000_000 / u64::from(STORM_RATE);
    for n in 0..events {
        let due = begun + u64::from(n) * step;
        sleep(Duration::from_nanos(due.saturating_sub(now_ns())));
        each(n)?;
    }
    Ok(())
}

impl Load {
    fn start(kind: Kind, server: &Server, clients: usize) -> Result<Self> {
        let (joins, path) = kind.joins();
        let mut child = pinned(LOAD_CORE)
            .arg(env::current_exe()?)
            .args([
                "bench",
                "fanout-load",
                joins,
                &server.address.to_string(),
                path,
            ])
            .args([&clients.to_string(), &server.secret])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let says = child.stdin.take().context("stdin")?;
        let hears = BufReader::new(child.stdout.take().context("stdout")?);
        let mut load = Self { child, says, hears };
        load.hear("ready")?;
        Ok(load)
    }

    fn tell(&mut self, line: &str) -> Result<()> {
        Ok(writeln!(self.says, "{line}")?)
    }

    /// From now on every client is to get so many events.
    fn expect(&mut self, events: usize) -> Result<()> {
        self.tell(&format!("expect {events}"))?;
        self.hear("armed").map(drop)
    }

    fn wait(&mut self) -> Result<Seen> {
        let line = self.hear("done")?;
        let numbers: Vec<u64> = line
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        let [_, p50_us, p99_us, _] = numbers[..] else {
            bail!("the clients say {line}");
        };
        Ok(Seen { p50_us, p99_us })
    }

    fn hear(&mut self, word: &str) -> Result<String> {
        let mut line = String::new();
        self.hears.read_line(&mut line)?;
        ensure!(
            line.starts_with(word),
            "the clients do not get it: {line:?}"
        );
        Ok(line)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Seen {
    fn sample(&self, used_ns: u64, events: usize, clients: usize) -> Sample {
        Sample {
            ns: used_ns as f64 / events as f64 / clients as f64,
            p50_us: self.p50_us,
            p99_us: self.p99_us,
        }
    }
}

fn report(what: &str, options: &Options, rounds: &Rounds) -> Measures {
    let mut measures = Measures::new();
    if rounds.is_empty() {
        return measures;
    }
    println!(
        "\n{what} to {} clients, {} rounds (median)",
        options.clients,
        rounds.len()
    );
    println!(
        "{:10} {:>12} {:>16} {:>9} {:>9}",
        "", "ns/(e x c)", "ours / this", "p50 ms", "p99 ms"
    );
    let of = |name: &str, value: &dyn Fn(&Sample) -> f64| {
        median(
            rounds
                .iter()
                .filter_map(|round| round.get(name))
                .map(value)
                .collect(),
        )
    };
    for kind in &options.kinds {
        let name = kind.name();
        if !rounds.iter().any(|round| round.contains_key(name)) {
            continue;
        }
        let ours = Kind::Ours.name();
        let ratios = rounds
            .iter()
            .filter_map(|round| Some(round.get(ours)?.ns / round.get(name)?.ns));
        let ratio = median(ratios.collect());
        let (ns, p50) = (
            of(name, &|one| one.ns),
            of(name, &|one| one.p50_us as f64 / 1e3),
        );
        let p99 = of(name, &|one| one.p99_us as f64 / 1e3);
        println!("{name:10} {ns:12.0} {ratio:16.3} {p50:9.1} {p99:9.1}");
        let measured = Measured {
            ns,
            ours_by_this: ratio,
            p99_ms: p99,
        };
        measures.insert(name, measured);
        if options.json {
            println!(
                "{}",
                serde_json::json!({"what": what, "clients": options.clients, "name": name, "ns": ns, "ours_to_this": ratio, "p50_ms": p50, "p99_ms": p99})
            );
        }
    }
    measures
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
