//! A site without a browser: joins, sends a test pattern and a tone, says what it receives.

pub mod encode;
pub mod pattern;
pub mod tone;

#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("the test pattern cannot be made: {0}")]
    Pattern(String),
}

impl EndpointError {
    pub(crate) fn pattern(error: impl std::fmt::Display) -> Self {
        Self::Pattern(error.to_string())
    }
}
