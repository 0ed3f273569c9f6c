//! Generated files, tidy checks, benches and the gate.

use anyhow::{Context, Result, bail};
use std::{env, fs, path::PathBuf};

fn main() -> Result<()> {
    match env::args().nth(1).as_deref() {
        Some("generate") => generate(),
        other => bail!(
            "no such task: {}; there is: generate",
            other.unwrap_or("(none)")
        ),
    }
}

/// Writes the files that are made from Rust.
fn generate() -> Result<()> {
    let path = root().join("web/generated/protocol.ts");
    fs::create_dir_all(path.with_file_name("")).context("web/generated")?;
    fs::write(&path, diemcau_protocol::typescript()).with_context(|| path.display().to_string())
}

/// The folder of the workspace.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
