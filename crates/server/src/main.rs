//! The program `diemcau`: settings, wiring, HTTP, the embedded client, shutdown.

mod addresses;
mod alarms;
mod assets;
mod authority;
mod cli;
mod complete;
mod conference_file;
#[cfg(test)]
mod conformance;
mod folder;
mod fragments;
#[cfg(test)]
mod fuzz;
mod http;
mod inside;
mod links;
mod listen;
mod pages;
mod record;
mod run;
mod scrape;
mod settings;
mod socket;
mod stream;
mod whip;
mod wire;

use anyhow::Result;
use clap::Parser;
use cli::{Cli, Task};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match work(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("diemcau: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn work(cli: Cli) -> Result<()> {
    let settings = settings::Settings::gather(&cli.settings)?;
    match cli.task {
        None => run::demo(settings).await,
        Some(Task::Serve) if cli.settings.demo => run::demo(settings).await,
        Some(Task::Serve) => run::serve(settings).await,
        Some(Task::New { conference }) => run::create(&settings, &conference),
        Some(Task::Links { json }) => run::print_links(&settings, cli.settings.demo, json),
        Some(Task::Key) => run::print_key(&settings, cli.settings.demo),
        Some(Task::CheckConfig { file }) => run::check(file.as_deref()),
        Some(Task::Endpoint(endpoint)) => run::endpoint(endpoint).await,
    }
}
