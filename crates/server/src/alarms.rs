//! The limits of the sites' figures: by file, environment and flag.

use anyhow::{Result, ensure};
use clap::Args;
use diemcau_hub::HealthLimits;
use serde::Deserialize;
use std::ops::RangeInclusive;

/// Seconds an alarm may wait: a longer wait is a slip of the pen.
const WAITS: RangeInclusive<u16> = 1..=600;
/// dBov, as RFC 6464 counts them.
const LOUDNESS: RangeInclusive<i8> = -127..=0;

/// The table `alarm` of the settings: see there for what each key means.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarms {
    after_seconds: u16,
    over_seconds: u16,
    loss_percent: f32,
    rtt_ms: u16,
    jitter_ms: u16,
    least_fps: f32,
    freezes: u16,
    silence_dbov: i8,
    clipping_dbov: i8,
}

/// The same by flag or environment.
#[derive(Clone, Debug, Default, Args)]
pub struct AlarmFlags {
    /// Seconds a site's figure must be past its limit before that is an alarm
    #[arg(
        long,
        global = true,
        env = "DIEMCAU_ALARM_AFTER_SECONDS",
        value_name = "SECONDS"
    )]
    pub alarm_after_seconds: Option<u16>,
    /// Seconds it must be good before the alarm is over
    #[arg(
        long,
        global = true,
        env = "DIEMCAU_ALARM_OVER_SECONDS",
        value_name = "SECONDS"
    )]
    pub alarm_over_seconds: Option<u16>,
    /// Lost packets of a site, in percent, from which on something is wrong
    #[arg(
        long,
        global = true,
        env = "DIEMCAU_ALARM_LOSS_PERCENT",
        value_name = "PERCENT"
    )]
    pub alarm_loss_percent: Option<f32>,
    /// Milliseconds to a site and back from which on something is wrong
    #[arg(long, global = true, env = "DIEMCAU_ALARM_RTT_MS", value_name = "MS")]
    pub alarm_rtt_ms: Option<u16>,
    /// Milliseconds of jitter of a site's sound from which on something is wrong
    #[arg(
        long,
        global = true,
        env = "DIEMCAU_ALARM_JITTER_MS",
        value_name = "MS"
    )]
    pub alarm_jitter_ms: Option<u16>,
    /// Frames a second that a site's picture must have
    #[arg(
        long,
        global = true,
        env = "DIEMCAU_ALARM_LEAST_FPS",
        value_name = "FRAMES"
    )]
    pub alarm_least_fps: Option<f32>,
    /// Times in ten seconds that a site's picture may not stand still
    #[arg(
        long,
        global = true,
        env = "DIEMCAU_ALARM_FREEZES",
        value_name = "TIMES"
    )]
    pub alarm_freezes: Option<u16>,
    /// Loudness that an open microphone must reach not to be silent
    #[arg(
        long,
        global = true,
        env = "DIEMCAU_ALARM_SILENCE_DBOV",
        value_name = "DBOV",
        allow_negative_numbers = true
    )]
    pub alarm_silence_dbov: Option<i8>,
    /// Loudness from which a site's sound clips
    #[arg(
        long,
        global = true,
        env = "DIEMCAU_ALARM_CLIPPING_DBOV",
        value_name = "DBOV",
        allow_negative_numbers = true
    )]
    pub alarm_clipping_dbov: Option<i8>,
}

impl Alarms {
    /// What flags and environment say instead.
    pub fn follow(&mut self, flags: &AlarmFlags) {
        self.after_seconds = flags.alarm_after_seconds.unwrap_or(self.after_seconds);
        self.over_seconds = flags.alarm_over_seconds.unwrap_or(self.over_seconds);
        self.loss_percent = flags.alarm_loss_percent.unwrap_or(self.loss_percent);
        self.rtt_ms = flags.alarm_rtt_ms.unwrap_or(self.rtt_ms);
        self.jitter_ms = flags.alarm_jitter_ms.unwrap_or(self.jitter_ms);
        self.least_fps = flags.alarm_least_fps.unwrap_or(self.least_fps);
        self.freezes = flags.alarm_freezes.unwrap_or(self.freezes);
        self.silence_dbov = flags.alarm_silence_dbov.unwrap_or(self.silence_dbov);
        self.clipping_dbov = flags.alarm_clipping_dbov.unwrap_or(self.clipping_dbov);
    }

    /// What the hub decides by.
    ///
    /// # Errors
    /// A limit makes no sense: the error names it, and says what would.
    pub fn limits(&self) -> Result<HealthLimits> {
        let Self {
            after_seconds,
            over_seconds,
            loss_percent,
            rtt_ms,
            jitter_ms,
            least_fps,
            freezes,
            silence_dbov,
            clipping_dbov,
        } = *self;
        for (key, seconds) in [
            ("after_seconds", after_seconds),
            ("over_seconds", over_seconds),
        ] {
            ensure!(
                WAITS.contains(&seconds),
                "alarm.{key} is {seconds}: {} to {} seconds are sensible",
                WAITS.start(),
                WAITS.end()
            );
        }
        ensure!(
            loss_percent > 0.0 && loss_percent <= 100.0,
            "alarm.loss_percent is {loss_percent}: more than 0 and at most 100 are sensible"
        );
        for (key, limit) in [
            ("rtt_ms", rtt_ms),
            ("jitter_ms", jitter_ms),
            ("freezes", freezes),
        ] {
            ensure!(limit > 0, "alarm.{key} is 0: nothing could be good");
        }
        ensure!(
            (0.0..=60.0).contains(&least_fps),
            "alarm.least_fps is {least_fps}: 0 to 60 frames a second are sensible"
        );
        for (key, level) in [
            ("silence_dbov", silence_dbov),
            ("clipping_dbov", clipping_dbov),
        ] {
            ensure!(
                LOUDNESS.contains(&level),
                "alarm.{key} is {level}: loudness is {} to {} dBov",
                LOUDNESS.start(),
                LOUDNESS.end()
            );
        }
        ensure!(
            silence_dbov < clipping_dbov,
            "alarm.silence_dbov is {silence_dbov} and alarm.clipping_dbov {clipping_dbov}: silence is less loud"
        );
        Ok(HealthLimits {
            loss_percent,
            rtt_ms: rtt_ms.into(),
            jitter_ms: jitter_ms.into(),
            least_fps,
            freezes,
            silence_dbov,
            clipping_dbov,
            after_seconds,
            over_seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{cli::Flags, settings::Settings};
    use diemcau_hub::HealthLimits;
    use std::fs;

    fn gathered(file: &str, edit: impl Fn(&mut Flags)) -> Result<HealthLimits, String> {
        let written = tempfile::NamedTempFile::new().unwrap();
        fs::write(written.path(), file).unwrap();
        let mut flags = Flags {
            settings: Some(written.path().into()),
            ..Flags::default()
        };
        edit(&mut flags);
        let settings = Settings::gather(&flags).map_err(|error| format!("{error:#}"))?;
        Ok(settings.health)
    }

    #[test]
    fn the_file_shows_the_limits_the_hub_begins_with() {
        assert_eq!(gathered("", |_| ()), Ok(HealthLimits::default()));
    }

    #[test]
    fn a_file_may_say_one_of_them_and_a_flag_another() {
        let limits = gathered("[alarm]\nloss_percent = 2.5\nrtt_ms = 500\n", |flags| {
            flags.alarm.alarm_rtt_ms = Some(700);
        });
        let expected = HealthLimits {
            loss_percent: 2.5,
            rtt_ms: 700.0,
            ..HealthLimits::default()
        };
        assert_eq!(limits, Ok(expected));
    }

    #[test]
    fn what_makes_no_sense_names_itself() {
        for (file, named) in [
            ("[alarm]\nlos_percent = 2.5", "los_percent"),
            ("[alarm]\nloss_percent = 0.0", "alarm.loss_percent is 0"),
            ("[alarm]\nloss_percent = nan", "alarm.loss_percent is NaN"),
            ("[alarm]\nrtt_ms = 0", "alarm.rtt_ms is 0"),
            ("[alarm]\nrtt_ms = -3", "rtt_ms"),
            ("[alarm]\nafter_seconds = 0", "alarm.after_seconds is 0"),
            ("[alarm]\nover_seconds = 3600", "alarm.over_seconds is 3600"),
            ("[alarm]\nleast_fps = 1000", "alarm.least_fps is 1000"),
            ("[alarm]\nsilence_dbov = 7", "alarm.silence_dbov is 7"),
            ("[alarm]\nsilence_dbov = -3", "silence is less loud"),
            ("alarm = 3", "alarm"),
        ] {
            let error = gathered(file, |_| ()).unwrap_err();
            assert!(error.contains(named), "{file}: {error}");
        }
    }
}
