//! `diemcau-verify FOLDER`: is the record of this conference the one that was written?

use diemcau_verify::verify;
use std::{env, io::Write, path::Path, process::ExitCode};

const USAGE: &str = "\
diemcau-verify FOLDER [KEY]

Checks the record in a conference's data folder: chain, numbering, shape, signatures, and that no command took effect
twice; with KEY (64 hex digits, see `diemcau key`) also that this key signed it.
It changes nothing, and may be used while the server runs.

Exit codes: 0  the record is sound
            1  the record was changed or is damaged, or that key did not sign it; the line says which
            2  there is no record, it cannot be read, or this was called wrongly";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (first, key, rest) = (arguments.next(), arguments.next(), arguments.next());
    let (line, code) = match first {
        Some(help) if help == "--help" => (USAGE.into(), 0),
        Some(folder) if rest.is_none() => match verify(Path::new(&folder)) {
            Ok(Some(Ok(sound))) if key.is_some_and(|key| key != *sound.key) => {
                (format!("NOT SIGNED with that key, but sound: {sound}"), 1)
            }
            Ok(Some(Ok(sound))) => (format!("sound: {sound}"), 0),
            Ok(Some(Err(finding))) => (format!("NOT SOUND: {finding}"), 1),
            Ok(None) => (format!("{} holds no record", folder.display()), 2),
            Err(error) => (format!("{}: {error}", folder.display()), 2),
        },
        _ => (USAGE.into(), 2),
    };
    // A reader that has gone (`| head`) is no trouble.
    let _ = writeln!(std::io::stdout(), "{line}");
    ExitCode::from(code)
}
