//! `simulation --seeds N --from S [--trace]`: as many runs as wanted, on every core.

use anyhow::{Context, Result, bail, ensure};
use diemcau_simulation::{MANY, Run, never_met, run};
use std::{
    collections::BTreeMap,
    env,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

/// Lines told of a run that broke a law; `--trace` tells all.
const TOLD_MAX: usize = 120;

fn main() -> Result<()> {
    let (mut seeds, mut from, mut whole) = (1_000_u64, 1_u64, false);
    let mut arguments = env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut number = || -> Result<u64> {
            let value = arguments.next().unwrap_or_default();
            value
                .parse()
                .with_context(|| format!("{name} takes a number"))
        };
        match name.as_str() {
            "--seeds" => seeds = number()?,
            "--from" => from = number()?,
            "--trace" => whole = true,
            _ => bail!("the simulation takes --seeds N, --from S and --trace"),
        }
    }
    let begun = Instant::now();
    let (next, broken) = (AtomicU64::new(from), AtomicU64::new(0));
    let tally: Mutex<BTreeMap<String, u64>> = Mutex::default();
    let work = || -> Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + seeds {
                return Ok(());
            }
            let run = run(seed).with_context(|| format!("seed {seed} cannot be played"))?;
            tell(seed, &run, whole);
            broken.fetch_add(u64::from(run.outcome.is_err()), Ordering::Relaxed);
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            for (what, count) in run.tally {
                *tally.entry(what).or_default() += count;
            }
        }
    };
    let ended = thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| bail!("a run panicked")))
            .collect::<Result<Vec<()>>>()
    });
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (what, count) in &tally {
        println!("{count:>12} {what}");
    }
    // Also what was played before a worker gave up is told first.
    ended?;
    let broken = broken.into_inner();
    println!("{seeds} seeds in {:.1} s", begun.elapsed().as_secs_f64());
    ensure!(broken == 0, "{broken} of {seeds} seeds broke a law");
    let never = never_met(&tally);
    ensure!(
        seeds < MANY || never.is_empty(),
        "no run ever had: {never:?}"
    );
    Ok(())
}

fn tell(seed: u64, run: &Run, whole: bool) {
    let skipped = match (&run.outcome, whole) {
        (_, true) => 0,
        (Err(_), false) => run.trace.len().saturating_sub(TOLD_MAX),
        (Ok(()), false) => return,
    };
    let lines = run.trace[skipped..].join("\n");
    match &run.outcome {
        Ok(()) => println!("{lines}\nseed {seed}: every law held"),
        Err(broken) => println!("{lines}\nseed {seed}: {broken:#}\n"),
    }
}
