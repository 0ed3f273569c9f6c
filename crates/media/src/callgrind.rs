//! Counts the instructions of a piece of work under valgrind's callgrind.

use std::io::ErrorKind;
use std::process::Command;

/// What the measured work prints before the number of its packets.
pub const COUNTED: &str = "packets: ";

/// What was measured.
pub struct Work {
    pub counted: u64,
    instructions: u64,
}

impl Work {
    pub fn check(&self, budget: u64) {
        let Self {
            counted,
            instructions,
        } = self;
        let each = instructions / counted;
        println!("{instructions} instructions for {counted} packets: {each} each, budget {budget}");
        assert!(
            each <= budget,
            "{each} instructions a packet, the budget is {budget}"
        );
    }
}

/// Runs an ignored test of this program, counting what a function and all that it calls cost. `None` if valgrind is not
/// installed: the gate installs it, somebody's machine may lack it.
pub fn measure(test: &str, function: &str) -> Option<Work> {
    let name = format!("callgrind.diemcau.{function}.{}", std::process::id());
    let out = std::env::temp_dir().join(name);
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg(format!("--toggle-collect=*{function}*"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .output();
    let run = match run {
        Ok(run) => run,
        Err(error)
            if error.kind() == ErrorKind::NotFound
                && std::env::var_os("DIEMCAU_GATE").is_none() =>
        {
            println!("not measured: valgrind is not installed");
            return None;
        }
        Err(error) => panic!("valgrind did not start: {error}"),
    };
    let _ = std::fs::remove_file(out);
    let text = [run.stdout, run.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat();
    let figure = |name: &str| -> u64 {
        let found = text
            .lines()
            .find_map(|line| line.split_once(name))
            .unwrap_or_else(|| panic!("no {name:?} in\n{text}"));
        found.1.trim().parse().unwrap()
    };
    Some(Work {
        counted: figure(COUNTED),
        instructions: figure("Collected : "),
    })
}
