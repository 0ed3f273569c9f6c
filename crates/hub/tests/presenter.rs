//! A presentation outlives a short loss of its machine's line, and no long one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use diemcau_model::{SeatId, limits::PRESENTER_AWAY_S};
use diemcau_protocol::{ClientCommand, ClientFrame, Fact, ServerFrame};
use std::{sync::Arc, time::Duration};
use support::{Guest, hub};
use tokio::time::Instant;

const SECRETARY: SeatId = SeatId(1);

/// Who presents, as the chair was told last.
async fn told(chair: &mut Guest, until: Instant) -> Option<Option<SeatId>> {
    let mut last = None;
    while Instant::now() < until {
        let frame = chair.hear().await.expect("the connection was cut");
        if let ServerFrame::Telemetry { .. } = frame {
            chair.say(&ClientFrame::Ping { sent: 0.0 }).await;
        }
        let ServerFrame::Facts { facts, .. } = frame else {
            continue;
        };
        for fact in facts {
            if let Fact::Stage { stage } = fact {
                last = Some(stage.presentation.map(|shown| shown.seat));
            }
        }
    }
    last
}

#[tokio::test(start_paused = true)]
async fn who_is_back_within_half_a_minute_presents_on_and_who_stays_away_does_not() {
    let (hub, _) = hub().await;
    let mut chair = Guest::join(&hub, "chair").await;
    let mut secretary = Guest::join(&hub, "secretary").await;
    let asked = secretary.command("ask", ClientCommand::AskToPresent {});
    assert!(matches!(asked.await, ServerFrame::Ok { .. }));
    let seat = SECRETARY;
    let let_it = chair.command("let", ClientCommand::LetPresent { seat });
    assert!(matches!(let_it.await, ServerFrame::Ok { .. }));

    let away = Duration::from_secs(PRESENTER_AWAY_S);
    drop(secretary);
    assert_eq!(told(&mut chair, Instant::now() + away / 2).await, None);
    let secretary = Guest::join(&Arc::clone(&hub), "secretary").await;
    assert_eq!(told(&mut chair, Instant::now() + away / 2).await, None);

    // From here on it is gone.
    let gone = Instant::now();
    drop(secretary);
    let almost = gone + away - Duration::from_secs(2);
    assert_eq!(told(&mut chair, almost).await, None);
    let over = gone + away + Duration::from_secs(3);
    assert_eq!(told(&mut chair, over).await, Some(None));
}
