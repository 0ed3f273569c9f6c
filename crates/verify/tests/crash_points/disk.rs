//! What is on a disk after a power cut: what was synced, and of the rest whatever the disk chose.

use crate::trace::Call;
use diemcau_fuzz::Chance;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The smallest piece that a disk writes whole.
const SECTOR: usize = 512;

/// What became of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsynced {
    /// All of it is lost, names of new files included.
    Lost,
    /// All of it is there: the process was killed, not the machine.
    Kept,
    /// Each sector, each length and each name came through or not: pages are torn, and later writes overtake earlier.
    Torn(u64),
}

/// The files below a folder, as programs see them and as the disk has them.
#[derive(Clone, Default)]
pub struct Disk {
    files: Vec<File>,
    seen: BTreeMap<PathBuf, usize>,
    /// Names that survive: those of the last sync of their folder.
    named: BTreeMap<PathBuf, usize>,
}

#[derive(Clone, Default)]
struct File {
    seen: Vec<u8>,
    kept: Vec<u8>,
    /// Sectors the disk has not been given.
    dirty: BTreeSet<usize>,
    /// Sectors whose sync failed: the system takes them for written, and no later sync writes them.
    doubtful: BTreeSet<usize>,
}

impl Disk {
    /// What stands in the folders of a folder, all of it on the disk.
    pub fn of(folder: &Path) -> Self {
        let mut disk = Self::default();
        let below = |folder: &Path| -> Vec<PathBuf> {
            let entries = fs::read_dir(folder).unwrap();
            entries.map(|entry| entry.unwrap().path()).collect()
        };
        let disks = below(folder).into_iter().filter(|path| path.is_dir());
        let files = disks.flat_map(|disk| below(&disk));
        for path in files {
            let bytes = fs::read(&path).unwrap();
            let file = File {
                seen: bytes.clone(),
                kept: bytes,
                ..File::default()
            };
            disk.seen.insert(path.clone(), disk.files.len());
            disk.named.insert(path, disk.files.len());
            disk.files.push(file);
        }
        disk
    }

    pub fn take(&mut self, call: &Call) {
        match call {
            Call::Create { path } => {
                self.file(path);
            }
            Call::Write { path, at, bytes } => self.file(path).write(*at, bytes),
            Call::Truncate { path, length } => self.file(path).truncate(*length),
            Call::Sync { path, done } if self.seen.contains_key(path) => {
                self.file(path).sync(*done)
            }
            Call::Sync { path, done: true } => {
                let here = |name: &Path| name.parent() == Some(path);
                self.named.retain(|name, _| !here(name));
                let names = self.seen.iter().filter(|(name, _)| here(name));
                self.named
                    .extend(names.map(|(name, file)| (name.clone(), *file)));
            }
            Call::Sync { done: false, .. } => {}
            Call::Unlink { path } => {
                self.seen.remove(path);
            }
            Call::Rename { from, to } => {
                let file = self.seen.remove(from);
                self.seen.extend(file.map(|file| (to.clone(), file)));
            }
        }
    }

    fn file(&mut self, path: &Path) -> &mut File {
        let next = self.files.len();
        let file = *self.seen.entry(path.to_owned()).or_insert(next);
        if file == next {
            self.files.push(File::default());
        }
        &mut self.files[file]
    }

    /// Writes what a power cut at this moment leaves into a folder; `from` is where it was.
    pub fn write(&self, from: &Path, folder: &Path, unsynced: Unsynced) {
        let mut chance = Chance::new(match unsynced {
            Unsynced::Torn(seed) => seed,
            Unsynced::Lost | Unsynced::Kept => 0,
        });
        let mut keeps = || match unsynced {
            Unsynced::Lost => false,
            Unsynced::Kept => true,
            Unsynced::Torn(_) => chance.percent(50),
        };
        let names: BTreeSet<&PathBuf> = self.seen.keys().chain(self.named.keys()).collect();
        for name in names {
            let (seen, named) = (self.seen.get(name), self.named.get(name));
            let Some(file) = (if keeps() { seen } else { named }) else {
                continue;
            };
            let bytes = self.files[*file].after(&mut keeps);
            fs::write(folder.join(name.strip_prefix(from).unwrap()), bytes).unwrap();
        }
    }
}

impl File {
    fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        self.seen.resize(self.seen.len().max(end), 0);
        self.seen[at..end].copy_from_slice(bytes);
        for sector in at / SECTOR..end.div_ceil(SECTOR) {
            self.doubtful.remove(&sector);
            self.dirty.insert(sector);
        }
    }

    fn truncate(&mut self, length: usize) {
        self.seen.resize(length, 0);
        let end = length.div_ceil(SECTOR);
        self.dirty.retain(|sector| *sector < end);
        self.doubtful.retain(|sector| *sector < end);
    }

    fn sync(&mut self, done: bool) {
        let given = std::mem::take(&mut self.dirty);
        if !done {
            self.doubtful.extend(given);
            return;
        }
        self.kept.resize(self.seen.len(), 0);
        for sector in given {
            copy(&self.seen, &mut self.kept, sector);
        }
    }

    fn after(&self, keeps: &mut dyn FnMut() -> bool) -> Vec<u8> {
        let mut bytes = self.kept.clone();
        if keeps() {
            bytes.resize(self.seen.len(), 0);
        }
        for sector in self.dirty.union(&self.doubtful) {
            if keeps() {
                copy(&self.seen, &mut bytes, *sector);
            }
        }
        bytes
    }
}

/// A sector beyond the length that came through does not exist.
fn copy(from: &[u8], to: &mut [u8], sector: usize) {
    let end = ((sector + 1) * SECTOR).min(from.len()).min(to.len());
    let start = (sector * SECTOR).min(end);
    to[start..end].copy_from_slice(&from[start..end]);
}
