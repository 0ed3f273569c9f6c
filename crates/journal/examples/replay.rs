//! How long a start takes over a long conference: writes so many events, then opens, checks and decodes them.
//!
//! `cargo run --release -p diemcau-journal --example replay -- 100000`

use diemcau_conference::{
    AtZero, CommentKind, CommentWords, Event, RequestWords, SpeechType, TurnEnd,
};
use diemcau_journal::{CheckpointKey, Entry, Journal, SqliteJournal};
use diemcau_model::{
    CommentId, DraftId, EndpointKind, ItemId, Millis, ParagraphRef, SeatId, SiteId, TurnId,
};
use std::{env, error::Error, hint::black_box, time::Instant};

const BATCH: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let count: u32 = env::args()
        .nth(1)
        .map_or(Ok(100_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("conference.db");

    let key = CheckpointKey::from_seed(&[7; 32])?;

    let entries: Vec<Entry> = (0..count).map(entry).collect();
    let start = Instant::now();
    let mut journal = SqliteJournal::open(&path, key.clone())?;
    for batch in entries.chunks(BATCH) {
        journal.append(batch)?;
    }
    drop(journal);
    let wrote = start.elapsed();
    let bytes = std::fs::metadata(&path)?.len();

    let start = Instant::now();
    let mut journal = SqliteJournal::open(&path, key.clone())?;
    let opened = start.elapsed();
    let mut read = 0_u32;
    journal.read_all(&mut |record| {
        black_box(record);
        read += 1;
    })?;
    let all = start.elapsed();

    assert_eq!(read, count, "what was written is read");
    println!("{count} events, {:.1} MB", bytes as f64 / 1e6);
    println!(
        "append, a sync for each {BATCH}: {:.2} s ({:.0} events/s)",
        wrote.as_secs_f64(),
        f64::from(count) / wrote.as_secs_f64()
    );
    println!("open and check: {:.3} s", opened.as_secs_f64());
    println!(
        "open, check and decode: {:.3} s ({:.0} events/s)",
        all.as_secs_f64(),
        f64::from(count) / all.as_secs_f64()
    );
    Ok(())
}

/// A discussion that never ends: mostly comments, then requests, turns and lost links.
fn entry(n: u32) -> Entry {
    let at = Millis(1_622_075_400_000 + u64::from(n) * 50);
    let seat = SeatId(n % 43);
    let site = SiteId((n % 13) as u16);
    let turn = TurnId(n / 10 + 1);
    let event = match n % 10 {
        0 => Event::FloorRequested {
            turn,
            site,
            seat,
            item: ItemId(5),
            words: RequestWords {
                speech: SpeechType::Contribution,
                delegate: "Ông Nguyễn Văn A".into(),
                title: "Phó Bí thư Thường trực Huyện uỷ".into(),
                topic: "Chỉ tiêu kết nạp đảng viên ở khóm, ấp giai đoạn 2021–2025".into(),
                paragraph: Some(paragraph(n)),
                minutes: None,
            },
            pending: false,
            about: None,
            at,
        },
        1 => Event::TurnStarted {
            turn,
            item: ItemId(5),
            allotted_ms: 300_000,
            at_zero: AtZero::Warn,
            at,
        },
        2 => Event::TurnWarned { turn, left_s: 60 },
        3 => Event::TurnEnded {
            turn,
            how: TurnEnd::Released,
            at,
        },
        4 => Event::EndpointLost {
            site,
            kind: EndpointKind::Room,
            at,
        },
        _ => Event::CommentPosted {
            comment: CommentId(n),
            site,
            seat,
            kind: CommentKind::Substance,
            words: CommentWords {
                at: paragraph(n),
                text: "Cơ bản nhất trí với dự thảo. Đề nghị làm rõ trách nhiệm của cấp uỷ cơ sở trong việc \
                       rà soát, tạo nguồn kết nạp đảng viên là đoàn viên, hội viên ưu tú ở khóm, ấp."
                    .into(),
                proposed: if n.is_multiple_of(4) {
                    "Mỗi chi bộ khóm, ấp hằng năm kết nạp ít nhất 02 đảng viên.".into()
                } else {
                    String::new()
                },
                delegate: "Trưởng Ban Tổ chức Huyện uỷ".into(),
            },
            at,
        },
    };
    Entry {
        at,
        seat: Some(seat),
        command: Some(format!("{n:08x}-5d0c-4c1e-9f4e-3b9f0e6a7c21")),
        event,
    }
}

fn paragraph(n: u32) -> ParagraphRef {
    ParagraphRef {
        draft: DraftId(1),
        paragraph: (n % 40 + 1) as u16,
    }
}
