//! Those who only watch: told by states, the floor before the feed, and whatever the order, each folds to what joining
//! anew would give.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on says so by a panic, and waits for the frames it is about"
)]

mod support;

use diemcau_conference::{CommentKind, CommentWords};
use diemcau_model::{DraftId, ItemId, ParagraphRef};
use diemcau_protocol::{ClientCommand, Fact, ServerFrame, View};
use std::time::Duration;
use support::{Guest, LIVE, hub};
use tokio::{
    task::yield_now,
    time::{Instant, sleep, timeout},
};

const WATCHERS: usize = 150;
const COMMENTS: usize = 100;
const STEPS: usize = 40;

fn comment(n: usize) -> ClientCommand {
    ClientCommand::PostComment {
        kind: CommentKind::Agree,
        words: CommentWords {
            at: ParagraphRef {
                draft: DraftId(1),
                paragraph: 1,
            },
            text: format!("Nhất trí {n}"),
            proposed: String::new(),
            delegate: String::new(),
        },
    }
}

fn view_of(guest: &Guest) -> View {
    match &guest.welcome {
        ServerFrame::Welcome { view, .. } => (**view).clone(),
        other => panic!("{other:?}"),
    }
}

/// Folds until the view shows what it must; how many frames it took.
async fn fold(guest: &mut Guest, shows: impl Fn(&View) -> bool) -> (View, usize) {
    let (mut view, mut frames) = (view_of(guest), 0);
    while !shows(&view) {
        if let ServerFrame::Facts { facts, .. } = guest.hear().await.expect("it was cut") {
            view.apply(&facts);
            frames += 1;
        }
    }
    (view, frames)
}

#[tokio::test(start_paused = true)]
async fn comments_are_gathered_for_who_watches_and_come_one_by_one_to_who_takes_part() {
    let (hub, _) = hub().await;
    let mut secretary = Guest::join(&hub, "secretary").await;
    let mut watching = Guest::join(&hub, "observer").await;
    for n in 0..COMMENTS {
        let answer = secretary.command(&format!("c-{n}"), comment(n)).await;
        assert!(matches!(answer, ServerFrame::Ok { .. }), "{answer:?}");
    }
    let all = |view: &View| view.feed.len() == COMMENTS;
    let (watched, frames) = timeout(LIVE, fold(&mut watching, all)).await.unwrap();
    assert!(frames < COMMENTS / 2, "{frames} frames");
    let anew = Guest::join(&hub, "observer").await;
    assert_eq!(watched, view_of(&anew));
}

#[tokio::test(start_paused = true)]
async fn the_floor_overtakes_comments_that_are_being_gathered() {
    let (hub, _) = hub().await;
    let mut secretary = Guest::join(&hub, "secretary").await;
    let mut chair = Guest::join(&hub, "chair").await;
    let mut watching = Guest::join(&hub, "observer").await;
    // The first comment is told at once and opens the window; the second waits in it.
    secretary.command("c-1", comment(1)).await;
    let is_comment = |frame: &ServerFrame| match frame {
        ServerFrame::Facts { facts, .. } => matches!(facts[..], [Fact::Comment { .. }]),
        _ => false,
    };
    watching.until(is_comment).await;
    let begun = Instant::now();
    secretary.command("c-2", comment(2)).await;
    let start = ClientCommand::StartItem {
        item: ItemId(1),
        waiting: None,
    };
    chair.command("start", start).await;
    let first = watching.hear().await.unwrap();
    assert!(!is_comment(&first), "{first:?}");
    assert_eq!(begun.elapsed().as_millis(), 0, "it waited");
    let then = watching.hear().await.unwrap();
    assert!(is_comment(&then), "{then:?}");
    assert!(begun.elapsed().as_millis() >= 50);
}

#[tokio::test(start_paused = true)]
async fn a_floor_that_changes_without_end_holds_up_no_comment() {
    let (hub, _) = hub().await;
    let secretary = Guest::join(&hub, "secretary").await;
    let chair = Guest::join(&hub, "chair").await;
    let mut watching = vec![];
    for _ in 0..4 * WATCHERS {
        watching.push(Guest::join(&hub, "observer").await);
    }
    secretary.ask("c-1", comment(1)).await;
    for n in 0..COMMENTS {
        let open = n % 2 == 0;
        let microphone = ClientCommand::SetHallMicrophone { open };
        chair.ask(&format!("m-{n}"), microphone).await;
        yield_now().await;
    }
    let mut frames = vec![];
    for guest in &mut watching {
        frames.push(frames_until(guest, 1).await);
    }
    let most = frames.iter().max().copied().unwrap();
    assert!(most <= 4, "{most} frames");
}

/// How many frames bring a guest the comments up to this one.
async fn frames_until(guest: &mut Guest, last: u32) -> usize {
    let is_last = |fact: &Fact| matches!(fact, Fact::Comment { comment } if comment.id.0 == last);
    let mut frames = 0;
    loop {
        if let ServerFrame::Facts { facts, .. } = guest.hear().await.expect("it was cut") {
            frames += 1;
            if facts.iter().any(is_last) {
                return frames;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_of_many_hear_what_came_while_the_first_were_told() {
    let (hub, _) = hub().await;
    let secretary = Guest::join(&hub, "secretary").await;
    let mut watching = vec![];
    for _ in 0..WATCHERS {
        watching.push(Guest::join(&hub, "observer").await);
    }
    let mut heard = vec![];
    // The second comment comes a little later each time: with the first, while that is told, and behind it.
    for later in 0..STEPS {
        for n in [2 * later + 1, 2 * later + 2] {
            secretary.ask(&format!("c-{n}"), comment(n)).await;
            for _ in 0..later {
                yield_now().await;
            }
        }
        let mut frames = vec![];
        for guest in &mut watching {
            frames.push(frames_until(guest, 2 * later as u32 + 2).await);
        }
        heard.push((frames[0], frames[WATCHERS - 1]));
        // The next window.
        sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(heard.first(), Some(&(1, 1)), "{heard:?}");
    assert!(heard.contains(&(2, 1)), "{heard:?}");
    assert_eq!(heard.last(), Some(&(2, 2)), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_and_goes_meanwhile_sees_what_joining_anew_shows() {
    let (hub, metrics) = hub().await;
    let mut secretary = Guest::join(&hub, "secretary").await;
    let mut chair = Guest::join(&hub, "chair").await;
    let mut watching = vec![];
    for n in 0..WATCHERS {
        watching.push(Guest::join(&hub, "observer").await);
        // Every third one goes again, while facts are on their way.
        if n % 3 == 0 {
            watching.swap_remove(n / 2 % watching.len());
        }
        secretary.command(&format!("c-{n}"), comment(n)).await;
        chair.microphone(&format!("m-{n}"), n % 2 == 0).await;
    }
    let last = ClientCommand::StartItem {
        item: ItemId(1),
        waiting: None,
    };
    chair.command("last", last).await;
    let anew = view_of(&Guest::join(&hub, "observer").await);
    assert_eq!(anew.feed.len(), WATCHERS);
    let complete = |view: &View| {
        view.feed.len() == WATCHERS && view.agenda.current.is_some() && view.floor == anew.floor
    };
    for guest in &mut watching {
        let (view, _) = timeout(LIVE, fold(guest, complete)).await.unwrap();
        assert_eq!(view, anew);
    }
    assert_eq!(metrics.lagging.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_joins_again_and_again_costs_what_has_changed_and_commands_are_answered() {
    let (hub, metrics) = hub().await;
    let mut secretary = Guest::join(&hub, "secretary").await;
    let mut chair = Guest::join(&hub, "chair").await;
    for n in 0..200 {
        let mut comment = comment(n);
        if let ClientCommand::PostComment { words, .. } = &mut comment {
            words.text = "a".repeat(1_000);
        }
        secretary.command(&format!("c-{n}"), comment).await;
    }
    let anew = Guest::join(&hub, "secretary").await;
    assert_eq!(view_of(&anew).feed.len(), 200);
    let whole = serde_json::to_string(&anew.welcome).unwrap().len() as u64;
    let before = metrics.snapshot_bytes.get();
    let mut held = vec![];
    for n in 0..500 {
        held.push(Guest::join(&hub, "secretary").await);
        if n % 5 > 0 {
            continue;
        }
        let answer = chair.microphone(&format!("m-{n}"), n % 2 == 0).await;
        assert!(matches!(answer, ServerFrame::Ok { .. }), "{answer:?}");
    }
    assert_eq!(view_of(held.last().unwrap()).feed.len(), 200);
    let encoded = metrics.snapshot_bytes.get() - before;
    assert!(encoded < 5 * whole, "{encoded} bytes, {whole} a welcome");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_holds_up_nobody() {
    let (hub, metrics) = hub().await;
    let mut secretary = Guest::join(&hub, "secretary").await;
    let mut deaf = Guest::join(&hub, "observer").await;
    let mut watching = Guest::join(&hub, "observer").await;
    deaf.reads(false);
    for n in 0..COMMENTS {
        secretary.command(&format!("c-{n}"), comment(n)).await;
    }
    let all = |view: &View| view.feed.len() == COMMENTS;
    let (seen, _) = timeout(LIVE, fold(&mut watching, all)).await.unwrap();
    assert_eq!(
        metrics.lagging.get(),
        0,
        "a hundred comments are not too much"
    );
    // It listens again: nothing is missing.
    deaf.reads(true);
    let (late, _) = timeout(LIVE, fold(&mut deaf, all)).await.unwrap();
    assert_eq!(late, seen);
}
