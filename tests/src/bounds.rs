//! Times that are promised: told everywhere, and held where `BOUNDS` is set, on a machine that does nothing else.

use anyhow::{Context, Result, ensure};
use rustix::fs::statfs;
use std::{env, path::Path, time::Duration};

/// How long anything may take where others work on the same machine: a liveness bound, no measure.
const GENEROUS: Duration = Duration::from_secs(10);
/// The kinds of file systems that lie in memory (`statfs(2)`): tmpfs and ramfs.
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];

/// Whether what is promised is held here.
#[must_use]
pub fn held() -> bool {
    env::var_os("BOUNDS").is_some()
}

/// Tells how long something took, and holds it to what is promised.
///
/// # Errors
/// It took longer.
pub fn within(what: &str, took: Duration, promised: Duration) -> Result<()> {
    println!("{what} after {took:.1?}, promised: {promised:.0?}");
    let most = if held() { promised } else { GENEROUS };
    ensure!(took <= most, "{what} after {took:?}, wanted: {most:?}");
    Ok(())
}

/// Where a time counts what a disk takes, there must be one: in memory a sync is free.
///
/// # Errors
/// Times are held, and the folder lies in memory.
pub fn on_a_disk(folder: &Path) -> Result<()> {
    let kind = statfs(folder).with_context(|| folder.display().to_string())?;
    let in_memory = IN_MEMORY.contains(&(kind.f_type as u64));
    if !in_memory {
        return Ok(());
    }
    let why = format!(
        "{} lies in memory, where a sync costs nothing: set TMPDIR to a folder on a disk",
        folder.display()
    );
    ensure!(!held(), "{why}");
    println!("what follows is no measure: {why}");
    Ok(())
}
