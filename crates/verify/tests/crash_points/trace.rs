//! What a program really did to its disk: its system calls, as `strace` wrote them down.
//!
//! So the code under test is the one that runs in the hall, SQLite's own file layer included, with no seam for a test.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The calls that change a file, a folder, or where the next write goes.
const CALLS: &str = "openat,lseek,write,pwrite64,ftruncate,fsync,fdatasync,unlink,rename";

/// One change, in the order in which they were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    Create {
        path: PathBuf,
    },
    Write {
        path: PathBuf,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        path: PathBuf,
        length: usize,
    },
    /// Of a file or a folder. A sync that failed says nothing about what is on the disk.
    Sync {
        path: PathBuf,
        done: bool,
    },
    Unlink {
        path: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
}

/// Runs a command under `strace`, which also makes calls fail as `inject` says, and gives the changes below `folder`.
pub fn record(command: &mut Command, folder: &Path, inject: Option<&str>) -> Vec<Call> {
    let out = tempfile::NamedTempFile::new().unwrap();
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-qq", "-y", "-xx", "-s", "16000000", "-e"])
        .arg(format!("trace={CALLS}"))
        .args(inject.iter().flat_map(|inject| ["-e", inject]))
        .arg("-o")
        .arg(out.path())
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        strace.env(name, value.unwrap());
    }
    let ran = strace
        .output()
        .expect("strace is needed: apt-get install strace");
    assert!(
        ran.status.success(),
        "{}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    let text = fs::read_to_string(out.path()).unwrap();
    let (mut begun, mut offsets) = (BTreeMap::new(), BTreeMap::new());
    let calls = text
        .lines()
        .filter_map(|line| whole(line, &mut begun))
        .filter_map(|line| parse(&line, &mut offsets));
    calls
        .filter(|call| path_of(call).starts_with(folder))
        .collect()
}

fn path_of(call: &Call) -> &Path {
    match call {
        Call::Create { path }
        | Call::Write { path, .. }
        | Call::Truncate { path, .. }
        | Call::Sync { path, .. }
        | Call::Unlink { path } => path,
        Call::Rename { from, .. } => from,
    }
}

/// A call that another thread's interrupts is written in two halves; it is done where the second one stands.
fn whole(line: &str, begun: &mut BTreeMap<String, String>) -> Option<String> {
    let (pid, call) = line.split_once(' ')?;
    if let Some(half) = call.strip_suffix("<unfinished ...>") {
        begun.insert(pid.to_owned(), half.trim_end().to_owned());
        return None;
    }
    let Some((_, rest)) = call
        .trim_start()
        .strip_prefix("<... ")
        .and_then(|resumed| resumed.split_once(" resumed>"))
    else {
        return Some(line.to_owned());
    };
    let half = begun.remove(pid)?;
    Some(format!("{pid} {half}{rest}"))
}

/// `PID name(arguments) = result`. Offsets are those of the descriptors.
fn parse(line: &str, offsets: &mut BTreeMap<String, usize>) -> Option<Call> {
    let (_, call) = line.split_once(' ')?;
    let (name, rest) = call.trim_start().split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments: Vec<&str> = arguments.trim_end_matches([')', ' ']).split(", ").collect();
    let file = arguments.first()?;
    let result: i64 = result.split([' ', '<']).next()?.parse().ok()?;
    let done = result >= 0;
    if !done && !name.ends_with("sync") {
        return None;
    }
    match name {
        "openat" => {
            let flags = arguments.get(2)?;
            flags.contains("O_CREAT").then(|| Call::Create {
                path: text(arguments[1]),
            })
        }
        "lseek" => {
            offsets.insert(file.to_string(), usize::try_from(result).ok()?);
            None
        }
        "write" | "pwrite64" => {
            let mut bytes = unhex(arguments[1]);
            // The call may have written less than it was given.
            bytes.truncate(usize::try_from(result).ok()?);
            let place = offsets.entry(file.to_string()).or_default();
            let at = match name {
                "pwrite64" => arguments[3].parse().ok()?,
                _ => std::mem::replace(place, *place + bytes.len()),
            };
            let path = described(file)?;
            Some(Call::Write { path, at, bytes })
        }
        "ftruncate" => Some(Call::Truncate {
            path: described(file)?,
            length: arguments[1].parse().ok()?,
        }),
        "fsync" | "fdatasync" => Some(Call::Sync {
            path: described(file)?,
            done,
        }),
        "unlink" => Some(Call::Unlink { path: text(file) }),
        "rename" => Some(Call::Rename {
            from: text(file),
            to: text(arguments[1]),
        }),
        _ => None,
    }
}

/// `3</the/path>`.
fn described(file: &str) -> Option<PathBuf> {
    let (_, path) = file.trim_end_matches('>').split_once('<')?;
    Some(text(path))
}

fn text(hex: &str) -> PathBuf {
    String::from_utf8(unhex(hex)).unwrap().into()
}

/// `"\x41\x42"`.
fn unhex(text: &str) -> Vec<u8> {
    let digits = text.trim_matches('"').split("\\x").skip(1);
    digits
        .map(|two| u8::from_str_radix(two, 16).unwrap())
        .collect()
}
