//! The handshake: whose certificate, and the keys of the media.

mod hello;
mod records;
mod repeats;

use super::srtp::{self, MATERIAL_BYTES, Opener, Sealer};
use bytes::BytesMut;
use records::Room;
use repeats::Said;
use rtc::crypto::{CryptoError, HashAlgorithm, RTCCryptoProvider};
use rtc::dtls::cipher_suite::CipherSuiteId;
use rtc::dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType};
use rtc::dtls::crypto::Certificate;
use rtc::dtls::endpoint::{Endpoint, EndpointEvent};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::shared::TransportProtocol;
use rtc::shared::error::Error;
use rtc::srtp::config::LABEL_EXTRACTOR_DTLS_SRTP;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Instant;

/// What a handshake may be protected with: forward secret and authenticated throughout (RFC 9325, 4.2). The library would
/// take CBC too.
const SUITES: [CipherSuiteId; 4] = [
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_ChaCha20_Poly1305_Sha256,
];
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
    early: Vec<BytesMut>,
    room: Room,
    said: Said,
}

/// What a datagram led to.
pub enum Step {
    Connected(Box<(Sealer, Opener)>),
    Closed,
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
            early: vec![],
            room: Room::new(),
            said: Said::new(),
        }
    }

    /// The client's description is known: the handshake may begin.
    pub fn begin(
        &mut self,
        theirs: Fingerprint,
        role: Role,
        now: Instant,
    ) -> Result<Vec<Step>, Error> {
        let provider = Arc::clone(&self.identity.provider);
        let verify = move |certificates: &[Vec<u8>], _: &[_]| {
            let first = certificates.first().ok_or(Error::ErrNonCertificate)?;
            if fingerprint(&*provider, first)? != theirs {
                return Err(Error::ErrNoMatchingCertificateFingerprint);
            }
            Ok(())
        };
        let config = ConfigBuilder::default()
            .with_crypto_provider(Arc::clone(&self.identity.provider))
            .with_certificates(vec![self.identity.certificate.clone()])
            .with_cipher_suites(SUITES.to_vec())
            .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm])
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            // Nobody vouches for a client's certificate; its description names it, which `verify` compares.
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(Arc::new(verify)))
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .build(role == Role::Client, None)?;
        let config = Arc::new(config);
        let serves = (role == Role::Server).then(|| Arc::clone(&config));
        let mut endpoint = Endpoint::new(SOMEWHERE, TransportProtocol::UDP, serves);
        if role == Role::Client {
            endpoint.connect(now, SOMEWHERE, config, None)?;
        }
        self.endpoint = Some(endpoint);
        self.collect();
        let mut steps = vec![];
        for datagram in std::mem::take(&mut self.early) {
            steps.extend(self.receive(datagram, now)?);
        }
        Ok(steps)
    }

    pub fn receive(&mut self, datagram: BytesMut, now: Instant) -> Result<Option<Step>, Error> {
        let Some(endpoint) = &mut self.endpoint else {
            if self.early.len() < EARLY_MAX {
                self.early.push(datagram);
            }
            return Ok(None);
        };
        let datagram = self.room.sift(datagram);
        if self.room.heard.asks() {
            self.said.again();
        }
        if datagram.is_empty() {
            return Ok(None);
        }
        let read = endpoint.read(now, SOMEWHERE, None, datagram);
        if self.collect() {
            self.room.heard.is_answered();
        }
        for event in read? {
            if matches!(event, EndpointEvent::HandshakeComplete) {
                self.room.keyed();
                self.said.keyed();
                return self.contexts().map(Some);
            }
            if matches!(event, EndpointEvent::PeerClosed) {
                return Ok(Some(Step::Closed));
            }
        }
        Ok(None)
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
        self.said.add(datagrams)
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
        if state.srtp_protection_profile() != SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm {
            return Err(Error::ErrNoSuchSrtpProfile);
        }
        let exported =
            state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], MATERIAL_BYTES)?;
        let material = exported.as_ref().try_into();
        let material = material.map_err(|_| Error::ErrNoSuchSrtpProfile)?;
        let contexts = srtp::contexts(material, state.is_client(), self.identity.provider.crypto());
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
mod tests;
