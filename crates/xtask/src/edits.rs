//! Random edits of a journal, as many as wanted: the verifier's test, run at length.

use crate::root;
use anyhow::{Context, Result, bail, ensure};
use std::process::Command;

/// `--count N --seed S`.
pub fn run(arguments: &[String]) -> Result<()> {
    let mut command = Command::new("cargo");
    command
        .args([
            "test",
            "-p",
            "diemcau-verify",
            "--test",
            "edits",
            "--",
            "--nocapture",
        ])
        .current_dir(root());
    for pair in arguments.chunks(2) {
        match pair {
            [name, value] if name == "--count" => command.env("EDITS", value),
            [name, value] if name == "--seed" => command.env("SEED", value),
            _ => bail!("edits takes --count N and --seed S"),
        };
    }
    let status = command.status().context("cargo cannot be started")?;
    ensure!(status.success(), "an edit was not found");
    Ok(())
}
