//! The record on disk: where it is, where its mirror is, and the secret from which the key that signs it follows.

use crate::{
    folder::{Folder, Secret, look_after},
    links::{self, derive},
};
use anyhow::{Context, Result, bail, ensure};
use diemcau_conference::{Event, Seat, Setup};
use diemcau_journal::{
    CheckpointKey, Entry, Journal, MirroredJournal, SqliteJournal, first_record,
};
use diemcau_model::Millis;
use std::{
    fs, io,
    ops::ControlFlow,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::mpsc::channel,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tracing::warn;

/// The journal's file in the data folder, and in the mirror's.
const JOURNAL: &str = "conference.db";
/// How long the mirror's disk may take to say what folder it has.
const MIRROR_WITHIN: Duration = Duration::from_secs(3);

/// Where a conference's record is kept.
#[derive(Clone, Debug)]
pub struct Record {
    folder: Folder,
    /// The second copy's folder.
    mirror: Option<Folder>,
}

impl Record {
    /// The record of a data folder; an empty path is no mirror.
    pub fn new(folder: &Folder, mirror: &Path) -> Self {
        Self {
            folder: folder.clone(),
            mirror: (mirror != Path::new("")).then(|| Folder::at(mirror)),
        }
    }

    /// Whether a conference was begun, be it in the mirror alone. A file without one is what a beginning left that failed.
    ///
    /// # Errors
    /// There may be one that cannot be read.
    pub fn exists(&self) -> Result<bool> {
        Ok(self.setup()?.is_some())
    }

    /// The secret of the conference that is there; none when there is none. It is the one that the links were made from, or
    /// none at all: what is signed with another, or served with other links, cannot be mended. Changes nothing on any disk.
    ///
    /// # Errors
    /// The record or the secret cannot be read, or they do not belong together.
    pub fn secret(&self) -> Result<Option<Secret>> {
        let Some(setup) = self.setup()? else {
            return Ok(None);
        };
        let secret = self.held_secret()?;
        let fits = |seat: &Seat| seat.token_sha256 == links::hash(&secret, seat.id);
        ensure!(
            setup.seats.iter().all(fits),
            "secret.key is not the one this conference was begun with: bring it back from a copy"
        );
        Ok(Some(secret))
    }

    /// The secret of a conference that begins: the folder's, or a new one.
    ///
    /// # Errors
    /// It cannot be read or written, or the mirror's folder has another one: what is kept there would not open this
    /// conference's links.
    pub fn begin_secret(&self) -> Result<Secret> {
        let own = self.folder.secret()?;
        if let Some(mirror) = &self.mirror
            // One that cannot be read is a mirror that fails, and is told as that.
            && let Ok(Some(held)) = mirror.secret()
        {
            ensure!(
                own == Some(held),
                "the mirror's folder {} has the secret.key of another conference: put that away, or name another folder",
                mirror.path().display()
            );
        }
        match own {
            Some(secret) => Ok(secret),
            None => self.folder.make_secret(),
        }
    }

    /// Sees to it that folder and mirror have the secret, also on a disk that comes later: who has only one of them left goes on
    /// with the same links.
    pub fn keep_secret(&self, secret: &Secret) {
        for folder in self.folders() {
            let (folder, secret) = (folder.clone(), *secret);
            look_after(move || folder.hold_secret(&secret).map(ControlFlow::Continue));
        }
    }

    /// Begins a conference with these words.
    ///
    /// # Errors
    /// They cannot be written, or somebody was faster.
    pub fn begin(&self, secret: &Secret, setup: Setup) -> Result<()> {
        let mut journal = self.open(secret)?;
        // Nobody else has it open from here on.
        ensure!(
            journal.last_number() == 0,
            "{} holds a conference already",
            self.folder.path().display()
        );
        journal.append(&[Entry {
            at: now(),
            seat: None,
            command: None,
            event: Event::ConferenceOpened {
                setup: Box::new(setup),
            },
        }])?;
        Ok(())
    }

    /// Opens it, or begins it.
    pub fn open(&self, secret: &Secret) -> Result<Box<dyn Journal>> {
        let (file, key) = (self.folder.file(JOURNAL), key(secret)?);
        let Some(mirror) = &self.mirror else {
            return Ok(Box::new(SqliteJournal::open(file, key)?));
        };
        ensure!(
            !self.makes_own_folder(mirror.path()),
            "the mirror is the data folder itself: it must be another one, on another disk"
        );
        let mirror = mirror.file(JOURNAL);
        let journal = MirroredJournal::open(&file, &mirror, key, now())?;
        Ok(Box::new(journal))
    }

    fn folders(&self) -> impl Iterator<Item = &Folder> {
        [&self.folder].into_iter().chain(&self.mirror)
    }

    /// How the conference begins, as the record says it, or its mirror where that says nothing.
    fn setup(&self) -> Result<Option<Setup>> {
        let mut failed = None;
        for folder in self.folders() {
            match first_record(&folder.file(JOURNAL)) {
                Ok(Some(first)) => return begun(first.event).map(Some),
                Ok(None) => {}
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        match failed {
            Some(failure) => Err(failure).context("the record cannot be read"),
            None => Ok(None),
        }
    }

    /// The secret that is there: the mirror's only where the folder's is missing, or is none.
    fn held_secret(&self) -> Result<Secret> {
        let own = self.folder.secret();
        if let Ok(Some(secret)) = own {
            return Ok(secret);
        }
        let mirror = self.mirror.as_ref();
        if let Some(secret) = mirror.and_then(|mirror| mirror.secret().ok().flatten()) {
            warn!("secret.key is missing in the data folder, and is taken from the mirror");
            return Ok(secret);
        }
        own?;
        bail!(
            "secret.key is missing in {}, and no mirror has it: bring it back from a copy",
            self.folder.path().display()
        )
    }

    /// Makes the mirror's folder, here and never again, and tells whether it is the data folder. One that cannot be made, or
    /// whose disk does not answer, is a mirror that cannot be written: the journal tells.
    fn makes_own_folder(&self, mirror: &Path) -> bool {
        let (own, mirror) = (self.folder.file("."), mirror.to_owned());
        let (done, answer) = channel();
        thread::spawn(move || {
            let _ = fs::create_dir_all(&mirror);
            if let (Ok(one), Ok(two)) = (disk(&own), disk(&mirror))
                && one == two
            {
                warn!(mirror = %mirror.display(), "the mirror is on the same disk as the data folder: is its own one mounted?");
            }
            let own = own.canonicalize().ok();
            let _ = done.send(own.is_some() && own == mirror.canonicalize().ok());
        });
        answer.recv_timeout(MIRROR_WITHIN).unwrap_or(false)
    }
}

/// The disk that a folder is on.
fn disk(folder: &Path) -> io::Result<u64> {
    Ok(fs::metadata(folder)?.dev())
}

/// The key that signs the record: it follows from the installation's secret, as the links do.
pub fn key(secret: &Secret) -> Result<CheckpointKey> {
    let seed = derive(secret, "diemcau checkpoint key");
    Ok(CheckpointKey::from_seed(&seed)?)
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "a conference begins in one way"
)]
fn begun(first: Event) -> Result<Setup> {
    match first {
        Event::ConferenceOpened { setup } => Ok(*setup),
        _ => bail!("the record does not begin with a conference"),
    }
}

/// The system's clock.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.unwrap_or_default().as_millis();
    Millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn no_conference_begins_beside_a_mirror_with_the_secret_of_another() {
        let disks = tempfile::tempdir().unwrap();
        let [own, mirror] =
            ["own", "mirror"].map(|name| Folder::open(&disks.path().join(name)).unwrap());
        let record = Record::new(&own, mirror.path());
        let others = mirror.make_secret().unwrap();
        for is_begun in [false, true] {
            let refused = record.begin_secret().unwrap_err().to_string();
            assert!(refused.contains("secret.key of another"), "{refused}");
            assert_eq!(own.secret().unwrap().is_some(), is_begun);
            own.hold_secret(&[7; 32]).unwrap();
        }
        assert_eq!(mirror.secret().unwrap(), Some(others));

        // Its own one is no other.
        fs::remove_file(mirror.file("secret.key")).unwrap();
        mirror.hold_secret(&[7; 32]).unwrap();
        assert_eq!(record.begin_secret().unwrap(), [7; 32]);
    }
}
