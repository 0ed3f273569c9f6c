//! The pages of a SQLite 3 database: its file, and over it what is committed in the write-ahead log.
//!
//! Read from the published file format, not by SQLite: so each byte has a place that can be told, nothing is tidied up
//! by looking, and a fault of that library is not repeated here.

use crate::{Checked, Spot};
use std::{collections::BTreeMap, collections::BTreeSet, fs, io, path::Path};

const DATABASE: &str = "conference.db";
const LOG: &str = "conference.db-wal";
/// So often the files are read again while a running server moves its log into the database.
const ATTEMPTS: usize = 100;
const LOG_HEAD: usize = 32;
const FRAME_HEAD: usize = 24;
/// Fields of the first page that are the same in every journal: place, length, value.
const FIXED: [(usize, usize, u64); 7] = [
    (20, 4, 0x0040_2020), // no reserved space; the three fractions
    (44, 8, 4 << 32),     // schema format, suggested cache size
    (52, 8, 1),           // no vacuum; UTF-8
    (60, 8, 0),
    (68, 8, 0),
    (76, 8, 0),
    (84, 8, 0),
];

#[derive(Default)]
pub(crate) struct Pages {
    size: usize,
    database: Vec<u8>,
    log: Vec<u8>,
    /// Where in the log the newest copy of a page stands.
    newest: BTreeMap<u32, usize>,
    count: u32,
    seen: BTreeSet<u32>,
    /// Where the log was changed after it was synced; nothing behind is read.
    pub broken_log: Option<Spot>,
    /// What is looked at: the place to tell.
    pub here: Vec<Spot>,
}

impl Pages {
    /// Reads both files as of one moment. `None`: there is no journal.
    pub fn read(folder: &Path) -> io::Result<Option<Self>> {
        let read = |name| match fs::read(folder.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        };
        for _ in 0..ATTEMPTS {
            let before = read(LOG)?.unwrap_or_default();
            let Some(database) = read(DATABASE)? else {
                return Ok(None);
            };
            let log = read(LOG)?.unwrap_or_default();
            // The same head: whatever went into the database meanwhile is still in the log.
            if before.get(..LOG_HEAD) == log.get(..LOG_HEAD) {
                return Ok(Some(Self {
                    database,
                    log,
                    ..Self::default()
                }));
            }
        }
        Err(io::Error::other("the server writes too fast: stop it"))
    }

    /// Checks the first page, which says how the others are to be read.
    pub fn check_head(&mut self) -> Checked<()> {
        self.here = vec![spot(DATABASE, 0, 100)];
        let field = |at, length| be(&self.database, at, length).ok_or("it is cut off");
        self.size = match field(16, 2)? as usize {
            1 => 65_536,
            size @ 512..=32_768 if size.is_power_of_two() => size,
            _ => return Err("it has no page size"),
        };
        self.count = field(28, 4)? as u32;
        let length = self.database.len();
        if !self.take_log() && self.count as usize * self.size != length {
            self.here = vec![spot(
                DATABASE,
                length.min(self.count as usize * self.size),
                0,
            )];
            return Err("the file is not as long as its first page says");
        }
        let first = self.page(1)?;
        let fixed = |(at, length, value)| be(&first, at, length) == Some(value);
        let versions = be(&first, 18, 2);
        let is_sound = first.starts_with(b"SQLite format 3\0")
            && first[16..18] == self.database[16..18]
            && matches!(versions, Some(0x0101 | 0x0202))
            && FIXED.into_iter().all(fixed);
        self.seen.clear();
        is_sound
            .then_some(())
            .ok_or("the first page is not a journal's")
    }

    /// Whether each page is a table's: nothing is ever deleted, so none is free.
    pub fn check_rest(&mut self) -> Checked<()> {
        match (1..=self.count).find(|page| !self.seen.contains(page)) {
            None => Ok(()),
            Some(page) => {
                self.here.clear();
                self.page(page)?;
                Err("this page belongs to no table")
            }
        }
    }

    /// A page in its newest copy; its place is added to what is looked at.
    pub fn page(&mut self, number: u32) -> Checked<Vec<u8>> {
        let (file, bytes, at) = match self.newest.get(&number) {
            Some(at) => (LOG, &self.log, *at),
            None => {
                let before = (number as usize).saturating_sub(1);
                (DATABASE, &self.database, before * self.size)
            }
        };
        if !(1..=self.count).contains(&number) || !self.seen.insert(number) {
            return Err("it points at a page that does not exist or belongs elsewhere");
        }
        self.here.push(spot(file, at, self.size));
        let page = bytes.get(at..at + self.size);
        page.map(<[u8]>::to_vec).ok_or("the file is cut off")
    }

    /// Takes up the committed frames. False when there are none.
    fn take_log(&mut self) -> bool {
        let big_endian = be(&self.log, 3, 1) == Some(0x83);
        let sum = |seed, bytes: &[u8]| checksum(big_endian, seed, bytes);
        let head = self.log.get(..24).unwrap_or_default();
        let mut seed = sum((0, 0), head);
        let mut is_whole = words(&self.log, 24) == Some(seed);
        // Where the first frame that does not follow stands, and whether its transaction was ended behind it.
        let mut broken = (!is_whole).then(|| spot(LOG, 0, LOG_HEAD));
        let (mut ended, mut waiting, mut committed) = (false, vec![], false);
        let salts = words(&self.log, if is_whole { 16 } else { LOG_HEAD + 8 });
        let frame = FRAME_HEAD + self.size;
        for (place, bytes) in self.log[head.len().max(LOG_HEAD).min(self.log.len())..]
            .chunks_exact(frame)
            .enumerate()
        {
            let at = LOG_HEAD + place * frame;
            let follows = sum(sum(seed, &bytes[..8]), &bytes[FRAME_HEAD..]);
            let is_next = salts == words(bytes, 8) && words(bytes, 16) == Some(follows);
            let (page, commit) = words(bytes, 0).unwrap_or_default();
            seed = words(bytes, 16).unwrap_or_default();
            is_whole &= is_next;
            if is_whole {
                waiting.push((page, at + FRAME_HEAD));
                if commit > 0 {
                    self.newest.extend(waiting.drain(..));
                    (self.count, committed) = (commit, true);
                }
            } else if !is_next {
                broken.get_or_insert(spot(LOG, at, frame));
            } else if ended {
                // A later transaction is written only when this one was synced: no crash leaves this.
                self.broken_log = broken;
                return committed;
            }
            ended |= !is_whole && salts == words(bytes, 8) && commit > 0;
        }
        committed
    }
}

pub(crate) fn spot(file: &'static str, at: usize, length: usize) -> Spot {
    let bytes = at as u64..at.saturating_add(length) as u64;
    Spot { file, bytes }
}

/// A big-endian number, as everywhere in SQLite's files.
pub(crate) fn be(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?.iter();
    Some(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn words(bytes: &[u8], at: usize) -> Option<(u32, u32)> {
    Some((be(bytes, at, 4)? as u32, be(bytes, at + 4, 4)? as u32))
}

/// The log's running checksum over pairs of words.
fn checksum(big_endian: bool, seed: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let turned = |word: u32| if big_endian { word } else { word.swap_bytes() };
    (0..bytes.len() / 8).fold(seed, |(a, b), pair| {
        let (first, second) = words(bytes, pair * 8).unwrap_or_default();
        let a = a.wrapping_add(turned(first)).wrapping_add(b);
        (a, b.wrapping_add(turned(second)).wrapping_add(a))
    })
}
