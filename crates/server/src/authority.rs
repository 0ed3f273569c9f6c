//! This installation's own certificate authority, and the certificate of its server.
//!
//! Made on the first start with `--lan` and kept; the server's certificate is made anew at every start, so that it
//! always names the machine's present addresses.

use crate::folder::Folder;
use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use sha2::{Digest, Sha256};
use std::fs;
use time::{Duration, OffsetDateTime};
use tracing::warn;

const CA_CERT: &str = "ca/ca.crt";
const CA_KEY: &str = "ca/ca.key";
/// How long the authority is valid: an installation's life.
const CA_DAYS: i64 = 3_650;
/// How long a server certificate is valid: Apple's systems refuse more than 825 days.
const SERVER_DAYS: i64 = 397;

/// The server's certificate and key, PEM, and the authority's certificate to hand out.
pub struct Identity {
    /// Chain: the server's certificate, then the authority's.
    pub chain: String,
    /// The server's key.
    pub key: String,
    /// The authority's certificate.
    pub ca: String,
}

impl Identity {
    /// The authority's certificate as systems show it to whoever is about to trust it: SHA-256, in hexadecimal pairs.
    ///
    /// # Errors
    /// It is not a certificate.
    pub fn fingerprint(&self) -> Result<String> {
        let certificate = CertificateDer::from_pem_slice(self.ca.as_bytes())
            .context("the authority's certificate is damaged")?;
        let pairs = Sha256::digest(&certificate)
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect::<Vec<_>>();
        Ok(pairs.join(":"))
    }
}

/// The identity for these names and addresses.
///
/// # Errors
/// The authority cannot be read, or a name is not one.
pub fn identity(folder: &Folder, names: &[String]) -> Result<Identity> {
    let (ca, ca_key) = match folder.file(CA_KEY).exists() {
        true => read_authority(folder)?,
        false => make_authority(folder)?,
    };
    let ca_key = KeyPair::from_pem(&ca_key).context("the authority's key is damaged")?;
    let issuer = Issuer::new(authority_params(), ca_key);

    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params =
        CertificateParams::new(names.to_vec()).context("a name of this server is not a name")?;
    params
        .distinguished_name
        .push(DnType::CommonName, "diemcau");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.not_before, params.not_after) = validity(SERVER_DAYS);
    let server = params.signed_by(&key, &issuer)?;
    Ok(Identity {
        chain: format!("{}{ca}", server.pem()),
        key: key.serialize_pem(),
        ca,
    })
}

/// The certificate and the key, PEM.
fn read_authority(folder: &Folder) -> Result<(String, String)> {
    let ca = fs::read_to_string(folder.file(CA_CERT))
        .context("cannot read the authority's certificate")?;
    let ca_key =
        fs::read_to_string(folder.file(CA_KEY)).context("cannot read the authority's key")?;
    Ok((ca, ca_key))
}

/// The same, new. Where they cannot be kept, they are good for this run.
fn make_authority(folder: &Folder) -> Result<(String, String)> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let ca = authority_params().self_signed(&key)?.pem();
    let ca_key = key.serialize_pem();
    let kept = folder
        .write_private(CA_CERT, ca.as_bytes())
        .and_then(|()| folder.write_private(CA_KEY, ca_key.as_bytes()));
    if let Err(error) = kept {
        warn!("{error:#}: the next start makes another authority, which browsers must trust anew");
    }
    Ok((ca, ca_key))
}

/// The same every time: what was issued names its issuer by these words.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params
        .distinguished_name
        .push(DnType::CommonName, "diemcau local authority");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = validity(CA_DAYS);
    params
}

fn validity(days: i64) -> (OffsetDateTime, OffsetDateTime) {
    let now = OffsetDateTime::now_utc();
    (now - Duration::days(1), now + Duration::days(days))
}
