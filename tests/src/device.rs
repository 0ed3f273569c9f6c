//! A device with a key, as a browser has one.

use anyhow::{Result, anyhow};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use diemcau_model::DeviceId;
use diemcau_protocol::{DeviceProof, signed};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};

/// A P-256 key pair.
#[derive(Debug)]
pub struct Device(EcdsaKeyPair);

impl Device {
    /// A new device.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new() -> Result<Self> {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let key = EcdsaKeyPair::generate_pkcs8(kind, &random).map_err(|_| anyhow!("no key"))?;
        let pair = EcdsaKeyPair::from_pkcs8(kind, key.as_ref(), &random);
        Ok(Self(pair.map_err(|error| anyhow!("{error}"))?))
    }

    /// How a server names it: by the hash of its key.
    ///
    /// # Errors
    /// A hash is not as long as a name.
    pub fn id(&self) -> Result<DeviceId> {
        let hash = digest(&SHA256, self.0.public_key().as_ref());
        Ok(DeviceId(hash.as_ref().try_into()?))
    }

    /// What it says when it is asked who it is.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn prove(&self, challenge: &str, token: &str) -> Result<DeviceProof> {
        let words = signed(challenge, token);
        let signature = self.0.sign(&SystemRandom::new(), &words);
        Ok(DeviceProof {
            key: URL_SAFE_NO_PAD.encode(self.0.public_key()),
            signature: URL_SAFE_NO_PAD.encode(signature.map_err(|_| anyhow!("no signature"))?),
        })
    }
}
