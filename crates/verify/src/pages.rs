//! The pages of a SQLite 3 database: its file, and over it what is committed in the write-ahead log.
//!
//! Read from the published file format, not by SQLite: so each byte has a place that can be told, nothing is tidied up
//! by looking, and a fault of that library is not repeated here.

use crate::{Checked, Read, Spot, ensure};
use std::{collections::BTreeMap, io};

pub(crate) const PAGE: usize = 4_096;
const DATABASE: &str = "conference.db";
const LOG: &str = "conference.db-wal";
const UNDO: &str = "conference.db-journal";
/// So often the files are read again while a running server moves its log into the database.
const ATTEMPTS: usize = 100;
const LOG_HEAD: usize = 32;
const FRAME_HEAD: usize = 24;
/// How every journal begins: pages of 4,096 bytes, with a write-ahead log, nothing reserved, the three fractions.
const HEAD: &[u8] = b"SQLite format 3\0\x10\x00\x02\x02\x00\x40\x20\x20";

/// How every log begins: sums over words of the usual processors' order of bytes, the format's version, pages of 4,096 bytes.
const LOG_MARK: &[u8] = b"\x37\x7F\x06\x82\x00\x2D\xE2\x18\x00\x00\x10\x00";
/// The smallest piece that a disk writes whole.
const SECTOR: usize = 512;

#[derive(Default)]
pub(crate) struct Pages {
    database: Vec<u8>,
    log: Vec<u8>,
    /// How many pages the database has by its log.
    count: Option<u64>,
    /// Where the newest copy of each page stands; a page that was read belongs to its reader.
    unread: BTreeMap<u32, Spot>,
    /// Where the first page names others as free, if it does.
    free: Option<Spot>,
    /// Where the log was changed after it was synced; nothing behind is read.
    pub broken_log: Option<Spot>,
    /// What is looked at: the place to tell.
    pub here: Vec<Spot>,
    /// The id of the row that was read last.
    pub id: i64,
}

impl Pages {
    /// Reads both files as of one moment, and finds all pages. `None`: there is no journal.
    pub fn read(read: Read<'_>) -> io::Result<Option<Self>> {
        let mut read = |name| match read(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        };
        let mut seen = None;
        for _ in 0..ATTEMPTS {
            let before = read(LOG)?.unwrap_or_default();
            let Some(database) = read(DATABASE)? else {
                return Ok(None);
            };
            let log = read(LOG)?.unwrap_or_default();
            let undo = read(UNDO)?.filter(|undo| !undo.is_empty());
            // The same head: whatever went into the database meanwhile is still in the log.
            let is_one = before.get(..LOG_HEAD) == log.get(..LOG_HEAD);
            let places = (0..database.len() / PAGE).map(|page| spot(DATABASE, page * PAGE, PAGE));
            let mut pages = Self {
                unread: (1..).zip(places).collect(),
                database,
                log,
                here: Vec::from_iter(undo.map(|undo| spot(UNDO, 0, undo.len()))),
                ..Self::default()
            };
            pages.count = pages.take_log();
            // A frame that is written while the log is read may seem changed, and is another the next time.
            let broken = pages.broken_log.clone();
            let broken = broken.map(|spot| (pages.bytes(&spot).to_vec(), spot));
            if is_one && (broken.is_none() || broken == seen) {
                return Ok(Some(pages));
            }
            seen = broken;
        }
        Err(io::Error::other("the server writes too fast: stop it"))
    }

    /// Checks the first page, which says how the others are to be read.
    pub fn check_head(&mut self) -> Checked<()> {
        // No server leaves one beside its tables, and SQLite takes the database back by it before it looks at the log.
        ensure(self.here.is_empty(), "a rollback journal would change it")?;
        let count = self.count.or(be(&self.database, 28, 4)).unwrap_or(0) as usize;
        // What the log holds may be missing in the file, or be torn there; behind the last page there is never anything.
        let excess = self.database.len().saturating_sub(count * PAGE);
        self.here = vec![spot(DATABASE, 0, 100), spot(DATABASE, count * PAGE, excess)];
        let otherwise = "it is cut off, or not as long as its first page or its log says";
        ensure(self.unread.len() == count && excess == 0, otherwise)?;
        let place = self.unread.get(&1).ok_or("it is empty")?.clone();
        let first = self.bytes(&place);
        let zero = [48..56, 60..92].into_iter();
        let is_sound = first.starts_with(HEAD)
            && (be(first, 44, 4), be(first, 56, 4)) == (Some(4), Some(1))
            && zero.flat_map(|range| &first[range]).all(|byte| *byte == 0);
        let names_free = be(first, 32, 8) != Some(0);
        self.free = names_free.then(|| spot(place.file, place.bytes.start as usize + 32, 8));
        self.here = vec![place];
        ensure(is_sound, "the first page is not a journal's")
    }

    /// Whether each page was a table's: nothing is ever deleted, so none is free.
    pub fn check_rest(&mut self) -> Checked<()> {
        let unread = self.unread.pop_first().map(|(_, place)| place);
        self.here = Vec::from_iter(unread.or(self.free.take()));
        ensure(self.here.is_empty(), "a page is free or of no table")
    }

    /// A page; its place is added to what is looked at.
    pub fn page(&mut self, number: u32) -> Checked<Vec<u8>> {
        let place = self.unread.remove(&number);
        let place = place.ok_or("it points at a page that does not exist or belongs elsewhere")?;
        let page = self.bytes(&place).to_vec();
        self.here.push(place);
        Ok(page)
    }

    fn bytes(&self, place: &Spot) -> &[u8] {
        let is_log = place.file == LOG;
        let file = if is_log { &self.log } else { &self.database };
        &file[place.bytes.start as usize..place.bytes.end as usize]
    }

    /// Takes up the committed frames; how many pages the database has after the last of them.
    fn take_log(&mut self) -> Option<u64> {
        let mut stored = words(&self.log, 24)?;
        let mut right = checksum((0, 0), &self.log[..24]);
        let is_ours = self.log.starts_with(LOG_MARK);
        // SQLite may read another one in another way, or none of it. One that was torn when it was made has no head.
        if !is_ours && self.log[..LOG_MARK.len()].iter().any(|byte| *byte > 0) {
            self.broken_log = Some(spot(LOG, 0, LOG_HEAD));
            return None;
        }
        let is_whole = is_ours && stored == right;
        // No crash breaks a head, for it lies in one sector: without it each frame has the round of the one before it.
        let mut salts = words(&self.log, 16);
        let mut broken = (!is_whole).then(|| spot(LOG, 0, LOG_HEAD));
        let (mut waiting, mut after_commit, mut count) = (vec![], false, None);
        let frames = self.log[LOG_HEAD..].chunks_exact(FRAME_HEAD + PAGE);
        for (place, frame) in frames.enumerate() {
            let at = LOG_HEAD + place * (FRAME_HEAD + PAGE);
            let follows = |sum| checksum(checksum(sum, &frame[..8]), &frame[FRAME_HEAD..]);
            let ((page, commit), sum) = (words(frame, 0)?, words(frame, 16)?);
            // Behind a frame that was changed the next one follows from what stands in it, or ought to stand in it.
            let is_next =
                words(frame, 8) == salts && [follows(stored), follows(right)].contains(&sum);
            if !is_next {
                broken.get_or_insert(spot(LOG, at, FRAME_HEAD + PAGE));
            } else if broken.is_none() {
                waiting.push((page, spot(LOG, at + FRAME_HEAD, PAGE)));
                if commit > 0 {
                    self.unread.extend(waiting.drain(..));
                    count = Some(commit.into());
                }
            } else if after_commit {
                // A later transaction is written only when this one was synced: no crash leaves this.
                self.broken_log = broken;
                return count;
            }
            // A head across two sectors may have new sums and an old rest, if it was torn.
            let is_told = is_next || at % SECTOR <= SECTOR - FRAME_HEAD;
            salts = if is_whole { salts } else { words(frame, 8) };
            (right, stored, after_commit) = (follows(stored), sum, is_told && commit > 0);
        }
        count
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

/// The log's running checksum over pairs of words, in the order of bytes of the usual processors.
fn checksum(seed: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    (0..bytes.len() / 8).fold(seed, |(a, b), pair| {
        let (first, second) = words(bytes, pair * 8).unwrap_or_default();
        let a = a.wrapping_add(first.swap_bytes()).wrapping_add(b);
        (a, b.wrapping_add(second.swap_bytes()).wrapping_add(a))
    })
}
