//! What happened in a run, to be read by people; and how often each kind of thing happened.

use diemcau_conference::Event;
use diemcau_protocol::ClientCommand;
use std::{collections::BTreeMap, fmt::Display};
use tokio::time::Instant;

/// The lines of a run.
pub struct Trace {
    begun: Instant,
    /// One a line: milliseconds, who, what.
    pub lines: Vec<String>,
    /// How often each kind of thing was seen: a law that never met its case has proved nothing.
    pub tally: BTreeMap<String, u64>,
}

impl Trace {
    /// An empty trace of a run that begins now.
    #[must_use]
    pub fn new(begun: Instant) -> Self {
        Self {
            begun,
            lines: vec![],
            tally: BTreeMap::new(),
        }
    }

    /// Notes that somebody did something.
    pub fn say(&mut self, who: &str, what: impl Display) {
        let ms = self.begun.elapsed().as_millis();
        self.lines.push(format!(
            "{:>4}.{:03} {who:<7} {what}",
            ms / 1_000,
            ms % 1_000
        ));
    }

    /// Counts what is written about links and devices.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the others are counted by their commands"
    )]
    pub fn count_door(&mut self, event: &Event) {
        match event {
            Event::DeviceBound { .. } => self.count("device bound"),
            Event::DeviceBanned { .. } => self.count("device banned"),
            Event::DeviceGone { .. } => self.count("device gone"),
            _ => {}
        }
    }

    /// Counts something.
    pub fn count(&mut self, what: impl Into<String>) {
        self.count_many(what, 1);
    }

    /// Counts something that happened so often.
    pub fn count_many(&mut self, what: impl Into<String>, times: u64) {
        *self.tally.entry(what.into()).or_default() += times;
    }
}

/// A command as it goes over the wire.
#[must_use]
pub fn told(command: &ClientCommand) -> String {
    serde_json::to_string(command).unwrap_or_default()
}

/// The command's name.
#[must_use]
pub fn name(command: &ClientCommand) -> String {
    let written = serde_json::to_value(command).unwrap_or_default();
    let name = written.get("type").and_then(serde_json::Value::as_str);
    name.unwrap_or_default().to_owned()
}
