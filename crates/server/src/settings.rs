//! The server's settings: defaults compiled in, then a file, then environment and flags.

use crate::{addresses::Limits, alarms::Alarms, cli::Flags};
use anyhow::{Context, Result};
use diemcau_hub::HealthLimits;
use serde::Deserialize;
use std::{
    fs,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

/// The defaults, as they are shown to people.
const DEFAULTS: &str = include_str!("../../../config/default.toml");

/// What the server runs with.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where pages and control are served.
    pub listen: SocketAddr,
    /// The one UDP port for picture and sound; 0 takes a free one.
    pub media_port: u16,
    /// Addresses told to browsers for picture and sound.
    pub advertise: Vec<IpAddr>,
    /// The folder that holds the whole state.
    pub data: PathBuf,
    /// The folder that holds a second copy of the record; empty: none.
    pub mirror: PathBuf,
    /// Whether HTTPS is served.
    pub lan: bool,
    /// Further names for the certificate.
    pub names: Vec<String>,
    /// The log's filter.
    pub log: String,
    /// Connections of all addresses.
    pub connections: usize,
    /// Connections of one address.
    pub address_connections: usize,
    /// New connections of one address a second.
    pub address_new_a_second: u32,
    /// Milliseconds comments are gathered for those who only watch.
    pub feed_window_ms: u16,
    /// When something is told to be wrong with a site, as it was written.
    pub alarm: Alarms,
    /// The same, checked.
    #[serde(skip)]
    pub health: HealthLimits,
}

impl Settings {
    /// Gathers the settings.
    ///
    /// # Errors
    /// The file cannot be read, or one of its keys is unknown or wrong: the error names it.
    pub fn gather(flags: &Flags) -> Result<Self> {
        let mut table: toml::Table =
            toml::from_str(DEFAULTS).context("the compiled-in defaults")?;
        if let Some(path) = &flags.settings {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let file: toml::Table =
                toml::from_str(&text).with_context(|| path.display().to_string())?;
            extend(&mut table, file);
        }
        let from = flags
            .settings
            .as_ref()
            .map_or("defaults".into(), |path| path.display().to_string());
        let mut settings: Self = table.try_into().context(from)?;

        settings.listen = flags.listen.unwrap_or(settings.listen);
        settings.media_port = flags.media_port.unwrap_or(settings.media_port);
        settings.lan |= flags.lan;
        settings.data = flags.data.clone().unwrap_or(settings.data);
        settings.mirror = flags.mirror.clone().unwrap_or(settings.mirror);
        settings.log = flags.log.clone().unwrap_or(settings.log);
        settings.alarm.follow(&flags.alarm);
        settings.health = settings.alarm.limits()?;
        Ok(settings)
    }

    /// How many connections there may be.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            connections: self.connections,
            of_address: self.address_connections,
            new_a_second: self.address_new_a_second,
        }
    }

    /// The addresses browsers are told for picture and sound.
    ///
    /// # Errors
    /// The machine's addresses cannot be listed.
    pub fn advertised(&self) -> Result<Vec<IpAddr>> {
        if !self.advertise.is_empty() {
            return Ok(self.advertise.clone());
        }
        if !self.listen.ip().is_unspecified() {
            return Ok(vec![self.listen.ip()]);
        }
        let all = if_addrs::get_if_addrs().context("cannot list this machine's addresses")?;
        let (near, far): (Vec<IpAddr>, Vec<IpAddr>) = all
            .iter()
            .map(if_addrs::Interface::ip)
            .filter(IpAddr::is_ipv4)
            .partition(IpAddr::is_loopback);
        Ok(far.into_iter().chain(near).collect())
    }

    /// The address people open: the first one another machine can reach, if there is one.
    ///
    /// # Errors
    /// The machine's addresses cannot be listed.
    pub fn base_url(&self) -> Result<String> {
        let host = match self.names.first() {
            Some(name) => name.clone(),
            None => match self.advertised()?.first() {
                Some(IpAddr::V6(address)) => format!("[{address}]"),
                Some(IpAddr::V4(address)) => address.to_string(),
                None => self.listen.ip().to_string(),
            },
        };
        let scheme = if self.lan { "https" } else { "http" };
        Ok(format!("{scheme}://{host}:{}", self.listen.port()))
    }
}

/// What the file says in place of the defaults; a table of it may say some of its keys.
fn extend(table: &mut toml::Table, file: toml::Table) {
    for (key, value) in file {
        match (table.get_mut(&key), value) {
            (Some(toml::Value::Table(of)), toml::Value::Table(said)) => of.extend(said),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_shows_the_defaults() {
        let settings = Settings::gather(&Flags::default()).unwrap();
        let expected = Settings {
            listen: "127.0.0.1:8080".parse().unwrap(),
            media_port: 7881,
            advertise: vec![],
            data: "data".into(),
            mirror: PathBuf::new(),
            lan: false,
            names: vec![],
            log: "info,rtc=warn,rtc_ice=warn,rtc_dtls=error,rtc_srtp=warn,rtc_interceptor=warn,webrtc=warn".into(),
            connections: 12_000,
            address_connections: 2_000,
            address_new_a_second: 100,
            feed_window_ms: 50,
            alarm: settings.alarm.clone(),
            health: HealthLimits::default(),
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn every_key_has_a_sentence() {
        let lines: Vec<&str> = DEFAULTS.lines().collect();
        for (at, line) in lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.contains(" = ") && !line.starts_with('#'))
        {
            assert!(
                at > 0 && lines[at - 1].starts_with('#'),
                "no sentence above: {line}"
            );
        }
    }

    #[test]
    fn a_wrong_key_names_itself() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "lisen = \"127.0.0.1:1\"\n").unwrap();
        let flags = Flags {
            settings: Some(file.path().into()),
            ..Flags::default()
        };
        let error = format!("{:#}", Settings::gather(&flags).unwrap_err());
        assert!(error.contains("lisen"), "{error}");
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "media_port = 4000\nlog = \"debug\"\n").unwrap();
        let flags = Flags {
            settings: Some(file.path().into()),
            media_port: Some(5000),
            ..Flags::default()
        };
        let settings = Settings::gather(&flags).unwrap();
        assert_eq!(
            (settings.media_port, settings.log.as_str()),
            (5000, "debug")
        );
    }
}
