//! The fuzz targets, with as many inputs as wanted.

use crate::root;
use anyhow::{Context, Result, bail, ensure};
use std::{
    io::{BufRead, BufReader},
    process::{Command, ExitStatus, Stdio},
};

/// `--inputs N [--target T] [--seed S]`.
pub fn run(arguments: &[String]) -> Result<()> {
    let mut command = Command::new("cargo");
    // Of the whole workspace: packages by themselves have their dependencies with other features, and build them anew.
    command.args(["test", "--workspace"]).current_dir(root());
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
    let (status, ran) = watched(&mut command)?;
    ensure!(status.success(), "an input was too much for its target");
    // A target that nobody has is no target that holds.
    ensure!(ran > 0, "there is no such target");
    Ok(())
}

/// Runs it, shows what it says, and counts the targets that ran.
fn watched(command: &mut Command) -> Result<(ExitStatus, usize)> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo cannot be started")?;
    let mut ran = 0;
    for line in child
        .stdout
        .take()
        .map(BufReader::new)
        .into_iter()
        .flat_map(BufRead::lines)
    {
        let line = line?;
        // What a target says when it is through; the name of the test may stand before it.
        ran += usize::from(line.contains("fuzz ") && line.contains(" outcomes, "));
        println!("{line}");
    }
    Ok((child.wait()?, ran))
}
