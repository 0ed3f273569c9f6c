//! What processes have used, read from `/proc`.

use anyhow::{Context, Result};
use std::{fs, path::PathBuf};

/// Nanoseconds of CPU all tasks of the processes have had (`schedstat`, its first field).
///
/// # Errors
/// A process has ended, or the kernel keeps no such figures.
pub fn cpu_ns(pids: &[u32]) -> Result<u64> {
    let mut total = 0;
    for pid in pids {
        let tasks = PathBuf::from(format!("/proc/{pid}/task"));
        let entries = fs::read_dir(&tasks).with_context(|| format!("process {pid} has ended"))?;
        for entry in entries {
            // A task may end while we look; what it used is then lost, as it is to everybody.
            let text = entry.and_then(|task| fs::read_to_string(task.path().join("schedstat")));
            let first = text.ok().and_then(|text| first_number(&text));
            total += first.unwrap_or_default();
        }
    }
    Ok(total)
}

/// What a process holds now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Holdings {
    /// Resident memory in KiB.
    pub rss_kib: u64,
    /// Threads.
    pub threads: u64,
    /// Open file handles.
    pub handles: u64,
}

/// Reads what a process holds.
///
/// # Errors
/// The process has ended.
pub fn holdings(pid: u32) -> Result<Holdings> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("process {pid} has ended"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(first_number).unwrap_or_default()
    };
    Ok(Holdings {
        rss_kib: field("VmRSS:"),
        threads: field("Threads:"),
        handles: fs::read_dir(format!("/proc/{pid}/fd"))?.count() as u64,
    })
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_shows_in_the_figures() {
        let pid = std::process::id();
        let before = cpu_ns(&[pid]).unwrap();
        let mut sum = 0_u64;
        while cpu_ns(&[pid]).unwrap() < before + 5_000_000 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let held = holdings(pid).unwrap();
        assert!(held.rss_kib > 100 && held.threads >= 1 && held.handles >= 3);
        assert!(cpu_ns(&[u32::MAX]).is_err());
    }
}
