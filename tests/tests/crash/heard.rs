//! What people heard of, against what the record holds when the server is killed: nothing is told before it is written.

use anyhow::{Context, Result, ensure};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The last event that anybody heard of in each life of the server.
#[derive(Default)]
pub struct Heard {
    life: AtomicUsize,
    last: Mutex<BTreeMap<usize, u64>>,
}

impl Heard {
    /// The server is dead, and not started again: whoever is welcomed from now on is so in its next life.
    pub fn life_ends(&self) {
        self.life.fetch_add(1, Ordering::AcqRel);
    }

    /// `left`: how many events the record held at the end of each life.
    pub fn check(&self, left: &[usize]) -> Result<()> {
        let last = self.last();
        for (life, left) in left.iter().enumerate() {
            let told = last.get(&life).context("nobody heard of anything")?;
            ensure!(
                *told <= *left as u64,
                "event {told} was told, and {left} were written when life {life} ended"
            );
        }
        Ok(())
    }

    fn last(&self) -> MutexGuard<'_, BTreeMap<usize, u64>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one client has heard of, by all its connections.
pub struct Ear {
    heard: Arc<Heard>,
    life: usize,
    last: u64,
}

impl Ear {
    pub fn new(heard: &Arc<Heard>) -> Self {
        let heard = Arc::clone(heard);
        let (life, last) = (0, 0);
        Self { heard, life, last }
    }

    /// It is welcomed with everything it has ever heard of.
    pub fn is_welcomed(&mut self, seq: u64) -> Result<()> {
        // Looked at after the welcome: never a life too early.
        self.life = self.heard.life.load(Ordering::Acquire);
        ensure!(
            seq >= self.last,
            "welcomed as of event {seq} after it had heard of {}",
            self.last
        );
        self.hears(seq);
        Ok(())
    }

    pub fn hears(&mut self, seq: u64) {
        self.last = seq.max(self.last);
        let mut last = self.heard.last();
        let of_life = last.entry(self.life).or_default();
        *of_life = seq.max(*of_life);
    }
}
