//! The data folder: one folder is the whole state.
//!
//! `conference.db` is the journal, `secret.key` the installation's secret, `links.json` the links as last printed,
//! `ca/` the authority and its certificate. The mirror's folder has the first two.

use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::mpsc::channel,
    thread,
    time::Duration,
};
use tracing::{info, warn};

const SECRET_KEY: &str = "secret.key";
/// How often what could not be written is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(10);
/// How long a disk may take for it before nobody waits any more.
const WRITE_WITHIN: Duration = Duration::from_secs(3);

/// An opened data folder.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// Bytes of the secret that every token is made from.
pub const SECRET_BYTES: usize = 32;
/// The installation's secret.
pub type Secret = [u8; SECRET_BYTES];

impl Folder {
    /// Opens a folder, making it if need be.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(Self::at(path))
    }

    /// A folder that may not be there.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file of the folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The secret that is in it; none when there is none.
    ///
    /// # Errors
    /// It cannot be read, or is not of its length.
    pub fn secret(&self) -> Result<Option<Secret>> {
        let path = self.file(SECRET_KEY);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
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
        bytes.try_into().map(Some).ok().with_context(wrong)
    }

    /// Makes a secret for a conference that begins.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn make_secret(&self) -> Result<Secret> {
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).context("the system gives no random bytes")?;
        self.write_private(SECRET_KEY, &secret)?;
        Ok(secret)
    }

    /// Sees to it that the folder has this secret. Another one is left where it is: it may be of another conference.
    ///
    /// # Errors
    /// It cannot be written, or there is another one.
    pub fn hold_secret(&self, secret: &Secret) -> Result<()> {
        match self.secret() {
            Ok(Some(held)) if held == *secret => Ok(()),
            Ok(Some(_)) => bail!("{} is another one", self.file(SECRET_KEY).display()),
            Ok(None) | Err(_) => self.write_private(SECRET_KEY, secret),
        }
    }

    /// Writes a file that only its owner may read.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_private(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.file(name);
        let new = path.with_extension("new");
        let write = || {
            let folder = path.parent().unwrap_or(&self.path);
            fs::create_dir_all(folder)?;
            // What a killed server left may be open to others.
            let _ = fs::remove_file(&new);
            let mut file = OpenOptions::new()
                .create_new(true)
                .write(true)
                .mode(0o600)
                .open(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            File::open(folder)?.sync_all()
        };
        write()
            .inspect_err(|_| drop(fs::remove_file(&new)))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Sees to it that something is on a disk, which may be full, gone or hanging: it is done by a thread of its own, and looked
/// after again as long as the program runs. Tells whether it was done in a few seconds.
pub fn look_after(mut work: impl FnMut() -> Result<()> + Send + 'static) -> bool {
    let (done, answer) = channel();
    let tended = thread::Builder::new().name("files".into()).spawn(move || {
        let mut failed = false;
        loop {
            let did = work();
            match &did {
                Err(error) if !failed => {
                    warn!("{error:#}: it is tried again");
                }
                Ok(()) if failed => info!("what could not be written is written"),
                Ok(()) | Err(_) => {}
            }
            failed = did.is_err();
            let _ = done.send(!failed);
            thread::sleep(TRY_AGAIN);
        }
    });
    tended.is_ok() && answer.recv_timeout(WRITE_WITHIN).unwrap_or(false)
}
