//! The WebSocket against the Autobahn cases, as `kosoku` from PyPI plays them. Needs Python and the network once.

use crate::root;
use anyhow::{Context, Result, ensure};
use std::{path::Path, process::Command};

/// The release whose cases the figures in SECURITY.md and the changelog are of.
const KOSOKU: &str = "kosoku==0.1.0";

/// Installs kosoku beside the build, and plays its cases.
pub fn run() -> Result<()> {
    let place = root().join("target/kosoku");
    let program = place.join("bin/kosoku");
    if !program.exists() {
        command(Path::new("python3"), &["-m", "venv", "target/kosoku"])?;
        command(&place.join("bin/pip"), &["install", "-q", KOSOKU])?;
    }
    let status = Command::new("cargo")
        .args(["test", "-p", "diemcau", "conformance"])
        .args(["--", "--ignored", "--nocapture"])
        .env("KOSOKU", &program)
        .current_dir(root())
        .status()
        .context("cargo cannot be started")?;
    ensure!(status.success(), "a case failed");
    Ok(())
}

fn command(program: &Path, arguments: &[&str]) -> Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .status();
    let status = status.with_context(|| format!("{} cannot be started", program.display()))?;
    ensure!(status.success(), "{} failed", program.display());
    Ok(())
}
