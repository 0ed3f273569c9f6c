//! From rounds to figures: medians and ranges, and ratios taken round by round, because neighbours disturb a whole round.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A round counts only if so much arrived: a starved server gathers more and looks cheaper than it is.
pub const DELIVERED_MIN: f64 = 0.999;
/// Whose name the ratios are ours divided by.
pub const OURS: &str = "diemcau";

/// What one contender did in one round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round {
    /// CPU of the server by packets delivered, in microseconds.
    pub us_per_packet: f64,
    pub delivered: f64,
    pub packets_per_second: f64,
    pub delay_p50_ms: f64,
    pub delay_p99_ms: f64,
    /// Of one core.
    pub load_share: f64,
}

impl Round {
    /// Reads the generator's report.
    #[must_use]
    pub fn read(report: &Value) -> Self {
        let number = |key: &str| report[key].as_f64().unwrap_or(f64::NAN);
        let window = number("window_s");
        Self {
            us_per_packet: number("cpu_ns") / number("delivered") / 1_000.0,
            delivered: number("ratio"),
            packets_per_second: number("delivered") / window,
            delay_p50_ms: number("delay_p50_ms"),
            delay_p99_ms: number("delay_p99_ms"),
            load_share: number("load_cpu_ns") / window / 1e9,
        }
    }

    /// Whether it counts.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.delivered >= DELIVERED_MIN && self.us_per_packet.is_finite()
    }
}

/// Every contender's rounds, in their order; a round that failed is none.
#[derive(Debug, Default)]
pub struct Table {
    pub rounds: BTreeMap<&'static str, Vec<Option<Round>>>,
    pub syscalls: BTreeMap<&'static str, f64>,
    pub missing: BTreeMap<&'static str, String>,
    /// The machine's load average at the beginning of each round.
    pub load_averages: Vec<f64>,
}

/// The middle of some values, and their ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Table {
    /// Ours by theirs, over the rounds in which both count.
    #[must_use]
    pub fn ratio(&self, theirs: &str) -> Option<Spread> {
        let (ours, theirs) = (self.rounds.get(OURS)?, self.rounds.get(theirs)?);
        let both = ours.iter().zip(theirs).filter_map(|(ours, theirs)| {
            let (ours, theirs) = (counting(ours)?, counting(theirs)?);
            Some(ours.us_per_packet / theirs.us_per_packet)
        });
        Spread::of(both)
    }

    /// A figure of a contender over the rounds that count.
    #[must_use]
    pub fn spread(&self, name: &str, figure: impl Fn(&Round) -> f64) -> Option<Spread> {
        let rounds = self.rounds.get(name)?;
        Spread::of(
            rounds
                .iter()
                .filter_map(counting)
                .map(|round| figure(&round)),
        )
    }

    /// For people.
    #[must_use]
    pub fn text(&self, order: &[&'static str]) -> String {
        let mut text = format!(
            "{:<20} {:>7} {:>22} {:>22} {:>17} {:>9} {:>9} {:>6}\n",
            "",
            "rounds",
            "us/packet",
            "ours by theirs",
            "p50 / p99 ms",
            "syscalls",
            "packets/s",
            "load"
        );
        for name in order {
            if let Some(why) = self.missing.get(name) {
                let _ = writeln!(text, "{name:<20} missing: {why}");
                continue;
            }
            let Some(rounds) = self.rounds.get(name) else {
                continue;
            };
            let counted = rounds.iter().filter_map(counting).count();
            let middle = |figure: fn(&Round) -> f64| self.spread(name, figure).map(|of| of.median);
            let p50 = number(middle(|round| round.delay_p50_ms), 2);
            let p99 = number(middle(|round| round.delay_p99_ms), 2);
            let _ = writeln!(
                text,
                "{name:<20} {:>7} {:>22} {:>22} {:>17} {:>9} {:>9} {:>6}",
                format!("{counted}/{}", rounds.len()),
                spread(self.spread(name, |round| round.us_per_packet)),
                if *name == OURS {
                    String::new()
                } else {
                    spread(self.ratio(name))
                },
                format!("{p50} / {p99}"),
                number(self.syscalls.get(name).copied(), 2),
                number(middle(|round| round.packets_per_second), 0),
                number(middle(|round| round.load_share), 2),
            );
            for round in rounds.iter().flatten().filter(|round| !round.counts()) {
                let share = round.delivered * 100.0;
                let _ = writeln!(
                    text,
                    "{:<20} a round does not count: {share:.2}% delivered",
                    ""
                );
            }
        }
        let averages = Spread::of(self.load_averages.iter().copied());
        let _ = writeln!(
            text,
            "median [range] of rounds with at least {DELIVERED_MIN} delivered; load average of the machine {}",
            spread(averages)
        );
        text
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut ratios = serde_json::Map::new();
        let mut figures = serde_json::Map::new();
        for (name, rounds) in &self.rounds {
            if *name != OURS {
                ratios.insert((*name).to_owned(), value(self.ratio(name)));
            }
            let figure = |figure: fn(&Round) -> f64| value(self.spread(name, figure));
            let syscalls = self.syscalls.get(name);
            let described = json!({
                "us_per_packet": figure(|round| round.us_per_packet),
                "delay_p50_ms": figure(|round| round.delay_p50_ms),
                "delay_p99_ms": figure(|round| round.delay_p99_ms),
                "packets_per_second": figure(|round| round.packets_per_second),
                "delivered": figure(|round| round.delivered),
                "syscalls_per_packet": syscalls,
                "rounds": rounds.len(),
                "rounds_counted": rounds.iter().filter_map(counting).count(),
            });
            figures.insert((*name).to_owned(), described);
        }
        for name in self.missing.keys() {
            ratios.insert((*name).to_owned(), Value::Null);
        }
        json!({
            "ratios": ratios,
            "figures": figures,
            "missing": self.missing,
            "load_average": value_range(Spread::of(self.load_averages.iter().copied())),
        })
    }
}

impl Spread {
    /// None of no values.
    pub fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        let median = f64::midpoint(low, high);
        Some(Self { median, min, max })
    }
}

fn counting(round: &Option<Round>) -> Option<Round> {
    round.filter(Round::counts)
}

fn spread(spread: Option<Spread>) -> String {
    spread.map_or("-".to_owned(), |spread| {
        let Spread { median, min, max } = spread;
        format!("{median:.2} [{min:.2}..{max:.2}]")
    })
}

fn number(number: Option<f64>, digits: usize) -> String {
    number.map_or("-".to_owned(), |number| format!("{number:.digits$}"))
}

fn value(spread: Option<Spread>) -> Value {
    spread.map_or(Value::Null, |spread| round(spread.median).into())
}

fn value_range(spread: Option<Spread>) -> Value {
    spread.map_or(Value::Null, |spread| json!([spread.min, spread.max]))
}

fn round(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(us_per_packet: f64, delivered: f64) -> Option<Round> {
        Some(Round {
            us_per_packet,
            delivered,
            packets_per_second: 30_000.0,
            delay_p50_ms: 1.0,
            delay_p99_ms: 4.0,
            load_share: 0.4,
        })
    }

    fn table() -> Table {
        let mut table = Table::default();
        // The second round was a bad one for everybody, the third starved the other.
        table.rounds.insert(
            OURS,
            vec![
                done(5.0, 1.0),
                done(10.0, 0.9995),
                done(5.0, 1.0),
                done(6.0, 1.0),
            ],
        );
        table.rounds.insert(
            "janus_default",
            vec![done(20.0, 1.0), done(40.0, 1.0), done(2.0, 0.9), None],
        );
        table.missing.insert("pion", "not installed".to_owned());
        table.load_averages = vec![1.0, 3.0];
        table
    }

    #[test]
    fn ratios_are_taken_round_by_round_and_starved_rounds_do_not_count() {
        let ratio = table().ratio("janus_default").unwrap();
        assert_eq!((ratio.median, ratio.min, ratio.max), (0.25, 0.25, 0.25));
        let theirs = table().spread("janus_default", |round| round.us_per_packet);
        assert_eq!(theirs.unwrap().median, 30.0);
        let ours = table().spread(OURS, |round| round.us_per_packet).unwrap();
        assert_eq!((ours.median, ours.min, ours.max), (5.5, 5.0, 10.0));
        assert_eq!(table().ratio("pion"), None);
    }

    #[test]
    fn the_json_has_the_ratios_and_what_is_missing() {
        let json = table().json();
        assert_eq!(json["ratios"]["janus_default"], 0.25);
        assert_eq!(json["ratios"]["pion"], Value::Null);
        assert_eq!(json["missing"]["pion"], "not installed");
        assert_eq!(json["figures"]["janus_default"]["rounds_counted"], 2);
        assert_eq!(json["load_average"], json!([1.0, 3.0]));
    }

    #[test]
    fn the_table_names_what_does_not_count() {
        let text = table().text(&[OURS, "janus_default", "pion"]);
        assert!(text.contains("2/4"), "{text}");
        assert!(text.contains("90.00% delivered"), "{text}");
        assert!(text.contains("missing: not installed"), "{text}");
    }

    #[test]
    fn the_generators_report_becomes_a_round() {
        let report = json!({
            "expected": 1_000, "delivered": 1_000, "ratio": 1.0, "delay_p50_ms": 0.5, "delay_p99_ms": 2.0,
            "cpu_ns": 5_000_000, "load_cpu_ns": 100_000_000, "window_s": 0.5,
        });
        let round = Round::read(&report);
        assert!(round.counts());
        assert_eq!(
            (round.us_per_packet, round.packets_per_second),
            (5.0, 2_000.0)
        );
        assert_eq!(round.load_share, 0.2);
        assert!(!Round::read(&json!({})).counts());
    }
}
