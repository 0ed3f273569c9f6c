//! Plays on time: what a site is like for how many seconds, and what the desks are told meanwhile.

use super::*;

/// A site that has nothing wrong.
fn fine() -> Seen {
    Seen {
        site: SiteId(1),
        lost: None,
        heard: true,
        link: Some(LinkStats {
            rtt_ms: Some(20.0),
            jitter_ms: Some(2.0),
            level_dbov: Some(-30),
            loud_dbov: Some(-35),
            fps: 25.0,
            ..LinkStats::default()
        }),
    }
}

fn with(change: impl FnOnce(&mut LinkStats)) -> Seen {
    let mut seen = fine();
    change(seen.link.as_mut().unwrap());
    seen
}

/// Without a microphone.
fn soundless() -> Seen {
    with(|link| (link.level_dbov, link.loud_dbov, link.jitter_ms) = (None, None, None))
}

fn lossy(percent: f32) -> Seen {
    with(|link| link.loss_percent = percent)
}

/// One site, watched from second 1 on.
struct Play {
    health: Health,
    second: u64,
    told: Vec<String>,
}

impl Play {
    fn new() -> Self {
        Self {
            health: Health::new(HealthLimits::default()),
            second: 0,
            told: vec![],
        }
    }

    /// So many seconds like this.
    fn like(mut self, seconds: u64, seen: Seen) -> Self {
        for _ in 0..seconds {
            self.second += 1;
            let turned = self.health.take(&[seen], Millis(self.second * 1_000));
            let at = self.second;
            self.told.extend(turned.began.iter().map(|alarm| {
                let of =
                    |figure: Option<f32>| figure.map_or("-".into(), |figure| figure.to_string());
                let (kind, since) = (alarm.kind, alarm.since.0 / 1_000);
                let (value, limit) = (of(alarm.value), of(alarm.limit));
                format!("{at}: {kind:?} {value}/{limit} since {since}")
            }));
            let over = turned.over.iter();
            self.told
                .extend(over.map(|alarm| format!("{at}: {:?} over", alarm.kind)));
        }
        self
    }

    fn acknowledged(mut self, by: &str) -> Self {
        let alarm = self.health.alarms()[0].alarm;
        assert!(self.health.acknowledge(alarm, seen_by(by)));
        self
    }

    fn tells(self, expected: &[&str]) -> Self {
        assert_eq!(self.told, expected);
        self
    }
}

fn seen_by(by: &str) -> Acknowledged {
    Acknowledged {
        seat: diemcau_model::SeatId(7),
        by: by.into(),
        at: Millis(1),
    }
}

#[test]
fn what_is_bad_for_long_enough_is_an_alarm_and_what_is_good_for_longer_ends_it() {
    Play::new()
        .like(3, fine())
        .like(20, lossy(7.24))
        .like(20, fine())
        .tells(&["8: Loss 7.2/5 since 4", "33: Loss over"]);
}

#[test]
fn a_moment_is_no_alarm_and_a_good_moment_ends_none() {
    Play::new()
        .like(4, lossy(50.0))
        .like(1, lossy(4.9))
        .like(4, lossy(50.0))
        .like(1, fine())
        .like(5, lossy(5.0))
        .like(9, fine())
        .like(1, lossy(9.0))
        .like(10, fine())
        .tells(&["15: Loss 5/5 since 11", "35: Loss over"]);
}

#[test]
fn an_alarm_says_the_latest_figure_that_was_bad() {
    let play = Play::new().like(5, lossy(6.0)).like(1, lossy(40.0));
    let play = play.like(3, fine());
    let alarms = play.health.alarms();
    assert_eq!((alarms.len(), alarms[0].value), (1, Some(40.0)));
    assert_eq!(alarms[0].since, Millis(1_000));
}

#[test]
fn every_figure_has_its_limit() {
    let bad: [(HealthKind, Seen); 10] = [
        (HealthKind::Silent, with(|link| link.level_dbov = Some(-60))),
        (HealthKind::NoSound, soundless()),
        (HealthKind::Clipping, with(|link| link.loud_dbov = Some(-3))),
        (HealthKind::Loss, lossy(5.0)),
        (
            HealthKind::LossDown,
            with(|link| link.down_loss_percent = Some(5.0)),
        ),
        (
            HealthKind::RoundTrip,
            with(|link| link.rtt_ms = Some(300.0)),
        ),
        (HealthKind::Jitter, with(|link| link.jitter_ms = Some(50.0))),
        (HealthKind::FewFrames, with(|link| link.fps = 4.9)),
        (HealthKind::Freezes, with(|link| link.freezes = 3)),
        (
            HealthKind::LessShown,
            with(|link| link.step = LinkStep::FewerTiles),
        ),
    ];
    for (kind, seen) in bad {
        let play = Play::new().like(10, seen);
        let alarms = play.health.alarms();
        assert_eq!(
            alarms.iter().map(|alarm| alarm.kind).collect::<Vec<_>>(),
            [kind]
        );
        assert_eq!(play.health.verdict(SiteId(1)).bad, [kind]);
    }
    let good = with(|link| {
        (link.level_dbov, link.loud_dbov) = (Some(-59), Some(-4));
        (link.loss_percent, link.rtt_ms, link.jitter_ms) = (4.9, Some(299.0), Some(49.0));
        (link.fps, link.freezes, link.down_loss_percent) = (5.0, 2, Some(4.9));
    });
    Play::new().like(60, good).tells(&[]);
}

#[test]
fn a_closed_microphone_may_be_silent_and_an_open_one_that_closes_is_no_alarm_any_more() {
    let quiet = with(|link| link.level_dbov = Some(-127));
    let closed = Seen {
        heard: false,
        ..quiet
    };
    Play::new()
        .like(20, closed)
        .like(7, quiet)
        .like(1, closed)
        .tells(&["25: Silent -127/-60 since 21", "28: Silent over"]);
}

#[test]
fn a_room_without_a_microphone_is_an_alarm_before_it_is_called_and_one_that_does_not_say_how_loud_it_is_is_none()
 {
    let level_unknown = with(|link| link.level_dbov = None);
    Play::new().like(20, level_unknown).tells(&[]);
    let closed = Seen {
        heard: false,
        ..soundless()
    };
    Play::new()
        .like(8, closed)
        .like(8, soundless())
        .like(10, fine())
        .tells(&["10: NoSound -/- since 1", "26: NoSound over"]);
}

#[test]
fn who_never_sent_a_picture_misses_none() {
    let soundless = with(|link| link.fps = 0.0);
    Play::new().like(20, soundless).tells(&[]);
    Play::new()
        .like(1, fine())
        .like(5, soundless)
        .tells(&["6: FewFrames 0/5 since 2"]);
}

#[test]
fn a_lost_link_is_told_at_once_and_nothing_is_over_before_its_good_seconds() {
    let lost = Seen {
        lost: Some(Millis(7_000)),
        heard: false,
        link: None,
        ..fine()
    };
    Play::new()
        .like(9, lossy(60.0))
        .like(3, lost)
        .like(10, fine())
        .tells(&[
            "5: Loss 60/5 since 1",
            "10: LinkLost -/- since 7",
            "19: Loss over",
            "22: LinkLost over",
        ]);
    // Made anew every few seconds it is one alarm, and stays seen to.
    Play::new()
        .like(2, lost)
        .like(5, fine())
        .like(2, lost)
        .like(5, fine())
        .tells(&["1: LinkLost -/- since 7"]);
    let never = Seen { lost: None, ..lost };
    let play = Play::new().like(20, never).tells(&[]);
    assert_eq!(play.health.verdict(SiteId(1)), Verdict::default());
}

#[test]
fn the_first_who_sees_to_an_alarm_stays_and_the_next_alarm_is_nobodys() {
    let play = Play::new().like(5, lossy(9.0));
    let first = play.health.alarms()[0].clone();
    let play = play.acknowledged("Kỹ thuật 1").acknowledged("Kỹ thuật 2");
    let play = play.like(3, lossy(8.0));
    let alarms = play.health.alarms();
    assert_eq!(alarms[0].acknowledged, Some(seen_by("Kỹ thuật 1")));
    assert_eq!(alarms[0].value, Some(8.0));

    let mut play = play.like(10, fine()).like(5, lossy(9.0));
    let again = play.health.alarms()[0].clone();
    assert_eq!(again.acknowledged, None);
    assert_ne!(again.alarm, first.alarm);
    assert!(!play.health.acknowledge(first.alarm, seen_by("Kỹ thuật 1")));
    assert!(!play.health.acknowledge(HealthId(99), seen_by("Kỹ thuật 1")));
    assert_eq!(play.health.alarms(), [again], "and nothing has changed");
}

#[test]
fn a_step_is_told_as_it_is_now() {
    let step = |step| with(|link| link.step = step);
    let play = Play::new()
        .like(5, step(LinkStep::FewerTiles))
        .like(1, step(LinkStep::SoundOnly));
    assert_eq!(play.health.alarms()[0].step, Some(LinkStep::SoundOnly));
    assert_eq!(play.health.alarms().len(), 1);
}

#[test]
fn bars_say_how_near_the_limits_a_link_is() {
    let bars = |seen: Seen| Play::new().like(1, seen).health.verdict(SiteId(1)).bars;
    let step = |step| with(|link| link.step = step);
    let rtt = |ms| with(|link| link.rtt_ms = Some(ms));
    assert_eq!(
        [0.0, 1.0, 2.5, 5.0].map(|loss| bars(lossy(loss))),
        [4, 3, 2, 1]
    );
    assert_eq!(
        [50.0, 60.0, 150.0, 300.0].map(|ms| bars(rtt(ms))),
        [4, 3, 2, 1]
    );
    let steps = [LinkStep::FewerTiles, LinkStep::SoundOnly];
    assert_eq!(steps.map(|down| bars(step(down))), [2, 1]);
}

#[test]
fn a_site_has_one_alarm_of_a_kind_and_every_site_its_own() {
    let mut health = Health::new(HealthLimits::default());
    let sites: Vec<Seen> = (0..64)
        .map(|site| Seen {
            site: SiteId(site),
            ..with(|link| {
                (link.loss_percent, link.rtt_ms) = (50.0, Some(900.0));
            })
        })
        .collect();
    for second in 1..50 {
        health.take(&sites, Millis(second * 1_000));
    }
    assert_eq!(health.alarms().len(), 64 * 2);
    let order: Vec<_> = health
        .alarms()
        .iter()
        .map(|alarm| (alarm.site, alarm.kind))
        .collect();
    assert!(order.is_sorted());
}
