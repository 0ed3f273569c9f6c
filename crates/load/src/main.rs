//! `diemcau-load`: what `cargo xtask bench` runs beside the servers it measures. Not for use by hand.

mod links;
mod measure;
mod soak;

use anyhow::Result;
use clap::{Parser, Subcommand};
use diemcau_load::floor::server::{self, Sends};
use std::net::SocketAddr;
use std::pin::Pin;

/// The load generator of the benches
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Sites join a server and say what arrived and what it cost
    Measure(measure::Measure),
    /// Sites of a conference on bad roads say what they saw
    Links(links::Links),
    /// Thirteen sites for a long time: what the server holds must not grow
    Soak(soak::Soak),
    /// Be the forwarder that does the least that must be done
    Floor {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        sends: Sends,
        #[arg(long)]
        voices: u16,
    },
}

fn main() -> Result<()> {
    let task: Pin<Box<dyn Future<Output = Result<()>>>> = match Cli::parse().task {
        Task::Floor {
            listen,
            sends,
            voices,
        } => return server::run(listen, sends, move |site| measure::is_heard(site, voices)),
        Task::Measure(measure) => Box::pin(measure.run()),
        Task::Links(links) => Box::pin(links.run()),
        Task::Soak(soak) => Box::pin(soak.run()),
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build()?.block_on(task)
}
