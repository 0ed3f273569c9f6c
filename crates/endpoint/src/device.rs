//! The key by which a server knows this machine again.

use crate::EndpointError;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use diemcau_protocol::{DeviceProof, signed};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use std::{
    fmt, fs,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

/// A P-256 key pair.
#[derive(Clone)]
pub struct Device(Arc<EcdsaKeyPair>);

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Device")
    }
}

impl Device {
    /// A key that lasts as long as this program runs.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn of_this_run() -> Result<Self, EndpointError> {
        Self::read(&new_key()?)
    }

    /// The key of a file, made on the first call; only its owner may read it.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds no key.
    pub fn of_file(path: &Path) -> Result<Self, EndpointError> {
        let fail = |why: String| EndpointError::Device(format!("{}: {why}", path.display()));
        match fs::read(path) {
            Ok(key) => Self::read(&key).map_err(|_| fail("it holds no key of a device".into())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let key = new_key()?;
                keep(path, &key).map_err(|error| fail(error.to_string()))?;
                Self::read(&key)
            }
            Err(error) => Err(fail(error.to_string())),
        }
    }

    /// Proves to a server that this machine holds its key.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn prove(&self, challenge: &str, token: &str) -> Result<DeviceProof, EndpointError> {
        let signature = self.0.sign(&SystemRandom::new(), &signed(challenge, token));
        let signature = signature.map_err(|_| no_random())?;
        Ok(DeviceProof {
            key: URL_SAFE_NO_PAD.encode(self.0.public_key()),
            signature: URL_SAFE_NO_PAD.encode(signature),
        })
    }

    fn read(key: &[u8]) -> Result<Self, EndpointError> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key, &random);
        let pair = pair.map_err(|error| EndpointError::Device(error.to_string()))?;
        Ok(Self(Arc::new(pair)))
    }
}

fn new_key() -> Result<Vec<u8>, EndpointError> {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
    Ok(key.map_err(|_| no_random())?.as_ref().to_vec())
}

fn no_random() -> EndpointError {
    EndpointError::Device("the system gives no random bytes".into())
}

fn keep(path: &Path, key: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(key)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_file_stays_and_is_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/device.key");
        let key = |device: &Device| device.prove("c", "t").unwrap().key;
        let first = key(&Device::of_file(&path).unwrap());
        assert_eq!(key(&Device::of_file(&path).unwrap()), first);
        assert_ne!(key(&Device::of_this_run().unwrap()), first);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&path, "no key").unwrap();
        let error = Device::of_file(&path).unwrap_err().to_string();
        assert!(error.contains("holds no key"), "{error}");
    }
}
