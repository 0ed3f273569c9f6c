//! What the hub counts, for `/metrics`. Labels are bounded: reasons, never names or ids.

mod health;

use diemcau_model::Alarm;
use diemcau_protocol::ErrorWhy;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::collections::BTreeSet;

pub use health::HealthMetrics;

/// The hub's counters.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Connections open now.
    pub connections: Gauge,
    /// Frames taken in.
    pub frames: Counter,
    /// Commands that took effect.
    pub accepted: Counter,
    /// Commands that were refused.
    pub refused: Counter,
    /// Commands that came again and got their old answer.
    pub repeated: Counter,
    /// Frames and connections that could not be taken, by reason.
    pub errors: Family<Reason, Counter>,
    /// Connections cut because too much waited for them.
    pub lagging: Counter,
    /// Bytes of snapshots that were encoded: of a welcome only what has changed since another.
    pub snapshot_bytes: Counter,
    /// Connections whose task panicked: each was dropped alone.
    pub panics: Counter,
    /// Seconds from the first command of a batch to its sync.
    pub commit_seconds: Histogram,
    /// Commits that failed.
    pub commit_failures: Counter,
    /// 1 while something is wrong with the record, by what.
    pub alarms: Family<Reason, Gauge>,
    /// The sites' figures, and what is wrong with them.
    pub health: HealthMetrics,
}

/// Why a frame or a connection could not be taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    why: String,
}

impl Metrics {
    /// Makes the counters and registers them.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("diemcau");
        let metrics = Self {
            connections: Gauge::default(),
            frames: Counter::default(),
            accepted: Counter::default(),
            refused: Counter::default(),
            repeated: Counter::default(),
            errors: Family::default(),
            lagging: Counter::default(),
            snapshot_bytes: Counter::default(),
            panics: Counter::default(),
            commit_seconds: Histogram::new([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0]),
            commit_failures: Counter::default(),
            alarms: Family::default(),
            health: HealthMetrics::register(registry),
        };
        registry.register(
            "connections",
            "Connections open now",
            metrics.connections.clone(),
        );
        registry.register("frames", "Frames taken in", metrics.frames.clone());
        registry.register(
            "commands_accepted",
            "Commands that took effect",
            metrics.accepted.clone(),
        );
        registry.register(
            "commands_refused",
            "Commands that were refused",
            metrics.refused.clone(),
        );
        registry.register(
            "commands_repeated",
            "Commands that came again",
            metrics.repeated.clone(),
        );
        registry.register(
            "errors",
            "Frames and connections that could not be taken",
            metrics.errors.clone(),
        );
        registry.register(
            "lagging",
            "Connections cut because too much waited",
            metrics.lagging.clone(),
        );
        registry.register(
            "snapshot_bytes",
            "Bytes of snapshots that were encoded",
            metrics.snapshot_bytes.clone(),
        );
        registry.register(
            "connection_panics",
            "Connections whose task panicked",
            metrics.panics.clone(),
        );
        registry.register(
            "commit_seconds",
            "From a batch's first command to its sync",
            metrics.commit_seconds.clone(),
        );
        registry.register(
            "commit_failures",
            "Commits that failed",
            metrics.commit_failures.clone(),
        );
        registry.register(
            "alarms",
            "1 while something is wrong with the record",
            metrics.alarms.clone(),
        );
        metrics.alarms(&BTreeSet::new());
        metrics
    }

    pub(crate) fn error(&self, why: ErrorWhy) {
        let why = word(serde_json::to_value(why));
        self.errors.get_or_create(&Reason { why }).inc();
    }

    /// Sets every alarm, also those that are off: an absent series raises nothing and clears nothing.
    pub(crate) fn alarms(&self, on: &BTreeSet<Alarm>) {
        for alarm in Alarm::ALL {
            let value = i64::from(on.contains(&alarm));
            let why = word(serde_json::to_value(alarm));
            self.alarms.get_or_create(&Reason { why }).set(value);
        }
    }
}

/// A label: the word that the wire has for it.
fn word(value: serde_json::Result<serde_json::Value>) -> String {
    let word = value.as_ref().ok().and_then(serde_json::Value::as_str);
    word.unwrap_or_default().to_owned()
}
