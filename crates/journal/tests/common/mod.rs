//! Entries to be kept, and a journal read back.
#![allow(dead_code, reason = "each test program uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use diemcau_conference::{CommentKind, CommentWords, Event};
use diemcau_journal::{CheckpointKey, Entry, Journal, Record};
use diemcau_model::{CommentId, DraftId, Millis, ParagraphRef, SeatId, SiteId};

/// What the tests' journals are signed with.
pub fn key() -> CheckpointKey {
    CheckpointKey::from_seed(&[7; 32]).unwrap()
}

/// The `n`th entry; those of other numbers differ in every field.
pub fn entry(n: u32) -> Entry {
    posted(n, &format!("Ý kiến số {n}: nhất trí với dự thảo Tờ trình."))
}

/// A comment with these words.
pub fn posted(n: u32, text: &str) -> Entry {
    let at = Millis(1_622_075_400_000 + u64::from(n) * 10);
    Entry {
        at,
        seat: (!n.is_multiple_of(3)).then_some(SeatId(n)),
        command: n.is_multiple_of(2).then(|| format!("command-{n}")),
        event: Event::CommentPosted {
            comment: CommentId(n),
            site: SiteId(1),
            seat: SeatId(n),
            kind: CommentKind::Agree,
            words: CommentWords {
                at: ParagraphRef {
                    draft: DraftId(1),
                    paragraph: 2,
                },
                text: text.to_owned(),
                proposed: String::new(),
                delegate: String::new(),
            },
            at,
        },
    }
}

/// The words of a record that keeps a comment; empty for any other.
pub fn tell(record: &Record) -> &str {
    if let Event::CommentPosted { words, .. } = &record.event {
        return &words.text;
    }
    ""
}

/// All records.
pub fn all(journal: &mut dyn Journal) -> Vec<Record> {
    let mut records = Vec::new();
    journal
        .read_all(&mut |record| records.push(record))
        .unwrap();
    records
}
