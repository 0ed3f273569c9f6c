//! A mistake in one connection's task drops that client and nobody else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic, and here one is the point"
)]

mod support;

use diemcau_protocol::{ClientCommand, ServerFrame};
use support::{Guest, Sent, hub};

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
