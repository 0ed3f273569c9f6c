//! The fuzz targets, with as many inputs as wanted.

use crate::root;
use anyhow::{Context, Result, bail, ensure};
use std::process::Command;

/// The packages that have targets.
const PACKAGES: [&str; 7] = [
    "diemcau-protocol",
    "diemcau-hub",
    "diemcau-journal",
    "diemcau-verify",
    "diemcau-media",
    "diemcau-endpoint",
    "diemcau",
];

/// `--inputs N [--target T] [--seed S]`.
pub fn run(arguments: &[String]) -> Result<()> {
    let mut command = Command::new("cargo");
    command.arg("test").current_dir(root());
    for package in PACKAGES {
        command.args(["-p", package]);
    }
    for pair in arguments.chunks(2) {
        match pair {
            [name, value] if name == "--inputs" => command.env("INPUTS", value),
            [name, value] if name == "--target" => command.env("TARGET", value),
            [name, value] if name == "--seed" => command.env("SEED", value),
            _ => bail!("fuzz takes --inputs N, --target T and --seed S"),
        };
    }
    // Each target is a test with `fuzz` in its name or in its module's.
    let targets = ["--lib", "--bins", "--test", "fuzz"];
    command.args(targets);
    command.args(["--", "fuzz", "--nocapture", "--test-threads=2"]);
    let status = command.status().context("cargo cannot be started")?;
    ensure!(status.success(), "an input was too much for its target");
    Ok(())
}
