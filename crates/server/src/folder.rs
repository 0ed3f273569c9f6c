//! The data folder: one folder is the whole state.
//!
//! `conference.db` is the journal, `secret.key` the installation's secret, `links.json` the links as last printed,
//! `ca/` the authority and its certificate. The mirror's folder has the first two.

use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    ops::ControlFlow,
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

    /// Takes the folder for this program, until what is given is dropped: for who begins something in it.
    ///
    /// # Errors
    /// Another program has it.
    pub fn take(&self) -> Result<File> {
        let folder = File::open(&self.path)
            .with_context(|| format!("cannot open {}", self.path.display()))?;
        folder.try_lock().with_context(|| {
            format!(
                "another program begins a conference in {}",
                self.path.display()
            )
        })?;
        Ok(folder)
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
        let Some(bytes) = self.secret_bytes()? else {
            return Ok(None);
        };
        let length = bytes.len();
        let wrong = || {
            format!(
                "{} has {length} bytes instead of {SECRET_BYTES}",
                self.file(SECRET_KEY).display()
            )
        };
        bytes.try_into().map(Some).ok().with_context(wrong)
    }

    /// The same, whatever its length.
    fn secret_bytes(&self) -> Result<Option<Vec<u8>>> {
        let path = self.file(SECRET_KEY);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
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

    /// Sees to it that the folder has this secret. Another one is left where it is, for it may be of another conference, and so
    /// is one that cannot be read: it may be this one.
    ///
    /// # Errors
    /// It cannot be read or written, or there is another one.
    pub fn hold_secret(&self, secret: &Secret) -> Result<()> {
        match self.secret_bytes()? {
            Some(held) if held == *secret => Ok(()),
            Some(held) if held.len() == SECRET_BYTES => bail!(
                "{} is of another conference: the folder alone does not open this one's links until that file is put away",
                self.file(SECRET_KEY).display()
            ),
            // What has another length is no secret.
            Some(_) | None => self.write_private(SECRET_KEY, secret),
        }
    }

    /// Writes a file that only its owner may read, or in a folder below. The data folder itself is not made here: where it is
    /// gone its disk is gone, and it would be made on another one.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_private(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.file(name);
        let new = path.with_extension("new");
        let write = || {
            let folder = path.parent().unwrap_or(&self.path);
            if folder != self.path && !folder.exists() {
                fs::create_dir(folder)?;
            }
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

/// Sees to it that something is on a disk, which may be full, gone or hanging: it is done by a thread of its own, and again from
/// time to time until it is done for good (`Break`), or as long as the program runs. Waits for it a few seconds at most.
pub fn look_after(mut work: impl FnMut() -> Result<ControlFlow<()>> + Send + 'static) {
    let (done, answer) = channel();
    let tended = thread::Builder::new().name("files".into()).spawn(move || {
        let mut failed = false;
        loop {
            let did = work();
            match &did {
                Err(error) if !failed => {
                    warn!("{error:#}: it is tried again");
                }
                Ok(_) if failed => info!("what could not be written is written"),
                Ok(_) | Err(_) => {}
            }
            failed = did.is_err();
            let _ = done.send(());
            if matches!(did, Ok(ControlFlow::Break(()))) {
                return;
            }
            thread::sleep(TRY_AGAIN);
        }
    });
    if tended.is_ok() {
        let _ = answer.recv_timeout(WRITE_WITHIN);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use std::{os::unix::fs::symlink, sync::mpsc::RecvTimeoutError};

    const SECRET: Secret = [7; SECRET_BYTES];

    #[test]
    fn a_folder_whose_disk_is_pulled_is_not_made_again_on_another_one() {
        let disk = tempfile::tempdir().unwrap();
        let folder = Folder::open(&disk.path().join("mirror")).unwrap();
        folder.hold_secret(&SECRET).unwrap();
        folder.write_private("ca/ca.key", b"key").unwrap();
        assert_eq!(folder.secret().unwrap(), Some(SECRET));

        fs::remove_dir_all(folder.path()).unwrap();
        folder.hold_secret(&SECRET).unwrap_err();
        folder.write_private("ca/ca.key", b"key").unwrap_err();
        assert!(!folder.path().exists());
    }

    #[test]
    fn only_what_is_no_secret_is_written_over() {
        let disk = tempfile::tempdir().unwrap();
        let folder = Folder::open(disk.path()).unwrap();
        let file = folder.file(SECRET_KEY);
        fs::write(&file, "half of it").unwrap();
        folder.hold_secret(&SECRET).unwrap();
        assert_eq!(folder.secret().unwrap(), Some(SECRET));

        let other = [8; SECRET_BYTES];
        folder.hold_secret(&other).unwrap_err();
        assert_eq!(folder.secret().unwrap(), Some(SECRET));

        // It is there, and cannot be read.
        fs::remove_file(&file).unwrap();
        symlink(&file, &file).unwrap();
        folder.hold_secret(&SECRET).unwrap_err();
        assert!(file.is_symlink());
    }

    #[test]
    fn what_is_done_for_good_is_not_looked_after_any_more() {
        let (held, ended) = channel::<()>();
        look_after(move || {
            let _held = &held;
            Ok(ControlFlow::Break(()))
        });
        // Nothing is ever sent: the work goes with its thread.
        let gone = ended.recv_timeout(Duration::from_secs(30));
        assert_eq!(gone, Err(RecvTimeoutError::Disconnected));
    }
}
