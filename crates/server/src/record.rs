//! The record on disk: where it is, where its mirror is, and the key that signs it.

use crate::{folder::Folder, links::derive};
use anyhow::{Result, ensure};
use diemcau_journal::{CheckpointKey, Journal, MirroredJournal, SqliteJournal};
use diemcau_model::Millis;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc::channel,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The journal's file in the data folder, and in the mirror's.
const JOURNAL: &str = "conference.db";
/// How long the mirror's disk may take to say what folder it has.
const MIRROR_WITHIN: Duration = Duration::from_secs(3);

/// Where a conference's record is kept.
#[derive(Clone, Debug)]
pub struct Record {
    folder: Folder,
    /// The second copy's folder.
    mirror: Option<PathBuf>,
}

impl Record {
    /// The record of a data folder; an empty path is no mirror.
    pub fn new(folder: &Folder, mirror: &Path) -> Self {
        Self {
            folder: folder.clone(),
            mirror: (mirror != Path::new("")).then(|| mirror.to_owned()),
        }
    }

    /// Whether there is one, be it in the mirror alone.
    pub fn exists(&self) -> bool {
        let mirror = self.mirror.as_ref();
        self.folder.file(JOURNAL).exists()
            || mirror.is_some_and(|mirror| mirror.join(JOURNAL).exists())
    }

    /// The key that signs it: it follows from the installation's secret, as the links do.
    pub fn key(&self) -> Result<CheckpointKey> {
        let seed = derive(&self.folder.secret()?, "diemcau checkpoint key");
        Ok(CheckpointKey::from_seed(&seed)?)
    }

    /// Opens it, or begins it.
    pub fn open(&self) -> Result<Box<dyn Journal>> {
        let (file, key) = (self.folder.file(JOURNAL), self.key()?);
        let Some(mirror) = &self.mirror else {
            return Ok(Box::new(SqliteJournal::open(file, key)?));
        };
        ensure!(
            !self.makes_own_folder(mirror),
            "the mirror is the data folder itself: it must be another one, on another disk"
        );
        let mirror = mirror.join(JOURNAL);
        let journal = MirroredJournal::open(&file, &mirror, key, now())?;
        Ok(Box::new(journal))
    }

    /// Makes the mirror's folder, and tells whether it is the data folder. One that cannot be made, or whose disk does not
    /// answer, is a mirror that cannot be written: the journal tells.
    fn makes_own_folder(&self, mirror: &Path) -> bool {
        let (own, mirror) = (self.folder.file("."), mirror.to_owned());
        let (done, answer) = channel();
        thread::spawn(move || {
            let _ = fs::create_dir_all(&mirror);
            let own = own.canonicalize().ok();
            let _ = done.send(own.is_some() && own == mirror.canonicalize().ok());
        });
        answer.recv_timeout(MIRROR_WITHIN).unwrap_or(false)
    }
}

/// The system's clock.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.unwrap_or_default().as_millis();
    Millis(u64::try_from(millis).unwrap_or(u64::MAX))
}
