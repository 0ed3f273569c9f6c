//! From inputs that are known to inputs that are not.

use crate::Chance;

/// Numbers at which programs stumble.
const EDGES: [i64; 12] = [
    0,
    1,
    -1,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    i32::MAX as i64,
    u32::MAX as i64,
    i64::MAX,
];
/// Changes made to one input at most.
const CHANGES_MAX: u64 = 6;

/// Makes inputs, all of them from its seed.
pub struct Mutator<'a> {
    chance: Chance,
    pool: Vec<Vec<u8>>,
    corpus: usize,
    words: &'a [&'a str],
    longest: usize,
}

impl<'a> Mutator<'a> {
    pub fn new(seed: u64, corpus: Vec<Vec<u8>>, words: &'a [&'a str], longest: usize) -> Self {
        Self {
            chance: Chance::new(seed),
            corpus: corpus.len(),
            pool: corpus,
            words,
            longest,
        }
    }

    pub fn len(&self) -> usize {
        self.pool.len()
    }

    /// An input that led somewhere is mutated further.
    pub fn join(&mut self, input: Vec<u8>) {
        self.pool.push(input);
    }

    /// The next input: first the corpus as it is, then mutations, and now and then nothing but noise.
    pub fn input(&mut self, at: u64) -> Vec<u8> {
        let known = usize::try_from(at).ok().filter(|at| *at < self.corpus);
        let mut input = match known {
            Some(at) => self.pool[at].clone(),
            None if self.chance.below(50) == 0 => self.noise(),
            None => self.mutated(),
        };
        input.truncate(self.longest);
        input
    }

    fn mutated(&mut self) -> Vec<u8> {
        // The corpus as often as everything that joined it.
        let end = if self.chance.below(2) == 0 {
            self.corpus
        } else {
            self.pool.len()
        };
        let from = self.chance.below(end);
        let mut input = self.pool[from].clone();
        for _ in 0..=self.chance.draw() % CHANGES_MAX {
            self.change(&mut input);
        }
        input
    }

    fn noise(&mut self) -> Vec<u8> {
        let length = self.chance.below(self.longest.min(512) + 1);
        (0..length).map(|_| self.chance.draw() as u8).collect()
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let (at, length) = self.range(input.len());
        match self.chance.below(12) {
            0 => self.flip(input, at),
            1 | 2 => self.set(input, at),
            3 => drop(input.drain(at..at + length)),
            4 => {
                let copy = input[at..at + length].to_vec();
                let to = self.chance.below(input.len() + 1);
                self.insert(input, to, &copy);
            }
            5 => input.truncate(at),
            6 => {
                let noise: Vec<u8> = (0..=self.chance.below(8))
                    .map(|_| self.chance.draw() as u8)
                    .collect();
                self.insert(input, at, &noise);
            }
            7 => self.splice(input, at, length),
            8 => self.binary_edge(input, at),
            9 => self.decimal_edge(input),
            _ => self.word(input, at, length),
        }
    }

    fn flip(&mut self, input: &mut [u8], at: usize) {
        let bit = self.chance.below(8);
        if let Some(byte) = input.get_mut(at) {
            *byte ^= 1 << bit;
        }
    }

    fn set(&mut self, input: &mut [u8], at: usize) {
        let byte = match self.chance.below(3) {
            0 => b"{}[]\",:=\n\r \0\x7f\xff"[self.chance.below(14)],
            1 => EDGES[self.chance.below(EDGES.len())] as u8,
            _ => self.chance.draw() as u8,
        };
        if let Some(at) = input.get_mut(at) {
            *at = byte;
        }
    }

    /// A part of another input in the place of a part of this one.
    fn splice(&mut self, input: &mut Vec<u8>, at: usize, length: usize) {
        let other = self.chance.below(self.pool.len());
        let (from, count) = self.range(self.pool[other].len());
        let part = self.pool[other][from..from + count].to_vec();
        input.splice(at..at + length, part);
    }

    /// A word of the format, put in or in the place of something.
    fn word(&mut self, input: &mut Vec<u8>, at: usize, length: usize) {
        if self.words.is_empty() {
            return self.set(input, at);
        }
        let word = self.words[self.chance.below(self.words.len())].as_bytes();
        match self.chance.below(2) {
            0 => self.insert(input, at, word),
            _ => drop(input.splice(at..at + length.min(word.len()), word.iter().copied())),
        }
    }

    /// A length or a number of one, two or four bytes, in either order.
    fn binary_edge(&mut self, input: &mut [u8], at: usize) {
        let edge = EDGES[self.chance.below(EDGES.len())];
        let bytes = match self.chance.below(2) {
            0 => (edge as u32).to_be_bytes(),
            _ => (edge as u32).to_le_bytes(),
        };
        let width = [1, 2, 4][self.chance.below(3)];
        let part = if self.chance.below(2) == 0 {
            &bytes[..width]
        } else {
            &bytes[4 - width..]
        };
        for (to, byte) in input.iter_mut().skip(at).zip(part) {
            *to = *byte;
        }
    }

    /// Another number where one is written in digits.
    fn decimal_edge(&mut self, input: &mut Vec<u8>) {
        let is_first = |at: &usize| {
            input[*at].is_ascii_digit() && (*at == 0 || !input[at - 1].is_ascii_digit())
        };
        let firsts: Vec<usize> = (0..input.len()).filter(is_first).collect();
        let which = self.chance.below(firsts.len());
        let Some(from) = firsts.get(which).copied() else {
            return;
        };
        let digits = input[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit());
        let upto = from + digits.count();
        let edge = EDGES[self.chance.below(EDGES.len())].to_string();
        input.splice(from..upto, edge.into_bytes());
    }

    fn insert(&mut self, input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
        if input.len() + bytes.len() <= self.longest {
            input.splice(at..at, bytes.iter().copied());
        }
    }

    /// A place and a length that fit; mostly short.
    fn range(&mut self, length: usize) -> (usize, usize) {
        let at = self.chance.below(length + 1);
        let most = match self.chance.below(4) {
            0 => length - at,
            _ => (length - at).min(16),
        };
        (at, self.chance.below(most + 1))
    }
}
