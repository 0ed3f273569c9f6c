//! Marks: the moment an event was said, written into its text, and found again in whatever stream of bytes brings it.

use std::time::{SystemTime, UNIX_EPOCH};

/// `@` and the nanoseconds since 1970, all of them 19 digits until the year 2286.
const DIGITS: usize = 19;
const LENGTH: usize = DIGITS + 2;

/// A mark of this moment.
pub fn mark() -> String {
    format!("@{:019}@", now_ns())
}

/// The nanoseconds since 1970.
pub fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

/// Finds marks in a stream, also where one is torn between two reads.
#[derive(Debug, Default)]
pub struct Marks {
    torn: Vec<u8>,
}

impl Marks {
    /// Tells every mark in these bytes, as the moment it says.
    pub fn feed(&mut self, bytes: &[u8], mut found: impl FnMut(u64)) {
        if self.torn.is_empty() {
            let rest = scan(bytes, &mut found);
            self.torn.extend_from_slice(rest);
            return;
        }
        self.torn.extend_from_slice(bytes);
        let all = std::mem::take(&mut self.torn);
        self.torn.extend_from_slice(scan(&all, &mut found));
    }
}

/// Tells the marks, and returns the beginning of one that is torn.
fn scan<'a>(mut bytes: &'a [u8], found: &mut impl FnMut(u64)) -> &'a [u8] {
    while let Some(at) = bytes.iter().position(|byte| *byte == b'@') {
        bytes = &bytes[at..];
        let digits = bytes[1..]
            .iter()
            .take(DIGITS)
            .take_while(|byte| byte.is_ascii_digit());
        let digits = digits.count();
        if digits == DIGITS && bytes.get(LENGTH - 1) == Some(&b'@') {
            let text = std::str::from_utf8(&bytes[1..=DIGITS]).unwrap_or_default();
            found(text.parse().unwrap_or_default());
            bytes = &bytes[LENGTH..];
        } else if bytes.len() == 1 + digits {
            return bytes;
        } else {
            bytes = &bytes[1..];
        }
    }
    &[]
}

/// Counts a text in a stream, also where it is torn between two reads.
#[derive(Debug)]
pub struct Count {
    text: &'static [u8],
    torn: Vec<u8>,
}

impl Count {
    /// Of this text.
    pub fn of(text: &'static str) -> Self {
        let (text, torn) = (text.as_bytes(), vec![]);
        Self { text, torn }
    }

    /// How often it ends in these bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> usize {
        self.torn.extend_from_slice(bytes);
        let parts = self.torn.windows(self.text.len());
        let found = parts.filter(|part| *part == self.text).count();
        // Too short to hold it once more.
        let keep = self.torn.len().min(self.text.len() - 1);
        self.torn.drain(..self.torn.len() - keep);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_counted_once_however_it_is_torn() {
        for size in 1..20 {
            let mut count = Count::of("\"ok\"");
            let parts = br#"{"ok"} "o "ok""ok"k""#.chunks(size);
            assert_eq!(parts.map(|part| count.feed(part)).sum::<usize>(), 3);
        }
    }

    #[test]
    fn a_mark_is_found_however_it_is_torn() {
        let text = format!("a@b{}c@{}{}@12", mark(), mark(), mark());
        let all = |size: usize| {
            let (mut marks, mut found) = (Marks::default(), vec![]);
            for some in text.as_bytes().chunks(size) {
                marks.feed(some, |at| found.push(at));
            }
            found
        };
        assert_eq!(all(1_000).len(), 3);
        for size in 1..40 {
            assert_eq!(all(size), all(1_000), "{size}");
        }
    }
}
