//! The same command is answered the same way and takes effect once, however much was said between, and after a restart.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on says so by a panic, and counts the events it is about"
)]

mod support;

use diemcau_conference::Event;
use diemcau_journal::{Journal, MemoryJournal, Record};
use diemcau_protocol::{ClientCommand, ServerFrame};
use std::time::Duration;
use support::{Guest, hub_over, setup};
use tokio::time::sleep;

/// More commands than anybody could want to keep apart.
const MANY: usize = 1_500;

fn notice(text: &str) -> ClientCommand {
    ClientCommand::SetNotice { text: text.into() }
}

/// So many commands that take effect, as fast as a connection may say them.
async fn say_many(chair: &mut Guest, name: &str) {
    for number in 0..MANY {
        let id = format!("{name}-{number}");
        let answer = chair.command(&id, notice(&id)).await;
        assert!(matches!(answer, ServerFrame::Ok { .. }), "{answer:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The events of one command.
fn of_command(journal: &MemoryJournal, id: &str) -> Vec<Event> {
    let mut events = vec![];
    let each = &mut |record: Record| {
        if record.command.as_deref() == Some(id) {
            events.push(record.event);
        }
    };
    journal.clone().read_all(each).unwrap();
    events
}

#[tokio::test(start_paused = true)]
async fn a_command_takes_effect_once_however_many_came_between_and_after_a_restart() {
    let journal = MemoryJournal::new();
    let (hub, _) = hub_over(setup(), journal.clone()).await;
    let mut chair = Guest::join(&hub, "chair").await;
    let answer = chair.command("once", notice("once")).await;
    assert!(matches!(answer, ServerFrame::Ok { .. }), "{answer:?}");
    say_many(&mut chair, "before").await;
    assert_eq!(chair.command("once", notice("once")).await, answer);
    hub.stop().await;

    let (hub, _) = hub_over(setup(), journal.clone()).await;
    let mut chair = Guest::join(&hub, "chair").await;
    assert_eq!(chair.command("once", notice("once")).await, answer);
    say_many(&mut chair, "after").await;
    assert_eq!(chair.command("once", notice("once")).await, answer);
    assert_eq!(of_command(&journal, "once").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_is_not_carried_out_later() {
    let journal = MemoryJournal::new();
    let (hub, _) = hub_over(setup(), journal.clone()).await;
    let mut chair = Guest::join(&hub, "chair").await;
    let refused = chair.microphone("close", false).await;
    assert!(
        matches!(refused, ServerFrame::Refused { .. }),
        "{refused:?}"
    );
    say_many(&mut chair, "between").await;
    let opened = chair.microphone("open", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
    assert_eq!(chair.microphone("close", false).await, refused);
    let written = of_command(&journal, "close");
    assert!(
        matches!(written[..], [Event::CommandRefused { .. }]),
        "{written:?}"
    );
}
