//! A disk that is full to its last block: a small one in memory, or of a kind that writes anew what is changed, where these
//! may be mounted (by root).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests"
)]

mod common;

use common::{all, entry, key};
use diemcau_journal::{Journal, JournalError, SqliteJournal};
use rustix::fs::syncfs;
use std::{
    env,
    fs::{self, File},
    io::{ErrorKind, Write},
    path::Path,
    process::{Command, Stdio},
};
use tempfile::TempDir;

struct SmallDisk(TempDir);

/// The smallest btrfs that keeps data and what describes it apart.
const COPYING_BYTES: u64 = 128 << 20;

impl SmallDisk {
    /// None where it may not be mounted.
    fn mount() -> Option<Self> {
        Self::mounted(&["-t", "tmpfs", "-o", "size=128k", "tmpfs"])
    }

    /// A disk that never writes in place; none where it may not be made, or mounted.
    fn mount_copying(image: &Path) -> Option<Self> {
        File::create(image).unwrap().set_len(COPYING_BYTES).unwrap();
        let made = Command::new("mkfs.btrfs")
            .args(["-q", "-m", "single"])
            .arg(image)
            .stdout(Stdio::null())
            .status();
        made.is_ok_and(|status| status.success()).then_some(())?;
        Self::mounted(&["-t", "btrfs", "-o", "loop", image.to_str().unwrap()])
    }

    fn mounted(what: &[&str]) -> Option<Self> {
        let disk = Self(tempfile::tempdir().unwrap());
        let mounted = Command::new("mount").args(what).arg(disk.0.path()).status();
        mounted.is_ok_and(|status| status.success()).then_some(disk)
    }

    /// Takes every block that is left.
    fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        let full = loop {
            if let Err(full) = file.write_all(&[1; 4_096]) {
                break full;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        // What is only in memory yet takes no room of a disk that decides late.
        let _ = file.sync_all();
    }

    fn make_room(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> impl AsRef<Path> + use<> {
        self.0.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// The gate has all it takes: there, what is not tested is no pass.
fn skipped(why: &str) {
    assert!(env::var_os("DIEMCAU_GATE").is_none(), "not tested: {why}");
    eprintln!("skipped: {why}");
}

#[test]
fn a_server_that_stopped_starts_on_a_disk_that_filled_up_and_goes_on_when_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        return skipped("a disk is mounted by root only");
    };
    let path = disk.0.path().join("conference.db");
    let open = || SqliteJournal::open(&path, key());
    let mut journal = open().unwrap();
    journal.append(&[entry(1)]).unwrap();
    journal.close().unwrap();
    drop(journal);

    disk.fill();
    let mut journal = open().unwrap();
    assert_eq!(all(&mut journal).len(), 1);
    let refused = journal.append(&[entry(2)]);
    assert!(matches!(refused, Err(JournalError::Full)), "{refused:?}");

    disk.make_room();
    assert_eq!(journal.append(&[entry(2)]).unwrap(), 2);
}

#[test]
fn a_record_without_what_its_readers_share_says_that_the_disk_is_full() {
    let Some(disk) = SmallDisk::mount() else {
        return skipped("a disk is mounted by root only");
    };
    let path = disk.0.path().join("conference.db");
    let open = || SqliteJournal::open(&path, key()).map(drop);
    open().unwrap();
    // As whoever copies a record may leave it behind.
    fs::remove_file(disk.0.path().join("conference.db-shm")).unwrap();
    disk.fill();
    let refused = open();
    assert!(matches!(refused, Err(JournalError::Full)), "{refused:?}");
}

#[test]
fn a_full_disk_that_writes_nothing_in_place_is_told_and_heals_and_ends_no_program() {
    let images = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount_copying(&images.path().join("disk")) else {
        return skipped("a disk is made with mkfs.btrfs and mounted by root only");
    };
    let path = disk.0.path().join("conference.db");
    let mut journal = SqliteJournal::open(&path, key()).unwrap();
    for n in 1..=100 {
        journal.append(&[entry(n)]).unwrap();
    }
    disk.fill();
    // What was changed before has left the memory: each change needs room of its own from here on.
    syncfs(File::open(disk.0.path()).unwrap()).unwrap();
    let refused = journal.append(&[entry(101)]);
    assert!(matches!(refused, Err(JournalError::Full)), "{refused:?}");
    assert_eq!(all(&mut journal).len(), 100);

    disk.make_room();
    syncfs(File::open(disk.0.path()).unwrap()).unwrap();
    assert_eq!(journal.append(&[entry(101)]).unwrap(), 101);
}
