//! Inputs that nobody would write: from a seed, mutated from a corpus, given to a target that must neither panic nor hang.
//!
//! A target is a test beside the code it is about, so that it reaches what is private, and no door is made for it. The
//! gate gives each a fixed number of inputs; `cargo xtask fuzz --inputs 1000000` gives more. A target returns what came
//! out as a number; an input whose outcome was never seen joins the pool that is mutated further. That is not the
//! coverage of a compiler, which needs every dependency built anew with instruments; it needs nothing.

mod chance;
mod mutate;

pub use chance::Chance;

use mutate::Mutator;
use std::{
    any::Any,
    collections::{BTreeMap, HashSet},
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Inputs that may join the pool; later ones with a new outcome are counted only.
const POOL_MAX: usize = 4_096;
/// The seed of the gate's inputs.
const SEED: u64 = 7;
/// An input that takes longer hangs.
const HANG: Duration = Duration::from_secs(20);

/// A target with its corpus.
pub struct Fuzz<'a> {
    /// Its name, as `--target` takes it.
    pub name: &'a str,
    /// The folder of its corpus, from the crate's own: one input a file. What was once found is named `found-…`.
    pub corpus: &'a str,
    /// Words of the format, put in here and there.
    pub words: &'a [&'a str],
    /// Inputs in the gate.
    pub inputs: u64,
    /// Bytes of an input at most.
    pub longest: usize,
}

/// Anything that tells outcomes apart, as a number.
pub fn outcome(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Fuzz<'_> {
    /// Gives the target its inputs. `INPUTS`, `SEED` and `TARGET` in the environment say otherwise how many, which, and
    /// for which target only.
    ///
    /// # Panics
    /// The target does: the input is told before. What the environment says is no number.
    pub fn run(&self, mut target: impl FnMut(&[u8]) -> u64) {
        if env::var("TARGET").is_ok_and(|only| only != self.name) {
            return;
        }
        let inputs = number("INPUTS").unwrap_or(self.inputs);
        let seed = number("SEED").unwrap_or(SEED);
        let corpus = self.read_corpus();
        assert!(!corpus.is_empty(), "{} holds no input", self.corpus);
        let mut pool = Mutator::new(seed, corpus, self.words, self.longest);
        let mut seen: HashSet<u64> = HashSet::new();
        let watch = Watch::begin(self.name.to_owned(), seed);
        let begun = Instant::now();
        for at in 0..inputs {
            let input = pool.input(at);
            watch.at(at);
            let came = catch_unwind(AssertUnwindSafe(|| target(&input)));
            let came = came.unwrap_or_else(|panic| self.tell(seed, at, &input, panic));
            if seen.insert(came) && pool.len() < POOL_MAX {
                pool.join(input);
            }
        }
        watch.end();
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "fuzz {:<16} {inputs:>8} inputs, {:>6} outcomes, {seconds:>7.1} s",
            self.name,
            seen.len()
        );
    }

    fn read_corpus(&self) -> Vec<Vec<u8>> {
        // Sorted by name: the order of a folder is nobody's promise.
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(Path::new(self.corpus)).into_iter().flatten() {
            let Ok(path) = entry.map(|entry| entry.path()) else {
                continue;
            };
            if let Ok(bytes) = fs::read(&path) {
                files.insert(path, bytes);
            }
        }
        files.into_values().collect()
    }

    fn tell(&self, seed: u64, at: u64, input: &[u8], panic: Box<dyn Any + Send>) -> u64 {
        let file = env::temp_dir().join(format!("fuzz-{}-{seed}-{at}", self.name));
        let kept = match fs::write(&file, input) {
            Ok(()) => file.display().to_string(),
            Err(error) => error.to_string(),
        };
        eprintln!(
            "fuzz {}: input {at} of seed {seed} (kept in {kept}):\n{}",
            self.name,
            input.escape_ascii()
        );
        resume_unwind(panic)
    }
}

/// A number of the environment. A slip of the pen must not pass for a run that was asked for.
fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    let number = text.parse();
    assert!(number.is_ok(), "{name}={text} is no number");
    number.ok()
}

/// Ends the process when one input takes too long: a hang has no other witness.
struct Watch(Arc<AtomicU64>);

const OVER: u64 = u64::MAX;

impl Watch {
    fn begin(name: String, seed: u64) -> Self {
        let at = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&at);
        thread::spawn(move || {
            let (mut last, mut since) = (0, Instant::now());
            loop {
                thread::park_timeout(Duration::from_secs(1));
                let now = seen.load(Ordering::Relaxed);
                if now == OVER {
                    return;
                }
                if now != last {
                    (last, since) = (now, Instant::now());
                }
                if since.elapsed() > HANG {
                    eprintln!("fuzz {name}: input {now} of seed {seed} hangs");
                    process::exit(101);
                }
            }
        });
        Self(at)
    }

    fn at(&self, input: u64) {
        self.0.store(input, Ordering::Relaxed);
    }

    fn end(self) {
        self.at(OVER);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.at(OVER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(target: impl FnMut(&[u8]) -> u64) {
        let fuzz = Fuzz {
            name: "self",
            corpus: "corpus",
            words: &["needle"],
            inputs: 20_000,
            longest: 64,
        };
        fuzz.run(target);
    }

    /// Whether it finds at all: a target that stumbles over two words in their order, told apart step by step.
    #[test]
    #[should_panic(expected = "found")]
    fn what_hides_behind_two_steps_is_found() {
        gate(|input| {
            let first = input.windows(6).position(|window| window == b"needle");
            let behind = first.map(|at| &input[at + 6..]);
            let both = behind.is_some_and(|rest| rest.first() == Some(&b'!'));
            assert!(!both, "found");
            outcome((first.is_some(), behind.map(<[u8]>::len)))
        });
    }

    #[test]
    fn the_same_seed_gives_the_same_inputs() {
        let inputs = || {
            let mut inputs = vec![];
            gate(|input| {
                inputs.push(input.to_vec());
                input.len() as u64
            });
            inputs
        };
        assert_eq!(inputs(), inputs());
    }

    #[test]
    fn no_input_is_longer_than_its_target_takes() {
        gate(|input| {
            assert!(input.len() <= 64);
            0
        });
    }
}
