//! The journal's program is watched at its system calls, and the power is cut behind some of them: what was acknowledged is
//! there, once, in its order, and the verifier finds the record sound.
//!
//! Of a run on one disk, and of one with a mirror, behind each of the first 60 calls, of every run around each that makes a
//! file shorter or moves or removes it, in all three ways: what was not synced is lost, kept, or torn. Behind further calls,
//! in the way that it draws, the seed says: 180 here, 3,000 and more by `cargo xtask points --count 3000 --seed 7`. Which
//! calls there are in which order is the machine's choice. Two kinds of run begin where another one ended: at what a power cut
//! left, and at what a program left in the system's memory that ended at a sync, with the disk as it was. Needs Debian's
//! `strace`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

mod disk;
mod trace;

use diemcau_conference::{CommentKind, CommentWords, Event};
use diemcau_fuzz::Chance;
use diemcau_journal::{CheckpointKey, Entry, Journal, MirroredJournal, Record, SqliteJournal};
use diemcau_model::{Alarm, CommentId, DraftId, Millis, ParagraphRef, SeatId, SiteId};
use diemcau_verify::verify;
use disk::{Disk, Unsynced};
use std::{
    collections::BTreeSet,
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{self, Command},
    thread,
};
use tempfile::TempDir;
use trace::{Call, record};

/// A disk that fails now and then: syncs with EIO, writes for want of room.
const FAILING: &str = "inject=fsync,fdatasync:error=EIO:when=40+37";
const FULL: &str = "inject=write,pwrite64:error=ENOSPC:when=300+151";

/// How a journal is written while it is watched.
#[derive(Clone, Copy)]
struct Run {
    name: &'static str,
    /// Enough for a log to be moved into the database, where that is wanted.
    batches: usize,
    mirror: bool,
    inject: Option<&'static str>,
    /// Behind all of so many first calls the power is cut, in every way.
    first: usize,
    /// How much of the drawn points it gets.
    share: usize,
}

const RUNS: [Run; 4] = [
    Run {
        name: "one disk",
        batches: 400,
        mirror: false,
        inject: None,
        first: 60,
        share: 5,
    },
    Run {
        name: "a disk that fails",
        batches: 120,
        mirror: false,
        inject: Some(FAILING),
        first: 0,
        share: 1,
    },
    Run {
        name: "a disk that is full",
        batches: 120,
        mirror: false,
        inject: Some(FULL),
        first: 0,
        share: 1,
    },
    Run {
        name: "with a mirror",
        batches: 120,
        mirror: true,
        inject: None,
        first: 60,
        share: 2,
    },
];
/// A second power cut after a restart from what the first one left.
const AGAIN: Run = Run {
    name: "cut again",
    batches: 40,
    mirror: false,
    inject: None,
    first: 20,
    share: 1,
};

/// What ended a program before the run that is cut.
#[derive(Clone, Copy, Debug)]
enum End {
    /// A sync failed, and it stopped: the system takes for written what is not.
    FailedSync,
    /// It was killed before its last sync.
    Killed,
}
/// The ways in which a program ends and the next one begins: whether there is a mirror, and which of the next one's syncs fails.
const ENDS: [(End, bool, Option<&str>); 6] = [
    (End::FailedSync, false, None),
    (End::Killed, false, None),
    (End::FailedSync, true, None),
    (End::FailedSync, false, Some(FIRST_FAILS)),
    (End::Killed, false, Some(FIRST_FAILS)),
    (End::FailedSync, true, Some(FIRST_FAILS)),
];
const FIRST_FAILS: &str = "inject=fsync:error=EIO:when=1";
/// The run after it, whose power is cut.
const AFTER: Run = Run {
    name: "after an end at a sync",
    batches: 40,
    mirror: false,
    inject: None,
    first: 20,
    share: 1,
};

#[test]
fn every_power_cut_leaves_what_was_acknowledged() {
    let setting =
        |name, otherwise: u64| env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    let (count, seed) = (setting("POINTS", 180) as usize, setting("SEED", 7));
    let runs = RUNS.iter().chain([&AGAIN, &AFTER]);
    let shares: usize = runs.map(|run| run.share).sum();
    let (mut points, mut chance) = (0, Chance::new(seed));
    for run in RUNS {
        let folder = disks();
        let calls = watch(folder.path(), run);
        points += cut(
            &calls,
            (&Disk::default(), 0),
            folder.path(),
            run,
            count * run.share / shares,
            &mut chance,
        );
    }

    let folder = disks();
    let first = watch(
        folder.path(),
        Run {
            batches: 200,
            ..AGAIN
        },
    );
    for _ in 0..3 {
        let upto = first.len() / 2 + chance.below(first.len() / 2);
        let mut disk = Disk::default();
        first[..upto].iter().for_each(|call| disk.take(call));
        let mut acks = first[..upto].iter().rev();
        let acknowledged = acks.find_map(acknowledgement);
        let left = disks();
        disk.write(folder.path(), left.path(), Unsynced::Torn(chance.draw()));
        let disk = Disk::of(left.path());
        let calls = watch(left.path(), AGAIN);
        points += cut(
            &calls,
            (&disk, acknowledged.unwrap_or_default()),
            left.path(),
            AGAIN,
            count * AGAIN.share / shares / 3,
            &mut chance,
        );
    }
    for (end, mirror, inject) in ENDS {
        let run = Run {
            mirror,
            inject,
            ..AFTER
        };
        let drawn = count * AFTER.share / shares / ENDS.len();
        points += cut_after(end, run, drawn, &mut chance);
    }
    println!("{points} crash points: 0 acknowledged lost, 0 doubled, 0 reordered");
    assert!(points >= count * 9 / 10, "only {points} points");
}

/// Cuts the power behind calls of a run that begins with what the system has in its memory of one that ended at a sync.
fn cut_after(end: End, run: Run, drawn: usize, chance: &mut Chance) -> usize {
    let folder = disks();
    let fails = format!(
        "inject=fsync,fdatasync:error=EIO:when={}",
        30 + chance.below(40)
    );
    let first = Run {
        batches: 120,
        inject: None,
        ..run
    };
    let mut calls = watch_upto(folder.path(), first, Some(&fails));
    let failed = |call: &Call| matches!(call, Call::Sync { done: false, .. });
    let at = calls.iter().position(failed).expect("a sync that fails");
    if matches!(end, End::Killed) {
        // It came to no sync, nor to what it did when that failed.
        calls.remove(at);
    }
    let mut disk = Disk::default();
    calls.iter().for_each(|call| disk.take(call));
    let acknowledged = calls.iter().rev().find_map(acknowledgement);
    let calls = watch(folder.path(), run);
    cut(
        &calls,
        (&disk, acknowledged.unwrap_or_default()),
        folder.path(),
        run,
        drawn,
        chance,
    )
}

/// Cuts the power behind calls of a run that begins with a disk, and with so much acknowledged.
fn cut(
    calls: &[Call],
    (begin, acknowledged): (&Disk, u64),
    from: &Path,
    run: Run,
    drawn: usize,
    chance: &mut Chance,
) -> usize {
    let (mut disk, mut taken, mut acknowledged) = (begin.clone(), 0, acknowledged);
    let points = points(calls, run, drawn, chance);
    let at: BTreeSet<usize> = points.iter().map(|(upto, _)| *upto).collect();
    let count = points.len();
    for (upto, unsynced) in points {
        for call in &calls[taken..upto] {
            acknowledged = acknowledgement(call).unwrap_or(acknowledged);
            disk.take(call);
        }
        taken = upto;
        let left = disks();
        disk.write(from, left.path(), unsynced);
        let moment = format!("{}: call {upto}, unsynced {unsynced:?}", run.name);
        audit(left.path(), acknowledged, run, &moment);
    }
    let mut rest = calls[taken..].iter().rev();
    acknowledged = rest.find_map(acknowledgement).unwrap_or(acknowledged);
    let syncs = calls
        .iter()
        .filter(|call| matches!(call, Call::Sync { .. }))
        .count();
    println!(
        "{}: {count} points at {} of {} calls, {syncs} of these syncs; {acknowledged} events acknowledged",
        run.name,
        at.len(),
        calls.len(),
    );
    assert!(acknowledged > 100, "{}: too quiet a run", run.name);
    count
}

/// Behind how many calls the power is cut, and how, in their order: behind the first, and around each that makes a file
/// shorter or moves it, in every way; and at so many more that are drawn, each in a way that is.
fn points(calls: &[Call], run: Run, drawn: usize, chance: &mut Chance) -> Vec<(usize, Unsynced)> {
    let moves = |call: &Call| {
        matches!(
            call,
            Call::Truncate { .. } | Call::Rename { .. } | Call::Unlink { .. }
        )
    };
    let moves = calls.iter().enumerate().filter(|(_, call)| moves(call));
    let around = moves.flat_map(|(place, _)| place..=place + 2);
    let first = 1..=run.first;
    let all = first
        .chain(around)
        .filter(|upto| (1..=calls.len()).contains(upto));
    let all: BTreeSet<usize> = all.collect();
    let each = all
        .into_iter()
        .flat_map(|upto| (0..3).map(move |way| (upto, way)));
    let mut points: Vec<(usize, usize)> = each.collect();
    points.extend((0..drawn).map(|_| (1 + chance.below(calls.len()), chance.below(3))));
    points.sort_unstable();
    let mut unsynced = |way| match way {
        0 => Unsynced::Lost,
        1 => Unsynced::Kept,
        _ => Unsynced::Torn(chance.draw()),
    };
    let points = points.into_iter();
    points.map(|(upto, way)| (upto, unsynced(way))).collect()
}

/// What a power cut left, against what was acknowledged before.
fn audit(left: &Path, acknowledged: u64, run: Run, moment: &str) {
    let one = left.join("one");
    if acknowledged > 0 {
        check_sound(&one, acknowledged, moment);
    }
    if run.mirror {
        let lost = disks();
        copy(left, lost.path(), "two");
        if acknowledged > 0 {
            restart(
                lost.path(),
                acknowledged,
                run,
                &format!("{moment}, the first disk gone"),
            );
        }
    }
    restart(left, acknowledged, run, moment);
}

/// The next start: it finds the beginning of what was sent, whole batches of it, and goes on from there.
fn restart(left: &Path, acknowledged: u64, run: Run, moment: &str) {
    let mut journal = open(left, run.mirror).unwrap_or_else(|error| panic!("{moment}: {error:?}"));
    let mut records = vec![];
    journal
        .read_all(&mut |record| records.push(record))
        .unwrap();
    let found = records.len();
    assert!(
        found as u64 >= acknowledged,
        "{moment}: {found} of {acknowledged} acknowledged"
    );
    for (place, record) in records.into_iter().enumerate() {
        assert_eq!(
            told(record),
            entry(1 + place as u32),
            "{moment}: another event, or in another place"
        );
    }
    assert!(
        found == 0 || ends().contains(&found),
        "{moment}: half a batch, {found} events"
    );

    let next = 1 + found as u64;
    assert_eq!(
        journal.append(&[entry(next as u32)]).unwrap(),
        next,
        "{moment}"
    );
    journal.close().unwrap();
    drop(journal);
    check_sound(&left.join("one"), next, moment);
}

fn check_sound(folder: &Path, at_least: u64, moment: &str) {
    let sound = verify(folder).unwrap();
    let sound = sound.unwrap_or_else(|| panic!("{moment}: no record"));
    let sound = sound.unwrap_or_else(|finding| panic!("{moment}: {finding}"));
    assert!(
        sound.number as u64 >= at_least,
        "{moment}: {sound}, {at_least} acknowledged"
    );
}

/// Writes batches and acknowledges each in a file, until all are written: the program that is watched.
#[test]
#[ignore = "it is started, and watched, by the test above"]
fn writer() {
    let folder = PathBuf::from(env::var("FOLDER").unwrap());
    let batches: usize = env::var("BATCHES").unwrap().parse().unwrap();
    let mut journal = open(&folder, env::var_os("MIRROR").is_some()).unwrap();
    let mut acks = fs::File::create(folder.join("acks")).unwrap();
    let all = ends();
    let before = journal.last_number() as usize;
    if before > 0 {
        // Who gives a command of it again hears so.
        assert!((0..1_000).any(|_| journal.settle().is_ok()));
        while journal.alarms().contains(&Alarm::MirrorFails) {
            journal.touch(Millis(1));
            thread::yield_now();
        }
        acks.write_all(format!("{before}\n").as_bytes()).unwrap();
    }
    let ends_early = env::var_os("ENDS").is_some();
    let mut from = before;
    for end in all.iter().filter(|end| **end > before).take(batches) {
        let entries: Vec<Entry> = (from..*end).map(|place| entry(1 + place as u32)).collect();
        // A disk that fails is tried again; whoever waits hears nothing before it was written.
        let tries = if ends_early { 1 } else { 1_000 };
        let last = (0..tries).find_map(|_| journal.append(&entries).ok());
        if ends_early && (last.is_none() || journal.alarms().contains(&Alarm::MirrorFails)) {
            // Nothing is closed: it is gone.
            process::exit(0);
        }
        assert_eq!(last, Some(*end as u64));
        // What a mirror that is slow here has not got yet would be acknowledged with an alarm.
        while journal.alarms().contains(&Alarm::MirrorFails) {
            journal.touch(Millis(1));
            thread::yield_now();
        }
        let ack = format!("{end}\n");
        assert!((0..1_000).any(|_| acks.write_all(ack.as_bytes()).is_ok()));
        from = *end;
    }
    // With a disk that fails the end may stay unsigned.
    let _ = journal.close();
}

fn watch(folder: &Path, run: Run) -> Vec<Call> {
    record(&mut writing(folder, run), folder, run.inject)
}

/// The same up to what fails first: there the program ends.
fn watch_upto(folder: &Path, run: Run, inject: Option<&str>) -> Vec<Call> {
    record(writing(folder, run).env("ENDS", "1"), folder, inject)
}

fn writing(folder: &Path, run: Run) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "writer",
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("FOLDER", folder)
        .env("BATCHES", run.batches.to_string());
    if run.mirror {
        command.env("MIRROR", "1");
    }
    command
}

fn acknowledgement(call: &Call) -> Option<u64> {
    let Call::Write { path, bytes, .. } = call else {
        return None;
    };
    let number = || str::from_utf8(bytes).unwrap().trim().parse().unwrap();
    path.ends_with("acks").then(number)
}

/// A folder with two empty disks, in memory where that can be had.
fn disks() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = match memory.exists() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    let folder = folder.unwrap();
    for disk in ["one", "two"] {
        fs::create_dir(folder.path().join(disk)).unwrap();
    }
    folder
}

fn copy(from: &Path, to: &Path, disk: &str) {
    for file in fs::read_dir(from.join(disk)).unwrap() {
        let name = file.unwrap().file_name();
        fs::copy(from.join(disk).join(&name), to.join(disk).join(&name)).unwrap();
    }
}

fn open(folder: &Path, mirror: bool) -> Result<Box<dyn Journal>, diemcau_journal::JournalError> {
    let key = CheckpointKey::from_seed(&[7; 32]).unwrap();
    let (one, two) = (
        folder.join("one/conference.db"),
        folder.join("two/conference.db"),
    );
    Ok(match mirror {
        true => Box::new(MirroredJournal::open(&one, &two, key, Millis(1))?),
        false => Box::new(SqliteJournal::open(one, key)?),
    })
}

/// Where the batches end: 1 to 7 events each.
fn ends() -> BTreeSet<usize> {
    let mut chance = Chance::new(1);
    let mut end = 0;
    let sizes = (0..1_000).map(|_| 1 + chance.below(7));
    sizes
        .map(|size| {
            end += size;
            end
        })
        .collect()
}

/// The `n`th event; comments of some bytes to several pages.
fn entry(n: u32) -> Entry {
    let at = Millis(1_622_075_400_000 + u64::from(n) * 10);
    let long = if n.is_multiple_of(53) {
        40
    } else {
        n as usize % 5
    };
    Entry {
        at,
        seat: Some(SeatId(n % 43)),
        command: Some(format!("command-{n}")),
        event: Event::CommentPosted {
            comment: CommentId(n),
            site: SiteId(1),
            seat: SeatId(n % 43),
            kind: CommentKind::Agree,
            words: CommentWords {
                at: ParagraphRef {
                    draft: DraftId(1),
                    paragraph: 2,
                },
                text: "Nhất trí với dự thảo Tờ trình; đề nghị làm rõ chỉ tiêu kết nạp đảng viên. "
                    .repeat(1 + long),
                proposed: String::new(),
                delegate: String::new(),
            },
            at,
        },
    }
}

fn told(record: Record) -> Entry {
    let Record {
        at,
        seat,
        command,
        event,
        ..
    } = record;
    Entry {
        at,
        seat,
        command,
        event,
    }
}
