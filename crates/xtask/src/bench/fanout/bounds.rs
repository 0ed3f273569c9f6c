//! What is wanted of the fan-out. A run tells what of it holds, and fails by what does not where it is asked to.

use super::peers::Kind;
use anyhow::{Result, ensure};
use std::collections::BTreeMap;

/// Of the bare send() limit, and of `ws`, an event may cost.
const OF_SEND: f64 = 1.15;
const OF_WS: f64 = 0.65;
/// Of the cheapest of the peers an event of a storm may cost.
const OF_BEST: f64 = 0.2;
const STORM_P99_MS: f64 = 250.0;
const FLOOR_P99_MS: f64 = 50.0;
const CLIENT_KIB: f64 = 10.0;

/// A server beside ours: nanoseconds an event and client, ours by this, and how late its clients heard it.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub ns: f64,
    pub ours_by_this: f64,
    pub p99_ms: f64,
}

/// Whoever was measured, by name.
pub type Measures = BTreeMap<&'static str, Measured>;

/// What was measured, each with its bound.
#[derive(Debug, Default)]
pub struct Bounds(Vec<(String, f64, f64)>);

impl Bounds {
    pub fn one_event(&mut self, by: &Measures) {
        for (kind, most) in [(Kind::Bare, OF_SEND), (Kind::Ws, OF_WS)] {
            if let Some(one) = by.get(kind.name()) {
                self.holds(
                    format!("one event, by {}", kind.name()),
                    one.ours_by_this,
                    most,
                );
            }
        }
    }

    pub fn storm(&mut self, by: &Measures) {
        let [ours, bare] = [Kind::Ours, Kind::Bare].map(Kind::name);
        let peers = by.iter().filter(|(name, _)| ![ours, bare].contains(*name));
        let best = peers.min_by(|one, other| one.1.ns.total_cmp(&other.1.ns));
        if let Some((name, best)) = best {
            self.holds(format!("a storm, by {name}"), best.ours_by_this, OF_BEST);
        }
        if let Some(ours) = by.get(ours) {
            self.holds("a storm, p99 ms".into(), ours.p99_ms, STORM_P99_MS);
        }
    }

    pub fn floor(&mut self, p99_ms: f64) {
        self.holds("the floor in a storm, p99 ms".into(), p99_ms, FLOOR_P99_MS);
    }

    pub fn memory(&mut self, kib: f64) {
        self.holds("KiB a client".into(), kib, CLIENT_KIB);
    }

    fn holds(&mut self, what: String, is: f64, most: f64) {
        self.0.push((what, is, most));
    }

    /// Prints them.
    ///
    /// # Errors
    /// One does not hold, where they are to.
    pub fn tell(&self, must_hold: bool) -> Result<()> {
        println!("\n{:32} {:>8} {:>8}", "", "is", "wanted");
        let mut broken = vec![];
        for (what, is, most) in &self.0 {
            let holds = is <= most;
            let mark = if holds { "" } else { "  NOT HELD" };
            println!("{what:32} {is:8.3} {most:8.2}{mark}");
            if !holds {
                broken.push(what.as_str());
            }
        }
        ensure!(
            !must_hold || broken.is_empty(),
            "not held: {}",
            broken.join(", ")
        );
        Ok(())
    }
}
