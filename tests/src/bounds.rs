//! Times that are promised: told everywhere, and held where `BOUNDS` is set, on a machine that does nothing else.

use anyhow::{Result, ensure};
use std::{env, time::Duration};

/// How long anything may take where others work on the same machine: a liveness bound, no measure.
const GENEROUS: Duration = Duration::from_secs(10);

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
