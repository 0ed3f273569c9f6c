//! The data folder: one folder is the whole state.
//!
//! `conference.db` is the journal, `secret.key` the installation's secret, `links.json` the links as last printed,
//! `ca/` the authority and its certificate.

use anyhow::{Context, Result};
use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// An opened data folder.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// Bytes of the secret that every token is made from.
pub const SECRET_BYTES: usize = 32;

impl Folder {
    /// Opens a folder, making it if need be.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// A file of the folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The installation's secret, made on the first call.
    ///
    /// # Errors
    /// It cannot be read, written, or is not of its length.
    pub fn secret(&self) -> Result<[u8; SECRET_BYTES]> {
        let path = self.file("secret.key");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut secret = [0; SECRET_BYTES];
                getrandom::fill(&mut secret).context("the system gives no random bytes")?;
                self.write_private("secret.key", &secret)?;
                secret.to_vec()
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let length = bytes.len();
        let wrong = || {
            format!(
                "{} has {length} bytes instead of {SECRET_BYTES}",
                path.display()
            )
        };
        bytes.try_into().ok().with_context(wrong)
    }

    /// Writes a file that only its owner may read.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_private(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.file(name);
        let write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let new = path.with_extension("new");
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&new, &path)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}
