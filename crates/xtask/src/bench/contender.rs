//! The servers that are compared, and how each is started.

use super::nets::{LOAD, Nets, SERVER, Side, start};
use crate::root;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Sites of one of our conferences: what a screen has tiles for.
pub const PAGE: u16 = 13;
const JANUS: &str = "/usr/bin/janus";
const JANUS_LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/janus";
const PION: &str = "/usr/share/gocode/src/github.com/pion/webrtc/go.mod";
const GO: &str = "/usr/bin/go";
const READY_WITHIN: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    Ours,
    JanusDefault,
    JanusOneLoop,
    Pion,
    GsoFloor,
    SendtoFloor,
}

/// The load, the same for all.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    pub sites: u16,
    pub voices: u16,
    pub seconds: f64,
}

/// A started server; it ends when this is dropped.
pub struct Running {
    children: Vec<Child>,
    /// What the generator is told about it.
    arguments: Vec<String>,
}

impl Contender {
    pub const ALL: [Self; 6] = [
        Self::Ours,
        Self::JanusOneLoop,
        Self::JanusDefault,
        Self::Pion,
        Self::GsoFloor,
        Self::SendtoFloor,
    ];

    /// Its name in the table and in the JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "diemcau",
            Self::JanusDefault => "janus_default",
            Self::JanusOneLoop => "janus_event_loops_1",
            Self::Pion => "pion",
            Self::GsoFloor => "gso_floor",
            Self::SendtoFloor => "sendto_floor",
        }
    }

    /// Why it cannot be measured here.
    #[must_use]
    pub fn missing(self) -> Option<&'static str> {
        let there = |path: &str| Path::new(path).exists();
        match self {
            Self::Ours | Self::GsoFloor | Self::SendtoFloor => None,
            Self::JanusDefault | Self::JanusOneLoop => {
                (!there(JANUS)).then_some("Debian's package janus is not installed")
            }
            Self::Pion => (!there(PION) || !there(GO)).then_some(
                "Debian's packages golang-go and golang-github-pion-webrtc.v3-dev are not installed",
            ),
        }
    }

    /// Starts it on the server's core.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(self, nets: &Nets, scene: Scene) -> Result<Running> {
        let mut running = match self {
            Self::Ours => ours(nets, scene)?,
            Self::JanusDefault => janus(nets, false)?,
            Self::JanusOneLoop => janus(nets, true)?,
            Self::Pion => pion(nets, scene)?,
            Self::GsoFloor => floor(nets, scene, "segmented")?,
            Self::SendtoFloor => floor(nets, scene, "singly")?,
        };
        let pids: Vec<String> = running
            .children
            .iter()
            .map(|child| child.id().to_string())
            .collect();
        running
            .arguments
            .extend(["--pids".to_owned(), pids.join(",")]);
        Ok(running)
    }
}

impl Running {
    /// The first of its processes.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.children.first().map(Child::id)
    }

    /// Runs the generator against it; gives its line of JSON.
    ///
    /// # Errors
    /// The generator fails.
    pub fn measure(
        &mut self,
        nets: &Nets,
        scene: Scene,
        more: &[&str],
    ) -> Result<serde_json::Value> {
        let mut command = nets.command(Side::Load, &load_program());
        command
            .arg("measure")
            .args(&self.arguments)
            .args(["--bind", LOAD])
            .args(["--sites", &scene.sites.to_string()])
            .args(["--voices", &scene.voices.to_string()])
            .args(["--seconds", &scene.seconds.to_string()])
            .args(more)
            .stdout(Stdio::piped());
        let output = start(&mut command)?.wait_with_output()?;
        for child in &mut self.children {
            ensure!(
                child.try_wait()?.is_none(),
                "the server has ended meanwhile"
            );
        }
        ensure!(
            output.status.success(),
            "the load failed: {}",
            output.status
        );
        serde_json::from_slice(&output.stdout).context("the load's report")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// One server for each thirteen sites, on one core together.
fn ours(nets: &Nets, scene: Scene) -> Result<Running> {
    let mut arguments = vec!["--target".to_owned(), "diemcau".to_owned()];
    let mut children = vec![];
    for page in 0..scene.sites.div_ceil(PAGE) {
        let sites = PAGE.min(scene.sites - page * PAGE);
        let data = fresh(&format!("diemcau-{page}"))?;
        let conference = data.join("conference.toml");
        fs::write(&conference, conference_file(sites, scene.sites - sites))?;
        let data = data.join("data");
        let listen = format!("{SERVER}:{}", 8_080 + page);
        let media = (7_881 + page).to_string();
        let settings = |command: &mut Command| {
            command
                .args([
                    "--listen",
                    &listen,
                    "--media-port",
                    &media,
                    "--log",
                    "error",
                ])
                .arg("--data")
                .arg(&data)
                .stdout(Stdio::null());
        };
        let mut new = nets.command(Side::Server, &our_program());
        settings(new.arg("new").arg(&conference));
        ensure!(new.status()?.success(), "diemcau new failed");
        let mut serve = nets.command(Side::Server, &our_program());
        settings(serve.arg("serve"));
        children.push(start(&mut serve)?);
        await_port(nets, &listen)?;
        arguments.extend([
            "--links".to_owned(),
            data.join("links.json").display().to_string(),
        ]);
    }
    Ok(Running {
        children,
        arguments,
    })
}

fn janus(nets: &Nets, one_loop: bool) -> Result<Running> {
    let folder = fresh("janus")?;
    let event_loops = if one_loop { "event_loops = 1" } else { "" };
    let plugins = others(&format!("{JANUS_LIBRARY}/plugins"), "libjanus_videoroom.so")?;
    let transports = others(
        &format!("{JANUS_LIBRARY}/transports"),
        "libjanus_websockets.so",
    )?;
    let main = format!(
        "general: {{\n debug_level = 2\n {event_loops}\n}}\nplugins: {{\n disable = \"{plugins}\"\n}}\n\
         transports: {{\n disable = \"{transports}\"\n}}\n"
    );
    let websockets = format!(
        "general: {{\n json = \"compact\"\n ws = true\n ws_port = 8188\n ws_ip = \"{SERVER}\"\n}}\n\
         admin: {{\n admin_ws = false\n}}\n"
    );
    fs::write(folder.join("janus.jcfg"), main)?;
    fs::write(folder.join("janus.transport.websockets.jcfg"), websockets)?;
    fs::write(
        folder.join("janus.plugin.videoroom.jcfg"),
        "general: {\n}\n",
    )?;
    let mut command = nets.command(Side::Server, JANUS);
    command
        .arg(format!("--configs-folder={}", folder.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut running = Running {
        children: vec![start(&mut command)?],
        arguments: vec![],
    };
    await_port(nets, &format!("{SERVER}:8188"))?;
    running.arguments = ["--target", "janus", "--at", &format!("ws://{SERVER}:8188/")]
        .map(str::to_owned)
        .to_vec();
    Ok(running)
}

fn pion(nets: &Nets, scene: Scene) -> Result<Running> {
    let at = format!("{SERVER}:7000");
    let mut command = nets.command(Side::Server, &build_pion()?);
    command.args(["-listen", &at, "-voices", &scene.voices.to_string()]);
    let mut running = Running {
        children: vec![start(&mut command)?],
        arguments: vec![],
    };
    await_port(nets, &at)?;
    running.arguments = ["--target", "pion", "--at", &at]
        .map(str::to_owned)
        .to_vec();
    Ok(running)
}

fn floor(nets: &Nets, scene: Scene, sends: &str) -> Result<Running> {
    let at = format!("{SERVER}:7881");
    let mut command = nets.command(Side::Server, &load_program());
    command
        .args(["floor", "--listen", &at, "--sends", sends])
        .args(["--voices", &scene.voices.to_string()]);
    Ok(Running {
        children: vec![start(&mut command)?],
        arguments: ["--target", "floor", "--at", &at]
            .map(str::to_owned)
            .to_vec(),
    })
}

/// Debian's Pion is laid out for a GOPATH; a program with a version in its imports must lie in one, too.
fn build_pion() -> Result<String> {
    let binary = folder().join("pion");
    let source = root().join("crates/load/peers/pion/main.go");
    let newest = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
    if newest(&binary) > newest(&source) {
        return Ok(binary.display().to_string());
    }
    let path = folder().join("gopath");
    let package = path.join("src/pion");
    fs::create_dir_all(&package)?;
    fs::copy(&source, package.join("main.go"))?;
    fs::write(package.join("go.mod"), "module pion\n")?;
    let status = Command::new(GO)
        .args(["build", "-o"])
        .arg(&binary)
        .arg(".")
        .env("GO111MODULE", "off")
        .env("GOPATH", format!("{}:/usr/share/gocode", path.display()))
        .env("GOCACHE", folder().join("go"))
        .current_dir(&package)
        .status()?;
    ensure!(status.success(), "the SFU on Pion cannot be built");
    Ok(binary.display().to_string())
}

/// A conference whose grid shows everybody, with an open discussion and seats for those who watch from elsewhere.
fn conference_file(sites: u16, watchers: u16) -> String {
    let mut text = "title = \"Bench\"\norganizer = \"Bench\"\nadmission = \"open\"\n".to_owned();
    for site in 0..sites {
        let hall = site == 0;
        text += &format!(
            "[[sites]]\nname = \"Site {site}\"\nshort = \"Site {site}\"\nlevel = \"Site\"\nhall = {hall}\n"
        );
    }
    let mut seat = |role: &str, site: Option<u16>, carries: &str| {
        let site = site.map_or(String::new(), |site| format!("site = {site}\n"));
        text += &format!(
            "[[seats]]\nrole = \"{role}\"\n{site}carries = \"{carries}\"\nlabel = \"Bench\"\n"
        );
    };
    seat("chair", Some(0), "room");
    for site in 1..sites {
        seat("moderator", Some(site), "room");
    }
    for _ in 0..watchers {
        seat("observer", None, "watch");
    }
    text + "[[agenda]]\ntitle = \"Open discussion\"\nkind = \"discussion\"\nminutes = 240\nturn_minutes = 120\n\
        at_zero = \"warn\"\nqueue = \"open\"\nmicrophones = 3\n"
}

/// The libraries of a folder but one, as Janus wants to be told what not to load.
fn others(library: &str, but: &str) -> Result<String> {
    let mut names = vec![];
    for entry in fs::read_dir(library)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".so") && name != but {
            names.push(name);
        }
    }
    names.sort();
    Ok(names.join(","))
}

fn await_port(nets: &Nets, address: &str) -> Result<()> {
    let (host, port) = address.split_once(':').context("no port")?;
    let begun = Instant::now();
    while begun.elapsed() < READY_WITHIN {
        let probe = format!("exec 3<>/dev/tcp/{host}/{port}");
        let mut bash = nets.command(Side::Load, "bash");
        let status = bash.args(["-c", &probe]).stderr(Stdio::null()).status()?;
        if status.success() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("nobody listens at {address}")
}

fn fresh(name: &str) -> Result<PathBuf> {
    let folder = folder().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn folder() -> PathBuf {
    root().join("target/bench")
}

/// The links of our first conference, once it was started.
pub fn links_file() -> String {
    let file = folder().join("diemcau-0/data/links.json");
    file.display().to_string()
}

pub fn load_program() -> String {
    program("diemcau-load")
}

/// Ours may be another build, as in the tests: to be compared with the last one, for instance.
fn our_program() -> String {
    std::env::var("DIEMCAU_BIN").unwrap_or_else(|_| program("diemcau"))
}

fn program(name: &str) -> String {
    root()
        .join("target/release")
        .join(name)
        .display()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conference_of_the_bench_has_a_seat_for_everybody() {
        let file: toml::Table = toml::from_str(&conference_file(13, 13)).unwrap();
        let count = |key: &str| file[key].as_array().unwrap().len();
        assert_eq!(
            (count("sites"), count("seats"), count("agenda")),
            (13, 26, 1)
        );
    }
}
