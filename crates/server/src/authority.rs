//! This installation's own certificate authority, and the certificate of its server.
//!
//! Made on the first start with `--lan` and kept; the server's certificate is made anew at every start, so that it
//! always names the machine's present addresses.

use crate::folder::{Folder, look_after};
use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use sha2::{Digest, Sha256};
use std::{fs, ops::ControlFlow};
use time::{Duration, OffsetDateTime};

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

/// The same, new. On a disk that takes nothing they are good for this run, and kept as soon as they can be.
fn make_authority(folder: &Folder) -> Result<(String, String)> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let ca = authority_params().self_signed(&key)?.pem();
    let ca_key = key.serialize_pem();
    let (folder, kept) = (folder.clone(), (ca.clone(), ca_key.clone()));
    look_after(move || {
        keep_authority(&folder, &kept.0, &kept.1)
            .context(
                "without it the next start makes another authority, which browsers must trust anew",
            )
            .map(ControlFlow::Break)
    });
    Ok((ca, ca_key))
}

/// The key last: where it is, both are. One that is there by now, on a disk that came back, is what browsers trust already.
fn keep_authority(folder: &Folder, ca: &str, ca_key: &str) -> Result<()> {
    if folder.file(CA_KEY).exists() {
        return Ok(());
    }
    folder.write_private(CA_CERT, ca.as_bytes())?;
    folder.write_private(CA_KEY, ca_key.as_bytes())
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use std::{thread, time::Instant};

    #[test]
    fn an_authority_made_on_a_disk_that_takes_nothing_is_kept_later_and_never_written_over() {
        let disk = tempfile::tempdir().unwrap();
        let folder = Folder::open(disk.path()).unwrap();
        fs::write(folder.file("ca"), "in the way").unwrap();
        let made = identity(&folder, &["localhost".into()]).unwrap();
        keep_authority(&folder, "certificate", "key").unwrap_err();
        fs::remove_file(folder.file("ca")).unwrap();

        let begun = Instant::now();
        while !folder.file(CA_KEY).exists() {
            assert!(begun.elapsed() < Duration::minutes(1), "it is not kept");
            thread::park_timeout(std::time::Duration::from_millis(100));
        }
        let kept = read_authority(&folder).unwrap();
        assert_eq!(kept.0, made.ca);
        keep_authority(&folder, "certificate", "key").unwrap();
        assert_eq!(read_authority(&folder).unwrap(), kept);
        let again = identity(&folder, &["localhost".into()]).unwrap();
        assert_eq!(again.ca, made.ca);
    }
}
