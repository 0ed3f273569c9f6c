//! A site without a browser: joins, sends a test pattern and a tone, says what it receives.
//!
//! For rehearsals of many rooms on few machines. It knows the protocol and nothing of the server behind it.

mod device;
pub mod encode;
#[cfg(test)]
mod fuzz;
pub mod pattern;
mod peer;
pub mod report;
mod session;
pub mod signalling;
pub mod tone;

pub use device::Device;
pub use report::Report;

use diemcau_conference::SpeechType;
use diemcau_model::ScreenSlots;
use diemcau_protocol::ErrorWhy;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

/// What one endpoint is and does. The defaults cost little: the programme alone is received.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// The link handed to the site: `http(s)://host:port/site#TOKEN`.
    pub link: String,
    /// Certificates of the authority that is believed (PEM); needed for https unless `insecure`.
    pub ca: Option<PathBuf>,
    /// Believes every certificate.
    pub insecure: bool,
    /// The key by which the server knows this machine; none: it is a stranger at every start, and waits in the lobby.
    pub device: Option<Device>,
    /// The site's PIN, when the server asks for one.
    pub pin: Option<String>,
    /// What it shows, as heights of its slots.
    pub screen: ScreenSlots,
    /// Whether it asks for sound.
    pub sound: bool,
    /// Asks for the floor once after it joined, on this topic.
    pub ask_floor: Option<Topic>,
    /// Ends its own turn after this time.
    pub speak_for: Option<Duration>,
    /// Time from one report to the next.
    pub report_every: Duration,
}

impl EndpointConfig {
    /// The defaults for a link: programme of 360 lines, no tiles, sound, a report every 5 s.
    #[must_use]
    pub fn new(link: impl Into<String>) -> Self {
        Self {
            link: link.into(),
            ca: None,
            insecure: false,
            device: None,
            pin: None,
            screen: ScreenSlots {
                programme: 360,
                tiles: Vec::new(),
                ..ScreenSlots::default()
            },
            sound: true,
            ask_floor: None,
            speak_for: None,
            report_every: Duration::from_secs(5),
        }
    }
}

/// What is asked to be spoken about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// What kind of speech.
    pub speech: SpeechType,
    /// Who will speak; may be empty.
    pub delegate: String,
    /// On what; may be empty.
    pub topic: String,
}

impl Topic {
    /// A contribution to the discussion, by nobody in particular.
    #[must_use]
    pub fn on(topic: impl Into<String>) -> Self {
        Self {
            speech: SpeechType::Contribution,
            delegate: String::new(),
            topic: topic.into(),
        }
    }
}

/// Why an endpoint ended although nobody stopped it. Trying again would not help.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The link is not one.
    #[error("the link cannot be used: {0}")]
    BadLink(&'static str),
    /// The link is https and nothing says whom to believe.
    #[error("the link is https: name the authority's certificate, or accept any")]
    NoAuthority,
    /// The authority's file.
    #[error("the authority's certificate cannot be used: {0}")]
    Authority(String),
    /// The server sent it away for good.
    #[error("the server sent this endpoint away ({why:?}): {text}")]
    SentAway {
        /// Why.
        why: ErrorWhy,
        /// The same in words.
        text: String,
    },
    /// The key of this machine.
    #[error("the key of this machine cannot be used: {0}")]
    Device(String),
    /// The card or the tone.
    #[error("the test pattern cannot be made: {0}")]
    Pattern(String),
}

impl EndpointError {
    pub(crate) fn pattern(error: impl std::fmt::Display) -> Self {
        Self::Pattern(error.to_string())
    }
}

/// Joins and stays until `stop` becomes true (or its sender is gone); connects again whenever the connection is
/// lost. `tell` hears what was received, every `report_every`.
///
/// # Errors
///
/// If the link or the authority cannot be used, or the server does not want this endpoint.
pub async fn run(
    config: EndpointConfig,
    stop: watch::Receiver<bool>,
    tell: impl FnMut(&Report) + Send,
) -> Result<Report, EndpointError> {
    session::run(config, stop, tell).await
}
