//! Whether a database's log was damaged before its last transaction. SQLite stops at the first frame that is wrong, takes what
//! follows for nothing, and writes over it: so this is asked before it may.

use crate::{
    JournalError,
    files::{LOG, beside, sync_folder},
    first::{end_of, still},
};
use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::Path,
};
use tracing::debug;

const PAGE: usize = 4_096;
const HEAD: usize = 32;
const FRAME_HEAD: usize = 24;
/// How SQLite begins a log on this machine: a mark that tells in which order the bytes of words are summed up, its version of
/// the format, the size of a page.
const MARK: [u8; 12] = [
    0x37,
    0x7F,
    0x06,
    if cfg!(target_endian = "big") {
        0x83
    } else {
        0x82
    },
    0x00,
    0x2D,
    0xE2,
    0x18,
    0x00,
    0x00,
    0x10,
    0x00,
];

/// The smallest piece that a disk writes whole.
const SECTOR: usize = 512;

/// The running checksum of a log.
type Sum = (u32, u32);

/// Looks at a database's log before it is opened, and gives what stands in it.
///
/// # Errors
/// `Corrupt`, with the first number that stands behind the damage: a torn end is none, but what follows on it.
pub(crate) fn check(path: &Path) -> Result<Vec<u8>, JournalError> {
    let bytes = read(path)?;
    let Some(byte) = first_damage(&bytes) else {
        return Ok(bytes);
    };
    // At each look of a mirror: who is stopped by it reads the place from `diemcau-verify`.
    debug!(
        log = %beside(path, LOG).display(), byte,
        "the log of the record was changed after it was written: what stands behind that cannot be read"
    );
    let number = match still(path).and_then(|db| end_of(&db)) {
        Ok(end) => end.next_number(),
        Err(JournalError::Corrupt { number, .. }) => number,
        Err(failure) => return Err(failure),
    };
    Err(JournalError::Corrupt {
        number,
        what: "its log was changed after it was written",
    })
}

/// The byte at which a database's log is damaged before its last transaction.
pub(crate) fn damaged_at(path: &Path) -> Result<Option<usize>, JournalError> {
    Ok(first_damage(&read(path)?))
}

/// Writes what stands in a database's log where it stands already, and syncs it. What SQLite takes up there may be in the
/// system's memory alone: that of a program that was killed before its sync, or whose sync failed. The system takes the latter
/// for written, and no sync writes it but behind another write. A power cut amid this leaves what one before it would.
pub(crate) fn write_back(path: &Path, bytes: &[u8]) -> Result<(), JournalError> {
    if bytes.is_empty() {
        return Ok(());
    }
    let write = || {
        let log = OpenOptions::new().write(true).open(beside(path, LOG))?;
        log.write_all_at(bytes, 0)?;
        log.sync_all()
    };
    write().map_err(|failure: io::Error| {
        let is_full = failure.kind() == ErrorKind::StorageFull;
        match is_full {
            true => JournalError::Full,
            false => JournalError::io(failure),
        }
    })?;
    sync_folder(path)
}

fn read(path: &Path) -> Result<Vec<u8>, JournalError> {
    let log = beside(path, LOG);
    // Nothing else is read: it may never end.
    match fs::metadata(&log).is_ok_and(|log| log.is_file()) {
        true => fs::read(log).map_err(JournalError::io),
        false => Ok(vec![]),
    }
}

fn first_damage(log: &[u8]) -> Option<usize> {
    let (head, frames) = log.split_at_checked(HEAD)?;
    let mut stored = words(&head[24..]);
    let is_whole = head.starts_with(&MARK) && summed((0, 0), &head[..24]) == stored;
    let mut broken = (!is_whole).then_some(0);
    // Frames of an earlier round have other salts. Without a head nobody knows which is this one; it is whole after any
    // crash, for it lies in one sector, so that frames which follow each other stand behind damage whatever their round.
    let mut salts = &head[16..24];
    let (mut due, mut is_end) = (stored, false);
    for (place, frame) in frames.chunks_exact(FRAME_HEAD + PAGE).enumerate() {
        let at = HEAD + place * (FRAME_HEAD + PAGE);
        let after = |sum| summed(summed(sum, &frame[..8]), &frame[FRAME_HEAD..]);
        let (sum, due_here) = (words(&frame[16..]), after(stored));
        // One that was changed is followed by what follows from its sum as it stands there, or as it ought to.
        let follows = frame[8..16] == *salts && (due_here == sum || after(due) == sum);
        if !follows {
            broken.get_or_insert(at);
        } else if is_end && broken.is_some() {
            // A transaction is written only when the one before it is on the disk: no crash leaves this.
            return broken;
        }
        // Whether one that is wrong was the last of its transaction its head tells, for what follows has its sums; unless that
        // lies across two sectors and was torn: then the sums may be new and the rest old.
        let is_told = follows || at % SECTOR <= SECTOR - FRAME_HEAD;
        if !is_whole {
            salts = &frame[8..16];
        }
        (stored, due) = (sum, due_here);
        is_end = is_told && frame[4..8] != [0; 4];
    }
    None
}

fn words(bytes: &[u8]) -> Sum {
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
        u32::from_be_bytes(bytes.unwrap_or_default())
    };
    (word(0), word(4))
}

/// The words of what is summed up have the order of this machine, all others the one of the format.
fn summed(sum: Sum, bytes: &[u8]) -> Sum {
    bytes.chunks_exact(8).fold(sum, |(a, b), pair| {
        let (first, second) = words(pair);
        let a = a
            .wrapping_add(u32::from_ne_bytes(first.to_be_bytes()))
            .wrapping_add(b);
        (
            a,
            b.wrapping_add(u32::from_ne_bytes(second.to_be_bytes()))
                .wrapping_add(a),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CheckpointKey, Entry, Journal, SqliteJournal};
    use diemcau_conference::Event;
    use diemcau_model::Millis;

    #[test]
    fn a_torn_head_that_lies_across_two_sectors_ends_no_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("conference.db");
        let key = CheckpointKey::from_seed(&[7; 32]).unwrap();
        let mut journal = SqliteJournal::open(&path, key).unwrap();
        let entry = Entry {
            at: Millis(1),
            seat: None,
            command: Some("x".repeat(3_000)),
            event: Event::ListSet { open: true },
        };
        journal.append(&vec![entry; 100]).unwrap();
        let whole = fs::read(beside(&path, LOG)).unwrap();
        assert_eq!(first_damage(&whole), None);

        let of_frame = |frame: usize| HEAD + frame * (FRAME_HEAD + PAGE);
        let torn_at = |at: usize| {
            let mut torn = whole.clone();
            torn[at..at + 8].copy_from_slice(&[0, 0, 0, 5, 0, 0, 0, 7]);
            first_damage(&torn)
        };
        // What was in its first sector came from an earlier round.
        assert_eq!(of_frame(41) % SECTOR, SECTOR - 8);
        assert_eq!(torn_at(of_frame(41)), None);
        assert_eq!(torn_at(of_frame(40)), Some(of_frame(40)));
    }
}
