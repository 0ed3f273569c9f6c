//! What a handshake is made with, and what of it is agreed on.

use super::{Fingerprint, Identity, fingerprint, hello};
use crate::engine::wire::srtp::Profile;
use rtc::dtls::cipher_suite::CipherSuiteId;
use rtc::dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::shared::error::Error;
use std::sync::Arc;

/// What a handshake may be protected with: forward secret and authenticated throughout (RFC 9325, 4.2). The library would
/// take CBC too.
pub const SUITES: [CipherSuiteId; 4] = [
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_ChaCha20_Poly1305_Sha256,
];
/// What media may be protected with, the best first: the other is for those that know nothing better.
const PROFILES: [(SrtpProtectionProfile, Profile); 2] = [
    (SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, Profile::Gcm),
    (
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        Profile::Cm,
    ),
];

/// What we offer as a client.
pub fn of_client(identity: &Identity, theirs: Fingerprint) -> Result<Arc<HandshakeConfig>, Error> {
    config(identity, theirs, true, all_profiles())
}

/// What we take as a server. Of what protects media the choice is ours (RFC 5764, 4.1.2), but the library takes the first of the
/// client's that it may take: so it may take only the best one.
pub fn of_server(
    identity: &Identity,
    theirs: Fingerprint,
    hello: &[u8],
) -> Result<Arc<HandshakeConfig>, Error> {
    let offered = hello::profiles(hello);
    let mut ours = all_profiles();
    let best = ours.iter().position(|profile| offered.contains(profile));
    // Whoever offers none of them is refused by the library.
    if let Some(best) = best {
        ours = vec![ours.swap_remove(best)];
    }
    config(identity, theirs, false, ours)
}

/// What was agreed on.
pub fn profile(agreed: SrtpProtectionProfile) -> Result<Profile, Error> {
    let mut profiles = PROFILES.into_iter();
    let found = profiles.find(|(profile, _)| *profile == agreed);
    found
        .map(|(_, profile)| profile)
        .ok_or(Error::ErrNoSuchSrtpProfile)
}

fn all_profiles() -> Vec<SrtpProtectionProfile> {
    PROFILES.map(|(profile, _)| profile).to_vec()
}

/// With somebody of that certificate.
fn config(
    identity: &Identity,
    theirs: Fingerprint,
    is_client: bool,
    profiles: Vec<SrtpProtectionProfile>,
) -> Result<Arc<HandshakeConfig>, Error> {
    let provider = Arc::clone(&identity.provider);
    let verify = move |certificates: &[Vec<u8>], _: &[_]| {
        let first = certificates.first().ok_or(Error::ErrNonCertificate)?;
        if fingerprint(&*provider, first)? != theirs {
            return Err(Error::ErrNoMatchingCertificateFingerprint);
        }
        Ok(())
    };
    let config = ConfigBuilder::default()
        .with_crypto_provider(Arc::clone(&identity.provider))
        .with_certificates(vec![identity.certificate.clone()])
        .with_cipher_suites(SUITES.to_vec())
        .with_srtp_protection_profiles(profiles)
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        // Nobody vouches for a client's certificate; its description names it, which `verify` compares.
        .with_insecure_skip_verify(true)
        .with_verify_peer_certificate(Some(Arc::new(verify)))
        .with_extended_master_secret(ExtendedMasterSecretType::Require)
        .build(is_client, None)?;
    Ok(Arc::new(config))
}

/// Whether a handshake cannot come to an end, whatever is said again, for the two sides have nothing in common.
pub fn is_refusal(error: &Error) -> bool {
    matches!(
        error,
        Error::ErrServerNoMatchingSrtpProfile
            | Error::ErrClientNoMatchingSrtpProfile
            | Error::ErrRequestedButNoSrtpExtension
            | Error::ErrNoSuchSrtpProfile
            | Error::ErrCipherSuiteNoIntersection
            | Error::ErrServerRequiredButNoClientEms
            | Error::ErrClientRequiredButNoServerEms
            | Error::ErrNoSupportedEllipticCurves
            | Error::ErrUnsupportedProtocolVersion
    )
}
