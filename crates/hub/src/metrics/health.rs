//! The sites in `/metrics`. Labels are bounded: a site's number, of at most `SITES_MAX`, and what may be wrong with it.

use crate::health::Seen;
use diemcau_model::{HealthKind, LinkStats, LinkStep};
use diemcau_protocol::HealthAlarm;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};
use std::{collections::BTreeSet, sync::atomic::AtomicU64};

/// What is known and what is wrong, by site.
#[derive(Clone, Debug, Default)]
pub struct HealthMetrics {
    alarms: Family<Trouble, Gauge>,
    figures: [Family<OfSite, Figure>; FIGURES.len()],
}

type Figure = Gauge<f64, AtomicU64>;

/// A figure's name, its sentence, and where it stands; a figure that is not known has no series.
type Known = (&'static str, &'static str, fn(&LinkStats) -> Option<f64>);

const FIGURES: [Known; 11] = [
    (
        "site_loss_percent",
        "Packets of a site that did not arrive, in percent",
        |link| Some(link.loss_percent.into()),
    ),
    (
        "site_down_loss_percent",
        "Packets to a site that did not arrive, in percent",
        |link| link.down_loss_percent.map(f64::from),
    ),
    (
        "site_round_trip_ms",
        "Milliseconds to a site and back",
        |link| link.rtt_ms.map(f64::from),
    ),
    (
        "site_jitter_ms",
        "Milliseconds by which a site's sound arrives unevenly",
        |link| link.jitter_ms.map(f64::from),
    ),
    ("site_up_bps", "Bits a second from a site", |link| {
        Some(link.up_bps as f64)
    }),
    ("site_down_bps", "Bits a second to a site", |link| {
        Some(link.down_bps as f64)
    }),
    (
        "site_frames_a_second",
        "Frames a second of a site's picture",
        |link| Some(link.fps.into()),
    ),
    (
        "site_freezes",
        "Times a site's picture stood still in ten seconds",
        |link| Some(link.freezes.into()),
    ),
    (
        "site_level_dbov",
        "Loudest moment of a site's second in dBov",
        |link| link.level_dbov.map(f64::from),
    ),
    (
        "site_loud_dbov",
        "Loudness that a tenth of a site's second reached in dBov",
        |link| link.loud_dbov.map(f64::from),
    ),
    (
        "site_step",
        "What a site's link makes of its screen: 0 everything, 3 no presentation, 4 sound only, 5 neither picture nor sound",
        |link| Some(step(link.step)),
    ),
];

/// Which site.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSite {
    site: u32,
}

/// What may be wrong with which site.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Trouble {
    site: u32,
    kind: String,
}

impl HealthMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "health_alarms",
            "1 while something is wrong with a site",
            metrics.alarms.clone(),
        );
        for ((name, help, _), family) in FIGURES.iter().zip(&metrics.figures) {
            registry.register(*name, *help, family.clone());
        }
        metrics
    }

    /// Sets every alarm, also those that are off: an absent series raises nothing and clears nothing.
    pub(crate) fn set(&self, sites: &[Seen], alarms: &[HealthAlarm]) {
        let on: BTreeSet<_> = alarms
            .iter()
            .map(|alarm| (alarm.site, alarm.kind))
            .collect();
        for seen in sites {
            let site = u32::from(seen.site.0);
            for kind in HealthKind::ALL {
                let value = i64::from(on.contains(&(seen.site, kind)));
                let kind = super::word(serde_json::to_value(kind));
                self.alarms
                    .get_or_create(&Trouble { site, kind })
                    .set(value);
            }
            self.set_figures(&OfSite { site }, seen.link.as_ref());
        }
    }

    fn set_figures(&self, site: &OfSite, link: Option<&LinkStats>) {
        for ((_, _, read), family) in FIGURES.iter().zip(&self.figures) {
            if let Some(value) = link.and_then(read) {
                family.get_or_create(site).set(value);
            } else {
                family.remove(site);
            }
        }
    }
}

fn step(step: LinkStep) -> f64 {
    match step {
        LinkStep::Full => 0.0,
        LinkStep::FewerTiles => 1.0,
        LinkStep::SmallerProgramme => 2.0,
        LinkStep::NoPresentation => 3.0,
        LinkStep::SoundOnly => 4.0,
        LinkStep::ControlOnly => 5.0,
    }
}
