//! The handshake: whose certificate, and the keys of the media.

mod hello;
mod records;
mod repeats;
mod terms;

pub use terms::is_refusal;

use super::srtp::{self, Opener, Sealer};
use bytes::BytesMut;
use hello::Begun;
use records::Room;
use repeats::Said;
use rtc::crypto::{CryptoError, HashAlgorithm, RTCCryptoProvider};
use rtc::dtls::crypto::Certificate;
use rtc::dtls::endpoint::{Endpoint, EndpointEvent};
use rtc::shared::TransportProtocol;
use rtc::shared::error::Error;
use rtc::srtp::config::LABEL_EXTRACTOR_DTLS_SRTP;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Instant;

/// The library files associations under addresses. A leg has one association, whichever way it takes.
const SOMEWHERE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1));
/// Datagrams kept until the client's description is here; a further one is dropped, and the client sends it again.
const EARLY_MAX: usize = 4;

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// Which side of the handshake we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Client,
    Server,
}

/// Our certificate, made at the start and the same for every leg.
#[derive(Clone)]
pub struct Identity {
    pub provider: Arc<dyn RTCCryptoProvider>,
    certificate: Certificate,
    pub fingerprint: Fingerprint,
}

pub struct Dtls {
    identity: Identity,
    endpoint: Option<Endpoint>,
    /// Whom we serve, if the client begins.
    serves: Option<Fingerprint>,
    early: Vec<BytesMut>,
    room: Room,
    said: Said,
}

/// What a datagram led to.
pub enum Step {
    Connected(Box<(Sealer, Opener)>),
    Closed,
    /// Somebody, perhaps the other side, says without keys that it gave up, and why (RFC 5246, 7.2.2).
    GivenUp(u8),
}

impl Identity {
    pub fn generate() -> Result<Self, Error> {
        let provider = rtc::crypto::default_provider().map_err(crypto)?;
        let certificate =
            Certificate::generate_self_signed(vec!["diemcau".to_owned()], provider.crypto())?;
        let der = certificate.certificate.first();
        let der = der.ok_or_else(|| Error::Other("no certificate was made".to_owned()))?;
        let fingerprint = fingerprint(&*provider, der)?;
        Ok(Self {
            provider,
            certificate,
            fingerprint,
        })
    }
}

impl Dtls {
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            endpoint: None,
            serves: None,
            early: vec![],
            room: Room::new(),
            said: Said::new(),
        }
    }

    /// The client's description is known: the handshake may begin, and nothing is left of one that a former description
    /// began. Gives what came before it, to be received now.
    pub fn begin(
        &mut self,
        theirs: Fingerprint,
        role: Role,
        now: Instant,
    ) -> Result<Vec<BytesMut>, Error> {
        let early = std::mem::take(&mut self.early);
        *self = Self::new(self.identity.clone());
        let mut endpoint = Endpoint::new(SOMEWHERE, TransportProtocol::UDP, None);
        match role {
            Role::Client => {
                let config = terms::of_client(&self.identity, theirs)?;
                endpoint.connect(now, SOMEWHERE, config, None)?;
            }
            Role::Server => self.serves = Some(theirs),
        }
        self.endpoint = Some(endpoint);
        self.collect();
        Ok(early)
    }

    pub fn receive(&mut self, datagram: BytesMut, now: Instant) -> Result<Option<Step>, Error> {
        if self.endpoint.is_none() {
            if self.early.len() < EARLY_MAX {
                self.early.push(datagram);
            }
            return Ok(None);
        }
        let datagram = self.room.sift(datagram);
        if self.room.heard.asks() {
            self.said.again();
        }
        for event in self.read(datagram, now)? {
            if matches!(event, EndpointEvent::HandshakeComplete) {
                self.room.keyed();
                self.said.keyed();
                return self.contexts().map(Some);
            }
            if matches!(event, EndpointEvent::PeerClosed) {
                return Ok(Some(Step::Closed));
            }
        }
        let alert = self.room.alert.take();
        Ok(alert.map(Step::GivenUp))
    }

    fn read(&mut self, datagram: BytesMut, now: Instant) -> Result<Vec<EndpointEvent>, Error> {
        if datagram.is_empty() || !self.is_begun_by(&datagram)? {
            return Ok(vec![]);
        }
        let Some(endpoint) = &mut self.endpoint else {
            return Ok(vec![]);
        };
        let read = endpoint.read(now, SOMEWHERE, None, datagram);
        if self.collect() {
            self.room.heard.is_answered();
        }
        if self.serves.is_some() && read.as_ref().is_err_and(is_refusal) {
            // The library would read this hello and no other again. It may be a stranger's: the next one begins anew.
            self.endpoint = Some(Endpoint::new(SOMEWHERE, TransportProtocol::UDP, None));
        }
        read
    }

    /// Whether there is a handshake, or this begins one: what a server may choose from is in the client's first hello.
    fn is_begun_by(&mut self, datagram: &[u8]) -> Result<bool, Error> {
        let Some(endpoint) = &mut self.endpoint else {
            return Ok(false);
        };
        if endpoint.get_connection_state(SOMEWHERE).is_some() {
            return Ok(true);
        }
        let (Some(theirs), Some(hello)) = (self.serves, records::first_hello(datagram)) else {
            return Ok(false);
        };
        let config = terms::of_server(&self.identity, theirs, hello)?;
        endpoint.set_server_config(Some(config));
        self.room.begun = Some(Begun {
            hello: hello.to_vec(),
            cookie: vec![],
        });
        Ok(true)
    }

    pub fn tick(&mut self, now: Instant) -> Result<(), Error> {
        let ticked = match &mut self.endpoint {
            Some(endpoint) if endpoint.get_connection_state(SOMEWHERE).is_some() => {
                endpoint.handle_timeout(SOMEWHERE, now)
            }
            Some(_) | None => Ok(()),
        };
        self.collect();
        ticked
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.endpoint.as_ref()?.poll_timeout(&SOMEWHERE)
    }

    /// The next datagram to send.
    pub fn transmit(&mut self) -> Option<BytesMut> {
        self.said.next()
    }

    /// Takes what the library says; true if that is a flight.
    fn collect(&mut self) -> bool {
        let mut endpoint = self.endpoint.as_mut();
        let next = || endpoint.as_mut()?.poll_transmit();
        let datagrams = std::iter::from_fn(next).map(|transmit| transmit.message);
        let datagrams: Vec<BytesMut> = datagrams.collect();
        if let Some(begun) = &mut self.room.begun
            && let Some(cookie) = datagrams.iter().find_map(|one| records::cookie(one))
        {
            begun.cookie = cookie.to_vec();
        }
        self.said.add(datagrams)
    }

    #[cfg(test)]
    pub fn room(&self) -> usize {
        self.room.left()
    }

    pub fn close(&mut self, now: Instant) {
        if let Some(endpoint) = &mut self.endpoint
            && let Err(error) = endpoint.close(now)
        {
            tracing::debug!(%error, "a leg closed badly");
        }
        self.collect();
    }

    fn contexts(&self) -> Result<Step, Error> {
        let state = self
            .endpoint
            .as_ref()
            .and_then(|endpoint| endpoint.get_connection_state(SOMEWHERE))
            .ok_or(Error::ErrDtlsTransportNotStarted)?;
        let profile = terms::profile(state.srtp_protection_profile())?;
        let bytes = profile.material_bytes();
        let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], bytes)?;
        let crypto_of = self.identity.provider.crypto();
        let contexts = srtp::contexts(profile, material.as_ref(), state.is_client(), crypto_of);
        Ok(Step::Connected(Box::new(contexts.map_err(crypto)?)))
    }
}

fn fingerprint(provider: &dyn RTCCryptoProvider, der: &[u8]) -> Result<Fingerprint, Error> {
    let hash = provider.crypto().hash(HashAlgorithm::Sha256, der);
    let hash = hash.map_err(crypto)?.try_into();
    hash.map(Fingerprint)
        .map_err(|_| Error::Other("a hash of the wrong length".to_owned()))
}

fn crypto(error: CryptoError) -> Error {
    Error::Crypto(error.to_string())
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
pub mod tests;
