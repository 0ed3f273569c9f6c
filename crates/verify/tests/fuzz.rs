//! Files that no program wrote, for the verifier's own reader.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use diemcau_fuzz::{Fuzz, outcome};
use diemcau_verify::verify;
use rusqlite::Connection;
use std::fs;

#[test]
fn fuzz_verifier() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    fs::create_dir(&corpus).unwrap();
    let db = Connection::open(corpus.join("written")).unwrap();
    db.execute_batch(
        "PRAGMA page_size = 4096; PRAGMA encoding = 'UTF-8'; PRAGMA journal_mode = WAL;",
    )
    .unwrap();
    for table in [
        "journal (number INTEGER PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL)",
        "checkpoint (number INTEGER PRIMARY KEY, key BLOB NOT NULL, signature BLOB NOT NULL)",
    ] {
        db.execute_batch(&format!("CREATE TABLE {table} STRICT"))
            .unwrap();
    }
    for number in 1..40_i64 {
        // Long enough for pages that overflow.
        let body = vec![b'x'; usize::try_from(number * 200).unwrap()];
        db.execute(
            "INSERT INTO journal VALUES (?1, 3, ?2, ?3)",
            (number, body, vec![0_u8; 32]),
        )
        .unwrap();
    }
    let signature = (1, vec![7_u8; 32], vec![0_u8; 64]);
    db.execute("INSERT INTO checkpoint VALUES (?1, ?2, ?3)", signature)
        .unwrap();
    db.close().unwrap();

    let place = folder.path().join("conference");
    fs::create_dir(&place).unwrap();
    let fuzz = Fuzz {
        name: "verifier",
        corpus: corpus.to_str().unwrap(),
        words: &["journal", "CREATE TABLE", "INTEGER", "SQLite format 3"],
        inputs: 1_000,
        longest: 256 * 1024,
    };
    fuzz.run(|bytes| {
        fs::write(place.join("conference.db"), bytes).unwrap();
        let found = verify(&place).unwrap();
        // Nothing here was ever sealed: it must not be called sound.
        let finding = found.map(|found| found.expect_err("called sound"));
        outcome(finding.map(|finding| (finding.what, finding.number)))
    });
}
