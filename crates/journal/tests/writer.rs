//! The writer: one sync for all who wait, no holes after a failure, nothing lost at the end.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{all, entry};
use diemcau_journal::{Entry, Journal, JournalError, MemoryJournal, Record, Writer};
use diemcau_model::Millis;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
    mpsc::{Receiver, Sender, channel},
};
use tokio::task::yield_now;

#[tokio::test]
async fn an_append_tells_the_number_of_its_own_last_entry() {
    let kept = MemoryJournal::new();
    let writer = Writer::spawn(Box::new(kept.clone()));
    assert_eq!(writer.append(vec![entry(1), entry(2)]).await.unwrap(), 2);
    assert_eq!(writer.append(vec![]).await.unwrap(), 2);
    assert_eq!(writer.append(vec![entry(3)]).await.unwrap(), 3);
    writer.close().await;
    assert_eq!(kept.last_number(), 3);
}

#[tokio::test]
async fn everyone_who_waits_shares_one_transaction() {
    let (journal, gate) = Gated::new();
    let (kept, transactions) = (journal.kept.clone(), Arc::clone(&journal.transactions));
    let writer = Arc::new(Writer::spawn(Box::new(journal)));

    let calls = [
        vec![entry(1)],
        vec![entry(2), entry(3)],
        vec![],
        vec![entry(4)],
    ];
    let answers = gate.gather(&writer, Outcome::Store, calls).await;
    let numbers: Vec<u64> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(numbers, [1, 3, 3, 4]);
    assert_eq!(transactions.load(Ordering::SeqCst), 2);

    assert_eq!(all(&mut kept.clone()).len(), 4);
}

#[tokio::test]
async fn a_failure_is_told_to_all_who_called_before_it_was_known() {
    let (journal, gate) = Gated::new();
    let kept = journal.kept.clone();
    let writer = Arc::new(Writer::spawn(Box::new(journal)));

    let calls = [vec![entry(1)], vec![entry(2)], vec![entry(3)]];
    let answers = gate.gather(&writer, Outcome::Fail, calls).await;
    for answer in answers {
        assert!(matches!(answer, Err(JournalError::Full)), "{answer:?}");
    }
    assert_eq!(
        kept.last_number(),
        0,
        "no hole: nothing after the failed one was stored"
    );

    assert_eq!(
        writer.append(vec![entry(1)]).await.unwrap(),
        1,
        "whoever knows of the failure may try again"
    );
}

#[tokio::test]
async fn reading_gives_what_is_stored_also_after_a_failure() {
    let (journal, gate) = Gated::new();
    let writer = Writer::spawn(Box::new(journal));
    for outcome in [Outcome::Store, Outcome::Fail] {
        gate.go.send(outcome).unwrap();
    }
    assert_eq!(writer.append(vec![entry(1)]).await.unwrap(), 1);
    assert!(writer.append(vec![entry(2)]).await.is_err());

    let records = writer.read_all().await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].event, entry(1).event);
}

#[tokio::test]
async fn closing_signs_the_end_once() {
    let (journal, gate) = Gated::new();
    let closed = Arc::clone(&journal.closed);
    let writer = Writer::spawn(Box::new(journal));
    for n in 1..=3 {
        gate.go.send(Outcome::Store).unwrap();
        writer.append(vec![entry(n)]).await.unwrap();
    }
    assert_eq!(closed.load(Ordering::SeqCst), 0);
    writer.close().await;
    assert_eq!(closed.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn closing_stores_what_waits_and_the_last_sign_of_life() {
    let kept = MemoryJournal::new();
    let writer = Writer::spawn(Box::new(kept.clone()));
    writer.append(vec![entry(1)]).await.unwrap();
    writer.touch(Millis(u64::MAX));
    writer.close().await;
    assert_eq!(kept.clone().last_alive(), Some(Millis(u64::MAX)));
}

#[tokio::test]
async fn a_writer_whose_store_died_says_so() {
    struct Dying;
    impl Journal for Dying {
        fn append(&mut self, _: &[Entry]) -> Result<u64, JournalError> {
            panic!("a bug in a store")
        }
        fn last_number(&self) -> u64 {
            0
        }
        fn read_all(&mut self, _: &mut dyn FnMut(Record)) -> Result<(), JournalError> {
            Ok(())
        }
        fn touch(&mut self, _: Millis) {}
        fn last_alive(&mut self) -> Option<Millis> {
            None
        }
    }

    let writer = Writer::spawn(Box::new(Dying));
    let first = writer.append(vec![entry(1)]).await;
    assert!(matches!(first, Err(JournalError::Closed)), "{first:?}");
    let second = writer.append(vec![entry(1)]).await;
    assert!(matches!(second, Err(JournalError::Closed)), "{second:?}");
    writer.close().await;
}

/// A store that says when an append has come in, and does nothing until it is told what.
struct Gated {
    kept: MemoryJournal,
    transactions: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    entered: Sender<()>,
    go: Receiver<Outcome>,
}

enum Outcome {
    Store,
    Fail,
}

struct Gate {
    entered: Receiver<()>,
    go: Sender<Outcome>,
}

impl Gated {
    fn new() -> (Self, Gate) {
        let (entered, seen) = channel();
        let (release, go) = channel();
        let journal = Self {
            kept: MemoryJournal::new(),
            transactions: Arc::default(),
            closed: Arc::default(),
            entered,
            go,
        };
        let gate = Gate {
            entered: seen,
            go: release,
        };
        (journal, gate)
    }
}

impl Gate {
    /// Holds the first call in the store until the others wait behind it, then lets it end in `first`
    /// and all others be stored.
    async fn gather<const N: usize>(
        &self,
        writer: &Arc<Writer>,
        first: Outcome,
        calls: [Vec<Entry>; N],
    ) -> Vec<Result<u64, JournalError>> {
        let mut waiting = Vec::new();
        for (place, entries) in calls.into_iter().enumerate() {
            let writer = Arc::clone(writer);
            waiting.push(tokio::spawn(async move { writer.append(entries).await }));
            // One thread runs this test: the call is in the queue when this comes back.
            yield_now().await;
            if place == 0 {
                self.entered.recv().unwrap();
            }
        }

        self.go.send(first).unwrap();
        self.go.send(Outcome::Store).unwrap();
        let mut answers = Vec::new();
        for call in waiting {
            answers.push(call.await.unwrap());
        }
        answers
    }
}

impl Journal for Gated {
    fn append(&mut self, entries: &[Entry]) -> Result<u64, JournalError> {
        self.transactions.fetch_add(1, Ordering::SeqCst);
        // Only the first is waited for.
        let _ = self.entered.send(());
        match self.go.recv().unwrap() {
            Outcome::Store => self.kept.append(entries),
            Outcome::Fail => Err(JournalError::Full),
        }
    }

    fn last_number(&self) -> u64 {
        self.kept.last_number()
    }

    fn read_all(&mut self, each: &mut dyn FnMut(Record)) -> Result<(), JournalError> {
        self.kept.read_all(each)
    }

    fn touch(&mut self, now: Millis) {
        self.kept.touch(now);
    }

    fn last_alive(&mut self) -> Option<Millis> {
        self.kept.last_alive()
    }
    fn close(&mut self) -> Result<(), JournalError> {
        self.closed.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}
