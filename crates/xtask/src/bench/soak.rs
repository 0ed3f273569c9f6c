//! A long run of thirteen sites against what the server holds.

use super::contender::{Contender, Scene, links_file, load_program};
use super::nets::{LOAD, Nets, Side, start};
use anyhow::{Context, Result, bail, ensure};

const SCENE: Scene = Scene {
    sites: 13,
    voices: 4,
    seconds: 0.0,
};

/// `--minutes N --no-build`.
pub fn run(flags: &[String]) -> Result<()> {
    let (mut minutes, mut build) = ("60", true);
    let mut words = flags.iter().map(String::as_str);
    while let Some(flag) = words.next() {
        match flag {
            "--minutes" => minutes = words.next().context("--minutes needs a value")?,
            "--no-build" => build = false,
            other => bail!("soak takes --minutes N and --no-build, not {other}"),
        }
    }
    if build {
        super::build()?;
    }
    let nets = Nets::make()?;
    let running = Contender::Ours.start(&nets, SCENE)?;
    let pid = running.pid().context("no server")?.to_string();
    let mut command = nets.command(Side::Load, &load_program());
    command
        .args(["soak", "--links", &links_file(), "--bind", LOAD])
        .args(["--pid", &pid, "--minutes", minutes]);
    let status = start(&mut command)?.wait()?;
    ensure!(status.success(), "the server did not hold still");
    Ok(())
}
