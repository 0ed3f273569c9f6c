//! TLS 1.3 as a test writes it itself: rustls neither writes a record without content nor changes its keys for nothing.

use crate::tunnel;
use anyhow::{Context, Result, bail};
use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, OnceLock},
};
use tokio::net::TcpStream;
use tokio_rustls::{
    client::TlsStream,
    rustls::{
        ContentType, KeyLog, ProtocolVersion, SupportedCipherSuite, Tls13CipherSuite,
        crypto::{
            cipher::{AeadKey, Iv, MessageEncrypter, OutboundChunks, OutboundPlainMessage},
            tls13::OkmBlock,
        },
    },
};

/// A change of keys that asks for none (RFC 8446, section 4.6.3).
const KEY_UPDATE: [u8; 5] = [24, 0, 0, 1, 0];

/// What the client's keys are made from.
#[derive(Debug, Default)]
pub struct Secret(OnceLock<Vec<u8>>);

impl KeyLog for Secret {
    fn log(&self, label: &str, _client: &[u8], secret: &[u8]) {
        if label == "CLIENT_TRAFFIC_SECRET_0" {
            self.0.get_or_init(|| secret.to_vec());
        }
    }
}

/// TLS to a server on the loopback whose authority's certificate is in this file, and what `Records` takes it over by.
///
/// # Errors
/// There is no certificate yet, or no server.
pub async fn connect(
    server: SocketAddr,
    authority: &Path,
) -> Result<(TlsStream<TcpStream>, Arc<Secret>)> {
    let secret = Arc::new(Secret::default());
    let mut config = tunnel::config(authority)?;
    config.enable_secret_extraction = true;
    config.key_log = Arc::clone(&secret) as Arc<dyn KeyLog>;
    Ok((tunnel::connect(server, config).await?, secret))
}

/// The records of a client from here on.
pub struct Records {
    suite: &'static Tls13CipherSuite,
    secret: Vec<u8>,
    encrypter: Box<dyn MessageEncrypter>,
    number: u64,
}

impl Records {
    /// Takes over what a client has begun.
    ///
    /// # Errors
    /// It is no TLS 1.3, or its keys are not of 32 bytes.
    pub fn of(tls: TlsStream<TcpStream>, secret: &Secret) -> Result<(TcpStream, Self)> {
        let (tcp, session) = tls.into_inner();
        let Some(SupportedCipherSuite::Tls13(suite)) = session.negotiated_cipher_suite() else {
            bail!("not TLS 1.3");
        };
        let (number, _) = session.dangerous_extract_secrets()?.tx;
        let secret = secret.0.get().context("no secret was told")?.clone();
        let encrypter = encrypter(suite, &secret)?;
        let records = Self {
            suite,
            secret,
            encrypter,
            number,
        };
        Ok((tcp, records))
    }

    /// Two records that bring nobody a byte: one without content, for which a server forgets how often the keys have
    /// changed, and a change of the keys, for which it forgets how many were without content.
    ///
    /// # Errors
    /// The cipher can do no more.
    pub fn hollow(&mut self) -> Result<Vec<u8>> {
        let mut both = self.record(ContentType::ApplicationData, b"")?;
        both.extend(self.record(ContentType::Handshake, &KEY_UPDATE)?);
        self.secret = expand(self.suite, &self.secret, "traffic upd", self.secret.len())?;
        self.encrypter = encrypter(self.suite, &self.secret)?;
        self.number = 0;
        Ok(both)
    }

    fn record(&mut self, typ: ContentType, content: &[u8]) -> Result<Vec<u8>> {
        let plain = OutboundPlainMessage {
            typ,
            version: ProtocolVersion::TLSv1_3,
            payload: OutboundChunks::Single(content),
        };
        let record = self.encrypter.encrypt(plain, self.number)?;
        self.number += 1;
        Ok(record.encode())
    }
}

fn encrypter(suite: &Tls13CipherSuite, secret: &[u8]) -> Result<Box<dyn MessageEncrypter>> {
    let key: [u8; 32] = expand(suite, secret, "key", 32)?
        .try_into()
        .ok()
        .context("a key")?;
    let iv = Iv::copy(&expand(suite, secret, "iv", 12)?);
    if suite.aead_alg.key_len() != key.len() {
        bail!("another cipher");
    }
    Ok(suite.aead_alg.encrypter(AeadKey::from(key), iv))
}

/// `HKDF-Expand-Label` without a context (RFC 8446, section 7.1).
fn expand(suite: &Tls13CipherSuite, secret: &[u8], label: &str, bytes: usize) -> Result<Vec<u8>> {
    let label = format!("tls13 {label}");
    let lengths = [0, u8::try_from(bytes)?, u8::try_from(label.len())?];
    let mut made = vec![0; bytes];
    let expander = suite.hkdf_provider.expander_for_okm(&OkmBlock::new(secret));
    let expanded = expander.expand_slice(&[&lengths, label.as_bytes(), &[0]], &mut made);
    expanded.ok().context("too long")?;
    Ok(made)
}
