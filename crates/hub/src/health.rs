//! Decides what is wrong with the sites: a second's figures go in, alarms come out. Volatile, never journalled.
//!
//! Nothing here reads a clock or tells anybody; the room asks once a second and passes on what changed.

use diemcau_model::{HealthId, HealthKind, LinkStats, LinkStep, Millis, SiteId};
use diemcau_protocol::{Acknowledged, HealthAlarm};
use std::collections::{BTreeMap, BTreeSet};

/// From which figures on something is wrong, and how long it must last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthLimits {
    /// Percent of a site's packets that are lost, and of those to it.
    pub loss_percent: f32,
    /// Milliseconds to a site and back.
    pub rtt_ms: f32,
    /// Milliseconds by which its sound arrives unevenly.
    pub jitter_ms: f32,
    /// Frames a second; fewer are too few. 0: none are.
    pub least_fps: f32,
    /// Times its picture stands still in ten seconds.
    pub freezes: u16,
    /// Loudness in dBov: an open microphone that stays at or under it is silent.
    pub silence_dbov: i8,
    /// Loudness in dBov: sound that is at or over it for a tenth of a second clips.
    pub clipping_dbov: i8,
    /// Seconds without a break after which what is wrong is an alarm.
    pub after_seconds: u16,
    /// Seconds without a break after which an alarm is over.
    pub over_seconds: u16,
}

/// What is known of a site in one second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) site: SiteId,
    /// Since when nothing carries it, though something did.
    pub(crate) lost: Option<Millis>,
    /// Its microphone is open.
    pub(crate) heard: bool,
    /// The figures of what carries it.
    pub(crate) link: Option<LinkStats>,
}

/// What the figures of one second say about one site.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Verdict {
    /// See [`diemcau_protocol::SiteTelemetry`].
    pub(crate) bars: u8,
    pub(crate) bad: Vec<HealthKind>,
}

/// Alarms that began and ended in one second.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Turned {
    pub(crate) began: Vec<HealthAlarm>,
    pub(crate) over: Vec<HealthAlarm>,
}

/// What is wrong with the sites, and what may be soon.
#[derive(Debug)]
pub(crate) struct Health {
    limits: HealthLimits,
    watches: BTreeMap<(SiteId, HealthKind), Watch>,
    /// Sites whose picture came since they were linked: who never sent one misses none.
    pictured: BTreeSet<SiteId>,
    verdicts: BTreeMap<SiteId, Verdict>,
    last: u64,
}

/// One kind of trouble of one site. Kept only while there is some.
#[derive(Debug)]
struct Watch {
    since: Millis,
    /// Seconds it has been wrong, or good again, without a break.
    run: u16,
    alarm: Option<HealthAlarm>,
}

/// One question about one second.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    /// Past the limit, by these figures.
    Bad(Figures),
    Good,
    /// The question does not arise: nothing is waited for.
    Moot,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Figures {
    value: Option<f32>,
    limit: Option<f32>,
    step: Option<LinkStep>,
}

impl Default for HealthLimits {
    fn default() -> Self {
        Self {
            loss_percent: 5.0,
            rtt_ms: 300.0,
            jitter_ms: 50.0,
            least_fps: 5.0,
            freezes: 3,
            silence_dbov: -60,
            clipping_dbov: -3,
            after_seconds: 5,
            over_seconds: 10,
        }
    }
}

impl Health {
    pub(crate) fn new(limits: HealthLimits) -> Self {
        Self {
            limits,
            watches: BTreeMap::new(),
            pictured: BTreeSet::new(),
            verdicts: BTreeMap::new(),
            last: 0,
        }
    }

    /// Takes the second of every site.
    pub(crate) fn take(&mut self, sites: &[Seen], now: Millis) -> Turned {
        let mut turned = Turned::default();
        self.verdicts.clear();
        for seen in sites {
            self.remember_picture(seen);
            let mut bad = vec![];
            for kind in HealthKind::ALL {
                let answer = self.ask(kind, seen);
                if matches!(answer, Answer::Bad(_)) {
                    bad.push(kind);
                }
                self.watch(seen, kind, answer, now, &mut turned);
            }
            let bars = seen.link.map_or(0, |link| self.limits.bars(&link));
            self.verdicts.insert(seen.site, Verdict { bars, bad });
        }
        turned
    }

    /// What the last second said about a site.
    pub(crate) fn verdict(&self, site: SiteId) -> Verdict {
        self.verdicts.get(&site).cloned().unwrap_or_default()
    }

    /// Everything that is wrong now, by site, the most urgent first. Of a lost site that is all there is to say.
    pub(crate) fn alarms(&self) -> Vec<HealthAlarm> {
        let lost = |site: SiteId| {
            let watch = self.watches.get(&(site, HealthKind::LinkLost));
            watch.is_some_and(|watch| watch.alarm.is_some())
        };
        let alarms = self
            .watches
            .values()
            .filter_map(|watch| watch.alarm.as_ref());
        alarms
            .filter(|alarm| alarm.kind == HealthKind::LinkLost || !lost(alarm.site))
            .cloned()
            .collect()
    }

    /// Notes that somebody sees to an alarm; the first who said so stays. False: there is no such alarm.
    pub(crate) fn acknowledge(&mut self, alarm: HealthId, by: Acknowledged) -> bool {
        let alarms = self.watches.values_mut().map(|watch| &mut watch.alarm);
        let Some(found) = alarms.flatten().find(|found| found.alarm == alarm) else {
            return false;
        };
        found.acknowledged.get_or_insert(by);
        true
    }

    fn remember_picture(&mut self, seen: &Seen) {
        match seen.link {
            Some(link) if link.fps > 0.0 => {
                self.pictured.insert(seen.site);
            }
            Some(_) => {}
            None => {
                self.pictured.remove(&seen.site);
            }
        }
    }

    fn ask(&self, kind: HealthKind, seen: &Seen) -> Answer {
        if kind == HealthKind::LinkLost {
            return match seen.lost {
                Some(_) => Answer::Bad(Figures::default()),
                None => Answer::Good,
            };
        }
        // Not over at once: a link that is made anew every few seconds is one bad link, and one person sees to it.
        let Some(link) = seen.link else {
            return Answer::Good;
        };
        let limits = &self.limits;
        match kind {
            HealthKind::LinkLost => Answer::Moot,
            HealthKind::Silent => match seen.heard {
                true => limits.silence(&link),
                false => Answer::Moot,
            },
            HealthKind::NoSound => match brings_sound(&link) {
                true => Answer::Good,
                false => Answer::Bad(Figures::default()),
            },
            HealthKind::Clipping => at_least(link.loud_dbov.map(f32::from), limits.clipping_dbov),
            HealthKind::Loss => at_least(Some(link.loss_percent), limits.loss_percent),
            HealthKind::LossDown => at_least(link.down_loss_percent, limits.loss_percent),
            HealthKind::RoundTrip => at_least(link.rtt_ms, limits.rtt_ms),
            HealthKind::Jitter => at_least(link.jitter_ms, limits.jitter_ms),
            HealthKind::FewFrames => match self.pictured.contains(&seen.site) {
                true => limits.frames(&link),
                false => Answer::Moot,
            },
            HealthKind::Freezes => at_least(Some(f32::from(link.freezes)), limits.freezes),
            HealthKind::LessShown => match link.step {
                LinkStep::Full => Answer::Good,
                LinkStep::FewerTiles
                | LinkStep::SmallerProgramme
                | LinkStep::NoPresentation
                | LinkStep::SoundOnly
                | LinkStep::ControlOnly => Answer::Bad(Figures {
                    step: Some(link.step),
                    ..Figures::default()
                }),
            },
        }
    }

    fn watch(
        &mut self,
        seen: &Seen,
        kind: HealthKind,
        answer: Answer,
        now: Millis,
        turned: &mut Turned,
    ) {
        let key = (seen.site, kind);
        match answer {
            Answer::Bad(figures) => {
                let since = seen.lost.unwrap_or(now);
                let watch = self.watches.entry(key).or_insert_with(|| Watch::new(since));
                if watch.is_wrong_for(self.limits.patience(kind)) {
                    self.last += 1;
                    let alarm = watch.raise(HealthId(self.last), key, figures);
                    turned.began.push(alarm);
                }
                watch.follow(figures);
            }
            Answer::Good | Answer::Moot => {
                let patience = match answer {
                    Answer::Good => self.limits.over_seconds,
                    Answer::Moot | Answer::Bad(_) => 0,
                };
                let watch = self.watches.get_mut(&key);
                if watch.is_some_and(|watch| watch.is_good_for(patience)) {
                    let gone = self.watches.remove(&key).and_then(|watch| watch.alarm);
                    turned.over.extend(gone);
                }
            }
        }
    }
}

impl Watch {
    fn new(since: Millis) -> Self {
        Self {
            since,
            run: 0,
            alarm: None,
        }
    }

    /// Another second was wrong; true when that makes an alarm.
    fn is_wrong_for(&mut self, seconds: u16) -> bool {
        if self.alarm.is_some() {
            self.run = 0;
            return false;
        }
        self.run = self.run.saturating_add(1);
        self.run >= seconds
    }

    /// Another second was good; true when nothing is left to watch.
    fn is_good_for(&mut self, seconds: u16) -> bool {
        self.run = self.run.saturating_add(1);
        self.alarm.is_none() || self.run >= seconds
    }

    fn raise(
        &mut self,
        id: HealthId,
        (site, kind): (SiteId, HealthKind),
        figures: Figures,
    ) -> HealthAlarm {
        self.run = 0;
        let alarm = HealthAlarm {
            alarm: id,
            site,
            kind,
            since: self.since,
            value: figures.value,
            limit: figures.limit,
            step: figures.step,
            acknowledged: None,
        };
        self.alarm.insert(alarm).clone()
    }

    /// The alarm says the latest figures that were past the limit.
    fn follow(&mut self, figures: Figures) {
        if let Some(alarm) = &mut self.alarm {
            (alarm.value, alarm.step) = (figures.value, figures.step);
        }
    }
}

impl HealthLimits {
    /// How many seconds something must be wrong. A lost link is no figure that comes and goes: it is told at once.
    fn patience(&self, kind: HealthKind) -> u16 {
        match kind {
            HealthKind::LinkLost => 0,
            // A machine that has just come in may still be opening its microphone.
            HealthKind::NoSound => self.after_seconds.saturating_mul(2),
            HealthKind::Silent
            | HealthKind::Clipping
            | HealthKind::Loss
            | HealthKind::LossDown
            | HealthKind::RoundTrip
            | HealthKind::Jitter
            | HealthKind::FewFrames
            | HealthKind::Freezes
            | HealthKind::LessShown => self.after_seconds,
        }
    }

    /// A sender that does not say how loud it is may be anything.
    fn silence(&self, link: &LinkStats) -> Answer {
        match link.level_dbov.filter(|level| *level <= self.silence_dbov) {
            Some(level) => bad(Some(f32::from(level)), f32::from(self.silence_dbov)),
            None => Answer::Good,
        }
    }

    fn frames(&self, link: &LinkStats) -> Answer {
        match link.fps < self.least_fps {
            true => bad(Some(link.fps), self.least_fps),
            false => Answer::Good,
        }
    }

    /// How good a link is, by the worst of its figures: 1 past a limit, 2 from half of it, 3 from a fifth, 4 below. What
    /// brings a screen less than it asks for is fair at best, and weak when it brings no picture.
    fn bars(&self, link: &LinkStats) -> u8 {
        let parts = [
            link.loss_percent / self.loss_percent,
            link.down_loss_percent.unwrap_or(0.0) / self.loss_percent,
            link.rtt_ms.unwrap_or(0.0) / self.rtt_ms,
            link.jitter_ms.unwrap_or(0.0) / self.jitter_ms,
        ];
        let worst = parts.into_iter().fold(0.0, f32::max);
        let up = match worst {
            _ if worst >= 1.0 => 1,
            _ if worst >= 0.5 => 2,
            _ if worst >= 0.2 => 3,
            _ => 4,
        };
        let down = match link.step {
            LinkStep::Full => 4,
            LinkStep::FewerTiles | LinkStep::SmallerProgramme | LinkStep::NoPresentation => 2,
            LinkStep::SoundOnly | LinkStep::ControlOnly => 1,
        };
        up.min(down)
    }
}

/// Also a closed microphone sends, and so has its unevenness.
fn brings_sound(link: &LinkStats) -> bool {
    link.level_dbov.is_some() || link.jitter_ms.is_some()
}

fn at_least(value: Option<f32>, limit: impl Into<f32>) -> Answer {
    let limit = limit.into();
    match value.filter(|value| *value >= limit) {
        Some(value) => bad(Some(value), limit),
        None => Answer::Good,
    }
}

/// With a digit behind the comma at most: what cannot be read changes nothing.
fn bad(value: Option<f32>, limit: f32) -> Answer {
    Answer::Bad(Figures {
        value: value.map(|value| (value * 10.0).round() / 10.0),
        limit: Some(limit),
        step: None,
    })
}

#[cfg(test)]
mod tests;
