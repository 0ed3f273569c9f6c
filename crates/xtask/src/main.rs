//! Generated files, tidy checks, benches and the gate. `cargo xtask` without a task lists them.

mod bench;
mod ci;
mod conformance;
mod fuzz;
mod generate;
mod proofs;
mod sim;
mod tidy;

use anyhow::{Result, bail};
use std::{env, path::PathBuf};

const TASKS: &str = "\
cargo xtask acks       how soon commands are on disk and acknowledged: --observers 500 --rate 200 --seconds 20
cargo xtask bench      media, floor, links: the media plane beside its peers, and over bad roads; fanout: one event to
                       thousands; outside the gate
cargo xtask ci         everything that must pass; installs what it needs
cargo xtask conformance  the WebSocket against the Autobahn cases, by kosoku from PyPI
cargo xtask crash      kills of the server in a conference: --kills 200 --seed 7 --observers 500
cargo xtask edits      random edits of a journal against the verifier: --count 10000 --seed 7
cargo xtask forgeries  what is not one's own, asked for over the real wire: --count 10000 --seed 7
cargo xtask fuzz       inputs that nobody would write: --inputs 1000000 --target client_frame --seed 7
cargo xtask generate   writes the files that are made from Rust
cargo xtask points     the power cut at the journal's writes and syncs: --count 3000 --seed 7
cargo xtask sim        simulated conferences: --seeds 10000 --from 1, and --trace to read one
cargo xtask soak       thirteen sites for a long time: --minutes 60; outside the gate
cargo xtask tidy       checks the house: arrows between crates, pins, licences, generated files, outside addresses, the verifier's size";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("bench") => bench::run(&arguments[1..]),
        Some("ci") => ci::run(),
        Some("conformance") => conformance::run(),
        Some("fuzz") => fuzz::run(&arguments[1..]),
        Some("acks") => proofs::run(&proofs::ACKS, &arguments[1..]),
        Some("crash") => proofs::run(&proofs::CRASH, &arguments[1..]),
        Some("edits") => proofs::run(&proofs::EDITS, &arguments[1..]),
        Some("points") => proofs::run(&proofs::POINTS, &arguments[1..]),
        Some("forgeries") => proofs::run(&proofs::FORGERIES, &arguments[1..]),
        Some("generate") => generate::write(),
        Some("sim") => sim::run(&arguments[1..]),
        Some("soak") => bench::soak::run(&arguments[1..]),
        Some("tidy") => tidy::check(),
        None | Some("--help") => {
            println!("{TASKS}");
            Ok(())
        }
        Some(other) => bail!("no such task: {other}\n{TASKS}"),
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).map_or(own.clone(), PathBuf::from)
}
