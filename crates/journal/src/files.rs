//! The files beside a journal: its lock, its sign of life, and where a damaged one is put away.

use crate::JournalError;
use diemcau_model::Millis;
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What SQLite keeps of a database: the file, its log, and the memory that its readers share.
const OF_DATABASE: [&str; 3] = ["", LOG, SHARED];
pub(crate) const LOG: &str = "-wal";
const SHARED: &str = "-shm";

/// A journal taken for this program: it is free again when this is dropped, or the process dies.
pub(crate) struct Lock(File);

impl Lock {
    pub(crate) fn take(path: &Path) -> Result<Self, JournalError> {
        let file = open_beside(&beside(path, ".lock")).map_err(JournalError::io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(JournalError::Locked),
            Err(TryLockError::Error(error)) => Err(JournalError::io(error)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a program that another thread is just starting has it open too until it runs.
        let _ = self.0.unlock();
    }
}

/// Makes the memory that a database's readers share, where it is not there yet, as a file that is written in place. SQLite
/// maps it, and a disk that writes anew what is changed (btrfs) needs room for that: without it, it ends the program (SIGBUS).
pub(crate) fn make_shared(path: &Path) -> Result<(), JournalError> {
    let shared = open_beside(&beside(path, SHARED)).map_err(JournalError::io)?;
    if shared.metadata().map_err(JournalError::io)?.len() == 0 {
        // Most disks write in place, and know no such flag.
        let _ = ioctl_getflags(&shared)
            .and_then(|flags| ioctl_setflags(&shared, flags | IFlags::NOCOW));
    }
    Ok(())
}

pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

/// The database itself, where `path` is a link to it: SQLite puts the log beside that.
pub(crate) fn behind_links(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

pub(crate) fn open_beside(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// Moves a database out of the way, keeping every byte of it: `conference.db.damaged-TIME` and its log.
pub(crate) fn put_away(path: &Path, now: Millis) -> Result<PathBuf, JournalError> {
    let away = beside(path, &format!(".damaged-{now}"));
    // The log first: a database without its log is a shorter record, a log beside another database is none.
    for ending in OF_DATABASE.into_iter().rev() {
        match fs::rename(beside(path, ending), beside(&away, ending)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(JournalError::io(error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    sync_folder(path)?;
    Ok(away)
}

/// Which files a database and its log are: by disk and number, whatever stands in them.
pub(crate) fn identity(path: &Path) -> io::Result<[(u64, u64); 2]> {
    let of = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino()));
    Ok([of(path)?, of(&beside(path, LOG))?])
}

/// Whether something stands in a database's log.
pub(crate) fn has_log(path: &Path) -> bool {
    fs::metadata(beside(path, LOG)).is_ok_and(|log| log.len() > 0)
}

/// Whether the disk gives a database and its log.
pub(crate) fn can_be_read(path: &Path) -> bool {
    let read = |path| io::copy(&mut File::open(path)?, &mut io::sink());
    read(path.to_owned()).is_ok() && read(beside(path, LOG)).is_ok()
}

/// Copies a database that nobody writes, with its log: read so, nothing is written beside it.
pub(crate) fn copy_database(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    match fs::copy(beside(from, LOG), beside(to, LOG)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Makes durable which files there are.
pub(crate) fn sync_folder(path: &Path) -> Result<(), JournalError> {
    File::open(folder_of(path))
        .and_then(|folder| folder.sync_all())
        .map_err(JournalError::io)
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}
