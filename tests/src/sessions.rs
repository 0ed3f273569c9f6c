//! Encoders and players without a page: sessions over WHIP and WHEP.

use crate::{
    Server,
    http::{Answer, ask},
    room::until,
};
use anyhow::{Context, Result, bail};
use diemcau_probe::{Probe, ProbeOptions};

/// What an offer is.
pub const SDP: &str = "application/sdp";

/// A session with the synthetic peer that sends or plays in it.
#[derive(Debug)]
pub struct Session {
    /// Its address.
    pub address: String,
    /// Who sends or plays; it goes on when the session is over.
    pub probe: Probe,
}

impl Session {
    /// An encoder that sends.
    ///
    /// # Errors
    /// It is not let in, or no connection is made.
    pub async fn publish(server: &Server, token: &str, options: ProbeOptions) -> Result<Self> {
        let probe = Probe::start(options);
        let answer = post(server, "/whip", token, &probe.uplink_offer().await).await?;
        let address = begun(&answer)?.to_owned();
        probe.uplink_answer(answer.body);
        until("the encoder is connected", || probe.seen().uplink_connected).await?;
        Ok(Self { address, probe })
    }

    /// A player of one picture and one sound.
    ///
    /// # Errors
    /// It is not let in, or no connection is made.
    pub async fn play(server: &Server, token: &str, options: ProbeOptions) -> Result<Self> {
        let probe = Probe::start(options);
        let answer = post(server, "/whep", token, &probe.player_offer().await).await?;
        let address = begun(&answer)?.to_owned();
        probe.player_answer(answer.body);
        until("the player is connected", || {
            probe.seen().downlink_connected
        })
        .await?;
        Ok(Self { address, probe })
    }
}

/// The header that says whose link it is.
#[must_use]
pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Asks for a session.
///
/// # Errors
/// The server does not answer.
pub async fn post(server: &Server, path: &str, token: &str, offer: &str) -> Result<Answer> {
    let bearer = bearer(token);
    let headers = [("content-type", SDP), ("authorization", &bearer)];
    ask(&server.host, "POST", path, &headers, offer).await
}

/// Ends a session.
///
/// # Errors
/// The server does not answer.
pub async fn delete(server: &Server, session: &str, token: &str) -> Result<Answer> {
    let bearer = bearer(token);
    let headers = [("authorization", bearer.as_str())];
    ask(&server.host, "DELETE", session, &headers, "").await
}

/// The address of a session that has begun.
///
/// # Errors
/// None has.
pub fn begun(answer: &Answer) -> Result<&str> {
    match answer.status {
        201 => answer.header("location").context("no address"),
        _ => bail!("no session but {answer:?}"),
    }
}

/// The gauge of sessions.
#[must_use]
pub fn open(way: &str) -> String {
    format!("diemcau_sessions{{way=\"{way}\"}}")
}
