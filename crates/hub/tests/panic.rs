//! A mistake in one connection's task, or of the rules over one command, drops that client and nobody else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic, and here one is the point"
)]

mod support;

use diemcau_conference::{Event, PromptKind};
use diemcau_journal::{Entry, Journal, MemoryJournal};
use diemcau_model::{Millis, PromptId, SiteId};
use diemcau_protocol::{ClientCommand, ErrorWhy, ServerFrame};
use support::{Guest, Sent, hub, hub_over, setup};

#[tokio::test(start_paused = true)]
async fn a_panic_drops_its_own_client_alone_and_is_counted() {
    let (hub, metrics) = hub().await;
    let mut chair = Guest::join(&hub, "chair").await;
    let mut secretary = Guest::join(&hub, "secretary").await;
    assert_eq!(metrics.connections.get(), 2);

    // What the chair holds is let go with the connection, as after any loss.
    let held = ClientCommand::SetPriority { on: true };
    assert!(matches!(
        chair.command("hold", held).await,
        ServerFrame::Ok { .. }
    ));
    let shows = |on: bool| {
        move |frame: &ServerFrame| {
            serde_json::to_string(frame)
                .unwrap()
                .contains(&format!("\"priority\":{on}"))
        }
    };
    secretary.until(shows(true)).await;
    chair.out.send(Sent::Panic).await.unwrap();
    secretary.until(shows(false)).await;
    while chair.hear().await.is_some() {}
    assert_eq!((metrics.panics.get(), metrics.connections.get()), (1, 1));

    // The seat can be taken again, and the other connection never noticed.
    let mut back = Guest::join(&hub, "chair").await;
    assert!(matches!(
        back.microphone("open", true).await,
        ServerFrame::Ok { .. }
    ));
    secretary
        .until(|frame| matches!(frame, ServerFrame::Facts { .. }))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_command_over_which_the_rules_panic_drops_its_own_client_alone() {
    // No prompt has a number behind this one: counting on is a mistake that the tests' arithmetic does not forgive.
    let last = Event::Prompted {
        prompt: PromptId(u32::MAX),
        site: SiteId(0),
        kind: PromptKind::Slower,
        at: Millis(1),
    };
    let opened = Event::ConferenceOpened {
        setup: Box::new(setup()),
    };
    let entry = |event| Entry {
        at: Millis(1),
        seat: None,
        command: None,
        event,
    };
    let mut journal = MemoryJournal::new();
    journal.append(&[entry(opened), entry(last)]).unwrap();
    let (hub, metrics) = hub_over(setup(), journal.clone()).await;
    let mut chair = Guest::join(&hub, "chair").await;
    let mut secretary = Guest::join(&hub, "secretary").await;
    let before = journal.last_number();

    let (site, prompt) = (SiteId(0), PromptKind::Prepare);
    let next = ClientCommand::PromptSite { site, prompt };
    let answer = secretary.command("next", next).await;
    let ServerFrame::Error { why, fatal, .. } = answer else {
        panic!("{answer:?}");
    };
    assert_eq!((why, fatal), (ErrorWhy::ServerFault, true));
    while secretary.hear().await.is_some() {}
    assert_eq!((metrics.panics.get(), metrics.connections.get()), (1, 1));
    assert_eq!(journal.last_number(), before, "nothing was done");

    let mut back = Guest::join(&hub, "secretary").await;
    let opened = chair.microphone("open", true).await;
    assert!(matches!(opened, ServerFrame::Ok { .. }), "{opened:?}");
    back.until(|frame| matches!(frame, ServerFrame::Facts { .. }))
        .await;
}
