//! The files that are made from Rust.

use crate::root;
use anyhow::{Context, Result, ensure};
use std::{fs, path::PathBuf};

fn files() -> [(PathBuf, String); 1] {
    [(
        root().join("web/generated/protocol.ts"),
        diemcau_protocol::typescript(),
    )]
}

/// Writes them.
pub fn write() -> Result<()> {
    for (path, text) in files() {
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Fails when one of them is stale.
pub fn check() -> Result<()> {
    for (path, text) in files() {
        let written = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        ensure!(
            written == text,
            "{} is stale: run `cargo xtask generate`",
            path.display()
        );
    }
    Ok(())
}
