//! The simulation, with as many seeds as wanted.

use crate::root;
use anyhow::{Context, Result, ensure};
use std::process::Command;

/// `--seeds N --from S [--trace]`.
pub fn run(arguments: &[String]) -> Result<()> {
    let status = Command::new("cargo")
        .args(["run", "-q", "-p", "diemcau-simulation", "--"])
        .args(arguments)
        .current_dir(root())
        .status()
        .context("cargo cannot be started")?;
    ensure!(status.success(), "a law was broken");
    Ok(())
}
