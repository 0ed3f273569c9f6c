//! Tests that the gate runs in small, run at length: their size and their seed are theirs to read from the environment.

use crate::root;
use anyhow::{Context, Result, bail, ensure};
use std::process::Command;

/// A proof, and the flags it takes with the variables they stand for.
pub struct Proof {
    test: &'static str,
    /// Which of its tests.
    name: &'static str,
    flags: &'static [(&'static str, &'static str)],
    /// Whether it runs the server: then the one that is shipped.
    server: bool,
}

/// Random edits of a journal against the verifier.
pub const EDITS: Proof = Proof {
    test: "edits",
    name: "",
    flags: &[("--count", "EDITS"), ("--seed", "SEED")],
    server: false,
};

/// The power cut at the journal's writes and syncs.
pub const POINTS: Proof = Proof {
    test: "crash_points",
    name: "",
    flags: &[("--count", "POINTS"), ("--seed", "SEED")],
    server: false,
};

/// Kills of the server in the middle of a conference.
pub const CRASH: Proof = Proof {
    test: "crash",
    name: "what_was_acknowledged_survives_every_kill",
    flags: &[
        ("--kills", "KILLS"),
        ("--seed", "SEED"),
        ("--observers", "OBSERVERS"),
    ],
    server: true,
};

/// How soon commands are acknowledged.
pub const ACKS: Proof = Proof {
    test: "crash",
    name: "every_command_of_a_busy_conference_is_acknowledged",
    flags: &[
        ("--observers", "OBSERVERS"),
        ("--rate", "RATE"),
        ("--seconds", "SECONDS"),
    ],
    server: true,
};

/// What nobody may do, asked for over the real wire.
pub const FORGERIES: Proof = Proof {
    test: "wire",
    name: "nothing_forged_succeeds",
    flags: &[("--count", "FORGERIES"), ("--seed", "SEED")],
    server: true,
};

/// Runs a proof with its flags.
pub fn run(proof: &Proof, arguments: &[String]) -> Result<()> {
    let mut command = Command::new("cargo");
    // Of the whole workspace: one package by itself has its dependencies with other features, and builds them anew.
    let test = ["test", "--workspace", "--test", proof.test];
    command.current_dir(root()).args(test);
    command.args(["--", "--nocapture", proof.name]);
    for pair in arguments.chunks(2) {
        let known = |(flag, _): &&(&str, &str)| pair.first().is_some_and(|given| given == flag);
        match (proof.flags.iter().find(known), pair.get(1)) {
            (Some((_, variable)), Some(value)) => command.env(variable, value),
            _ => bail!("it takes a number after each of {}", flags(proof)),
        };
    }
    if proof.server {
        let built = Command::new("cargo")
            .current_dir(root())
            .args(["build", "--release", "-p", "diemcau"])
            .status();
        let built = built.context("cargo cannot be started")?;
        ensure!(built.success(), "the server cannot be built");
        command.env("DIEMCAU_BIN", root().join("target/release/diemcau"));
        // What is told in milliseconds is held too: nothing else runs meanwhile.
        command.env("BOUNDS", "1");
    }
    let status = command.status().context("cargo cannot be started")?;
    ensure!(status.success(), "it does not hold");
    Ok(())
}

fn flags(proof: &Proof) -> String {
    let flags: Vec<&str> = proof.flags.iter().map(|(flag, _)| *flag).collect();
    flags.join(", ")
}
