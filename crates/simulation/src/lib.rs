//! Thirteen sites and the hub in one thread on virtual time: one seed, one run.
//!
//! Clients speak the real protocol over WebSockets made of memory, through the hub's own connections; the journal is the
//! real one on a disk that fails; the media plane is played, and forwards by the real gate. A seed draws what people do
//! and what breaks. After every step the laws (`laws.rs`) are held against the record alone (`history.rs`).
//!
//! Nothing here is used by the program.

mod disk;
mod door;
mod faults;
mod history;
mod laws;
mod line;
mod machine;
mod met;
mod people;
mod plane;
mod server;
mod setup;
mod trace;
mod wire;
mod world;

pub use met::{MANY, never_met};

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use world::World;

/// What a run was.
pub struct Run {
    /// One line for everything that happened.
    pub trace: Vec<String>,
    /// How often each kind of thing was seen.
    pub tally: BTreeMap<String, u64>,
    /// Which law was broken, if one was.
    pub outcome: Result<()>,
}

/// Plays the run of a seed.
///
/// # Errors
/// The machine gives no runtime. What the run itself finds is in its outcome.
pub fn run(seed: u64) -> Result<Run> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .context("a runtime cannot be made")?;
    Ok(runtime.block_on(async {
        let mut world = World::new(seed);
        let outcome = world.play().await;
        Run {
            trace: world.trace.lines,
            tally: world.trace.tally,
            outcome,
        }
    }))
}
